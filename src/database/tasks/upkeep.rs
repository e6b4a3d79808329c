//! Tasks of ticks: the installation's own, without an owner and without tickets.

use std::time::Duration;

use super::lease::Claimed;
use super::{Fence, Work};
use crate::database::{Connection, Result};
use crate::domain::ids::{BootId, RequestId, TaskId, TickId};
use crate::domain::states::TaskKind;

/// The task of a tick.
#[derive(Clone, Copy, Debug)]
pub struct NewOfTick {
    /// Its id.
    pub task: TaskId,
    /// What it is for.
    pub kind: TaskKind,
    /// The tick.
    pub tick: TickId,
    /// The request that asked for it; a rule has one of its own.
    pub request: RequestId,
}

/// Remembers the task of a tick, due now.
pub async fn insert_of_tick(conn: &mut Connection, new: &NewOfTick) -> Result<()> {
    sqlx::query!(
        "insert into tasks (id, kind, queue, tick_id, state, request_id) values ($1, $2, $3, $4, 'queued', $5)",
        new.task.0,
        new.kind.as_str(),
        new.kind.queue(),
        new.tick.0,
        new.request.0,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes the oldest due task of a tick, as [`super::claim`] takes those of owners; `None` when nothing is due or the queue
/// is paused.
pub async fn claim_upkeep(conn: &mut Connection, boot: BootId, lease: Duration) -> Result<Option<Claimed>> {
    let row = sqlx::query!(
        r#"with picked as (
               select t.id from tasks t
               where t.queue = 'upkeep' and t.state = 'queued' and t.run_at <= now()
                 and exists (select from queues q where q.name = 'upkeep' and q.paused_at is null)
               order by t.run_at, t.id limit 1 for update of t skip locked
           ),
           claimed as (
               update tasks t
               set state = 'running', attempt = t.attempt + 1, boot_id = $1, progress = null,
                   lease_until = now() + make_interval(secs => $2), started_at = coalesce(t.started_at, now())
               from picked
               where t.id = picked.id
               returning t.id, t.attempt, t.kind, t.tick_id, t.failures, t.crashes, t.request_id, t.cancel_requested_at
           ),
           noted as (
               insert into attempts (task_id, number, boot_id) select id, attempt, $1 from claimed
           )
           select id as "id!: TaskId", attempt as "attempt!", kind as "kind!: TaskKind", tick_id as "tick_id!: TickId",
                  failures as "failures!", crashes as "crashes!", request_id as "request_id!: RequestId",
                  cancel_requested_at is not null as "cancel_requested!"
           from claimed"#,
        boot.0,
        lease.as_secs_f64(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Claimed {
        fence: Fence {
            task: row.id,
            attempt: row.attempt,
            boot,
        },
        kind: row.kind,
        owner: None,
        work: Work::Tick(row.tick_id),
        failures: row.failures,
        crashes: row.crashes,
        request: row.request_id,
        cancel_requested: row.cancel_requested,
    }))
}
