//! The probes: is it alive, is it ready, what does it count.

use actix_web::{HttpResponse, web};

use super::Context;

/// Alive: this process answers. Nothing else is asked, for a restart mends nothing else.
pub(super) async fn healthz() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body("ok\n")
}

/// Counters and histograms, as Prometheus reads them.
pub(super) async fn metrics(context: web::Data<Context>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body((context.metrics)())
}
