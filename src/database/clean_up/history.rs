//! History whose time is over: logs of attempts, ticks with their tasks and reports.

use std::time::Duration;

use super::seconds;
use crate::database::{Connection, Result};

/// Forgets attempts that ended longer than `kept` ago; their tasks stay.
pub async fn forget_attempts(conn: &mut Connection, kept: Duration, limit: i64) -> Result<u64> {
    let done = sqlx::query!(
        "delete from attempts where (task_id, number) in (
             select a.task_id, a.number from attempts a join tasks t on t.id = a.task_id
             where a.ended_at < now() - make_interval(secs => $1) and t.finished_at is not null limit $2)",
        seconds(kept),
        limit,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Forgets ticks of longer than `kept` ago whose tasks have ended, and with them their reports, whose bytes go as those of
/// anything that no row knows. The last tick of each schedule stays.
pub async fn forget_ticks(conn: &mut Connection, kept: Duration, limit: i64) -> Result<u64> {
    let done = sqlx::query!(
        "delete from ticks where id in (
             select k.id from ticks k join tasks t on t.tick_id = k.id
             where k.at < now() - make_interval(secs => $1) and t.finished_at is not null
               and exists (select from ticks later where later.schedule_id = k.schedule_id and later.at > k.at) limit $2)",
        seconds(kept),
        limit,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
