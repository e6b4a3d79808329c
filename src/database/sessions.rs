//! Sessions: who is signed in in which browser. Only a hash of the secret is kept.

use std::time::Duration;

use super::{Connection, Result};
use crate::domain::ids::UserId;
use crate::domain::states::Role;

/// A living session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// Whose it is.
    pub user: UserId,
    /// Their address.
    pub email: String,
    /// Their name, possibly empty.
    pub name: String,
    /// What they may do, as of now.
    pub role: Role,
}

/// Remembers a session.
///
/// # Errors
/// See [`super::Error`].
pub async fn insert(connection: &mut Connection, id_hash: &[u8], user: UserId, lifetime: Duration) -> Result<()> {
    sqlx::query!(
        "insert into sessions (id_hash, user_id, expires_at) values ($1, $2, now() + make_interval(secs => $3))",
        id_hash,
        user as UserId,
        lifetime.as_secs_f64(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The session, while it lives: not expired, used within `idle`, its user not disabled.
///
/// # Errors
/// See [`super::Error`].
pub async fn find(connection: &mut Connection, id_hash: &[u8], idle: Duration) -> Result<Option<SessionRow>> {
    Ok(sqlx::query_as!(
        SessionRow,
        r#"select u.id as "user: UserId", u.email, u.name, u.role as "role: Role"
             from sessions s join users u on u.id = s.user_id
            where s.id_hash = $1 and s.expires_at > now() and s.last_seen_at > now() - make_interval(secs => $2)
              and u.disabled_at is null"#,
        id_hash,
        idle.as_secs_f64(),
    )
    .fetch_optional(connection)
    .await?)
}

/// Notes that the session is used, at most once a minute: pages are read far more often than that.
///
/// # Errors
/// See [`super::Error`].
pub async fn touch(connection: &mut Connection, id_hash: &[u8]) -> Result<()> {
    sqlx::query!(
        "update sessions set last_seen_at = now() where id_hash = $1 and last_seen_at < now() - interval '1 minute'",
        id_hash,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends one session.
///
/// # Errors
/// See [`super::Error`].
pub async fn delete(connection: &mut Connection, id_hash: &[u8]) -> Result<()> {
    sqlx::query!("delete from sessions where id_hash = $1", id_hash)
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends all sessions of a user.
///
/// # Errors
/// See [`super::Error`].
pub async fn delete_of(connection: &mut Connection, user: UserId) -> Result<()> {
    sqlx::query!("delete from sessions where user_id = $1", user as UserId)
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets sessions that are over.
///
/// # Errors
/// See [`super::Error`].
pub async fn sweep(connection: &mut Connection) -> Result<u64> {
    Ok(sqlx::query!("delete from sessions where expires_at < now()")
        .execute(connection)
        .await?
        .rows_affected())
}
