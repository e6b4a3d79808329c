//! Cells by calamine's streaming reader: of sheets that the scanner leaves alone.
//!
//! Known of calamine 0.38, and how it is met: an error literal outside seven (`#SPILL!`) fails the read without saying where,
//! so the places of such cells are found by a second pass; a shared-string index that is no number reads as the first
//! string; CDATA inside a number reads as blank; formulas without a value read as blank.

use std::collections::VecDeque;

use calamine::{DataRef, Reader as _, Style, Xlsx, XlsxCellReader, XlsxError};

use super::shared_file::SharedFile;
use super::{Advanced, refused};
use crate::sheets::ReadError;
use crate::sheets::kind::CellKind;
use crate::sheets::number_format::GENERAL;
use crate::sheets::refusal::Refusal;
use crate::sheets::values::{Formats, Value, built_in};

/// Opens a workbook: its list of sheets, styles and shared strings are read, no cell.
pub(super) fn open(file: SharedFile) -> Result<Xlsx<SharedFile>, ReadError> {
    Xlsx::new(file).map_err(|error| refused(&error, "workbook"))
}

/// The formats of a style palette.
pub(super) fn formats(styles: &[Style]) -> Formats {
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
pub(super) struct Streamed<'a> {
    reader: XlsxCellReader<'a, SharedFile>,
    file: SharedFile,
    sheet: String,
    shift: f64,
    formats: Formats,
    /// Keeps the text of the cell that was given out last.
    held: Option<calamine::Cell<DataRef<'a>>>,
    /// Cells that the reader has passed, blank ones too.
    ordinal: u64,
    /// Places of error cells that the reader cannot read, by ordinal.
    lost: Option<Places>,
}

impl<'a> Streamed<'a> {
    /// Starts to read a sheet of the workbook in this file, behind its first `passed` cells, blank ones among them.
    pub(super) fn of(
        xlsx: &'a mut Xlsx<SharedFile>,
        file: &SharedFile,
        sheet: &str,
        shift: f64,
        passed: u64,
    ) -> Result<Self, ReadError> {
        let reader = xlsx
            .worksheet_cells_reader(sheet)
            .map_err(|error| refused(&error, sheet))?;
        let formats = formats(reader.styles());
        let mut streamed = Self {
            reader,
            file: file.clone(),
            sheet: sheet.to_owned(),
            shift,
            formats,
            held: None,
            ordinal: 0,
            lost: None,
        };
        while streamed.ordinal < passed && streamed.read()?.is_some() {}
        Ok(streamed)
    }

    pub(super) fn formats(&self) -> &Formats {
        &self.formats
    }

    /// The last row that the sheet says it has, from 1.
    pub(super) fn last_row(&self) -> Option<u32> {
        Some(self.reader.dimensions().end.0.saturating_add(1)).filter(|row| *row > 1)
    }

    /// The next filled cell without its text.
    pub(super) fn advance(&mut self) -> Result<Option<Advanced>, ReadError> {
        while let Some(read) = self.read()? {
            if read.is_some() {
                return Ok(read);
            }
        }
        Ok(None)
    }

    /// The next cell, if there is one; nothing in it where it is blank.
    fn read(&mut self) -> Result<Option<Option<Advanced>>, ReadError> {
        let (read, style) = match self.reader.next_cell_with_style_id() {
            Ok(None) => return Ok(None),
            Ok(Some(read)) => read,
            Err(XlsxError::CellError(text)) => {
                let place = self.find_lost()?;
                self.held = Some(calamine::Cell::new(place, DataRef::String(text)));
                self.ordinal += 1;
                return Ok(Some(Some(Advanced::of(place, (CellKind::Error, 0.0), 0))));
            }
            Err(error) => return Err(refused(&error, &self.sheet)),
        };
        self.ordinal += 1;
        let (format, class) = self.formats.style(style);
        let found = Value::from(read.get_value()).classified(class, self.shift);
        let cell = found.map(|found| Advanced::of(read.get_position(), found, format));
        self.held = Some(read);
        Ok(Some(cell))
    }

    /// The text of the cell that was given out last. An error that calamine does not know is held as a text.
    pub(super) fn text(&self) -> &str {
        self.held
            .as_ref()
            .map_or("", |held| Value::from(held.get_value()).text())
    }

    /// The place of the error cell that the reader has just stumbled over.
    fn find_lost(&mut self) -> Result<(u32, u32), ReadError> {
        if self.lost.is_none() {
            self.lost = Some(lost_cells(&self.file, &self.sheet)?);
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

/// Cells by the number of cells before them, blank ones among these.
type Places = VecDeque<(u64, (u32, u32))>;

/// Places of the error cells that calamine cannot read: their ordinals by one pass over values, their places by another over
/// formulas, which leaves values alone.
fn lost_cells(file: &SharedFile, sheet: &str) -> Result<Places, ReadError> {
    let mut book = open(file.clone())?;
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
