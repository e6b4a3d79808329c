//! Blobs: bytes in storage, named by their SHA-256.

use super::{Connection, Result};
use crate::domain::ids::Sha256;

/// Says that somebody wants these bytes, each with their count; in a transaction of its own, before they are looked for in
/// storage. Clean-up holds the row of what it removes and lets what was wanted lately be, so that bytes that are found, or
/// put, after this are there for a day. Give them in order: uploads at the same time lock the same rows.
///
/// # Errors
/// See [`super::Error`].
pub async fn want(connection: &mut Connection, blobs: &[(Sha256, u64)]) -> Result<()> {
    let hashes: Vec<Vec<u8>> = blobs.iter().map(|(blob, _)| blob.0.to_vec()).collect();
    let bytes: Vec<i64> = blobs
        .iter()
        .map(|(_, bytes)| i64::try_from(*bytes).unwrap_or(i64::MAX))
        .collect();
    sqlx::query!(
        "insert into blobs (sha256, bytes) select * from unnest($1::bytea[], $2::bigint[])
         on conflict (sha256) do update set wanted_at = now(), gone_at = null",
        &hashes,
        &bytes,
    )
    .execute(connection)
    .await?;
    Ok(())
}
