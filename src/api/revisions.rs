//! The revisions of a recipe: listed, shown, exported, compared, restored.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sheetmill_engine::recipe::changes::{self, Change, Line};
use sheetmill_engine::recipe::document::Recipe;
use utoipa::ToSchema;

use super::caller::Bearer;
use super::recipes::{RecipeView, Saved};
use super::{Api, Error};
use crate::database::recipes::{self, RecipeRow, RevisionInList};
use crate::domain::ids::{RecipeId, UserId};
use crate::runs::{self, Note};

/// Revisions of a page of the list.
const PAGE: usize = 100;

/// A revision in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RevisionView {
    /// Its number, from 1.
    number: i32,
    /// What its author noted.
    note: String,
    /// When it was saved.
    saved_at: DateTime<Utc>,
    /// Who saved it; nothing where the account is gone.
    author: Option<String>,
    /// How many runs used it.
    runs: i64,
}

impl From<RevisionInList> for RevisionView {
    fn from(row: RevisionInList) -> Self {
        Self {
            number: row.number,
            note: row.note,
            saved_at: row.saved_at,
            author: row.author,
            runs: row.runs,
        }
    }
}

/// Some of a recipe's revisions.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RevisionList {
    /// The revisions, the latest first.
    revisions: Vec<RevisionView>,
    /// `before` of the next page; nothing: this is the last one.
    next: Option<i32>,
}

/// What changed between two revisions.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Difference {
    /// Each change: `kind` is renamed, input, output, added, removed, moved or changed.
    #[schema(value_type = Vec<Object>)]
    changes: Vec<Change>,
    /// The text form line by line, each with its `fate`: same, removed or added; nothing where it is too long.
    #[schema(value_type = Option<Vec<Object>>)]
    lines: Option<Vec<Line>>,
}

/// Where a list goes on.
#[derive(Debug, Deserialize)]
pub(super) struct Place {
    before: Option<i32>,
}

/// Which two.
#[derive(Debug, Deserialize)]
pub(super) struct Which {
    from: i32,
    to: i32,
}

/// How a document is written.
#[derive(Debug, Deserialize)]
pub(super) struct Written {
    #[serde(default)]
    form: Form,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Form {
    #[default]
    Yaml,
    Json,
}

/// What is noted of the revision that an old one becomes.
#[derive(Debug, Deserialize)]
pub(super) struct Noted {
    note: Option<String>,
}

/// Lists the revisions of a recipe.
#[utoipa::path(
    get,
    path = "/api/v1/recipes/{id}/revisions",
    tag = "recipes",
    params(
        ("id" = String, Path, description = "The recipe"),
        ("before" = Option<i32>, Query, description = "`next` of the page before"),
    ),
    responses(
        (status = 200, description = "Up to 100 revisions", body = RevisionList),
        (status = 404, description = "There is no such recipe", body = super::error::Problem),
    )
)]
pub(super) async fn list(
    api: web::Data<Api>,
    caller: Bearer,
    id: web::Path<RecipeId>,
    place: web::Query<Place>,
) -> Result<HttpResponse, Error> {
    let mut connection = api.pool.acquire().await?;
    let known = recipes::latest(&mut connection, caller.user, *id).await?;
    known.ok_or(Error::NotFound("recipe"))?;
    let limit = PAGE as i64 + 1;
    let mut rows = recipes::revisions(&mut connection, caller.user, *id, place.before, limit).await?;
    let next = (rows.len() > PAGE).then(|| rows[PAGE - 1].number);
    rows.truncate(PAGE);
    Ok(HttpResponse::Ok().json(RevisionList {
        revisions: rows.into_iter().map(RevisionView::from).collect(),
        next,
    }))
}

/// Shows a revision.
#[utoipa::path(
    get,
    path = "/api/v1/recipes/{id}/revisions/{number}",
    tag = "recipes",
    params(
        ("id" = String, Path, description = "The recipe"),
        ("number" = i32, Path, description = "The revision's number, from 1"),
    ),
    responses(
        (status = 200, description = "The revision", body = RecipeView),
        (status = 404, description = "There is no such revision", body = super::error::Problem),
    )
)]
pub(super) async fn show(
    api: web::Data<Api>,
    caller: Bearer,
    place: web::Path<(RecipeId, i32)>,
) -> Result<HttpResponse, Error> {
    let row = find(&api, caller.user, place.0, place.1).await?;
    Ok(HttpResponse::Ok().json(RecipeView::from(row)))
}

/// Exports a revision as a file that other installations read.
#[utoipa::path(
    get,
    path = "/api/v1/recipes/{id}/revisions/{number}/export",
    tag = "recipes",
    params(
        ("id" = String, Path, description = "The recipe"),
        ("number" = i32, Path, description = "The revision's number, from 1"),
        ("form" = Option<String>, Query, description = "`yaml`, which is usual, or `json`"),
    ),
    responses(
        (status = 200, description = "The document, which says the version of the form", body = String, content_type = "application/yaml"),
        (status = 404, description = "There is no such revision", body = super::error::Problem),
    )
)]
pub(super) async fn export(
    api: web::Data<Api>,
    caller: Bearer,
    place: web::Path<(RecipeId, i32)>,
    written: web::Query<Written>,
) -> Result<HttpResponse, Error> {
    let recipe = stored(&find(&api, caller.user, place.0, place.1).await?)?;
    Ok(match written.form {
        Form::Yaml => HttpResponse::Ok()
            .content_type("application/yaml")
            .body(recipe.exported_yaml()),
        Form::Json => HttpResponse::Ok()
            .content_type("application/json")
            .body(recipe.exported_json()),
    })
}

/// Tells what changed from one revision to another.
#[utoipa::path(
    get,
    path = "/api/v1/recipes/{id}/changes",
    tag = "recipes",
    params(
        ("id" = String, Path, description = "The recipe"),
        ("from" = i32, Query, description = "The one revision"),
        ("to" = i32, Query, description = "The other"),
    ),
    responses(
        (status = 200, description = "What changed", body = Difference),
        (status = 404, description = "There is no such recipe or revision", body = super::error::Problem),
    )
)]
pub(super) async fn compare(
    api: web::Data<Api>,
    caller: Bearer,
    id: web::Path<RecipeId>,
    which: web::Query<Which>,
) -> Result<HttpResponse, Error> {
    let from = stored(&find(&api, caller.user, *id, which.from).await?)?;
    let to = stored(&find(&api, caller.user, *id, which.to).await?)?;
    Ok(HttpResponse::Ok().json(Difference {
        changes: changes::between(&from, &to),
        lines: changes::lines(&from, &to),
    }))
}

/// Makes an old revision the latest, as another one.
#[utoipa::path(
    post,
    path = "/api/v1/recipes/{id}/revisions/{number}/restore",
    tag = "recipes",
    params(
        ("id" = String, Path, description = "The recipe"),
        ("number" = i32, Path, description = "The revision's number, from 1"),
        ("note" = Option<String>, Query, description = "What is noted; otherwise which revision it was"),
    ),
    responses(
        (status = 201, description = "It is saved", body = Saved),
        (status = 404, description = "There is no such revision", body = super::error::Problem),
        (status = 409, description = "It is the latest already", body = super::error::Problem),
    )
)]
pub(super) async fn restore(
    api: web::Data<Api>,
    caller: Bearer,
    place: web::Path<(RecipeId, i32)>,
    noted: web::Query<Noted>,
) -> Result<HttpResponse, Error> {
    let (id, number) = *place;
    let usual = || format!("Restored from revision {number}");
    let note = Note::parse(&noted.into_inner().note.unwrap_or_else(usual))?;
    let saved = runs::restore(&api.pool, caller.user, id, number, &note).await?;
    Ok(HttpResponse::Created().json(Saved::from(saved)))
}

async fn find(api: &Api, user: UserId, id: RecipeId, number: i32) -> Result<RecipeRow, Error> {
    let mut connection = api.pool.acquire().await?;
    let row = recipes::revision(&mut connection, user, id, number).await?;
    row.ok_or(Error::NotFound("revision"))
}

fn stored(row: &RecipeRow) -> Result<Recipe, Error> {
    Recipe::from_json(&row.document)
        .map_err(|_wrong| Error::Internal(format!("revision {} of recipe {}", row.number, row.id)))
}
