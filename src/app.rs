//! The composition root: settings in, running halves out. Owns start and shutdown; only here do long-lived tasks start.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;

use tokio_util::sync::CancellationToken;

use crate::settings::{Environment, Overrides, Settings};
use crate::{api, telemetry};

mod web;

/// Which halves of the product a process runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Halves {
    /// Everything on one machine.
    #[default]
    Both,
    /// Pages and API.
    Web,
    /// What does the work.
    Worker,
}

impl Halves {
    fn web(self) -> bool {
        self != Self::Worker
    }
}

/// Why it does not start or does not go on: a sentence for whoever started it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting is wrong.
    #[error(transparent)]
    Settings(#[from] crate::settings::Error),
    /// Logging does not start.
    #[error(transparent)]
    Telemetry(#[from] telemetry::Error),
    /// The address is taken or not ours.
    #[error("Cannot listen on {address}: {cause}. Choose another with --listen ADDRESS:PORT (port 0 takes a free one)")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The system refuses something else.
    #[error("{doing}: {cause}")]
    System {
        /// What was tried.
        doing: &'static str,
        /// What the system says.
        cause: std::io::Error,
    },
}

/// The built product, ready to run.
#[derive(Debug)]
pub struct App {
    listener: Option<TcpListener>,
    address: Option<SocketAddr>,
}

impl App {
    /// Builds everything: listens first, so that a taken port is known at once, then the rest.
    ///
    /// # Errors
    /// A sentence about what is missing.
    pub async fn build(settings: Settings) -> Result<Self, Error> {
        let listener = match settings.halves.web() {
            true => Some(listen(settings.web.listen)?),
            false => None,
        };
        let address = listener.as_ref().and_then(|it| it.local_addr().ok());
        Ok(Self { listener, address })
    }

    /// Where it listens; `None` without the web half.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Runs until `shutdown`, then stops in order.
    ///
    /// # Errors
    /// When a half ends by itself.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), Error> {
        if let Some(listener) = self.listener {
            let context = api::Context {
                metrics: || telemetry::metrics().render(),
            };
            let server = web::serve(listener, context, shutdown.clone()).map_err(system("Cannot serve"))?;
            server.await.map_err(system("The web server ended"))?;
        } else {
            shutdown.cancelled().await;
        }
        Ok(())
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    let failed = |cause| Error::Listen { address, cause };
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(listener)
}

fn system(doing: &'static str) -> impl FnOnce(std::io::Error) -> Error {
    move |cause| Error::System { doing, cause }
}

/// `up`, `serve` and `work`: runs until Ctrl-C or SIGTERM.
#[must_use]
pub fn main(overrides: Overrides, halves: Halves) -> ExitCode {
    finish(block_on(async {
        let mut settings = start(overrides)?;
        settings.halves = halves;
        let _started = telemetry::metrics();
        let app = App::build(settings).await?;
        announce(&app);
        app.run(stop_asked()?).await
    }))
}

/// Tells whoever started it that it is ready. Tests and scripts wait for this line.
fn announce(app: &App) {
    let mut stdout = std::io::stdout().lock();
    // Nobody may be listening any more: that is no reason not to serve.
    let _gone = match app.address() {
        Some(address) => writeln!(stdout, "listening on http://{address}"),
        None => writeln!(stdout, "working"),
    };
    let _gone = stdout.flush();
}

/// Reads the settings and starts logging.
fn start(overrides: Overrides) -> Result<Settings, Error> {
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

fn block_on<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(system("Cannot start threads"))?.block_on(work)
}

fn finish(ended: Result<(), Error>) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _gone = writeln!(std::io::stderr(), "sheetmill: {error}");
            ExitCode::FAILURE
        }
    }
}
