//! `/runs/{run}`: one run, live; its stream and its JSON twin.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;

use super::list;
use super::recipe::Origin;
use super::view::Look;
use crate::database::recipes;
use crate::domain::ids::{RecipeId, RunId, UserId};
use crate::domain::states::{RunFileState, RunState};
use crate::events::Heard;
use crate::pages::chrome::Chrome;
use crate::pages::gate::SignedIn;
use crate::pages::live::{self, Fragment, Live, Snapshot};
use crate::pages::{PageError, Pages, filters};

#[derive(Debug, Template)]
#[template(path = "runs/run.html")]
struct RunPage {
    chrome: Chrome,
    id: RunId,
    title: String,
    name: String,
    origin: Option<Origin>,
    files_total: i64,
    others: Vec<String>,
    /// What may be run on its results.
    next: Vec<(RecipeId, String)>,
    csrf: String,
    created_at: DateTime<Utc>,
    /// Whether anything was done of it yet.
    began: bool,
    query: String,
    fragments: Vec<Fragment>,
}

/// Which of its files are listed.
#[derive(Debug, Deserialize)]
pub(in crate::pages) struct Which {
    files: Option<String>,
}

impl Which {
    fn state(&self) -> Result<Option<RunFileState>, PageError> {
        self.files
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(|_no_state| PageError::NotFound)
    }
}

/// `GET /runs/{run}`
pub(in crate::pages) async fn show(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    run: web::Path<RunId>,
    which: web::Query<Which>,
) -> Result<HttpResponse, PageError> {
    let only = which.state()?;
    let look = Look::at(&pages, session.user(), *run).await?;
    let fragments = look.fragments(&session.csrf_token(), 0, only)?;
    let next = next(&pages, session.user(), &look).await?;
    let mut connection = pages.pool.acquire().await?;
    let origin = Origin::of(&mut connection, session.user(), &look.run).await?;
    drop(connection);
    let page = RunPage {
        next,
        csrf: session.csrf_token(),
        chrome: Chrome::of(&request, &session, "runs", pages.clock.now()),
        title: look.title(),
        id: look.run.id,
        name: list::title(look.run.name),
        origin,
        files_total: look.run.files,
        others: look.others.clone(),
        created_at: look.run.created_at,
        began: look.run.started_at.is_some(),
        query: only.map(|state| format!("?files={state}")).unwrap_or_default(),
        fragments,
    };
    crate::pages::page(&page)
}

/// Recipes that are offered to follow; more are found on their own pages.
const OFFERED: i64 = 100;

/// The recipes that could be run on its results; none where there will be no results, or none that can be read again.
async fn next(pages: &Pages, user: UserId, look: &Look) -> Result<Vec<(RecipeId, String)>, PageError> {
    let ends_well = matches!(
        look.run.state,
        RunState::Waiting | RunState::Running | RunState::Succeeded
    );
    let format = look.run.document["output"]["format"].as_str();
    if !ends_well || !matches!(format, None | Some("xlsx" | "csv")) {
        return Ok(Vec::new());
    }
    let recipes = recipes::list(&mut *pages.pool.acquire().await?, user, None, OFFERED).await?;
    Ok(recipes.into_iter().map(|it| (it.id, it.name)).collect())
}

/// `GET /runs/{run}/live`
pub(in crate::pages) async fn live(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    run: web::Path<RunId>,
    which: web::Query<Which>,
) -> Result<HttpResponse, PageError> {
    let only = which.state()?;
    let csrf = session.csrf_token();
    let page = OneRun {
        pages: pages.clone(),
        user: session.user(),
        run: *run,
        csrf,
        only,
        tied: Vec::new(),
        most: 0,
    };
    live::stream(&request, &pages, &session, page).await
}

/// `GET /runs/{run}/state`: the same for clients that poll.
pub(in crate::pages) async fn state(
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    run: web::Path<RunId>,
) -> Result<HttpResponse, PageError> {
    let look = Look::at(&pages, session.user(), *run).await?;
    let artifacts: Vec<_> = look
        .artifacts
        .iter()
        .map(|it| json!({ "id": it.id, "name": it.name, "bytes": it.bytes, "sha256": it.sha256, "url": format!("/artifacts/{}", it.id) }))
        .collect();
    let body = json!({
        "id": look.run.id,
        "state": look.run.state,
        "version": look.run.version,
        "files": { "all": look.run.files, "remaining": look.run.remaining, "succeeded": look.run.succeeded,
                   "refused": look.run.refused, "failed": look.run.failed },
        "progress": look.numbers(),
        "ledger": look.run.ledger,
        "artifacts": artifacts,
        "error": look.run.sentence,
    });
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(body))
}

struct OneRun {
    pages: web::Data<Pages>,
    user: UserId,
    run: RunId,
    csrf: String,
    only: Option<RunFileState>,
    /// The runs before and after it.
    tied: Vec<RunId>,
    /// The share shown so far: a second attempt starts over, but what people see never runs backwards.
    most: u32,
}

impl Live for OneRun {
    fn concerns(&self, heard: &Heard) -> bool {
        match heard {
            Heard::Event(told) => told
                .event
                .run
                .is_some_and(|run| run == self.run || self.tied.contains(&run)),
            Heard::Progress(told) => told.run == Some(self.run),
            Heard::Gap => true,
        }
    }

    async fn snapshot(&mut self) -> Result<Snapshot, PageError> {
        let look = Look::at(&self.pages, self.user, self.run).await?;
        self.tied = look.tied.iter().map(|it| it.id).collect();
        self.most = look.numbers().share.unwrap_or_default().max(self.most);
        let fragments = look.fragments(&self.csrf, self.most, self.only)?;
        Ok(Snapshot {
            fragments,
            version: look.run.version,
            reload: false,
        })
    }
}
