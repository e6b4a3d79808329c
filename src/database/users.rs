//! Accounts.

use chrono::{DateTime, Utc};

use super::{Connection, Result};
use crate::domain::ids::UserId;
use crate::domain::states::Role;

/// An account as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Its address, in lower case.
    pub email: String,
    /// The person's name, possibly empty.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Since when it may not sign in.
    pub disabled_at: Option<DateTime<Utc>>,
}

/// What sign-in needs of an account.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Its id.
    pub id: UserId,
    /// The PHC string; `None` until its owner has set a password.
    pub password_hash: Option<String>,
}

/// A new account.
#[derive(Clone, Debug)]
pub struct NewUser<'a> {
    /// Its id.
    pub id: UserId,
    /// Its address, in lower case.
    pub email: &'a str,
    /// The person's name, possibly empty.
    pub name: &'a str,
    /// What it may do.
    pub role: Role,
    /// The PHC string, once there is a password.
    pub password_hash: Option<&'a str>,
}

/// Makes an account.
///
/// # Errors
/// Constraint `users_email_unique` when the address has one, `users_email` when it is not an address.
pub async fn insert(connection: &mut Connection, user: &NewUser<'_>) -> Result<()> {
    sqlx::query!(
        "insert into users (id, email, name, role, password_hash) values ($1, $2, $3, $4, $5)",
        user.id as UserId,
        user.email,
        user.name,
        user.role as Role,
        user.password_hash,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether there is any account.
///
/// # Errors
/// See [`super::Error`].
pub async fn any(connection: &mut Connection) -> Result<bool> {
    Ok(sqlx::query_scalar!(r#"select exists (select from users) as "any!""#)
        .fetch_one(connection)
        .await?)
}

/// What sign-in needs of the enabled account with this address.
///
/// # Errors
/// See [`super::Error`].
pub async fn credentials(connection: &mut Connection, email: &str) -> Result<Option<Credentials>> {
    Ok(sqlx::query_as!(
        Credentials,
        r#"select id as "id: UserId", password_hash from users where email = $1 and disabled_at is null"#,
        email,
    )
    .fetch_optional(connection)
    .await?)
}

/// The account with this address.
///
/// # Errors
/// See [`super::Error`].
pub async fn by_email(connection: &mut Connection, email: &str) -> Result<Option<User>> {
    Ok(sqlx::query_as!(
        User,
        r#"select id as "id: UserId", email, name, role as "role: Role", created_at, disabled_at from users where email = $1"#,
        email,
    )
    .fetch_optional(connection)
    .await?)
}

/// All accounts, the oldest first.
///
/// # Errors
/// See [`super::Error`].
pub async fn all(connection: &mut Connection) -> Result<Vec<User>> {
    Ok(sqlx::query_as!(
        User,
        r#"select id as "id: UserId", email, name, role as "role: Role", created_at, disabled_at from users order by id"#,
    )
    .fetch_all(connection)
    .await?)
}

/// Sets a password's hash.
///
/// # Errors
/// See [`super::Error`].
pub async fn set_password_hash(connection: &mut Connection, id: UserId, password_hash: &str) -> Result<()> {
    sqlx::query!(
        "update users set password_hash = $2 where id = $1",
        id as UserId,
        password_hash
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Sets the person's name.
///
/// # Errors
/// See [`super::Error`].
pub async fn set_name(connection: &mut Connection, id: UserId, name: &str) -> Result<()> {
    sqlx::query!("update users set name = $2 where id = $1", id as UserId, name)
        .execute(connection)
        .await?;
    Ok(())
}
