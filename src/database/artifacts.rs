//! Artifacts: files that runs made. A row makes the stored bytes visible.

use chrono::{DateTime, Utc};

use super::{Connection, Result};
use crate::domain::ids::{ArtifactId, FileId, RunId, Sha256, UserId};
use crate::domain::states::ArtifactKind;

/// An artifact to be remembered.
#[derive(Clone, Debug)]
pub struct NewArtifact {
    /// Its id.
    pub id: ArtifactId,
    /// The run that made it.
    pub run: RunId,
    /// The file it was made from; `None`: from several.
    pub file: Option<FileId>,
    /// What it is.
    pub kind: ArtifactKind,
    /// Its name for people.
    pub name: String,
    /// Where its bytes are, as [`crate::storage::Key`] writes it; the key's parts are in [`ArtifactRow`].
    pub storage_key: String,
    /// Its media type.
    pub content_type: &'static str,
    /// Its size.
    pub bytes: i64,
    /// Its hash.
    pub sha256: Sha256,
    /// Its data rows, where it has any.
    pub rows: Option<i64>,
}

/// Remembers an artifact.
pub async fn insert(conn: &mut Connection, artifact: &NewArtifact) -> Result<()> {
    sqlx::query!(
        "insert into artifacts (id, run_id, file_id, kind, name, storage_key, content_type, bytes, sha256, rows)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        artifact.id.0,
        artifact.run.0,
        artifact.file.map(|it| it.0),
        artifact.kind.as_str(),
        artifact.name,
        artifact.storage_key,
        artifact.content_type,
        artifact.bytes,
        artifact.sha256.0.as_slice(),
        artifact.rows,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// An artifact as pages, API and downloads see it.
#[derive(Clone, Debug)]
pub struct ArtifactRow {
    /// Its id.
    pub id: ArtifactId,
    /// The run that made it.
    pub run: RunId,
    /// The file it was made from.
    pub file: Option<FileId>,
    /// What it is.
    pub kind: ArtifactKind,
    /// Its name for people.
    pub name: String,
    /// Where its bytes are; [`crate::storage::Key`] reads it.
    pub storage_key: String,
    /// Its media type.
    pub content_type: String,
    /// Its size.
    pub bytes: i64,
    /// Its hash.
    pub sha256: Sha256,
    /// Its data rows, where it has any.
    pub rows: Option<i64>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// The artifacts of a run, in the order of its files, results first.
pub async fn of_run(conn: &mut Connection, run: RunId, limit: i64) -> Result<Vec<ArtifactRow>> {
    let rows = sqlx::query_as!(
        ArtifactRow,
        r#"select a.id as "id: ArtifactId", a.run_id as "run: RunId", a.file_id as "file: FileId",
                  a.kind as "kind: ArtifactKind", a.name, a.storage_key, a.content_type, a.bytes, a.sha256 as "sha256: Sha256",
                  a.rows, a.created_at
           from artifacts a left join run_files r on r.run_id = a.run_id and r.file_id = a.file_id
           where a.run_id = $1 and a.deleted_at is null
           order by r.position nulls first, a.kind desc, a.id limit $2"#,
        run.0,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// An artifact of one of the owner's runs.
pub async fn find(conn: &mut Connection, owner: UserId, artifact: ArtifactId) -> Result<Option<ArtifactRow>> {
    let row = sqlx::query_as!(
        ArtifactRow,
        r#"select a.id as "id: ArtifactId", a.run_id as "run: RunId", a.file_id as "file: FileId",
                  a.kind as "kind: ArtifactKind", a.name, a.storage_key, a.content_type, a.bytes, a.sha256 as "sha256: Sha256",
                  a.rows, a.created_at
           from artifacts a join runs u on u.id = a.run_id
           where a.id = $1 and u.owner = $2 and a.deleted_at is null"#,
        artifact.0,
        owner.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row)
}
