//! A recipe was saved elsewhere since it was opened here: what changed, and the ways on. Nothing is lost either way.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};
use serde_json::json;
use sheetmill_engine::recipe::document::Recipe;

use super::{changes, stored};
use crate::database::recipes;
use crate::domain::ids::RecipeId;
use crate::pages::chrome::Chrome;
use crate::pages::gate::{Session, wants_json};
use crate::pages::{PageError, Pages, filters};

/// What was to be saved.
pub(super) struct Mine<'a> {
    pub(super) id: RecipeId,
    pub(super) recipe: &'a Recipe,
    pub(super) note: &'a str,
}

#[derive(Debug, Template)]
#[template(path = "recipes/conflict.html")]
struct ConflictPage {
    chrome: Chrome,
    told: String,
    id: RecipeId,
    name: String,
    latest: i32,
    note: String,
    text: String,
}

/// What is told of it; the builder shows this alone.
#[derive(Debug, Template)]
#[template(path = "recipes/_conflict.html")]
struct ConflictFragment {
    id: RecipeId,
    latest: i32,
    saved_at: DateTime<Utc>,
    note: String,
    now: DateTime<Utc>,
    changes: Option<String>,
}

/// The answer: 409 with a page, or with the fragment for the builder. What is the same as what was saved is no conflict, and
/// gives nothing.
pub(super) async fn answer(
    request: &HttpRequest,
    pages: &web::Data<Pages>,
    session: &Session,
    mine: Mine<'_>,
) -> Result<Option<HttpResponse>, PageError> {
    let mut connection = pages.pool.acquire().await?;
    let latest = recipes::latest(&mut connection, session.user(), mine.id).await?;
    let latest = latest.ok_or(PageError::NotFound)?;
    drop(connection);
    let now = pages.clock.now();
    let fragment = ConflictFragment {
        id: mine.id,
        latest: latest.number,
        saved_at: latest.saved_at,
        note: latest.note.clone(),
        now,
        changes: changes::fragment(&stored(&latest)?, mine.recipe)?,
    };
    if fragment.changes.is_none() {
        return Ok(None);
    }
    let told = fragment.render()?;
    if wants_json(request) {
        let body = json!({ "conflict": { "latest": latest.number, "html": told } });
        return Ok(Some(HttpResponse::Conflict().json(body)));
    }
    let page = ConflictPage {
        chrome: Chrome::of(request, session, "recipes", now),
        told,
        id: mine.id,
        name: super::named(&latest.name),
        latest: latest.number,
        note: mine.note.to_owned(),
        text: mine.recipe.to_yaml(),
    };
    let mut response = crate::pages::page(&page)?;
    *response.status_mut() = StatusCode::CONFLICT;
    Ok(Some(response))
}
