//! Tasks as pages show them.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::database::{Connection, Result};
use crate::domain::ids::{BootId, FileId, IngestId, RequestId, RunId, TaskId, TickId};
use crate::domain::states::{TaskKind, TaskState};

/// A task as admins see it.
#[derive(Clone, Debug)]
pub struct TaskRow {
    /// Its id.
    pub id: TaskId,
    /// What it is for.
    pub kind: TaskKind,
    /// Its queue.
    pub queue: String,
    /// Whose it is.
    pub owner: String,
    /// The ingest it reads.
    pub ingest: Option<IngestId>,
    /// The run it works for.
    pub run: Option<RunId>,
    /// The file it works on.
    pub file: Option<FileId>,
    /// The tick whose work it is.
    pub tick: Option<TickId>,
    /// A name for people: the file's, or of one of the files with these bytes; of a tick its time.
    pub name: Option<String>,
    /// How far it has come.
    pub state: TaskState,
    /// In a word why it failed.
    pub reason: Option<String>,
    /// Higher goes first.
    pub priority: i32,
    /// Not before.
    pub run_at: DateTime<Utc>,
    /// Attempts so far.
    pub attempt: i32,
    /// Failures that were tried again.
    pub failures: i32,
    /// Crashes so far.
    pub crashes: i32,
    /// Who runs it.
    pub boot: Option<BootId>,
    /// The name of that worker.
    pub worker: Option<String>,
    /// Whether somebody asked to cancel it.
    pub cancel_requested_at: Option<DateTime<Utc>>,
    /// How far the running attempt has come, a [`crate::domain::progress::Progress`].
    pub progress: Option<Value>,
    /// A stable word for what went wrong last.
    pub code: Option<String>,
    /// The sentence for it.
    pub sentence: Option<String>,
    /// What the visitor was given.
    pub reference: Option<RequestId>,
    /// The request that asked for it.
    pub request: RequestId,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When its first attempt began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// Tasks, youngest first, of one state or all; the next page starts before the last one's id.
pub async fn list(
    conn: &mut Connection,
    state: Option<TaskState>,
    before: Option<TaskId>,
    limit: i64,
) -> Result<Vec<TaskRow>> {
    match state {
        Some(state) => {
            let rows = sqlx::query_as!(
                TaskRow,
                r#"select t.id as "id: TaskId", t.kind as "kind: TaskKind", t.queue, coalesce(u.email, 'Sheetmill itself') as "owner!",
                          t.ingest_id as "ingest: IngestId", t.run_id as "run: RunId", t.file_id as "file: FileId",
                          t.tick_id as "tick: TickId",
                          coalesce((select f.name from files f where f.id = t.file_id or f.ingest_id = t.ingest_id limit 1),
                                   (select r.name from runs r where r.id = t.run_id),
                                   (select to_char(k.at at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"') from ticks k where k.id = t.tick_id)) as name,
                          t.state as "state: TaskState", t.reason, t.priority, t.run_at, t.attempt, t.failures, t.crashes,
                          t.boot_id as "boot: BootId", (select w.name from workers w where w.boot_id = t.boot_id) as worker, t.cancel_requested_at, t.progress, t.code, t.sentence,
                          t.reference as "reference: RequestId", t.request_id as "request: RequestId", t.created_at,
                          t.started_at, t.finished_at
                   from tasks t left join users u on u.id = t.owner
                   where t.state = $1 and ($2::uuid is null or t.id < $2)
                   order by t.id desc limit $3"#,
                state.as_str(),
                before.map(|it| it.0),
                limit,
            )
            .fetch_all(conn)
            .await?;
            Ok(rows)
        }
        None => some(conn, None, before, limit).await,
    }
}

/// One task.
pub async fn find(conn: &mut Connection, task: TaskId) -> Result<Option<TaskRow>> {
    Ok(some(conn, Some(task), None, 1).await?.pop())
}

async fn some(conn: &mut Connection, only: Option<TaskId>, before: Option<TaskId>, limit: i64) -> Result<Vec<TaskRow>> {
    let rows = sqlx::query_as!(
        TaskRow,
        r#"select t.id as "id: TaskId", t.kind as "kind: TaskKind", t.queue, coalesce(u.email, 'Sheetmill itself') as "owner!",
                  t.ingest_id as "ingest: IngestId", t.run_id as "run: RunId", t.file_id as "file: FileId",
                  t.tick_id as "tick: TickId",
                  coalesce((select f.name from files f where f.id = t.file_id or f.ingest_id = t.ingest_id limit 1),
                           (select r.name from runs r where r.id = t.run_id),
                           (select to_char(k.at at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"') from ticks k where k.id = t.tick_id)) as name,
                  t.state as "state: TaskState", t.reason, t.priority, t.run_at, t.attempt, t.failures, t.crashes,
                  t.boot_id as "boot: BootId", (select w.name from workers w where w.boot_id = t.boot_id) as worker, t.cancel_requested_at, t.progress, t.code, t.sentence,
                  t.reference as "reference: RequestId", t.request_id as "request: RequestId", t.created_at,
                  t.started_at, t.finished_at
           from tasks t left join users u on u.id = t.owner
           where ($1::uuid is null or t.id = $1) and ($2::uuid is null or t.id < $2)
           order by t.id desc limit $3"#,
        only.map(|it| it.0),
        before.map(|it| it.0),
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// How many tasks there are of each state; states without any are left out.
///
/// # Errors
/// The database's.
pub async fn counts(conn: &mut Connection) -> Result<Vec<(TaskState, i64)>> {
    let rows = sqlx::query!(r#"select state as "state: TaskState", count(*) as "count!" from tasks group by state"#)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|row| (row.state, row.count)).collect())
}
