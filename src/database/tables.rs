//! Tables: the sheets of an ingest. Their columns and profile are in storage, in each one's `table.json`.

use super::{Connection, Result};
use crate::domain::ids::{IngestId, TableId};

/// A table as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its id.
    pub id: TableId,
    /// The sheet's position in the workbook, from 0.
    pub position: i32,
    /// The sheet's name.
    pub sheet: String,
    /// `visible`, `hidden` or `very_hidden`.
    pub visibility: String,
    /// Data rows.
    pub rows: i64,
    /// Columns.
    pub columns: i32,
}

/// A table that an attempt has made.
#[derive(Clone, Debug)]
pub struct NewTable<'a> {
    /// The sheet's position in the workbook, from 0.
    pub position: u32,
    /// The sheet's name.
    pub sheet: &'a str,
    /// `visible`, `hidden` or `very_hidden`.
    pub visibility: &'a str,
    /// Data rows.
    pub rows: u64,
    /// Columns.
    pub columns: u32,
}

/// Makes these the tables of an ingest, instead of what an earlier attempt may have left.
///
/// # Errors
/// See [`super::Error`].
pub async fn replace(connection: &mut Connection, ingest: IngestId, tables: &[NewTable<'_>]) -> Result<()> {
    sqlx::query!("delete from tables where ingest_id = $1", ingest as IngestId)
        .execute(&mut *connection)
        .await?;
    for table in tables {
        sqlx::query!(
            r#"insert into tables (id, ingest_id, position, sheet, visibility, rows, columns)
               values ($1, $2, $3, $4, $5, $6, $7)"#,
            TableId::new() as TableId,
            ingest as IngestId,
            i32::try_from(table.position).unwrap_or(i32::MAX),
            table.sheet,
            table.visibility,
            i64::try_from(table.rows).unwrap_or(i64::MAX),
            i32::try_from(table.columns).unwrap_or(i32::MAX),
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// The tables of an ingest, in sheet order.
///
/// # Errors
/// See [`super::Error`].
pub async fn of(connection: &mut Connection, ingest: IngestId) -> Result<Vec<Table>> {
    Ok(sqlx::query_as!(
        Table,
        r#"select id as "id: TableId", position, sheet, visibility, rows, columns
             from tables where ingest_id = $1 order by position"#,
        ingest as IngestId,
    )
    .fetch_all(connection)
    .await?)
}

/// The tables of several ingests, each with its ingest, in sheet order.
///
/// # Errors
/// See [`super::Error`].
pub async fn of_several(connection: &mut Connection, ingests: &[IngestId]) -> Result<Vec<(IngestId, Table)>> {
    let ids: Vec<uuid::Uuid> = ingests.iter().map(|it| it.0).collect();
    struct Row {
        ingest: IngestId,
        id: TableId,
        position: i32,
        sheet: String,
        visibility: String,
        rows: i64,
        columns: i32,
    }
    let rows = sqlx::query_as!(
        Row,
        r#"select ingest_id as "ingest: IngestId", id as "id: TableId", position, sheet, visibility, rows, columns
             from tables where ingest_id = any($1) order by ingest_id, position"#,
        &ids,
    )
    .fetch_all(connection)
    .await?;
    let both = |row| {
        let Row {
            ingest,
            id,
            position,
            sheet,
            visibility,
            rows,
            columns,
        } = row;
        (
            ingest,
            Table {
                id,
                position,
                sheet,
                visibility,
                rows,
                columns,
            },
        )
    };
    Ok(rows.into_iter().map(both).collect())
}
