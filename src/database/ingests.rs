//! Ingests: blobs read under one set of options. Files with the same bytes and options share one.

use serde_json::Value;
use uuid::Uuid;

use super::{Connection, Result};
use crate::domain::ids::{IngestId, Sha256};
use crate::domain::states::IngestState;

/// What an ingest is keyed by.
#[derive(Clone, Debug)]
pub struct IngestKey<'a> {
    /// The bytes.
    pub blob: Sha256,
    /// The engine's version: another one may read them otherwise.
    pub engine: &'a str,
    /// The options, as JSON.
    pub options: &'a Value,
}

/// An ingest that a new file can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its id.
    pub id: IngestId,
    /// How far it has come.
    pub state: IngestState,
    /// Whether anybody is going to work on it.
    pub has_task: bool,
}

/// The ingest for a key, made if there is none. Its row is locked until the transaction ends, so that of several
/// uploads at once one sees to its task.
///
/// # Errors
/// See [`super::Error`].
pub async fn find_or_insert(connection: &mut Connection, key: &IngestKey<'_>) -> Result<Found> {
    let row = sqlx::query!(
        r#"insert into ingests (id, blob, engine, options) values ($1, $2, $3, $4)
           on conflict on constraint ingests_once do update set blob = excluded.blob
           returning id as "id: IngestId", state as "state: IngestState""#,
        IngestId::new() as IngestId,
        key.blob as Sha256,
        key.engine,
        key.options,
    )
    .fetch_one(&mut *connection)
    .await?;
    let has_task = sqlx::query_scalar!(
        r#"select exists (select from tasks where ingest_id = $1 and state in ('waiting', 'queued', 'running')
                             and cancel_requested_at is null) as "exists!""#,
        row.id as IngestId,
    )
    .fetch_one(connection)
    .await?;
    Ok(Found {
        id: row.id,
        state: row.state,
        has_task,
    })
}

/// Back to the start, for another try.
///
/// # Errors
/// See [`super::Error`].
pub async fn receive_again(connection: &mut Connection, id: IngestId) -> Result<()> {
    sqlx::query!(
        "update ingests set state = 'received', code = null, sentence = null, reference = null, rows = 0, finished_at = null
          where id = $1",
        id as IngestId,
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
