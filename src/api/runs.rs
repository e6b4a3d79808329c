//! Runs: started, looked at, followed, cancelled.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Bearer;
use super::run_view::{ArtifactView, RunView};
use super::stream::{Followed, Message, follow, last_seen};
use super::{Api, Error};
use crate::domain::ids::{RunId, UserId};
use crate::events::Heard;
use crate::runs;

/// A started run.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Started {
    /// The run.
    #[schema(value_type = String, format = Uuid)]
    id: RunId,
    /// How far it has come.
    state: &'static str,
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
