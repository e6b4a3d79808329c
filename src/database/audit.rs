//! The audit log: what admins did. Rows are only ever added.

use serde_json::Value;

use super::{Connection, Result};
use crate::domain::ids::UserId;

/// Something that an admin did.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Who.
    pub actor: UserId,
    /// What, as a word that stays.
    pub action: &'a str,
    /// To what.
    pub target: &'a str,
    /// What else is worth knowing.
    pub detail: &'a Value,
}

/// Adds a row.
pub async fn insert(conn: &mut Connection, entry: &Entry<'_>) -> Result<()> {
    sqlx::query!(
        "insert into audit (actor, action, target, detail) values ($1, $2, $3, $4)",
        entry.actor.0,
        entry.action,
        entry.target,
        entry.detail,
    )
    .execute(conn)
    .await?;
    Ok(())
}
