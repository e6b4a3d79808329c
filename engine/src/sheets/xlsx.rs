//! Cells of xlsx workbooks, by calamine's streaming reader.
//!
//! Known of calamine 0.38, and how it is met: an error literal outside seven (`#SPILL!`) fails the read without saying where,
//! so the places of such cells are found by a second pass; a shared-string index that is no number reads as the first
//! string; CDATA inside a number reads as blank; formulas without a value read as blank.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use calamine::{DataRef, Reader, Style, Xlsx, XlsxCellReader, XlsxError};

use super::dates::DAYS_FROM_1904;
use super::kind::CellKind;
use super::layout::SheetLayout;
use super::listed::Listed;
use super::number_format::GENERAL;
use super::preflight::{Package, Part, damage, unpacking};
use super::refusal::Refusal;
use super::source::{Cell, Cells, Oddity, OddityKind, SheetInfo, Used};
use super::values::{Formats, Value, built_in};
use super::{Limits, ReadError};

/// A file that says how many bytes were read from it.
struct Counted {
    file: File,
    bytes: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.file.seek(to)
    }
}

type Source = BufReader<Counted>;

/// An xlsx workbook that passed the preflight.
pub struct XlsxBook {
    path: PathBuf,
    xlsx: Xlsx<Source>,
    package: Package,
    read: Arc<AtomicU64>,
    limits: Limits,
    listed: Listed,
    used: Used,
}

impl XlsxBook {
    /// Opens a workbook: its list of sheets, styles and shared strings are read, no cell.
    ///
    /// # Errors
    /// When it is refused, or the disk fails.
    pub(super) fn open(path: &Path, package: Package, limits: &Limits) -> Result<Self, ReadError> {
        let read = Arc::new(AtomicU64::new(0));
        let xlsx = open(path, &read)?;
        let listed = Listed::of(xlsx.sheets_metadata())?;
        Ok(Self {
            path: path.to_owned(),
            xlsx,
            package,
            read,
            limits: limits.clone(),
            listed,
            used: Used::default(),
        })
    }

    /// The worksheets, in order.
    #[must_use]
    pub fn sheets(&self) -> &[SheetInfo] {
        &self.listed.sheets
    }

    /// Names of sheets that hold no cells: charts and dialogs.
    #[must_use]
    pub fn skipped(&self) -> &[String] {
        &self.listed.skipped
    }

    /// Formulas without a value.
    #[must_use]
    pub fn oddities(&self, sheet: &SheetInfo) -> Vec<Oddity> {
        let found = self.part(sheet).map(|part| &part.found.without_value);
        let seen = found.filter(|(count, _)| *count > 0);
        seen.map(|(count, examples)| Oddity {
            kind: OddityKind::FormulaWithoutValue,
            count: *count,
            examples: examples.clone(),
        })
        .into_iter()
        .collect()
    }

    pub(super) fn layout(&self, sheet: &SheetInfo) -> SheetLayout {
        self.part(sheet)
            .map(|part| part.found.layout.clone())
            .unwrap_or_default()
    }

    fn part(&self, sheet: &SheetInfo) -> Option<&Part> {
        let place = self.listed.place(sheet)?;
        self.package.parts.get((*self.package.sheets.get(place)?)?)
    }

    /// Starts to read a sheet.
    ///
    /// # Errors
    /// When its part is missing or damaged.
    pub fn cells(&mut self, sheet: &SheetInfo) -> Result<XlsxCells<'_>, ReadError> {
        let total = self.part(sheet).map_or(0, |part| part.packed);
        self.read.store(0, Ordering::Relaxed);
        let shift = if self.xlsx.has_1904_epoch() {
            DAYS_FROM_1904
        } else {
            0.0
        };
        let reader = self
            .xlsx
            .worksheet_cells_reader(&sheet.name)
            .map_err(|error| refused(&error, &sheet.name))?;
        let formats = formats(reader.styles());
        Ok(XlsxCells {
            last_row: Some(reader.dimensions().end.0 + 1).filter(|row| *row > 1),
            reader,
            path: self.path.clone(),
            sheet: sheet.name.clone(),
            shift,
            formats,
            limits: self.limits.clone(),
            held: None,
            ordinal: 0,
            lost: None,
            read: Arc::clone(&self.read),
            total,
            used: &mut self.used,
        })
    }
}

fn open(path: &Path, read: &Arc<AtomicU64>) -> Result<Xlsx<Source>, ReadError> {
    let counted = Counted {
        file: File::open(path)?,
        bytes: Arc::clone(read),
    };
    Xlsx::new(BufReader::with_capacity(64 << 10, counted)).map_err(|error| refused(&error, "workbook"))
}

/// The formats of a style palette.
fn formats(styles: &[Style]) -> Formats {
    Formats::of(styles.iter().map(|style| match &style.number_format {
        Some(f) if f.format_code == GENERAL => locale_format(f.format_id),
        Some(f) => f.format_code.as_str(),
        None => GENERAL,
    }))
}

/// Built-in formats that differ by locale, which calamine does not know.
fn locale_format(id: Option<u32>) -> &'static str {
    let id = id.and_then(|id| u16::try_from(id).ok());
    id.filter(|id| (27..=36).contains(id) || (50..=58).contains(id))
        .map_or(GENERAL, built_in)
}

/// The cells of one sheet.
pub struct XlsxCells<'a> {
    reader: XlsxCellReader<'a, Source>,
    path: PathBuf,
    sheet: String,
    shift: f64,
    formats: Formats,
    limits: Limits,
    last_row: Option<u32>,
    /// Keeps the text of the cell that was given out last.
    held: Option<calamine::Cell<DataRef<'a>>>,
    /// Cells that the reader has passed, blank ones too.
    ordinal: u64,
    /// Places of error cells that the reader cannot read, by ordinal.
    lost: Option<Places>,
    read: Arc<AtomicU64>,
    total: u64,
    used: &'a mut Used,
}

impl XlsxCells<'_> {
    /// The next filled cell without its text, which stays in `held`.
    fn advance(&mut self) -> Result<Option<Cell<'static>>, ReadError> {
        loop {
            let (read, style) = match self.reader.next_cell_with_style_id() {
                Ok(None) => return Ok(None),
                Ok(Some(read)) => read,
                Err(XlsxError::CellError(text)) => {
                    let place = self.find_lost()?;
                    self.held = Some(calamine::Cell::new(place, DataRef::String(text)));
                    self.ordinal += 1;
                    return Ok(Some(cell(place, (CellKind::Error, 0.0), 0)));
                }
                Err(error) => return Err(refused(&error, &self.sheet)),
            };
            self.ordinal += 1;
            let (format, class) = self.formats.style(style);
            if let Some(found) = Value::from(read.get_value()).classified(class, self.shift) {
                let cell = cell(read.get_position(), found, format);
                self.held = Some(read);
                return Ok(Some(cell));
            }
        }
    }

    /// The place of the error cell that the reader has just stumbled over.
    fn find_lost(&mut self) -> Result<(u32, u32), ReadError> {
        if self.lost.is_none() {
            self.lost = Some(lost_cells(&self.path, &self.sheet)?);
        }
        let lost = self
            .lost
            .as_mut()
            .and_then(VecDeque::pop_front)
            .filter(|(ordinal, _)| *ordinal == self.ordinal);
        lost.map(|(_, place)| place)
            .ok_or_else(|| Refusal::Damaged("an error cell moved".to_owned()).into())
    }
}

/// A cell whose text is added later.
fn cell((row, column): (u32, u32), (kind, number): (CellKind, f64), format: u16) -> Cell<'static> {
    Cell {
        row: row.saturating_add(1),
        column,
        kind,
        number,
        text: "",
        format,
    }
}

impl Cells for XlsxCells<'_> {
    fn next(&mut self) -> Result<Option<Cell<'_>>, ReadError> {
        let Some(cell) = self.advance()? else { return Ok(None) };
        let text = match (cell.kind, &self.held) {
            // One that calamine does not know is held as a text.
            (CellKind::Text | CellKind::Error, Some(held)) => Value::from(held.get_value()).text(),
            _ => "",
        };
        self.used.take(&self.limits, cell.row, cell.column, text)?;
        Ok(Some(Cell { text, ..cell }))
    }

    fn formats(&self) -> &[String] {
        self.formats.codes()
    }

    fn last_row(&self) -> Option<u32> {
        self.last_row
    }

    fn bytes(&self) -> (u64, u64) {
        (self.read.load(Ordering::Relaxed).min(self.total), self.total)
    }
}

/// Cells by the number of cells before them, blank ones among these.
type Places = VecDeque<(u64, (u32, u32))>;

/// Places of the error cells that calamine cannot read: their ordinals by one pass over values, their places by another over
/// formulas, which leaves values alone.
fn lost_cells(path: &Path, sheet: &str) -> Result<Places, ReadError> {
    let mut book = open(path, &Arc::default())?;
    let failed = |error: &XlsxError| refused(error, sheet);
    let mut ordinals = VecDeque::new();
    let mut reader = book.worksheet_cells_reader(sheet).map_err(|e| failed(&e))?;
    for ordinal in 0.. {
        match reader.next_cell() {
            Ok(None) => break,
            Ok(Some(_)) => {}
            Err(XlsxError::CellError(_)) => ordinals.push_back(ordinal),
            Err(error) => return Err(failed(&error)),
        }
    }
    drop(reader);
    let mut places = VecDeque::with_capacity(ordinals.len());
    let mut reader = book.worksheet_cells_reader(sheet).map_err(|e| failed(&e))?;
    let mut ordinal = 0;
    while let Some(cell) = reader.next_formula().map_err(|e| failed(&e))? {
        if ordinals.front() == Some(&ordinal) {
            ordinals.pop_front();
            places.push_back((ordinal, cell.get_position()));
        }
        ordinal += 1;
    }
    Ok(places)
}

/// What calamine found, as a refusal; a failing disk is none.
fn refused(error: &XlsxError, part: &str) -> ReadError {
    match error {
        XlsxError::Password => Refusal::Password.into(),
        XlsxError::Io(error) => unpacking(error),
        XlsxError::Zip(error) => damage(error),
        other => Refusal::Damaged(format!("{part}: {other}")).into(),
    }
}
