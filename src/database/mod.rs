//! What is remembered. All SQL lives here: one file per table, functions named for what the caller wants.
//!
//! Functions take `&mut Connection`; a [`Tx`] and what [`Pool::acquire`] gives both deref to it, so a caller composes
//! several of them into one transaction.

use std::ops::{Deref, DerefMut};

use chrono::{DateTime, Utc};
use sqlx::Postgres;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgDatabaseError, PgSeverity};

pub mod activity;
pub mod artifacts;
pub mod attempts;
pub mod audit;
pub mod blobs;
pub mod clean_up;
pub mod column_mappings;
mod connect;
pub mod events;
pub mod files;
pub mod follows;
pub mod idempotency;
pub mod ingests;
pub mod links;
mod listener;
pub mod members;
mod migrate;
pub mod private;
pub mod queues;
pub mod recipes;
pub mod reports;
pub mod reusable;
pub mod run_files;
pub mod run_references;
pub mod runs;
pub mod schedules;
pub mod sessions;
pub mod sign_in_tries;
pub mod tables;
pub mod tasks;
pub mod tickets;
pub mod ticks;
pub mod tokens;
mod types;
pub mod users;
pub mod workers;

pub use connect::{DatabaseSettings, connect};
pub use listener::{Heard, Listener};
pub use migrate::migrate;

/// A connection that SQL runs on.
pub type Connection = sqlx::PgConnection;

/// What can go wrong with the database.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be reached, or has no connection to spare. Pages say 503.
    #[error("the database is not available: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// A constraint said no. Callers turn those they know into a sentence.
    #[error("constraint {constraint} does not hold")]
    Constraint {
        /// The constraint's name as in the migrations.
        constraint: String,
    },
    /// A value that the database has no place for: a NUL in a text, a time beyond its calendar.
    #[error("a value cannot be kept: {0}")]
    Value(#[source] sqlx::Error),
    /// Anything else: a mistake of ours.
    #[error("database: {0}")]
    Query(#[source] sqlx::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if let Some(database) = error.as_database_error() {
            if let Some(constraint) = database.constraint() {
                return Self::Constraint {
                    constraint: constraint.to_owned(),
                };
            }
            // 57P0x: the server is going down or coming up; 53xxx: it is out of connections, memory or disk.
            if database
                .code()
                .is_some_and(|code| code.starts_with("57P0") || code.starts_with("53"))
            {
                return Self::Unavailable(error);
            }
            // Not in a text; an escape of such a character in JSON; a time or a span out of range.
            if matches!(database.code().as_deref(), Some("22021" | "22P05" | "22007" | "22008")) {
                return Self::Value(error);
            }
            // After a fatal error the server hangs up: it does not let us in, for now or until somebody mends it.
            let severity = database
                .try_downcast_ref::<PgDatabaseError>()
                .map(PgDatabaseError::severity);
            if matches!(severity, Some(PgSeverity::Fatal | PgSeverity::Panic)) {
                return Self::Unavailable(error);
            }
            return Self::Query(error);
        }
        match error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Protocol(_) => Self::Unavailable(error),
            other => Self::Query(other),
        }
    }
}

impl Error {
    /// Whether trying again may help: the database was away, or two transactions waited for each other and one of them
    /// had to give way (40001, 40P01; Postgres, appendix A).
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unavailable(_) => true,
            Self::Constraint { .. } | Self::Value(_) => false,
            Self::Query(error) => error
                .as_database_error()
                .and_then(|it| it.code())
                .is_some_and(|code| matches!(&*code, "40001" | "40P01")),
        }
    }
}

/// What database functions answer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The database's time, which leases, schedules and tickets go by.
///
/// # Errors
/// [`Error::Unavailable`] when the database does not answer.
pub async fn now(conn: &mut Connection) -> Result<DateTime<Utc>> {
    Ok(sqlx::query_scalar!(r#"select now() as "now!""#).fetch_one(conn).await?)
}

/// A pool of connections; cheap to clone.
#[derive(Clone, Debug)]
pub struct Pool(sqlx::PgPool);

impl Pool {
    /// A connection for a few statements.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when none can be had in time.
    pub async fn acquire(&self) -> Result<PoolConnection<Postgres>> {
        Ok(self.0.acquire().await?)
    }

    /// A transaction; dropped without [`Tx::commit`] it never happened.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when no connection can be had in time.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(Tx(self.0.begin().await?))
    }

    /// Whether the database answers now, for `/readyz` and `doctor`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it does not.
    pub async fn check(&self) -> Result<()> {
        sqlx::Connection::ping(&mut *self.0.acquire().await?).await?;
        Ok(())
    }

    /// Gives every connection back; waits for those in use.
    pub async fn close(&self) {
        self.0.close().await;
    }

    /// A connection beside the pool, for what must go on while the pool is busy: leases and heartbeats.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when none can be made.
    pub async fn connect_apart(&self) -> Result<Connection> {
        use sqlx::ConnectOptions as _;
        Ok(self.0.connect_options().connect().await?)
    }

    /// The vendor's pool, for `queue`, whose library wants one.
    #[must_use]
    pub fn vendor(&self) -> &sqlx::PgPool {
        &self.0
    }
}

impl From<sqlx::PgPool> for Pool {
    fn from(pool: sqlx::PgPool) -> Self {
        Self(pool)
    }
}

/// A transaction.
#[derive(Debug)]
pub struct Tx(sqlx::Transaction<'static, Postgres>);

impl Tx {
    /// Makes all of it true at once.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the connection broke; whether it happened is then unknown.
    pub async fn commit(self) -> Result<()> {
        Ok(self.0.commit().await?)
    }
}

impl Deref for Tx {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}
