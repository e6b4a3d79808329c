//! Events as rows, and the notifications that tell of them.

use chrono::{DateTime, Utc};
use uuid::Uuid;

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

/// Stores events; answers their numbers, in order.
pub async fn insert_all(conn: &mut Connection, events: &[NewEvent<'_>]) -> Result<Vec<i64>> {
    let kinds: Vec<String> = events.iter().map(|it| it.kind.to_owned()).collect();
    let ids = |of: fn(&NewEvent<'_>) -> Option<Uuid>| events.iter().map(of).collect::<Vec<_>>();
    let owners = ids(|it| it.owner.map(|id| id.0));
    let files = ids(|it| it.file.map(|id| id.0));
    let runs = ids(|it| it.run.map(|id| id.0));
    let tasks = ids(|it| it.task.map(|id| id.0));
    let numbers = sqlx::query_scalar!(
        "insert into events (kind, owner, file_id, run_id, task_id)
         select given.kind, given.owner, given.file_id, given.run_id, given.task_id
         from unnest($1::text[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[])
              with ordinality as given (kind, owner, file_id, run_id, task_id, position)
         order by given.position returning id",
        &kinds,
        &owners as &[Option<Uuid>],
        &files as &[Option<Uuid>],
        &runs as &[Option<Uuid>],
        &tasks as &[Option<Uuid>],
    )
    .fetch_all(conn)
    .await?;
    Ok(numbers)
}

/// Tells all listeners of a channel several things at once, when the transaction commits.
pub async fn notify_all(conn: &mut Connection, channel: &str, payloads: &[String]) -> Result<()> {
    sqlx::query!(
        r#"select pg_notify($1, payload) as "done: ()" from unnest($2::text[]) as payload"#,
        channel,
        payloads
    )
    .execute(conn)
    .await?;
    Ok(())
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
