//! The composition root: settings in, running halves out. Owns start and shutdown; only here do long-lived tasks start.
//!
//! ```text
//! listen ─▶ private Postgres ─▶ migrations ─▶ storage ─▶ web half ─▶ worker half        stopping goes the other way:
//! ```
//! the web half takes no more requests and ends its streams, work that runs gets its grace, Postgres goes last.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::accounts::{self, Secret};
use crate::database::{self, private::PrivateError};
use crate::events::Bus;
use crate::settings::Settings;
use crate::worker::{self, Worker, WorkerSettings};
use crate::{queue, storage, telemetry, upload};

mod address;
pub mod chores;
mod command;
pub mod doctor;
mod foundation;
mod web;

pub use command::main;

use foundation::Foundation;
use web::Web;

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
    /// Uploads cannot be taken.
    #[error("Uploads cannot be taken: {0}")]
    Upload(#[from] upload::Error),
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
    web: Option<Web>,
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
        let listener = settings
            .halves
            .web()
            .then(|| web::listen(settings.web.listen))
            .transpose()?;
        let foundation = Foundation::lay(&settings).await?;
        let silence = CancellationToken::new();
        let bus = Bus::start(&foundation.pool, silence.clone()).await?;
        let mut first_start_link = None;
        let mut web = None;
        if let Some(listener) = listener {
            first_start_link = foundation.accounts.first_start_link().await?;
            web = Some(Web::build(listener, &settings, &foundation, &bus)?);
        }
        let worker = settings.halves.worker().then_some(settings.worker);
        Ok(Self {
            foundation,
            bus,
            silence,
            web,
            worker,
            first_start_link,
        })
    }

    /// Where it listens; `None` without the web half.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.web.as_ref().map(Web::address)
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
        let ended = match self.web.take() {
            Some(web) => web.run(shutdown.clone()).await,
            None => {
                shutdown.cancelled().await;
                Ok(())
            }
        };
        // A web half that ended by itself takes the rest with it: half a product helps nobody.
        shutdown.cancel();
        if let Some(worker) = worker {
            worker.stopped().await;
        }
        ended
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

fn system(doing: &'static str) -> impl FnOnce(std::io::Error) -> Error {
    move |cause| Error::System { doing, cause }
}
