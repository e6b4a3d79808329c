//! Cells of workbooks of Excel 5 to 2003 (BIFF5 and BIFF8), by calamine, which builds a dense range of each sheet: so a pass
//! of our own counts first, and changes what would make calamine reserve memory for nothing.
//!
//! Calamine tells no number formats here: they come from that pass too.

mod biff;
mod cfb;

use std::io::Cursor;
use std::path::Path;

use calamine::{Data, Range, Reader, Xls, XlsError};

use super::dates::DAYS_FROM_1904;
use super::kind::CellKind;
use super::layout::SheetLayout;
use super::listed::Listed;
use super::refusal::{Refusal, TooMuch};
use super::source::{Cell, Cells, SheetInfo, Used};
use super::values::{Formats, Value};
use super::{Limits, ReadError};
use biff::Workbook;
use cfb::Compound;

/// A workbook of an old Excel.
pub struct XlsBook {
    xls: Xls<Cursor<Vec<u8>>>,
    scanned: Workbook,
    formats: Formats,
    listed: Listed,
    limits: Limits,
    used: Used,
}

impl XlsBook {
    /// Reads a workbook, all of it.
    ///
    /// # Errors
    /// When it is refused, or the disk fails.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self, ReadError> {
        let size = std::fs::metadata(path)?.len();
        if size > limits.old_file_bytes {
            return Err(Refusal::TooMuch(TooMuch::FileBytes(limits.old_file_bytes)).into());
        }
        let mut bytes = std::fs::read(path)?;
        let (scanned, stream) = {
            let compound = Compound::open(&bytes)?;
            let stream = workbook(&compound)?;
            (Workbook::scan(&compound.read(&stream), limits.old_cells)?, stream)
        };
        for (offset, patch) in &scanned.patches {
            stream.patch(&mut bytes, *offset, patch);
        }
        let xls = Xls::new(Cursor::new(bytes)).map_err(|error| refused(&error))?;
        let listed = Listed::of(xls.sheets_metadata())?;
        Ok(Self {
            formats: Formats::of(scanned.styles.iter().map(String::as_str)),
            xls,
            scanned,
            listed,
            limits: limits.clone(),
            used: Used::default(),
        })
    }

    pub(super) fn sheets(&self) -> &[SheetInfo] {
        &self.listed.sheets
    }

    pub(super) fn skipped(&self) -> &[String] {
        &self.listed.skipped
    }

    pub(super) fn layout(&self, sheet: &SheetInfo) -> SheetLayout {
        self.scanned(sheet).map(|it| it.layout.clone()).unwrap_or_default()
    }

    fn scanned(&self, sheet: &SheetInfo) -> Option<&biff::Sheet> {
        self.scanned.sheets.get(self.listed.place(sheet)?)
    }

    /// Starts to read a sheet.
    ///
    /// # Errors
    /// When it is not there.
    pub(super) fn cells(&mut self, sheet: &SheetInfo) -> Result<XlsCells<'_>, ReadError> {
        let range = self.xls.worksheet_range(&sheet.name).map_err(|error| refused(&error))?;
        let place = self.listed.place(sheet);
        let scanned = place.and_then(|place| self.scanned.sheets.get_mut(place));
        let mut styled = scanned.map(|it| std::mem::take(&mut it.styled)).unwrap_or_default();
        // A cell that comes twice: the last one counts, for calamine too.
        styled.sort_by_key(|(place, _)| *place);
        let shift = if self.xls.has_1904_epoch() { DAYS_FROM_1904 } else { 0.0 };
        Ok(XlsCells {
            range,
            at: 0,
            styled,
            formats: &self.formats,
            shift,
            limits: &self.limits,
            used: &mut self.used,
        })
    }
}

/// The stream with the workbook, or what the container holds instead.
fn workbook(compound: &Compound<'_>) -> Result<cfb::Stream, Refusal> {
    if compound.has("EncryptedPackage") || compound.has("EncryptionInfo") {
        return Err(Refusal::Password);
    }
    for name in ["Workbook", "Book"] {
        if let Some(stream) = compound.stream(name)? {
            return Ok(stream);
        }
    }
    Err(Refusal::NotASpreadsheet(if compound.has("WordDocument") {
        "a Word document"
    } else if compound.has("PowerPoint Document") {
        "a PowerPoint presentation"
    } else {
        "an unknown kind of file"
    }))
}

/// The cells of one sheet.
pub(super) struct XlsCells<'a> {
    range: Range<Data>,
    /// The position of the next cell in the range.
    at: usize,
    styled: Vec<((u16, u16), u16)>,
    formats: &'a Formats,
    shift: f64,
    limits: &'a Limits,
    used: &'a mut Used,
}

impl XlsCells<'_> {
    fn style(&self, row: u32, column: u32) -> usize {
        let place = (
            u16::try_from(row).unwrap_or(u16::MAX),
            u16::try_from(column).unwrap_or(u16::MAX),
        );
        let end = self.styled.partition_point(|(known, _)| *known <= place);
        let found = end.checked_sub(1).and_then(|at| self.styled.get(at));
        found
            .filter(|(known, _)| *known == place)
            .map_or(usize::MAX, |(_, style)| usize::from(*style))
    }
}

impl Cells for XlsCells<'_> {
    fn next(&mut self) -> Result<Option<Cell<'_>>, ReadError> {
        let (height, width) = self.range.get_size();
        let Some((top, left)) = self.range.start() else {
            return Ok(None);
        };
        while self.at < height * width {
            let (row, column) = (self.at / width, self.at % width);
            self.at += 1;
            let Some(value) = self.range.get((row, column)).map(Value::from) else {
                continue;
            };
            let row = top + u32::try_from(row).unwrap_or(u32::MAX);
            let column = left + u32::try_from(column).unwrap_or(u32::MAX);
            let (format, class) = self.formats.style(self.style(row, column));
            let Some((kind, number)) = value.classified(class, self.shift) else {
                continue;
            };
            let text = if matches!(kind, CellKind::Text | CellKind::Error) {
                value.text()
            } else {
                ""
            };
            self.used.take(self.limits, row + 1, column, text)?;
            return Ok(Some(Cell {
                row: row + 1,
                column,
                kind,
                number,
                text,
                format,
            }));
        }
        Ok(None)
    }

    fn formats(&self) -> &[String] {
        self.formats.codes()
    }

    fn last_row(&self) -> Option<u32> {
        self.range.end().map(|(row, _)| row + 1)
    }

    fn bytes(&self) -> (u64, u64) {
        let (height, width) = self.range.get_size();
        (self.at as u64, (height * width) as u64)
    }
}

fn refused(error: &XlsError) -> ReadError {
    match error {
        XlsError::Password => Refusal::Password.into(),
        XlsError::Io(error) => std::io::Error::new(error.kind(), error.to_string()).into(),
        other => Refusal::Damaged(other.to_string()).into(),
    }
}
