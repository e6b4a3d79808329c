//! What Excel allows, and what a cell is to it: for every workbook that is written.

use std::ops::Range;

use super::super::kind::CellKind;
use super::super::number_format::{FormatClass, classify};
use super::super::view::{CellView, ColumnView};
use super::OutputColumn;

/// Rows of a sheet, its header among them.
pub(super) const SHEET_ROWS: u32 = 1_048_576;
/// Columns of a sheet.
pub(super) const SHEET_COLUMNS: usize = 16_384;
/// UTF-16 units of a cell.
const CELL_UNITS: usize = 32_767;
/// Rows that are looked at for the widths of columns.
pub(super) const WIDTH_ROWS: usize = 200;
/// Widths in characters.
const WIDTHS: (usize, usize) = (8, 60);

/// The errors of Excel (ECMA-376 part 1, section 18.17.3, and those that came later).
const ERRORS: [&str; 18] = [
    "#NULL!",
    "#DIV/0!",
    "#VALUE!",
    "#REF!",
    "#NAME?",
    "#NUM!",
    "#N/A",
    "#GETTING_DATA",
    "#SPILL!",
    "#CALC!",
    "#FIELD!",
    "#BLOCKED!",
    "#CONNECT!",
    "#UNKNOWN!",
    "#BUSY!",
    "#EXTERNAL!",
    "#PYTHON!",
    "#TIMEOUT!",
];

/// The kind that a cell is written as. OpenDocument has errors that are none to Excel, and a file may call any text an error:
/// as a formula they would spoil the workbook, or run. They are texts like others.
pub(super) fn written_as(cell: &CellView<'_>) -> CellKind {
    match cell.kind {
        CellKind::Error if !ERRORS.contains(&cell.text) => CellKind::Text,
        kind => kind,
    }
}

/// Cuts a text to what Excel allows, and counts that it did.
pub(super) fn cut<'a>(text: &'a str, cut_texts: &mut u64) -> &'a str {
    if text.len() <= CELL_UNITS {
        return text;
    }
    let mut units = 0;
    for (at, c) in text.char_indices() {
        units += c.len_utf16();
        if units > CELL_UNITS {
            *cut_texts += 1;
            return &text[..at];
        }
    }
    text
}

/// The number format for cells of this kind: the column's where it suits them, else a plain one that shows them as what
/// they are.
pub(super) fn code_for(kind: CellKind, column: Option<&str>) -> Option<&str> {
    let plain = match kind {
        CellKind::Date => Some("yyyy-mm-dd"),
        CellKind::DateTime => Some("yyyy-mm-dd hh:mm:ss"),
        CellKind::Time => Some("hh:mm:ss"),
        CellKind::Duration => Some("[h]:mm:ss"),
        _ => None,
    };
    column.filter(|code| suits(kind, classify(code))).or(plain)
}

/// Negative numbers are no dates, whatever their format says.
pub(super) fn is_no_day(cell: &CellView<'_>) -> bool {
    cell.kind == CellKind::Number && cell.number < 0.0
}

/// Whether cells of this kind stay what they are under formats of this class.
pub(super) fn suits(kind: CellKind, class: FormatClass) -> bool {
    match kind {
        CellKind::Number => matches!(class, FormatClass::Number | FormatClass::Text),
        CellKind::Date | CellKind::DateTime | CellKind::Time => {
            matches!(class, FormatClass::Date | FormatClass::DateTime | FormatClass::Time)
        }
        CellKind::Duration => class == FormatClass::Duration,
        CellKind::Text => class == FormatClass::Text,
        CellKind::Blank | CellKind::Boolean | CellKind::Error => false,
    }
}

/// Characters of the widest cell of some rows, as it shows; no more are counted than a column gets.
pub(super) fn widest(column: &ColumnView, meta: &OutputColumn, formats: &[String], rows: Range<usize>) -> usize {
    let shown = |row: usize| {
        let cell = column.cell(row);
        let code = cell.code(meta.format.as_deref(), formats);
        cell.shown(code).chars().take(WIDTHS.1).count()
    };
    rows.map(shown).max().unwrap_or(0)
}

/// The width of a column in characters, by its header and its widest cell.
pub(super) fn width(header: &str, widest: usize) -> u16 {
    // Two characters are for the filter button.
    let header = header.chars().take(WIDTHS.1).count() + 2;
    u16::try_from(widest.max(header).clamp(WIDTHS.0, WIDTHS.1)).unwrap_or(0)
}
