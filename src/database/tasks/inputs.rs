//! What an attempt needs to know to do its work.

use serde_json::Value;

use crate::database::{Connection, Result};
use crate::domain::ids::{FileId, IngestId, RunId, Sha256, UserId};

/// What an ingest reads.
#[derive(Clone, Debug)]
pub struct IngestInput {
    /// The bytes.
    pub blob: Sha256,
    /// Their count.
    pub bytes: i64,
    /// How to read them.
    pub options: Value,
    /// A name for people: that of the first file with these bytes, if possible one that is read so and still there.
    pub name: String,
}

/// What an ingest reads. A run may wait for a file that its owner has removed since.
pub async fn ingest_input(conn: &mut Connection, ingest: IngestId) -> Result<Option<IngestInput>> {
    let input = sqlx::query_as!(
        IngestInput,
        r#"select i.blob as "blob: Sha256", b.bytes, i.options, f.name
           from ingests i join blobs b on b.sha256 = i.blob join files f on f.blob = i.blob
           where i.id = $1 order by f.ingest_id <> i.id, f.deleted_at is not null, f.id limit 1"#,
        ingest.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(input)
}

/// The files that have an ingest, with their owners.
pub async fn readers(conn: &mut Connection, ingest: IngestId) -> Result<Vec<(FileId, UserId)>> {
    let rows = sqlx::query!(
        r#"select id as "id: FileId", owner as "owner: UserId" from files
           where ingest_id = $1 and deleted_at is null order by id"#,
        ingest.0,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.owner)).collect())
}

/// What a recipe is applied to.
#[derive(Clone, Debug)]
pub struct RunInput {
    /// The recipe document.
    pub document: Value,
    /// What was chosen for the run's columns.
    pub choices: Value,
    /// The file's name.
    pub name: String,
    /// Its ingest, which is ready.
    pub ingest: IngestId,
    /// Positions of its tables, in sheet order.
    pub tables: Vec<i32>,
    /// Its data rows in all.
    pub rows: i64,
    /// Whether nothing is taken over from earlier runs.
    pub from_scratch: bool,
}

/// What a recipe is applied to in a file of a run. A file that its owner removed since is still there for the run.
pub async fn run_input(conn: &mut Connection, run: RunId, file: FileId) -> Result<Option<RunInput>> {
    let input = sqlx::query_as!(
        RunInput,
        r#"select u.document, u.choices, f.name, r.ingest_id as "ingest: IngestId", i.rows, u.from_scratch,
                  array(select t.position from tables t where t.ingest_id = i.id order by t.position) as "tables!"
           from run_files r join runs u on u.id = r.run_id join files f on f.id = r.file_id
                join ingests i on i.id = r.ingest_id
           where r.run_id = $1 and r.file_id = $2 and i.state = 'ready'"#,
        run.0,
        file.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(input)
}
