//! What people ask of runs: start one, cancel it, try again what failed, forget what was chosen for its columns.

use std::collections::BTreeMap;

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::ask;
use super::later::Later;
use crate::database;
use crate::domain::ids::{FileId, RecipeId, RunId};
use crate::pages::gate::{self, Sent, SignedIn};
use crate::pages::{PageError, Pages};
use crate::readings::For;
use crate::runs::{self, ColumnChoice, RecipeRef, Start};

/// A saved recipe and the files to run it on.
#[derive(Debug, Deserialize)]
pub(in crate::pages) struct Wanted {
    recipe: String,
    /// The number of its revision; empty: the latest.
    #[serde(default)]
    revision: String,
    #[serde(default)]
    files: Vec<FileId>,
    /// The tables behind the recipe's names, as JSON: `{"prices": "<file>/<sheet>"}`.
    #[serde(default)]
    references: String,
    /// The same from a form without script, each as JSON: name, file and sheet.
    #[serde(default)]
    tables: Vec<String>,
    /// Something where columns have been asked about: nobody is asked twice.
    #[serde(default)]
    asked: String,
    /// What was chosen then, each as JSON: layout, expected column, header.
    #[serde(default)]
    columns: Vec<String>,
    /// When, and before what.
    #[serde(flatten)]
    later: Later,
}

/// Something chosen that is to be forgotten.
#[derive(Debug, Deserialize)]
pub(in crate::pages) struct Forgotten {
    #[serde(default)]
    expected: String,
    #[serde(default)]
    header: String,
    #[serde(default)]
    layout: String,
}

/// The other tables as the builder's script names them: file and position of the sheet.
pub(in crate::pages) fn references(
    named: BTreeMap<String, String>,
) -> Result<BTreeMap<String, (FileId, Option<i32>)>, PageError> {
    let wrong = || PageError::Wrong("Choose the other tables once more.".to_owned());
    let mut found = BTreeMap::new();
    for (name, place) in named.into_iter().filter(|(_, place)| !place.is_empty()) {
        let (file, position) = place.split_once('/').ok_or_else(wrong)?;
        let file = file.parse().map_err(|_no_id| wrong())?;
        let position = position.parse().map_err(|_no_number| wrong())?;
        found.insert(name, (file, Some(position)));
    }
    Ok(found)
}

/// `POST /runs`
pub(in crate::pages) async fn start(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    sent: Sent<Wanted>,
) -> Result<HttpResponse, PageError> {
    let wanted = sent.0;
    let mut named: BTreeMap<String, String> = serde_json::from_str(&wanted.references).unwrap_or_default();
    named.extend(
        wanted
            .tables
            .iter()
            .filter_map(|it| serde_json::from_str::<(String, String)>(it).ok()),
    );
    let revision: Option<i32> = wanted.revision.parse().ok();
    let unsaved = || PageError::Wrong("Save the recipe first, then run it.".to_owned());
    let recipe: RecipeId = wanted.recipe.parse().map_err(|_no_id| unsaved())?;
    let asked_by = gate::asked_by(&request);
    let by = For {
        owner: session.user(),
        request: asked_by,
    };
    let chosen = ask::chosen(&wanted.columns)?;
    if wanted.asked.is_empty()
        && let Some(layouts) = ask::unsure(&pages, by, (recipe, revision), &wanted.files).await?
    {
        let again = ask::Again {
            recipe,
            revision,
            files: wanted.files,
            references: serde_json::json!(named).to_string(),
            later: wanted.later,
        };
        return ask::page(&request, &pages, &session, again, layouts);
    }
    runs::remember_columns(&pages.pool, session.user(), &chosen).await?;
    // Lists show the youngest first; a run takes files in the order in which they came.
    let files = wanted.files.into_iter().rev().collect();
    let start = Start {
        owner: session.user(),
        recipe: match revision {
            Some(number) => RecipeRef::Revision(recipe, number),
            None => RecipeRef::Saved(recipe),
        },
        files,
        after: Vec::new(),
        references: references(named)?,
        columns: runs::of_layouts(&chosen),
        priority: wanted.later.priority()?,
        run_at: wanted.later.when()?,
        from_scratch: false,
        idempotency_key: None,
        request: asked_by,
    };
    let started = runs::start(&pages.pool, start).await?;
    Ok(to(started.run))
}

/// `POST /runs/{run}/cancel`
pub(in crate::pages) async fn cancel(
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    run: web::Path<RunId>,
    _form: Sent<serde_json::Value>,
) -> Result<HttpResponse, PageError> {
    match runs::cancel(&pages.pool, session.user(), *run).await {
        // It ended by itself meanwhile: the page says how.
        Ok(_) | Err(runs::Error::Ended(_)) => Ok(to(*run)),
        Err(other) => Err(other.into()),
    }
}

/// `POST /runs/{run}/start`: another time for a run that waits for its own, or now.
pub(in crate::pages) async fn start_at(
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    run: web::Path<RunId>,
    sent: Sent<Later>,
) -> Result<HttpResponse, PageError> {
    runs::start_at(&pages.pool, session.user(), *run, sent.0.when()?).await?;
    Ok(to(*run))
}

/// `POST /runs/{run}/retry`
pub(in crate::pages) async fn retry(
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    run: web::Path<RunId>,
    _form: Sent<serde_json::Value>,
) -> Result<HttpResponse, PageError> {
    runs::retry(&pages.pool, session.user(), *run).await?;
    Ok(to(*run))
}

/// `POST /runs/{run}/again`: the same once more, with everything made anew.
pub(in crate::pages) async fn again(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    run: web::Path<RunId>,
    _form: Sent<serde_json::Value>,
) -> Result<HttpResponse, PageError> {
    let started = runs::again(&pages.pool, session.user(), *run, true, gate::asked_by(&request)).await?;
    Ok(to(started.run))
}

/// What is to be run on the results of a run.
#[derive(Debug, Deserialize)]
pub(in crate::pages) struct Next {
    #[serde(default)]
    recipe: String,
}

/// `POST /runs/{run}/then`: another recipe on its results, as soon as they are there.
pub(in crate::pages) async fn then(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    run: web::Path<RunId>,
    sent: Sent<Next>,
) -> Result<HttpResponse, PageError> {
    let mut connection = pages.pool.acquire().await?;
    let known = database::runs::find(&mut connection, session.user(), *run).await?;
    drop(connection);
    known.ok_or(PageError::NotFound)?;
    let unknown = |_no_id| PageError::Wrong("Choose the recipe that is to come next.".to_owned());
    let recipe = sent.0.recipe.parse().map_err(unknown)?;
    let start = Start {
        owner: session.user(),
        recipe: RecipeRef::Saved(recipe),
        files: Vec::new(),
        after: vec![*run],
        references: BTreeMap::new(),
        columns: runs::of_layouts(&[]),
        priority: 0,
        run_at: None,
        from_scratch: false,
        idempotency_key: None,
        request: gate::asked_by(&request),
    };
    let started = runs::start(&pages.pool, start).await?;
    Ok(to(started.run))
}

/// `POST /runs/{run}/forget`
pub(in crate::pages) async fn forget(
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    run: web::Path<RunId>,
    sent: Sent<Forgotten>,
) -> Result<HttpResponse, PageError> {
    let Forgotten {
        expected,
        header,
        layout,
    } = sent.0;
    let chosen = ColumnChoice {
        layout,
        expected,
        header: Some(header).filter(|it| !it.is_empty()),
        instead_of: Vec::new(),
    };
    let mut connection = pages.pool.acquire().await?;
    let known = database::runs::find(&mut connection, session.user(), *run).await?;
    drop(connection);
    known.ok_or(PageError::NotFound)?;
    runs::forget_column(&pages.pool, session.user(), &chosen).await?;
    Ok(to(*run))
}

fn to(run: RunId) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, format!("/runs/{run}")))
        .finish()
}
