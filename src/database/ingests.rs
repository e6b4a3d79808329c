//! Ingests: blobs read under one set of options. Files with the same bytes and options share one.

use serde_json::Value;
use uuid::Uuid;

use super::{Connection, Result};
use crate::domain::ids::{IngestId, Sha256};
use crate::domain::states::IngestState;

/// What an ingest is keyed by, beside its bytes.
#[derive(Clone, Copy, Debug)]
pub struct IngestKey<'a> {
    /// The engine's version: another one may read them otherwise.
    pub engine: &'a str,
    /// The options, as JSON.
    pub options: &'a Value,
}

/// An ingest that a file can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its bytes.
    pub blob: Sha256,
    /// Its id.
    pub id: IngestId,
    /// How far it has come.
    pub state: IngestState,
    /// Whether anybody is going to work on it.
    pub has_task: bool,
}

/// The ingests of blobs, which are in order and each there once, made where there is none. Their rows are locked until the
/// transaction ends, so that of several uploads at once one sees to their tasks.
///
/// # Errors
/// See [`super::Error`].
pub async fn find_or_insert(connection: &mut Connection, blobs: &[Sha256], key: &IngestKey<'_>) -> Result<Vec<Found>> {
    let ids: Vec<Uuid> = blobs.iter().map(|_| IngestId::new().0).collect();
    let hashes: Vec<Vec<u8>> = blobs.iter().map(|blob| blob.0.to_vec()).collect();
    let rows = sqlx::query!(
        r#"insert into ingests (id, blob, engine, options)
           select given.id, given.blob, $3, $4 from unnest($1::uuid[], $2::bytea[]) as given (id, blob) order by given.blob
           on conflict on constraint ingests_once do update set blob = excluded.blob
           returning id as "id: IngestId", blob as "blob: Sha256", state as "state: IngestState""#,
        &ids,
        &hashes,
        key.engine,
        key.options,
    )
    .fetch_all(&mut *connection)
    .await?;
    let found: Vec<Uuid> = rows.iter().map(|row| row.id.0).collect();
    let busy = sqlx::query_scalar!(
        r#"select distinct ingest_id as "id!: IngestId" from tasks
            where ingest_id = any($1) and state in ('waiting', 'queued', 'running') and cancel_requested_at is null"#,
        &found,
    )
    .fetch_all(connection)
    .await?;
    let found = rows.into_iter().map(|row| Found {
        blob: row.blob,
        id: row.id,
        state: row.state,
        has_task: busy.contains(&row.id),
    });
    Ok(found.collect())
}

/// Back to the start, for another try.
///
/// # Errors
/// See [`super::Error`].
pub async fn receive_again(connection: &mut Connection, ingests: &[IngestId]) -> Result<()> {
    let ids: Vec<Uuid> = ingests.iter().map(|it| it.0).collect();
    sqlx::query!(
        "update ingests set state = 'received', code = null, sentence = null, reference = null, rows = 0, finished_at = null
          where id = any($1)",
        &ids,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// An attempt has begun to read it.
///
/// # Errors
/// See [`super::Error`].
pub async fn begin(connection: &mut Connection, id: IngestId) -> Result<()> {
    sqlx::query!(
        "update ingests set state = 'ingesting' where id = $1 and state in ('received', 'ingesting')",
        id as IngestId
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Its tables are complete: see `tables::replace`.
///
/// # Errors
/// See [`super::Error`].
pub async fn finish(connection: &mut Connection, id: IngestId, rows: u64) -> Result<()> {
    sqlx::query!(
        "update ingests set state = 'ready', rows = $2, code = null, sentence = null, reference = null, finished_at = now()
          where id = $1",
        id as IngestId,
        i64::try_from(rows).unwrap_or(i64::MAX),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// It ended without tables: `state` is `refused` (the input is at fault) or `failed` (we are).
///
/// # Errors
/// See [`super::Error`].
pub async fn give_up(
    connection: &mut Connection,
    id: IngestId,
    state: IngestState,
    code: &str,
    sentence: &str,
    reference: Option<Uuid>,
) -> Result<()> {
    sqlx::query!(
        "update ingests set state = $2, code = $3, sentence = $4, reference = $5, finished_at = now() where id = $1",
        id as IngestId,
        state as IngestState,
        code,
        sentence,
        reference,
    )
    .execute(connection)
    .await?;
    Ok(())
}
