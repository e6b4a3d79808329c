//! Cells of OpenDocument spreadsheets (.ods), by calamine, which builds a dense range of each sheet: so a pass over the
//! content counts first. A cell or a row may say that it repeats itself millions of times.
//!
//! Calamine tells no number formats and no errors here; both come from that pass. It takes no white space between rows and
//! cells, and no package without a media type: such content is written anew for it, without what it stumbles over.

mod rewritten;
mod styles;

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use calamine::{Data, Ods, OdsError, Range, Reader};
use quick_xml::events::{BytesStart, Event};

use crate::sheets::kind::CellKind;
use crate::sheets::layout::{Area, SheetLayout, Spans};
use crate::sheets::listed::Listed;
use crate::sheets::number_format::{FormatClass, GENERAL, classify};
use crate::sheets::preflight::{Package, damage, unpacking};
use crate::sheets::refusal::{Refusal, TooMuch};
use crate::sheets::source::{Cell, Cells, SheetInfo, Used};
use crate::sheets::values::Value;
use crate::sheets::{Limits, ReadError};
use rewritten::rewritten;
use styles::Styles;

/// Rows and columns that calamine takes at most.
const MOST_ROWS: u64 = 1 << 20;
const MOST_COLUMNS: u64 = 1 << 14;

/// What calamine reads from.
trait Source: Read + Seek + Send {}

impl<T: Read + Seek + Send> Source for T {}

/// An OpenDocument spreadsheet.
pub struct OdsBook {
    ods: Ods<Box<dyn Source>>,
    found: Vec<Table>,
    listed: Listed,
    formats: Vec<String>,
    limits: Limits,
    used: Used,
}

impl OdsBook {
    /// Reads a workbook, all of it.
    ///
    /// # Errors
    /// When it is refused, or the disk fails.
    pub(super) fn open(path: &Path, package: &Package, limits: &Limits) -> Result<Self, ReadError> {
        let part = |name: &str| package.parts.iter().position(|part| part.name == name);
        let content = part("content.xml").ok_or_else(|| Refusal::Damaged("no content".to_owned()))?;
        let mut zip = zip::ZipArchive::new(BufReader::new(File::open(path)?)).map_err(|error| damage(&error))?;
        if let Some(manifest) = part("meta-inf/manifest.xml") {
            check_password(zip.by_index(manifest).map_err(|error| damage(&error))?)?;
        }
        let mut styles = Styles::default();
        if let Some(part) = part("styles.xml") {
            read_styles(zip.by_index(part).map_err(|error| damage(&error))?, &mut styles)?;
        }
        let entry = zip.by_index(content).map_err(|error| damage(&error))?;
        let Scanned { tables, tidy, formats } = scan(entry, limits, styles)?;
        let whole = tidy && part("mimetype").is_some() && part("meta-inf/manifest.xml").is_some();
        let source: Box<dyn Source> = if whole {
            Box::new(BufReader::new(File::open(path)?))
        } else {
            let entry = zip.by_index(content).map_err(|error| damage(&error))?;
            Box::new(rewritten(entry)?)
        };
        let ods = Ods::new(source).map_err(|error| refused(&error))?;
        let listed = Listed::of(ods.sheets_metadata())?;
        Ok(Self {
            ods,
            found: tables,
            listed,
            formats,
            limits: limits.clone(),
            used: Used::default(),
        })
    }

    pub(super) fn sheets(&self) -> &[SheetInfo] {
        &self.listed.sheets
    }

    pub(super) fn layout(&self, sheet: &SheetInfo) -> SheetLayout {
        let found = self.found.get(sheet.position as usize);
        found.map(|it| it.layout.clone()).unwrap_or_default()
    }

    /// Starts to read a sheet.
    ///
    /// # Errors
    /// When it is not there.
    pub(super) fn cells(&mut self, sheet: &SheetInfo) -> Result<OdsCells<'_>, ReadError> {
        let range = self.ods.worksheet_range(&sheet.name).map_err(|error| refused(&error))?;
        let found = self.found.get_mut(sheet.position as usize);
        // The layout stays.
        let taken = |found: &mut Table| (std::mem::take(&mut found.errors), std::mem::take(&mut found.styled));
        let (errors, styled) = found.map(taken).unwrap_or_default();
        Ok(OdsCells {
            range,
            at: 0,
            errors,
            styled: Styled {
                rows: styled,
                passed: 0,
            },
            formats: &self.formats,
            limits: &self.limits,
            used: &mut self.used,
        })
    }
}

/// The cells of one sheet.
pub(super) struct OdsCells<'a> {
    range: Range<Data>,
    /// The position of the next cell in the range.
    at: usize,
    errors: HashSet<(u32, u32)>,
    styled: Styled,
    formats: &'a [String],
    limits: &'a Limits,
    used: &'a mut Used,
}

/// The number formats of a sheet's cells.
#[derive(Debug)]
struct Styled {
    rows: Vec<StyledRows>,
    /// Rows that are passed.
    passed: usize,
}

impl Styled {
    /// The position of a cell's number format; cells come row by row.
    fn format(&mut self, row: u32, column: u32) -> u16 {
        while self.rows.get(self.passed).is_some_and(|rows| rows.last < row) {
            self.passed += 1;
        }
        let Some(rows) = self.rows.get(self.passed).filter(|rows| rows.first <= row) else {
            return 0;
        };
        let behind = rows.cells.partition_point(|(first, ..)| *first <= column);
        let at = behind.checked_sub(1).and_then(|at| rows.cells.get(at));
        at.filter(|(_, last, _)| column <= *last)
            .map_or(0, |(.., format)| *format)
    }
}

/// Rows whose cells have number formats of their own: first and last row, and stretches of cells with the position of theirs.
#[derive(Debug, Default)]
struct StyledRows {
    first: u32,
    last: u32,
    cells: Vec<(u32, u32, u16)>,
}

impl Cells for OdsCells<'_> {
    fn next(&mut self) -> Result<Option<Cell<'_>>, ReadError> {
        let (height, width) = self.range.get_size();
        let Some((top, left)) = self.range.start() else {
            return Ok(None);
        };
        while self.at < height * width {
            let place = (self.at / width, self.at % width);
            self.at += 1;
            let row = top + u32::try_from(place.0).unwrap_or(u32::MAX);
            let column = left + u32::try_from(place.1).unwrap_or(u32::MAX);
            let format = self.styled.format(row, column);
            let Some(value) = self.range.get(place).map(Value::from) else {
                continue;
            };
            let Some((kind, number)) = value.classified(FormatClass::Number, 0.0) else {
                continue;
            };
            // A moment at midnight under a format for days is a day, as in other workbooks.
            let is_day = kind == CellKind::DateTime && number.fract() == 0.0;
            let day_format = || {
                self.formats
                    .get(usize::from(format))
                    .is_some_and(|code| classify(code) == FormatClass::Date)
            };
            let kind = if is_day && day_format() { CellKind::Date } else { kind };
            let error = kind == CellKind::Text && self.errors.contains(&(row, column));
            let kind = if error { CellKind::Error } else { kind };
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
        self.formats
    }

    fn last_row(&self) -> Option<u32> {
        self.range.end().map(|(row, _)| row + 1)
    }

    fn bytes(&self) -> (u64, u64) {
        let (height, width) = self.range.get_size();
        (self.at as u64, (height * width) as u64)
    }
}

/// What the pass over the content found of a sheet.
#[derive(Debug, Default)]
struct Table {
    errors: HashSet<(u32, u32)>,
    layout: SheetLayout,
    styled: Vec<StyledRows>,
    /// The formats of columns, where cells have none of their own, and the styled cells of the row.
    defaults: Vec<(u32, u32, u16)>,
    row_cells: Vec<(u32, u32, u16)>,
    /// The next row and column, and how often the row repeats itself.
    row: u64,
    repeats: u64,
    column: u64,
    columns: u64,
    /// Cells as calamine holds them: of each row that is written down, up to its last filled one.
    held: u64,
    first: Option<(u64, u64)>,
    last: (u64, u64),
    /// The last filled cell of the row.
    filled: Option<u64>,
}

/// The manifest says which parts are encrypted.
fn check_password(manifest: impl Read) -> Result<(), ReadError> {
    let mut text = String::new();
    // A manifest that is no text is left to the reader.
    let read = manifest.take(1 << 20).read_to_string(&mut text);
    if read.is_ok() && text.contains("encryption-data") {
        return Err(Refusal::Password.into());
    }
    Ok(())
}

/// The formats of styles by name, as positions in a list of codes.
#[derive(Default)]
struct Formats {
    styles: Styles,
    known: HashMap<String, u16>,
    codes: Vec<String>,
}

impl Formats {
    fn of(&mut self, style: &str) -> u16 {
        if let Some(known) = self.known.get(style) {
            return *known;
        }
        let code = self.styles.code(style);
        let at = self.codes.iter().position(|known| *known == code).unwrap_or_else(|| {
            self.codes.push(code);
            self.codes.len() - 1
        });
        let at = u16::try_from(at).unwrap_or(0);
        self.known.insert(style.to_owned(), at);
        at
    }
}

/// What a pass over the content gives.
struct Scanned {
    tables: Vec<Table>,
    tidy: bool,
    formats: Vec<String>,
}

/// Reads the part with named styles.
fn read_styles(part: impl Read, styles: &mut Styles) -> Result<(), ReadError> {
    let mut reader = quick_xml::Reader::from_reader(BufReader::with_capacity(64 << 10, part));
    reader.config_mut().check_end_names = false;
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Eof) => return Ok(()),
            Ok(event) => styles.see(&event),
            Err(quick_xml::Error::Io(error)) => return Err(unpacking(&error)),
            // Without its formats a workbook can still be read.
            Err(_) => return Ok(()),
        }
    }
}

/// A pass over the content.
struct Scan<'a> {
    limits: &'a Limits,
    tables: Vec<Table>,
    open: Option<Table>,
    formats: Formats,
    /// Cells of the tables that are closed.
    cells: u64,
    spaces: u64,
    /// Whether there is nothing but cells in rows.
    tidy: bool,
    /// Between the cells of a row.
    in_row: bool,
}

/// Looks through the content and refuses what calamine could not hold. Also says whether it is tidy.
fn scan(content: impl Read, limits: &Limits, styles: Styles) -> Result<Scanned, ReadError> {
    let mut reader = quick_xml::Reader::from_reader(BufReader::with_capacity(64 << 10, content));
    reader.config_mut().check_end_names = false;
    let mut buffer = Vec::new();
    let mut scan = Scan {
        limits,
        tables: Vec::new(),
        open: None,
        formats: Formats {
            styles,
            known: HashMap::new(),
            codes: vec![GENERAL.to_owned()],
        },
        cells: 0,
        spaces: 0,
        tidy: true,
        in_row: false,
    };
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer).map_err(|error| match error {
            quick_xml::Error::Io(error) => unpacking(&error),
            other => Refusal::Damaged(other.to_string()).into(),
        })?;
        if matches!(event, Event::Eof) {
            return Ok(Scanned {
                tables: scan.tables,
                tidy: scan.tidy,
                formats: scan.formats.codes,
            });
        }
        scan.see(&event)?;
    }
}

impl Scan<'_> {
    fn see(&mut self, event: &Event<'_>) -> Result<(), Refusal> {
        if self.open.is_none() {
            self.formats.styles.see(event);
        }
        match event {
            Event::Start(tag) => self.begin(tag, false)?,
            Event::Empty(tag) => self.begin(tag, true)?,
            Event::End(tag) if is_cell(tag.name().as_ref()) => self.in_row = true,
            Event::End(tag) if tag.name().as_ref() == "table:table-row" => self.end_row()?,
            Event::End(tag) if tag.name().as_ref() == "table:table" => {
                if let Some(table) = self.open.take() {
                    self.cells += table.cells();
                    self.tables.push(table);
                }
            }
            Event::Text(_) | Event::Comment(_) if self.in_row => self.tidy = false,
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, tag: &BytesStart<'_>, empty: bool) -> Result<(), Refusal> {
        match tag.name().as_ref() {
            "table:table" => self.open = Some(Table::default()),
            "text:s" => {
                self.spaces = self.spaces.saturating_add(number(tag, "text:c").unwrap_or(1));
                if self.spaces > self.limits.text_chars * 64 {
                    return Err(Refusal::TooMuch(TooMuch::TextChars(self.limits.text_chars)));
                }
            }
            "table:table-row" => self.in_row = !empty,
            name if is_cell(name) => self.in_row = empty,
            _ => {}
        }
        if let Some(table) = &mut self.open {
            table.see(tag, &mut self.formats);
        }
        if empty && tag.name().as_ref() == "table:table-row" {
            self.end_row()?;
        }
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Refusal> {
        self.in_row = false;
        let Some(table) = &mut self.open else { return Ok(()) };
        table.end_row();
        if self.cells + table.cells() > self.limits.old_cells {
            return Err(Refusal::TooMuch(TooMuch::OldCells(self.limits.old_cells)));
        }
        Ok(())
    }
}

fn is_cell(name: &str) -> bool {
    matches!(name, "table:table-cell" | "table:covered-table-cell")
}

impl Table {
    fn see(&mut self, tag: &BytesStart<'_>, formats: &mut Formats) {
        match tag.name().as_ref() {
            "table:table-column" => {
                let repeats = number(tag, "table:number-columns-repeated").unwrap_or(1);
                if hidden(tag) {
                    let last = self.columns.saturating_add(repeats).min(MOST_COLUMNS);
                    push(&mut self.layout.hidden_columns, self.columns, last);
                }
                let last = self.columns.saturating_add(repeats);
                if let Some(style) = text(tag, "table:default-cell-style-name") {
                    let format = formats.of(&style);
                    push_cells(&mut self.defaults, (self.columns, last), format);
                }
                self.columns = last;
            }
            "table:table-row" => {
                self.repeats = number(tag, "table:number-rows-repeated").unwrap_or(1);
                (self.column, self.filled) = (0, None);
                if hidden(tag) {
                    let last = self.row.saturating_add(self.repeats).min(MOST_ROWS);
                    push(&mut self.layout.hidden_rows, self.row, last);
                }
            }
            name if is_cell(name) => self.cell(tag, formats),
            _ => {}
        }
    }

    fn cell(&mut self, tag: &BytesStart<'_>, formats: &mut Formats) {
        let repeats = number(tag, "table:number-columns-repeated").unwrap_or(1);
        let here = (self.row, self.column);
        let place = u32::try_from(here.0).ok().zip(u32::try_from(here.1).ok());
        self.column = self.column.saturating_add(repeats).min(MOST_COLUMNS);
        let spanned = |name: &str| u32::try_from(number(tag, name).unwrap_or(1)).unwrap_or(1).max(1);
        let (columns, rows) = (
            spanned("table:number-columns-spanned"),
            spanned("table:number-rows-spanned"),
        );
        if let Some(first) = place.filter(|_| columns > 1 || rows > 1) {
            let last = (first.0.saturating_add(rows - 1), first.1.saturating_add(columns - 1));
            self.layout.merge(Area { first, last });
        }
        let has = |name: &str| tag.attributes().flatten().any(|it| it.key.as_ref() == name);
        if has("office:value-type") || has("table:formula") || has("calcext:value-type") {
            self.filled = Some(self.column.saturating_sub(1));
            self.style(here.1, text(tag, "table:style-name"), formats);
            let first = self.first.get_or_insert(here);
            first.1 = first.1.min(here.1);
            let error = tag
                .attributes()
                .flatten()
                .any(|it| it.key.as_ref() == "calcext:value-type" && it.value == "error");
            if let Some((row, column)) = place.filter(|_| error) {
                let last = column
                    .saturating_add(u32::try_from(repeats).unwrap_or(u32::MAX))
                    .min(column + 1024);
                self.errors.extend((column..last).map(|column| (row, column)));
            }
        }
    }

    /// Notes the format of filled cells from a column up to the present one: their own, or that of their columns.
    fn style(&mut self, first: u64, style: Option<String>, formats: &mut Formats) {
        if let Some(style) = style {
            push_cells(&mut self.row_cells, (first, self.column), formats.of(&style));
            return;
        }
        let ends = (
            u32::try_from(first).unwrap_or(u32::MAX),
            u32::try_from(self.column).unwrap_or(u32::MAX),
        );
        let from = self.defaults.partition_point(|(_, last, _)| *last < ends.0);
        for (left, right, format) in self.defaults.get(from..).unwrap_or_default() {
            if *left >= ends.1 {
                break;
            }
            let stretch = (
                u64::from(*left).max(first),
                u64::from(*right).saturating_add(1).min(self.column),
            );
            push_cells(&mut self.row_cells, stretch, *format);
        }
    }

    fn end_row(&mut self) {
        let cells = std::mem::take(&mut self.row_cells);
        if let Some(first) = u32::try_from(self.row).ok().filter(|_| !cells.is_empty()) {
            let last = self.row.saturating_add(self.repeats).min(MOST_ROWS).saturating_sub(1);
            self.styled.push(StyledRows {
                first,
                last: u32::try_from(last).unwrap_or(u32::MAX),
                cells,
            });
        }
        self.held = self.held.saturating_add(self.filled.map_or(0, |column| column + 1));
        let next = self.row.saturating_add(self.repeats).min(MOST_ROWS);
        if let Some(column) = self.filled {
            self.last = (next.saturating_sub(1), self.last.1.max(column));
        }
        self.row = next;
    }

    /// Cells that calamine holds of it at most.
    fn cells(&self) -> u64 {
        let dense = self.first.map_or(0, |(row, column)| {
            (self.last.0.saturating_sub(row) + 1) * (self.last.1.saturating_sub(column) + 1)
        });
        self.held.max(dense)
    }
}

/// Adds the rows or columns from the first up to the one behind the last.
fn push(spans: &mut Spans, first: u64, behind: u64) {
    let ends = u32::try_from(first).ok().zip(u32::try_from(behind).ok());
    if let Some((first, last)) = ends.and_then(|(first, behind)| Some((first, behind.checked_sub(1)?))) {
        spans.push(first, last);
    }
}

/// Adds a stretch of cells, from the first up to the one behind the last, unless they show as they are.
fn push_cells(cells: &mut Vec<(u32, u32, u16)>, (first, behind): (u64, u64), format: u16) {
    let (Ok(first), Ok(behind)) = (u32::try_from(first), u32::try_from(behind)) else {
        return;
    };
    match cells.last_mut() {
        _ if format == 0 || behind <= first => {}
        Some((_, last, same)) if *same == format && *last + 1 == first => *last = behind - 1,
        _ => cells.push((first, behind - 1, format)),
    }
}

fn text(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = tag.attributes().flatten().find(|it| it.key.as_ref() == name)?;
    Some(attribute.value.to_string())
}

fn number(tag: &BytesStart<'_>, name: &str) -> Option<u64> {
    let attribute = tag.attributes().flatten().find(|it| it.key.as_ref() == name)?;
    attribute.value.trim().parse().ok()
}

fn hidden(tag: &BytesStart<'_>) -> bool {
    tag.attributes()
        .flatten()
        .any(|it| it.key.as_ref() == "table:visibility" && matches!(it.value.as_ref(), "collapse" | "filter"))
}

fn refused(error: &OdsError) -> ReadError {
    match error {
        OdsError::Password => Refusal::Password.into(),
        OdsError::Io(error) => unpacking(error),
        OdsError::Zip(error) => damage(error),
        other => Refusal::Damaged(other.to_string()).into(),
    }
}
