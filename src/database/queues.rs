//! Queues: what admins pause, and how much is in them.

use chrono::{DateTime, Utc};

use super::{Connection, Result};
use crate::domain::ids::UserId;

/// A queue with its load.
#[derive(Clone, Debug)]
pub struct QueueRow {
    /// Its name.
    pub name: String,
    /// Since when nothing of it is started.
    pub paused_at: Option<DateTime<Utc>>,
    /// Tasks that wait for something else, such as an ingest.
    pub waiting: i64,
    /// Tasks that are due or will be.
    pub queued: i64,
    /// Tasks that run.
    pub running: i64,
    /// Seconds that the oldest due task has been waiting for a worker.
    pub oldest: Option<f64>,
}

/// All queues.
pub async fn list(conn: &mut Connection) -> Result<Vec<QueueRow>> {
    let rows = sqlx::query_as!(
        QueueRow,
        r#"select q.name, q.paused_at,
                  (select count(*) from tasks t where t.queue = q.name and t.state = 'waiting') as "waiting!",
                  (select count(*) from tasks t where t.queue = q.name and t.state = 'queued') as "queued!",
                  (select count(*) from tasks t where t.queue = q.name and t.state = 'running') as "running!",
                  (select extract(epoch from now() - min(t.run_at))::float8 from tasks t
                   where t.queue = q.name and t.state = 'queued' and t.run_at <= now()) as "oldest?"
           from queues q order by q.name"#,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// Starts nothing more of a queue; what runs goes on. False when there is no such queue.
pub async fn pause(conn: &mut Connection, name: &str, by: UserId) -> Result<bool> {
    let done = sqlx::query!(
        "update queues set paused_at = coalesce(paused_at, now()), paused_by = $2 where name = $1",
        name,
        by.0,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Lets a paused queue go on; answers how many of its tasks are due.
pub async fn resume(conn: &mut Connection, name: &str) -> Result<i64> {
    sqlx::query!(
        "update queues set paused_at = null, paused_by = null where name = $1",
        name
    )
    .execute(&mut *conn)
    .await?;
    let due = sqlx::query_scalar!(
        r#"select count(*) as "count!" from tasks where queue = $1 and state = 'queued' and run_at <= now()"#,
        name,
    )
    .fetch_one(conn)
    .await?;
    Ok(due)
}
