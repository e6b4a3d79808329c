//! What programs see: `/api/v1`, and the probes of an operator.

use std::sync::Arc;

use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig, get};

use crate::accounts::Accounts;
use crate::database::Pool;
use crate::events::Bus;
use crate::storage::Storage;

mod error;
mod health;

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
    /// The process's metrics in Prometheus' text form.
    pub metrics: fn() -> String,
}

/// Every route of the API and the probes.
pub fn routes(config: &mut ServiceConfig, api: web::Data<Api>) {
    let probe = |path| web::scope(path).app_data(api.clone()).wrap(from_fn(error::explain));
    config
        .service(probe("/healthz").route("", get().to(health::healthz)))
        .service(probe("/readyz").route("", get().to(health::readyz)))
        .service(probe("/metrics").route("", get().to(health::metrics)));
}
