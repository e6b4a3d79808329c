//! The http server: its limits, and the id and the log line of each request. Routes are those of `pages` and `api`.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use actix_web::body::MessageBody;
use actix_web::dev::{Server, ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, Error, HttpMessage, HttpServer, web};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::api;
use crate::domain::ids::RequestId;

/// A head that takes longer to come is an attack or a dead line.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Longer than the 60 s that proxies keep an idle connection, so that the proxy closes first.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Connections of one worker thread; streams take one each.
const MAX_CONNECTIONS: usize = 10_000;
/// What uploads and downloads may still take once a stop was asked for, in seconds. Streams end at once.
const DRAIN_SECONDS: u64 = 5;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Answers on `listener` until `shutdown`.
///
/// # Errors
/// When the listener cannot be used.
pub(super) fn serve(listener: TcpListener, api: api::Api, shutdown: CancellationToken) -> std::io::Result<Server> {
    let api = web::Data::new(api);
    let server = HttpServer::new(move || {
        let api = api.clone();
        App::new()
            .wrap(from_fn(follow))
            .configure(|config| api::routes(config, api))
    });
    let server = server
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(HEAD_TIMEOUT)
        .max_connections(MAX_CONNECTIONS)
        .shutdown_timeout(DRAIN_SECONDS)
        .shutdown_signal(shutdown.cancelled_owned())
        .listen(listener)?;
    Ok(server.run())
}

/// Gives a request its id, which follows the work it starts, and logs how it went.
async fn follow(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
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
            ("method", method.to_string()),
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
