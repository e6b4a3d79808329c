//! Saving a recipe as its next revision, from the builder's document or from text.

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};
use sheetmill_engine::recipe::document::{Problem, Recipe};

use super::builder::{self, Begun, Look};
use super::conflict::{self, Mine};
use crate::domain::ids::RecipeId;
use crate::pages::gate::{Sent, Session, SignedIn, wants_json};
use crate::pages::{PageError, Pages};
use crate::runs::{self, Note, Saved};

/// A recipe, either as text or as the builder's document.
#[derive(Debug, Deserialize)]
pub(in crate::pages) struct Fields {
    text: Option<String>,
    document: Option<Value>,
    #[serde(default)]
    note: String,
    /// The latest revision that its author has seen: a number, which forms send as a text.
    base: Option<Value>,
    #[serde(default)]
    how: How,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum How {
    /// As the next revision.
    #[default]
    Next,
    /// As a recipe of its own.
    Copy,
}

impl Fields {
    fn base(&self) -> Option<i32> {
        match self.base.as_ref()? {
            Value::String(text) => text.parse().ok(),
            number => number.as_i64().and_then(|it| i32::try_from(it).ok()),
        }
    }
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
    pages: &web::Data<Pages>,
    session: &Session,
    id: Option<RecipeId>,
    sent: Fields,
) -> Result<HttpResponse, PageError> {
    let recipe = match read(sent.text.as_deref(), sent.document.as_ref()) {
        Ok(recipe) => recipe,
        Err(problems) if wants_json(request) => return Ok(HttpResponse::Ok().json(json!({ "problems": problems }))),
        Err(problems) => {
            let base = sent.base();
            let begun = Begun {
                id,
                number: base,
                newest: base,
                text: sent.text.unwrap_or_default(),
                problems: problems.iter().map(ToString::to_string).collect(),
                ..Begun::new(&Recipe::default())
            };
            return builder::page(request, pages, session, &Look::default(), begun).await;
        }
    };
    let (note, owner) = (Note::parse(&sent.note)?, session.user());
    let saved = match id {
        None => runs::save_recipe(&pages.pool, owner, &recipe, &note).await,
        Some(_) if sent.how == How::Copy => runs::save_beside(&pages.pool, owner, &recipe, &note).await,
        Some(id) => runs::save_revision(&pages.pool, owner, id, &recipe, &note, sent.base()).await,
    };
    let saved = match (saved, id) {
        (Err(runs::Error::Changed(number)), Some(id)) => {
            let mine = Mine {
                id,
                recipe: &recipe,
                note: &sent.note,
            };
            match conflict::answer(request, pages, session, mine).await? {
                Some(answer) => return Ok(answer),
                // The same was saved twice.
                None => Saved { recipe: id, number },
            }
        }
        (saved, _) => saved?,
    };
    if wants_json(request) {
        return Ok(HttpResponse::Ok().json(json!({ "id": saved.recipe, "revision": saved.number })));
    }
    Ok(HttpResponse::SeeOther()
        .insert_header((LOCATION, format!("/recipes/{}", saved.recipe)))
        .finish())
}
