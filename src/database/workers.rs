//! Worker processes: one row per start, with a heartbeat.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Connection, Result};
use crate::domain::ids::BootId;

/// A worker that starts.
#[derive(Clone, Debug)]
pub struct NewWorker<'a> {
    /// This start.
    pub boot: BootId,
    /// A name for people, unique per start.
    pub name: &'a str,
    /// The machine.
    pub host: &'a str,
    /// The process.
    pub pid: i32,
    /// The product's version.
    pub version: &'a str,
    /// How many tasks of each queue it runs at once: `{"ingest": 1, "process": 1}`.
    pub slots: Value,
}

/// Remembers a start.
pub async fn insert(conn: &mut Connection, worker: &NewWorker<'_>) -> Result<()> {
    sqlx::query!(
        "insert into workers (boot_id, name, host, pid, version, slots) values ($1, $2, $3, $4, $5, $6)",
        worker.boot.0,
        worker.name,
        worker.host,
        worker.pid,
        worker.version,
        worker.slots,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The worker lives and holds so many bytes of memory, its children included.
pub async fn beat(conn: &mut Connection, boot: BootId, memory: i64) -> Result<()> {
    sqlx::query!(
        "update workers set heartbeat_at = now(), memory = $2 where boot_id = $1",
        boot.0,
        memory
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The worker stopped in peace.
pub async fn stop(conn: &mut Connection, boot: BootId) -> Result<()> {
    sqlx::query!("update workers set stopped_at = now() where boot_id = $1", boot.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// Forgets workers that have been silent for a week: attempts keep their boot ids.
pub async fn forget_old(conn: &mut Connection) -> Result<u64> {
    let done = sqlx::query!("delete from workers where heartbeat_at < now() - interval '7 days'")
        .execute(conn)
        .await?;
    Ok(done.rows_affected())
}

/// Those of the given boots that may still be alive: not stopped, and heard of within the last minutes.
pub async fn alive(conn: &mut Connection, boots: &[BootId]) -> Result<Vec<BootId>> {
    let ids: Vec<uuid::Uuid> = boots.iter().map(|it| it.0).collect();
    let alive = sqlx::query_scalar!(
        r#"select boot_id as "boot_id: BootId" from workers
           where boot_id = any($1) and stopped_at is null and heartbeat_at > now() - interval '5 minutes'"#,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(alive)
}

/// A worker as admins see it.
#[derive(Clone, Debug)]
pub struct WorkerRow {
    /// This start.
    pub boot: BootId,
    /// Its name.
    pub name: String,
    /// The machine.
    pub host: String,
    /// The process.
    pub pid: i32,
    /// The product's version.
    pub version: String,
    /// How many tasks of each queue it runs at once.
    pub slots: Value,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// Seconds since it was last heard of.
    pub silent_for: f64,
    /// When it stopped in peace.
    pub stopped_at: Option<DateTime<Utc>>,
    /// Bytes of memory it held then, its children included.
    pub memory: i64,
    /// Tasks it runs.
    pub running: i64,
}

/// Workers that run or stopped within the last hour, youngest first.
pub async fn list(conn: &mut Connection) -> Result<Vec<WorkerRow>> {
    let rows = sqlx::query_as!(
        WorkerRow,
        r#"select w.boot_id as "boot: BootId", w.name, w.host, w.pid, w.version, w.slots, w.started_at,
                  extract(epoch from now() - w.heartbeat_at)::float8 as "silent_for!", w.stopped_at, w.memory,
                  (select count(*) from tasks t where t.state = 'running' and t.boot_id = w.boot_id) as "running!"
           from workers w
           where coalesce(w.stopped_at, w.heartbeat_at) > now() - interval '1 hour'
           order by w.started_at desc limit 200"#,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}
