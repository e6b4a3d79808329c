//! Looking up in another table that does not fit into the memory.
//!
//! ```text
//! our rows ─── key, place ────────▶ sorted by key ─┐
//!                                                  ├─ merged ─▶ matches sorted by our place ─▶ file
//! their rows ─ key, place, cells ─▶ sorted by key ─┘    └─ those that met none, sorted by their place ─▶ file
//! ```
//!
//! Our rows go through the steps in front twice: first for their keys alone, then, as ever, for the result, and the matches
//! are taken from the file. So rows, accounts and rejects come in the same order as with the table in memory.

use std::collections::HashSet;
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BooleanArray, RecordBatch, UInt32Array, UInt64Array};
use arrow::compute::{concat_batches, filter};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt32Type, UInt64Type};
use arrow::ipc::reader::FileReader;
use arrow::ipc::writer::FileWriter;
use arrow::row::{RowConverter, SortField};
use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::external::{self, BatchStream, Key, SORT_ROWS};
use super::lookup::{LeftRows, LooksUp, Lookup, Matched, TheirRows, blanks};
use super::merge::Merge;
use super::operator::PlanError;
use super::source::{Source, to_be_read, unnamed};
use super::stages::{self, Window};
use super::{Effects, Work};
use crate::tables::read::Scan;

/// So few rows of ours are looked for one by one in the other table: a preview shows no more.
const FEW_ROWS: u64 = 8192;

const LOST: PlanError = PlanError::Internal("a batch lost its places");

/// What was found, on disk.
#[derive(Debug)]
pub struct Far {
    /// Our place, their place, their held columns.
    matches: Stored,
    /// For each piece of ours the place of its first row among those that reach the step, and behind the last one their number.
    firsts: Vec<u64>,
    /// Their place, their keys, their held columns: rows that met none of ours, where the step wants them.
    left: Option<Stored>,
    left_over: u64,
}

impl Far {
    /// How many rows of the other table met none of ours.
    #[must_use]
    pub fn left_over(&self) -> u64 {
        self.left_over
    }

    /// The rows that match those of a piece of ours; `blank` says which have a blank in their key.
    pub(super) fn matched(&self, place: usize, blank: BooleanArray) -> Result<Matched, PlanError> {
        let (Some(first), Some(next)) = (self.firsts.get(place), self.firsts.get(place + 1)) else {
            return Err(PlanError::Internal("a piece that was not looked up"));
        };
        if next - first != blank.len() as u64 {
            return Err(PlanError::Internal("other rows came than were looked up"));
        }
        let batch = self.matches.between(*first, *next)?;
        let places = places(&batch, 0)?;
        let end = |row: u64| u32::try_from(places.partition_point(|place| *place < first + row));
        let starts = (0..=blank.len() as u64).map(end).collect::<Result<Vec<_>, _>>();
        Ok(Matched {
            starts: starts.map_err(|_many| PlanError::Internal("too many rows match"))?,
            theirs: (0..u32::try_from(places.len()).unwrap_or(u32::MAX)).collect(),
            columns: batch.columns()[2..].to_vec(),
            blank,
        })
    }

    /// Those of the rows in this window of the other table that met none of ours; `keys` is how many columns keys have.
    pub(super) fn left(&self, window: Window, keys: usize) -> Result<LeftRows, PlanError> {
        let left = self.left.as_ref().ok_or(PlanError::Internal("rows were not kept"))?;
        let batch = left.between(window.first, window.first + window.rows)?;
        let (keys, columns) = batch.columns()[1..].split_at(keys);
        Ok(LeftRows {
            positions: places(&batch, 0)?.to_vec(),
            keys: keys.to_vec(),
            columns: columns.to_vec(),
        })
    }
}

/// Batches in a file without a name, sorted by their first column.
#[derive(Debug)]
struct Stored {
    schema: SchemaRef,
    /// The first place of each batch.
    starts: Vec<u64>,
    file: Mutex<FileReader<File>>,
}

impl Stored {
    async fn of(mut batches: BatchStream, schema: &SchemaRef, path: &Path) -> Result<Self, PlanError> {
        let mut writer = FileWriter::try_new(unnamed(path)?, schema)?;
        let mut starts = Vec::new();
        while let Some(batch) = batches.next().await {
            let batch = batch?;
            if let Some(start) = places(&batch, 0)?.first() {
                starts.push(*start);
                writer.write(&batch)?;
            }
        }
        Ok(Self {
            schema: schema.clone(),
            starts,
            file: to_be_read(writer)?,
        })
    }

    /// The rows from one place up to another.
    fn between(&self, from: u64, to: u64) -> Result<RecordBatch, PlanError> {
        let first = self.starts.partition_point(|start| *start < from).saturating_sub(1);
        let last = self.starts.partition_point(|start| *start < to);
        let mut batches = Vec::new();
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        for index in first..last {
            file.set_index(index)?;
            let batch = file.next().ok_or(LOST)??;
            let places = places(&batch, 0)?;
            let start = places.partition_point(|place| *place < from);
            let end = places.partition_point(|place| *place < to);
            batches.push(batch.slice(start, end - start));
        }
        Ok(concat_batches(&self.schema, &batches)?)
    }
}

/// A column of places.
pub(super) fn places(batch: &RecordBatch, column: usize) -> Result<&[u64], PlanError> {
    let places = batch.columns().get(column).ok_or(LOST)?;
    let places = places.as_primitive_opt::<UInt64Type>().ok_or(LOST)?;
    Ok(places.values())
}

/// Whether a step looks up on disk.
pub(super) fn spills(work: &Work, index: usize) -> bool {
    looks_up(work, index).is_some_and(|step| {
        let lookup = step.lookup();
        lookup.is_too_long() || lookup.bytes() > work.held() as u64
    })
}

/// Whether any of these steps does.
pub(super) fn any_spills(work: &Work, mut steps: Range<usize>) -> bool {
    steps.any(|index| spills(work, index))
}

fn looks_up(work: &Work, index: usize) -> Option<&dyn LooksUp> {
    work.plan.steps.get(index)?.operator.chunk_step()?.looks_up()
}

/// Looks up what these steps look up on disk, for all rows of the source.
pub(super) async fn look_up(work: &Arc<Work>, source: &Arc<Source>, steps: Range<usize>) -> Result<(), PlanError> {
    for index in steps.clone() {
        if let Some(step) = looks_up(work, index).filter(|_| spills(work, index)) {
            let far = search(work, source, steps.start..index).await?;
            step.lookup().set_far(far)?;
        }
    }
    Ok(())
}

/// Looks up the rows that come out of these steps, for the step behind them.
async fn search(work: &Arc<Work>, source: &Arc<Source>, steps: Range<usize>) -> Result<Far, PlanError> {
    let index = steps.end;
    let step = looks_up(work, index).ok_or(PlanError::Internal("a step that looks nothing up"))?;
    let lookup = step.lookup();
    let path = |name: &str| work.resources.scratch.join(format!("{name}-{index}.arrow"));
    let memory = work.share() / 4;
    let sort = |batches, schema: &SchemaRef, keys: &[Key]| {
        external::sort(batches, schema.clone(), keys, memory, &work.resources.scratch)
    };
    let theirs = Theirs::of(lookup)?;
    let wants_left = work.plan.steps[index]
        .operator
        .chunk_step()
        .and_then(|step| step.further())
        .is_some();
    let left = Arc::new(Mutex::new(Left::new(wants_left, &theirs.left, path("left"))?));
    let firsts = Arc::new(Mutex::new(vec![0]));

    let by_key = [Key::ascending(0), Key::ascending(1)];
    let is_few = !wants_left && source.rows().is_some_and(|rows| rows <= FEW_ROWS);
    let (ours, few) = match our_keys(work, source, steps, &theirs, &firsts) {
        keys if is_few => few_keys(keys).await?,
        keys => (keys, None),
    };
    let ours = sort(ours, &ours_schema(), &by_key)?;
    let theirs_sorted = sort(their_keys(work, (index, few), &theirs, &left), &theirs.schema, &by_key)?;
    let (sender, receiver) = mpsc::channel(1);
    let merge = Merge::new(ours, theirs_sorted, step.most(), 2 + lookup.on.len(), left.clone());
    let found = futures_util::stream::unfold(receiver, |mut receiver: mpsc::Receiver<_>| async move {
        receiver.recv().await.map(|batch| (batch, receiver))
    });
    let matches = sort(Box::pin(found), &theirs.matches, &by_key)?;
    let place = path("matches");
    let stored = Stored::of(matches, &theirs.matches, &place);
    let (merged, matches) = futures_util::future::join(merge.run(sender), stored).await;
    merged?;
    let (left_over, left) = take_from(&left, Left::default()).end()?;
    let left = match left {
        None => None,
        Some(left) => Some(
            Stored::of(
                sort(left, &theirs.left, &[Key::ascending(0)])?,
                &theirs.left,
                &path("behind"),
            )
            .await?,
        ),
    };
    Ok(Far {
        matches: matches?,
        firsts: take_from(&firsts, Vec::new()),
        left,
        left_over,
    })
}

fn take_from<T>(shared: &Mutex<T>, instead: T) -> T {
    std::mem::replace(&mut *shared.lock().unwrap_or_else(PoisonError::into_inner), instead)
}

/// How the rows of the other table look on their way.
#[derive(Clone, Debug)]
struct Theirs {
    /// The columns that are read of it.
    wanted: Vec<usize>,
    /// What a key is made by.
    parts: Vec<DataType>,
    /// Key, place, columns of keys, held columns.
    schema: SchemaRef,
    /// Place, columns of keys, held columns.
    left: SchemaRef,
    /// Our place, their place, held columns.
    matches: SchemaRef,
}

impl Theirs {
    fn of(lookup: &Lookup) -> Result<Self, PlanError> {
        let wanted = lookup.wanted();
        let scan = Scan {
            columns: Some(wanted.clone()),
            ..Scan::default()
        };
        let nothing = RecordBatch::new_empty(lookup.table.read(&scan).schema());
        let TheirRows { parts, keys, columns } = lookup.their_rows(&nothing, &wanted)?;
        let types = |arrays: &[ArrayRef]| arrays.iter().map(|array| array.data_type().clone()).collect::<Vec<_>>();
        let (keys, held) = (types(&keys), types(&columns));
        let place = || vec![DataType::UInt64];
        Ok(Self {
            wanted,
            parts: types(&parts),
            schema: schema([vec![DataType::Binary], place(), keys.clone(), held.clone()].concat()),
            left: schema([place(), keys, held.clone()].concat()),
            matches: schema([place(), place(), held].concat()),
        })
    }

    /// Rows with their keys in front; those that meet none of ours are left.
    fn keyed(
        &self,
        rows: TheirRows,
        places: ArrayRef,
        few: Option<&HashSet<Vec<u8>>>,
        left: &Mutex<Left>,
    ) -> Result<RecordBatch, PlanError> {
        let count = places.len();
        let (mut bytes, mut filled) = keys_of(&rows.parts, count, &self.converter()?)?;
        if let Some(few) = few {
            let is_wanted = |key: Option<&[u8]>| Some(key.is_some_and(|key| few.contains(key)));
            let wanted: BooleanArray = bytes.iter().map(is_wanted).collect();
            bytes = filter(&bytes, &wanted)?.as_binary::<i32>().clone();
            filled = filter(&filled, &wanted)?.as_primitive::<UInt32Type>().clone();
        }
        let mut unmet = vec![true; count];
        filled.values().iter().for_each(|row| unmet[*row as usize] = false);
        let cells = [vec![places], rows.keys, rows.columns].concat();
        let cells = RecordBatch::try_new(self.left.clone(), cells)?;
        let unmet = arrow::compute::filter_record_batch(&cells, &BooleanArray::from(unmet))?;
        left.lock().unwrap_or_else(PoisonError::into_inner).add(&unmet)?;
        let cells = arrow::compute::take_record_batch(&cells, &filled)?;
        let columns = std::iter::once(Arc::new(bytes) as ArrayRef).chain(cells.columns().iter().cloned());
        Ok(RecordBatch::try_new(self.schema.clone(), columns.collect())?)
    }

    fn converter(&self) -> Result<RowConverter, PlanError> {
        let fields = self.parts.iter().cloned().map(SortField::new);
        Ok(RowConverter::new(fields.collect())?)
    }
}

fn schema(types: Vec<DataType>) -> SchemaRef {
    let fields = types.into_iter().enumerate();
    let fields = fields.map(|(at, kind)| Field::new(format!("k{at}"), kind, true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn ours_schema() -> SchemaRef {
    schema(vec![DataType::Binary, DataType::UInt64])
}

/// Keys as bytes, and the rows they are of: those without a blank in them.
fn keys_of(parts: &[ArrayRef], rows: usize, converter: &RowConverter) -> Result<(BinaryArray, UInt32Array), PlanError> {
    let blank = blanks(parts, rows);
    let keys = converter.convert_columns(parts)?;
    let filled: Vec<usize> = (0..rows).filter(|row| !blank.value(*row)).collect();
    let bytes = filled.iter().map(|row| keys.row(*row).data().to_vec());
    let bytes = bytes.collect::<Vec<_>>();
    Ok((BinaryArray::from_iter_values(bytes), stages::positions(filled)))
}

/// Keys and places of our rows as they reach the step. Where each piece begins is noted.
fn our_keys(
    work: &Arc<Work>,
    source: &Arc<Source>,
    steps: Range<usize>,
    theirs: &Theirs,
    firsts: &Arc<Mutex<Vec<u64>>>,
) -> BatchStream {
    let needs = needs(work, steps.end);
    let (jobs, pieces) = (work.resources.jobs.max(1), source.pieces());
    let (work, source, theirs, firsts) = (work.clone(), source.clone(), theirs.clone(), firsts.clone());
    let keys = futures_util::stream::iter(0..pieces)
        .map(move |place| {
            let (work, source, theirs, steps) = (work.clone(), source.clone(), theirs.clone(), steps.clone());
            let needs = needs.clone();
            tokio::task::spawn_blocking(move || {
                if work.glance.stop.is_asked() {
                    return Err(PlanError::GivenUp);
                }
                let mut unnoted = Effects::default();
                let chunk = source.read(&work, place, &needs, &mut unnoted)?;
                let index = steps.end;
                let chunk = stages::apply_steps(&work, steps, chunk, place, &mut unnoted)?;
                let step = looks_up(&work, index).ok_or(LOST)?;
                let keys = keys_of(&step.lookup().our_parts(&chunk)?, chunk.rows(), &theirs.converter()?)?;
                Ok((chunk.rows() as u64, keys))
            })
        })
        .buffered(jobs);
    let mut next = 0;
    external::flattened(keys.map(move |keys| {
        let (rows, (keys, filled)) = keys??;
        let places = filled.values().iter().map(|row| next + u64::from(*row));
        let places: ArrayRef = Arc::new(UInt64Array::from_iter_values(places));
        next += rows;
        firsts.lock().unwrap_or_else(PoisonError::into_inner).push(next);
        external::compact(&RecordBatch::try_new(ours_schema(), vec![Arc::new(keys), places])?)
    }))
}

/// A few keys, and the set of them: then most rows of the other table need not be sorted.
async fn few_keys(mut keys: BatchStream) -> Result<(BatchStream, Option<HashSet<Vec<u8>>>), PlanError> {
    let (mut batches, mut set) = (Vec::new(), HashSet::new());
    while let Some(batch) = keys.next().await {
        let batch = batch?;
        let keys = batch.column(0).as_binary_opt::<i32>().ok_or(LOST)?;
        set.extend(keys.iter().flatten().map(<[u8]>::to_vec));
        batches.push(batch);
    }
    let batches = futures_util::stream::iter(batches.into_iter().map(Ok));
    Ok((Box::pin(batches), Some(set)))
}

/// The columns of the table that keys of ours depend on.
fn needs(work: &Work, index: usize) -> Arc<Vec<bool>> {
    let mut wanted = vec![false; work.plan.steps[index].before.len()];
    for (ours, _) in looks_up(work, index).iter().flat_map(|step| &step.lookup().on) {
        wanted[*ours] = true;
    }
    Arc::new(work.plan.needs_before(index, wanted, work.table.meta().columns.len()))
}

/// Keys, places and cells of the other table; rows with a blank in their key meet none of ours, nor do those whose key is not
/// among a few.
fn their_keys(
    work: &Arc<Work>,
    (index, few): (usize, Option<HashSet<Vec<u8>>>),
    theirs: &Theirs,
    left: &Arc<Mutex<Left>>,
) -> BatchStream {
    let table = looks_up(work, index).map(|step| step.lookup().table.clone());
    let scan = Scan {
        columns: Some(theirs.wanted.clone()),
        batch_rows: SORT_ROWS,
        ..Scan::default()
    };
    let (work, theirs, left) = (work.clone(), theirs.clone(), left.clone());
    let mut next = 0;
    let batches = table
        .into_iter()
        .flat_map(move |table| table.read(&scan))
        .map(move |batch| {
            if work.glance.stop.is_asked() {
                return Err(PlanError::GivenUp);
            }
            let (batch, lookup) = (batch?, looks_up(&work, index).ok_or(LOST)?.lookup());
            let rows = lookup.their_rows(&batch, &theirs.wanted)?;
            let places = external::ordinals(&mut next, batch.num_rows());
            theirs.keyed(rows, places, few.as_ref(), &left)
        });
    Box::pin(futures_util::stream::iter(batches))
}

/// Rows of the other table that met none of ours, in any order.
#[derive(Default)]
pub(super) struct Left {
    rows: u64,
    writer: Option<FileWriter<File>>,
}

impl Left {
    fn new(wanted: bool, schema: &SchemaRef, path: PathBuf) -> Result<Self, PlanError> {
        let writer = match wanted {
            true => Some(FileWriter::try_new(unnamed(&path)?, schema)?),
            false => None,
        };
        Ok(Self { rows: 0, writer })
    }

    /// Adds rows: place, columns of keys, held columns.
    pub(super) fn add(&mut self, batch: &RecordBatch) -> Result<(), PlanError> {
        self.rows += batch.num_rows() as u64;
        match &mut self.writer {
            Some(writer) if batch.num_rows() > 0 => Ok(writer.write(batch)?),
            _ => Ok(()),
        }
    }

    /// How many they are, and all of them where they are wanted.
    fn end(self) -> Result<(u64, Option<BatchStream>), PlanError> {
        let Some(writer) = self.writer else {
            return Ok((self.rows, None));
        };
        let reader = to_be_read(writer)?.into_inner().unwrap_or_else(PoisonError::into_inner);
        let batches = reader.map(|batch| Ok(batch?));
        Ok((self.rows, Some(Box::pin(futures_util::stream::iter(batches)))))
    }
}
