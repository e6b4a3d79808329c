//! What a process keeps from one order to the next: tables that it opened, and rows that were shown.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use arrow::array::{AsArray, UInt64Array};
use arrow::compute::concat_batches;
use arrow::datatypes::UInt32Type;
use arrow::record_batch::RecordBatch;

use super::{PreviewOrder, RowsAnswer};
use crate::recipe::ledger::{origin, shuffled};
use crate::recipe::plan::chunk::Chunk;
use crate::recipe::plan::glance::Stop;
use crate::recipe::plan::operator::PlanError;
use crate::tables::ColumnKind;
use crate::tables::read::Table;

/// Tables that are kept open.
const MOST_TABLES: usize = 8;
/// Runs of rows that are kept.
const MOST_RUNS: usize = 8;
/// Bytes of a run of rows that is kept; cells may be long.
const MOST_BYTES: usize = 16 << 20;
/// Threads that read rows which stand far apart.
const JOBS: usize = 2;

/// What is kept. Tables never change: a folder holds the same rows for ever.
#[derive(Debug, Default)]
pub struct Warmth {
    stop: Stop,
    tables: Vec<Table>,
    runs: Vec<(RunOfRows, Chunk)>,
    /// What was shown last, by the order in words.
    shown: Option<(String, RowsAnswer)>,
}

/// Which rows of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Places {
    /// So many of the first.
    First(usize),
    /// So many, by a seed.
    Random(usize, u64),
}

/// Rows that are kept: the table, its columns as the recipe has them, and which rows.
#[derive(Debug, PartialEq, Eq)]
struct RunOfRows {
    folder: PathBuf,
    columns: Vec<(String, ColumnKind)>,
    places: Places,
}

impl Warmth {
    /// Set it to end the order that is being carried out; it has to be renewed for the next one.
    #[must_use]
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// The table of a folder.
    pub(super) fn table(&mut self, folder: &Path) -> Result<Table, PlanError> {
        let table = match self.tables.iter().position(|table| table.folder() == folder) {
            Some(at) => self.tables.remove(at),
            None => Table::open(folder)?,
        };
        push(&mut self.tables, table.clone(), MOST_TABLES);
        Ok(table)
    }

    /// The rows that were shown last, if an order asked for the same ones.
    pub(super) fn shown(&self, order: &PreviewOrder) -> Option<RowsAnswer> {
        let (words, answer) = self.shown.as_ref()?;
        (Some(words) == in_words(order).as_ref()).then(|| answer.clone())
    }

    /// Keeps the rows of an order.
    pub(super) fn keep_shown(&mut self, order: &PreviewOrder, answer: &RowsAnswer) {
        self.shown = in_words(order).map(|words| (words, answer.clone()));
    }

    /// Some rows of a table, with all its columns.
    pub(super) fn rows(&mut self, table: &Table, places: Places) -> Result<Chunk, PlanError> {
        let columns = table.meta().columns.iter();
        let wanted = RunOfRows {
            folder: table.folder().to_owned(),
            columns: columns.map(|column| (column.letters.clone(), column.kind)).collect(),
            places,
        };
        let kept = self.runs.iter().position(|(run, _)| *run == wanted);
        let chunk = match kept {
            Some(at) => self.runs.remove(at).1,
            None => rows_at(table, &places.of(table.meta().rows))?,
        };
        if chunk.bytes() <= MOST_BYTES {
            push(&mut self.runs, (wanted, chunk.clone()), MOST_RUNS);
        }
        Ok(chunk)
    }
}

/// What an order asks, apart from where it works and whether rows are counted.
fn in_words(order: &PreviewOrder) -> Option<String> {
    let asked = PreviewOrder {
        count_all: false,
        scratch: PathBuf::new(),
        ..order.clone()
    };
    serde_json::to_string(&asked).ok()
}

/// Puts one behind the others; the first one goes where there are too many.
fn push<T>(kept: &mut Vec<T>, one: T, most: usize) {
    if kept.len() >= most {
        kept.remove(0);
    }
    kept.push(one);
}

impl Places {
    /// The places in a table of so many rows, in ascending order.
    fn of(self, rows: u64) -> Vec<u64> {
        match self {
            Self::First(wanted) => (0..rows.min(wanted as u64)).collect(),
            Self::Random(wanted, _) if wanted as u64 >= rows => (0..rows).collect(),
            Self::Random(wanted, seed) => {
                // Floyd's way to as many different numbers as are wanted: Bentley and Floyd, CACM 30 (1987), 9, page 754.
                let mut places = BTreeSet::new();
                for last in rows - wanted as u64..rows {
                    let place = shuffled(last, seed) % (last + 1);
                    if !places.insert(place) {
                        places.insert(last);
                    }
                }
                places.into_iter().collect()
            }
        }
    }
}

/// The rows of a table at these places, in ascending order, with all its columns.
pub(super) fn rows_at(table: &Table, places: &[u64]) -> Result<Chunk, PlanError> {
    let of_parts = of_parts(table, places);
    let some = of_parts.len().div_ceil(JOBS).max(1);
    let read = |parts: &[(usize, Vec<u64>)]| {
        let mut batches = Vec::new();
        for (part, rows) in parts {
            for batch in table.read_rows(*part, rows.clone()) {
                batches.push(batch?);
            }
        }
        Ok::<Vec<RecordBatch>, PlanError>(batches)
    };
    let mut batches = Vec::new();
    std::thread::scope(|scope| {
        let readers: Vec<_> = of_parts
            .chunks(some)
            .map(|parts| scope.spawn(move || read(parts)))
            .collect();
        for reader in readers {
            let ended = reader
                .join()
                .map_err(|_panic| PlanError::Internal("a reader of rows broke off"))?;
            batches.extend(ended?);
        }
        Ok::<(), PlanError>(())
    })?;
    let batch = concat_batches(&table.schema(), &batches)?;
    let sources = batch.column(0).as_primitive_opt::<UInt32Type>();
    let sources = sources.ok_or(PlanError::Internal("a part has no rows"))?.clone();
    let sheet = table.meta().position;
    Ok(Chunk {
        columns: batch.columns()[1..].to_vec(),
        origins: UInt64Array::from_iter_values(sources.values().iter().map(|row| origin(sheet, *row))),
        sources,
        changed: None,
        flags: None,
    })
}

/// The places by the parts they are in, counted from the part's first row.
fn of_parts(table: &Table, places: &[u64]) -> Vec<(usize, Vec<u64>)> {
    let (mut of_parts, mut first, mut left) = (Vec::new(), 0, places);
    for (part, meta) in table.meta().parts.iter().enumerate() {
        let end = first + meta.rows;
        let (here, behind) = left.split_at(left.partition_point(|place| *place < end));
        if !here.is_empty() {
            of_parts.push((part, here.iter().map(|place| place - first).collect()));
        }
        (first, left) = (end, behind);
    }
    of_parts
}
