//! Cells of OpenDocument spreadsheets (.ods), by calamine, which builds a dense range of each sheet: so a pass over the
//! content counts first. A cell or a row may say that it repeats itself millions of times.
//!
//! Calamine tells no number formats and no errors here; errors come from that pass. It takes no white space between rows and
//! cells, and no package without a media type: such content is written anew for it, without what it stumbles over.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, Write as _};
use std::path::Path;

use calamine::{Data, Ods, OdsError, Range, Reader};
use quick_xml::events::{BytesStart, BytesText, Event};

use super::kind::CellKind;
use super::layout::{Area, SheetLayout, Spans};
use super::listed::Listed;
use super::number_format::{FormatClass, GENERAL};
use super::preflight::{Package, damage, unpacking};
use super::refusal::{Refusal, TooMuch};
use super::source::{Cell, Cells, SheetInfo, Used};
use super::values::Value;
use super::{Limits, ReadError};

/// Rows and columns that calamine takes at most.
const MOST_ROWS: u64 = 1 << 20;
const MOST_COLUMNS: u64 = 1 << 14;

/// Bytes of content that may be written anew in memory.
const REWRITTEN: u64 = 128 << 20;
const MEDIA_TYPE: &str = "application/vnd.oasis.opendocument.spreadsheet";

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
        let entry = zip.by_index(content).map_err(|error| damage(&error))?;
        let (found, tidy) = scan(entry, limits)?;
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
            found,
            listed,
            formats: vec![GENERAL.to_owned()],
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
        let found = self.found.get_mut(sheet.position as usize).map(std::mem::take);
        Ok(OdsCells {
            range,
            at: 0,
            errors: found.unwrap_or_default().errors,
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
    formats: &'a [String],
    limits: &'a Limits,
    used: &'a mut Used,
}

impl Cells for OdsCells<'_> {
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
            let Some((kind, number)) = value.classified(FormatClass::Number, 0.0) else {
                continue;
            };
            let row = top + u32::try_from(row).unwrap_or(u32::MAX);
            let column = left + u32::try_from(column).unwrap_or(u32::MAX);
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
                format: 0,
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

/// White space as OpenDocument has it: runs of it are one blank, and none stands at the edges of a paragraph (part 3, section
/// 6.1.2).
#[derive(Default)]
struct Spaces {
    /// Something stands before it in the paragraph.
    begun: bool,
    pending: bool,
}

impl Spaces {
    fn before_something(&mut self) -> &'static str {
        self.begun = true;
        if std::mem::take(&mut self.pending) { " " } else { "" }
    }

    fn collapsed(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            if matches!(c, ' ' | '\t' | '\r' | '\n') {
                self.pending = self.begun;
            } else {
                out.push_str(self.before_something());
                out.push(c);
            }
        }
        out
    }
}

/// A package with the content alone, without white space between rows and cells.
fn rewritten(content: impl Read) -> Result<Cursor<Vec<u8>>, ReadError> {
    let failed = |error: std::io::Error| ReadError::from(error);
    let mut reader = quick_xml::Reader::from_reader(BufReader::new(content.take(REWRITTEN)));
    reader.config_mut().check_end_names = false;
    let mut writer = quick_xml::Writer::new(Vec::new());
    let (mut buffer, mut inside, mut spaces) = (Vec::new(), false, Spaces::default());
    loop {
        buffer.clear();
        let event = reader
            .read_event_into(&mut buffer)
            .map_err(|error| Refusal::Damaged(error.to_string()))?;
        match &event {
            Event::Eof => break,
            Event::Comment(_) => continue,
            Event::Text(_) if !inside => continue,
            Event::Text(text) => {
                let text = spaces.collapsed(text.as_ref());
                writer
                    .write_event(Event::Text(BytesText::from_escaped(text)))
                    .map_err(failed)?;
                continue;
            }
            Event::Start(tag) if is_cell(tag.name().as_ref()) => inside = true,
            Event::End(tag) if is_cell(tag.name().as_ref()) => inside = false,
            Event::Start(tag) if tag.name().as_ref() == "text:p" => spaces = Spaces::default(),
            Event::End(tag) if tag.name().as_ref() == "text:p" => spaces = Spaces::default(),
            _ if inside => {
                let text = spaces.before_something();
                writer
                    .write_event(Event::Text(BytesText::from_escaped(text)))
                    .map_err(failed)?;
            }
            _ => {}
        }
        writer.write_event(event).map_err(failed)?;
    }
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let parts = [
        ("mimetype", MEDIA_TYPE.as_bytes()),
        ("META-INF/manifest.xml", b"<manifest:manifest/>"),
        ("content.xml", &writer.into_inner()),
    ];
    for (name, bytes) in parts {
        zip.start_file(name, stored).map_err(|error| damage(&error))?;
        zip.write_all(bytes)?;
    }
    zip.finish().map_err(|error| damage(&error))
}

/// A pass over the content.
struct Scan<'a> {
    limits: &'a Limits,
    tables: Vec<Table>,
    open: Option<Table>,
    /// Cells of the tables that are closed.
    cells: u64,
    spaces: u64,
    /// Whether there is nothing but cells in rows.
    tidy: bool,
    /// Between the cells of a row.
    in_row: bool,
}

/// Looks through the content and refuses what calamine could not hold. Also says whether it is tidy.
fn scan(content: impl Read, limits: &Limits) -> Result<(Vec<Table>, bool), ReadError> {
    let mut reader = quick_xml::Reader::from_reader(BufReader::with_capacity(64 << 10, content));
    reader.config_mut().check_end_names = false;
    let mut buffer = Vec::new();
    let mut scan = Scan {
        limits,
        tables: Vec::new(),
        open: None,
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
            return Ok((scan.tables, scan.tidy));
        }
        scan.see(&event)?;
    }
}

impl Scan<'_> {
    fn see(&mut self, event: &Event<'_>) -> Result<(), Refusal> {
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
            table.see(tag);
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
    fn see(&mut self, tag: &BytesStart<'_>) {
        match tag.name().as_ref() {
            "table:table-column" => {
                let repeats = number(tag, "table:number-columns-repeated").unwrap_or(1);
                if hidden(tag) {
                    let last = self.columns.saturating_add(repeats).min(MOST_COLUMNS);
                    push(&mut self.layout.hidden_columns, self.columns, last);
                }
                self.columns = self.columns.saturating_add(repeats);
            }
            "table:table-row" => {
                self.repeats = number(tag, "table:number-rows-repeated").unwrap_or(1);
                (self.column, self.filled) = (0, None);
                if hidden(tag) {
                    let last = self.row.saturating_add(self.repeats).min(MOST_ROWS);
                    push(&mut self.layout.hidden_rows, self.row, last);
                }
            }
            name if is_cell(name) => self.cell(tag),
            _ => {}
        }
    }

    fn cell(&mut self, tag: &BytesStart<'_>) {
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

    fn end_row(&mut self) {
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
