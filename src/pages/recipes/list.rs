//! `/recipes`: what was saved, the latest first.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::library::{self, Ready};
use crate::database::recipes::{self, RecipeInList};
use crate::domain::ids::RecipeId;
use crate::pages::chrome::Chrome;
use crate::pages::gate::SignedIn;
use crate::pages::{PageError, Pages, filters};

/// Recipes of the list; who has more has other worries.
const MOST: i64 = 500;
/// Removed recipes that can be brought back from the list.
const REMOVED: i64 = 20;

#[derive(Debug, Template)]
#[template(path = "recipes/list.html")]
struct RecipesPage {
    chrome: Chrome,
    recipes: Vec<RecipeInList>,
    library: &'static [Ready],
    /// What was removed, the last first.
    removed: Vec<(RecipeId, String, DateTime<Utc>)>,
    /// What was removed just now.
    gone: Option<(RecipeId, String)>,
}

/// What has just happened.
#[derive(Debug, Deserialize)]
pub(in crate::pages) struct Happened {
    removed: Option<RecipeId>,
}

/// `GET /recipes`
pub(in crate::pages) async fn show(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    happened: web::Query<Happened>,
) -> Result<HttpResponse, PageError> {
    let mut connection = pages.pool.acquire().await?;
    let recipes = recipes::list(&mut connection, session.user(), None, MOST).await?;
    let removed = recipes::removed(&mut connection, session.user(), REMOVED).await?;
    drop(connection);
    let gone = removed.iter().find(|(id, ..)| Some(*id) == happened.removed);
    crate::pages::page(&RecipesPage {
        chrome: Chrome::of(&request, &session, "recipes", pages.clock.now()),
        recipes,
        library: library::all(),
        gone: gone.map(|(id, name, _)| (*id, super::named(name))),
        removed,
    })
}
