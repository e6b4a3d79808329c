//! What admins do with a schedule: pause it with a reason, let it go on, have it run at once, change its rule; and the report
//! that a tick made.

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::Value;

use crate::database::reports;
use crate::domain::ids::{ScheduleId, TickId};
use crate::pages::download::{self, Stored};
use crate::pages::gate::{self, Admin, Sent};
use crate::pages::{PageError, Pages};
use crate::schedules::{self, Change};
use crate::storage::content_type_of;

/// Why it is paused.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::pages) struct Why {
    reason: String,
}

/// What it is to go by. A form without a field is not wrong by itself: whoever may not send one is told nothing of fields.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::pages) struct Wanted {
    rule: String,
    time_zone: String,
    missed: String,
}

/// `POST /admin/schedules/{schedule}/pause`
pub(in crate::pages) async fn pause(
    pages: web::Data<Pages>,
    Admin(session): Admin,
    schedule: web::Path<ScheduleId>,
    sent: Sent<Why>,
) -> Result<HttpResponse, PageError> {
    schedules::pause(&pages.pool, *schedule, session.user(), &sent.0.reason).await?;
    Ok(back())
}

/// `POST /admin/schedules/{schedule}/resume`
pub(in crate::pages) async fn resume(
    pages: web::Data<Pages>,
    Admin(session): Admin,
    schedule: web::Path<ScheduleId>,
    _form: Sent<Value>,
) -> Result<HttpResponse, PageError> {
    schedules::resume(&pages.pool, *schedule, session.user()).await?;
    Ok(back())
}

/// `POST /admin/schedules/{schedule}/run`
pub(in crate::pages) async fn run_now(
    request: HttpRequest,
    pages: web::Data<Pages>,
    Admin(session): Admin,
    schedule: web::Path<ScheduleId>,
    _form: Sent<Value>,
) -> Result<HttpResponse, PageError> {
    let asked_by = gate::asked_by(&request);
    schedules::run_now(&pages.pool, *schedule, session.user(), asked_by).await?;
    Ok(back())
}

/// `POST /admin/schedules/{schedule}/change`
pub(in crate::pages) async fn change(
    pages: web::Data<Pages>,
    Admin(session): Admin,
    schedule: web::Path<ScheduleId>,
    sent: Sent<Wanted>,
) -> Result<HttpResponse, PageError> {
    let wanted = sent.0;
    let no_policy = |_| PageError::Wrong("Choose what becomes of missed times.".to_owned());
    let change = Change {
        rule: wanted.rule,
        time_zone: wanted.time_zone,
        missed: wanted.missed.parse().map_err(no_policy)?,
    };
    schedules::change(&pages.pool, *schedule, session.user(), &change).await?;
    Ok(back())
}

/// `GET /admin/reports/{tick}`
pub(in crate::pages) async fn report(
    request: HttpRequest,
    pages: web::Data<Pages>,
    Admin(_): Admin,
    tick: web::Path<TickId>,
) -> Result<HttpResponse, PageError> {
    let mut connection = pages.pool.acquire().await?;
    let found = reports::find(&mut connection, *tick)
        .await?
        .ok_or(PageError::NotFound)?;
    drop(connection);
    let found = Stored {
        storage_key: &found.storage_key,
        name: &found.name,
        content_type: content_type_of(&found.name),
        bytes: found.bytes,
        sha256: found.sha256,
    };
    download::stored(&request, &pages, found).await
}

fn back() -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, "/admin/schedules"))
        .finish()
}
