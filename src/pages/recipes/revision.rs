//! `/recipes/{recipe}/revisions/{number}`: one revision as it is, and making an old one the latest.

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use sheetmill_engine::recipe::document::Recipe;

use super::stored;
use crate::database::recipes::{self, RevisionInList};
use crate::domain::ids::RecipeId;
use crate::pages::chrome::Chrome;
use crate::pages::gate::{Sent, SignedIn};
use crate::pages::{PageError, Pages, filters};
use crate::runs::{self, Note};

#[derive(Debug, Template)]
#[template(path = "recipes/revision.html")]
struct RevisionPage {
    chrome: Chrome,
    id: RecipeId,
    name: String,
    latest: i32,
    revision: RevisionInList,
    document: String,
}

/// What a recipe does, in sentences and as text.
#[derive(Debug, Template)]
#[template(path = "recipes/_document.html")]
struct DocumentFragment {
    labels: Vec<String>,
    text: String,
}

/// The fragment that shows a recipe which cannot be edited in place.
pub(in crate::pages) fn document(recipe: &Recipe) -> Result<String, PageError> {
    let fragment = DocumentFragment {
        labels: recipe.labels(),
        text: recipe.to_yaml(),
    };
    Ok(fragment.render()?)
}

/// What is noted of the revision that an old one becomes.
#[derive(Debug, Deserialize)]
pub(in crate::pages) struct Noted {
    note: Option<String>,
}

/// `GET /recipes/{recipe}/revisions/{number}`
pub(in crate::pages) async fn show(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    place: web::Path<(RecipeId, i32)>,
) -> Result<HttpResponse, PageError> {
    let (id, number) = *place;
    let mut connection = pages.pool.acquire().await?;
    let standing = recipes::standing(&mut connection, session.user(), id).await?;
    let standing = standing.ok_or(PageError::NotFound)?;
    let row = recipes::revision(&mut connection, session.user(), id, number).await?;
    let row = row.ok_or(PageError::NotFound)?;
    let after = number.saturating_add(1);
    let mut listed = recipes::revisions(&mut connection, session.user(), id, Some(after), 1).await?;
    drop(connection);
    crate::pages::page(&RevisionPage {
        chrome: Chrome::of(&request, &session, "recipes", pages.clock.now()),
        id,
        name: super::named(&row.name),
        latest: standing.latest,
        revision: listed.pop().ok_or(PageError::NotFound)?,
        document: document(&stored(&row)?)?,
    })
}

/// `POST /recipes/{recipe}/revisions/{number}/restore`
pub(in crate::pages) async fn restore(
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    place: web::Path<(RecipeId, i32)>,
    sent: Sent<Noted>,
) -> Result<HttpResponse, PageError> {
    let (id, number) = *place;
    let note = sent
        .0
        .note
        .unwrap_or_else(|| format!("Restored from revision {number}"));
    let saved = runs::restore(&pages.pool, session.user(), id, number, &Note::parse(&note)?).await?;
    let there = format!("/recipes/{id}/revisions/{}", saved.number);
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, there)).finish())
}
