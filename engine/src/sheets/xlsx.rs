//! Cells of xlsx workbooks, by calamine's streaming reader.
//!
//! Known of calamine 0.38, and how it is met: an error literal outside seven (`#SPILL!`) fails the read without saying where,
//! so the places of such cells are found by a second pass; a shared-string index that is no number reads as the first
//! string; CDATA inside a number reads as blank; formulas without a value read as blank.

use std::collections::{HashSet, VecDeque};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use calamine::{DataRef, Reader, SheetType, SheetVisible, Style, Xlsx, XlsxCellReader, XlsxError};

use super::dates::{DAYS_FROM_1904, kind_of, parse_iso};
use super::kind::CellKind;
use super::number_format::{FormatClass, GENERAL, classify};
use super::preflight::{Package, Part, damage, preflight, unpacking};
use super::refusal::{Refusal, TooMuch};
use super::source::{Cell, Cells, Oddity, OddityKind, SheetInfo};
use super::{Limits, ReadError, Visibility};

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
    /// The sheets' places in the workbook's list, charts among them.
    places: Vec<usize>,
    read: Arc<AtomicU64>,
    limits: Limits,
    sheets: Vec<SheetInfo>,
    skipped: Vec<String>,
    used: Used,
}

/// What the sheets read so far hold; limits count the whole workbook.
#[derive(Debug, Default)]
struct Used {
    cells: u64,
    text_bytes: u64,
}

impl XlsxBook {
    /// Opens a workbook: its list of sheets, styles and shared strings are read, no cell.
    ///
    /// # Errors
    /// When it is refused, or the disk fails.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self, ReadError> {
        let package = preflight(path, limits)?;
        let read = Arc::new(AtomicU64::new(0));
        let xlsx = open(path, &read)?;
        let (mut sheets, mut skipped, mut names) = (Vec::new(), Vec::new(), HashSet::new());
        let mut places = Vec::new();
        for (place, sheet) in xlsx.sheets_metadata().iter().enumerate() {
            if !names.insert(sheet.name.clone()) {
                return Err(Refusal::Damaged(format!("two sheets named {}", sheet.name)).into());
            }
            if sheet.typ != SheetType::WorkSheet {
                skipped.push(sheet.name.clone());
                continue;
            }
            let visibility = match sheet.visible {
                SheetVisible::Visible => Visibility::Visible,
                SheetVisible::Hidden => Visibility::Hidden,
                SheetVisible::VeryHidden => Visibility::VeryHidden,
            };
            let position = u32::try_from(sheets.len()).unwrap_or(u32::MAX);
            places.push(place);
            sheets.push(SheetInfo {
                position,
                name: sheet.name.clone(),
                visibility,
            });
        }
        if sheets.is_empty() {
            return Err(Refusal::NoSheets.into());
        }
        Ok(Self {
            path: path.to_owned(),
            xlsx,
            package,
            places,
            read,
            limits: limits.clone(),
            sheets,
            skipped,
            used: Used::default(),
        })
    }

    /// The worksheets, in order.
    #[must_use]
    pub fn sheets(&self) -> &[SheetInfo] {
        &self.sheets
    }

    /// Names of sheets that hold no cells: charts and dialogs.
    #[must_use]
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// What is odd in a sheet, apart from its cells' values.
    #[must_use]
    pub fn oddities(&self, sheet: &SheetInfo) -> Vec<Oddity> {
        let Some(found) = self.part(sheet).map(|part| &part.found) else {
            return Vec::new();
        };
        let both = [
            (OddityKind::FormulaWithoutValue, &found.without_value),
            (OddityKind::MergedCells, &found.merged),
        ];
        let seen = both.into_iter().filter(|(_, (count, _))| *count > 0);
        seen.map(|(kind, (count, examples))| Oddity {
            kind,
            count: *count,
            examples: examples.clone(),
        })
        .collect()
    }

    fn part(&self, sheet: &SheetInfo) -> Option<&Part> {
        let place = *self.places.get(sheet.position as usize)?;
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
        let (formats, styles) = formats(reader.styles());
        Ok(XlsxCells {
            last_row: Some(reader.dimensions().end.0 + 1).filter(|row| *row > 1),
            reader,
            path: self.path.clone(),
            sheet: sheet.name.clone(),
            shift,
            formats,
            styles,
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

/// The distinct format codes of a style palette, and per style its code's position and class.
fn formats(styles: &[Style]) -> (Vec<String>, Vec<(u16, FormatClass)>) {
    let mut codes = vec![GENERAL.to_owned()];
    let mut by_style = Vec::with_capacity(styles.len());
    for style in styles {
        let format = style.number_format.as_ref();
        let code = match format {
            Some(f) if f.format_code == GENERAL => locale_format(f.format_id),
            Some(f) => f.format_code.as_str(),
            None => GENERAL,
        };
        let at = codes.iter().position(|known| known == code).unwrap_or_else(|| {
            codes.push(code.to_owned());
            codes.len() - 1
        });
        // Formats beyond 65,535 show as General: no workbook that Excel wrote has so many.
        by_style.push((u16::try_from(at).unwrap_or(0), classify(code)));
    }
    (codes, by_style)
}

/// Built-in formats that differ by locale, in the form that shows the same parts (ECMA-376 part 1, section 18.8.30).
fn locale_format(id: Option<u32>) -> &'static str {
    match id {
        Some(27..=31 | 36 | 50..=54 | 57 | 58) => "yyyy-mm-dd",
        Some(32..=35 | 55 | 56) => "h:mm:ss",
        _ => GENERAL,
    }
}

/// The cells of one sheet.
pub struct XlsxCells<'a> {
    reader: XlsxCellReader<'a, Source>,
    path: PathBuf,
    sheet: String,
    shift: f64,
    formats: Vec<String>,
    styles: Vec<(u16, FormatClass)>,
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
                    let cell = self.checked(place, CellKind::Error, 0.0, 0)?;
                    return Ok(Some(cell));
                }
                Err(error) => return Err(refused(&error, &self.sheet)),
            };
            self.ordinal += 1;
            if let Some((kind, number, format)) = self.classified(read.get_value(), style) {
                let cell = self.checked(read.get_position(), kind, number, format)?;
                self.held = Some(read);
                return Ok(Some(cell));
            }
        }
    }

    fn classified(&self, value: &DataRef<'_>, style: usize) -> Option<(CellKind, f64, u16)> {
        let (format, class) = self.styles.get(style).copied().unwrap_or((0, FormatClass::Number));
        let by_format = |number: f64, class: FormatClass| {
            let number = if matches!(class, FormatClass::Date | FormatClass::DateTime) {
                number + self.shift
            } else {
                number
            };
            Some((kind_of(class, number), number, format))
        };
        match value {
            DataRef::Empty => None,
            DataRef::String(text) if text.is_empty() => None,
            DataRef::SharedString("") => None,
            DataRef::String(_) | DataRef::SharedString(_) => Some((CellKind::Text, 0.0, format)),
            DataRef::Int(number) => by_format(*number as f64, class),
            DataRef::Float(number) if number.is_finite() => by_format(*number, class),
            // `1e999`: no spreadsheet can hold such a number.
            DataRef::Float(_) => Some((CellKind::Error, 0.0, 0)),
            DataRef::DateTime(moment) => {
                // A locale's format that only calamine knows.
                let class = if class == FormatClass::Number {
                    FormatClass::DateTime
                } else {
                    class
                };
                by_format(moment.as_f64(), class)
            }
            DataRef::Bool(value) => Some((CellKind::Boolean, f64::from(u8::from(*value)), format)),
            DataRef::Error(_) => Some((CellKind::Error, 0.0, format)),
            DataRef::DateTimeIso(text) => {
                let (kind, number) = parse_iso(text).unwrap_or((CellKind::Text, 0.0));
                Some((kind, number, format))
            }
            DataRef::DurationIso(_) => Some((CellKind::Text, 0.0, format)),
        }
    }

    fn checked(
        &mut self,
        (row, column): (u32, u32),
        kind: CellKind,
        number: f64,
        format: u16,
    ) -> Result<Cell<'static>, ReadError> {
        let row = row.saturating_add(1);
        self.limits.check_address(row, column)?;
        self.used.cells += 1;
        if self.used.cells > self.limits.cells {
            return Err(Refusal::TooMuch(TooMuch::Cells(self.limits.cells)).into());
        }
        Ok(Cell {
            row,
            column,
            kind,
            number,
            text: "",
            format,
        })
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

impl Cells for XlsxCells<'_> {
    fn next(&mut self) -> Result<Option<Cell<'_>>, ReadError> {
        let Some(cell) = self.advance()? else { return Ok(None) };
        let text = match self.held.as_ref().map(calamine::Cell::get_value) {
            Some(DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text)) => text.as_str(),
            Some(DataRef::SharedString(text)) => text,
            Some(DataRef::Error(error)) => error_text(error),
            Some(DataRef::Float(_)) => error_text(&calamine::CellErrorType::Num),
            _ => "",
        };
        let text = if matches!(cell.kind, CellKind::Text | CellKind::Error) {
            text
        } else {
            ""
        };
        let most = usize::try_from(self.limits.text_chars).unwrap_or(usize::MAX);
        if text.len() > most && text.chars().count() > most {
            return Err(Refusal::TooMuch(TooMuch::TextChars(self.limits.text_chars)).into());
        }
        self.used.text_bytes += text.len() as u64;
        if self.used.text_bytes > self.limits.cell_text_bytes {
            return Err(Refusal::TooMuch(TooMuch::CellTexts(self.limits.cell_text_bytes)).into());
        }
        Ok(Some(Cell { text, ..cell }))
    }

    fn formats(&self) -> &[String] {
        &self.formats
    }

    fn last_row(&self) -> Option<u32> {
        self.last_row
    }

    fn bytes(&self) -> (u64, u64) {
        (self.read.load(Ordering::Relaxed).min(self.total), self.total)
    }
}

fn error_text(error: &calamine::CellErrorType) -> &'static str {
    use calamine::CellErrorType as E;
    match error {
        E::Div0 => "#DIV/0!",
        E::NA => "#N/A",
        E::Name => "#NAME?",
        E::Null => "#NULL!",
        E::Num => "#NUM!",
        E::Ref => "#REF!",
        E::Value => "#VALUE!",
        E::GettingData => "#GETTING_DATA",
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
