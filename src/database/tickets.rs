//! Tickets as they lie in apalis' own tables. Its schema is not ours, so that these few statements are checked by the
//! queue's tests rather than by the compiler.

use sqlx::Row as _;

use super::{Connection, Result};

/// Tickets of a queue that are due and that nobody took yet.
pub async fn due(conn: &mut Connection, queue: &str) -> Result<i64> {
    let row =
        sqlx::query("select count(*) from apalis.jobs where job_type = $1 and status = 'Pending' and run_at <= now()")
            .bind(queue)
            .fetch_one(conn)
            .await?;
    Ok(row.try_get(0)?)
}

/// Removes tickets that were used up, tickets held by consumers that went silent (the tasks they told of get new ones),
/// and consumers without tickets. apalis' own pruning speaks another database's dialect.
pub async fn prune(conn: &mut Connection) -> Result<u64> {
    let used = sqlx::query(
        "delete from apalis.jobs where id in (
             select j.id from apalis.jobs j left join apalis.workers w on w.id = j.lock_by
             where j.status in ('Done', 'Failed', 'Killed')
                or (j.status in ('Queued', 'Running') and w.last_seen < now() - interval '10 minutes')
             limit 10000 for update of j skip locked)",
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "delete from apalis.workers w
         where w.last_seen < now() - interval '1 hour' and not exists (select from apalis.jobs j where j.lock_by = w.id)",
    )
    .execute(conn)
    .await?;
    Ok(used.rows_affected())
}
