//! Keeps one of rows that are alike.
//!
//! The first of each is kept in row order, with the keys seen so far in memory. When they reach the step's share of memory,
//! they are frozen: later rows with a known key go out as before, and rows with an unknown one are sorted by key and position
//! on disk, where the first of each key is found, and back by position. To keep the last of each, the rows are turned round,
//! before and after. To keep the most complete, all rows are sorted by key and how many of their cells are blank.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BooleanArray, UInt32Array};
use arrow::datatypes::DataType;
use arrow::row::{RowConverter, SortField};
use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::alike::Ignored;
use super::chunk::Chunk;
use super::external::{self, BatchStream, DESCENDING, Key};
use super::operator::{Operator, PlanError};
use super::similar::Threshold;
use super::stages::ChunkStream;
use super::{Effects, Work, blanks, review, sort};
use crate::recipe::columns::Column;
use crate::recipe::fate::{Fate, TakenOut};
use crate::recipe::ledger::Account;
use crate::recipe::steps::{Groups, Keep};

/// What a key costs beside its bytes: pointer, length, hash table slot and the allocator's own.
const KEY_OVERHEAD: usize = 56;

/// A search for duplicates.
#[derive(Clone, Debug)]
pub struct DeduplicatePlan {
    /// The columns that are compared, by position.
    pub by: Vec<usize>,
    /// Differences of texts that do not count.
    pub ignored: Ignored,
    /// Which row stays.
    pub keep: Keep,
    /// How similar rows must be; `None`: they are equal.
    pub similar: Option<Threshold>,
    /// What becomes of rows that are alike.
    pub groups: Groups,
    /// Why the others go, in words, where they are equal.
    pub why: String,
}

impl DeduplicatePlan {
    /// Whether all rows are seen before the first is given.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.keep != Keep::First || self.reviews()
    }

    /// Whether rows are told to which row they are like.
    pub(super) fn reviews(&self) -> bool {
        self.similar.is_some() || self.groups == Groups::Mark
    }

    /// Which columns are needed when these are wanted.
    #[must_use]
    pub fn needs(&self, mut wanted: Vec<bool>, before: usize) -> Vec<bool> {
        wanted.truncate(before);
        for column in &self.by {
            wanted[*column] = true;
        }
        if self.keep == Keep::MostComplete {
            wanted.fill(true);
        }
        wanted
    }
}

/// Bytes that are equal for rows that are alike.
pub(super) struct Keys {
    converter: RowConverter,
    by: Vec<usize>,
    ignored: Ignored,
}

impl Keys {
    pub(super) fn new(columns: &[Column], by: &[usize]) -> Result<Self, PlanError> {
        Self::ignoring(columns, by, Ignored::default())
    }

    pub(super) fn ignoring(columns: &[Column], by: &[usize], ignored: Ignored) -> Result<Self, PlanError> {
        let mut fields = Vec::new();
        for column in by {
            let empty = arrow::array::new_empty_array(&columns[*column].kind.arrow());
            let parts = ignored.likeness(&empty)?;
            fields.extend(parts.iter().map(|part| SortField::new(part.data_type().clone())));
        }
        Ok(Self {
            converter: RowConverter::new(fields)?,
            by: by.to_vec(),
            ignored,
        })
    }

    /// Whether there are no columns.
    pub(super) fn is_empty(&self) -> bool {
        self.by.is_empty()
    }

    /// The keys of a chunk's rows.
    pub(super) fn of(&self, chunk: &Chunk) -> Result<arrow::row::Rows, PlanError> {
        let mut parts: Vec<ArrayRef> = Vec::new();
        for column in &self.by {
            parts.extend(self.ignored.likeness(&chunk.columns[*column])?);
        }
        Ok(self.converter.convert_columns(&parts)?)
    }
}

pub(super) fn run(work: &Arc<Work>, index: usize, stream: ChunkStream) -> ChunkStream {
    let Operator::Deduplicate(plan) = &work.plan.steps[index].operator else {
        return stream;
    };
    if plan.reviews() {
        return review::run(work, index, stream);
    }
    let (sender, receiver) = mpsc::channel(1);
    let (task_work, plan) = (work.clone(), plan.clone());
    let turned = plan.keep == Keep::Last;
    let stream = counted(work, index, stream);
    tokio::spawn(async move {
        let result = async {
            let stream = if turned {
                turn_round(&task_work, &task_work.plan.steps[index].before, stream)?
            } else {
                stream
            };
            first_of_each(&task_work, index, &plan, stream, &sender).await
        };
        if let Err(error) = result.await {
            // The reader is gone when sending fails: then nobody wants to know.
            drop(sender.send(Err(error)).await);
        }
    });
    let firsts: ChunkStream = Box::pin(futures_util::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    }));
    if !turned {
        return firsts;
    }
    turn_round(work, &work.plan.steps[index].before, firsts)
        .unwrap_or_else(|error| Box::pin(futures_util::stream::iter([Err(error)])))
}

/// Counts the rows that come in, before anything else is done with them.
pub(super) fn counted(work: &Arc<Work>, index: usize, stream: ChunkStream) -> ChunkStream {
    let (work, number) = (work.clone(), work.plan.steps[index].number);
    Box::pin(stream.map(move |chunk| {
        let chunk = chunk?;
        let mut account = Account::default();
        account.came.add(chunk.origins.values().iter().copied());
        work.note(Effects::of(number, account, Vec::new()))?;
        Ok(chunk)
    }))
}

/// The rows in the opposite order.
pub(super) fn turn_round(work: &Work, columns: &[Column], stream: ChunkStream) -> Result<ChunkStream, PlanError> {
    let base = sort::empty(columns, work.marked)?.to_batch()?.schema();
    let schema = external::schema_with(&base, &[DataType::UInt64]);
    let key = Key {
        column: base.fields().len(),
        options: DESCENDING,
    };
    let mut next = 0;
    let batches = stream.map(move |chunk| {
        let chunk = chunk?;
        let batch = external::with_columns(&chunk.to_batch()?, vec![external::ordinals(&mut next, chunk.rows())])?;
        external::compact(&batch)
    });
    let batches = external::flattened(batches);
    let turned = external::sort(batches, schema, &[key], work.share() / 2, &work.resources.scratch)?;
    let (columns, marked) = (columns.len(), work.marked);
    Ok(Box::pin(
        turned.map(move |batch| Chunk::of_batch(&batch?, columns, marked)),
    ))
}

async fn first_of_each(
    work: &Arc<Work>,
    index: usize,
    plan: &DeduplicatePlan,
    mut stream: ChunkStream,
    sender: &mpsc::Sender<Result<Chunk, PlanError>>,
) -> Result<(), PlanError> {
    let step = &work.plan.steps[index];
    let keys = Keys::ignoring(&step.before, &plan.by, plan.ignored)?;
    let mut seen: HashSet<Box<[u8]>> = HashSet::new();
    let mut bytes = 0;
    while plan.keep != Keep::MostComplete && bytes <= work.held() {
        let Some(chunk) = stream.next().await else {
            return Ok(());
        };
        let chunk = chunk?;
        let rows = keys.of(&chunk)?;
        let first: BooleanArray = rows
            .iter()
            .map(|key| {
                let first = !seen.contains(key.as_ref());
                if first {
                    bytes += key.as_ref().len() + KEY_OVERHEAD;
                    seen.insert(key.as_ref().into());
                }
                Some(first)
            })
            .collect();
        let kept = split(work, index, plan, &chunk, &first)?;
        if sender.send(Ok(kept)).await.is_err() {
            return Ok(());
        }
    }
    let mut rest = later_firsts(work, index, plan, keys, seen, stream)?;
    while let Some(chunk) = rest.next().await {
        if sender.send(chunk).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// The rows that stay; the others are noted as duplicates.
fn split(
    work: &Work,
    index: usize,
    plan: &DeduplicatePlan,
    chunk: &Chunk,
    first: &BooleanArray,
) -> Result<Chunk, PlanError> {
    let number = work.plan.steps[index].number;
    let (kept, mut effects) = (chunk.filtered(first)?, Effects::default());
    let mut account = Account::default();
    account.kept.add(kept.origins.values().iter().copied());
    effects.taken = note_duplicates(work, number, vec![plan.why.clone()], chunk, first, &mut account)?;
    effects.accounts.push((number, account));
    work.note(effects)?;
    Ok(kept)
}

pub(super) fn note_duplicates(
    work: &Work,
    number: usize,
    why: Vec<String>,
    chunk: &Chunk,
    stays: &BooleanArray,
    account: &mut Account,
) -> Result<Vec<TakenOut>, PlanError> {
    let out = arrow::compute::not(stays)?;
    let origins = chunk.origins.values();
    account
        .deduplicated
        .add(out.values().set_indices().map(|row| origins[row]));
    if work.marked == super::chunk::Marked::No || out.true_count() == 0 {
        return Ok(Vec::new());
    }
    let rows = chunk.filtered(&out)?;
    Ok(vec![TakenOut {
        step: number,
        fate: Fate::Deduplicated,
        why,
        rows,
    }])
}

/// The rows whose key is not in memory, with key, missing cells and position behind; the others are noted as duplicates.
fn unknown_rows(
    work: &Arc<Work>,
    index: usize,
    plan: &DeduplicatePlan,
    keys: Keys,
    seen: HashSet<Box<[u8]>>,
    stream: ChunkStream,
) -> BatchStream {
    let number = work.plan.steps[index].number;
    let (noting, owned) = (work.clone(), plan.clone());
    let mut next = 0;
    let unknown = stream.map(move |chunk| {
        let chunk = chunk?;
        let rows = keys.of(&chunk)?;
        let unknown: BooleanArray = rows.iter().map(|key| Some(!seen.contains(key.as_ref()))).collect();
        let mut account = Account::default();
        let taken = note_duplicates(&noting, number, vec![owned.why.clone()], &chunk, &unknown, &mut account)?;
        noting.note(Effects::of(number, account, taken))?;
        let bytes: BinaryArray = rows.iter().map(|key| Some(key.as_ref().to_vec())).collect();
        let added: Vec<ArrayRef> = vec![
            Arc::new(bytes),
            missing(&owned, &chunk)?,
            external::ordinals(&mut next, chunk.rows()),
        ];
        let batch = external::with_columns(&chunk.to_batch()?, added)?;
        external::compact(&arrow::compute::filter_record_batch(&batch, &unknown)?)
    });
    external::flattened(unknown)
}

/// How many cells of each row are blank, where that matters.
pub(super) fn missing(plan: &DeduplicatePlan, chunk: &Chunk) -> Result<ArrayRef, PlanError> {
    if plan.keep != Keep::MostComplete {
        return Ok(Arc::new(UInt32Array::from(vec![0; chunk.rows()])));
    }
    let mut missing = vec![0; chunk.rows()];
    for column in &chunk.columns {
        for (missing, blank) in missing.iter_mut().zip(blanks::blank(column)?.values()) {
            *missing += u32::from(blank);
        }
    }
    Ok(Arc::new(UInt32Array::from(missing)))
}

/// The first rows of keys that are not in memory, or the most complete ones, in row order, found on disk.
fn later_firsts(
    work: &Arc<Work>,
    index: usize,
    plan: &DeduplicatePlan,
    keys: Keys,
    seen: HashSet<Box<[u8]>>,
    stream: ChunkStream,
) -> Result<ChunkStream, PlanError> {
    let step = &work.plan.steps[index];
    let (columns, marked, number) = (step.before.len(), work.marked, step.number);
    let base = sort::empty(&step.before, marked)?.to_batch()?.schema();
    let schema = external::schema_with(&base, &[DataType::Binary, DataType::UInt32, DataType::UInt64]);
    let key = base.fields().len();
    let (missing, ordinal) = (key + 1, key + 2);
    let unknown = unknown_rows(work, index, plan, keys, seen, stream);
    let by_key = [Key::ascending(key), Key::ascending(missing), Key::ascending(ordinal)];
    let memory = work.share() / 4;
    let sorted = external::sort(unknown, schema.clone(), &by_key, memory, &work.resources.scratch)?;
    let (noting, owned) = (work.clone(), plan.clone());
    let mut last: Option<Vec<u8>> = None;
    let firsts: BatchStream = Box::pin(sorted.map(move |batch| {
        let batch = batch?;
        let first = runs(&batch, key, &mut last)?;
        let chunk = Chunk::of_batch(&batch, columns, marked)?;
        let mut account = Account::default();
        let taken = note_duplicates(&noting, number, vec![owned.why.clone()], &chunk, &first, &mut account)?;
        noting.note(Effects::of(number, account, taken))?;
        Ok(arrow::compute::filter_record_batch(&batch, &first)?)
    }));
    let back = external::sort(
        firsts,
        schema,
        &[Key::ascending(ordinal)],
        memory,
        &work.resources.scratch,
    )?;
    let noting = work.clone();
    Ok(Box::pin(back.map(move |batch| {
        let chunk = Chunk::of_batch(&batch?, columns, marked)?;
        let mut account = Account::default();
        account.kept.add(chunk.origins.values().iter().copied());
        noting.note(Effects::of(number, account, Vec::new()))?;
        Ok(chunk)
    })))
}

/// Where a new key begins in batches sorted by key.
pub(super) fn runs(
    batch: &arrow::array::RecordBatch,
    key: usize,
    last: &mut Option<Vec<u8>>,
) -> Result<BooleanArray, PlanError> {
    let keys = batch
        .column(key)
        .as_binary_opt::<i32>()
        .ok_or(PlanError::Internal("a batch lost its keys"))?;
    let mut first = Vec::with_capacity(keys.len());
    for row in 0..keys.len() {
        let key = keys.value(row);
        let same = if row > 0 {
            keys.value(row - 1) == key
        } else {
            last.as_deref() == Some(key)
        };
        first.push(!same);
    }
    if !keys.is_empty() {
        *last = Some(keys.value(keys.len() - 1).to_vec());
    }
    Ok(BooleanArray::from(first))
}
