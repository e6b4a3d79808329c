//! Runs: started, looked at, followed, cancelled.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sheetmill_engine::recipe::document::Recipe;
use sheetmill_engine::recipe::mapping::Choices;
use utoipa::ToSchema;

use super::caller::Bearer;
use super::run_view::{ArtifactView, RunView};
use super::stream::{Followed, Message, follow, last_seen};
use super::{Api, Error, recipes};
use crate::domain::ids::{FileId, RecipeId, RunId, UserId};
use crate::events::Heard;
use crate::runs;

/// What a run is started with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Start {
    /// The id of a saved recipe, or a recipe document.
    #[schema(value_type = Value)]
    recipe: Value,
    /// The number of the saved recipe's revision; otherwise the latest one.
    revision: Option<i32>,
    /// The files, by id.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    files: Vec<FileId>,
    /// Instead of files: the runs, by id, whose results it works on once they have all ended well.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    after: Vec<RunId>,
    /// Other tables by the names that the recipe's steps have for them: the id of a file, for its first visible sheet, or
    /// `{"file": …, "sheet": 1}` with the sheet's position from 0.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, Value>)]
    references: BTreeMap<String, Reference>,
    /// Which headers of the files are which of the columns that the recipe expects: `{"E-Mail": "email"}`.
    #[serde(default)]
    columns: BTreeMap<String, String>,
    /// Not before this instant.
    start_at: Option<DateTime<Utc>>,
    /// Not before so many seconds from now.
    delay_s: Option<u32>,
    /// Higher goes first among your own runs; 0 is usual.
    #[serde(default)]
    priority: i32,
    /// Whether everything is made anew. Otherwise what the same recipe made of the same file before is taken over.
    #[serde(default)]
    from_scratch: bool,
}

/// Another table.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Reference {
    File(FileId),
    Sheet { file: FileId, sheet: i32 },
}

impl From<Reference> for (FileId, Option<i32>) {
    fn from(reference: Reference) -> Self {
        match reference {
            Reference::File(file) => (file, None),
            Reference::Sheet { file, sheet } => (file, Some(sheet)),
        }
    }
}

/// A started run.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Started {
    /// The run.
    #[schema(value_type = String, format = Uuid)]
    id: RunId,
    /// How far it has come.
    state: &'static str,
}

/// Starts a run of a recipe on files.
#[utoipa::path(
    post,
    path = "/api/v1/runs",
    tag = "runs",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and body again start nothing and give the same answer")),
    request_body = Start,
    responses(
        (status = 202, description = "It is started", body = Started),
        (status = 404, description = "There is no such file or recipe", body = super::error::Problem),
        (status = 422, description = "What is wrong with it", body = super::error::Problem),
    )
)]
pub(super) async fn start(
    request: HttpRequest,
    api: web::Data<Api>,
    caller: Bearer,
    body: web::Bytes,
) -> Result<HttpResponse, Error> {
    let start: Start = serde_json::from_slice(&body)
        .map_err(|cause| Error::invalid("not_understood", format!("The body is not as described: {cause}.")))?;
    let recipe = which(&start.recipe, start.revision)?;
    let run_at = when(start.start_at, start.delay_s)?;
    let wanted = runs::Start {
        owner: caller.user,
        recipe,
        files: start.files,
        after: start.after,
        references: start
            .references
            .into_iter()
            .map(|(name, file)| (name, file.into()))
            .collect(),
        columns: Choices {
            chosen: start.columns,
            ..Choices::default()
        },
        priority: start.priority,
        run_at,
        from_scratch: start.from_scratch,
        idempotency_key: idempotency_key(&request)?,
        request: caller.request,
    };
    let started = runs::start(&api.pool, wanted).await?;
    Ok(HttpResponse::Accepted().json(Started {
        id: started.run,
        state: started.state.as_str(),
    }))
}

fn when(start_at: Option<DateTime<Utc>>, delay_s: Option<u32>) -> Result<Option<runs::When>, Error> {
    match (start_at, delay_s) {
        (Some(_), Some(_)) => Err(Error::invalid("two_times", "Give `start_at` or `delay_s`, not both.")),
        (at, None) => Ok(at.map(runs::When::At)),
        (None, Some(seconds)) => Ok(Some(runs::When::After(Duration::from_secs(seconds.into())))),
    }
}

fn which(recipe: &Value, revision: Option<i32>) -> Result<runs::RecipeRef, Error> {
    let saved = recipe.as_str().and_then(|id| id.parse::<RecipeId>().ok());
    match (saved, revision) {
        (Some(id), Some(number)) => return Ok(runs::RecipeRef::Revision(id, number)),
        (None, Some(_)) => {
            let sentence = "A recipe that comes with the call has no revisions. Leave `revision` out.";
            return Err(Error::invalid("no_revisions", sentence));
        }
        (_, None) => {}
    }
    match recipe {
        Value::String(id) => match id.parse::<RecipeId>() {
            Ok(id) => Ok(runs::RecipeRef::Saved(id)),
            Err(_no_id) => Recipe::parse(id)
                .map(|it| runs::RecipeRef::Inline(Box::new(it)))
                .map_err(recipes::wrong),
        },
        document => Recipe::from_json(document)
            .map(|it| runs::RecipeRef::Inline(Box::new(it)))
            .map_err(recipes::wrong),
    }
}

/// Longer keys are not keys.
const KEY_CHARS: usize = 200;

fn idempotency_key(request: &HttpRequest) -> Result<Option<String>, Error> {
    let Some(key) = request.headers().get("idempotency-key") else {
        return Ok(None);
    };
    match key.to_str() {
        Ok(key) if (1..=KEY_CHARS).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => Err(Error::invalid(
            "idempotency_key",
            format!("An Idempotency-Key is 1 to {KEY_CHARS} visible ASCII characters."),
        )),
    }
}

/// Shows a run.
#[utoipa::path(
    get,
    path = "/api/v1/runs/{id}",
    tag = "runs",
    params(("id" = String, Path, description = "The run")),
    responses(
        (status = 200, description = "How far it has come", body = RunView),
        (status = 404, description = "There is no such run", body = super::error::Problem),
    )
)]
pub(super) async fn show(api: web::Data<Api>, caller: Bearer, id: web::Path<RunId>) -> Result<HttpResponse, Error> {
    let view = RunView::read(&mut *api.pool.acquire().await?, caller.user, *id).await?;
    Ok(HttpResponse::Ok().json(view))
}

/// When a run is to begin instead.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PutOff {
    /// Not before this instant.
    start_at: Option<DateTime<Utc>>,
    /// Not before so many seconds from now.
    delay_s: Option<u32>,
}

/// Has a run that waits begin at another time; without any, now.
#[utoipa::path(
    patch,
    path = "/api/v1/runs/{id}",
    tag = "runs",
    params(("id" = String, Path, description = "The run")),
    request_body = PutOff,
    responses(
        (status = 200, description = "It begins then", body = RunView),
        (status = 404, description = "There is no such run", body = super::error::Problem),
        (status = 409, description = "It has begun already", body = super::error::Problem),
        (status = 422, description = "What is wrong with it", body = super::error::Problem),
    )
)]
pub(super) async fn put_off(
    api: web::Data<Api>,
    caller: Bearer,
    id: web::Path<RunId>,
    body: web::Bytes,
) -> Result<HttpResponse, Error> {
    let wanted: PutOff = serde_json::from_slice(&body)
        .map_err(|cause| Error::invalid("not_understood", format!("The body is not as described: {cause}.")))?;
    let when = when(wanted.start_at, wanted.delay_s)?;
    runs::start_at(&api.pool, caller.user, *id, when).await?;
    let view = RunView::read(&mut *api.pool.acquire().await?, caller.user, *id).await?;
    Ok(HttpResponse::Ok().json(view))
}

/// Cancels a run.
#[utoipa::path(
    delete,
    path = "/api/v1/runs/{id}",
    tag = "runs",
    params(("id" = String, Path, description = "The run")),
    responses(
        (status = 202, description = "It will end as cancelled", body = Started),
        (status = 404, description = "There is no such run", body = super::error::Problem),
        (status = 409, description = "It has ended already", body = super::error::Problem),
    )
)]
pub(super) async fn cancel(api: web::Data<Api>, caller: Bearer, id: web::Path<RunId>) -> Result<HttpResponse, Error> {
    let state = runs::cancel(&api.pool, caller.user, *id).await?;
    Ok(HttpResponse::Accepted().json(Started {
        id: *id,
        state: state.as_str(),
    }))
}

/// Follows a run: `progress`, `artifact` and `state`, until it has ended.
#[utoipa::path(
    get,
    path = "/api/v1/runs/{id}/events",
    tag = "runs",
    params(
        ("id" = String, Path, description = "The run"),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last `state` seen"),
    ),
    responses(
        (status = 200, description = "Server-sent events", content_type = "text/event-stream"),
        (status = 204, description = "It has ended, and you have seen that"),
        (status = 404, description = "There is no such run", body = super::error::Problem),
    )
)]
pub(super) async fn events(
    request: HttpRequest,
    api: web::Data<Api>,
    caller: Bearer,
    id: web::Path<RunId>,
) -> Result<HttpResponse, Error> {
    let followed = FollowedRun {
        owner: caller.user,
        run: *id,
        seen: last_seen(&request),
        shown: None,
        over: false,
    };
    follow(api, caller, followed).await
}

/// A run that a client follows.
struct FollowedRun {
    owner: UserId,
    run: RunId,
    /// The version that the client has seen.
    seen: Option<i64>,
    /// What it was told last.
    shown: Option<RunView>,
    over: bool,
}

impl Followed for FollowedRun {
    fn concerns(&self, heard: &Heard) -> bool {
        match heard {
            Heard::Event(told) => told.event.run == Some(self.run),
            Heard::Progress(told) => told.run == Some(self.run),
            Heard::Gap => true,
        }
    }

    async fn look(&mut self, api: &Api) -> Result<Vec<Message>, Error> {
        let view = RunView::read(&mut *api.pool.acquire().await?, self.owner, self.run).await?;
        self.over = view.is_over();
        let mut news = Vec::new();
        if self.seen != Some(view.version) {
            let told = |artifact: &ArtifactView| self.shown.as_ref().is_some_and(|shown| shown.has(artifact));
            for artifact in view.artifacts.iter().filter(|it| !told(it)) {
                news.push(Message::new("artifact", None, artifact)?);
            }
            news.push(Message::new("state", Some(view.version), &view)?);
            self.seen = Some(view.version);
        } else if self.shown.as_ref().is_none_or(|shown| shown.progress != view.progress) && !self.over {
            news.push(Message::new("progress", None, &view.progress)?);
        }
        self.shown = Some(view);
        Ok(news)
    }

    fn is_over(&self) -> bool {
        self.over
    }
}
