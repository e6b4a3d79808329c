//! What people see: routes on one screen, a handler file, a struct and a template for each page, live fragments by SSE.
//!
//! Templates whose names start with `_` are fragments: a page and its stream render the same one. `error` is the only
//! place that picks a status code. Everything that changes something is a POST with a token, and works without script.

use std::sync::Arc;

use actix_web::HttpResponse;
use askama::Template;

use crate::accounts::Accounts;
use crate::database::Pool;
use crate::domain::clock::Clock;
use crate::events::{Bus, Seats};
use crate::preview::Previews;
use crate::storage::Storage;
use crate::upload::Uploads;

mod admin;
mod artifact;
mod assets;
mod chrome;
mod download;
mod error;
mod files;
mod filters;
mod frame;
mod gate;
mod guide;
mod home;
mod live;
mod marks;
mod progress;
mod recipes;
mod routes;
mod runs;
mod sign_in;
mod theme;
mod welcome;

pub use error::PageError;
pub use routes::routes;

/// What pages go by.
#[derive(Clone, Debug)]
pub struct PageSettings {
    /// Whether people reach it by https: then cookies are `Secure` and `__Host-`.
    pub https: bool,
    /// The host of the public address, where one is set: a proxy may ask for another.
    pub public_host: Option<String>,
    /// The most bytes of one uploaded file, for words; `upload` holds to it.
    pub upload_bytes: u64,
}

impl Default for PageSettings {
    fn default() -> Self {
        Self {
            https: false,
            public_host: None,
            upload_bytes: 2 << 30,
        }
    }
}

/// What handlers need.
#[derive(Clone, Debug)]
pub struct Pages {
    /// What is remembered.
    pub pool: Pool,
    /// Bytes at rest.
    pub storage: Arc<dyn Storage>,
    /// Who may enter.
    pub accounts: Accounts,
    /// What just happened.
    pub bus: Bus,
    /// Warm children that answer with rows.
    pub previews: Previews,
    /// How files arrive.
    pub uploads: Uploads,
    /// The time.
    pub clock: Clock,
    /// What can be set.
    pub settings: PageSettings,
    /// How many streams each person holds open.
    pub seats: Seats,
}

impl Pages {
    fn cookie_name(&self) -> &'static str {
        if self.settings.https {
            "__Host-sheetmill"
        } else {
            "sheetmill"
        }
    }

    fn door_cookie_name(&self) -> &'static str {
        if self.settings.https {
            "__Host-sheetmill_door"
        } else {
            "sheetmill_door"
        }
    }
}

/// Answers with a page.
fn page(page: &impl Template) -> Result<HttpResponse, PageError> {
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(page.render()?))
}
