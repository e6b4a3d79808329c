//! Tables go out as files: one interface, a file format behind it each.
//!
//! A sink takes sheets, and Arrow batches for the sheet that was started last. A column's Arrow type says what its cells
//! are (see [`super::view::ColumnView`]); what the type cannot say, its name and number format, comes with the sheet. The
//! same batches give the same bytes.

mod annotated;
mod csv;
mod injection;
mod jsonl;
mod marks;
mod names;
mod parquet;
mod plain;
mod rules;
mod style;
mod workbook;

use std::path::Path;

use arrow::record_batch::RecordBatch;

pub use injection::{csv_text, is_injection};
pub use marks::{Mark, Tone};
pub use plain::{PlainColumn, PlainSheet, write_plain};
pub use style::{Compression, CsvStyle, Delimiter, Encoding, LineEnd, Unwritable};

/// One column of a sheet that is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputColumn {
    /// Its header.
    pub name: String,
    /// The number format of its numbers, dates and times; `None`: General, or a plain one for dates and times.
    pub format: Option<String>,
}

/// A sheet that is about to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputSheet {
    /// Its name; made fit for Excel and unique where it is not.
    pub name: String,
    /// Its columns, those of the batches in order.
    pub columns: Vec<OutputColumn>,
    /// The number formats that cells of mixed columns point into.
    pub formats: Vec<String>,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows without headers.
    pub rows: u64,
    /// Names of the sheets as they are in the file.
    pub sheets: Vec<String>,
    /// Texts cut to the 32,767 characters that Excel allows.
    pub cut_texts: u64,
    /// Cells that are coloured and have no note, since there are too many.
    pub notes_left_out: u64,
    /// Characters that the encoding does not have, for each of which stands a `?`.
    pub replaced: u64,
}

/// Why nothing could be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The disk.
    #[error("cannot write: {0}")]
    Io(#[from] std::io::Error),
    /// The library of annotated workbooks.
    #[error("cannot write xlsx: {0}")]
    Xlsx(#[from] rust_xlsxwriter::XlsxError),
    /// A column of a type that no spreadsheet has.
    #[error("cannot write a column: {0}")]
    Column(#[from] arrow::error::ArrowError),
    /// A batch before any sheet, or with another number of columns than its sheet.
    #[error("a batch does not fit its sheet")]
    Shape,
    /// More columns than an Excel sheet has.
    #[error("{0} columns are more than the 16,384 of a sheet")]
    Columns(usize),
    /// Parquet.
    #[error("cannot write parquet: {0}")]
    Parquet(#[from] ::parquet::errors::ParquetError),
    /// What was asked for cannot be written.
    #[error("{sentence}")]
    Refused {
        /// A stable word.
        code: &'static str,
        /// What is in the way and what to do, for people.
        sentence: String,
    },
    /// A second sheet for a format that has only one.
    #[error("this format holds one sheet only")]
    OneSheet,
}

/// Formats that can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputFormat {
    /// Office Open XML.
    Xlsx,
    /// RFC 4180, UTF-8.
    Csv,
    /// Parquet, one sheet.
    Parquet,
    /// A JSON object a line, one sheet.
    Jsonl,
}

/// Takes sheets and their rows.
pub trait Sink {
    /// Begins a sheet; batches that follow belong to it.
    ///
    /// # Errors
    /// When the format has no further sheet, or the sheet has too many columns.
    fn start_sheet(&mut self, sheet: &OutputSheet) -> Result<(), WriteError>;

    /// Adds rows to the sheet that was started last: exactly its columns, in order.
    ///
    /// # Errors
    /// When the disk is full or the batch does not fit.
    fn write(&mut self, batch: &RecordBatch) -> Result<(), WriteError>;

    /// The same, with cells coloured and noted on, in the order of rows and columns; formats without colours leave that out.
    ///
    /// # Errors
    /// Those of [`Sink::write`].
    fn write_marked(&mut self, batch: &RecordBatch, _marks: &[Mark]) -> Result<(), WriteError> {
        self.write(batch)
    }

    /// Completes the file.
    ///
    /// # Errors
    /// When the disk is full.
    fn finish(self: Box<Self>) -> Result<Written, WriteError>;
}

/// Opens a file of rows for writing, in the usual style of its format.
///
/// # Errors
/// When the file cannot be made.
pub fn open(format: OutputFormat, path: &Path) -> Result<Box<dyn Sink>, WriteError> {
    Ok(match format {
        OutputFormat::Xlsx => open_xlsx(Compression::default(), 1, path)?,
        OutputFormat::Csv => open_csv(CsvStyle::default(), path)?,
        OutputFormat::Parquet => Box::new(parquet::ParquetSink::open(path)?),
        OutputFormat::Jsonl => Box::new(jsonl::JsonlSink::open(path)?),
    })
}

/// Opens a csv file for writing, in a style of its own.
///
/// # Errors
/// When the file cannot be made.
pub fn open_csv(style: CsvStyle, path: &Path) -> Result<Box<dyn Sink>, WriteError> {
    Ok(Box::new(csv::CsvSink::open(path, style)?))
}

/// Opens a workbook for writing, with as many threads of its own; they do not change what is in it. It takes no marks.
///
/// # Errors
/// When the file cannot be made, or there are no more threads.
pub fn open_xlsx(compression: Compression, threads: usize, path: &Path) -> Result<Box<dyn Sink>, WriteError> {
    Ok(Box::new(workbook::WorkbookSink::open(compression, threads, path)?))
}

/// Opens a workbook for writing whose cells may have marks, which takes some four times as long. `scratch` is a folder for
/// what does not fit in memory; it must exist.
///
/// # Errors
/// When the file cannot be made.
pub fn open_annotated(compression: Compression, path: &Path, scratch: &Path) -> Result<Box<dyn Sink>, WriteError> {
    Ok(Box::new(annotated::AnnotatedSink::open(compression, path, scratch)?))
}
