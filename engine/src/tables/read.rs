//! Reads a table folder as Arrow batches of its resolved kinds.
//!
//! A batch has `row` (UInt32, the row number as Excel shows it) and a column `c0`, `c1`, … per entry of
//! [`TableMeta::columns`], in that order, of the type of its kind ([`ColumnKind::arrow`]). Parts store a column by its sheet
//! letters at the part's own narrowest kind, and leave out what is wholly blank in them; the cast happens here.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt32Type};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection};

use super::{ColumnKind, PART_FORMAT, TABLE_FILE, TableMeta, mixed};

/// Why a table cannot be read. None of it is the user's fault.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The disk.
    #[error("cannot read or write a table: {0}")]
    Io(#[from] std::io::Error),
    /// `table.json` is not ours.
    #[error("table.json: {0}")]
    Meta(#[from] serde_json::Error),
    /// A part.
    #[error("part: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// A column of a part.
    #[error("column: {0}")]
    Arrow(#[from] ArrowError),
}

/// What to read of a table.
#[derive(Clone, Debug)]
pub struct Scan {
    /// Positions in [`TableMeta::columns`], in the order wanted; `None`: all.
    pub columns: Option<Vec<usize>>,
    /// Data rows to leave out, from the first.
    pub offset: u64,
    /// At most so many rows; `None`: all.
    pub limit: Option<u64>,
    /// At most so many rows in a batch.
    pub batch_rows: usize,
}

impl Default for Scan {
    fn default() -> Self {
        Self {
            columns: None,
            offset: 0,
            limit: None,
            batch_rows: 8192,
        }
    }
}

/// A table folder whose `table.json` was read.
#[derive(Clone, Debug)]
pub struct Table {
    folder: PathBuf,
    meta: Arc<TableMeta>,
}

impl Table {
    /// Opens a folder.
    ///
    /// # Errors
    /// When `table.json` is missing or not readable; parts are opened as they are reached.
    pub fn open(folder: &Path) -> Result<Self, TableError> {
        let meta = serde_json::from_slice(&std::fs::read(folder.join(TABLE_FILE))?)?;
        Ok(Self {
            folder: folder.to_owned(),
            meta: Arc::new(meta),
        })
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What `table.json` says.
    #[must_use]
    pub fn meta(&self) -> &TableMeta {
        &self.meta
    }

    /// The same rows under other columns: each is read from the sheet's column of its letters, and one without is blank.
    #[must_use]
    pub fn with_columns(self, meta: TableMeta) -> Self {
        Self {
            meta: Arc::new(meta),
            ..self
        }
    }

    /// The schema of batches with all columns.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        self.projected(&self.wanted(None))
    }

    /// Reads rows in order. A window far into the table is quick: parts and row groups in front of it are not opened.
    #[must_use]
    pub fn read(&self, scan: &Scan) -> Batches {
        let mut windows = Vec::new();
        let (mut skip, mut left) = (scan.offset, scan.limit.unwrap_or(u64::MAX));
        for part in 0..self.meta.parts.len() {
            let rows = self.meta.parts.get(part).map_or(0, |p| p.rows);
            if skip >= rows {
                skip -= rows;
                continue;
            }
            let take = left.min(rows - skip);
            if take == 0 {
                break;
            }
            windows.push(Window {
                part,
                skip,
                take,
                rows: None,
            });
            left -= take;
            skip = 0;
        }
        self.batches(windows, scan)
    }

    /// The number that Excel shows for the row at this position, from 0; nothing beyond the last one.
    ///
    /// # Errors
    /// When the part is not readable.
    pub fn row_number(&self, position: u64) -> Result<Option<u32>, TableError> {
        let scan = Scan {
            columns: Some(Vec::new()),
            offset: position,
            limit: Some(1),
            ..Scan::default()
        };
        let mut numbers = None;
        for batch in self.read(&scan) {
            let batch = batch?;
            let rows = batch.column(0).as_primitive_opt::<UInt32Type>();
            numbers = rows.and_then(|rows| rows.values().first().copied()).or(numbers);
        }
        Ok(numbers)
    }

    /// Reads one part, by its position in [`TableMeta::parts`]: parts can be read side by side. The window of `scan` counts
    /// rows of the part.
    #[must_use]
    pub fn read_part(&self, part: usize, scan: &Scan) -> Batches {
        let window = Window {
            part,
            skip: scan.offset,
            take: scan.limit.unwrap_or(u64::MAX),
            rows: None,
        };
        self.batches(vec![window], scan)
    }

    /// Reads some rows of one part, all columns of them: `rows` are their places in the part, from 0, in ascending order. What
    /// stands between them is passed over.
    #[must_use]
    pub fn read_rows(&self, part: usize, rows: Vec<u64>) -> Batches {
        let scan = Scan::default();
        let window = Window {
            part,
            skip: 0,
            take: u64::MAX,
            rows: Some(rows),
        };
        self.batches(vec![window], &scan)
    }

    fn batches(&self, mut windows: Vec<Window>, scan: &Scan) -> Batches {
        windows.reverse();
        let columns = self.wanted(scan.columns.as_deref());
        let schema = self.projected(&columns);
        Batches {
            table: self.clone(),
            columns,
            schema,
            batch_rows: scan.batch_rows.max(1),
            windows,
            open: None,
        }
    }

    fn wanted(&self, columns: Option<&[usize]>) -> Vec<usize> {
        let known = 0..self.meta.columns.len();
        columns.map_or_else(
            || known.clone().collect(),
            |c| c.iter().copied().filter(|at| known.contains(at)).collect(),
        )
    }

    fn projected(&self, columns: &[usize]) -> SchemaRef {
        let kind = |at: usize| self.meta.columns.get(at).map_or(ColumnKind::Blank, |c| c.kind);
        let fields = columns
            .iter()
            .map(|at| Field::new(format!("c{at}"), kind(*at).arrow(), true));
        let row = Field::new("row", DataType::UInt32, false);
        Arc::new(Schema::new(std::iter::once(row).chain(fields).collect::<Vec<_>>()))
    }
}

/// Rows of one part.
#[derive(Clone, Debug)]
struct Window {
    part: usize,
    skip: u64,
    take: u64,
    /// Only these of its rows, counted from its first.
    rows: Option<Vec<u64>>,
}

/// Batches of a table, in row order.
pub struct Batches {
    table: Table,
    columns: Vec<usize>,
    schema: SchemaRef,
    batch_rows: usize,
    /// Last first.
    windows: Vec<Window>,
    open: Option<ParquetRecordBatchReader>,
}

impl Batches {
    /// The schema of each batch.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn open_next(&mut self) -> Result<bool, TableError> {
        let Some(window) = self.windows.pop() else {
            return Ok(false);
        };
        let Some(part) = self.table.meta.parts.get(window.part) else {
            return Ok(true);
        };
        let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(self.table.folder.join(&part.path))?)?;
        let letters = self
            .columns
            .iter()
            .filter_map(|at| self.table.meta.columns.get(*at))
            .map(|c| c.letters.as_str());
        let names: Vec<&str> = std::iter::once("row").chain(letters).collect();
        let roots = builder.schema().fields().iter().enumerate();
        let roots: Vec<usize> = roots
            .filter(|(_, f)| names.contains(&f.name().as_str()))
            .map(|(at, _)| at)
            .collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        let as_rows = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let builder = builder.with_projection(mask).with_batch_size(self.batch_rows);
        let mut builder = builder
            .with_offset(as_rows(window.skip))
            .with_limit(as_rows(window.take));
        if let Some(rows) = window.rows {
            let ranges = rows.iter().map(|row| as_rows(*row)..as_rows(*row) + 1);
            builder = builder.with_row_selection(RowSelection::from_consecutive_ranges(ranges, as_rows(part.rows)));
        }
        self.open = Some(builder.build()?);
        Ok(true)
    }

    fn resolved(&self, batch: &RecordBatch) -> Result<RecordBatch, TableError> {
        let row = batch.column_by_name("row").cloned();
        let row = row.ok_or_else(|| ArrowError::SchemaError("a part has a column row".to_owned()))?;
        let mut columns = vec![row];
        for at in &self.columns {
            let Some(meta) = self.table.meta.columns.get(*at) else {
                continue;
            };
            let stored = batch.schema_ref().column_with_name(&meta.letters);
            columns.push(match stored {
                None => new_null_array(&meta.kind.arrow(), batch.num_rows()),
                Some((position, field)) => self.widened(batch.column(position), field, meta.kind)?,
            });
        }
        Ok(RecordBatch::try_new(self.schema(), columns)?)
    }

    fn widened(&self, stored: &ArrayRef, field: &Field, kind: ColumnKind) -> Result<ArrayRef, ArrowError> {
        let wanted = kind.arrow();
        if *stored.data_type() == wanted {
            return Ok(Arc::clone(stored));
        }
        if kind == ColumnKind::Mixed {
            let format = field
                .metadata()
                .get(PART_FORMAT)
                .and_then(|f| f.parse().ok())
                .unwrap_or(0);
            let code = self.table.meta.formats.get(usize::from(format)).map(String::as_str);
            return mixed::from_typed(stored, format, code);
        }
        cast(stored, &wanted)
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.open.as_mut().map(Iterator::next) {
                Some(Some(batch)) => return Some(batch.map_err(TableError::from).and_then(|b| self.resolved(&b))),
                Some(None) => self.open = None,
                None => match self.open_next() {
                    Ok(true) => {}
                    Ok(false) => return None,
                    Err(error) => {
                        self.windows.clear();
                        return Some(Err(error));
                    }
                },
            }
        }
    }
}
