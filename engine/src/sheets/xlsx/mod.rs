//! Cells of xlsx workbooks.
//!
//! The XML of sheets and shared strings is scanned here: `blocks` unpacks a part in a thread of its own, `markup` and `text` know
//! XML and the texts of cells, `cell`, `sheet` and `shared_strings` what the parts hold. What stands around it (relationships,
//! list of sheets, styles) is calamine's, and so is the whole of a sheet that holds something the scanner has not learnt:
//! another encoding, a document type, a value that is none. `streamed` goes on there, at the cell that is next.

mod blocks;
mod cell;
#[cfg(test)]
mod differential_tests;
mod markup;
mod scanned;
mod shared_file;
mod shared_strings;
mod sheet;
mod streamed;
mod text;

use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use calamine::{Reader as _, Xlsx, XlsxError};
use zip::ZipArchive;

use super::dates::DAYS_FROM_1904;
use super::kind::CellKind;
use super::layout::SheetLayout;
use super::listed::Listed;
use super::preflight::{Package, SMALL_PART, damage, scan_part, unpacking};
use super::refusal::Refusal;
use super::scan::Found;
use super::source::{Cell, Cells, Oddity, OddityKind, SheetInfo, Used};
use super::values::Formats;
use super::{Limits, ReadError};
use blocks::{BLOCK, Blocks};
use scanned::{Next, Scanned};
use shared_file::SharedFile;
use shared_strings::SharedStrings;
use streamed::Streamed;

/// Bytes of an entry of a zip's directory in front of its name (APPNOTE.TXT section 4.3.12).
const BEFORE_NAME: u64 = 46;

/// An xlsx workbook that passed the preflight.
pub struct XlsxBook {
    file: SharedFile,
    zip: ZipArchive<SharedFile>,
    /// As calamine has it, mostly without its shared strings.
    xlsx: Xlsx<SharedFile>,
    /// With them, once a sheet needs it.
    whole: Option<Whole>,
    package: Package,
    block: usize,
    limits: Limits,
    listed: Listed,
    used: Used,
    strings: Strings,
    formats: Option<Formats>,
    /// What was found in each sheet, once it was read.
    found: Vec<Option<Found>>,
    streamed: u64,
}

/// A workbook as calamine has it, and how many bytes it has read.
struct Whole {
    xlsx: Xlsx<SharedFile>,
    read: Arc<AtomicU64>,
}

/// The shared strings.
enum Strings {
    Unread,
    Read(SharedStrings),
    /// They hold something that the scanner leaves alone, and so do all sheets.
    Left,
}

impl XlsxBook {
    /// Opens a workbook: its list of sheets and its styles are read, no cell.
    ///
    /// # Errors
    /// When it is refused, or the disk fails.
    pub(super) fn open(path: &Path, package: Package, limits: &Limits) -> Result<Self, ReadError> {
        let file = SharedFile::open(File::open(path)?)?;
        let mut zip = ZipArchive::new(file.clone()).map_err(|error| damage(&error))?;
        let strings = name_of_strings(&mut zip, &package)?;
        let xlsx = match streamed::open(file.masked(strings)) {
            Ok(xlsx) => xlsx,
            Err(_) => {
                look_at_strings(&mut zip, &package, limits)?;
                streamed::open(file.clone())?
            }
        };
        let listed = Listed::of(xlsx.sheets_metadata())?;
        // Two readers of one list must agree about it.
        let agreed = xlsx.sheets_metadata().len() == package.sheets.len();
        Ok(Self {
            found: vec![None; listed.sheets.len()],
            file,
            zip,
            xlsx,
            whole: None,
            package,
            block: BLOCK,
            limits: limits.clone(),
            listed,
            used: Used::default(),
            strings: if agreed { Strings::Unread } else { Strings::Left },
            formats: None,
            streamed: 0,
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

    /// Leaves all sheets to calamine.
    pub(super) fn leave_to_calamine(&mut self) {
        self.strings = Strings::Left;
    }

    /// Sheets whose cells came from calamine so far.
    #[must_use]
    pub fn streamed(&self) -> u64 {
        self.streamed
    }

    /// Formulas without a value, of a sheet that was read.
    #[must_use]
    pub fn oddities(&self, sheet: &SheetInfo) -> Vec<Oddity> {
        let found = self.found.get(sheet.position as usize).and_then(Option::as_ref);
        let seen = found.map(|found| &found.without_value).filter(|(count, _)| *count > 0);
        seen.map(|(count, examples)| Oddity {
            kind: OddityKind::FormulaWithoutValue,
            count: *count,
            examples: examples.clone(),
        })
        .into_iter()
        .collect()
    }

    /// How a sheet is laid out. One that was not read yet is looked through for that.
    ///
    /// # Errors
    /// When its part is damaged.
    pub(super) fn layout(&mut self, sheet: &SheetInfo) -> Result<SheetLayout, ReadError> {
        let place = sheet.position as usize;
        if self.found.get(place).is_some_and(Option::is_none) {
            let found = self.look_through(sheet)?;
            if let Some(held) = self.found.get_mut(place) {
                *held = found;
            }
        }
        let found = self.found.get(place).and_then(Option::as_ref);
        Ok(found.map(|found| found.layout.clone()).unwrap_or_default())
    }

    /// The position of a sheet's part in the package.
    fn part(&self, sheet: &SheetInfo) -> Option<usize> {
        let place = self.listed.place(sheet)?;
        *self.package.sheets.get(place)?
    }

    fn look_through(&mut self, sheet: &SheetInfo) -> Result<Option<Found>, ReadError> {
        let Some(part) = self.part(sheet) else { return Ok(None) };
        let blocks = Blocks::of(&self.zip, part, self.block, &self.limits)?;
        if let Some(found) = scanned::look_through(blocks)? {
            return Ok(Some(found));
        }
        scan_part(&mut self.zip, part, &self.limits).map(Some)
    }

    /// Starts to read a sheet.
    ///
    /// # Errors
    /// When its part is missing or damaged.
    pub fn cells(&mut self, sheet: &SheetInfo) -> Result<XlsxCells<'_>, ReadError> {
        let part = self.part(sheet);
        let scanned = part.map_or(Ok(None), |part| self.scan(sheet, part))?;
        let total = part.and_then(|part| self.package.parts.get(part));
        let (packed, unpacked) = total.map_or((0, 0), |part| (part.packed, part.bytes));
        let strings = match &self.strings {
            Strings::Read(strings) => Some(strings),
            Strings::Unread | Strings::Left => None,
        };
        let mut cells = XlsxCells {
            sheet: sheet.name.clone(),
            shift: shift(&self.xlsx),
            formats: self.formats.clone().unwrap_or_else(|| Formats::of([])),
            last_row: scanned.as_ref().and_then(Scanned::last_row),
            packed,
            unpacked,
            scanned,
            strings,
            streamed: None,
            fallback: Some(Fallback {
                file: &self.file,
                zip: &mut self.zip,
                package: &self.package,
                part,
                whole: &mut self.whole,
                count: &mut self.streamed,
            }),
            found: self.found.get_mut(sheet.position as usize),
            read: Arc::default(),
            limits: self.limits.clone(),
            used: &mut self.used,
        };
        if cells.scanned.is_none() {
            cells.stream(0)?;
        }
        Ok(cells)
    }

    /// Starts to scan a sheet, up to its rows; nothing where it is to be left alone.
    fn scan(&mut self, sheet: &SheetInfo, part: usize) -> Result<Option<Scanned>, ReadError> {
        if matches!(self.strings, Strings::Left) {
            return Ok(None);
        }
        let Some(scanned) = Scanned::of(Blocks::of(&self.zip, part, self.block, &self.limits)?)? else {
            return Ok(None);
        };
        if matches!(self.strings, Strings::Unread) {
            self.strings = self.read_strings()?;
        }
        if self.formats.is_none() {
            // Calamine tells the styles of a workbook beside the cells of a sheet.
            let reader = self.xlsx.worksheet_cells_reader(&sheet.name);
            self.formats = reader.ok().map(|reader| streamed::formats(reader.styles()));
        }
        let can = self.formats.is_some() && matches!(self.strings, Strings::Read(_));
        Ok(can.then_some(scanned))
    }

    fn read_strings(&self) -> Result<Strings, ReadError> {
        let Some(part) = self.package.strings else {
            return Ok(Strings::Read(SharedStrings::default()));
        };
        let read = SharedStrings::read(Blocks::of(&self.zip, part, self.block, &self.limits)?)?;
        Ok(read.map_or(Strings::Left, Strings::Read))
    }
}

fn shift(xlsx: &Xlsx<SharedFile>) -> f64 {
    if xlsx.has_1904_epoch() { DAYS_FROM_1904 } else { 0.0 }
}

/// Where the name of the shared strings stands in the zip's directory; without it calamine does not find them.
fn name_of_strings(zip: &mut ZipArchive<SharedFile>, package: &Package) -> Result<Range<u64>, ReadError> {
    let Some(part) = package.strings else { return Ok(0..0) };
    let entry = zip.by_index_raw(part).map_err(|error| damage(&error))?;
    let start = entry.central_header_start() + BEFORE_NAME;
    Ok(start..start + entry.name_raw().len() as u64)
}

/// Looks through the shared strings before calamine sees them.
fn look_at_strings(zip: &mut ZipArchive<SharedFile>, package: &Package, limits: &Limits) -> Result<(), ReadError> {
    let part = package.strings.and_then(|at| Some((at, package.parts.get(at)?)));
    if let Some((at, _)) = part.filter(|(_, part)| part.bytes > SMALL_PART) {
        scan_part(zip, at, limits)?;
    }
    Ok(())
}

/// What it takes to go on with calamine.
struct Fallback<'a> {
    file: &'a SharedFile,
    zip: &'a mut ZipArchive<SharedFile>,
    package: &'a Package,
    part: Option<usize>,
    whole: &'a mut Option<Whole>,
    count: &'a mut u64,
}

/// The cells of one sheet.
pub struct XlsxCells<'a> {
    sheet: String,
    shift: f64,
    formats: Formats,
    limits: Limits,
    last_row: Option<u32>,
    strings: Option<&'a SharedStrings>,
    scanned: Option<Scanned>,
    streamed: Option<Streamed<'a>>,
    fallback: Option<Fallback<'a>>,
    found: Option<&'a mut Option<Found>>,
    read: Arc<AtomicU64>,
    packed: u64,
    unpacked: u64,
    used: &'a mut Used,
}

/// A cell whose text stays where it is.
#[derive(Clone, Copy, Debug)]
struct Advanced {
    row: u32,
    column: u32,
    kind: CellKind,
    number: f64,
    format: u16,
}

impl Advanced {
    fn of((row, column): (u32, u32), (kind, number): (CellKind, f64), format: u16) -> Self {
        Self {
            row: row.saturating_add(1),
            column,
            kind,
            number,
            format,
        }
    }
}

impl XlsxCells<'_> {
    /// The next filled cell without its text.
    #[inline]
    fn advance(&mut self) -> Result<Option<Advanced>, ReadError> {
        if let (Some(scanned), Some(strings)) = (&mut self.scanned, self.strings) {
            match scanned.advance(&self.formats, strings, self.shift)? {
                Next::Cell(cell) => return Ok(Some(cell)),
                Next::End => {
                    if let Some(held) = self.found.as_deref_mut() {
                        held.get_or_insert_with(|| scanned.take_found());
                    }
                    return Ok(None);
                }
                Next::NoString => {
                    return Err(Refusal::Damaged(format!("{}: a shared string that is none", self.sheet)).into());
                }
                Next::Odd { passed } => self.stream(passed)?,
            }
        }
        self.streamed.as_mut().map_or(Ok(None), Streamed::advance)
    }

    /// Goes on with calamine, behind so many cells.
    fn stream(&mut self, passed: u64) -> Result<(), ReadError> {
        self.scanned = None;
        let Some(fallback) = self.fallback.take() else {
            return Ok(());
        };
        if let Some(part) = fallback.part {
            let found = scan_part(fallback.zip, part, &self.limits)?;
            if let Some(held) = self.found.as_deref_mut() {
                *held = Some(found);
            }
        }
        if fallback.whole.is_none() {
            look_at_strings(fallback.zip, fallback.package, &self.limits)?;
            let file = fallback.file.clone();
            let read = file.count();
            let xlsx = streamed::open(file)?;
            *fallback.whole = Some(Whole { xlsx, read });
        }
        *fallback.count += 1;
        let Some(whole) = fallback.whole else { return Ok(()) };
        whole.read.store(0, Ordering::Relaxed);
        self.read = Arc::clone(&whole.read);
        let streamed = Streamed::of(&mut whole.xlsx, fallback.file, &self.sheet, self.shift, passed)?;
        self.formats = streamed.formats().clone();
        self.last_row = self.last_row.or(streamed.last_row());
        self.streamed = Some(streamed);
        Ok(())
    }
}

impl Cells for XlsxCells<'_> {
    #[inline]
    fn next(&mut self) -> Result<Option<Cell<'_>>, ReadError> {
        let Some(cell) = self.advance()? else { return Ok(None) };
        let text = match (cell.kind, &self.scanned, &self.streamed) {
            (CellKind::Text | CellKind::Error, Some(scanned), _) => scanned.text(self.strings),
            (CellKind::Text | CellKind::Error, None, Some(streamed)) => streamed.text(),
            _ => "",
        };
        self.used.take(&self.limits, cell.row, cell.column, text)?;
        Ok(Some(Cell {
            row: cell.row,
            column: cell.column,
            kind: cell.kind,
            number: cell.number,
            text,
            format: cell.format,
        }))
    }

    fn formats(&self) -> &[String] {
        self.formats.codes()
    }

    fn last_row(&self) -> Option<u32> {
        self.last_row
    }

    fn bytes(&self) -> (u64, u64) {
        let read = match &self.scanned {
            // A part is packed evenly enough.
            Some(scanned) => {
                let share = u128::from(scanned.passed()) * u128::from(self.packed) / u128::from(self.unpacked.max(1));
                u64::try_from(share).unwrap_or(u64::MAX)
            }
            None => self.read.load(Ordering::Relaxed),
        };
        (read.min(self.packed), self.packed)
    }
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
