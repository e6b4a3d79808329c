//! Logs, spans and metrics. Logs go to stderr: stdout belongs to answers.

use std::io::{IsTerminal, stderr};
use std::sync::OnceLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Buckets of every histogram, in seconds: from a page answered from memory to an upload of gigabytes.
const SECONDS: [f64; 10] = [0.005, 0.02, 0.05, 0.1, 0.3, 1.0, 3.0, 10.0, 60.0, 600.0];

/// How to log.
#[derive(Clone, Debug)]
pub struct TelemetrySettings {
    /// What to log, in the words of `tracing_subscriber::EnvFilter`.
    pub filter: String,
    /// In which form.
    pub format: LogFormat,
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        // actix tells of its threads, sqlx of every slow statement, apalis of every ticket: too much at `info`.
        Self {
            filter: "info,actix_server=warn,sqlx=warn,apalis=warn,apalis_postgres=warn,aws=warn".to_owned(),
            format: LogFormat::Auto,
        }
    }
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// What can go wrong at the start of logging.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The filter cannot be read.
    #[error("SHEETMILL_LOG is not a log filter: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
}

/// Starts logging for this process. A second call changes nothing.
///
/// # Errors
/// When the filter cannot be read.
pub fn start(settings: &TelemetrySettings) -> Result<(), Error> {
    let filter = EnvFilter::try_new(&settings.filter)?;
    let json = match settings.format {
        LogFormat::Auto => !stderr().is_terminal(),
        LogFormat::Json => true,
        LogFormat::Text => false,
    };
    let registry = tracing_subscriber::registry().with(filter);
    let started = if json {
        let lines = tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(false);
        registry.with(lines.with_writer(stderr)).try_init()
    } else {
        let lines = tracing_subscriber::fmt::layer()
            .with_target(false)
            .with_ansi(stderr().is_terminal());
        registry.with(lines.with_writer(stderr)).try_init()
    };
    if started.is_err() {
        tracing::debug!("logging has been started already");
    }
    Ok(())
}

/// The process's metrics as Prometheus reads them; the first call starts collecting.
#[must_use]
pub fn metrics() -> &'static PrometheusHandle {
    static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();
    METRICS.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets(&SECONDS)
            .unwrap_or_else(|_| PrometheusBuilder::new());
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("another recorder of metrics is in place: /metrics stays empty");
        }
        handle
    })
}
