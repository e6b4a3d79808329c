//! Rows of a run's results, and where each comes from.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use sheetmill_engine::order::{
    AnswerRow, PartRow, ResultsAnswer, TraceAnswer, TracedCell, TracedChange, TracedSource, TracedStep,
};
use utoipa::ToSchema;

use super::caller::Bearer;
use super::{Api, Error};
use crate::domain::ids::{FileId, RunId};
use crate::preview::{ResultOf, RowOf};

/// The most rows of one answer.
const MOST_ROWS: usize = 1_000;
const ROWS: usize = 100;

/// Which rows.
#[derive(Debug, Deserialize)]
pub(super) struct Window {
    sheet: Option<String>,
    #[serde(default)]
    offset: u64,
    limit: Option<usize>,
}

/// Which row.
#[derive(Debug, Deserialize)]
pub(super) struct Which {
    sheet: Option<String>,
    part: Option<String>,
    follow: Option<u32>,
}

/// Rows of the result of a file.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RowsView {
    /// The sheets of which there are rows.
    sheets: Vec<String>,
    /// The one whose rows these are.
    sheet: String,
    /// The columns: the first 500.
    columns: Vec<String>,
    /// The rows.
    rows: Vec<RowView>,
    /// Whether more rows follow.
    more: bool,
}

/// A row of a result.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RowView {
    /// Its number among all rows of the sheet's result, from 1 for the first below the header.
    row: u64,
    /// Its place where the result is split by a column.
    part: Option<PartView>,
    /// The sheet's row that it comes from; null where there is no single one.
    source: Option<u64>,
    /// Its cells as they show.
    cells: Vec<String>,
}

/// A row of a part of a split result.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PartView {
    /// The value by which the result is split; empty for blanks.
    value: String,
    /// The row in that part, from 1.
    row: u64,
}

/// Where a row of a result comes from.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TraceView {
    /// The file's name.
    file: String,
    /// The sheet of whose rows it was made.
    sheet: String,
    /// Its number among all rows of that sheet's result, from 1.
    row: u64,
    /// Its place where the result is split by a column.
    part: Option<PartView>,
    /// Its cells.
    cells: Vec<CellView>,
    /// The rows that it was made of: the first 100.
    sources: Vec<SourceView>,
    /// Whether there are more of those.
    more_sources: bool,
    /// The row of the sheet that the steps are told of, where it is one of the sheet's.
    followed: Option<u32>,
    /// The steps in order.
    steps: Vec<StepView>,
    /// What cannot be told, in sentences.
    limits: Vec<String>,
}

/// A cell of a row of a result.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CellView {
    /// The column.
    column: String,
    /// What it shows.
    value: String,
    /// The cell of the sheet that it goes back to, such as `F1204`; null where there is no single one.
    address: Option<String>,
    /// Whether that has the same value.
    unchanged: bool,
}

/// A row that a row of a result was made of.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SourceView {
    /// What the recipe calls the other table that it is of; null where it is of the file itself.
    table: Option<String>,
    /// The sheet.
    sheet: String,
    /// The row as Excel numbers it.
    row: u32,
    /// Its first cells as they were read; none of another table.
    cells: Vec<String>,
}

/// What a step did to the row.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StepView {
    /// Its position in the recipe, from 1.
    step: usize,
    /// What it does, in one plain sentence.
    label: String,
    /// Whether it did anything to the row.
    touched: bool,
    /// Whether the row could be followed here.
    told: bool,
    /// What happened to it besides changed cells, in sentences.
    notes: Vec<String>,
    /// Cells that it changed or added: the first 100.
    changes: Vec<ChangeView>,
}

/// A cell that a step changed or added.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ChangeView {
    /// The column, by its name behind the step.
    column: String,
    /// What it showed; null where the column is new.
    before: Option<String>,
    /// What it shows now.
    after: String,
}

/// Gives rows of the result of a file.
#[utoipa::path(
    get,
    path = "/api/v1/runs/{id}/files/{file}/rows",
    tag = "runs",
    params(
        ("id" = String, Path, description = "The run"),
        ("file" = String, Path, description = "One of its files"),
        ("sheet" = Option<String>, Query, description = "The sheet whose rows are wanted; without one, the first"),
        ("offset" = Option<u64>, Query, description = "The first row wanted, from 0"),
        ("limit" = Option<u64>, Query, description = "At most so many rows: 100, or up to 1,000"),
    ),
    responses(
        (status = 200, description = "The rows", body = RowsView),
        (status = 404, description = "There is no such run, or the file is none of its files", body = super::error::Problem),
        (status = 409, description = "It has no result, or what it read is no longer kept", body = super::error::Problem),
        (status = 422, description = "There is no such sheet", body = super::error::Problem),
    )
)]
pub(super) async fn list(
    api: web::Data<Api>,
    caller: Bearer,
    path: web::Path<(RunId, FileId)>,
    window: web::Query<Window>,
) -> Result<HttpResponse, Error> {
    let of = result_of(&api, &caller, *path).await?;
    let limit = window.limit.unwrap_or(ROWS).min(MOST_ROWS);
    let window = window.into_inner();
    let answer = api.previews.results(of, window.sheet, (window.offset, limit)).await?;
    Ok(HttpResponse::Ok().json(RowsView::from(answer)))
}

/// Tells where a row of the result of a file comes from, and what each step did to it.
#[utoipa::path(
    get,
    path = "/api/v1/runs/{id}/files/{file}/rows/{row}",
    tag = "runs",
    params(
        ("id" = String, Path, description = "The run"),
        ("file" = String, Path, description = "One of its files"),
        ("row" = u64, Path, description = "The row of the result, from 1 for the first below the header"),
        ("sheet" = Option<String>, Query, description = "The sheet of whose rows it was made; without one, the first"),
        ("part" = Option<String>, Query, description = "Where the result is split by a column: the value of the part in which the row is counted"),
        ("follow" = Option<u32>, Query, description = "Of several rows that it was made of, the one to follow; without one, the first"),
    ),
    responses(
        (status = 200, description = "Where it comes from", body = TraceView),
        (status = 404, description = "There is no such run, or the file is none of its files", body = super::error::Problem),
        (status = 409, description = "It has no result, or what it read is no longer kept", body = super::error::Problem),
        (status = 422, description = "There is no such sheet or row", body = super::error::Problem),
    )
)]
pub(super) async fn trace(
    api: web::Data<Api>,
    caller: Bearer,
    path: web::Path<(RunId, FileId, u64)>,
    which: web::Query<Which>,
) -> Result<HttpResponse, Error> {
    let (run, file, row) = path.into_inner();
    let of = result_of(&api, &caller, (run, file)).await?;
    let Which { sheet, part, follow } = which.into_inner();
    let wanted = RowOf {
        sheet,
        part,
        row,
        follow,
    };
    let answer = api.previews.trace(of, wanted).await?;
    Ok(HttpResponse::Ok().json(TraceView::from(answer)))
}

async fn result_of(api: &Api, caller: &Bearer, (run, file): (RunId, FileId)) -> Result<ResultOf, Error> {
    let mut connection = api.pool.acquire().await?;
    let found = ResultOf::find(&mut connection, caller.user, run, file).await?;
    found.ok_or(Error::NotFound("file in a run"))
}

fn texts(row: AnswerRow) -> Vec<String> {
    row.cells.into_iter().map(|cell| cell.text).collect()
}

impl From<PartRow> for PartView {
    fn from(part: PartRow) -> Self {
        Self {
            value: part.name,
            row: part.row,
        }
    }
}

impl From<ResultsAnswer> for RowsView {
    fn from(answer: ResultsAnswer) -> Self {
        Self {
            sheets: answer.sheets,
            sheet: answer.sheet,
            columns: answer.columns.into_iter().map(|column| column.name).collect(),
            rows: answer
                .rows
                .into_iter()
                .map(|it| RowView {
                    row: it.number,
                    part: it.part.map(Into::into),
                    source: (it.row.row > 0).then_some(it.row.row),
                    cells: texts(it.row),
                })
                .collect(),
            more: answer.more,
        }
    }
}

impl From<TraceAnswer> for TraceView {
    fn from(answer: TraceAnswer) -> Self {
        Self {
            file: answer.file,
            sheet: answer.sheet,
            row: answer.row,
            part: answer.part.map(Into::into),
            cells: answer.cells.into_iter().map(Into::into).collect(),
            sources: answer.sources.into_iter().map(Into::into).collect(),
            more_sources: answer.more_sources,
            followed: answer.followed,
            steps: answer.steps.into_iter().map(Into::into).collect(),
            limits: answer.limits,
        }
    }
}

impl From<TracedCell> for CellView {
    fn from(cell: TracedCell) -> Self {
        Self {
            column: cell.column,
            value: cell.cell.text,
            address: cell.address,
            unchanged: cell.unchanged,
        }
    }
}

impl From<TracedSource> for SourceView {
    fn from(source: TracedSource) -> Self {
        Self {
            table: source.table,
            sheet: source.sheet,
            row: source.row,
            cells: source.cells.into_iter().map(|cell| cell.text).collect(),
        }
    }
}

impl From<TracedStep> for StepView {
    fn from(step: TracedStep) -> Self {
        Self {
            step: step.number,
            touched: step.touched(),
            label: step.label,
            told: step.told,
            notes: step.notes,
            changes: step.changes.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<TracedChange> for ChangeView {
    fn from(change: TracedChange) -> Self {
        Self {
            column: change.column,
            before: change.before.map(|cell| cell.text),
            after: change.after.text,
        }
    }
}
