//! Blobs: bytes in storage, named by their SHA-256.

use super::{Connection, Result};
use crate::domain::ids::Sha256;

/// Remembers that storage holds these bytes. Put them there first.
///
/// # Errors
/// See [`super::Error`].
pub async fn remember(connection: &mut Connection, sha256: Sha256, bytes: u64) -> Result<()> {
    sqlx::query!(
        "insert into blobs (sha256, bytes) values ($1, $2) on conflict (sha256) do nothing",
        sha256 as Sha256,
        i64::try_from(bytes).unwrap_or(i64::MAX),
    )
    .execute(connection)
    .await?;
    Ok(())
}
