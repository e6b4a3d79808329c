//! Members of archives, as they were found when the archive was unpacked.

use super::{Connection, Result};
use crate::domain::ids::{IngestId, Sha256};

/// A member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name for people.
    pub name: String,
    /// Its bytes.
    pub bytes: i64,
    /// Its content; nothing where it is not taken.
    pub blob: Option<Sha256>,
    /// Its format, where it is taken.
    pub format: Option<String>,
    /// A stable word for why it is not taken …
    pub code: Option<String>,
    /// … and the sentence for it.
    pub sentence: Option<String>,
}

/// Makes these the members of an archive, instead of what an earlier attempt may have left.
///
/// # Errors
/// See [`super::Error`].
pub async fn replace(connection: &mut Connection, ingest: IngestId, members: &[Member]) -> Result<()> {
    sqlx::query!("delete from members where ingest_id = $1", ingest as IngestId)
        .execute(&mut *connection)
        .await?;
    let names: Vec<String> = members.iter().map(|it| it.name.clone()).collect();
    let bytes: Vec<i64> = members.iter().map(|it| it.bytes).collect();
    let blobs: Vec<Option<Vec<u8>>> = members.iter().map(|it| it.blob.map(|blob| blob.0.to_vec())).collect();
    let formats: Vec<Option<String>> = members.iter().map(|it| it.format.clone()).collect();
    let codes: Vec<Option<String>> = members.iter().map(|it| it.code.clone()).collect();
    let sentences: Vec<Option<String>> = members.iter().map(|it| it.sentence.clone()).collect();
    sqlx::query!(
        "insert into members (ingest_id, position, name, bytes, blob, format, code, sentence)
         select $1, given.position - 1, given.name, given.bytes, given.blob, given.format, given.code, given.sentence
         from unnest($2::text[], $3::bigint[], $4::bytea[], $5::text[], $6::text[], $7::text[])
              with ordinality as given (name, bytes, blob, format, code, sentence, position)",
        ingest as IngestId,
        &names,
        &bytes,
        &blobs as &[Option<Vec<u8>>],
        &formats as &[Option<String>],
        &codes as &[Option<String>],
        &sentences as &[Option<String>],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The members of an archive, in its order.
///
/// # Errors
/// See [`super::Error`].
pub async fn of(connection: &mut Connection, ingest: IngestId) -> Result<Vec<Member>> {
    Ok(sqlx::query_as!(
        Member,
        r#"select name, bytes, blob as "blob: Sha256", format, code, sentence
             from members where ingest_id = $1 order by position"#,
        ingest as IngestId,
    )
    .fetch_all(connection)
    .await?)
}

/// Under which options an archive, and so its members, are read, as JSON.
///
/// # Errors
/// See [`super::Error`].
pub async fn options(connection: &mut Connection, ingest: IngestId) -> Result<serde_json::Value> {
    Ok(
        sqlx::query_scalar!("select options from ingests where id = $1", ingest as IngestId)
            .fetch_one(connection)
            .await?,
    )
}
