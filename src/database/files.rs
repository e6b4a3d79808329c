//! Files: what people uploaded, each with the ingest that reads it. Every question names the owner: a stranger's file
//! is no file.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::{Connection, Result};
use crate::domain::ids::{FileId, IngestId, Sha256, UserId};
use crate::domain::progress::Progress;
use crate::domain::states::IngestState;

/// A file with its ingest.
#[derive(Clone, Debug)]
pub struct File {
    /// Its id.
    pub id: FileId,
    /// Its name for people.
    pub name: String,
    /// `xlsx`, `csv`, …: by content, not by name.
    pub format: String,
    /// Its size.
    pub bytes: i64,
    /// Its content's name.
    pub sha256: Sha256,
    /// When it was uploaded.
    pub created_at: DateTime<Utc>,
    /// How its content is read; shared with files of the same content.
    pub ingest: IngestId,
    /// Under which options, as JSON.
    pub options: Value,
    /// The archive that it is a member of.
    pub parent: Option<FileId>,
    /// How far that has come.
    pub state: IngestState,
    /// Why it was refused or failed: a stable word …
    pub code: Option<String>,
    /// … a sentence for people …
    pub sentence: Option<String>,
    /// … and the id under which the log has the cause.
    pub reference: Option<Uuid>,
    /// Data rows in all its tables.
    pub rows: i64,
    /// How many tables it has.
    pub tables: i64,
    /// How far the reading has come, while it goes on.
    pub progress: Option<Json<Progress>>,
}

/// A new file.
#[derive(Clone, Debug)]
pub struct NewFile<'a> {
    /// Its id.
    pub id: FileId,
    /// Whose it is.
    pub owner: UserId,
    /// Its content.
    pub blob: Sha256,
    /// How that is read.
    pub ingest: IngestId,
    /// The archive that it is a member of.
    pub parent: Option<FileId>,
    /// Its name for people.
    pub name: &'a str,
    /// `xlsx`, `csv`, …: by content.
    pub format: &'a str,
}

/// Remembers files. Their blobs and ingests must be there.
///
/// # Errors
/// See [`super::Error`].
pub async fn insert(connection: &mut Connection, new: &[NewFile<'_>]) -> Result<()> {
    let ids: Vec<Uuid> = new.iter().map(|it| it.id.0).collect();
    let owners: Vec<Uuid> = new.iter().map(|it| it.owner.0).collect();
    let blobs: Vec<Vec<u8>> = new.iter().map(|it| it.blob.0.to_vec()).collect();
    let ingests: Vec<Uuid> = new.iter().map(|it| it.ingest.0).collect();
    let parents: Vec<Option<Uuid>> = new.iter().map(|it| it.parent.map(|parent| parent.0)).collect();
    let names: Vec<String> = new.iter().map(|it| it.name.to_owned()).collect();
    let formats: Vec<String> = new.iter().map(|it| it.format.to_owned()).collect();
    sqlx::query!(
        "insert into files (id, owner, blob, ingest_id, parent, name, format)
         select * from unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::uuid[], $5::uuid[], $6::text[], $7::text[])",
        &ids,
        &owners,
        &blobs,
        &ingests,
        &parents as &[Option<Uuid>],
        &names,
        &formats,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A page of the owner's files, the newest first: those older than `before`.
///
/// # Errors
/// See [`super::Error`].
pub async fn page(connection: &mut Connection, owner: UserId, before: Option<FileId>, limit: i64) -> Result<Vec<File>> {
    Ok(sqlx::query_as!(
        File,
        r#"select f.id as "id: FileId", f.name, f.format, b.bytes, f.blob as "sha256: Sha256", f.created_at,
                  i.id as "ingest: IngestId", i.options, f.parent as "parent: FileId", i.state as "state: IngestState",
                  i.code, i.sentence, i.reference, i.rows,
                  (select count(*) from tables t where t.ingest_id = i.id) as "tables!",
                  (select k.progress from tasks k where k.ingest_id = i.id and k.state = 'running'
                    order by k.id desc limit 1) as "progress: Json<Progress>"
             from files f join blobs b on b.sha256 = f.blob join ingests i on i.id = f.ingest_id
            where f.owner = $1 and f.deleted_at is null and ($2::uuid is null or f.id < $2)
            order by f.id desc limit $3"#,
        owner as UserId,
        before as Option<FileId>,
        limit,
    )
    .fetch_all(connection)
    .await?)
}

/// A file to choose.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Its id.
    pub id: FileId,
    /// Its name for people.
    pub name: String,
    /// How it is read.
    pub ingest: IngestId,
    /// How far that has come.
    pub state: IngestState,
    /// Data rows in all its tables.
    pub rows: i64,
    /// When it was uploaded.
    pub created_at: DateTime<Utc>,
}

/// The owner's files that a recipe can run on, the newest first: those with `text` in their name, without regard to case.
/// Archives are left out, for their files are there themselves.
///
/// # Errors
/// See [`super::Error`].
pub async fn choices(connection: &mut Connection, owner: UserId, text: &str, limit: i64) -> Result<Vec<Choice>> {
    Ok(sqlx::query_as!(
        Choice,
        r#"select f.id as "id: FileId", f.name, i.id as "ingest: IngestId", i.state as "state: IngestState", i.rows,
                  f.created_at
             from files f join ingests i on i.id = f.ingest_id
            where f.owner = $1 and f.deleted_at is null and i.state not in ('refused', 'failed') and f.format <> 'zip'
              and strpos(lower(f.name), lower($2)) > 0
            order by f.id desc limit $3"#,
        owner as UserId,
        text,
        limit,
    )
    .fetch_all(connection)
    .await?)
}

/// What a file's reading stands on.
#[derive(Clone, Debug)]
pub struct Bytes {
    /// Its bytes.
    pub blob: Sha256,
    /// The ingest that reads them now.
    pub ingest: IngestId,
    /// `xlsx`, `csv`, …: by content.
    pub format: String,
}

/// Locks the owner's file, so that no run starts on it meanwhile.
///
/// # Errors
/// See [`super::Error`].
pub async fn lock(connection: &mut Connection, owner: UserId, id: FileId) -> Result<Option<Bytes>> {
    Ok(sqlx::query_as!(
        Bytes,
        r#"select blob as "blob: Sha256", ingest_id as "ingest: IngestId", format from files
            where owner = $1 and id = $2 and deleted_at is null for update"#,
        owner as UserId,
        id as FileId,
    )
    .fetch_optional(connection)
    .await?)
}

/// The files that the members of the owner's archive became, in the archive's order.
///
/// # Errors
/// See [`super::Error`].
pub async fn of_archive(connection: &mut Connection, owner: UserId, archive: FileId) -> Result<Vec<File>> {
    Ok(sqlx::query_as!(
        File,
        r#"select f.id as "id: FileId", f.name, f.format, b.bytes, f.blob as "sha256: Sha256", f.created_at,
                  i.id as "ingest: IngestId", i.options, f.parent as "parent: FileId", i.state as "state: IngestState",
                  i.code, i.sentence, i.reference, i.rows,
                  (select count(*) from tables t where t.ingest_id = i.id) as "tables!",
                  (select k.progress from tasks k where k.ingest_id = i.id and k.state = 'running'
                    order by k.id desc limit 1) as "progress: Json<Progress>"
             from files f join blobs b on b.sha256 = f.blob join ingests i on i.id = f.ingest_id
            where f.owner = $1 and f.parent = $2 and f.deleted_at is null
            order by f.id"#,
        owner as UserId,
        archive as FileId,
    )
    .fetch_all(connection)
    .await?)
}

/// From now on another ingest is the file's; the caller has locked the file.
///
/// # Errors
/// See [`super::Error`].
pub async fn set_ingest(connection: &mut Connection, id: FileId, ingest: IngestId) -> Result<()> {
    sqlx::query!(
        "update files set ingest_id = $2 where id = $1",
        id as FileId,
        ingest as IngestId,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The owner's file.
///
/// # Errors
/// See [`super::Error`].
pub async fn find(connection: &mut Connection, owner: UserId, id: FileId) -> Result<Option<File>> {
    Ok(sqlx::query_as!(
        File,
        r#"select f.id as "id: FileId", f.name, f.format, b.bytes, f.blob as "sha256: Sha256", f.created_at,
                  i.id as "ingest: IngestId", i.options, f.parent as "parent: FileId", i.state as "state: IngestState",
                  i.code, i.sentence, i.reference, i.rows,
                  (select count(*) from tables t where t.ingest_id = i.id) as "tables!",
                  (select k.progress from tasks k where k.ingest_id = i.id and k.state = 'running'
                    order by k.id desc limit 1) as "progress: Json<Progress>"
             from files f join blobs b on b.sha256 = f.blob join ingests i on i.id = f.ingest_id
            where f.owner = $1 and f.id = $2 and f.deleted_at is null"#,
        owner as UserId,
        id as FileId,
    )
    .fetch_optional(connection)
    .await?)
}

/// A file that was just hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hidden {
    /// How its content was read.
    pub ingest: IngestId,
    /// Whether another visible file still needs that.
    pub still_needed: bool,
}

/// Hides the owner's file, at once and for good; `None` when they have no such file.
///
/// # Errors
/// See [`super::Error`].
pub async fn hide(connection: &mut Connection, owner: UserId, id: FileId) -> Result<Option<Hidden>> {
    let hidden = sqlx::query_scalar!(
        r#"update files set deleted_at = now() where id = $1 and owner = $2 and deleted_at is null
           returning ingest_id as "ingest: IngestId""#,
        id as FileId,
        owner as UserId,
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(ingest) = hidden else { return Ok(None) };
    let still_needed = sqlx::query_scalar!(
        r#"select exists (select from files where ingest_id = $1 and deleted_at is null) as "exists!""#,
        ingest as IngestId,
    )
    .fetch_one(connection)
    .await?;
    Ok(Some(Hidden { ingest, still_needed }))
}
