//! Opening the pool, with time limits everywhere a wait could be endless.

use std::str::FromStr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::{Error, Pool, Result};

/// How to reach Postgres.
#[derive(Clone, Debug)]
pub struct DatabaseSettings {
    /// `postgres://user:password@host:port/database`; a unix socket as `?host=/folder`.
    pub url: SecretString,
    /// Connections of this process at most.
    pub max_connections: u32,
    /// How long a caller waits for a connection before a page says 503.
    pub acquire_timeout: Duration,
    /// How long one statement may take. The server ends it, so a stuck one cannot hold a connection for ever.
    pub statement_timeout: Duration,
    /// The name that Postgres lists the connections under.
    pub application_name: String,
}

impl DatabaseSettings {
    /// Two halves on one machine need about ten; private Postgres and most hosted ones allow a hundred.
    pub const MAX_CONNECTIONS: u32 = 16;
    /// A page that waits longer than this had better say so.
    pub const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
    /// Every statement of ours is short; the longest, a page of a list among a million tasks, is far below a second.
    pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);

    /// The defaults for an address.
    #[must_use]
    pub fn new(url: SecretString) -> Self {
        Self {
            url,
            max_connections: Self::MAX_CONNECTIONS,
            acquire_timeout: Self::ACQUIRE_TIMEOUT,
            statement_timeout: Self::STATEMENT_TIMEOUT,
            application_name: "sheetmill".to_owned(),
        }
    }
}

/// Opens a pool and proves with one connection that the database answers.
///
/// # Errors
/// [`Error::Unavailable`] when it does not, [`Error::Query`] when the address makes no sense.
pub async fn connect(settings: &DatabaseSettings) -> Result<Pool> {
    let options = PgConnectOptions::from_str(settings.url.expose_secret())
        .map_err(Error::Query)?
        .application_name(&settings.application_name)
        .options([
            ("statement_timeout", settings.statement_timeout.as_millis().to_string()),
            // Whoever dies between two statements of a transaction must not keep its row locks.
            (
                "idle_in_transaction_session_timeout",
                settings.statement_timeout.as_millis().to_string(),
            ),
        ]);
    let pool = PgPoolOptions::new()
        .max_connections(settings.max_connections)
        .acquire_timeout(settings.acquire_timeout)
        .connect_with(options)
        .await?;
    Ok(Pool(pool))
}
