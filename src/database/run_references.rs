//! The other tables of runs: which table each name of the recipe stands for.

use std::collections::BTreeMap;

use super::{Connection, Result};
use crate::domain::ids::{FileId, IngestId, RunId};

/// A table that a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunReference {
    /// The name in the recipe.
    pub name: String,
    /// The file.
    pub file: FileId,
    /// How it was read.
    pub ingest: IngestId,
    /// The sheet's position in the workbook, from 0.
    pub position: i32,
}

/// Remembers the other tables of a run.
///
/// # Errors
/// See [`super::Error`].
pub async fn insert(connection: &mut Connection, run: RunId, references: &[RunReference]) -> Result<()> {
    let names: Vec<String> = references.iter().map(|it| it.name.clone()).collect();
    let files: Vec<uuid::Uuid> = references.iter().map(|it| it.file.0).collect();
    let ingests: Vec<uuid::Uuid> = references.iter().map(|it| it.ingest.0).collect();
    let positions: Vec<i32> = references.iter().map(|it| it.position).collect();
    sqlx::query!(
        "insert into run_references (run_id, name, file_id, ingest_id, position)
         select $1, given.name, given.file_id, given.ingest_id, given.position
         from unnest($2::text[], $3::uuid[], $4::uuid[], $5::integer[]) as given (name, file_id, ingest_id, position)",
        run.0,
        &names,
        &files,
        &ingests,
        &positions,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The other tables of a run, by name.
///
/// # Errors
/// See [`super::Error`].
pub async fn of(connection: &mut Connection, run: RunId) -> Result<BTreeMap<String, (IngestId, i32)>> {
    let rows = sqlx::query!(
        r#"select name, ingest_id as "ingest: IngestId", position from run_references where run_id = $1"#,
        run.0
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.name, (row.ingest, row.position)))
        .collect())
}

/// The other tables of a run with their files.
///
/// # Errors
/// See [`super::Error`].
pub async fn files(connection: &mut Connection, run: RunId) -> Result<Vec<RunReference>> {
    let rows = sqlx::query_as!(
        RunReference,
        r#"select name, file_id as "file: FileId", ingest_id as "ingest: IngestId", position from run_references
           where run_id = $1 order by name"#,
        run.0
    )
    .fetch_all(connection)
    .await?;
    Ok(rows)
}

/// The files behind the other tables of a run, by name, as far as their owner still has them: their ids, and the sheet's
/// position in the workbook, from 0.
///
/// # Errors
/// See [`super::Error`].
pub async fn files_of(connection: &mut Connection, run: RunId) -> Result<BTreeMap<String, (FileId, i32)>> {
    let rows = sqlx::query!(
        r#"select r.name, r.file_id as "file: FileId", r.position
           from run_references r join files f on f.id = r.file_id
           where r.run_id = $1 and f.deleted_at is null and f.ingest_id = r.ingest_id"#,
        run.0
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.name, (row.file, row.position)))
        .collect())
}

/// The files and sheets that were chosen as the other tables of a run, by name; without those that were removed since.
///
/// # Errors
/// See [`super::Error`].
pub async fn chosen(connection: &mut Connection, run: RunId) -> Result<BTreeMap<String, (FileId, i32)>> {
    let rows = sqlx::query!(
        r#"select r.name, r.file_id as "file: FileId", r.position
             from run_references r join files f on f.id = r.file_id
            where r.run_id = $1 and f.deleted_at is null"#,
        run.0
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.name, (row.file, row.position)))
        .collect())
}
