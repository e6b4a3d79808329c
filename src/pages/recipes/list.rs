//! `/recipes`: what was saved, the latest first.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::library::{self, Ready};
use crate::database::recipes::{self, RecipeInList};
use crate::pages::chrome::Chrome;
use crate::pages::gate::SignedIn;
use crate::pages::{PageError, Pages, filters};

/// Recipes of the list; who has more has other worries.
const MOST: i64 = 500;

#[derive(Debug, Template)]
#[template(path = "recipes/list.html")]
struct RecipesPage {
    chrome: Chrome,
    recipes: Vec<RecipeInList>,
    library: &'static [Ready],
}

/// `GET /recipes`
pub(in crate::pages) async fn show(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, PageError> {
    let mut connection = pages.pool.acquire().await?;
    let recipes = recipes::list(&mut connection, session.user(), None, MOST).await?;
    drop(connection);
    crate::pages::page(&RecipesPage {
        chrome: Chrome::of(&request, &session, "recipes", pages.clock.now()),
        recipes,
        library: library::all(),
    })
}
