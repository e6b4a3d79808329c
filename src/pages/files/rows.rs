//! `/files/{file}/tables/{position}/rows`: a window of a sheet's rows, for the grid.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use sheetmill_engine::order::RowsAnswer;

use super::table;
use super::workbook::MOST_COLUMNS;
use crate::domain::ids::{FileId, IngestId};
use crate::pages::gate::SignedIn;
use crate::pages::{PageError, Pages};

/// The most rows of one answer; the grid asks for 200.
const MOST_ROWS: u64 = 1_000;

/// Which rows.
#[derive(Debug, Deserialize)]
pub(in crate::pages) struct Window {
    #[serde(default)]
    offset: u64,
    limit: Option<u64>,
}

/// `GET /files/{file}/tables/{position}/rows?offset=…&limit=…`
pub(in crate::pages) async fn rows(
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    path: web::Path<(FileId, u32)>,
    asked: web::Query<Window>,
) -> Result<HttpResponse, PageError> {
    let (file, position) = path.into_inner();
    let mut connection = pages.pool.acquire().await?;
    let ingest = table::ready(&mut connection, session.user(), file).await?;
    drop(connection);
    let answer = window(&pages, ingest, position, asked.offset, asked.limit.unwrap_or(MOST_ROWS)).await?;
    Ok(HttpResponse::Ok().json(answer))
}

/// Rows of a table from a warm child.
pub(super) async fn window(
    pages: &Pages,
    ingest: IngestId,
    position: u32,
    offset: u64,
    limit: u64,
) -> Result<RowsAnswer, PageError> {
    let limit = usize::try_from(limit.min(MOST_ROWS)).unwrap_or_default();
    pages
        .previews
        .rows(ingest, position, (offset, limit), MOST_COLUMNS)
        .await
        .map_err(PageError::from)
}
