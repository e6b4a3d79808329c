//! Blobs that nothing needs. A blob is needed by a file that is there or was removed only lately, by a run that has not ended,
//! by a reading that is under way, and by an archive that has it as a member.

use std::time::Duration;

use super::seconds;
use crate::database::{Connection, Result};
use crate::domain::ids::{IngestId, Sha256};

/// Blobs that nothing needs, that nobody wanted for `safe`, and whose files were removed more than `removed` ago.
pub async fn unneeded(conn: &mut Connection, safe: Duration, removed: Duration, limit: i64) -> Result<Vec<Sha256>> {
    some(conn, None, safe, removed, limit).await
}

async fn some(
    conn: &mut Connection,
    only: Option<Sha256>,
    safe: Duration,
    removed: Duration,
    limit: i64,
) -> Result<Vec<Sha256>> {
    let only = only.map(|it| it.0.to_vec());
    let found = sqlx::query_scalar!(
        r#"select b.sha256 as "sha256: Sha256" from blobs b
           where b.gone_at is null and b.wanted_at <= now() - make_interval(secs => $2)
             and ($1::bytea is null or b.sha256 = $1)
             and not exists (
                 select from files f where f.blob = b.sha256
                    and (f.deleted_at is null or f.deleted_at > now() - make_interval(secs => $3)))
             and not exists (
                 select from ingests i join run_files r on r.ingest_id = i.id join runs u on u.id = r.run_id
                  where i.blob = b.sha256 and u.finished_at is null)
             and not exists (
                 select from ingests i join run_references r on r.ingest_id = i.id join runs u on u.id = r.run_id
                  where i.blob = b.sha256 and u.finished_at is null)
             and not exists (
                 select from ingests i join tasks t on t.ingest_id = i.id
                  where i.blob = b.sha256 and t.state in ('waiting', 'queued', 'running'))
             and not exists (
                 select from members m join ingests i on i.id = m.ingest_id join blobs a on a.sha256 = i.blob
                  where m.blob = b.sha256 and a.gone_at is null)
           order by b.sha256 limit $4 for update of b skip locked"#,
        only,
        seconds(safe),
        seconds(removed),
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(found)
}

/// A blob under its lock: whoever wants it waits until the transaction ends.
#[derive(Clone, Debug)]
pub struct Held {
    /// Its size.
    pub bytes: i64,
    /// How it was read.
    pub ingests: Vec<IngestId>,
}

/// Locks a blob that is still not needed, with its ingests; `None` when it is, or when somebody else has it.
pub async fn hold(conn: &mut Connection, blob: Sha256, safe: Duration, removed: Duration) -> Result<Option<Held>> {
    if some(&mut *conn, Some(blob), safe, removed, 1).await?.is_empty() {
        return Ok(None);
    }
    let bytes = sqlx::query_scalar!("select bytes from blobs where sha256 = $1", blob.0.as_slice())
        .fetch_one(&mut *conn)
        .await?;
    let ingests = sqlx::query_scalar!(
        r#"select id as "id: IngestId" from ingests where blob = $1 order by id for update"#,
        blob.0.as_slice(),
    )
    .fetch_all(conn)
    .await?;
    Ok(Some(Held { bytes, ingests }))
}

/// Forgets a held blob whose bytes are gone: its readings, its removed files, itself. What the history of a run names stays as
/// a mere name: such a reading has failed, so that the next one who wants it reads anew.
pub async fn forget_blob(conn: &mut Connection, blob: Sha256) -> Result<()> {
    let hash = blob.0.as_slice();
    sqlx::query!(
        "delete from files f where f.blob = $1 and f.deleted_at is not null
            and not exists (select from run_files r where r.file_id = f.id)
            and not exists (select from run_references r where r.file_id = f.id)
            and not exists (select from tasks t where t.file_id = f.id)
            and not exists (select from artifacts a where a.file_id = f.id)
            and not exists (select from files c where c.parent = f.id)",
        hash,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "delete from ingests i where i.blob = $1
            and not exists (select from files f where f.ingest_id = i.id)
            and not exists (select from run_files r where r.ingest_id = i.id)
            and not exists (select from run_references r where r.ingest_id = i.id)",
        hash,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "delete from tables where ingest_id in (select id from ingests where blob = $1)",
        hash,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "delete from members where ingest_id in (select id from ingests where blob = $1)",
        hash,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update ingests set state = 'failed', code = 'removed', sentence = 'The file was removed.', rows = 0, finished_at = now()
          where blob = $1 and state not in ('refused', 'failed')",
        hash,
    )
    .execute(&mut *conn)
    .await?;
    let gone = sqlx::query!(
        "delete from blobs b where b.sha256 = $1
            and not exists (select from files f where f.blob = b.sha256)
            and not exists (select from ingests i where i.blob = b.sha256)
            and not exists (select from members m where m.blob = b.sha256)",
        hash,
    )
    .execute(&mut *conn)
    .await?;
    if gone.rows_affected() == 0 {
        sqlx::query!("update blobs set gone_at = now() where sha256 = $1", hash)
            .execute(conn)
            .await?;
    }
    Ok(())
}
