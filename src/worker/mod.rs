//! Work is done: claim, supervise, lease, sweep, retry policy.
//!
//! ```text
//! ticket ─▶ claim ─▶ attempt ─▶ ingest | process ─ sandbox ─▶ settle      retry decides what a mishap means
//!             lease: renewed beside it, hears of cancellations            sweep: ends what silent workers left
//! schedules ─▶ tick ─▶ upkeep ─▶ clean_up | activity_report ─▶ settle                      (found by the sweep, without tickets)
//! ```
//!
//! Everything that an attempt writes shows its fence (task, attempt, boot). What it makes is visible once it is settled, in
//! one transaction, and never otherwise.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sheetmill_engine::sheets::Limits;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::database::{Pool, workers};
use crate::domain::ids::BootId;
use crate::domain::states::TaskKind;
use crate::events::Bus;
use crate::queue::{self, ConsumeSettings};
use crate::sandbox::{SandboxSettings, scratch};
use crate::storage::Storage;

mod account;
mod activity_report;
mod attempt;
mod claim;
mod clean_up;
mod gather;
mod hash;
mod held;
mod ingest;
mod lease;
mod memory;
mod outcome;
mod process;
mod progress;
mod retry;
mod reuse;
mod settle;
mod sweep;
mod upkeep;

pub use clean_up::Retention;
pub use retry::RetrySettings;

/// How a worker works.
#[derive(Clone, Debug)]
pub struct WorkerSettings {
    /// A name for people; the start's id is added.
    pub name: String,
    /// The machine.
    pub host: String,
    /// The folder below which attempts have their scratch folders.
    pub scratch: PathBuf,
    /// How many ingests run at once.
    pub ingest_slots: usize,
    /// How many files of runs are processed at once.
    pub process_slots: usize,
    /// How long an attempt is held without a word of its worker.
    pub lease: Duration,
    /// How often leases are renewed.
    pub renew_every: Duration,
    /// How often it is looked for what others left.
    pub sweep_every: Duration,
    /// How long running attempts may go on after a stop was asked for.
    pub grace: Duration,
    /// The child of an ingest.
    pub ingest: SandboxSettings,
    /// The child of a file of a run.
    pub process: SandboxSettings,
    /// Bytes that a plan may hold before it spills.
    pub plan_memory: u64,
    /// Threads of a plan.
    pub plan_jobs: usize,
    /// What is too much in a workbook.
    pub limits: Limits,
    /// When to try again.
    pub retry: RetrySettings,
    /// How long after its last use a result may be taken over by a later run of the same; zero: never.
    pub reuse: Duration,
    /// How queues are consumed.
    pub consume: ConsumeSettings,
    /// What is kept for how long.
    pub retention: Retention,
}

impl WorkerSettings {
    /// The defaults, with scratch folders below `scratch`. One task of a kind at once: a child uses several threads, and
    /// half a gigabyte. Six renewals fit into a lease, so that a hiccup of the database costs none.
    #[must_use]
    pub fn at(scratch: PathBuf) -> Self {
        Self {
            name: "worker".to_owned(),
            host: hostname(),
            scratch,
            ingest_slots: 1,
            process_slots: 1,
            lease: Duration::from_secs(30),
            renew_every: Duration::from_secs(5),
            sweep_every: Duration::from_secs(5),
            grace: Duration::from_secs(25),
            ingest: SandboxSettings::default(),
            process: SandboxSettings::default(),
            plan_memory: 192 << 20,
            plan_jobs: std::thread::available_parallelism().map_or(2, usize::from),
            limits: Limits::default(),
            retry: RetrySettings::default(),
            reuse: Duration::from_secs(30 * 86_400),
            consume: ConsumeSettings::default(),
            retention: Retention::default(),
        }
    }
}

/// The machine's name, where it says so.
fn hostname() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "this machine".to_owned(), |it| it.trim().to_owned())
}

/// What all parts of a worker share.
pub(crate) struct Context {
    settings: WorkerSettings,
    pool: Pool,
    storage: Arc<dyn Storage>,
    boot: BootId,
    scratch: scratch::Scratch,
    held: held::Held,
    attempts: TaskTracker,
    /// One at a time of what is due by itself: nobody waits for it.
    upkeep: Arc<Semaphore>,
    /// Cancelled when nothing new shall start.
    stopping: CancellationToken,
}

/// What can keep a worker from starting.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database's own word.
    #[error(transparent)]
    Database(#[from] crate::database::Error),
    /// No scratch folder.
    #[error("the scratch folder {folder} cannot be used: {error}")]
    Scratch {
        /// The folder.
        folder: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

/// A running worker.
#[derive(Debug)]
pub struct Worker {
    boot: BootId,
    done: JoinHandle<()>,
}

impl Worker {
    /// Starts to work until `shutdown`: then nothing new begins, running attempts may end within the grace, and what is
    /// left goes back to its queue.
    ///
    /// # Errors
    /// When the database or the scratch folder is not there.
    pub async fn start(
        settings: WorkerSettings,
        pool: Pool,
        storage: Arc<dyn Storage>,
        bus: &Bus,
        shutdown: CancellationToken,
    ) -> Result<Self, Error> {
        let boot = BootId::new();
        let folder = settings.scratch.clone();
        let unusable = |error| Error::Scratch {
            folder: folder.clone(),
            error,
        };
        let scratch = scratch::Scratch::open(&settings.scratch, boot).map_err(unusable)?;
        let (held, attempts) = (held::Held::default(), TaskTracker::new());
        let context = Arc::new(Context {
            settings,
            pool,
            storage,
            boot,
            scratch,
            held,
            attempts,
            upkeep: Arc::new(Semaphore::new(1)),
            stopping: shutdown,
        });
        introduce(&context).await?;
        if let Err(error) = sweep::sweep_scratch(&context, &context.settings.scratch).await {
            tracing::warn!(%error, "scratch folders of dead starts are left for later");
        }
        let heard = bus.subscribe();
        Ok(Self {
            boot,
            done: tokio::spawn(work(context, heard)),
        })
    }

    /// This start.
    #[must_use]
    pub fn boot(&self) -> BootId {
        self.boot
    }

    /// Ends when the worker has stopped, after its shutdown was asked for.
    pub async fn stopped(self) {
        if let Err(error) = self.done.await {
            tracing::error!(%error, "the worker ended in a panic");
        }
    }
}

async fn introduce(context: &Context) -> Result<(), crate::database::Error> {
    let WorkerSettings {
        name,
        host,
        ingest_slots,
        process_slots,
        ..
    } = &context.settings;
    let mut conn = context.pool.acquire().await?;
    let worker = workers::NewWorker {
        boot: context.boot,
        name: &format!("{name}-{}", short(context.boot)),
        host,
        pid: i32::try_from(std::process::id()).unwrap_or_default(),
        version: env!("CARGO_PKG_VERSION"),
        slots: serde_json::json!({ "ingest": ingest_slots, "process": process_slots, "upkeep": 1 }),
    };
    workers::insert(&mut conn, &worker).await
}

/// The last letters of a start's id: its first are the time, which starts on the same machine share.
fn short(boot: BootId) -> String {
    boot.to_string()
        .chars()
        .rev()
        .take(6)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect()
}

async fn work(context: Arc<Context>, heard: tokio::sync::broadcast::Receiver<Arc<crate::events::Heard>>) {
    let aside = CancellationToken::new();
    let beside = TaskTracker::new();
    beside.spawn(lease::keep(Arc::clone(&context), heard, aside.clone()));
    beside.spawn(sweep::keep(Arc::clone(&context), context.stopping.clone()));
    let slots = [
        (TaskKind::Ingest, context.settings.ingest_slots),
        (TaskKind::Process, context.settings.process_slots),
    ];
    for (queue, count) in slots
        .into_iter()
        .map(|(kind, count)| (kind.queue(), count))
        .collect::<BTreeMap<_, _>>()
    {
        let for_tickets = Arc::clone(&context);
        beside.spawn(queue::consume(
            context.pool.clone(),
            queue,
            context.settings.consume.clone(),
            Arc::new(Semaphore::new(count)),
            move |slot| claim::on_ticket(Arc::clone(&for_tickets), queue, slot),
            context.stopping.clone(),
        ));
    }
    context.stopping.cancelled().await;
    stop(&context).await;
    aside.cancel();
    beside.close();
    beside.wait().await;
    let stopped = async { workers::stop(&mut *context.pool.acquire().await?, context.boot).await };
    if let Err(error) = stopped.await {
        tracing::warn!(%error, "the worker stops without having said so");
    }
}

/// Lets running attempts end, then hands them back.
async fn stop(context: &Context) {
    context.attempts.close();
    if timeout(context.settings.grace, context.attempts.wait()).await.is_err() {
        context.held.stop_all(held::Why::Interrupted);
        // Leases are renewed meanwhile; a database that is away makes this long, and others take over.
        drop(timeout(context.settings.lease, context.attempts.wait()).await);
    }
}
