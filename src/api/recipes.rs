//! Recipes: documents in YAML or JSON, saved as revisions that never change.

use actix_web::{HttpResponse, web};
use serde::Serialize;
use sheetmill_engine::recipe::document::{Problem, Recipe};
use utoipa::ToSchema;

use super::caller::Bearer;
use super::error::Flaw;
use super::{Api, Error};
use crate::domain::ids::RecipeId;
use crate::runs;

/// A saved revision.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Saved {
    /// The recipe.
    #[schema(value_type = String, format = Uuid)]
    id: RecipeId,
    /// The revision's number, from 1.
    revision: i32,
}

/// Creates a recipe with its first revision.
#[utoipa::path(
    post,
    path = "/api/v1/recipes",
    tag = "recipes",
    request_body(content = String, content_type = "application/yaml", description = "A recipe document, YAML or JSON"),
    responses(
        (status = 201, description = "It is saved", body = Saved),
        (status = 422, description = "What is wrong with it, each with line and column", body = super::error::Problem),
    )
)]
pub(super) async fn create(api: web::Data<Api>, caller: Bearer, body: web::Bytes) -> Result<HttpResponse, Error> {
    let recipe = read(&body)?;
    let saved = runs::save_recipe(&api.pool, caller.user, &recipe).await?;
    Ok(HttpResponse::Created().json(Saved {
        id: saved.recipe,
        revision: saved.number,
    }))
}

/// Saves another revision of a recipe.
#[utoipa::path(
    post,
    path = "/api/v1/recipes/{id}/revisions",
    tag = "recipes",
    params(("id" = String, Path, description = "The recipe")),
    request_body(content = String, content_type = "application/yaml", description = "A recipe document, YAML or JSON"),
    responses(
        (status = 201, description = "It is saved", body = Saved),
        (status = 404, description = "There is no such recipe", body = super::error::Problem),
        (status = 422, description = "What is wrong with it, each with line and column", body = super::error::Problem),
    )
)]
pub(super) async fn revise(
    api: web::Data<Api>,
    caller: Bearer,
    id: web::Path<RecipeId>,
    body: web::Bytes,
) -> Result<HttpResponse, Error> {
    let recipe = read(&body)?;
    let saved = runs::save_revision(&api.pool, caller.user, *id, &recipe).await?;
    Ok(HttpResponse::Created().json(Saved {
        id: saved.recipe,
        revision: saved.number,
    }))
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
