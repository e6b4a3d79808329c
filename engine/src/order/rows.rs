//! A window of a table's rows, as a person sees them.

use arrow::array::{Array, AsArray};
use arrow::datatypes::UInt32Type;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;

use super::execute::OrderError;
use super::{AnswerCell, AnswerColumn, AnswerRow, Message, Report, RowFate, RowsAnswer, RowsOrder};
use crate::sheets::view::ColumnView;
use crate::tables::read::{Scan, Table};

/// Characters of a cell that are shown; a grid has no room for more.
const SHOWN_CHARS: usize = 500;
/// Cells of an answer at most: a wide sheet is shown by fewer rows.
const MOST_CELLS: usize = 200_000;
/// Characters of an answer at most, about: where there are many cells, each shows less.
const MOST_CHARS: usize = 10_000_000;

/// How much of a table goes into one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    /// Rows.
    pub(super) rows: usize,
    /// Characters of each cell.
    pub(super) chars: usize,
}

impl Room {
    /// For so many rows, if they fit, of so many columns.
    pub(super) fn of(rows: usize, columns: usize) -> Self {
        let rows = rows.min((MOST_CELLS / columns.max(1)).max(1));
        let chars = MOST_CHARS / (rows * columns).max(1);
        Self {
            rows,
            chars: chars.clamp(40, SHOWN_CHARS),
        }
    }
}

/// Answers with the rows of a window.
pub(super) fn run(order: &RowsOrder, say: &mut dyn FnMut(Message)) -> Result<Report, OrderError> {
    let table = Table::open(&order.table.folder)?;
    let shown = &table.meta().columns[..order.columns.min(table.meta().columns.len())];
    let room = Room::of(order.limit, shown.len());
    let limit = Some(room.rows as u64);
    let mut rows = Vec::with_capacity(room.rows);
    for batch in table.read(&Scan {
        offset: order.offset,
        limit,
        columns: Some((0..shown.len()).collect()),
        ..Scan::default()
    }) {
        let codes: Vec<Option<&str>> = shown.iter().map(|c| c.format.as_deref()).collect();
        rows.extend(shown_rows(&batch?, &codes, &table.meta().formats, room.chars)?);
    }
    let columns = shown
        .iter()
        .map(|c| AnswerColumn {
            name: c.name.clone(),
            kind: c.kind,
        })
        .collect();
    let total = Some(table.meta().rows);
    say(Message::Rows(Box::new(RowsAnswer {
        columns,
        rows,
        total,
        ..RowsAnswer::default()
    })));
    Ok(Report::default())
}

/// The rows of a batch whose first column is `row` (UInt32; 0 or null where a row has no single source), as they show: the
/// other columns by their number formats, mixed cells by their own.
///
/// # Errors
/// When a column has a type that no table has.
fn shown_rows(
    batch: &RecordBatch,
    codes: &[Option<&str>],
    formats: &[String],
    chars: usize,
) -> Result<Vec<AnswerRow>, ArrowError> {
    let Some((numbers, columns)) = batch.columns().split_first() else {
        return Ok(Vec::new());
    };
    let numbers = arrow::compute::cast(numbers, &arrow::datatypes::DataType::UInt32)?;
    let numbers = numbers.as_primitive::<UInt32Type>();
    let columns = columns.iter().map(ColumnView::of).collect::<Result<Vec<_>, _>>()?;
    let shown = |row: usize| AnswerRow {
        row: if numbers.is_valid(row) {
            u64::from(numbers.value(row))
        } else {
            0
        },
        fate: RowFate::Kept,
        cells: columns
            .iter()
            .enumerate()
            .map(|(at, c)| shown_cell(c, row, codes.get(at).copied().flatten(), formats, chars))
            .collect(),
        findings: Vec::new(),
    };
    Ok((0..batch.num_rows()).map(shown).collect())
}

/// One cell as it shows, at most so many characters; `code` is the number format of its column.
#[must_use]
pub(super) fn shown_cell(
    column: &ColumnView,
    row: usize,
    code: Option<&str>,
    formats: &[String],
    chars: usize,
) -> AnswerCell {
    let cell = column.cell(row);
    let shown = cell.shown(cell.code(code, formats));
    let text = match shown.char_indices().nth(chars) {
        Some((cut, _)) => format!("{}…", &shown[..cut]),
        None => shown.into_owned(),
    };
    AnswerCell {
        text,
        kind: cell.kind,
        changed: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_sheets_are_shown_by_fewer_rows_and_many_cells_by_fewer_characters() {
        assert_eq!(Room::of(200, 10), Room { rows: 200, chars: 500 });
        assert_eq!(Room::of(200, 16_384), Room { rows: 12, chars: 50 });
        assert_eq!(Room::of(200, 1_000), Room { rows: 200, chars: 50 });
        assert_eq!(Room::of(0, 0).rows, 0);
    }
}
