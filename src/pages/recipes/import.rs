//! `/recipes/import`: a recipe from a file or from text, YAML or JSON. Where its name is taken, people say which they want.

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use sheetmill_engine::recipe::document::Recipe;

use super::{changes, stored};
use crate::database::recipes::{self, RecipeRow};
use crate::pages::chrome::Chrome;
use crate::pages::gate::{Sent, Session, SignedIn};
use crate::pages::{PageError, Pages, filters};
use crate::runs::{self, Error, Note};

#[derive(Debug, Template)]
#[template(path = "recipes/import.html")]
struct ImportPage {
    chrome: Chrome,
    text: String,
    problems: Vec<String>,
    clash: Option<Clash>,
}

/// A recipe of the same name that is there already.
#[derive(Debug)]
struct Clash {
    there: RecipeRow,
    name: String,
    /// What the import would change in it; `None`: nothing.
    changes: Option<String>,
}

/// What is imported.
#[derive(Debug, Default, Deserialize)]
pub(in crate::pages) struct Fields {
    /// The text of a file.
    #[serde(default)]
    file: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    how: String,
    /// The latest revision that was shown of the recipe of the same name.
    #[serde(default)]
    base: String,
}

/// `GET /recipes/import`
pub(in crate::pages) async fn show(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, PageError> {
    page(&request, &pages, &session, String::new(), Vec::new(), None)
}

/// `POST /recipes/import`
pub(in crate::pages) async fn take(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    sent: Sent<Fields>,
) -> Result<HttpResponse, PageError> {
    let Fields { file, text, how, base } = sent.0;
    let given = if file.trim().is_empty() { text } else { file };
    let text = given.trim_start_matches('\u{feff}').to_owned();
    let refused = |text: String, problems| page(&request, &pages, &session, text, problems, None);
    if text.trim().is_empty() {
        return refused(text, vec!["Choose a file, or paste a recipe.".to_owned()]);
    }
    if text.contains(['\u{fffd}', '\0']) {
        let sentence = "This is not text in UTF-8. A recipe is a YAML or JSON file, such as Sheetmill exports.";
        return refused(String::new(), vec![sentence.to_owned()]);
    }
    let recipe = match Recipe::parse(&text) {
        Ok(recipe) => recipe,
        Err(problems) => return refused(text, problems.iter().map(ToString::to_string).collect()),
    };
    let (owner, note) = (session.user(), Note::parse("Imported")?);
    let there = there(&pages, &session, &recipe).await?;
    let saved = match (there, how.as_str()) {
        (None, _) => runs::save_recipe(&pages.pool, owner, &recipe, &note).await?,
        (Some(_), "both") => runs::save_beside(&pages.pool, owner, &recipe, &note).await?,
        // What was shown of it is still so.
        (Some(there), "revision") if base.parse() == Ok(there.number) => {
            let saved = runs::save_revision(&pages.pool, owner, there.id, &recipe, &note, Some(there.number)).await;
            match saved {
                Err(Error::Changed(_)) => return ask(&request, &pages, &session, text, &recipe, there),
                saved => saved?,
            }
        }
        (Some(there), _) => return ask(&request, &pages, &session, text, &recipe, there),
    };
    let there = format!("/recipes/{}", saved.recipe);
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, there)).finish())
}

/// The recipe of the same name that was saved last.
async fn there(pages: &Pages, session: &Session, recipe: &Recipe) -> Result<Option<RecipeRow>, PageError> {
    if recipe.name.is_empty() {
        return Ok(None);
    }
    let mut connection = pages.pool.acquire().await?;
    match recipes::named(&mut connection, session.user(), &recipe.name).await? {
        Some(id) => Ok(recipes::latest(&mut connection, session.user(), id).await?),
        None => Ok(None),
    }
}

fn ask(
    request: &HttpRequest,
    pages: &Pages,
    session: &Session,
    text: String,
    recipe: &Recipe,
    there: RecipeRow,
) -> Result<HttpResponse, PageError> {
    let clash = Clash {
        name: super::named(&there.name),
        changes: changes::fragment(&stored(&there)?, recipe)?,
        there,
    };
    page(request, pages, session, text, Vec::new(), Some(clash))
}

fn page(
    request: &HttpRequest,
    pages: &Pages,
    session: &Session,
    text: String,
    problems: Vec<String>,
    clash: Option<Clash>,
) -> Result<HttpResponse, PageError> {
    crate::pages::page(&ImportPage {
        chrome: Chrome::of(request, session, "recipes", pages.clock.now()),
        text,
        problems,
        clash,
    })
}
