//! Tickets: apalis carries "there may be due work in this queue", never the work itself.
//!
//! A ticket may be delivered twice or never. What the library does and what we therefore do:
//!
//! * It takes `run_at` from the application's clock unless told, and notifies only of what is due by the database's:
//!   tickets carry the database's time.
//! * It fetches failed jobs again at once: a ticket has one attempt, and the handler never fails.
//! * It strands the jobs of a worker that restarts under its old name: names are unique per consumer.
//! * It never acknowledges unless results are persisted: they are. It locks a job a second time by a path that can steal
//!   it from its new owner: that is off.
//! * It sends no heartbeat while jobs are buffered: batches of one.
//! * It takes as many jobs as it gets: the service says it is ready only when a slot is free, so a ticket is never held
//!   by a busy worker while another has nothing to do.
//! * One database error ends its worker: it is started again, with a pause that grows; and so it is when its heartbeat
//!   stops, since a fetch on a dead connection would wait for ever.

use std::time::Duration;

use apalis::prelude::TaskBuilder;
use apalis_postgres::{PostgresStorage, queries};
use serde::{Deserialize, Serialize};

use crate::database::{self, Connection, Pool};
use crate::domain::states::TaskKind;

mod consume;
mod service;

pub use consume::{ConsumeSettings, consume};
pub use service::Slot;

/// What can go wrong with the queue.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database's own word.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The library's.
    #[error("queue: {0}")]
    Library(String),
}

impl From<apalis_postgres::Error> for Error {
    fn from(error: apalis_postgres::Error) -> Self {
        match error {
            apalis_postgres::Error::Database(error) => Self::Database(error.into()),
            other => Self::Library(other.to_string()),
        }
    }
}

/// What queue functions answer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a ticket says: nothing but its queue.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Ticket {}

/// Makes the library's own tables, in their own schema; done before: nothing happens.
///
/// # Errors
/// The database's, or that the tables are of a version that this library does not know.
pub async fn set_up(pool: &Pool) -> Result<()> {
    Ok(PostgresStorage::setup(pool.vendor()).await?)
}

/// Puts a ticket into the queue of a kind of task, due now.
///
/// # Errors
/// The database's; the transaction is then lost.
pub async fn push(conn: &mut Connection, kind: TaskKind) -> Result<()> {
    push_many(conn, kind.queue(), 1, Duration::ZERO).await
}

/// Puts a ticket into the queue of a kind of task, due after a pause.
///
/// # Errors
/// The database's; the transaction is then lost.
pub async fn push_after(conn: &mut Connection, kind: TaskKind, pause: Duration) -> Result<()> {
    push_many(conn, kind.queue(), 1, pause).await
}

/// Puts several tickets into a queue at once.
///
/// # Errors
/// The database's; the transaction is then lost.
pub async fn push_many(conn: &mut Connection, queue: &str, count: usize, pause: Duration) -> Result<()> {
    if count == 0 {
        return Ok(());
    }
    let now = database::now(conn).await?.timestamp();
    // Whole seconds are all that the library stores: a ticket that came early would find nothing due.
    let pause = pause.as_secs() + u64::from(pause.subsec_nanos() > 0);
    let run_at = u64::try_from(now).unwrap_or_default() + if pause == 0 { 0 } else { pause + 1 };
    let tickets = (0..count)
        .map(|_| {
            TaskBuilder::new(b"{}".to_vec())
                .run_at_timestamp(run_at)
                .max_attempts(1)
                .build()
        })
        .collect();
    Ok(queries::push_tasks(conn, queue, tickets).await?)
}
