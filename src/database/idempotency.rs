//! Idempotency keys: the same call twice is one run. Keys belong to their owner, and to the body they came with.

use super::{Connection, Result};
use crate::domain::ids::{RunId, UserId};

/// What a key is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Never seen: the caller starts the run in this transaction and calls [`remember`].
    Fresh,
    /// Seen with the same body: this was the answer.
    Answered(RunId),
    /// Seen with another body.
    OtherBody,
}

/// Takes a key. Whoever else holds it in an open transaction is waited for.
pub async fn take(conn: &mut Connection, owner: UserId, key: &str, body_hash: &[u8]) -> Result<Key> {
    let taken = sqlx::query!(
        "insert into idempotency (owner, key, body_hash) values ($1, $2, $3) on conflict do nothing",
        owner.0,
        key,
        body_hash,
    )
    .execute(&mut *conn)
    .await?;
    if taken.rows_affected() == 1 {
        return Ok(Key::Fresh);
    }
    let seen = sqlx::query!(
        r#"select body_hash, run_id as "run_id: RunId" from idempotency where owner = $1 and key = $2"#,
        owner.0,
        key,
    )
    .fetch_one(conn)
    .await?;
    Ok(match seen.run_id {
        Some(run) if seen.body_hash == body_hash => Key::Answered(run),
        _ => Key::OtherBody,
    })
}

/// Remembers what a fresh key led to.
pub async fn remember(conn: &mut Connection, owner: UserId, key: &str, run: RunId) -> Result<()> {
    sqlx::query!(
        "update idempotency set run_id = $3 where owner = $1 and key = $2",
        owner.0,
        key,
        run.0
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets keys after a week: a caller that still tries again then has other troubles.
pub async fn forget_old(conn: &mut Connection) -> Result<u64> {
    let done = sqlx::query!("delete from idempotency where created_at < now() - interval '7 days'")
        .execute(conn)
        .await?;
    Ok(done.rows_affected())
}
