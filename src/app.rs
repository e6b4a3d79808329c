//! The composition root: settings in, running halves out. Owns start and shutdown; only here do long-lived tasks start.
//!
//! ```text
//! listen ─▶ private Postgres ─▶ migrations ─▶ storage ─▶ web half ─▶ worker half        stopping goes the other way:
//! ```
//! the web half takes no more requests and ends its streams, work that runs gets its grace, Postgres goes last.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::accounts::{self, Secret};
use crate::database::{self, private::PrivateError};
use crate::events::Bus;
use crate::settings::Settings;
use crate::worker::{self, Worker, WorkerSettings};
use crate::{api, queue, storage, telemetry};

mod address;
pub mod chores;
mod command;
pub mod doctor;
mod foundation;
mod web;

pub use command::main;

use foundation::Foundation;

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

    fn worker(self) -> bool {
        self != Self::Web
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
    /// There is no private Postgres.
    #[error(transparent)]
    Private(#[from] PrivateError),
    /// The database cannot be used.
    #[error("The database cannot be used: {0}")]
    Database(#[from] database::Error),
    /// The queue's tables cannot be made.
    #[error("The queue cannot be used: {0}")]
    Queue(#[from] queue::Error),
    /// The worker half does not start.
    #[error("The worker does not start: {0}")]
    Worker(#[from] worker::Error),
    /// Storage cannot be used.
    #[error("Storage cannot be used: {0}")]
    Storage(#[from] storage::Error),
    /// A chore on accounts did not work.
    #[error(transparent)]
    Accounts(#[from] accounts::Error),
    /// The doctor found so many things wrong.
    #[error("{0} of these have to be mended")]
    Unwell(usize),
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
    foundation: Foundation,
    bus: Bus,
    /// Closes the bus, after everybody who hears it has stopped.
    silence: CancellationToken,
    listener: Option<TcpListener>,
    address: Option<SocketAddr>,
    worker: Option<WorkerSettings>,
    first_start_link: Option<Secret>,
}

impl App {
    /// Builds everything: listens first, so that a taken port is known at once, then the rest.
    ///
    /// # Errors
    /// A sentence about what is missing.
    pub async fn build(settings: Settings) -> Result<Self, Error> {
        let _collecting = telemetry::metrics();
        let listener = if settings.halves.web() {
            Some(listen(settings.web.listen)?)
        } else {
            None
        };
        let address = listener.as_ref().and_then(|it| it.local_addr().ok());
        let foundation = Foundation::lay(&settings).await?;
        let first_start_link = if settings.halves.web() {
            foundation.accounts.first_start_link().await?
        } else {
            None
        };
        let silence = CancellationToken::new();
        let bus = Bus::start(&foundation.pool, silence.clone()).await?;
        let worker = settings.halves.worker().then_some(settings.worker);
        Ok(Self {
            foundation,
            bus,
            silence,
            listener,
            address,
            worker,
            first_start_link,
        })
    }

    /// Where it listens; `None` without the web half.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// The link that creates the admin account, while there is none.
    #[must_use]
    pub fn first_start_link(&self) -> Option<&Secret> {
        self.first_start_link.as_ref()
    }

    /// Runs until `shutdown`, then stops in order.
    ///
    /// # Errors
    /// When a half ends by itself.
    pub async fn run(mut self, shutdown: CancellationToken) -> Result<(), Error> {
        let upkeep = tokio::spawn(keep_metrics(shutdown.clone()));
        let ended = self.halves(&shutdown).await;
        shutdown.cancel();
        wait_for(upkeep).await;
        self.silence.cancel();
        self.foundation.leave().await;
        ended
    }

    /// Runs what this process has of both halves, each until it has stopped.
    async fn halves(&mut self, shutdown: &CancellationToken) -> Result<(), Error> {
        let Foundation { pool, storage, .. } = &self.foundation;
        let worker = match self.worker.take() {
            Some(settings) => {
                let started = Worker::start(settings, pool.clone(), Arc::clone(storage), &self.bus, shutdown.clone());
                Some(started.await?)
            }
            None => None,
        };
        let web = match self.listener.take() {
            Some(listener) => self.serve(listener, shutdown.clone()).await,
            None => Ok(shutdown.cancelled().await),
        };
        // A web half that ended by itself takes the rest with it: half a product helps nobody.
        shutdown.cancel();
        if let Some(worker) = worker {
            worker.stopped().await;
        }
        web
    }

    async fn serve(&self, listener: TcpListener, shutdown: CancellationToken) -> Result<(), Error> {
        let api = api::Api {
            pool: self.foundation.pool.clone(),
            storage: Arc::clone(&self.foundation.storage),
            accounts: self.foundation.accounts.clone(),
            // Streams end as soon as a stop is asked for: the server waits for open answers.
            bus: self.bus.until(shutdown.clone()),
            metrics: || telemetry::metrics().render(),
        };
        let server = web::serve(listener, api, shutdown).map_err(system("Cannot serve"))?;
        server.await.map_err(system("The web server ended"))
    }
}

/// Histograms grow until somebody tidies them.
async fn keep_metrics(shutdown: CancellationToken) {
    let mut tick = tokio::time::interval(Duration::from_secs(5));
    while shutdown.run_until_cancelled(tick.tick()).await.is_some() {
        telemetry::metrics().run_upkeep();
    }
}

async fn wait_for(task: JoinHandle<()>) {
    if let Err(error) = task.await {
        tracing::error!(%error, "a task of this process ended badly");
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
