//! API tokens. Only a hash is kept, and a few characters to recognise one by.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Connection, Result};
use crate::domain::ids::{TokenId, UserId};
use crate::domain::states::Role;

/// A token as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: TokenId,
    /// Its first characters.
    pub prefix: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
    /// Since when it is not good any more.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// Whom a good token speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// The token.
    pub token: TokenId,
    /// Its user.
    pub user: UserId,
    /// What they may do, as of now.
    pub role: Role,
}

/// A new token.
#[derive(Clone, Debug)]
pub struct NewToken<'a> {
    /// Its id.
    pub id: TokenId,
    /// Whom it speaks for.
    pub user: UserId,
    /// Its first characters.
    pub prefix: &'a str,
    /// The SHA-256 of the whole.
    pub hash: &'a [u8],
    /// How long it is good; `None`: until revoked.
    pub lifetime: Option<Duration>,
}

/// Remembers a token.
///
/// # Errors
/// See [`super::Error`].
pub async fn insert(connection: &mut Connection, token: &NewToken<'_>) -> Result<()> {
    sqlx::query!(
        "insert into tokens (id, user_id, prefix, hash, expires_at) values ($1, $2, $3, $4, now() + make_interval(secs => $5))",
        token.id as TokenId,
        token.user as UserId,
        token.prefix,
        token.hash,
        token.lifetime.map(|it| it.as_secs_f64()),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Whom the token with this hash speaks for, while it is good.
///
/// # Errors
/// See [`super::Error`].
pub async fn bearer(connection: &mut Connection, hash: &[u8]) -> Result<Option<Bearer>> {
    Ok(sqlx::query_as!(
        Bearer,
        r#"select t.id as "token: TokenId", u.id as "user: UserId", u.role as "role: Role"
             from tokens t join users u on u.id = t.user_id
            where t.hash = $1 and t.revoked_at is null and (t.expires_at is null or t.expires_at > now())
              and u.disabled_at is null"#,
        hash,
    )
    .fetch_optional(connection)
    .await?)
}

/// Notes that a token is used, at most once a minute.
///
/// # Errors
/// See [`super::Error`].
pub async fn touch(connection: &mut Connection, id: TokenId) -> Result<()> {
    sqlx::query!(
        "update tokens set last_used_at = now()
          where id = $1 and (last_used_at is null or last_used_at < now() - interval '1 minute')",
        id as TokenId,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A user's tokens, the newest first.
///
/// # Errors
/// See [`super::Error`].
pub async fn of(connection: &mut Connection, user: UserId) -> Result<Vec<Token>> {
    Ok(sqlx::query_as!(
        Token,
        r#"select id as "id: TokenId", prefix, created_at, last_used_at, expires_at, revoked_at
             from tokens where user_id = $1 order by id desc"#,
        user as UserId,
    )
    .fetch_all(connection)
    .await?)
}

/// Ends a user's token; false when they have no such living one.
///
/// # Errors
/// See [`super::Error`].
pub async fn revoke(connection: &mut Connection, user: UserId, id: TokenId) -> Result<bool> {
    let done = sqlx::query!(
        "update tokens set revoked_at = now() where id = $1 and user_id = $2 and revoked_at is null",
        id as TokenId,
        user as UserId,
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}
