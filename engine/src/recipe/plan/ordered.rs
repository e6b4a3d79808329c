//! Steps that go through the rows in order and carry something from each to the next.
//!
//! A walk is given the rows chunk by chunk, in order, on one thread, and answers chunks whose rows are settled: at once, or
//! later where it looks ahead. When it holds more than its share of the memory it ends, and the rows it still holds and all
//! that follow make a detour over the disk: from the last row to the first, or sorted by keys of its own; there another walk
//! settles them with little in memory, and they are brought back in order.

use std::fmt;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::SortOptions;
use arrow::datatypes::DataType;
use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::chunk::Chunk;
use super::deduplicate::{counted, turn_round};
use super::external::{self, Key};
use super::operator::{Applied, Operator, PlanError};
use super::stages::{self, ChunkStream};
use super::{Effects, Work, sort};
use crate::recipe::columns::Column;
use crate::recipe::ledger::Account;

/// How far a step looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looks {
    /// At rows before a row.
    Back,
    /// Also at rows behind it.
    Ahead,
    /// At all rows, before it gives the first one.
    Everywhere,
}

/// A step that goes through the rows in order. Columns that it makes stand behind the others.
pub trait OrderedStep: fmt::Debug + Send + Sync {
    /// Begins in front of the first row.
    fn begin(&self) -> Result<Box<dyn Walk>, PlanError>;

    /// How far it looks.
    fn looks(&self) -> Looks {
        Looks::Back
    }

    /// Why a row is filtered, in words.
    fn why_filtered(&self) -> &str {
        ""
    }

    /// Which of the `before` columns are needed when these columns behind it are wanted.
    fn needs(&self, wanted: &[bool], before: usize) -> Vec<bool>;
}

/// On the way through the rows.
pub trait Walk: Send {
    /// Goes on over a chunk; answers what is settled now, in order.
    fn next(&mut self, chunk: Chunk) -> Result<Vec<Settled>, PlanError>;

    /// Settles what is left behind the last row.
    fn end(&mut self) -> Result<Vec<Settled>, PlanError> {
        Ok(Vec::new())
    }

    /// Bytes that it holds, about.
    fn bytes(&self) -> usize {
        0
    }

    /// How to go on with little memory.
    fn detour(self: Box<Self>) -> Result<Detour, PlanError>;
}

/// Rows, and what the step made of them.
pub struct Settled {
    /// The rows as they came.
    pub chunk: Chunk,
    /// What the step made of them.
    pub applied: Applied,
}

/// The way over the disk. The walk there settles each chunk at once and holds little.
pub struct Detour {
    /// Rows that came and are not settled; all others follow them.
    pub pending: Vec<Chunk>,
    /// In which order the rows are gone through.
    pub order: Order,
    /// Goes through them.
    pub walk: Box<dyn Walk>,
}

/// Columns to sort by, made of a chunk.
pub type KeysOf = Box<dyn FnMut(&Chunk) -> Result<Vec<ArrayRef>, PlanError> + Send>;

/// In which order rows are gone through on a detour.
pub enum Order {
    /// From the last to the first.
    Backward,
    /// By keys; equal rows in their own order.
    Sorted {
        /// The types of the keys and which way each is sorted.
        keys: Vec<(DataType, SortOptions)>,
        /// Makes the keys.
        of: KeysOf,
    },
}

pub(super) fn run(work: &Arc<Work>, index: usize, stream: ChunkStream) -> ChunkStream {
    let (sender, receiver) = mpsc::channel(1);
    let stream = counted(work, index, stream);
    let work = work.clone();
    tokio::spawn(async move {
        if let Err(error) = go(&work, index, stream, &sender).await {
            // The reader is gone when sending fails: then nobody wants to know.
            drop(sender.send(Err(error)).await);
        }
    });
    Box::pin(futures_util::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    }))
}

async fn go(
    work: &Arc<Work>,
    index: usize,
    mut stream: ChunkStream,
    sender: &mpsc::Sender<Result<Chunk, PlanError>>,
) -> Result<(), PlanError> {
    let Operator::Ordered(step) = &work.plan.steps[index].operator else {
        return Err(PlanError::Internal("no step in row order"));
    };
    let mut walk = step.begin()?;
    while walk.bytes() <= work.held() {
        let chunk = stream.next().await.transpose()?;
        let is_last = chunk.is_none();
        let settled = match chunk {
            Some(chunk) => walk.next(chunk)?,
            None => walk.end()?,
        };
        for settled in settled {
            let chunk = kept(work, index, settle(work, index, settled)?)?;
            if sender.send(Ok(chunk)).await.is_err() {
                return Ok(());
            }
        }
        if is_last {
            return Ok(());
        }
    }
    let mut rest = detour(work, index, walk.detour()?, stream)?;
    while let Some(chunk) = rest.next().await {
        if sender.send(kept(work, index, chunk?)).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// Notes rows that go on.
fn kept(work: &Work, index: usize, chunk: Chunk) -> Result<Chunk, PlanError> {
    let mut account = Account::default();
    account.kept.add(chunk.origins.values().iter().copied());
    work.note(Effects::of(work.plan.steps[index].number, account, Vec::new()))?;
    Ok(chunk)
}

/// Notes rows that go, and gives those that stay.
fn settle(work: &Work, index: usize, settled: Settled) -> Result<Chunk, PlanError> {
    let step = &work.plan.steps[index];
    let Operator::Ordered(operator) = &step.operator else {
        return Err(PlanError::Internal("no step in row order"));
    };
    let (mut effects, mut account) = (Effects::default(), Account::default());
    let Settled { chunk, applied } = settled;
    let noting = (&mut effects, &mut account);
    let chunk = stages::staying(work, step, operator.why_filtered(), &chunk, applied, noting)?;
    effects.accounts.push((step.number, account));
    work.note(effects)?;
    Ok(chunk)
}

fn detour(work: &Arc<Work>, index: usize, detour: Detour, stream: ChunkStream) -> Result<ChunkStream, PlanError> {
    let Detour { pending, order, walk } = detour;
    let rows = futures_util::stream::iter(pending.into_iter().map(Ok)).chain(stream);
    let before = &work.plan.steps[index].before;
    let after = work
        .plan
        .steps
        .get(index + 1)
        .map_or(&work.plan.columns, |next| &next.before);
    match order {
        Order::Backward => {
            let turned = turn_round(work, before, Box::pin(rows))?;
            turn_round(work, after, settled(work, index, walk, turned))
        }
        Order::Sorted { keys, of } => sorted(work, index, (keys, of), walk, (Box::pin(rows), after)),
    }
}

/// What a walk makes of rows that it settles at once.
fn settled(work: &Arc<Work>, index: usize, mut walk: Box<dyn Walk>, stream: ChunkStream) -> ChunkStream {
    let work = work.clone();
    let chunks = stream.map(move |chunk| {
        let settled = walk.next(chunk?)?;
        settled
            .into_iter()
            .map(|settled| settle(&work, index, settled))
            .collect::<Result<Vec<_>, _>>()
    });
    Box::pin(chunks.flat_map(|chunks| {
        futures_util::stream::iter(match chunks {
            Ok(chunks) => chunks.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        })
    }))
}

/// Sorts rows by keys, lets a walk go through them, and brings them back in order. The rows' positions go along as a column
/// behind those of the walk, so that they survive what it filters.
fn sorted(
    work: &Arc<Work>,
    index: usize,
    (keys, mut of): (Vec<(DataType, SortOptions)>, KeysOf),
    mut walk: Box<dyn Walk>,
    (stream, after): (ChunkStream, &[Column]),
) -> Result<ChunkStream, PlanError> {
    let (before, marked) = (work.plan.steps[index].before.len(), work.marked);
    let base = sort::empty(&work.plan.steps[index].before, marked)?
        .to_batch()?
        .schema();
    let behind = base.fields().len();
    let mut types: Vec<DataType> = keys.iter().map(|(data_type, _)| data_type.clone()).collect();
    types.push(DataType::UInt64);
    let by = keys.iter().enumerate().map(|(at, (_, options))| Key {
        column: behind + at,
        options: *options,
    });
    let ordinal = behind + keys.len();
    let by: Vec<Key> = by.chain([Key::ascending(ordinal)]).collect();
    let mut next = 0;
    let keyed = external::flattened(stream.map(move |chunk| {
        let chunk = chunk?;
        let mut added = of(&chunk)?;
        added.push(external::ordinals(&mut next, chunk.rows()));
        external::compact(&external::with_columns(&chunk.to_batch()?, added)?)
    }));
    let (memory, scratch) = (work.share() / 4, work.resources.scratch.clone());
    let schema = external::schema_with(&base, &types);
    let there = external::sort(keyed, schema, &by, memory, &scratch)?;
    let owner = work.clone();
    let walked = external::flattened(there.map(move |batch| {
        let batch = batch?;
        let ordinals = batch.column(ordinal).clone();
        let mut batches = Vec::new();
        for settled in walk.next(Chunk::of_batch(&batch, before, marked)?)? {
            batches.push(with_ordinals(&owner, index, settled, ordinals.clone())?);
        }
        Ok(batches)
    }));
    let made = sort::empty(after, marked)?.to_batch()?.schema();
    let position = made.fields().len();
    let schema = external::schema_with(&made, &[DataType::UInt64]);
    let back = external::sort(walked, schema, &[Key::ascending(position)], memory, &scratch)?;
    let width = after.len();
    Ok(Box::pin(back.map(move |batch| Chunk::of_batch(&batch?, width, marked))))
}

/// A settled chunk as a batch with the rows' positions behind; those of rows that go are left out like the rows.
fn with_ordinals(
    work: &Work,
    index: usize,
    settled: Settled,
    ordinals: ArrayRef,
) -> Result<arrow::array::RecordBatch, PlanError> {
    let stays = settled.applied.filtered.as_ref().map(arrow::compute::not).transpose()?;
    if !settled.applied.rejections.is_empty() {
        return Err(PlanError::Internal("a step in row order rejected a row"));
    }
    let ordinals = match stays {
        None => ordinals,
        Some(stays) => arrow::compute::filter(&ordinals, &stays)?,
    };
    let chunk = settle(work, index, settled)?;
    external::with_columns(&chunk.to_batch()?, vec![ordinals])
}
