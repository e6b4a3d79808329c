//! `/recipes/{recipe}/revisions`: what a recipe was and is, the latest first.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::database::recipes::{self, RevisionInList};
use crate::domain::ids::RecipeId;
use crate::pages::chrome::Chrome;
use crate::pages::gate::SignedIn;
use crate::pages::{PageError, Pages, filters};

/// Revisions of a page of the list.
const PAGE: usize = 50;

#[derive(Debug, Template)]
#[template(path = "recipes/history.html")]
struct HistoryPage {
    chrome: Chrome,
    id: RecipeId,
    name: String,
    latest: i32,
    saved_at: DateTime<Utc>,
    revisions: Vec<RevisionInList>,
    next: Option<i32>,
    paged: bool,
}

/// Where the list goes on.
#[derive(Debug, Deserialize)]
pub(in crate::pages) struct Place {
    before: Option<i32>,
}

/// `GET /recipes/{recipe}/revisions`
pub(in crate::pages) async fn show(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    recipe: web::Path<RecipeId>,
    place: web::Query<Place>,
) -> Result<HttpResponse, PageError> {
    let mut connection = pages.pool.acquire().await?;
    let latest = recipes::latest(&mut connection, session.user(), *recipe).await?;
    let latest = latest.ok_or(PageError::NotFound)?;
    let limit = PAGE as i64 + 1;
    let mut revisions = recipes::revisions(&mut connection, session.user(), *recipe, place.before, limit).await?;
    drop(connection);
    let next = (revisions.len() > PAGE).then(|| revisions[PAGE - 1].number);
    revisions.truncate(PAGE);
    crate::pages::page(&HistoryPage {
        chrome: Chrome::of(&request, &session, "recipes", pages.clock.now()),
        id: latest.id,
        name: super::named(&latest.name),
        latest: latest.number,
        saved_at: latest.saved_at,
        revisions,
        next,
        paged: place.before.is_some(),
    })
}
