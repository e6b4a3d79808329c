//! Saving a recipe as its next revision, from the builder's document or from text; and removing one.

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};
use sheetmill_engine::recipe::document::{Problem, Recipe};

use super::builder::{self, Begun, Look};
use crate::domain::ids::RecipeId;
use crate::pages::gate::{Sent, Session, SignedIn, wants_json};
use crate::pages::{PageError, Pages};
use crate::runs;

/// A recipe, either as text or as the builder's document.
#[derive(Debug, Deserialize)]
pub(in crate::pages) struct Fields {
    text: Option<String>,
    document: Option<Value>,
}

/// `POST /recipes`
pub(in crate::pages) async fn create(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    sent: Sent<Fields>,
) -> Result<HttpResponse, PageError> {
    keep(&request, &pages, &session, None, sent.0).await
}

/// `POST /recipes/{recipe}`
pub(in crate::pages) async fn save(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    recipe: web::Path<RecipeId>,
    sent: Sent<Fields>,
) -> Result<HttpResponse, PageError> {
    keep(&request, &pages, &session, Some(*recipe), sent.0).await
}

/// `POST /recipes/{recipe}/remove`
pub(in crate::pages) async fn remove(
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    recipe: web::Path<RecipeId>,
    _form: Sent<Value>,
) -> Result<HttpResponse, PageError> {
    let mut connection = pages.pool.acquire().await?;
    if !crate::database::recipes::delete(&mut connection, session.user(), *recipe).await? {
        return Err(PageError::NotFound);
    }
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, "/recipes")).finish())
}

/// Reads a recipe from what was sent: as text, or as the builder holds it.
pub(super) fn read(text: Option<&str>, document: Option<&Value>) -> Result<Recipe, Vec<Problem>> {
    match (text, document) {
        (Some(text), _) => Recipe::parse(text),
        (None, Some(document)) => Recipe::from_form(document),
        (None, None) => Err(vec![Problem::at("", "There is no recipe in this.")]),
    }
}

async fn keep(
    request: &HttpRequest,
    pages: &Pages,
    session: &Session,
    id: Option<RecipeId>,
    sent: Fields,
) -> Result<HttpResponse, PageError> {
    let recipe = match read(sent.text.as_deref(), sent.document.as_ref()) {
        Ok(recipe) => recipe,
        Err(problems) if wants_json(request) => return Ok(HttpResponse::Ok().json(json!({ "problems": problems }))),
        Err(problems) => {
            let begun = Begun {
                id,
                text: sent.text.unwrap_or_default(),
                problems: problems.iter().map(ToString::to_string).collect(),
                ..Begun::new(&Recipe::default())
            };
            return builder::page(request, pages, session, &Look::default(), begun).await;
        }
    };
    let saved = match id {
        Some(id) => runs::save_revision(&pages.pool, session.user(), id, &recipe).await?,
        None => runs::save_recipe(&pages.pool, session.user(), &recipe).await?,
    };
    if wants_json(request) {
        return Ok(HttpResponse::Ok().json(json!({ "id": saved.recipe, "revision": saved.number })));
    }
    Ok(HttpResponse::SeeOther()
        .insert_header((LOCATION, format!("/recipes/{}", saved.recipe)))
        .finish())
}
