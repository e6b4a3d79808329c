//! One sheet that is being written: rows wait until a block of them is there.

use std::sync::Arc;

use super::super::OutputSheet;
use super::super::rules::{WIDTH_ROWS, cut, widest, width};
use super::cells::{Piece, Places, SheetStyles, put_header};
use super::parts::{Tab, put_sheet_head};
use super::styles::{ColumnStyles, Style, Styles};

/// Cells of a block: a megabyte of XML, about.
const BLOCK_CELLS: usize = 32_768;
/// Rows of a block at most.
const BLOCK_ROWS: usize = 8192;

/// A sheet that is being written.
pub(super) struct Worksheet {
    pub(super) name: String,
    pub(super) sheet: Arc<OutputSheet>,
    /// Rows so far, the header among them.
    pub(super) rows: u32,
    /// Known once its head is written.
    pub(super) styles: Option<Arc<SheetStyles>>,
    waiting: Vec<Piece>,
    waiting_rows: usize,
}

/// Whether more rows may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Open,
    Complete,
}

impl Worksheet {
    pub(super) fn new(name: String, sheet: Arc<OutputSheet>) -> Self {
        Self {
            name,
            sheet,
            rows: 1,
            styles: None,
            waiting: Vec::new(),
            waiting_rows: 0,
        }
    }

    /// Adds rows of a batch.
    pub(super) fn add(&mut self, piece: Piece) {
        self.waiting_rows += piece.rows.len();
        self.rows += u32::try_from(piece.rows.len()).unwrap_or(0);
        self.waiting.push(piece);
    }

    /// Whether enough rows are there to know the widths of columns, and the head was not made.
    pub(super) fn wants_head(&self, ending: Ending) -> bool {
        self.styles.is_none() && (ending == Ending::Complete || self.waiting_rows >= WIDTH_ROWS)
    }

    /// What stands before the rows, and the header; counts headers that were cut.
    pub(super) fn head(&mut self, styles: &mut Styles, tab: Tab, cut_texts: &mut u64) -> Vec<u8> {
        let columns = self.column_styles(styles);
        let mut headers: Vec<(String, Style)> = Vec::with_capacity(self.sheet.columns.len());
        for column in &self.sheet.columns {
            let header = cut(&column.name, cut_texts);
            headers.push((header.to_owned(), styles.header(header)));
        }
        let widths = (0..headers.len()).map(|at| (self.width(at), columns.get(at).map_or(0, |styles| styles.column)));
        let mut out = Vec::new();
        put_sheet_head(widths, tab, &mut out);
        let places = Places::new(headers.len(), styles);
        put_header(&headers, &places, &mut out);
        self.styles = Some(Arc::new(SheetStyles { columns, places }));
        out
    }

    fn column_styles(&self, styles: &mut Styles) -> Vec<ColumnStyles> {
        let Some(first) = self.waiting.first() else {
            return Vec::new();
        };
        let of = |(at, view)| ColumnStyles::of(styles, at, view, &self.sheet);
        first.columns.iter().enumerate().map(of).collect()
    }

    /// The width of a column in characters, by its header and the first rows as they show.
    fn width(&self, at: usize) -> u16 {
        let Some(meta) = self.sheet.columns.get(at) else {
            return 0;
        };
        let (mut left, mut characters) = (WIDTH_ROWS, 0);
        for piece in &self.waiting {
            let rows = piece.rows.start..piece.rows.end.min(piece.rows.start + left);
            left -= rows.len();
            if let Some(column) = piece.columns.get(at) {
                characters = widest(column, meta, &self.sheet.formats, rows).max(characters);
            }
        }
        width(&meta.name, characters)
    }

    /// The rows of the next block with the number of the first, from 1. Where blocks end depends on the number of columns
    /// alone, not on batches.
    pub(super) fn next_block(&mut self, ending: Ending) -> Option<(u32, Vec<Piece>)> {
        let full = (BLOCK_CELLS / self.sheet.columns.len().max(1)).clamp(1, BLOCK_ROWS);
        if self.waiting_rows == 0 || (ending == Ending::Open && self.waiting_rows < full) {
            return None;
        }
        let number = self.rows - u32::try_from(self.waiting_rows).unwrap_or(0) + 1;
        let (mut block, mut left, mut whole) = (Vec::new(), full.min(self.waiting_rows), 0);
        self.waiting_rows -= left;
        for piece in &mut self.waiting {
            let until = piece.rows.end.min(piece.rows.start + left);
            left -= until - piece.rows.start;
            block.push(Piece {
                rows: piece.rows.start..until,
                ..piece.clone()
            });
            piece.rows.start = until;
            whole += usize::from(piece.rows.is_empty());
            if left == 0 {
                break;
            }
        }
        self.waiting.drain(..whole);
        Some((number, block))
    }
}
