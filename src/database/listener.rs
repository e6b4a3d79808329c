//! LISTEN that mends itself: payloads as they come, and a word when some may have been missed.

use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::time::{sleep, timeout};

use super::{Pool, Result};

/// What a listener hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A payload, on the channel it came by.
    Payload {
        /// The channel.
        channel: String,
        /// What was said.
        payload: String,
    },
    /// The connection was lost and is back: whatever was said in between is lost, so look at the database.
    Gap,
}

/// Listens on channels with a connection of its own, never one of the pool's.
pub struct Listener {
    options: PgConnectOptions,
    channels: Vec<String>,
    vendor: Option<PgListener>,
}

/// A silent connection may be a dead one: after so long it is asked.
const ASK_AFTER: Duration = Duration::from_secs(15);
/// How long the answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Between two tries to connect again.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(500);

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener")
            .field("channels", &self.channels)
            .finish_non_exhaustive()
    }
}

impl Listener {
    /// Starts to listen at the database that `pool` is of.
    ///
    /// # Errors
    /// [`super::Error::Unavailable`] when no connection can be had now; later losses are mended silently.
    pub async fn listen(pool: &Pool, channels: &[&str]) -> Result<Self> {
        let options = (*pool.vendor().connect_options()).clone();
        let channels = channels.iter().map(|it| (*it).to_owned()).collect();
        let mut listener = Self {
            options,
            channels,
            vendor: None,
        };
        listener.vendor = Some(listener.open().await?);
        Ok(listener)
    }

    /// Waits for the next thing to hear, for ever; connects again by itself. Dropping the future loses nothing that
    /// was not lost anyway: after a loss the next call still says [`Heard::Gap`].
    pub async fn next(&mut self) -> Heard {
        loop {
            let Some(vendor) = self.vendor.as_mut() else {
                match self.open().await {
                    Ok(vendor) => {
                        self.vendor = Some(vendor);
                        return Heard::Gap;
                    }
                    Err(error) => {
                        tracing::warn!(%error, "not listening to the database; trying again");
                        sleep(TRY_AGAIN_AFTER).await;
                        continue;
                    }
                }
            };
            match timeout(ASK_AFTER, vendor.try_recv()).await {
                Ok(Ok(Some(said))) => {
                    return Heard::Payload {
                        channel: said.channel().to_owned(),
                        payload: said.payload().to_owned(),
                    };
                }
                Ok(Ok(None)) => self.vendor = None,
                Ok(Err(error)) => {
                    tracing::warn!(%error, "the listening connection broke");
                    self.vendor = None;
                }
                Err(_silence) => {
                    if !answers(vendor).await {
                        tracing::warn!("the listening connection is silent and does not answer");
                        self.vendor = None;
                    }
                }
            }
        }
    }

    async fn open(&self) -> Result<PgListener> {
        // A fresh pool each time: the vendor's farewell on a dead connection may hold the old one's only place for long.
        let own = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ANSWER_WITHIN)
            .max_lifetime(None)
            .idle_timeout(None)
            .connect_lazy_with(self.options.clone());
        let mut vendor = PgListener::connect_with(&own).await?;
        vendor.eager_reconnect(false);
        vendor.listen_all(self.channels.iter().map(String::as_str)).await?;
        Ok(vendor)
    }
}

async fn answers(vendor: &mut PgListener) -> bool {
    use sqlx::Acquire as _;
    let ask = async { vendor.acquire().await?.ping().await };
    matches!(timeout(ANSWER_WITHIN, ask).await, Ok(Ok(())))
}
