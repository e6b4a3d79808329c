//! Cells on their way from a sheet into a table: a few thousand rows at a time, by column, not yet typed.

use crate::sheets::CellKind;
use crate::sheets::source::Cell;
use crate::sheets::view::CellView;

/// A chunk is handed on at so many rows, …
const ROWS: usize = 8192;
/// … at so many rows times columns (a sheet may be 16,384 columns wide), …
const CELLS: usize = 1 << 20;
/// … or at so many bytes of text.
const TEXT_BYTES: usize = 8 << 20;

/// The cells of one column over the rows of a chunk; rows behind its last filled cell are left out.
#[derive(Clone, Debug, Default)]
pub(super) struct RawColumn {
    kinds: Vec<u8>,
    numbers: Vec<f64>,
    formats: Vec<u16>,
    ends: Vec<u32>,
    text: String,
}

impl RawColumn {
    /// A column without any filled cell.
    pub(super) const BLANK: Self = Self {
        kinds: Vec::new(),
        numbers: Vec::new(),
        formats: Vec::new(),
        ends: Vec::new(),
        text: String::new(),
    };

    /// The cell in this row of the chunk, and the position of its number format.
    pub(super) fn cell(&self, row: usize) -> CellView<'_> {
        let kind = self
            .kinds
            .get(row)
            .map_or(CellKind::Blank, |code| CellKind::from_code(*code));
        let number = self.numbers.get(row).copied().unwrap_or(0.0);
        let text = match kind {
            CellKind::Text | CellKind::Error => self.text_of(row),
            _ => "",
        };
        CellView {
            kind,
            number,
            text,
            format: self.formats.get(row).copied(),
        }
    }

    fn text_of(&self, row: usize) -> &str {
        let end = |row: usize| self.ends.get(row).map_or(0, |end| *end as usize);
        let start = row.checked_sub(1).map_or(0, end);
        self.text.get(start..end(row)).unwrap_or_default()
    }

    fn pad(&mut self, rows: usize) {
        let end = self.ends.last().copied().unwrap_or(0);
        self.kinds.resize(rows, 0);
        self.numbers.resize(rows, 0.0);
        self.formats.resize(rows, 0);
        self.ends.resize(rows, end);
    }

    fn put(&mut self, row: usize, cell: &Cell<'_>) {
        // A cell that a broken file gives twice: the last one counts.
        if self.kinds.len() > row {
            self.kinds.truncate(row);
            self.numbers.truncate(row);
            self.formats.truncate(row);
            self.ends.truncate(row);
            self.text.truncate(self.ends.last().map_or(0, |end| *end as usize));
        } else {
            self.pad(row);
        }
        self.kinds.push(cell.kind.code());
        self.numbers.push(cell.number);
        self.formats.push(cell.format);
        self.text.push_str(cell.text);
        self.ends.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
    }

    /// Bytes of text in it.
    pub(super) fn text_bytes(&self) -> usize {
        self.text.len()
    }
}

/// Some consecutive rows of a sheet.
#[derive(Clone, Debug, Default)]
pub struct Chunk {
    /// The row numbers as Excel shows them.
    pub(super) rows: Vec<u32>,
    /// The columns from the first; those behind the last filled one are left out.
    pub(super) columns: Vec<RawColumn>,
    text_bytes: usize,
}

impl Chunk {
    /// Adds a filled cell. Cells come row by row.
    pub fn push(&mut self, cell: &Cell<'_>) {
        if self.rows.last() != Some(&cell.row) {
            self.rows.push(cell.row);
        }
        let column = cell.column as usize;
        if self.columns.len() <= column {
            self.columns.resize_with(column + 1, RawColumn::default);
        }
        self.text_bytes += cell.text.len();
        if let Some(column) = self.columns.get_mut(column) {
            column.put(self.rows.len() - 1, cell);
        }
    }

    /// Whether a cell of this row should go to a new chunk.
    #[must_use]
    pub fn is_full_before(&self, row: u32) -> bool {
        let rows = self.rows.len();
        let full = rows >= ROWS || rows * self.columns.len() >= CELLS || self.text_bytes >= TEXT_BYTES;
        full && self.rows.last() != Some(&row)
    }

    /// Bytes of text in it.
    pub(super) fn text_bytes(&self) -> usize {
        self.text_bytes
    }

    /// Rows in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(row: u32, column: u32, text: &str) -> Cell<'_> {
        Cell {
            row,
            column,
            kind: CellKind::Text,
            number: 0.0,
            text,
            format: 0,
        }
    }

    #[test]
    fn gaps_are_blank_and_a_repeated_cell_counts_once() {
        let mut chunk = Chunk::default();
        for cell in [text(1, 0, "a"), text(3, 2, "b"), text(3, 0, "old"), text(3, 0, "new")] {
            chunk.push(&cell);
        }
        assert_eq!(chunk.rows, [1, 3]);
        let cells = |column: usize| [chunk.columns[column].cell(0).text, chunk.columns[column].cell(1).text];
        assert_eq!(cells(0), ["a", "new"]);
        assert_eq!(cells(1), ["", ""]);
        assert_eq!(cells(2), ["", "b"]);
        assert_eq!(chunk.columns[1].cell(1).kind, CellKind::Blank);
    }
}
