//! What programs see: `/api/v1` and its OpenAPI document, and the probes of an operator.

use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, ServiceConfig, delete, get, patch, post, put};

use crate::accounts::Accounts;
use crate::database::Pool;
use crate::domain::clock::Clock;
use crate::events::{Bus, Seats};
use crate::preview::Previews;
use crate::storage::Storage;
use crate::upload::Uploads;

mod artifacts;
mod caller;
mod error;
mod files;
mod health;
mod openapi;
mod recipes;
mod revisions;
mod rows;
mod run_view;
mod runs;
mod stream;

pub use error::Error;

/// What handlers need.
#[derive(Clone, Debug)]
pub struct Api {
    /// What is remembered.
    pub pool: Pool,
    /// Bytes at rest.
    pub storage: Arc<dyn Storage>,
    /// Whose token it is.
    pub accounts: Accounts,
    /// What just happened.
    pub bus: Bus,
    /// How many streams each person's programs hold open.
    pub seats: Seats,
    /// How files arrive.
    pub uploads: Uploads,
    /// Warm children that answer with rows.
    pub previews: Previews,
    /// The time.
    pub clock: Clock,
    /// The process's metrics in Prometheus' text form.
    pub metrics: fn() -> String,
}

/// A recipe with hundreds of steps is some ten kilobytes; a run names at most some thousand files.
const BODY_BYTES: usize = 256 << 10;

/// Every route of the API and the probes.
pub fn routes(config: &mut ServiceConfig, api: web::Data<Api>) {
    let calls = web::scope("/api/v1")
        .app_data(api.clone())
        .app_data(web::PayloadConfig::new(BODY_BYTES))
        .app_data(web::PathConfig::default().error_handler(|_, _| Error::NotFound("thing").into()))
        .wrap(from_fn(error::explain))
        .wrap(from_fn(harden))
        .default_service(web::to(nothing))
        .route("/openapi.json", get().to(openapi::document))
        .route("/files", post().to(files::upload))
        .route("/files/{id}", get().to(files::show))
        .route("/files/{id}", delete().to(files::remove))
        .route("/files/{id}/events", get().to(files::events))
        .route("/files/{id}/options", put().to(files::read_again))
        .route("/recipes", get().to(recipes::list))
        .route("/recipes", post().to(recipes::create))
        .route("/recipes/{id}", get().to(recipes::show))
        .route("/recipes/{id}", delete().to(recipes::remove))
        .route("/recipes/{id}/changes", get().to(revisions::compare))
        .route("/recipes/{id}/revisions", get().to(revisions::list))
        .route("/recipes/{id}/revisions", post().to(recipes::revise))
        .route("/recipes/{id}/revisions/{number}", get().to(revisions::show))
        .route("/recipes/{id}/revisions/{number}/export", get().to(revisions::export))
        .route(
            "/recipes/{id}/revisions/{number}/restore",
            post().to(revisions::restore),
        )
        .route("/runs", post().to(runs::start))
        .route("/runs/{id}", get().to(runs::show))
        .route("/runs/{id}", patch().to(runs::put_off))
        .route("/runs/{id}", delete().to(runs::cancel))
        .route("/runs/{id}/events", get().to(runs::events))
        .route("/runs/{id}/files/{file}/rows", get().to(rows::list))
        .route("/runs/{id}/files/{file}/rows/{row}", get().to(rows::trace))
        .route("/artifacts/{id}", get().to(artifacts::download));
    let probe = |path| {
        web::scope(path)
            .app_data(api.clone())
            .wrap(from_fn(error::explain))
            .wrap(from_fn(harden))
    };
    config
        .service(calls)
        .service(probe("/healthz").route("", get().to(health::healthz)))
        .service(probe("/readyz").route("", get().to(health::readyz)))
        .service(probe("/metrics").route("", get().to(health::metrics)));
}

/// Answers are for programs: a browser that is led here neither guesses a type, nor runs anything, nor keeps a copy.
const HEADERS: [(HeaderName, &str); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    ),
    (header::CACHE_CONTROL, "no-store"),
];

async fn harden(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let mut response = next.call(request).await?;
    for (name, value) in HEADERS {
        if !response.headers().contains_key(&name) {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
    }
    Ok(response)
}

async fn nothing() -> Result<&'static str, Error> {
    Err(Error::NotFound("address"))
}
