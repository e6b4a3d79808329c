//! `/runs`: what was run, the newest first.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::database::runs::{self, RunRow};
use crate::domain::ids::RunId;
use crate::domain::states::RunState;
use crate::pages::chrome::Chrome;
use crate::pages::gate::SignedIn;
use crate::pages::marks::Mark;
use crate::pages::{PageError, Pages, filters};

/// Runs of a page of the list.
const PAGE: usize = 50;

/// The states of the filter line, with their words.
const STATES: [RunState; 5] = [
    RunState::Waiting,
    RunState::Running,
    RunState::Succeeded,
    RunState::Failed,
    RunState::Cancelled,
];

#[derive(Debug, Template)]
#[template(path = "runs/list.html")]
struct RunsPage {
    chrome: Chrome,
    runs: Vec<RunLine>,
    states: Vec<(RunState, &'static str)>,
    state: Option<RunState>,
    paged: bool,
    next: Option<RunId>,
}

/// A run in a list.
#[derive(Clone, Debug)]
pub(in crate::pages) struct RunLine {
    pub(in crate::pages) id: RunId,
    pub(in crate::pages) name: String,
    pub(in crate::pages) mark: Mark,
    pub(in crate::pages) sentence: Option<String>,
    pub(in crate::pages) files: i64,
    pub(in crate::pages) rows_out: Option<u64>,
    pub(in crate::pages) took: String,
    pub(in crate::pages) created_at: DateTime<Utc>,
}

impl From<RunRow> for RunLine {
    fn from(run: RunRow) -> Self {
        let took = run
            .started_at
            .zip(run.finished_at)
            .map(|(start, end)| filters::span((end - start).num_milliseconds()));
        Self {
            rows_out: (run.state == RunState::Succeeded)
                .then(|| super::flow::kept(&run.ledger))
                .flatten(),
            id: run.id,
            name: title(run.name),
            mark: run.state.into(),
            sentence: run.sentence,
            files: run.files,
            took: took.unwrap_or_default(),
            created_at: run.created_at,
        }
    }
}

/// A recipe need not have a name.
pub(super) fn title(name: String) -> String {
    if name.trim().is_empty() {
        "Unnamed recipe".to_owned()
    } else {
        name
    }
}

/// Which runs.
#[derive(Debug, Deserialize)]
pub(in crate::pages) struct Place {
    before: Option<RunId>,
    state: Option<String>,
}

/// `GET /runs`
pub(in crate::pages) async fn show(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    place: web::Query<Place>,
) -> Result<HttpResponse, PageError> {
    let state = place
        .state
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|_no_state| PageError::NotFound)?;
    let mut connection = pages.pool.acquire().await?;
    let mut runs = runs::list(&mut connection, session.user(), state, place.before, PAGE as i64 + 1).await?;
    let next = (runs.len() > PAGE).then(|| runs[PAGE - 1].id);
    runs.truncate(PAGE);
    let page = RunsPage {
        chrome: Chrome::of(&request, &session, "runs", pages.clock.now()),
        runs: runs.into_iter().map(RunLine::from).collect(),
        states: STATES.into_iter().map(|it| (it, Mark::from(it).word)).collect(),
        state,
        paged: place.before.is_some(),
        next,
    };
    crate::pages::page(&page)
}
