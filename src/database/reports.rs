//! Reports: files that ticks made, for admins. A row makes the stored bytes visible.

use super::{Connection, Result};
use crate::domain::ids::{Sha256, TickId};

/// A report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its name for people.
    pub name: String,
    /// Where its bytes are; [`crate::storage::Key`] reads it.
    pub storage_key: String,
    /// Its size.
    pub bytes: i64,
    /// Its hash.
    pub sha256: Sha256,
}

/// Remembers the report of a tick.
pub async fn insert(conn: &mut Connection, tick: TickId, report: &Report) -> Result<()> {
    sqlx::query!(
        "insert into reports (tick_id, name, storage_key, bytes, sha256) values ($1, $2, $3, $4, $5)",
        tick.0,
        report.name,
        report.storage_key,
        report.bytes,
        report.sha256.0.as_slice(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The report of a tick.
pub async fn find(conn: &mut Connection, tick: TickId) -> Result<Option<Report>> {
    let report = sqlx::query_as!(
        Report,
        r#"select name, storage_key, bytes, sha256 as "sha256: Sha256" from reports where tick_id = $1"#,
        tick.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(report)
}
