//! Makes rows into groups with totals, in the order of the groups' first rows.
//!
//! Groups are kept in memory until they reach half of the step's share. Then no new ones are taken in: rows of known groups
//! are totalled as before, rows of unknown ones are sorted by key and position on disk, totalled group by group, and put in
//! the order of their first rows behind the known ones, all of which began earlier.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BooleanArray, UInt64Array};
use arrow::datatypes::{DataType, UInt64Type};
use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::chunk::{Chunk, Marked};
use super::deduplicate::{Keys, runs};
use super::external::{self, BatchStream, Key};
use super::guard::Guard;
use super::operator::{Operator, PlanError};
use super::stages::ChunkStream;
use super::totals::Accumulator;
use super::{Effects, Work, findings, sort};
use crate::recipe::columns::Column;
use crate::recipe::document::RejectsPolicy;
use crate::recipe::expression::{Aggregate, Rejection, Totals};
use crate::recipe::fate::{Fate, TakenOut};
use crate::recipe::ledger::{Account, made_from};

/// What a group costs beside its key and totals: hash table slot, allocator, first row.
const GROUP_OVERHEAD: usize = 96;
/// Groups that are handed on at a time.
const GROUP_ROWS: usize = 8192;

/// A grouping.
#[derive(Clone, Debug)]
pub struct GroupPlan {
    by: Vec<usize>,
    totals: Vec<Totals>,
    /// What rows must be to go into groups.
    guard: Option<Guard>,
    /// The columns between: those of the group, then all totals that the expressions are made of.
    between: Vec<Column>,
}

impl GroupPlan {
    /// Plans to group by columns, by position among `columns`.
    #[must_use]
    pub fn new(by: Vec<usize>, totals: Vec<Totals>, columns: &[Column]) -> Self {
        let keys = by.iter().map(|column| columns[*column].clone());
        let made = |aggregate: &Aggregate| Column::made("", aggregate.kind);
        let between = keys
            .chain(totals.iter().flat_map(|total| total.aggregates.iter().map(made)))
            .collect();
        Self {
            by,
            totals,
            guard: None,
            between,
        }
    }

    /// The same, with rows that the guard stops rejected.
    #[must_use]
    pub fn guarded(self, guard: Guard) -> Self {
        Self {
            guard: Some(guard),
            ..self
        }
    }

    /// Which of the columns are needed.
    #[must_use]
    pub fn needs(&self, before: usize) -> Vec<bool> {
        let mut needed = vec![false; before];
        for column in &self.by {
            needed[*column] = true;
        }
        for argument in self.aggregates().filter_map(|aggregate| aggregate.argument.as_ref()) {
            needed = argument.needs(&needed);
        }
        match &self.guard {
            Some(guard) => guard.needs(&needed),
            None => needed,
        }
    }

    /// For each column after the grouping the one before it that it goes on: the keys do.
    #[must_use]
    pub fn lineage(&self, after: usize) -> Vec<Option<usize>> {
        (0..after).map(|column| self.by.get(column).copied()).collect()
    }

    fn aggregates(&self) -> impl Iterator<Item = &Aggregate> {
        self.totals.iter().flat_map(|total| &total.aggregates)
    }
}

/// Groups in memory.
struct Groups {
    known: HashMap<Box<[u8]>, u32>,
    /// The key columns of the groups' first rows, piece by piece.
    pieces: Vec<Vec<ArrayRef>>,
    sources: Vec<u32>,
    origins: Vec<u64>,
    ordinals: Vec<u64>,
    totals: Vec<Accumulator>,
    bytes: usize,
}

impl Groups {
    fn new(plan: &GroupPlan) -> Result<Self, PlanError> {
        Ok(Self {
            known: HashMap::new(),
            pieces: vec![Vec::new(); plan.by.len()],
            sources: Vec::new(),
            origins: Vec::new(),
            ordinals: Vec::new(),
            totals: plan.aggregates().map(Accumulator::new).collect::<Result<_, _>>()?,
            bytes: 0,
        })
    }

    fn len(&self) -> usize {
        self.sources.len()
    }

    /// Adds rows; `keys` are theirs, `ordinals` say where they stood.
    fn add(
        &mut self,
        plan: &GroupPlan,
        chunk: &Chunk,
        keys: &[&[u8]],
        values: &[Option<ArrayRef>],
        ordinals: &[u64],
    ) -> Result<(), PlanError> {
        let (mut groups, mut firsts) = (Vec::with_capacity(chunk.rows()), Vec::new());
        for (row, key) in keys.iter().enumerate() {
            if let Some(group) = self.known.get(*key) {
                groups.push(*group);
                continue;
            }
            let group = u32::try_from(self.len()).map_err(|_error| PlanError::Internal("too many groups"))?;
            self.bytes += key.len() + GROUP_OVERHEAD;
            self.bytes += self.totals.iter().map(Accumulator::bytes_per_group).sum::<usize>();
            self.known.insert((*key).into(), group);
            self.sources.push(chunk.sources.value(row));
            self.origins.push(made_from(chunk.origins.value(row)));
            self.ordinals.push(ordinals[row]);
            groups.push(group);
            firsts.push(row);
        }
        if !firsts.is_empty() {
            let firsts = super::stages::positions(firsts);
            for (pieces, column) in self.pieces.iter_mut().zip(&plan.by) {
                let piece = arrow::compute::take(&chunk.columns[*column], &firsts, None)?;
                self.bytes += piece.get_array_memory_size();
                pieces.push(piece);
            }
        }
        let all = self.sources.len();
        for (total, values) in self.totals.iter_mut().zip(values) {
            self.bytes += total.add(&groups, all, values.as_ref())?;
        }
        Ok(())
    }

    /// The groups as rows: key columns, then totals.
    fn rows(&self, plan: &GroupPlan, marked: Marked) -> Result<Chunk, PlanError> {
        let mut columns = Vec::with_capacity(plan.between.len());
        for (pieces, column) in self.pieces.iter().zip(&plan.between) {
            let arrays: Vec<&dyn Array> = pieces.iter().map(AsRef::as_ref).collect();
            columns.push(match arrays.as_slice() {
                [] => arrow::array::new_empty_array(&column.kind.arrow()),
                arrays => arrow::compute::concat(arrays)?,
            });
        }
        for total in &self.totals {
            columns.push(total.finish()?);
        }
        let sources = if plan.by.is_empty() {
            vec![0; self.len()]
        } else {
            self.sources.clone()
        };
        let changed = (marked == Marked::Yes).then(|| vec![None; columns.len()]);
        Ok(Chunk {
            columns,
            sources: sources.into(),
            origins: self.origins.clone().into(),
            changed,
            flags: None,
        })
    }
}

pub(super) fn run(work: &Arc<Work>, index: usize, stream: ChunkStream) -> ChunkStream {
    let (sender, receiver) = mpsc::channel(1);
    let work = work.clone();
    tokio::spawn(async move {
        if let Err(error) = group(&work, index, stream, &sender).await {
            // The reader is gone when sending fails: then nobody wants to know.
            drop(sender.send(Err(error)).await);
        }
    });
    Box::pin(futures_util::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    }))
}

async fn group(
    work: &Arc<Work>,
    index: usize,
    mut stream: ChunkStream,
    sender: &mpsc::Sender<Result<Chunk, PlanError>>,
) -> Result<(), PlanError> {
    let step = &work.plan.steps[index];
    let Operator::Group(plan) = &step.operator else {
        return Err(PlanError::Internal("no group"));
    };
    let keys = Keys::new(&step.before, &plan.by)?;
    let mut groups = Groups::new(plan)?;
    let mut ordinal = 0;
    let mut full = false;
    while !full {
        let Some(chunk) = stream.next().await else { break };
        let (chunk, values) = arguments(work, index, plan, chunk?)?;
        add_all(plan, &keys, &mut groups, &chunk, &values, &mut ordinal)?;
        full = groups.bytes > work.held();
    }
    if !full {
        if plan.by.is_empty() && groups.len() == 0 {
            groups = of_nothing(plan)?;
        }
        return hand_on(work, index, plan, &groups.rows(plan, work.marked)?, sender).await;
    }
    let groups = Arc::new(Mutex::new(groups));
    let later = later_groups(work, index, plan, keys, groups.clone(), stream, ordinal)?;
    // Nothing comes out of a sort before everything went in, so the known groups are complete with the first batch.
    let mut later = later.peekable();
    std::pin::Pin::new(&mut later).peek().await;
    let known = groups
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .rows(plan, work.marked)?;
    hand_on(work, index, plan, &known, sender).await?;
    while let Some(chunk) = later.next().await {
        hand_on(work, index, plan, &chunk?, sender).await?;
    }
    Ok(())
}

/// The one group of a table without rows.
fn of_nothing(plan: &GroupPlan) -> Result<Groups, PlanError> {
    let mut groups = Groups::new(plan)?;
    groups.sources.push(0);
    groups.origins.push(made_from(0));
    groups.ordinals.push(0);
    for (total, aggregate) in groups.totals.iter_mut().zip(plan.aggregates()) {
        let kind = aggregate
            .argument
            .as_ref()
            .map(|argument| arrow::array::new_empty_array(&argument.kind().arrow()));
        total.add(&[], 1, kind.as_ref())?;
    }
    Ok(groups)
}

fn add_all(
    plan: &GroupPlan,
    keys: &Keys,
    groups: &mut Groups,
    chunk: &Chunk,
    values: &[Option<ArrayRef>],
    ordinal: &mut u64,
) -> Result<(), PlanError> {
    let ordinals: Vec<u64> = (*ordinal..*ordinal + chunk.rows() as u64).collect();
    *ordinal += chunk.rows() as u64;
    if plan.by.is_empty() {
        return groups.add(plan, chunk, &vec![b"".as_slice(); chunk.rows()], values, &ordinals);
    }
    let rows = keys.of(chunk)?;
    let bytes: Vec<arrow::row::Row<'_>> = rows.iter().collect();
    let bytes: Vec<&[u8]> = bytes.iter().map(AsRef::as_ref).collect();
    groups.add(plan, chunk, &bytes, values, &ordinals)
}

/// Works out what is totalled, and accounts for the rows: those for which it cannot be worked out are rejected, all others
/// go into groups.
fn arguments(
    work: &Work,
    index: usize,
    plan: &GroupPlan,
    chunk: Chunk,
) -> Result<(Chunk, Vec<Option<ArrayRef>>), PlanError> {
    let step = &work.plan.steps[index];
    let (mut values, mut failures): (Vec<Option<ArrayRef>>, Vec<Rejection>) = (Vec::new(), Vec::new());
    for aggregate in plan.aggregates() {
        let outcome = aggregate
            .argument
            .as_ref()
            .map(|argument| argument.evaluate(&chunk))
            .transpose()?;
        values.push(outcome.map(|outcome| {
            failures.extend(outcome.failures);
            outcome.values
        }));
    }
    if let Some(guard) = &plan.guard {
        failures.extend(guard.failures(&chunk)?);
    }
    failures.sort_by_key(|failure| failure.position);
    failures.dedup();
    let mut account = Account::default();
    account.came.add(chunk.origins.values().iter().copied());
    let mut effects = Effects {
        rejects: findings::lines(work, &work.plan.steps[index], &chunk, (failures.clone(), Vec::new())),
        ..Effects::default()
    };
    let mut chunk = chunk;
    if !failures.is_empty() && work.plan.policy != RejectsPolicy::Keep {
        let mut stays = vec![true; chunk.rows()];
        failures
            .iter()
            .for_each(|failure| stays[failure.position as usize] = false);
        let stays = BooleanArray::from(stays);
        let out = chunk.filtered(&arrow::compute::not(&stays)?)?;
        account.rejected.add(out.origins.values().iter().copied());
        if work.marked == Marked::Yes {
            failures.dedup_by_key(|failure| failure.position);
            let why = failures.iter().map(|failure| failure.message.clone()).collect();
            effects.taken.push(TakenOut {
                step: step.number,
                fate: Fate::Rejected,
                why,
                rows: out,
            });
        }
        chunk = chunk.filtered(&stays)?;
        for array in values.iter_mut().flatten() {
            *array = arrow::compute::filter(array, &stays)?;
        }
    }
    if let Some(probe) = &work.probe {
        probe.grouped(index, &Keys::new(&step.before, &plan.by)?, &chunk)?;
    }
    account.aggregated.add(chunk.origins.values().iter().copied());
    effects.accounts.push((step.number, account));
    work.note(effects)?;
    Ok((chunk, values))
}

/// Works out the columns of the result and hands the groups on; a group for which that fails is rejected.
async fn hand_on(
    work: &Work,
    index: usize,
    plan: &GroupPlan,
    groups: &Chunk,
    sender: &mpsc::Sender<Result<Chunk, PlanError>>,
) -> Result<(), PlanError> {
    let mut start = 0;
    while start < groups.rows() {
        let rows = GROUP_ROWS.min(groups.rows() - start);
        let chunk = finished(work, index, plan, &groups.slice(start, rows)?)?;
        if sender.send(Ok(chunk)).await.is_err() {
            return Ok(());
        }
        start += rows;
    }
    Ok(())
}

fn finished(work: &Work, index: usize, plan: &GroupPlan, groups: &Chunk) -> Result<Chunk, PlanError> {
    let number = work.plan.steps[index].number;
    let keys = plan.by.len();
    let mut columns: Vec<ArrayRef> = groups.columns[..keys].to_vec();
    let (mut failures, mut start): (Vec<Rejection>, usize) = (Vec::new(), keys);
    for total in &plan.totals {
        let end = start + total.aggregates.len();
        if let Some(bare) = total.bare() {
            columns.push(groups.columns[start + bare].clone());
        } else {
            let inputs = groups.columns[..keys]
                .iter()
                .chain(&groups.columns[start..end])
                .cloned()
                .collect();
            let outcome = total.finish.evaluate(&Chunk {
                columns: inputs,
                ..groups.clone()
            })?;
            columns.push(outcome.values);
            failures.extend(outcome.failures.into_iter().map(|failure| Rejection {
                column: None,
                ..failure
            }));
        }
        start = end;
    }
    let mut account = Account::default();
    account.added.add(groups.origins.values().iter().copied());
    let changed = groups.changed.as_ref().map(|_| {
        (0..columns.len())
            .map(|column| (column >= keys).then(|| BooleanArray::from(vec![true; groups.rows()])))
            .collect()
    });
    let mut chunk = Chunk {
        columns,
        changed,
        ..groups.clone()
    };
    let mut effects = Effects {
        rejects: findings::lines(work, &work.plan.steps[index], &chunk, (failures.clone(), Vec::new())),
        ..Effects::default()
    };
    chunk.flags = findings::flags(work, &work.plan.steps[index], &chunk, (&failures, &[]));
    if !failures.is_empty() && work.plan.policy != RejectsPolicy::Keep {
        let mut stays = vec![true; chunk.rows()];
        failures
            .iter()
            .for_each(|failure| stays[failure.position as usize] = false);
        let stays = BooleanArray::from(stays);
        let out = chunk.filtered(&arrow::compute::not(&stays)?)?;
        account.rejected.add(out.origins.values().iter().copied());
        chunk = chunk.filtered(&stays)?;
    }
    account.kept.add(chunk.origins.values().iter().copied());
    effects.accounts.push((number, account));
    work.note(effects)?;
    Ok(chunk)
}

/// The rows of groups that are not in memory, with key and position behind; the others are totalled.
fn unknown_rows(
    work: &Arc<Work>,
    index: usize,
    plan: &GroupPlan,
    (keys, groups, mut ordinal): (Keys, Arc<Mutex<Groups>>, u64),
    stream: ChunkStream,
) -> BatchStream {
    let (owner, owned) = (work.clone(), plan.clone());
    let unknown = stream.map(move |chunk| {
        let (chunk, values) = arguments(&owner, index, &owned, chunk?)?;
        let rows = keys.of(&chunk)?;
        let mut groups = groups.lock().unwrap_or_else(PoisonError::into_inner);
        let known: BooleanArray = rows
            .iter()
            .map(|key| Some(groups.known.contains_key(key.as_ref())))
            .collect();
        let start = ordinal;
        ordinal += chunk.rows() as u64;
        add_known(&owned, &mut groups, &chunk, &values, (&rows, &known), start)?;
        let bytes: BinaryArray = rows.iter().map(|key| Some(key.as_ref().to_vec())).collect();
        let ordinals = UInt64Array::from_iter_values(start..ordinal);
        let unmarked = Chunk { changed: None, ..chunk };
        let batch = external::with_columns(&unmarked.to_batch()?, vec![Arc::new(bytes), Arc::new(ordinals)])?;
        external::compact(&arrow::compute::filter_record_batch(
            &batch,
            &arrow::compute::not(&known)?,
        )?)
    });
    external::flattened(unknown)
}

/// The groups that are not in memory, in the order of their first rows, made on disk.
fn later_groups(
    work: &Arc<Work>,
    index: usize,
    plan: &GroupPlan,
    keys: Keys,
    groups: Arc<Mutex<Groups>>,
    stream: ChunkStream,
    ordinal: u64,
) -> Result<ChunkStream, PlanError> {
    let before = &work.plan.steps[index].before;
    let base = sort::empty(before, Marked::No)?.to_batch()?.schema();
    let schema = external::schema_with(&base, &[DataType::Binary, DataType::UInt64]);
    let (key, position) = (base.fields().len(), base.fields().len() + 1);
    let columns = before.len();
    let unknown = unknown_rows(work, index, plan, (keys, groups, ordinal), stream);
    let by_key = [Key::ascending(key), Key::ascending(position)];
    let (memory, scratch) = (work.share() / 4, &work.resources.scratch);
    let sorted = external::sort(unknown, schema, &by_key, memory, scratch)?;
    let between = sort::empty(&plan.between, Marked::No)?.to_batch()?.schema();
    let made = external::schema_with(&between, &[DataType::UInt64]);
    let run = KeyRun {
        plan: plan.clone(),
        columns,
        key,
        position,
        last: None,
        open: Groups::new(plan)?,
    };
    let in_order = [Key::ascending(between.fields().len())];
    let back = external::sort(run.totalled(sorted), made, &in_order, memory, scratch)?;
    let (groups, marked) = (plan.between.len(), work.marked);
    Ok(Box::pin(back.map(move |batch| {
        let chunk = Chunk::of_batch(&batch?, groups, Marked::No)?;
        let changed = (marked == Marked::Yes).then(|| vec![None; groups]);
        Ok(Chunk { changed, ..chunk })
    })))
}

/// Totals the rows of groups that are in memory.
fn add_known(
    plan: &GroupPlan,
    groups: &mut Groups,
    chunk: &Chunk,
    values: &[Option<ArrayRef>],
    (rows, known): (&arrow::row::Rows, &BooleanArray),
    start: u64,
) -> Result<(), PlanError> {
    let positions: Vec<usize> = known.values().set_indices().collect();
    let keys: Vec<arrow::row::Row<'_>> = positions.iter().map(|row| rows.row(*row)).collect();
    let keys: Vec<&[u8]> = keys.iter().map(AsRef::as_ref).collect();
    let ordinals: Vec<u64> = positions.iter().map(|row| start + *row as u64).collect();
    let filter = |values: &Option<ArrayRef>| {
        values
            .as_ref()
            .map(|values| arrow::compute::filter(values, known))
            .transpose()
    };
    let values: Vec<Option<ArrayRef>> = values.iter().map(filter).collect::<Result<_, _>>()?;
    groups.add(plan, &chunk.filtered(known)?, &keys, &values, &ordinals)
}

/// Totals rows sorted by key, group by group.
struct KeyRun {
    plan: GroupPlan,
    columns: usize,
    key: usize,
    position: usize,
    last: Option<Vec<u8>>,
    open: Groups,
}

impl KeyRun {
    fn totalled(self, sorted: BatchStream) -> BatchStream {
        Box::pin(futures_util::stream::unfold(
            (self, sorted, false),
            |(mut run, mut sorted, ended)| async move {
                if ended {
                    return None;
                }
                let (batch, ended) = match sorted.next().await {
                    Some(Ok(batch)) => (run.add(&batch), false),
                    Some(Err(error)) => (Err(error), true),
                    None => (run.flush(), true),
                };
                Some((batch, (run, sorted, ended)))
            },
        ))
    }

    /// Adds a batch and answers the groups that are complete: all but the one that the last row belongs to.
    fn add(&mut self, batch: &arrow::array::RecordBatch) -> Result<arrow::array::RecordBatch, PlanError> {
        let firsts = runs(batch, self.key, &mut self.last)?;
        let last_start = firsts.values().set_indices().last();
        let split = last_start.unwrap_or(0);
        self.total(&batch.slice(0, split))?;
        // The last run begins in this batch: everything before it is complete.
        let complete = if last_start.is_some() {
            Some(self.flush()?)
        } else {
            None
        };
        self.total(&batch.slice(split, batch.num_rows() - split))?;
        match complete {
            Some(complete) => Ok(complete),
            None => self.none(),
        }
    }

    fn total(&mut self, batch: &arrow::array::RecordBatch) -> Result<(), PlanError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let lost = PlanError::Internal("a batch lost its keys");
        let keys = batch.column(self.key).as_binary_opt::<i32>();
        let ordinals = batch.column(self.position).as_primitive_opt::<UInt64Type>();
        let (Some(keys), Some(ordinals)) = (keys, ordinals) else {
            return Err(lost);
        };
        let keys: Vec<&[u8]> = (0..keys.len()).map(|row| keys.value(row)).collect();
        let chunk = Chunk::of_batch(batch, self.columns, Marked::No)?;
        let mut values = Vec::new();
        for aggregate in self.plan.aggregates() {
            // What fails was rejected, or is blank, since the first evaluation.
            let outcome = aggregate
                .argument
                .as_ref()
                .map(|argument| argument.evaluate(&chunk))
                .transpose()?;
            values.push(outcome.map(|outcome| outcome.values));
        }
        let plan = self.plan.clone();
        self.open.add(&plan, &chunk, &keys, &values, ordinals.values())
    }

    /// The groups so far as a batch with the ordinals of their first rows.
    fn flush(&mut self) -> Result<arrow::array::RecordBatch, PlanError> {
        let groups = std::mem::replace(&mut self.open, Groups::new(&self.plan)?);
        let ordinals = UInt64Array::from(groups.ordinals.clone());
        external::with_columns(
            &groups.rows(&self.plan, Marked::No)?.to_batch()?,
            vec![Arc::new(ordinals)],
        )
    }

    fn none(&self) -> Result<arrow::array::RecordBatch, PlanError> {
        let empty = sort::empty(&self.plan.between, Marked::No)?.to_batch()?;
        external::with_columns(&empty, vec![Arc::new(UInt64Array::from(Vec::<u64>::new()))])
    }
}
