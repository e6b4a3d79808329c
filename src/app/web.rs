//! The http server: its limits, and the id and the log line of each request. Routes are those of `pages` and `api`.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, HttpMessage, HttpServer, web};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::foundation::Foundation;
use super::{Error, address, system};
use crate::api::{self, Api};
use crate::domain::clock::Clock;
use crate::domain::ids::RequestId;
use crate::events::{Bus, Seats};
use crate::pages::{self, PageSettings, Pages};
use crate::preview::Previews;
use crate::settings::Settings;
use crate::telemetry;
use crate::upload::Uploads;

/// A head that takes longer to come is an attack or a dead line.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Longer than the 60 s that proxies keep an idle connection, so that the proxy closes first.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Connections of one worker thread; streams take one each.
const MAX_CONNECTIONS: usize = 10_000;
/// What uploads and downloads may still take once a stop was asked for, in seconds. Streams end at once.
const DRAIN_SECONDS: u64 = 5;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The web half.
#[derive(Debug)]
pub(super) struct Web {
    listener: TcpListener,
    address: SocketAddr,
    api: Api,
    pages: Pages,
    /// Ends the streams: the server waits for open answers.
    quiet: CancellationToken,
}

/// Takes an address, before anything that takes time.
///
/// # Errors
/// [`Error::Listen`].
pub(super) fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    let failed = |cause| Error::Listen { address, cause };
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(listener)
}

impl Web {
    /// Gives both fronts what they need.
    ///
    /// # Errors
    /// When the spool or the scratch folder of previews cannot be used.
    pub(super) fn build(
        listener: TcpListener,
        settings: &Settings,
        foundation: &Foundation,
        bus: &Bus,
    ) -> Result<Self, Error> {
        let address = listener
            .local_addr()
            .map_err(system("The address listened on cannot be told"))?;
        let Foundation {
            pool,
            storage,
            accounts,
            ..
        } = foundation;
        let uploads = Uploads::open(pool.clone(), Arc::clone(storage), settings.upload.clone())?;
        let previews = Previews::new(settings.preview.clone(), Arc::clone(storage))
            .map_err(system("Previews have no scratch folder"))?;
        let quiet = CancellationToken::new();
        let bus = bus.until(quiet.clone());
        let api = Api {
            pool: pool.clone(),
            storage: Arc::clone(storage),
            accounts: accounts.clone(),
            bus: bus.clone(),
            uploads: uploads.clone(),
            previews: previews.clone(),
            seats: Seats::default(),
            clock: Clock::system(),
            metrics: || telemetry::metrics().render(),
        };
        let pages = Pages {
            pool: pool.clone(),
            storage: Arc::clone(storage),
            accounts: accounts.clone(),
            bus,
            previews,
            uploads,
            clock: Clock::system(),
            settings: PageSettings {
                https: address::is_https(settings),
                public_host: address::public_host(settings),
                upload_bytes: settings.upload.file_bytes,
            },
            seats: Seats::default(),
        };
        Ok(Self {
            listener,
            address,
            api,
            pages,
            quiet,
        })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `shutdown`.
    ///
    /// # Errors
    /// When the server ends by itself.
    pub(super) async fn run(self, shutdown: CancellationToken) -> Result<(), Error> {
        let (api, pages) = (web::Data::new(self.api), web::Data::new(self.pages));
        let server = HttpServer::new(move || {
            let (api, pages) = (api.clone(), pages.clone());
            // Pages take every path that is left.
            App::new()
                .wrap(from_fn(follow))
                .configure(|config| api::routes(config, api))
                .configure(|config| pages::routes(config, pages))
        });
        let quiet = self.quiet;
        let server = server
            .keep_alive(KEEP_ALIVE)
            .client_request_timeout(HEAD_TIMEOUT)
            // A browser that closes a page closes its stream: half a connection would hold the stream until the next ping.
            .h1_allow_half_closed(false)
            .max_connections(MAX_CONNECTIONS)
            .shutdown_timeout(DRAIN_SECONDS)
            .shutdown_signal(async move {
                shutdown.cancelled().await;
                quiet.cancel();
            })
            .listen(self.listener)
            .map_err(system("Cannot serve"))?;
        server.run().await.map_err(system("The web server ended"))
    }
}

/// The method for a label. Anyone may send any word as a method, and each would be a series of its own for ever.
fn known(method: &Method) -> &str {
    match *method {
        Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::PATCH | Method::DELETE | Method::OPTIONS => {
            method.as_str()
        }
        _ => "other",
    }
}

/// Gives a request its id, which follows the work it starts, and logs how it went.
async fn follow(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let id = RequestId::new();
    request.extensions_mut().insert(id);
    let started = Instant::now();
    let method = request.method().clone();
    let path = request.path().to_owned();
    let span = tracing::info_span!("request", request_id = %id);
    async move {
        let mut response = next.call(request).await?;
        let status = response.status().as_u16();
        let route = response.request().match_pattern().unwrap_or_else(|| "none".to_owned());
        let took = started.elapsed();
        let labels = [
            ("method", known(&method).to_owned()),
            ("route", route),
            ("status", status.to_string()),
        ];
        metrics::histogram!("sheetmill_http_seconds", &labels).record(took);
        if !is_probe(&path) {
            tracing::info!(%method, path, status, millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX), "answered");
        }
        if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        Ok(response)
    }
    .instrument(span)
    .await
}

/// Asked every few seconds by machines, so not worth a line.
fn is_probe(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz" | "/metrics")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_anyone_may_send_make_no_series_of_their_own() {
        assert_eq!(known(&Method::GET), "GET");
        let made_up = Method::from_bytes(b"M0000001").expect("a method");
        assert_eq!(known(&made_up), "other");
    }
}
