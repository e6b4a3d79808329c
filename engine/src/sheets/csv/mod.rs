//! Plain text with separated fields: CSV, TSV and their like.
//!
//! The file is read twice: once to learn what its columns are, which only all rows of a column can tell, and once for its
//! cells. Neither pass holds more than a row.

mod rows;
mod text;
mod types;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use encoding_rs::Encoding;

use super::header::{ShownRow, find};
use super::kind::{CellKind, letters};
use super::number_format::GENERAL;
use super::refusal::{Refusal, TooMuch};
use super::source::{Cell, Cells, EXAMPLES, Oddity, OddityKind, SheetInfo, Used};
use super::{HeaderOption, IngestOptions, Limits, ReadError, TextDialect, Visibility};
use rows::{Row, Rows, separator_line};
use text::Text;
use types::{Column, Seen, alone};

/// What may separate fields, in the order of preference where two fit equally.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Characters of a file that are looked at for what separates.
const SAMPLE: usize = 256 << 10;
/// Rows of it.
const SAMPLE_ROWS: usize = 1000;
/// Rows that a header is looked for in.
const HEAD_ROWS: usize = 60;
/// Widths of rows that are told apart.
const WIDTHS: usize = 1000;

/// A text file whose columns are known.
pub struct CsvBook {
    file: File,
    size: u64,
    encoding: &'static Encoding,
    delimiter: u8,
    dialect: TextDialect,
    header: HeaderOption,
    columns: Vec<Column>,
    formats: Vec<String>,
    oddities: Vec<Oddity>,
    sheets: Vec<SheetInfo>,
    limits: Limits,
    used: Used,
    rows: u32,
}

impl CsvBook {
    /// Reads a file once, to learn its encoding, what separates its fields, its header and what its columns are.
    ///
    /// # Errors
    /// When it is refused, or the disk fails.
    pub(super) fn open(path: &Path, options: &IngestOptions, limits: &Limits) -> Result<Self, ReadError> {
        let mut file = File::open(path)?;
        let size = file.metadata()?.len();
        let found = encoding(&mut file, options)?;
        let delimiter = match options.text.delimiter.and_then(|it| u8::try_from(it).ok()) {
            Some(delimiter) if delimiter.is_ascii() => delimiter,
            _ => delimiter_of(&file, found.encoding)?,
        };
        let header = match options.header {
            HeaderOption::Auto => header(&file, found.encoding, delimiter)?,
            ref given => given.clone(),
        };
        let last = match header {
            HeaderOption::Rows(first, last) => first.max(last),
            HeaderOption::Auto | HeaderOption::None => 0,
        };
        let seen = look(&file, found.encoding, delimiter, last, limits)?;
        let columns: Vec<Column> = seen.columns.iter().map(|column| column.column(delimiter)).collect();
        let ambiguous = columns.iter().zip(0..).filter(|(column, _)| column.ambiguous);
        let mut oddities = seen.oddities();
        oddities.extend(Oddity::of(
            OddityKind::AmbiguousDates,
            ambiguous.map(|(_, at)| letters(at)),
        ));
        Ok(Self {
            file,
            size,
            encoding: found.encoding,
            delimiter,
            dialect: TextDialect {
                encoding: found.encoding.name().to_owned(),
                sure: found.sure,
                delimiter: char::from(delimiter),
            },
            header,
            formats: formats(&columns),
            columns,
            oddities,
            sheets: vec![SheetInfo {
                position: 0,
                name: "Sheet1".to_owned(),
                visibility: Visibility::Visible,
            }],
            // A text has no rows of Excel's; what its cells are together is bounded.
            limits: Limits {
                rows: u64::from(u32::MAX),
                ..limits.clone()
            },
            used: Used::default(),
            rows: seen.rows,
        })
    }

    pub(super) fn sheets(&self) -> &[SheetInfo] {
        &self.sheets
    }

    pub(super) fn oddities(&self) -> Vec<Oddity> {
        self.oddities.clone()
    }

    /// How it was read.
    pub(super) fn dialect(&self) -> &TextDialect {
        &self.dialect
    }

    /// Where its header is: what its columns are was decided by the rows below.
    pub(super) fn header(&self) -> &HeaderOption {
        &self.header
    }

    /// Starts to read the cells.
    ///
    /// # Errors
    /// When the disk fails.
    pub(super) fn cells(&mut self) -> Result<CsvCells<'_>, ReadError> {
        let format = |column: &Column| {
            let at = column
                .format
                .as_ref()
                .and_then(|code| self.formats.iter().position(|known| known == code));
            at.and_then(|at| u16::try_from(at).ok()).unwrap_or(0)
        };
        Ok(CsvCells {
            rows: rows(&self.file, self.encoding, self.delimiter)?,
            row: Row::default(),
            number: 0,
            at: 0,
            formats_of: self.columns.iter().map(format).collect(),
            columns: &self.columns,
            formats: &self.formats,
            limits: &self.limits,
            used: &mut self.used,
            last: self.rows,
            size: self.size,
        })
    }
}

fn encoding(file: &mut File, options: &IngestOptions) -> Result<text::Found, ReadError> {
    let Some(name) = &options.text.encoding else {
        return Ok(text::find(file)?);
    };
    let encoding = Encoding::for_label(name.as_bytes());
    Ok(text::Found {
        encoding: encoding.ok_or_else(|| Refusal::UnknownEncoding(name.clone()))?,
        sure: true,
    })
}

/// The formats of the columns, each once, behind `General`.
fn formats(columns: &[Column]) -> Vec<String> {
    let mut formats = vec![GENERAL.to_owned()];
    for format in columns.iter().filter_map(|column| column.format.as_ref()) {
        if !formats.contains(format) {
            formats.push(format.clone());
        }
    }
    formats
}

fn rows(file: &File, encoding: &'static Encoding, delimiter: u8) -> Result<Rows, ReadError> {
    let mut rows = Rows::new(Some(Text::of(file.try_clone()?, encoding)?), delimiter);
    rows.pass_separator_line()?;
    Ok(rows)
}

/// What separates: what a first line says, or what cuts most rows into the same number of fields.
fn delimiter_of(file: &File, encoding: &'static Encoding) -> Result<u8, ReadError> {
    let mut text = Text::of(file.try_clone()?, encoding)?;
    let mut sample = String::new();
    let mut whole = false;
    while sample.len() < SAMPLE && !whole {
        whole = !text.more(&mut sample)?;
    }
    if let Some((separator, _)) = separator_line(&sample) {
        return Ok(separator);
    }
    let mut best = (0, 0, DELIMITERS[0]);
    for delimiter in DELIMITERS {
        let (share, width) = agreement(&sample, whole, delimiter)?;
        if (share, width) > (best.0, best.1) {
            best = (share, width, delimiter);
        }
    }
    Ok(best.2)
}

/// How many of a thousand rows have the most frequent number of fields, and that number; nothing where it is one.
fn agreement(sample: &str, whole: bool, delimiter: u8) -> Result<(usize, usize), ReadError> {
    let mut rows = Rows::over(sample.to_owned(), delimiter);
    let (mut row, mut widths) = (Row::default(), Vec::new());
    while widths.len() < SAMPLE_ROWS && rows.next(&mut row)? {
        if !row.is_blank() {
            widths.push(row.len());
        }
    }
    // The last row is cut off.
    if !whole && widths.len() > 1 && widths.len() < SAMPLE_ROWS {
        widths.pop();
    }
    let mut counts = BTreeMap::new();
    for width in &widths {
        *counts.entry(*width).or_insert(0_usize) += 1;
    }
    let most = counts.iter().max_by_key(|(width, count)| (**count, **width));
    Ok(match most {
        Some((width, count)) if *width > 1 => (count * 1000 / widths.len().max(1), *width),
        _ => (0, 0),
    })
}

/// Looks for a header in the first rows, as in the sheets of workbooks.
fn header(file: &File, encoding: &'static Encoding, delimiter: u8) -> Result<HeaderOption, ReadError> {
    let mut rows = rows(file, encoding, delimiter)?;
    let (mut row, mut head, mut number) = (Row::default(), Vec::new(), 0);
    while head.len() < HEAD_ROWS && number < u32::MAX && rows.next(&mut row)? {
        number += 1;
        if row.is_blank() {
            continue;
        }
        let cell = |text: &str| match alone(text) {
            _ if text.is_empty() => (CellKind::Blank, 0.0, String::new()),
            (kind, number) => (kind, number, text.to_owned()),
        };
        head.push(ShownRow {
            row: number,
            cells: row.fields().map(cell).collect(),
        });
    }
    let found = find(&head).and_then(|(first, last)| Some((head.get(first)?.row, head.get(last)?.row)));
    Ok(found.map_or(HeaderOption::None, |(first, last)| HeaderOption::Rows(first, last)))
}

/// What a pass over all rows found.
#[derive(Default)]
struct Looked {
    columns: Vec<Seen>,
    /// Rows by their number of fields, with the lines of the first ones.
    widths: BTreeMap<usize, (u64, Vec<u64>)>,
    open_quote: Option<u64>,
    replaced: bool,
    rows: u32,
}

fn look(
    file: &File,
    encoding: &'static Encoding,
    delimiter: u8,
    header: u32,
    limits: &Limits,
) -> Result<Looked, ReadError> {
    let mut rows = rows(file, encoding, delimiter)?;
    let (mut row, mut looked) = (Row::default(), Looked::default());
    while rows.next(&mut row)? {
        looked.rows = looked.rows.saturating_add(1);
        if row.is_blank() {
            continue;
        }
        if row.len() > limits.columns as usize {
            return Err(Refusal::TooMuch(TooMuch::Columns(limits.columns)).into());
        }
        if looked.widths.len() < WIDTHS || looked.widths.contains_key(&row.len()) {
            let (count, lines) = looked.widths.entry(row.len()).or_default();
            *count += 1;
            if lines.len() < EXAMPLES {
                lines.push(row.line);
            }
        }
        if looked.columns.len() < row.len() {
            looked.columns.resize(row.len(), Seen::default());
        }
        if looked.rows > header {
            looked
                .columns
                .iter_mut()
                .zip(row.fields())
                .for_each(|(seen, field)| seen.see(field));
        }
    }
    (looked.open_quote, looked.replaced) = (rows.open_quote, rows.replaced());
    Ok(looked)
}

impl Looked {
    fn oddities(&self) -> Vec<Oddity> {
        let line = |line: &u64| format!("line {line}");
        let most = self
            .widths
            .iter()
            .max_by_key(|(_, (count, _))| *count)
            .map(|(width, _)| *width);
        let others = self.widths.iter().filter(|(width, _)| Some(**width) != most);
        let mut lines: Vec<u64> = others
            .clone()
            .flat_map(|(_, (_, lines))| lines.iter().copied())
            .collect();
        lines.sort_unstable();
        lines.truncate(EXAMPLES);
        let ragged = others.map(|(_, (count, _))| count).sum();
        let ragged = (ragged > 0).then(|| Oddity {
            kind: OddityKind::RaggedRows,
            count: ragged,
            examples: lines.iter().map(line).collect(),
        });
        let open = Oddity::of(OddityKind::OpenQuote, self.open_quote.iter().map(line));
        let replaced = Oddity::of(OddityKind::UnknownBytes, self.replaced.then(String::new).into_iter());
        [ragged, open, replaced].into_iter().flatten().collect()
    }
}

/// The cells of a text.
pub(super) struct CsvCells<'a> {
    rows: Rows,
    row: Row,
    /// The row's number.
    number: u32,
    /// The position of its next field.
    at: usize,
    columns: &'a [Column],
    /// The position of each column's format.
    formats_of: Vec<u16>,
    formats: &'a [String],
    limits: &'a Limits,
    used: &'a mut Used,
    last: u32,
    size: u64,
}

impl CsvCells<'_> {
    /// Goes to the next field that is filled.
    fn advance(&mut self) -> Result<bool, ReadError> {
        loop {
            while self.at < self.row.len() {
                self.at += 1;
                if !self.row.field(self.at - 1).is_empty() {
                    return Ok(true);
                }
            }
            if !self.rows.next(&mut self.row)? {
                return Ok(false);
            }
            (self.at, self.number) = (0, self.number.saturating_add(1));
        }
    }
}

impl Cells for CsvCells<'_> {
    fn next(&mut self) -> Result<Option<Cell<'_>>, ReadError> {
        if !self.advance()? {
            return Ok(None);
        }
        let (at, number) = (self.at - 1, self.number);
        let field = self.row.field(at);
        let (kind, value) = self
            .columns
            .get(at)
            .map_or((CellKind::Text, 0.0), |column| column.cell(field));
        let is_text = kind == CellKind::Text;
        let text = if is_text { field } else { "" };
        let column = u32::try_from(at).unwrap_or(u32::MAX);
        self.used.take(self.limits, number, column, text)?;
        Ok(Some(Cell {
            row: number,
            column,
            kind,
            number: value,
            text,
            format: if is_text {
                0
            } else {
                self.formats_of.get(at).copied().unwrap_or(0)
            },
        }))
    }

    fn formats(&self) -> &[String] {
        self.formats
    }

    fn last_row(&self) -> Option<u32> {
        Some(self.last)
    }

    fn bytes(&self) -> (u64, u64) {
        (self.rows.bytes().min(self.size), self.size)
    }
}

#[cfg(test)]
mod tests {
    use super::super::TextOptions;
    use super::*;

    fn open(bytes: &[u8], options: &IngestOptions) -> Result<CsvBook, ReadError> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("a.csv");
        std::fs::write(&path, bytes)?;
        CsvBook::open(&path, options, &Limits::default())
    }

    /// The cells of a text, row by row: numbers as they are, text in quotes.
    fn cells(bytes: &[u8], options: &IngestOptions) -> Result<Vec<(u32, Vec<String>)>, ReadError> {
        let mut book = open(bytes, options)?;
        let mut cells = book.cells()?;
        let mut rows: Vec<(u32, Vec<String>)> = Vec::new();
        while let Some(cell) = cells.next()? {
            let shown = match cell.kind {
                CellKind::Text => format!("'{}'", cell.text),
                _ => cell.number.to_string(),
            };
            match rows.last_mut() {
                Some((row, shown_cells)) if *row == cell.row => shown_cells.push(shown),
                _ => rows.push((cell.row, vec![shown])),
            }
        }
        Ok(rows)
    }

    fn read(text: &str) -> Vec<(u32, Vec<String>)> {
        cells(text.as_bytes(), &IngestOptions::default()).unwrap_or_default()
    }

    fn row(number: u32, cells: &[&str]) -> (u32, Vec<String>) {
        (number, cells.iter().map(|it| (*it).to_owned()).collect())
    }

    #[test]
    fn quotes_line_ends_and_separators_are_those_of_the_file() {
        let expected = [row(1, &["'a'", "'b'"]), row(2, &["1", "'x'"]), row(3, &["2", "'y'"])];
        for text in [
            "a,b\n1,x\n2,y",
            "a,b\r\n1,x\r\n2,y\r\n",
            "a,b\r1,x\r2,y\r",
            "a;b\n1;x\n2;y\n",
            "a\tb\n1\tx\n2\ty\n",
            "a|b\n1|x\n2|y\n",
            "sep=:\r\na:b\r\n1:x\r\n2:y",
            "\"a\",\"b\"\n\"1\",\"x\"\n\"2\",\"y\"\n",
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
        assert_eq!(
            read("a,b\n\"1 \"\"2\"\"\",\"x\ny,z\"\n\n3,\"q\"r\n"),
            [
                row(1, &["'a'", "'b'"]),
                row(2, &["'1 \"2\"'", "'x\ny,z'"]),
                row(4, &["'3'", "'qr'"])
            ]
        );
    }

    #[test]
    fn the_encoding_is_found_or_given() {
        let text = "name;städt\nÄrger;Zürich\nMüller;Köln\nStraße;Düsseldorf\n";
        let expected = read(text);
        assert_eq!(expected.len(), 4);
        let (latin, ..) = encoding_rs::WINDOWS_1252.encode(text);
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let marked = [&[0xef, 0xbb, 0xbf], text.as_bytes()].concat();
        let big = [
            vec![0xfe, 0xff],
            text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        ]
        .concat();
        for bytes in [latin.as_ref(), &wide, &marked, &big] {
            assert_eq!(cells(bytes, &IngestOptions::default()).ok().as_ref(), Some(&expected));
        }
        let japanese = "名前,住所\n山田太郎,東京都新宿区\n鈴木花子,大阪府大阪市\n";
        let (shift, ..) = encoding_rs::SHIFT_JIS.encode(japanese);
        assert_eq!(cells(&shift, &IngestOptions::default()).ok(), Some(read(japanese)));
        let found = open(&shift, &IngestOptions::default())
            .map(|book| book.dialect().clone())
            .ok();
        assert_eq!(
            found.map(|it| (it.encoding, it.sure)),
            Some(("Shift_JIS".to_owned(), false))
        );
        let given = IngestOptions {
            text: TextOptions {
                encoding: Some("latin1".to_owned()),
                delimiter: Some(';'),
            },
            ..IngestOptions::default()
        };
        assert_eq!(cells(latin.as_ref(), &given).ok(), Some(expected));
        let unknown = IngestOptions {
            text: TextOptions {
                encoding: Some("ebcdic".to_owned()),
                delimiter: None,
            },
            ..IngestOptions::default()
        };
        let refused = open(b"a,b", &unknown).err();
        assert!(matches!(refused, Some(ReadError::Refused(Refusal::UnknownEncoding(_)))));
    }

    #[test]
    fn what_is_odd_is_told_by_its_line() {
        let text = "id,name\n1,a\n2\n3,c,d\n4,\"x\ny\"\n5,e\n6,\"never closed\n7,f\n";
        let oddities = open(text.as_bytes(), &IngestOptions::default())
            .map(|book| book.oddities())
            .unwrap_or_default();
        let told: Vec<_> = oddities
            .iter()
            .map(|it| (it.kind, it.count, it.examples.join(" ")))
            .collect();
        assert_eq!(
            told,
            [
                (OddityKind::RaggedRows, 2, "line 3 line 4".to_owned()),
                (OddityKind::OpenQuote, 1, "line 8".to_owned())
            ]
        );
    }

    #[test]
    fn titles_above_the_header_do_not_decide_what_columns_are() {
        let text = "Report of 2024\n\nid,price,day\n1,1.50,2024-01-31\n2,2.25,2024-02-01\n";
        let book = open(text.as_bytes(), &IngestOptions::default());
        let formats = book.map(|book| (book.header().clone(), book.formats.clone())).ok();
        let expected = ["General", "0.00", "yyyy-mm-dd"].map(str::to_owned).to_vec();
        assert_eq!(formats, Some((HeaderOption::Rows(3, 3), expected)));
        assert_eq!(read(text).last(), Some(&row(5, &["2", "2.25", "45323"])));
    }

    #[test]
    fn endless_lines_and_quotes_are_refused_by_their_line() {
        let line = format!("a,b\n{}\n", "x".repeat(17 << 20));
        let refused = open(line.as_bytes(), &IngestOptions::default()).err();
        assert!(
            matches!(refused, Some(ReadError::Refused(Refusal::LongLine(2)))),
            "{refused:?}"
        );
        let quote = format!("a,b\n1,\"{}", "x\n".repeat(9 << 20));
        let refused = open(quote.as_bytes(), &IngestOptions::default()).err();
        assert!(
            matches!(refused, Some(ReadError::Refused(Refusal::OpenQuote(2)))),
            "{refused:?}"
        );
    }
}
