//! Events as rows, and the notifications that tell of them.

use chrono::{DateTime, Utc};

use super::{Connection, Result};
use crate::domain::ids::{FileId, RunId, TaskId, UserId};

/// The channel on which stored events are told.
pub const EVENTS: &str = "sheetmill";
/// The channel on which progress is told, which is never stored.
pub const PROGRESS: &str = "sheetmill_progress";

/// An event as it is stored.
#[derive(Clone, Debug, Default)]
pub struct NewEvent<'a> {
    /// The word of the closed list in `events`.
    pub kind: &'a str,
    /// Whose pages it concerns; `None`: admins only.
    pub owner: Option<UserId>,
    /// The file it is about.
    pub file: Option<FileId>,
    /// The run it is about.
    pub run: Option<RunId>,
    /// The task it is about.
    pub task: Option<TaskId>,
}

/// Stores an event; answers its number.
pub async fn insert(conn: &mut Connection, event: &NewEvent<'_>) -> Result<i64> {
    let id = sqlx::query_scalar!(
        "insert into events (kind, owner, file_id, run_id, task_id) values ($1, $2, $3, $4, $5) returning id",
        event.kind,
        event.owner.map(|it| it.0),
        event.file.map(|it| it.0),
        event.run.map(|it| it.0),
        event.task.map(|it| it.0),
    )
    .fetch_one(conn)
    .await?;
    Ok(id)
}

/// Tells all listeners of a channel when the transaction commits. Postgres refuses payloads of 8,000 bytes or more.
pub async fn notify(conn: &mut Connection, channel: &str, payload: &str) -> Result<()> {
    sqlx::query!(r#"select pg_notify($1, $2) as "done: ()""#, channel, payload)
        .execute(conn)
        .await?;
    Ok(())
}

/// An event of a run.
#[derive(Clone, Debug)]
pub struct EventRow {
    /// Its number; later events have greater ones, except across transactions that committed at the same moment.
    pub id: i64,
    /// The word of the closed list in `events`.
    pub kind: String,
    /// The file it is about.
    pub file: Option<FileId>,
    /// The task it is about.
    pub task: Option<TaskId>,
    /// When it happened.
    pub at: DateTime<Utc>,
}

/// The events of a run after a number, oldest first.
pub async fn of_run_after(conn: &mut Connection, run: RunId, after: i64, limit: i64) -> Result<Vec<EventRow>> {
    let rows = sqlx::query_as!(
        EventRow,
        r#"select id, kind, file_id as "file: FileId", task_id as "task: TaskId", at
           from events where run_id = $1 and id > $2 order by id limit $3"#,
        run.0,
        after,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// Forgets events older than a month: pages ask the database for what is true, not for what happened.
pub async fn forget_old(conn: &mut Connection) -> Result<u64> {
    let done = sqlx::query!(
        "delete from events where id in (select id from events where at < now() - interval '30 days' limit 10000)"
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
