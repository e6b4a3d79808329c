//! Objects in storage that no row knows.

use uuid::Uuid;

use crate::database::{Connection, Result};
use crate::domain::ids::{IngestId, Sha256};

/// Gives blobs in storage that no row knows one that nobody wants, so that they are removed as those that are not needed.
pub async fn adopt_blobs(conn: &mut Connection, blobs: &[(Sha256, u64)]) -> Result<u64> {
    let hashes: Vec<Vec<u8>> = blobs.iter().map(|(blob, _)| blob.0.to_vec()).collect();
    let bytes: Vec<i64> = blobs
        .iter()
        .map(|(_, bytes)| i64::try_from(*bytes).unwrap_or(i64::MAX))
        .collect();
    let done = sqlx::query!(
        "insert into blobs (sha256, bytes, wanted_at) select given.sha256, given.bytes, 'epoch'
         from unnest($1::bytea[], $2::bigint[]) as given (sha256, bytes) order by given.sha256
         on conflict (sha256) do update set gone_at = null where blobs.gone_at is not null",
        &hashes,
        &bytes,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Those of the given ingests that there are.
pub async fn known_ingests(conn: &mut Connection, ingests: &[IngestId]) -> Result<Vec<IngestId>> {
    let ids: Vec<Uuid> = ingests.iter().map(|it| it.0).collect();
    let known = sqlx::query_scalar!(
        r#"select id as "id: IngestId" from ingests where id = any($1) and code is distinct from 'removed'"#,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(known)
}

/// Those of the given keys that are of results.
pub async fn known_artifacts(conn: &mut Connection, keys: &[String]) -> Result<Vec<String>> {
    Ok(
        sqlx::query_scalar!("select storage_key from artifacts where storage_key = any($1)", keys)
            .fetch_all(conn)
            .await?,
    )
}

/// Those of the given keys that are of reports.
pub async fn known_reports(conn: &mut Connection, keys: &[String]) -> Result<Vec<String>> {
    Ok(
        sqlx::query_scalar!("select storage_key from reports where storage_key = any($1)", keys)
            .fetch_all(conn)
            .await?,
    )
}
