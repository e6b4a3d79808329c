//! Finds rows whose values stood in an earlier row already, for the rules of `validate`.
//!
//! For each set of columns the stream is given a column more: the row in which the values stood first, or nothing where that
//! is the row itself. Values seen so far are held in memory; when they reach their share of it they are frozen, and later
//! rows are sorted by values and position on disk, marked there, and brought back in order. All rows are marked before any
//! is judged, so that a row which breaks several rules is told of all of them, in the order of rows, whatever the memory.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Int64Type};
use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::chunk::Chunk;
use super::deduplicate::Keys;
use super::external::{self, BatchStream, Key};
use super::operator::{ChunkStep, Operator, PlanError};
use super::stages::{self, ChunkStream};
use super::{Work, sort};
use crate::recipe::columns::Column;
use crate::sheets::CellKind;
use crate::sheets::view::ColumnView;
use crate::tables::ColumnKind;

/// What a value costs beside its bytes: pointer, length, row, hash table slot and the allocator's own.
const KEY_OVERHEAD: usize = 64;

/// Columns that must be unique, and what judges the rows then.
#[derive(Debug)]
pub struct UniquePlan {
    /// The sets of columns, by position.
    pub sets: Vec<Vec<usize>>,
    /// Is given chunks with a column of marks behind for each set.
    pub judge: Box<dyn ChunkStep>,
}

impl UniquePlan {
    /// Plans to search for equal values in these sets of columns.
    pub fn new(sets: Vec<Vec<usize>>, judge: impl ChunkStep + 'static) -> Self {
        Self {
            sets,
            judge: Box::new(judge),
        }
    }
}

/// Marks the rows of the stream for each set, and judges them.
pub(super) fn run(work: &Arc<Work>, index: usize, stream: ChunkStream) -> ChunkStream {
    let Operator::Unique(plan) = &work.plan.steps[index].operator else {
        return stream;
    };
    let marked = (0..plan.sets.len()).fold(stream, |stream, set| marked(work, index, set, stream));
    stages::judged(work, index, marked)
}

/// One set of one step.
#[derive(Clone)]
struct Search {
    work: Arc<Work>,
    set: Vec<usize>,
    /// The columns of the chunks that come in: those of the step and a mark for each set before this one.
    columns: Vec<Column>,
}

fn marked(work: &Arc<Work>, index: usize, set: usize, stream: ChunkStream) -> ChunkStream {
    let step = &work.plan.steps[index];
    let Operator::Unique(plan) = &step.operator else {
        return stream;
    };
    let marks = (0..set).map(|_| Column::made("", ColumnKind::Integer));
    let search = Search {
        work: work.clone(),
        set: plan.sets[set].clone(),
        columns: step.before.iter().cloned().chain(marks).collect(),
    };
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        if let Err(error) = search.run(stream, &sender).await {
            // The reader is gone when sending fails: then nobody wants to know.
            drop(sender.send(Err(error)).await);
        }
    });
    Box::pin(futures_util::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    }))
}

impl Search {
    async fn run(
        self,
        mut stream: ChunkStream,
        sender: &mpsc::Sender<Result<Chunk, PlanError>>,
    ) -> Result<(), PlanError> {
        let keys = Keys::new(&self.columns, &self.set)?;
        let mut seen: HashMap<Box<[u8]>, i64> = HashMap::new();
        let mut bytes = 0;
        while bytes <= self.work.held() {
            let Some(chunk) = stream.next().await else {
                return Ok(());
            };
            let chunk = chunk?;
            let (rows, filled) = (keys.of(&chunk)?, self.filled(&chunk)?);
            let mark = |(row, key): (usize, arrow::row::Row<'_>)| {
                if !filled[row] {
                    return None;
                }
                let first = seen.get(key.as_ref()).copied();
                if first.is_none() {
                    bytes += key.as_ref().len() + KEY_OVERHEAD;
                    seen.insert(key.as_ref().into(), i64::from(chunk.sources.value(row)));
                }
                first
            };
            let marks: Int64Array = rows.iter().enumerate().map(mark).collect();
            if sender.send(Ok(with_marks(chunk, marks))).await.is_err() {
                return Ok(());
            }
        }
        let mut rest = self.on_disk(keys, seen, stream)?;
        while let Some(chunk) = rest.next().await {
            if sender.send(chunk).await.is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Which rows have a value in any of the columns: blanks are not alike.
    fn filled(&self, chunk: &Chunk) -> Result<Vec<bool>, PlanError> {
        let mut filled = vec![false; chunk.rows()];
        for column in &self.set {
            let view = ColumnView::of(&chunk.columns[*column])?;
            for (row, filled) in filled.iter_mut().enumerate() {
                *filled |= view.cell(row).kind != CellKind::Blank;
            }
        }
        Ok(filled)
    }

    /// The rest of the stream, with the values in memory known already.
    fn on_disk(self, keys: Keys, seen: HashMap<Box<[u8]>, i64>, stream: ChunkStream) -> Result<ChunkStream, PlanError> {
        let marked = self.work.marked;
        let mut columns = self.columns.clone();
        columns.push(Column::made("", ColumnKind::Integer));
        let (width, mark) = (columns.len(), columns.len() - 1);
        let base = sort::empty(&columns, marked)?.to_batch()?.schema();
        let schema = external::schema_with(&base, &[DataType::Binary, DataType::UInt64]);
        let (key, ordinal) = (base.fields().len(), base.fields().len() + 1);
        let (memory, scratch) = (self.work.share() / 4, self.work.resources.scratch.clone());
        let keyed = self.keyed(keys, seen, stream);
        let by_key = [Key::ascending(key), Key::ascending(ordinal)];
        let sorted = external::sort(keyed, schema.clone(), &by_key, memory, &scratch)?;
        let mut last = None;
        let found: BatchStream = Box::pin(sorted.map(move |batch| mark_runs(&batch?, (mark, key, width), &mut last)));
        let back = external::sort(found, schema, &[Key::ascending(ordinal)], memory, &scratch)?;
        Ok(Box::pin(back.map(move |batch| Chunk::of_batch(&batch?, width, marked))))
    }

    /// The rows with what memory knows of them: a mark where their values are known, or else the values as a key. Position
    /// behind.
    fn keyed(self, keys: Keys, seen: HashMap<Box<[u8]>, i64>, stream: ChunkStream) -> BatchStream {
        let mut next = 0;
        external::flattened(stream.map(move |chunk| {
            let chunk = chunk?;
            let (rows, filled) = (keys.of(&chunk)?, self.filled(&chunk)?);
            let known = |(row, key): (usize, arrow::row::Row<'_>)| {
                filled[row].then(|| seen.get(key.as_ref()).copied()).flatten()
            };
            let marks: Int64Array = rows.iter().enumerate().map(known).collect();
            let open: BinaryArray = rows
                .iter()
                .enumerate()
                .map(|(row, key)| (filled[row] && marks.is_null(row)).then(|| key.as_ref().to_vec()))
                .collect();
            let added: Vec<ArrayRef> = vec![Arc::new(open), external::ordinals(&mut next, chunk.rows())];
            let batch = external::with_columns(&with_marks(chunk, marks).to_batch()?, added)?;
            external::compact(&batch)
        }))
    }
}

/// The chunk with a column more.
fn with_marks(mut chunk: Chunk, marks: Int64Array) -> Chunk {
    chunk.columns.push(Arc::new(marks));
    if let Some(changed) = &mut chunk.changed {
        changed.push(None);
    }
    chunk
}

/// Marks the rows of a batch that is sorted by key and position: all of a key but its first. Rows without a key keep their
/// mark. `sources` is where the rows' numbers stand.
fn mark_runs(
    batch: &RecordBatch,
    (mark, key, sources): (usize, usize, usize),
    last: &mut Option<(Vec<u8>, i64)>,
) -> Result<RecordBatch, PlanError> {
    const LOST: PlanError = PlanError::Internal("a batch lost its keys");
    let column = |at: usize| batch.columns().get(at).ok_or(LOST);
    let keys = column(key)?.as_binary_opt::<i32>().ok_or(LOST)?;
    let known = column(mark)?.as_primitive_opt::<Int64Type>().ok_or(LOST)?;
    let sources = column(sources)?
        .as_primitive_opt::<arrow::datatypes::UInt32Type>()
        .ok_or(LOST)?;
    let mut marks = Vec::with_capacity(keys.len());
    for row in 0..keys.len() {
        if keys.is_null(row) {
            marks.push(known.is_valid(row).then(|| known.value(row)));
            continue;
        }
        let key = keys.value(row);
        match last {
            Some((last, first)) if last == key => marks.push(Some(*first)),
            _ => {
                *last = Some((key.to_vec(), i64::from(sources.value(row))));
                marks.push(None);
            }
        }
    }
    let mut columns = batch.columns().to_vec();
    columns[mark] = Arc::new(Int64Array::from(marks));
    Ok(RecordBatch::try_new(batch.schema(), columns)?)
}
