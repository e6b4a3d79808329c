//! Cells of binary workbooks (.xlsb, [MS-XLSB]), by calamine's streaming reader.
//!
//! Known of calamine 0.38: it tells no styles, passes over formulas that give an error, and stumbles over records that are
//! too short. So the records of a sheet are read a second time beside it, only for places, styles and errors; before that, a
//! pass looks whether calamine can read them.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use calamine::{CellErrorType, DataRef, Reader, Xlsb, XlsbError};
use zip::ZipArchive;

use super::dates::DAYS_FROM_1904;
use super::kind::CellKind;
use super::layout::{Area, SheetLayout};
use super::listed::Listed;
use super::preflight::{Package, damage, unpacking};
use super::refusal::Refusal;
use super::source::{Cell, Cells, SheetInfo, Used};
use super::values::{Formats, Value, built_in, error_text};
use super::{Limits, ReadError};

/// Calamine holds a record whole; honest ones are as long as a cell's text.
const LONGEST_RECORD: u64 = 8 << 20;
/// Bytes of a cell's, row's or column's record that places, styles and flags stand in; of a format, its code.
const PLACES: usize = 20;
const CODES: usize = 1024;

type Source = BufReader<File>;

/// A binary workbook that passed the preflight.
pub struct XlsbBook {
    xlsb: Xlsb<Source>,
    /// The records of the sheets, read beside calamine.
    records: ZipArchive<Source>,
    package: Package,
    formats: Formats,
    listed: Listed,
    limits: Limits,
    used: Used,
}

impl XlsbBook {
    /// Opens a workbook: its list of sheets, styles and shared strings are read, no cell.
    ///
    /// # Errors
    /// When it is refused, or the disk fails.
    pub(super) fn open(path: &Path, package: Package, limits: &Limits) -> Result<Self, ReadError> {
        let mut records = ZipArchive::new(BufReader::new(File::open(path)?)).map_err(|error| damage(&error))?;
        let formats = formats(&mut records, &package)?;
        let xlsb = Xlsb::new(BufReader::new(File::open(path)?)).map_err(|error| refused(&error))?;
        let listed = Listed::of(xlsb.sheets_metadata())?;
        Ok(Self {
            xlsb,
            records,
            package,
            formats,
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

    /// The position of a sheet's part in the package.
    fn part(&self, sheet: &SheetInfo) -> Option<usize> {
        let place = self.listed.place(sheet)?;
        *self.package.sheets.get(place)?
    }

    /// How a sheet is laid out; it is looked through for that.
    ///
    /// # Errors
    /// When its part is damaged.
    pub(super) fn layout(&mut self, sheet: &SheetInfo) -> Result<SheetLayout, ReadError> {
        let mut layout = SheetLayout::default();
        let Some(part) = self.part(sheet) else {
            return Ok(layout);
        };
        let entry = self.records.by_index(part).map_err(|error| damage(&error))?;
        let mut records = Records::new(entry, PLACES);
        while records.next()? {
            let long = |at: usize| records.long(at);
            match records.kind {
                // BrtRowHdr: the flag of a row that does not show.
                0 if records.flag(11, 0x10) => layout.hidden_rows.push(long(0), long(0)),
                // BrtColInfo
                60 if records.flag(16, 1) => layout
                    .hidden_columns
                    .push(long(0), long(4).min(self.limits.columns.saturating_sub(1))),
                // BrtMergeCell
                176 => layout.merge(Area {
                    first: (long(0), long(8)),
                    last: (long(4), long(12)),
                }),
                _ => {}
            }
        }
        Ok(layout)
    }

    /// Starts to read a sheet.
    ///
    /// # Errors
    /// When its part is missing or damaged.
    pub(super) fn cells(&mut self, sheet: &SheetInfo) -> Result<XlsbCells<'_>, ReadError> {
        let missing = || Refusal::Damaged(format!("no part for the sheet {}", sheet.name));
        let part = self.part(sheet).ok_or_else(missing)?;
        let total = self.package.parts.get(part).map_or(0, |part| part.bytes);
        let shift = if self.xlsb.has_1904_epoch() {
            DAYS_FROM_1904
        } else {
            0.0
        };
        let entry = self.records.by_index(part).map_err(|error| damage(&error))?;
        let mut reader = self
            .xlsb
            .worksheet_cells_reader(&sheet.name)
            .map_err(|error| refused(&error))?;
        let mut records = Records::new(entry, PLACES);
        // BrtBeginSheetData
        while records.next()? && records.kind != 145 {}
        Ok(XlsbCells {
            next: Box::new(move || reader.next_cell()),
            records,
            row: 0,
            held: None,
            formats: &self.formats,
            shift,
            limits: &self.limits,
            used: &mut self.used,
            total,
        })
    }
}

/// Gives calamine's cells one after the other; the type of its reader has no name outside.
type NextCell<'a> = Box<dyn FnMut() -> Result<Option<calamine::Cell<DataRef<'a>>>, XlsbError> + 'a>;

/// The cells of one sheet.
pub(super) struct XlsbCells<'a> {
    next: NextCell<'a>,
    records: Records<zip::read::ZipFile<'a, Source>>,
    row: u32,
    /// Keeps the text of the cell that was given out last.
    held: Option<calamine::Cell<DataRef<'a>>>,
    formats: &'a Formats,
    shift: f64,
    limits: &'a Limits,
    used: &'a mut Used,
    total: u64,
}

/// A cell's record.
struct Place {
    row: u32,
    column: u32,
    style: u32,
    error: Option<&'static str>,
}

impl XlsbCells<'_> {
    /// The next record of a filled cell.
    fn place(&mut self) -> Result<Option<Place>, ReadError> {
        while self.records.next()? {
            let record = &self.records;
            match record.kind {
                0 => self.row = record.long(0),
                // BrtEndSheetData
                146 => return Ok(None),
                2..=11 => {
                    // What calamine would stumble over.
                    let least = match record.kind {
                        5 | 9 => 16,
                        2 | 6 | 7 | 8 => 12,
                        _ => 9,
                    };
                    if record.length < least {
                        return Err(Refusal::Damaged("a cell's record is too short".to_owned()).into());
                    }
                    return Ok(Some(Place {
                        row: self.row,
                        column: record.long(0),
                        style: record.long(4) & 0x00ff_ffff,
                        error: (record.kind == 11).then(|| error_of(record.head[8])),
                    }));
                }
                _ => {}
            }
        }
        Err(Refusal::CutOff.into())
    }
}

fn error_of(code: u8) -> &'static str {
    error_text(&match code {
        0x00 => CellErrorType::Null,
        0x07 => CellErrorType::Div0,
        0x0f => CellErrorType::Value,
        0x17 => CellErrorType::Ref,
        0x1d => CellErrorType::Name,
        0x24 => CellErrorType::Num,
        0x2b => CellErrorType::GettingData,
        _ => CellErrorType::NA,
    })
}

impl Cells for XlsbCells<'_> {
    fn next(&mut self) -> Result<Option<Cell<'_>>, ReadError> {
        loop {
            let Some(place) = self.place()? else { return Ok(None) };
            let (format, class) = self.formats.style(place.style as usize);
            let row = place.row.saturating_add(1);
            let cell = |(kind, number): (CellKind, f64)| Cell {
                row,
                column: place.column,
                kind,
                number,
                text: "",
                format,
            };
            if let Some(text) = place.error {
                self.used.take(self.limits, row, place.column, text)?;
                return Ok(Some(Cell {
                    text,
                    ..cell((CellKind::Error, 0.0))
                }));
            }
            let read = (self.next)().map_err(|error| refused(&error))?;
            let read = read.filter(|read| read.get_position() == (place.row, place.column));
            let read = self
                .held
                .insert(read.ok_or_else(|| Refusal::Damaged("a cell moved".to_owned()))?);
            let value = Value::from(read.get_value());
            let Some(found) = value.classified(class, self.shift) else {
                continue;
            };
            let cell = cell(found);
            let text = if matches!(cell.kind, CellKind::Text | CellKind::Error) {
                value.text()
            } else {
                ""
            };
            self.used.take(self.limits, row, place.column, text)?;
            // Borrowed anew: what is held in a loop cannot be given out of it.
            let text = match (text.is_empty(), &self.held) {
                (false, Some(held)) => Value::from(held.get_value()).text(),
                _ => "",
            };
            return Ok(Some(Cell { text, ..cell }));
        }
    }

    fn formats(&self) -> &[String] {
        self.formats.codes()
    }

    fn last_row(&self) -> Option<u32> {
        None
    }

    fn bytes(&self) -> (u64, u64) {
        (self.records.bytes.min(self.total), self.total)
    }
}

/// The records of a part, of each only its first bytes ([MS-XLSB] section 2.1.4).
struct Records<R> {
    part: BufReader<R>,
    /// Bytes passed.
    bytes: u64,
    /// The record that was read last: its kind, its length, its first bytes and how many those are at most.
    kind: u16,
    length: u64,
    head: Vec<u8>,
    looked_at: usize,
}

impl<R: Read> Records<R> {
    fn new(part: R, looked_at: usize) -> Self {
        Self {
            part: BufReader::with_capacity(64 << 10, part),
            bytes: 0,
            kind: 0,
            length: 0,
            head: Vec::new(),
            looked_at,
        }
    }

    fn byte(&mut self) -> Result<Option<u8>, ReadError> {
        let mut byte = [0];
        let read = self.part.read(&mut byte).map_err(|error| unpacking(&error))?;
        self.bytes += read as u64;
        Ok((read == 1).then_some(byte[0]))
    }

    /// Seven bits a byte, the lowest first.
    fn number(&mut self, first: u8, most: u32) -> Result<u64, ReadError> {
        let (mut number, mut byte, mut shift) = (u64::from(first & 0x7f), first, 7);
        while byte & 0x80 != 0 && shift < 7 * most {
            byte = self.byte()?.ok_or(Refusal::CutOff)?;
            number |= u64::from(byte & 0x7f) << shift;
            shift += 7;
        }
        Ok(number)
    }

    /// Goes to the next record; false at the end.
    fn next(&mut self) -> Result<bool, ReadError> {
        let Some(first) = self.byte()? else { return Ok(false) };
        self.kind = u16::try_from(self.number(first, 2)?).unwrap_or(u16::MAX);
        let first = self.byte()?.ok_or(Refusal::CutOff)?;
        self.length = self.number(first, 4)?;
        if self.length > LONGEST_RECORD {
            return Err(Refusal::Damaged(format!("a record of {} bytes", self.length)).into());
        }
        let looked_at = usize::try_from(self.length).unwrap_or(usize::MAX).min(self.looked_at);
        self.head.resize(looked_at, 0);
        self.part
            .read_exact(&mut self.head)
            .map_err(|error| unpacking(&error))?;
        let rest = self.length - looked_at as u64;
        if rest > 0 {
            let passed = std::io::copy(&mut (&mut self.part).take(rest), &mut std::io::sink());
            if passed.map_err(|error| unpacking(&error))? < rest {
                return Err(Refusal::CutOff.into());
            }
        }
        self.bytes += self.length;
        Ok(true)
    }

    fn long(&self, at: usize) -> u32 {
        self.head
            .get(at..at + 4)
            .map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
    }

    fn short(&self, at: usize) -> u16 {
        self.head
            .get(at..at + 2)
            .map_or(0, |b| u16::from_le_bytes([b[0], b[1]]))
    }

    fn flag(&self, at: usize, flag: u8) -> bool {
        self.head.get(at).is_some_and(|flags| flags & flag != 0)
    }
}

/// The format code of each cell style: BrtFmt and the BrtXF of BrtBeginCellXFs in the part with styles.
fn formats(zip: &mut ZipArchive<Source>, package: &Package) -> Result<Formats, ReadError> {
    let styles = package.parts.iter().position(|part| part.name == "xl/styles.bin");
    let (mut codes, mut styled, mut of_cells) = (HashMap::new(), Vec::new(), false);
    if let Some(styles) = styles {
        let entry = zip.by_index(styles).map_err(|error| damage(&error))?;
        let mut records = Records::new(entry, CODES);
        while records.next()? {
            match records.kind {
                44 => {
                    let length = (records.long(2) as usize).min((CODES - 6) / 2);
                    let units: Vec<u16> = (0..length).map(|at| records.short(6 + 2 * at)).collect();
                    codes.insert(records.short(0), String::from_utf16_lossy(&units));
                }
                617 => of_cells = true,
                618 => of_cells = false,
                47 if of_cells => styled.push(records.short(2)),
                _ => {}
            }
        }
    }
    let code = |id: &u16| codes.get(id).map_or_else(|| built_in(*id), String::as_str);
    Ok(Formats::of(styled.iter().map(code)))
}

/// The relationship ids of the sheets that a workbook part lists (BrtBundleSh), those without a part left out, as calamine does.
pub(super) fn sheet_ids(book: &[u8]) -> Vec<String> {
    let mut records = Records::new(book, CODES);
    let mut ids = Vec::new();
    while matches!(records.next(), Ok(true)) {
        if records.kind == 156 && records.long(8) != u32::MAX {
            let length = (records.long(8) as usize).min((CODES - 12) / 2);
            let units: Vec<u16> = (0..length).map(|at| records.short(12 + 2 * at)).collect();
            ids.push(String::from_utf16_lossy(&units));
        }
    }
    ids
}

fn refused(error: &XlsbError) -> ReadError {
    match error {
        XlsbError::Password => Refusal::Password.into(),
        XlsbError::Io(error) => unpacking(error),
        XlsbError::Zip(error) => damage(error),
        other => Refusal::Damaged(other.to_string()).into(),
    }
}
