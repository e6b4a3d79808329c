//! Readings: bytes under options. Whoever needs one gets the ingest that there is, or a new one with its task; several at
//! once cost no more statements than one.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use sheetmill_engine::VERSION;
use sheetmill_engine::sheets::IngestOptions;

use crate::database::ingests::{self, IngestKey};
use crate::database::{self, Tx, tasks};
use crate::domain::ids::{IngestId, RequestId, Sha256, TaskId, UserId};
use crate::domain::states::{IngestState, TaskKind};
use crate::events::{Event, Kind, announce_all};
use crate::queue;

mod members;

pub use members::{NewMember, spread, unpacked};

/// The format of files that are archives, as files have it.
pub const ARCHIVE: &str = "zip";

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database did not do its part.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The queue did not do its part.
    #[error("{0}")]
    Queue(#[source] queue::Error),
}

impl From<queue::Error> for Error {
    /// A database that is away is the same thing whoever asked it.
    fn from(error: queue::Error) -> Self {
        match error {
            queue::Error::Database(error) => Self::Database(error),
            other => Self::Queue(other),
        }
    }
}

/// What these functions answer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// For whom, and by which request.
#[derive(Clone, Copy, Debug)]
pub struct For {
    /// Whose share of the workers it counts on.
    pub owner: UserId,
    /// The request that asks.
    pub request: RequestId,
}

/// How far a reading has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Its ingest.
    pub ingest: IngestId,
    /// How far that has come.
    pub state: IngestState,
}

/// The ingests of these blobs under these options. One that is done or under way is shared; one that nobody works on, or that
/// failed by a fault of ours, gets a new task. Their rows stay locked until the transaction ends.
///
/// # Errors
/// The database's and the queue's; the transaction is then lost.
pub async fn ensure(
    tx: &mut Tx,
    asks: For,
    blobs: &[Sha256],
    options: &IngestOptions,
) -> Result<HashMap<Sha256, Reading>> {
    // Whoever does this at the same time locks the same rows in the same order.
    let blobs: Vec<Sha256> = blobs.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    let options = serde_json::to_value(options).unwrap_or_default();
    let key = IngestKey {
        engine: VERSION,
        options: &options,
    };
    let found = ingests::find_or_insert(tx, &blobs, &key).await?;
    let begin: Vec<IngestId> = found
        .iter()
        .filter(|it| !it.has_task && !matches!(it.state, IngestState::Ready | IngestState::Refused))
        .map(|it| it.id)
        .collect();
    begin_reading(tx, asks, &begin).await?;
    let reading = |it: ingests::Found| {
        let state = if begin.contains(&it.id) {
            IngestState::Received
        } else {
            it.state
        };
        (it.blob, Reading { ingest: it.id, state })
    };
    Ok(found.into_iter().map(reading).collect())
}

async fn begin_reading(tx: &mut Tx, asks: For, ingests: &[IngestId]) -> Result<()> {
    if ingests.is_empty() {
        return Ok(());
    }
    ingests::receive_again(tx, ingests).await?;
    let new: Vec<(TaskId, IngestId)> = ingests.iter().map(|ingest| (TaskId::new(), *ingest)).collect();
    tasks::insert_of_ingests(tx, asks.owner, asks.request, &new).await?;
    queue::push_many(tx, TaskKind::Ingest.queue(), new.len(), Duration::ZERO).await?;
    let events: Vec<Event> = new
        .iter()
        .map(|(task, _)| Event::of(asks.owner, Kind::TaskQueued).task(*task))
        .collect();
    announce_all(tx, &events).await?;
    Ok(())
}
