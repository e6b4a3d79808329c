//! One pass over the records of an old workbook ([MS-XLS]) before calamine builds its dense ranges from them: what it would
//! have to hold, and what it does not tell: number formats, hidden rows and columns.

use super::super::layout::{Area, SheetLayout};
use super::super::refusal::{Refusal, TooMuch};
use super::super::values::built_in;

/// What was found in a workbook's stream.
#[derive(Debug, Default)]
pub(super) struct Workbook {
    /// The format code of each style.
    pub(super) styles: Vec<String>,
    /// Its sheets, in order, charts and macros among them.
    pub(super) sheets: Vec<Sheet>,
    /// Where records must be changed before calamine reads them, and to what.
    pub(super) patches: Vec<(usize, Vec<u8>)>,
}

/// What was found in a sheet.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    /// The styles of its cells: row and column, then the style, in the order of the stream.
    pub(super) styled: Vec<((u16, u16), u16)>,
    /// Merged areas, rows and columns that do not show.
    pub(super) layout: SheetLayout,
    first: Option<(u16, u16)>,
    last: (u16, u16),
}

/// Which of the two layouts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    Biff5,
    Biff8,
}

struct Record<'a> {
    kind: u16,
    /// Where its data begin in the stream.
    at: usize,
    data: &'a [u8],
}

/// The records from a place in the stream on; one that is cut off ends them.
fn records(stream: &[u8], from: usize) -> impl Iterator<Item = Record<'_>> {
    let mut at = from;
    std::iter::from_fn(move || {
        let head = stream.get(at..at + 4)?;
        let (kind, length) = (short(head, 0), usize::from(short(head, 2)));
        let data = stream.get(at + 4..at + 4 + length)?;
        let record = Record { kind, at: at + 4, data };
        at += 4 + length;
        Some(record)
    })
}

impl Workbook {
    /// Looks through the stream; `most` is how many cells calamine may hold, blank ones between others among them.
    ///
    /// # Errors
    /// Why it is not read.
    pub(super) fn scan(stream: &[u8], most: u64) -> Result<Self, Refusal> {
        let mut book = Self::default();
        let (mut layout, mut places) = (Layout::Biff8, Vec::new());
        let (mut formats, mut styles) = (std::collections::HashMap::new(), Vec::new());
        for record in records(stream, 0) {
            match record.kind {
                0x0809 => layout = layout_of(&record)?,
                0x0009 | 0x0209 | 0x0409 => return Err(Refusal::TooOld),
                0x002f => return Err(Refusal::Password),
                0x0042 if layout == Layout::Biff8 => book.mend_code_page(&record),
                0x0085 if record.data.len() >= 6 => places.push((long(record.data, 0) as usize, record.data[5])),
                0x041e if record.data.len() > 3 => {
                    formats.insert(short(record.data, 0), format_code(record.data, layout));
                }
                0x00e0 if record.data.len() >= 4 => styles.push(short(record.data, 2)),
                0x000a => break,
                _ => {}
            }
        }
        let code = |id: &u16| formats.get(id).cloned().unwrap_or_else(|| built_in(*id).to_owned());
        book.styles = styles.iter().map(code).collect();
        let mut cells = 0;
        for (place, kind) in places {
            if place >= stream.len() {
                return Err(Refusal::Damaged("a sheet lies behind the end".to_owned()));
            }
            // Calamine reads charts and macro sheets as well.
            let sheet = book.sheet(stream, place);
            cells += sheet.area().max(sheet.styled.len() as u64);
            if cells > most {
                return Err(Refusal::TooMuch(TooMuch::OldCells(most)));
            }
            book.sheets.push(if kind == 0 { sheet } else { Sheet::default() });
        }
        Ok(book)
    }

    /// A code page that nothing knows stops calamine, although texts of this layout do not need it.
    fn mend_code_page(&mut self, record: &Record<'_>) {
        if record.data.len() >= 2 && short(record.data, 0) != 1200 {
            self.patches.push((record.at, 1200_u16.to_le_bytes().to_vec()));
        }
    }

    fn sheet(&mut self, stream: &[u8], place: usize) -> Sheet {
        let mut sheet = Sheet::default();
        let (mut depth, mut dimensions) = (0_usize, Vec::new());
        for record in records(stream, place) {
            match record.kind {
                0x0809 => depth += 1,
                0x000a if depth <= 1 => break,
                0x000a => depth -= 1,
                // An embedded chart has records like those of cells.
                _ if depth > 1 => {}
                0x0200 => dimensions.push((record.at, record.data.len())),
                kind => sheet.see(kind, record.data),
            }
        }
        let cells = u32::try_from(sheet.styled.len()).unwrap_or(u32::MAX);
        self.patches.extend(
            dimensions
                .into_iter()
                .filter_map(|(at, length)| Some((at, dimensions_of(cells, length)?))),
        );
        sheet
    }
}

/// Calamine reserves memory for as many cells as a sheet says its area has: an area of as many cells as there are.
fn dimensions_of(cells: u32, length: usize) -> Option<Vec<u8>> {
    let zero = [0, 0];
    match length {
        // First row, row behind the last, first column, column behind the last.
        10 => {
            let rows = u16::try_from(cells.clamp(1, 60_000)).unwrap_or(1);
            let columns = u16::try_from(cells.div_ceil(u32::from(rows))).unwrap_or(1).max(1);
            Some([zero, rows.to_le_bytes(), zero, columns.to_le_bytes()].concat())
        }
        14 | 16 => {
            let rows = cells.max(1).to_le_bytes();
            Some([&[0; 4][..], &rows, &zero, &1_u16.to_le_bytes()].concat())
        }
        _ => None,
    }
}

impl Sheet {
    fn see(&mut self, kind: u16, data: &[u8]) {
        match kind {
            // Number, Label, RString, BoolErr, RK, LabelSst, Formula.
            0x0203 | 0x0204 | 0x00d6 | 0x0205 | 0x027e | 0x00fd | 0x0006 if data.len() >= 6 => {
                self.cell(short(data, 0), short(data, 2), short(data, 4));
            }
            // MulRk: a row, its first column, styles and values, its last column.
            0x00bd if data.len() >= 6 => {
                let (row, first) = (short(data, 0), short(data, 2));
                for (at, pair) in (0_u16..).zip(data[4..data.len() - 2].chunks_exact(6)) {
                    self.cell(row, first.saturating_add(at), short(pair, 0));
                }
            }
            0x0208 if data.len() >= 16 && short(data, 12) & 0x20 != 0 => {
                let row = u32::from(short(data, 0));
                self.layout.hidden_rows.push(row, row);
            }
            0x007d if data.len() >= 10 && short(data, 8) & 1 != 0 => {
                let [first, last] = [0, 2].map(|at| u32::from(short(data, at)));
                self.layout.hidden_columns.push(first, last);
            }
            0x00e5 if data.len() >= 2 => {
                for area in data[2..].chunks_exact(8).take(usize::from(short(data, 0))) {
                    let [top, bottom, left, right] = [0, 2, 4, 6].map(|at| u32::from(short(area, at)));
                    self.layout.merge(Area {
                        first: (top, left),
                        last: (bottom, right),
                    });
                }
            }
            _ => {}
        }
    }

    fn cell(&mut self, row: u16, column: u16, style: u16) {
        self.styled.push(((row, column), style));
        let first = self.first.get_or_insert((row, column));
        *first = (first.0.min(row), first.1.min(column));
        self.last = (self.last.0.max(row), self.last.1.max(column));
    }

    /// Cells of the smallest area that holds all cells.
    fn area(&self) -> u64 {
        self.first.map_or(0, |(row, column)| {
            (u64::from(self.last.0 - row) + 1) * (u64::from(self.last.1 - column) + 1)
        })
    }
}

fn layout_of(record: &Record<'_>) -> Result<Layout, Refusal> {
    if record.data.len() < 4 {
        return Ok(Layout::Biff8);
    }
    match short(record.data, 0) {
        0x0500 => Ok(Layout::Biff5),
        0x0200 | 0x0300 | 0x0400 | 0x0002 | 0x0007 => Err(Refusal::TooOld),
        0 if short(record.data, 2) == 0x1000 => Ok(Layout::Biff5),
        _ => Ok(Layout::Biff8),
    }
}

/// The code of a Format record; its letters are ASCII but for currencies, so bytes stand for Latin-1.
fn format_code(data: &[u8], layout: Layout) -> String {
    let latin = |bytes: &[u8], length: usize| bytes.iter().take(length).map(|b| char::from(*b)).collect();
    match layout {
        Layout::Biff5 => latin(&data[3..], usize::from(data[2])),
        Layout::Biff8 if data.len() < 5 => String::new(),
        Layout::Biff8 => {
            let (length, wide) = (usize::from(short(data, 2)), data[4] & 1 != 0);
            if wide {
                let units: Vec<u16> = data[5..].chunks_exact(2).take(length).map(|b| short(b, 0)).collect();
                String::from_utf16_lossy(&units)
            } else {
                latin(&data[5..], length)
            }
        }
    }
}

fn short(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]))
}

fn long(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..at + 4)
        .map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}
