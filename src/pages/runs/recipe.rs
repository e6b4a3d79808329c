//! `/runs/{run}/recipe`: the very document that a run carried out, whatever became of its recipe since; and the way to run it
//! again on other files.

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};
use serde_json::Value;
use sheetmill_engine::recipe::document::Recipe;

use super::list;
use crate::database::recipes::{self, Standing};
use crate::database::runs::{self, RunRow};
use crate::database::{Connection, Result as Found};
use crate::domain::ids::{RecipeId, RunId, UserId};
use crate::pages::chrome::Chrome;
use crate::pages::gate::{Sent, Session, SignedIn};
use crate::pages::recipes::revision;
use crate::pages::{PageError, Pages, filters};
use crate::runs::{Note, save_beside};

#[derive(Debug, Template)]
#[template(path = "runs/recipe.html")]
struct RecipePage {
    chrome: Chrome,
    run: RunId,
    name: String,
    created_at: DateTime<Utc>,
    origin: Option<Origin>,
    document: String,
}

/// Where a run's document came from, and what became of that.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) recipe: RecipeId,
    pub(super) number: i32,
    pub(super) name: String,
    pub(super) latest: i32,
    pub(super) is_removed: bool,
}

impl Origin {
    /// The origin of a run; `None`: the document came with the call.
    pub(super) async fn of(connection: &mut Connection, user: UserId, run: &RunRow) -> Found<Option<Self>> {
        let Some((recipe, number)) = run.recipe.zip(run.revision) else {
            return Ok(None);
        };
        let standing = recipes::standing(connection, user, recipe).await?;
        let told = |it: Standing| Self {
            recipe,
            number,
            name: list::title(it.name),
            latest: it.latest,
            is_removed: it.removed_at.is_some(),
        };
        Ok(standing.map(told))
    }
}

/// `GET /runs/{run}/recipe`
pub(in crate::pages) async fn show(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    run: web::Path<RunId>,
) -> Result<HttpResponse, PageError> {
    let (row, origin) = look(&pages, &session, *run).await?;
    crate::pages::page(&RecipePage {
        chrome: Chrome::of(&request, &session, "runs", pages.clock.now()),
        run: row.id,
        name: list::title(row.name.clone()),
        created_at: row.created_at,
        origin,
        document: revision::document(&document(&row)?)?,
    })
}

/// `POST /runs/{run}/recipe`: the document becomes a recipe of its own.
pub(in crate::pages) async fn keep(
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    run: web::Path<RunId>,
    _form: Sent<Value>,
) -> Result<HttpResponse, PageError> {
    let (row, _) = look(&pages, &session, *run).await?;
    let note = Note::parse(&format!("From a run of {}", row.created_at.format("%Y-%m-%d")))?;
    let saved = save_beside(&pages.pool, session.user(), &document(&row)?, &note).await?;
    Ok(to(&format!("/recipes/{}/use?run={}", saved.recipe, row.id)))
}

/// `GET /runs/{run}/again`: the revision that it used, on other files.
pub(in crate::pages) async fn again(
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    run: web::Path<RunId>,
) -> Result<HttpResponse, PageError> {
    let (row, origin) = look(&pages, &session, *run).await?;
    Ok(match origin.filter(|it| !it.is_removed) {
        Some(it) => to(&format!(
            "/recipes/{}/use?revision={}&run={}",
            it.recipe, it.number, row.id
        )),
        None => to(&format!("/runs/{}/recipe", row.id)),
    })
}

async fn look(pages: &Pages, session: &Session, run: RunId) -> Result<(RunRow, Option<Origin>), PageError> {
    let mut connection = pages.pool.acquire().await?;
    let row = runs::find(&mut connection, session.user(), run).await?;
    let row = row.ok_or(PageError::NotFound)?;
    let origin = Origin::of(&mut connection, session.user(), &row).await?;
    Ok((row, origin))
}

fn document(run: &RunRow) -> Result<Recipe, PageError> {
    Recipe::from_json(&run.document).map_err(|_wrong| PageError::Internal(format!("the recipe of run {}", run.id)))
}

fn to(place: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, place)).finish()
}
