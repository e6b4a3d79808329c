//! Runs the library's worker for one queue, and starts it again whenever it stops.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use apalis::prelude::{
    BackendExt, Event, EventListenerExt, IntervalStrategy, Strategy, StreamStrategy, WorkerBuilder, WorkerContext,
};
use apalis_postgres::{Config, PostgresStorage, Pubsub};
use tokio::sync::{Notify, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Ticket;
use super::service::{Slot, Tickets};
use crate::database::Pool;

/// How a queue is consumed.
#[derive(Clone, Debug)]
pub struct ConsumeSettings {
    /// How often the queue is looked at when no notification comes.
    pub poll: Duration,
    /// How often the library's worker says that it lives.
    pub heartbeat: Duration,
    /// After how many missed heartbeats others may take its tickets, and we start it again.
    pub missed: u32,
    /// The longest pause before it is started again after an error.
    pub pause_at_most: Duration,
}

impl Default for ConsumeSettings {
    /// Two seconds bound the delay of a lost notification; thirty of silence mean that something is dead.
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(2),
            heartbeat: Duration::from_secs(5),
            missed: 6,
            pause_at_most: Duration::from_secs(15),
        }
    }
}

/// The first pause after an error; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// How long tickets that were being handled may take to be acknowledged at the end.
const CLOSE_WITHIN: Duration = Duration::from_secs(3);

/// Calls `handler` with a slot for each ticket of a queue, until `shutdown`. A ticket is taken only while one of the
/// `slots` is free; the slot is free again when the handler, or whoever it hands it to, drops it.
pub async fn consume<H, F>(
    pool: Pool,
    queue: &'static str,
    settings: ConsumeSettings,
    slots: Arc<Semaphore>,
    handler: H,
    shutdown: CancellationToken,
) where
    H: Fn(Slot) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let mut pause = FIRST_PAUSE;
    while !shutdown.is_cancelled() {
        let began = tokio::time::Instant::now();
        run_once(&pool, queue, &settings, &slots, handler.clone(), &shutdown).await;
        if shutdown.is_cancelled() {
            return;
        }
        if began.elapsed() > settings.pause_at_most {
            pause = FIRST_PAUSE;
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = sleep(pause) => {}
        }
        pause = (pause * 2).min(settings.pause_at_most);
    }
}

/// One life of the library's worker: until it fails, falls silent, or is told to stop.
async fn run_once<H, F>(
    pool: &Pool,
    queue: &'static str,
    settings: &ConsumeSettings,
    slots: &Arc<Semaphore>,
    handler: H,
    shutdown: &CancellationToken,
) where
    H: Fn(Slot) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let config = Config::default()
        .queue(queue)
        .batch_size(1)
        .heartbeat_interval(settings.heartbeat)
        .missed_heartbeats(settings.missed as usize)
        .lock_tasks(false)
        .persist_results(true);
    let backend = PostgresStorage::<Ticket>::new(pool.vendor()).with_config(config);
    // The interval first: a notification stream that has ended is for ever ready, and would starve what follows it.
    let strategy = Strategy::new()
        .apply(IntervalStrategy::new(settings.poll))
        .apply(StreamStrategy::new(Pubsub::new(
            pool.vendor().clone(),
            queue.to_owned(),
        )));
    let context = WorkerContext::new(&format!("{queue}-{}", Uuid::now_v7()));
    let beaten = Arc::new(Notify::new());
    let beat = Arc::clone(&beaten);
    let worker = WorkerBuilder::new(&context)
        .backend(backend.poll_with_strategy(strategy))
        .on_event(move |_, event| {
            if matches!(event, Event::HeartBeat) {
                beat.notify_one();
            }
        })
        .build(Tickets::new(Arc::clone(slots), handler));
    let silence = settings.heartbeat * settings.missed;
    let run = worker.run();
    tokio::pin!(run);
    tokio::select! {
        ended = &mut run => match ended {
            Ok(()) => tracing::warn!(queue, "the queue's consumer ended; starting it again"),
            Err(error) => tracing::warn!(queue, %error, "the queue's consumer failed; starting it again"),
        },
        () = silent(&beaten, silence) => tracing::warn!(queue, "the queue's consumer fell silent; starting it again"),
        () = shutdown.cancelled() => {
            if context.stop().is_ok() && timeout(CLOSE_WITHIN, run).await.is_err() {
                tracing::warn!(queue, "the queue's consumer did not close in time");
            }
        }
    }
}

/// Ends when no heartbeat came for so long.
async fn silent(beaten: &Notify, silence: Duration) {
    while timeout(silence, beaten.notified()).await.is_ok() {}
}
