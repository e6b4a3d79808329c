//! Work is taken: claims under a lease, their renewal, and what runs out.

use std::time::Duration;

use uuid::Uuid;

use super::{Fence, Work};
use crate::database::{Connection, Result};
use crate::domain::ids::{BootId, FileId, IngestId, RequestId, RunId, TaskId, TickId, UserId};
use crate::domain::progress::Progress;
use crate::domain::states::TaskKind;

/// A claimed task.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// What every later write must show.
    pub fence: Fence,
    /// What it is for.
    pub kind: TaskKind,
    /// Whose it is; `None`: the installation's own.
    pub owner: Option<UserId>,
    /// What it works on.
    pub work: Work,
    /// Failed attempts before this one that were tried again with a pause.
    pub failures: i32,
    /// Crashed attempts before this one.
    pub crashes: i32,
    /// The request that asked for it.
    pub request: RequestId,
    /// Whether somebody asked to cancel it before it was claimed.
    pub cancel_requested: bool,
}

/// Takes the due task whose owner has the fewest running in this queue, then by priority, then by age. The attempt is
/// counted and remembered, the lease written; `None` when nothing is due or the queue is paused.
///
/// Owners are found by hopping through the index, and only the first 32 tasks of each are looked at, so that a backlog
/// of any length costs the same; 32 others may be claiming at this moment without hiding work from us.
#[expect(clippy::too_many_lines, reason = "one statement")]
pub async fn claim(conn: &mut Connection, queue: &str, boot: BootId, lease: Duration) -> Result<Option<Claimed>> {
    let row = sqlx::query!(
        r#"with recursive owners as (
               (select owner from tasks where queue = $1 and state = 'queued' order by owner limit 1)
               union all
               select (select t.owner from tasks t
                       where t.queue = $1 and t.state = 'queued' and t.owner > o.owner order by t.owner limit 1)
               from owners o where o.owner is not null
           ),
           shares as (
               select o.owner,
                      (select count(*) from tasks r where r.queue = $1 and r.owner = o.owner and r.state = 'running') as running
               from owners o where o.owner is not null
           ),
           picked as (
               select t.id
               from shares s
               cross join lateral (
                   select d.id from tasks d
                   where d.queue = $1 and d.owner = s.owner and d.state = 'queued' and d.run_at <= now()
                   order by d.priority desc, d.run_at, d.id
                   limit 32
               ) first_of_owner
               join tasks t on t.id = first_of_owner.id
               where t.state = 'queued'
                 and exists (select from queues q where q.name = $1 and q.paused_at is null)
               order by s.running, t.priority desc, t.run_at, t.id
               limit 1
               for update of t skip locked
           ),
           claimed as (
               update tasks t
               set state = 'running', attempt = t.attempt + 1, boot_id = $2, progress = null,
                   lease_until = now() + make_interval(secs => $3), started_at = coalesce(t.started_at, now())
               from picked
               where t.id = picked.id
               returning t.id, t.attempt, t.kind, t.owner, t.ingest_id, t.run_id, t.file_id, t.failures, t.crashes, t.request_id,
                         t.cancel_requested_at
           ),
           noted as (
               insert into attempts (task_id, number, boot_id) select id, attempt, $2 from claimed
           )
           select id as "id!: TaskId", attempt as "attempt!", kind as "kind!: TaskKind", owner as "owner!: UserId",
                  ingest_id as "ingest_id: IngestId", run_id as "run_id: RunId", file_id as "file_id: FileId",
                  failures as "failures!", crashes as "crashes!", request_id as "request_id!: RequestId",
                  cancel_requested_at is not null as "cancel_requested!"
           from claimed"#,
        queue,
        boot.0,
        lease.as_secs_f64(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.and_then(|row| {
        Some(Claimed {
            fence: Fence {
                task: row.id,
                attempt: row.attempt,
                boot,
            },
            kind: row.kind,
            owner: Some(row.owner),
            work: Work::of(row.ingest_id, row.run_id.map(|run| (run, row.file_id)), None)?,
            failures: row.failures,
            crashes: row.crashes,
            request: row.request_id,
            cancel_requested: row.cancel_requested,
        })
    }))
}

/// Extends the leases of the given tasks of a boot; answers those that are still its own.
pub async fn renew(conn: &mut Connection, boot: BootId, held: &[TaskId], lease: Duration) -> Result<Vec<TaskId>> {
    let ids: Vec<Uuid> = held.iter().map(|it| it.0).collect();
    let kept = sqlx::query_scalar!(
        r#"update tasks set lease_until = now() + make_interval(secs => $3)
           where boot_id = $1 and id = any($2) and state = 'running'
           returning id as "id: TaskId""#,
        boot.0,
        &ids,
        lease.as_secs_f64(),
    )
    .fetch_all(conn)
    .await?;
    Ok(kept)
}

/// Those of the given tasks that somebody asked to cancel.
pub async fn asked_to_cancel(conn: &mut Connection, held: &[TaskId]) -> Result<Vec<TaskId>> {
    let ids: Vec<Uuid> = held.iter().map(|it| it.0).collect();
    let asked = sqlx::query_scalar!(
        r#"select id as "id: TaskId" from tasks where id = any($1) and cancel_requested_at is not null"#,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(asked)
}

/// Writes how far an attempt has come; false: fenced.
pub async fn write_progress(conn: &mut Connection, fence: Fence, progress: &Progress) -> Result<bool> {
    let done = sqlx::query!(
        "update tasks set progress = $4 where id = $1 and attempt = $2 and boot_id = $3",
        fence.task.0,
        fence.attempt,
        fence.boot.0,
        serde_json::to_value(progress).unwrap_or_default(),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Leases of a worker that is known to be dead run out now rather than later; answers how many.
pub async fn expire(conn: &mut Connection, boot: BootId) -> Result<u64> {
    let done = sqlx::query!(
        "update tasks set lease_until = now() - interval '1 second' where boot_id = $1 and state = 'running'",
        boot.0,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Locks and gives one task whose lease ran out, if there is one that nobody else is mending: as it was claimed, with
/// the fence of the worker that went silent.
pub async fn expired(conn: &mut Connection) -> Result<Option<Claimed>> {
    let row = sqlx::query!(
        r#"select id as "id: TaskId", attempt, boot_id as "boot_id!: BootId", kind as "kind: TaskKind",
                  owner as "owner: UserId", ingest_id as "ingest_id: IngestId", run_id as "run_id: RunId",
                  file_id as "file_id: FileId", tick_id as "tick_id: TickId", failures, crashes, request_id as "request_id: RequestId",
                  cancel_requested_at is not null as "cancel_requested!"
           from tasks where state = 'running' and lease_until < now()
           order by lease_until limit 1 for update skip locked"#,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.and_then(|row| {
        Some(Claimed {
            fence: Fence {
                task: row.id,
                attempt: row.attempt,
                boot: row.boot_id,
            },
            kind: row.kind,
            owner: row.owner,
            work: Work::of(row.ingest_id, row.run_id.map(|run| (run, row.file_id)), row.tick_id)?,
            failures: row.failures,
            crashes: row.crashes,
            request: row.request_id,
            cancel_requested: row.cancel_requested,
        })
    }))
}

/// How many due tasks of a queue nobody took for `patience`. The caller compares with the tickets that are there and
/// pushes what is missing.
pub async fn overdue(conn: &mut Connection, queue: &str, patience: Duration) -> Result<i64> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from tasks
           where queue = $1 and state = 'queued' and greatest(run_at, ticketed_at) < now() - make_interval(secs => $2)
             and exists (select from queues q where q.name = $1 and q.paused_at is null)"#,
        queue,
        patience.as_secs_f64(),
    )
    .fetch_one(conn)
    .await?;
    Ok(count)
}
