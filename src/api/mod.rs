//! What programs see: `/api/v1`, and the probes of an operator.

use actix_web::web;

mod health;

/// What handlers need.
#[derive(Clone, Debug)]
pub struct Context {
    /// The process's metrics in Prometheus' text form.
    pub metrics: fn() -> String,
}

/// Every route.
pub fn routes(config: &mut web::ServiceConfig, context: web::Data<Context>) {
    config
        .app_data(context)
        .route("/healthz", web::get().to(health::healthz))
        .route("/metrics", web::get().to(health::metrics));
}
