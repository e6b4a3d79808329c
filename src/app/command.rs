//! What the commands of a running installation share: settings, logging, threads, Ctrl-C, and how they end.

use std::io::Write;
use std::process::ExitCode;

use tokio_util::sync::CancellationToken;

use super::{App, Error, Halves, address, system};
use crate::settings::{Environment, Overrides, Settings};
use crate::telemetry;

/// `up`, `serve` and `work`: runs until Ctrl-C or SIGTERM.
#[must_use]
pub fn main(overrides: Overrides, halves: Halves) -> ExitCode {
    finish(block_on(async {
        let settings = Settings {
            halves,
            ..start(overrides)?
        };
        let shutdown = stop_asked()?;
        let public = |app: &App| address::public(&settings, app.address());
        // A stop during a start waits for no database.
        let app = tokio::select! {
            app = App::build(settings.clone()) => app?,
            () = shutdown.cancelled() => return Ok(()),
        };
        if let Some(listening) = app.address() {
            address::remember(&settings.data, listening);
        }
        announce(&app, &public(&app));
        app.run(shutdown).await
    }))
}

/// Tells whoever started it that it is ready. Tests and scripts wait for the first line.
fn announce(app: &App, public: &str) {
    let mut text = match app.address() {
        Some(listening) => format!("listening on http://{listening}\n"),
        None => "working\n".to_owned(),
    };
    if let Some(link) = app.first_start_link() {
        text.push_str(&format!(
            "open this once to create the admin account: {}\n",
            address::welcome(public, link)
        ));
    }
    let mut stdout = std::io::stdout().lock();
    // Nobody may be reading any more: that is no reason not to serve.
    let _gone = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// Reads the settings and starts logging.
pub(super) fn start(overrides: Overrides) -> Result<Settings, Error> {
    let environment = Environment::of_process();
    let settings = Settings::read(&environment, overrides)?;
    telemetry::start(&settings.telemetry)?;
    for name in environment.unknown() {
        tracing::warn!(name, "this variable is not one of ours; is it misspelt?");
    }
    Ok(settings)
}

/// Cancelled by Ctrl-C and SIGTERM.
fn stop_asked() -> Result<CancellationToken, Error> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt()).map_err(system("Cannot wait for Ctrl-C"))?;
    let mut terminate = signal(SignalKind::terminate()).map_err(system("Cannot wait for SIGTERM"))?;
    let shutdown = CancellationToken::new();
    let asked = shutdown.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("stopping");
        asked.cancel();
    });
    Ok(shutdown)
}

pub(super) fn block_on<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(system("Cannot start threads"))?.block_on(work)
}

pub(super) fn finish(ended: Result<(), Error>) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _gone = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}
