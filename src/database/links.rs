//! Sign-in links: printed once, kept as hashes, good once.

use std::time::Duration;

use super::{Connection, Result};
use crate::domain::ids::UserId;

/// Who a link is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// `None`: for whoever creates the first account.
    pub user: Option<UserId>,
    /// That user's address.
    pub email: Option<String>,
}

/// Remembers a link.
///
/// # Errors
/// See [`super::Error`].
pub async fn insert(connection: &mut Connection, hash: &[u8], user: Option<UserId>, lifetime: Duration) -> Result<()> {
    sqlx::query!(
        "insert into sign_in_links (token_hash, user_id, expires_at) values ($1, $2, now() + make_interval(secs => $3))",
        hash,
        user as Option<UserId>,
        lifetime.as_secs_f64(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The link, while it is good; looking does not use it up.
///
/// # Errors
/// See [`super::Error`].
pub async fn find(connection: &mut Connection, hash: &[u8]) -> Result<Option<Link>> {
    Ok(sqlx::query_as!(
        Link,
        r#"select l.user_id as "user: UserId", u.email as "email?"
             from sign_in_links l left join users u on u.id = l.user_id
            where l.token_hash = $1 and l.used_at is null and l.expires_at > now() and u.disabled_at is null"#,
        hash,
    )
    .fetch_optional(connection)
    .await?)
}

/// Uses the link up; false when it was not good any more. Of several at once, one succeeds.
///
/// # Errors
/// See [`super::Error`].
pub async fn use_up(connection: &mut Connection, hash: &[u8]) -> Result<bool> {
    let done = sqlx::query!(
        "update sign_in_links set used_at = now() where token_hash = $1 and used_at is null and expires_at > now()",
        hash,
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets a user's other links, or with `None` those for the first account.
///
/// # Errors
/// See [`super::Error`].
pub async fn forget_unused(connection: &mut Connection, user: Option<UserId>) -> Result<()> {
    sqlx::query!(
        "delete from sign_in_links where user_id is not distinct from $1 and used_at is null",
        user as Option<UserId>,
    )
    .execute(connection)
    .await?;
    Ok(())
}
