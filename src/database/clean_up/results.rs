//! Files and results whose time is over.

use std::time::Duration;

use super::seconds;
use crate::database::{Connection, Result};
use crate::domain::ids::{FileId, RunId, UserId};

/// Hides files that came longer than `kept` ago, as if their owners had removed them; answers whose they were. Files of runs
/// that have not ended and files that are being read stay.
pub async fn hide_expired_files(conn: &mut Connection, kept: Duration, limit: i64) -> Result<Vec<(FileId, UserId)>> {
    let rows = sqlx::query!(
        r#"update files set deleted_at = now() where id in (
               select f.id from files f join ingests i on i.id = f.ingest_id
               where f.deleted_at is null and f.created_at < now() - make_interval(secs => $1)
                 and i.state not in ('received', 'ingesting')
                 and not exists (
                     select from run_files r join runs u on u.id = r.run_id
                      where r.file_id = f.id and u.finished_at is null)
                 and not exists (
                     select from run_references r join runs u on u.id = r.run_id
                      where r.file_id = f.id and u.finished_at is null)
               order by f.created_at limit $2 for update of f skip locked)
           returning id as "id: FileId", owner as "owner: UserId""#,
        seconds(kept),
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.owner)).collect())
}

/// Runs that ended longer than `kept` ago and still have results.
pub async fn expired_runs(conn: &mut Connection, kept: Duration, limit: i64) -> Result<Vec<RunId>> {
    let runs = sqlx::query_scalar!(
        r#"select u.id as "id: RunId" from runs u
           where u.finished_at < now() - make_interval(secs => $1)
             and exists (select from artifacts a where a.run_id = u.id)
           order by u.finished_at limit $2"#,
        seconds(kept),
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(runs)
}

/// A result whose row is gone.
#[derive(Clone, Debug)]
pub struct Expired {
    /// Where its bytes are, as [`crate::storage::Key`] reads it.
    pub storage_key: String,
    /// How many they are.
    pub bytes: i64,
}

/// Takes the results of a run away, unless it goes on again; the caller has locked it. Their bytes go afterwards.
pub async fn remove_artifacts(conn: &mut Connection, run: RunId) -> Result<Vec<Expired>> {
    let removed = sqlx::query_as!(
        Expired,
        "delete from artifacts a using runs u where a.run_id = $1 and u.id = a.run_id and u.finished_at is not null
         returning a.storage_key, a.bytes",
        run.0,
    )
    .fetch_all(&mut *conn)
    .await?;
    // Nobody takes over what is not there.
    sqlx::query!("delete from reusable where run_id = $1", run.0)
        .execute(&mut *conn)
        .await?;
    if !removed.is_empty() {
        sqlx::query!("update runs set results_removed_at = now() where id = $1", run.0)
            .execute(conn)
            .await?;
    }
    Ok(removed)
}
