//! An attempt ends: everything here is fenced.

use std::time::Duration;

use super::Fence;
use crate::database::{Connection, Result};
use crate::domain::ids::RequestId;

/// Locks the task of an attempt that is about to end; `None`: fenced. Otherwise whether somebody asked to cancel it.
pub async fn hold(conn: &mut Connection, fence: Fence) -> Result<Option<bool>> {
    let asked = sqlx::query_scalar!(
        r#"select cancel_requested_at is not null as "asked!" from tasks
           where id = $1 and attempt = $2 and boot_id = $3 and state = 'running' for update"#,
        fence.task.0,
        fence.attempt,
        fence.boot.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(asked)
}

/// What people are told of a task that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// A stable word.
    pub code: String,
    /// One sentence.
    pub sentence: String,
    /// What to give an admin, who finds the cause under it.
    pub reference: RequestId,
}

/// The task is done; false: fenced, and nothing of the transaction may be kept.
pub async fn succeed(conn: &mut Connection, fence: Fence) -> Result<bool> {
    let done = sqlx::query!(
        "update tasks
         set state = 'succeeded', finished_at = now(), boot_id = null, lease_until = null,
             reason = null, code = null, sentence = null, reference = null
         where id = $1 and attempt = $2 and boot_id = $3",
        fence.task.0,
        fence.attempt,
        fence.boot.0,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The task failed for good, for a reason in one word (`refused`, `dead`, …); false: fenced.
pub async fn fail(conn: &mut Connection, fence: Fence, reason: &str, told: &Told) -> Result<bool> {
    let done = sqlx::query!(
        "update tasks
         set state = 'failed', finished_at = now(), boot_id = null, lease_until = null,
             reason = $4, code = $5, sentence = $6, reference = $7
         where id = $1 and attempt = $2 and boot_id = $3",
        fence.task.0,
        fence.attempt,
        fence.boot.0,
        reason,
        told.code,
        told.sentence,
        told.reference.0,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The task was cancelled while it ran; false: fenced.
pub async fn cancel(conn: &mut Connection, fence: Fence) -> Result<bool> {
    let done = sqlx::query!(
        "update tasks set state = 'cancelled', finished_at = now(), boot_id = null, lease_until = null
         where id = $1 and attempt = $2 and boot_id = $3",
        fence.task.0,
        fence.attempt,
        fence.boot.0,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// On which account a task is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account {
    /// It failed: the pause grows with these.
    Failure,
    /// Its child crashed: a few of these and it is dead.
    Crash,
    /// Its worker went away in peace; nobody's fault.
    Interruption,
}

/// Back to the queue after a pause; false: fenced. What went wrong stays readable until the next attempt ends.
pub async fn again(
    conn: &mut Connection,
    fence: Fence,
    account: Account,
    pause: Duration,
    told: Option<&Told>,
) -> Result<bool> {
    let done = sqlx::query!(
        "update tasks
         set state = 'queued', run_at = now() + make_interval(secs => $4), ticketed_at = now(), boot_id = null,
             lease_until = null, progress = null, failures = failures + $5, crashes = crashes + $6,
             code = $7, sentence = $8, reference = $9
         where id = $1 and attempt = $2 and boot_id = $3",
        fence.task.0,
        fence.attempt,
        fence.boot.0,
        pause.as_secs_f64(),
        i32::from(account == Account::Failure),
        i32::from(account == Account::Crash),
        told.map(|it| it.code.as_str()),
        told.map(|it| it.sentence.as_str()),
        told.map(|it| it.reference.0),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
