//! Rows as XML: `<row r="2"><c r="A2"><v>1</v></c>…</row>` (ECMA-376 part 1, section 18.3.1).

use std::ops::Range;
use std::sync::Arc;

use super::super::super::kind::{CellKind, letters};
use super::super::super::view::{CellView, ColumnView};
use super::super::is_injection;
use super::super::rules::{cut, written_as};
use super::deflate::Press;
use super::strings::IN_CELL;
use super::styles::{ColumnStyles, Style, Styles};
use super::text::{has_white_ends, put_number, put_text};

/// Errors that stand in a cell; others would be none to some programs, and are results of formulas of themselves.
const CONSTANTS: [&str; 8] = [
    "#NULL!",
    "#DIV/0!",
    "#VALUE!",
    "#REF!",
    "#NAME?",
    "#NUM!",
    "#N/A",
    "#GETTING_DATA",
];

/// What all rows of a sheet share.
#[derive(Debug)]
pub(super) struct SheetStyles {
    pub(super) columns: Vec<ColumnStyles>,
    pub(super) places: Places,
}

/// The beginnings of cells.
#[derive(Debug)]
pub(super) struct Places {
    /// By column: `<c r="AB`.
    columns: Vec<String>,
    /// By style, what follows the number of the row: `" s="2"`.
    styles: Vec<String>,
}

/// Rows of a batch, to be written.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) columns: Arc<Vec<ColumnView>>,
    /// By column and row of the batch, where in the list of shared strings a text stands.
    pub(super) strings: Arc<Vec<Vec<u32>>>,
    pub(super) rows: Range<usize>,
}

impl Places {
    /// Those of the first columns of a sheet.
    pub(super) fn new(columns: usize, styles: &Styles) -> Self {
        let column = |at: usize| format!("<c r=\"{}", letters(u32::try_from(at).unwrap_or(0)));
        let style = |at: usize| {
            if at == 0 {
                "\"".to_owned()
            } else {
                format!("\" s=\"{at}\"")
            }
        };
        Self {
            columns: (0..columns).map(column).collect(),
            styles: (0..styles.len()).map(style).collect(),
        }
    }

    /// Begins a cell: `<c r="B7" s="2"`.
    fn put(&self, column: usize, row: &str, style: Style, out: &mut Vec<u8>) {
        let column = self.columns.get(column).map_or("", String::as_str);
        let style = self.styles.get(style as usize).map_or("\"", String::as_str);
        for part in [column, row, style] {
            out.extend_from_slice(part.as_bytes());
        }
    }
}

/// Writes rows, the first of which has this number, from 1; answers how many texts were cut.
pub(super) fn put_rows(mut number: u32, pieces: &[Piece], styles: &SheetStyles, press: &mut Press) -> u64 {
    let mut cut_texts = 0;
    for piece in pieces {
        let columns: Vec<_> = (piece.columns.iter().zip(piece.strings.iter()).zip(&styles.columns)).collect();
        for row in piece.rows.clone() {
            let mut digits = itoa::Buffer::new();
            let digits = digits.format(number);
            let out = press.text();
            begin_row(digits, out);
            for (at, ((column, strings), styles_of)) in columns.iter().enumerate() {
                let cell = column.cell(row);
                let shared = strings.get(row).copied().unwrap_or(IN_CELL);
                let place = |style: Style, out: &mut Vec<u8>| styles.places.put(at, digits, style, out);
                put_cell(&cell, shared, styles_of, place, &mut cut_texts, out);
            }
            out.extend_from_slice(b"</row>");
            press.pause();
            number += 1;
        }
    }
    cut_texts
}

/// Begins a row: `<row r="7">`.
fn begin_row(digits: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"<row r=\"");
    out.extend_from_slice(digits.as_bytes());
    out.extend_from_slice(b"\">");
}

/// Writes the first row: texts in styles.
pub(super) fn put_header(headers: &[(String, Style)], places: &Places, out: &mut Vec<u8>) {
    begin_row("1", out);
    for (at, (text, style)) in headers.iter().enumerate() {
        places.put(at, "1", *style, out);
        if text.is_empty() {
            out.extend_from_slice(b"/>");
        } else {
            put_string(text, IN_CELL, out);
        }
    }
    out.extend_from_slice(b"</row>");
}

fn put_cell(
    cell: &CellView<'_>,
    shared: u32,
    styles: &ColumnStyles,
    place: impl Fn(Style, &mut Vec<u8>),
    cut_texts: &mut u64,
    out: &mut Vec<u8>,
) {
    match written_as(cell) {
        CellKind::Blank => {}
        CellKind::Text if cell.text.is_empty() => {}
        CellKind::Text => {
            let text = cut(cell.text, cut_texts);
            place(
                if is_injection(text) {
                    styles.quoted
                } else {
                    styles.column
                },
                out,
            );
            put_string(text, shared, out);
        }
        CellKind::Boolean => {
            place(styles.column, out);
            let truth: &[u8] = if cell.number == 0.0 { b"0" } else { b"1" };
            out.extend_from_slice(b" t=\"b\"><v>");
            out.extend_from_slice(truth);
            out.extend_from_slice(b"</v></c>");
        }
        CellKind::Error => {
            place(styles.column, out);
            put_error(cell.text, out);
        }
        CellKind::Number | CellKind::Date | CellKind::DateTime | CellKind::Time | CellKind::Duration => {
            place(styles.of_number(cell), out);
            if cell.number.is_finite() {
                out.extend_from_slice(b"><v>");
                put_number(cell.number, out);
                out.extend_from_slice(b"</v></c>");
            } else {
                put_error("#NUM!", out);
            }
        }
    }
}

/// The rest of a cell with a text.
fn put_string(text: &str, shared: u32, out: &mut Vec<u8>) {
    if shared != IN_CELL {
        out.extend_from_slice(b" t=\"s\"><v>");
        out.extend_from_slice(itoa::Buffer::new().format(shared).as_bytes());
        out.extend_from_slice(b"</v></c>");
        return;
    }
    let begin: &[u8] = if has_white_ends(text) {
        b" t=\"inlineStr\"><is><t xml:space=\"preserve\">"
    } else {
        b" t=\"inlineStr\"><is><t>"
    };
    out.extend_from_slice(begin);
    put_text(text, out);
    out.extend_from_slice(b"</t></is></c>");
}

/// The rest of a cell with one of Excel's errors.
fn put_error(error: &str, out: &mut Vec<u8>) {
    if CONSTANTS.contains(&error) {
        out.extend_from_slice(b" t=\"e\"><v>");
    } else {
        out.extend_from_slice(b" t=\"str\"><f>");
        out.extend_from_slice(error.as_bytes());
        out.extend_from_slice(b"</f><v>");
    }
    out.extend_from_slice(error.as_bytes());
    out.extend_from_slice(b"</v></c>");
}
