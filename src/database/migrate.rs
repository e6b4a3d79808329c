//! Brings the schema up to date. Several processes may do so at once: an advisory lock lets one go first.

use super::{Error, Pool, Result};

/// Runs what is new of our migrations. The queue's own are run by `queue::set_up`.
///
/// # Errors
/// [`Error::Unavailable`] when the database is away; [`Error::Query`] when a migration fails or an applied one differs.
pub async fn migrate(pool: &Pool) -> Result<()> {
    let mut migrator = sqlx::migrate!("./migrations");
    // A rollback: the version before this one meets a schema that is ahead of it, and gets along with it.
    migrator.set_ignore_missing(true);
    migrator.run(pool.vendor()).await.map_err(|error| match error {
        sqlx::migrate::MigrateError::Execute(cause) | sqlx::migrate::MigrateError::ExecuteMigration(cause, _) => {
            Error::from(cause)
        }
        other => Error::Query(sqlx::Error::Migrate(Box::new(other))),
    })
}
