//! Recipes: documents in YAML or JSON, saved as revisions that never change.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sheetmill_engine::recipe::document::{Problem, Recipe};
use utoipa::ToSchema;

use super::caller::Bearer;
use super::error::Flaw;
use super::{Api, Error};
use crate::database::recipes::{self, RecipeInList, RecipeRow};
use crate::domain::ids::RecipeId;
use crate::runs::{self, Note};

/// Recipes of a page of the list.
const PAGE: usize = 100;

/// A saved revision.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Saved {
    /// The recipe.
    #[schema(value_type = String, format = Uuid)]
    id: RecipeId,
    /// The revision's number, from 1.
    revision: i32,
}

impl From<runs::Saved> for Saved {
    fn from(saved: runs::Saved) -> Self {
        Self {
            id: saved.recipe,
            revision: saved.number,
        }
    }
}

/// What is said of a revision when it is saved.
#[derive(Debug, Deserialize)]
pub(super) struct Said {
    #[serde(default)]
    note: String,
    base: Option<i32>,
}

/// A recipe in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RecipeSummary {
    /// The recipe.
    #[schema(value_type = String, format = Uuid)]
    id: RecipeId,
    /// Its name.
    name: String,
    /// The number of its latest revision.
    revision: i32,
    /// When that was saved.
    saved_at: DateTime<Utc>,
    /// How many runs used one of its revisions.
    runs: i64,
}

impl From<RecipeInList> for RecipeSummary {
    fn from(row: RecipeInList) -> Self {
        Self {
            id: row.id,
            name: row.name,
            revision: row.revisions,
            saved_at: row.updated_at,
            runs: row.runs,
        }
    }
}

/// Some of a person's recipes.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RecipeList {
    /// The recipes, the one that was saved last first.
    recipes: Vec<RecipeSummary>,
    /// `before` of the next page; nothing: this is the last one.
    next: Option<DateTime<Utc>>,
}

/// A recipe with one of its revisions.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RecipeView {
    /// The recipe.
    #[schema(value_type = String, format = Uuid)]
    id: RecipeId,
    /// Its name in this revision.
    name: String,
    /// The revision's number, from 1.
    revision: i32,
    /// What its author noted.
    note: String,
    /// When it was saved.
    saved_at: DateTime<Utc>,
    /// The document.
    #[schema(value_type = Object)]
    document: Value,
}

impl From<RecipeRow> for RecipeView {
    fn from(row: RecipeRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            revision: row.number,
            note: row.note,
            saved_at: row.saved_at,
            document: row.document,
        }
    }
}

/// Where a list goes on.
#[derive(Debug, Deserialize)]
pub(super) struct Place {
    before: Option<DateTime<Utc>>,
}

/// Lists the recipes.
#[utoipa::path(
    get,
    path = "/api/v1/recipes",
    tag = "recipes",
    params(("before" = Option<DateTime<Utc>>, Query, description = "`next` of the page before")),
    responses((status = 200, description = "Up to 100 recipes", body = RecipeList))
)]
pub(super) async fn list(api: web::Data<Api>, caller: Bearer, place: web::Query<Place>) -> Result<HttpResponse, Error> {
    let mut connection = api.pool.acquire().await?;
    let mut rows = recipes::list(&mut connection, caller.user, place.before, PAGE as i64 + 1).await?;
    let next = (rows.len() > PAGE).then(|| rows[PAGE - 1].updated_at);
    rows.truncate(PAGE);
    Ok(HttpResponse::Ok().json(RecipeList {
        recipes: rows.into_iter().map(RecipeSummary::from).collect(),
        next,
    }))
}

/// Creates a recipe with its first revision. A document that another installation exported is imported so.
#[utoipa::path(
    post,
    path = "/api/v1/recipes",
    tag = "recipes",
    params(("note" = Option<String>, Query, description = "What is noted of the revision")),
    request_body(content = String, content_type = "application/yaml", description = "A recipe document, YAML or JSON"),
    responses(
        (status = 201, description = "It is saved", body = Saved),
        (status = 422, description = "What is wrong with it, each with line and column", body = super::error::Problem),
    )
)]
pub(super) async fn create(
    api: web::Data<Api>,
    caller: Bearer,
    said: web::Query<Said>,
    body: web::Bytes,
) -> Result<HttpResponse, Error> {
    let recipe = read(&body)?;
    let saved = runs::save_recipe(&api.pool, caller.user, &recipe, &Note::parse(&said.note)?).await?;
    Ok(HttpResponse::Created().json(Saved::from(saved)))
}

/// Shows a recipe with its latest revision.
#[utoipa::path(
    get,
    path = "/api/v1/recipes/{id}",
    tag = "recipes",
    params(("id" = String, Path, description = "The recipe")),
    responses(
        (status = 200, description = "The recipe", body = RecipeView),
        (status = 404, description = "There is no such recipe", body = super::error::Problem),
    )
)]
pub(super) async fn show(api: web::Data<Api>, caller: Bearer, id: web::Path<RecipeId>) -> Result<HttpResponse, Error> {
    let mut connection = api.pool.acquire().await?;
    let row = recipes::latest(&mut connection, caller.user, *id).await?;
    let row = row.ok_or(Error::NotFound("recipe"))?;
    Ok(HttpResponse::Ok().json(RecipeView::from(row)))
}

/// Removes a recipe; its runs stay.
#[utoipa::path(
    delete,
    path = "/api/v1/recipes/{id}",
    tag = "recipes",
    params(("id" = String, Path, description = "The recipe")),
    responses(
        (status = 204, description = "It is removed"),
        (status = 404, description = "There is no such recipe", body = super::error::Problem),
    )
)]
pub(super) async fn remove(
    api: web::Data<Api>,
    caller: Bearer,
    id: web::Path<RecipeId>,
) -> Result<HttpResponse, Error> {
    let mut connection = api.pool.acquire().await?;
    if !recipes::delete(&mut connection, caller.user, *id).await? {
        return Err(Error::NotFound("recipe"));
    }
    Ok(HttpResponse::NoContent().finish())
}

/// Saves another revision of a recipe.
#[utoipa::path(
    post,
    path = "/api/v1/recipes/{id}/revisions",
    tag = "recipes",
    params(
        ("id" = String, Path, description = "The recipe"),
        ("note" = Option<String>, Query, description = "What is noted of the revision"),
        ("base" = Option<i32>, Query, description = "The revision that it was made from: where another one is the latest, nothing is saved"),
    ),
    request_body(content = String, content_type = "application/yaml", description = "A recipe document, YAML or JSON"),
    responses(
        (status = 201, description = "It is saved", body = Saved),
        (status = 404, description = "There is no such recipe", body = super::error::Problem),
        (status = 409, description = "Another revision than `base` is the latest", body = super::error::Problem),
        (status = 422, description = "What is wrong with it, each with line and column", body = super::error::Problem),
    )
)]
pub(super) async fn revise(
    api: web::Data<Api>,
    caller: Bearer,
    id: web::Path<RecipeId>,
    said: web::Query<Said>,
    body: web::Bytes,
) -> Result<HttpResponse, Error> {
    let (recipe, note) = (read(&body)?, Note::parse(&said.note)?);
    let saved = runs::save_revision(&api.pool, caller.user, *id, &recipe, &note, said.base).await?;
    Ok(HttpResponse::Created().json(Saved::from(saved)))
}

/// Reads a document: JSON is YAML, so the content type says nothing that matters.
fn read(body: &[u8]) -> Result<Recipe, Error> {
    let text = std::str::from_utf8(body)
        .map_err(|cause| Error::invalid("not_text", format!("The recipe is not UTF-8 text: {cause}.")))?;
    Recipe::parse(text).map_err(wrong)
}

/// What is wrong with a recipe.
pub(super) fn wrong(problems: Vec<Problem>) -> Error {
    let sentence = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let flaw = |it: Problem| Flaw {
        path: it.path,
        line: it.line,
        column: it.column,
        message: it.message,
    };
    Error::Invalid {
        code: "recipe",
        sentence,
        problems: problems.into_iter().map(flaw).collect(),
    }
}
