//! The probes: is it alive, is it ready, what does it count.

use std::time::Duration;

use actix_web::{HttpResponse, web};
use tokio::time::timeout;

use super::{Api, Error};

/// Whoever asks gives up after a few seconds, so the answer comes before.
const PATIENCE: Duration = Duration::from_secs(2);

/// Alive: this process answers. Nothing else is asked, for a restart mends nothing else.
pub(super) async fn healthz() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body("ok\n")
}

/// Ready: the database and the storage answer too.
pub(super) async fn readyz(api: web::Data<Api>) -> Result<HttpResponse, Error> {
    let late = |what: &'static str| move |_elapsed| Error::Unavailable(format!("{what} does not answer in time"));
    timeout(PATIENCE, api.pool.check())
        .await
        .map_err(late("the database"))??;
    timeout(PATIENCE, api.storage.check())
        .await
        .map_err(late("the storage"))??;
    Ok(HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body("ready\n"))
}

/// Counters and histograms, as Prometheus reads them.
pub(super) async fn metrics(api: web::Data<Api>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body((api.metrics)())
}
