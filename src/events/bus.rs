//! One ear per process: everybody who wants to hear subscribes here rather than at the database.

use std::sync::Arc;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::{Announced, TaskProgress};
use crate::database::events::{EVENTS, PROGRESS};
use crate::database::{self, Listener, Pool, Result};

/// What subscribers hear.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// Something happened.
    Event(Announced),
    /// A task has come further.
    Progress(TaskProgress),
    /// Some of it was missed while the connection was away: look at the database.
    Gap,
}

/// How much a slow subscriber may fall behind before it is told that it missed something.
const BUFFER: usize = 1024;

/// Hears the database for a whole process. Cheap to clone. Only the task that listens can keep it open: when that ends,
/// receivers are told.
#[derive(Clone, Debug)]
pub struct Bus(broadcast::WeakSender<Arc<Heard>>);

impl Bus {
    /// Listens until `shutdown`.
    ///
    /// # Errors
    /// When the database cannot be reached now; later losses are mended, and told as [`Heard::Gap`].
    pub async fn start(pool: &Pool, shutdown: CancellationToken) -> Result<Self> {
        let mut listener = Listener::listen(pool, &[EVENTS, PROGRESS]).await?;
        let (tell, _) = broadcast::channel(BUFFER);
        let bus = Self(tell.downgrade());
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = shutdown.cancelled() => return,
                    heard = listener.next() => {
                        if let Some(heard) = understood(&heard) {
                            // Nobody listening is fine.
                            drop(tell.send(Arc::new(heard)));
                        }
                    }
                }
            }
        });
        Ok(bus)
    }

    /// The same, but closed by `shutdown`: for those who must hear that before others do.
    #[must_use]
    pub fn until(&self, shutdown: CancellationToken) -> Self {
        let mut heard = self.subscribe();
        let (tell, _) = broadcast::channel(BUFFER);
        let bus = Self(tell.downgrade());
        tokio::spawn(async move {
            loop {
                let heard = tokio::select! {
                    () = shutdown.cancelled() => return,
                    heard = heard.recv() => heard,
                };
                let heard = match heard {
                    Ok(heard) => heard,
                    Err(RecvError::Lagged(_)) => Arc::new(Heard::Gap),
                    Err(RecvError::Closed) => return,
                };
                drop(tell.send(heard));
            }
        });
        bus
    }

    /// Everything from now on. A receiver that lags has missed something, as with [`Heard::Gap`]; one that is closed
    /// hears nothing more, for the process stops.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Heard>> {
        match self.0.upgrade() {
            Some(tell) => tell.subscribe(),
            None => broadcast::channel(1).1,
        }
    }
}

/// Words of another version are passed over: an event is only a hint.
fn understood(heard: &database::Heard) -> Option<Heard> {
    match heard {
        database::Heard::Gap => Some(Heard::Gap),
        database::Heard::Payload { channel, payload } if channel == PROGRESS => {
            serde_json::from_str(payload).ok().map(Heard::Progress)
        }
        database::Heard::Payload { payload, .. } => serde_json::from_str(payload).ok().map(Heard::Event),
    }
}
