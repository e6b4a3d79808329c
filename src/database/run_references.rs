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

/// Another table of a run as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The name in the recipe.
    pub name: String,
    /// The file.
    pub file: FileId,
    /// The sheet's position in the workbook, from 0.
    pub position: i32,
    /// Whether its owner still has the file.
    pub is_there: bool,
    /// Whether the file is still read as it was for the run.
    pub is_read_so: bool,
}

/// The files and sheets that were chosen as the other tables of a run, by name.
///
/// # Errors
/// See [`super::Error`].
pub async fn chosen(connection: &mut Connection, run: RunId) -> Result<Vec<Chosen>> {
    let rows = sqlx::query_as!(
        Chosen,
        r#"select r.name, r.file_id as "file: FileId", r.position, f.deleted_at is null as "is_there!",
                  f.ingest_id = r.ingest_id as "is_read_so!"
           from run_references r join files f on f.id = r.file_id
           where r.run_id = $1 order by r.name"#,
        run.0
    )
    .fetch_all(connection)
    .await?;
    Ok(rows)
}
