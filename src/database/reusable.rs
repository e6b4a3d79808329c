//! Results that a later run may take over.

use std::time::Duration;

use serde_json::Value;

use super::artifacts::ArtifactRow;
use super::{Connection, Result};
use crate::domain::ids::{ArtifactId, FileId, RunId, Sha256};
use crate::domain::states::ArtifactKind;

/// A result that is there.
#[derive(Clone, Debug)]
pub struct Reusable {
    /// The run that has it.
    pub run: RunId,
    /// The run's file.
    pub file: FileId,
    /// The account of its rows, as the engine gave it.
    pub report: Value,
}

/// The result under a key, if it was used within `keep`.
///
/// # Errors
/// See [`super::Error`].
pub async fn find(conn: &mut Connection, key: &[u8; 32], keep: Duration) -> Result<Option<Reusable>> {
    let row = sqlx::query_as!(
        Reusable,
        r#"select run_id as "run: RunId", file_id as "file: FileId", report from reusable
           where key = $1 and used_at > now() - make_interval(secs => $2)"#,
        key.as_slice(),
        keep.as_secs_f64(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row)
}

/// What a file of a run was made into, in the order in which it was made; `None` when some of it is gone.
///
/// # Errors
/// See [`super::Error`].
pub async fn artifacts(conn: &mut Connection, run: RunId, file: FileId) -> Result<Option<Vec<ArtifactRow>>> {
    let rows = sqlx::query!(
        r#"select a.id as "id: ArtifactId", a.run_id as "run: RunId", a.file_id as "file: FileId",
                  a.kind as "kind: ArtifactKind", a.name, a.storage_key, a.content_type, a.bytes, a.sha256 as "sha256: Sha256",
                  a.rows, a.created_at, a.deleted_at is not null as "gone!"
           from artifacts a where a.run_id = $1 and a.file_id = $2 order by a.id"#,
        run.0,
        file.0,
    )
    .fetch_all(conn)
    .await?;
    if rows.iter().any(|row| row.gone) {
        return Ok(None);
    }
    let row = rows.into_iter().map(|row| ArtifactRow {
        id: row.id,
        run: row.run,
        file: row.file,
        kind: row.kind,
        name: row.name,
        storage_key: row.storage_key,
        content_type: row.content_type,
        bytes: row.bytes,
        sha256: row.sha256,
        rows: row.rows,
        created_at: row.created_at,
    });
    Ok(Some(row.collect()))
}

/// Remembers the youngest result under its key; an older run that had it may then go.
///
/// # Errors
/// See [`super::Error`].
pub async fn remember(
    conn: &mut Connection,
    key: &[u8; 32],
    (run, file): (RunId, FileId),
    report: &Value,
) -> Result<()> {
    sqlx::query!(
        "insert into reusable (key, run_id, file_id, report) values ($1, $2, $3, $4)
         on conflict (key) do update set run_id = excluded.run_id, file_id = excluded.file_id, report = excluded.report, used_at = now()",
        key.as_slice(),
        run.0,
        file.0,
        report,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets what was not used for so long; answers how many. The results stay with their runs.
///
/// # Errors
/// See [`super::Error`].
pub async fn sweep(conn: &mut Connection, keep: Duration) -> Result<u64> {
    let done = sqlx::query!(
        "delete from reusable where used_at <= now() - make_interval(secs => $1)",
        keep.as_secs_f64()
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
