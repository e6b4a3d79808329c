//! What was done between two instants, owner by owner, for the activity report.

use chrono::{DateTime, Utc};

use super::{Connection, Result};

/// What was done for an owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerRow {
    /// Their address.
    pub owner: String,
    /// Files that came.
    pub uploads: i64,
    /// Bytes of those.
    pub bytes: i64,
    /// Runs that ended.
    pub runs: i64,
    /// Those of them with results.
    pub succeeded: i64,
    /// Those of them without.
    pub failed: i64,
    /// Those of them that somebody cancelled.
    pub cancelled: i64,
    /// Files of those runs.
    pub files: i64,
    /// Those of them that were refused.
    pub files_refused: i64,
    /// Those of them that failed.
    pub files_failed: i64,
    /// Rows that were read.
    pub rows_in: i64,
    /// Rows in results.
    pub rows_out: i64,
}

/// Owners for whom anything was done from `from` on and before `to`, by their addresses.
pub async fn by_owner(conn: &mut Connection, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<Vec<OwnerRow>> {
    let rows = sqlx::query_as!(
        OwnerRow,
        r#"with ended as (
               select id, owner, state from runs where finished_at >= $1 and finished_at < $2
           ),
           by_run as (
               select owner, count(*) as runs, count(*) filter (where state = 'succeeded') as succeeded,
                      count(*) filter (where state = 'failed') as failed,
                      count(*) filter (where state = 'cancelled') as cancelled
               from ended group by owner
           ),
           by_file as (
               select e.owner, count(*) as files, count(*) filter (where r.state = 'refused') as refused,
                      count(*) filter (where r.state = 'failed') as failed,
                      coalesce(sum(r.rows_in), 0)::bigint as rows_in, coalesce(sum(r.rows_out), 0)::bigint as rows_out
               from ended e join run_files r on r.run_id = e.id group by e.owner
           ),
           by_upload as (
               select f.owner, count(*) as uploads, coalesce(sum(b.bytes), 0)::bigint as bytes
               from files f join blobs b on b.sha256 = f.blob
               where f.created_at >= $1 and f.created_at < $2 and f.parent is null group by f.owner
           )
           select u.email as owner, coalesce(l.uploads, 0) as "uploads!", coalesce(l.bytes, 0) as "bytes!",
                  coalesce(r.runs, 0) as "runs!", coalesce(r.succeeded, 0) as "succeeded!",
                  coalesce(r.failed, 0) as "failed!", coalesce(r.cancelled, 0) as "cancelled!",
                  coalesce(f.files, 0) as "files!", coalesce(f.refused, 0) as "files_refused!",
                  coalesce(f.failed, 0) as "files_failed!", coalesce(f.rows_in, 0) as "rows_in!",
                  coalesce(f.rows_out, 0) as "rows_out!"
           from users u
           left join by_run r on r.owner = u.id
           left join by_file f on f.owner = u.id
           left join by_upload l on l.owner = u.id
           where r.owner is not null or l.owner is not null
           order by u.email"#,
        from,
        to,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// A file of a run that gave no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureRow {
    /// Whose.
    pub owner: String,
    /// What the run is called.
    pub run: String,
    /// What the file is called.
    pub file: String,
    /// `refused` or `failed`.
    pub state: String,
    /// A stable word.
    pub code: Option<String>,
    /// The sentence for it.
    pub sentence: Option<String>,
    /// When the run ended.
    pub ended_at: DateTime<Utc>,
}

/// Files that gave no result, of runs that ended from `from` on and before `to`, in the order of their ends.
pub async fn failures(
    conn: &mut Connection,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<FailureRow>> {
    let rows = sqlx::query_as!(
        FailureRow,
        r#"select o.email as owner, u.name as run, f.name as file, r.state, r.code, r.sentence,
                  u.finished_at as "ended_at!"
           from runs u
           join run_files r on r.run_id = u.id
           join users o on o.id = u.owner
           join files f on f.id = r.file_id
           where u.finished_at >= $1 and u.finished_at < $2 and r.state in ('refused', 'failed')
           order by u.finished_at, u.id, r.position limit $3"#,
        from,
        to,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}
