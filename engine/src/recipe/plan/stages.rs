//! The way of the rows through a plan: windows of the table, steps chunk by chunk, and the steps that need all rows.

use std::pin::Pin;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, UInt32Array, UInt64Array};
use arrow::datatypes::UInt32Type;
use futures_util::{Stream, StreamExt};

use super::chunk::{Chunk, Marked};
use super::operator::{Applied, ChunkStep, Operator, PlanError};
use super::{Effects, PlannedStep, Work, cells, deduplicate, group, sort};
use crate::recipe::document::RejectsPolicy;
use crate::recipe::expression::Rejection;
use crate::recipe::fate::{Fate, TakenOut};
use crate::recipe::ledger::{self, Account, origin};
use crate::recipe::rejects::Reject;
use crate::tables::read::Scan;

/// Chunks in row order.
pub type ChunkStream = Pin<Box<dyn Stream<Item = Result<Chunk, PlanError>> + Send>>;

/// The rows that come out of a plan, in order. Must be called on a tokio runtime.
pub fn run(work: &Arc<Work>) -> ChunkStream {
    run_until(work, work.plan.steps.len())
}

/// The rows that come out of the first `last` steps.
pub(super) fn run_until(work: &Arc<Work>, last: usize) -> ChunkStream {
    let steps = &work.plan.steps;
    let mut next = end_of_steps(work, 0).min(last);
    let mut stream = windows(work, next);
    while next < last {
        let end = end_of_steps(work, next).min(last);
        (stream, next) = match &steps[next].operator {
            Operator::Sort(_) => (sort::run(work, next, stream), next + 1),
            Operator::Deduplicate(_) => (deduplicate::run(work, next, stream), next + 1),
            Operator::Group(_) => (group::run(work, next, stream), next + 1),
            Operator::Step(_) => (later_steps(work, next, end, stream), end),
        };
    }
    stream
}

/// The first step from `start` on that needs other rows too.
fn end_of_steps(work: &Work, start: usize) -> usize {
    let needs_others = |step: &PlannedStep| !matches!(step.operator, Operator::Step(_));
    work.plan.steps[start..]
        .iter()
        .position(needs_others)
        .map_or(work.plan.steps.len(), |steps| start + steps)
}

/// Bytes of a window at most, about: tables may have cells of thousands of characters, and thousands of columns.
const WINDOW_BYTES: u64 = 32 << 20;

/// A run of rows within one part.
#[derive(Clone, Copy, Debug)]
struct Window {
    part: usize,
    offset: u64,
    rows: u64,
}

/// Reads the table and carries out the first steps, window by window and side by side; the order stays.
fn windows(work: &Arc<Work>, end: usize) -> ChunkStream {
    let size = work.resources.window_rows.max(1);
    let mut windows = Vec::new();
    let mut left = work.resources.limit.unwrap_or(u64::MAX);
    for (part, meta) in work.table.meta().parts.iter().enumerate() {
        let mut offset = 0;
        let fitting = (WINDOW_BYTES / (meta.bytes / meta.rows.max(1)).max(1)).max(1);
        while offset < meta.rows && left > 0 {
            let rows = size.min(fitting).min(meta.rows - offset).min(left);
            windows.push(Window { part, offset, rows });
            offset += rows;
            left -= rows;
        }
    }
    let needs = Arc::new(work.plan.needs(work.table.meta().columns.len()));
    let (jobs, work) = (work.resources.jobs.max(1), work.clone());
    let owner = work.clone();
    let chunks = futures_util::stream::iter(windows)
        .map(move |window| {
            let (work, needs) = (work.clone(), needs.clone());
            tokio::task::spawn_blocking(move || {
                let mut effects = Effects::default();
                let chunk = read_window(&work, window, &needs, &mut effects)?;
                let chunk = apply_steps(&work, 0..end, chunk, &mut effects)?;
                Ok((chunk, effects))
            })
        })
        .buffered(jobs);
    noted(owner, chunks)
}

/// Carries out steps behind one that needed all rows.
fn later_steps(work: &Arc<Work>, start: usize, end: usize, stream: ChunkStream) -> ChunkStream {
    let (jobs, work) = (work.resources.jobs.max(1), work.clone());
    let owner = work.clone();
    let chunks = stream
        .map(move |chunk| {
            let work = work.clone();
            tokio::task::spawn_blocking(move || {
                let mut effects = Effects::default();
                let chunk = apply_steps(&work, start..end, chunk?, &mut effects)?;
                Ok((chunk, effects))
            })
        })
        .buffered(jobs);
    noted(owner, chunks)
}

type Joined = Result<Result<(Chunk, Effects), PlanError>, tokio::task::JoinError>;

/// Notes the effects as chunks come by in order.
fn noted(work: Arc<Work>, chunks: impl Stream<Item = Joined> + Send + 'static) -> ChunkStream {
    Box::pin(chunks.map(move |joined| {
        let (chunk, effects) = joined??;
        work.note(effects)?;
        Ok(chunk)
    }))
}

fn read_window(work: &Work, window: Window, needs: &[bool], effects: &mut Effects) -> Result<Chunk, PlanError> {
    let wanted: Vec<usize> = needs
        .iter()
        .enumerate()
        .filter(|(_, needed)| **needed)
        .map(|(column, _)| column)
        .collect();
    let scan = Scan {
        columns: Some(wanted),
        offset: window.offset,
        limit: Some(window.rows),
        batch_rows: usize::try_from(window.rows).unwrap_or(usize::MAX),
    };
    let mut batches = Vec::new();
    let mut reader = work.table.read_part(window.part, &scan);
    let schema = reader.schema();
    for batch in &mut reader {
        batches.push(batch?);
    }
    let batch = arrow::compute::concat_batches(&schema, &batches)?;
    let sources = batch
        .column(0)
        .as_primitive_opt::<UInt32Type>()
        .ok_or(PlanError::Internal("a part has no rows"))?;
    let sheet = work.table.meta().position;
    let origins = UInt64Array::from_iter_values(sources.values().iter().map(|row| origin(sheet, *row)));
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(needs.len());
    let mut read = batch.columns()[1..].iter();
    for (column, needed) in work.table.meta().columns.iter().zip(needs) {
        let array = if *needed { read.next().cloned() } else { None };
        columns.push(array.unwrap_or_else(|| arrow::array::new_null_array(&column.kind.arrow(), batch.num_rows())));
    }
    let changed = (work.marked == Marked::Yes).then(|| vec![None; columns.len()]);
    let mut account = Account::default();
    account.came.rows = window.rows;
    account.came.origins = origins.values().iter().fold(0, |sum, origin| sum.wrapping_add(*origin));
    account.kept.add(origins.values().iter().copied());
    effects.accounts.push((0, account));
    Ok(Chunk {
        columns,
        sources: sources.clone(),
        origins,
        changed,
    })
}

fn apply_steps(
    work: &Work,
    steps: std::ops::Range<usize>,
    mut chunk: Chunk,
    effects: &mut Effects,
) -> Result<Chunk, PlanError> {
    let first = effects.rejects.len();
    for index in steps {
        let step = &work.plan.steps[index];
        if let Operator::Step(operator) = &step.operator {
            chunk = apply_step(work, step, operator.as_ref(), &chunk, effects)?;
        }
    }
    // Row by row rather than step by step: the order of the sheet.
    effects.rejects[first..].sort_by_key(|reject| (reject.row, reject.step));
    Ok(chunk)
}

fn apply_step(
    work: &Work,
    step: &PlannedStep,
    operator: &dyn ChunkStep,
    chunk: &Chunk,
    effects: &mut Effects,
) -> Result<Chunk, PlanError> {
    let applied = operator.apply(chunk)?;
    if let Some(picked) = &applied.picked {
        let picked = picked.clone();
        return picked_rows(work, step, operator, chunk, (applied, &picked), effects);
    }
    if applied.columns.iter().any(|column| column.len() != chunk.rows()) {
        return Err(PlanError::Internal("a step changed the number of rows"));
    }
    let mut account = Account::default();
    account.came.add(chunk.origins.values().iter().copied());
    let rejected = rejected_rows(work.plan.policy, &applied.rejections, chunk.rows());
    let filtered = filtered_rows(&applied, &rejected, work.plan.policy)?;
    note_rejects(work, step, chunk, &applied.rejections, effects);
    note_taken(work, step, operator, chunk, &applied, (&rejected, &filtered), effects)?;
    let whole = marked(chunk, applied)?;
    let next = match out_of(&rejected, &filtered) {
        None => whole,
        Some(out) => {
            account.rejected.add(origins_where(chunk, rejected.as_ref()));
            account.filtered.add(origins_where(chunk, filtered.as_ref()));
            whole.filtered(&arrow::compute::not(&out)?)?
        }
    };
    account.kept.add(next.origins.values().iter().copied());
    effects.accounts.push((step.number, account));
    Ok(next)
}

/// The rows of a step that picks: of one that is picked several times, the copies are added.
fn picked_rows(
    work: &Work,
    step: &PlannedStep,
    operator: &dyn ChunkStep,
    chunk: &Chunk,
    (applied, picked): (Applied, &UInt32Array),
    effects: &mut Effects,
) -> Result<Chunk, PlanError> {
    if applied.columns.iter().any(|column| column.len() != picked.len()) {
        return Err(PlanError::Internal("a step gave other rows than it picked"));
    }
    let rejected = rejected_rows(work.plan.policy, &applied.rejections, chunk.rows());
    let mut times = vec![0_u64; chunk.rows()];
    for at in picked.values() {
        *times
            .get_mut(*at as usize)
            .ok_or(PlanError::Internal("a step picked a row that is not there"))? += 1;
    }
    let is_rejected = |row: usize| rejected.as_ref().is_some_and(|rejected| rejected.value(row));
    let filtered: BooleanArray = times
        .iter()
        .enumerate()
        .map(|(row, times)| Some(*times == 0 && !is_rejected(row)))
        .collect();
    let filtered = (filtered.true_count() > 0).then_some(filtered);
    note_rejects(work, step, chunk, &applied.rejections, effects);
    note_taken(work, step, operator, chunk, &applied, (&rejected, &filtered), effects)?;
    let mut account = Account::default();
    account.came.add(chunk.origins.values().iter().copied());
    account.rejected.add(origins_where(chunk, rejected.as_ref()));
    account.filtered.add(origins_where(chunk, filtered.as_ref()));
    let whole = marked(&chunk.taken(picked)?, applied)?;
    let mut next = match &rejected {
        None => whole,
        Some(_) => {
            let stays: BooleanArray = picked
                .values()
                .iter()
                .map(|at| Some(!is_rejected(*at as usize)))
                .collect();
            whole.filtered(&stays)?
        }
    };
    // Copies follow the row they are of, one after the other.
    let (mut before, mut copy) = (None, 0);
    let origins = next.origins.values().iter().map(|origin| {
        copy = if before == Some(*origin) { copy + 1 } else { 0 };
        before = Some(*origin);
        let own = ledger::copy_of(*origin, copy);
        if copy > 0 {
            account.added.add([own]);
        }
        own
    });
    next.origins = origins.collect();
    account.kept.add(next.origins.values().iter().copied());
    effects.accounts.push((step.number, account));
    Ok(next)
}

/// The rows that leave because something is wrong with them.
fn rejected_rows(policy: RejectsPolicy, rejections: &[Rejection], rows: usize) -> Option<BooleanArray> {
    if rejections.is_empty() || policy == RejectsPolicy::Keep {
        return None;
    }
    let mut out = vec![false; rows];
    for rejection in rejections {
        if let Some(out) = out.get_mut(rejection.position as usize) {
            *out = true;
        }
    }
    Some(BooleanArray::from(out))
}

/// The rows that a filter takes out. A row for which the condition could not be worked out is not among them: it is rejected,
/// or kept where the recipe keeps rejected rows.
fn filtered_rows(
    applied: &Applied,
    rejected: &Option<BooleanArray>,
    policy: RejectsPolicy,
) -> Result<Option<BooleanArray>, PlanError> {
    let Some(filtered) = &applied.filtered else {
        return Ok(None);
    };
    let failed = match rejected {
        Some(rejected) => Some(rejected.clone()),
        None => rejected_rows(RejectsPolicy::LeaveOut, &applied.rejections, filtered.len())
            .filter(|_| policy == RejectsPolicy::Keep),
    };
    let filtered = match failed {
        None => filtered.clone(),
        Some(failed) => arrow::compute::and_not(filtered, &failed)?,
    };
    Ok((filtered.true_count() > 0).then_some(filtered))
}

fn out_of(rejected: &Option<BooleanArray>, filtered: &Option<BooleanArray>) -> Option<BooleanArray> {
    match (rejected, filtered) {
        (Some(rejected), Some(filtered)) => arrow::compute::or(rejected, filtered).ok(),
        (one, other) => one.clone().or_else(|| other.clone()),
    }
}

fn origins_where<'a>(chunk: &'a Chunk, rows: Option<&'a BooleanArray>) -> impl Iterator<Item = u64> + 'a {
    rows.into_iter()
        .flat_map(|rows| rows.values().set_indices())
        .filter_map(|row| chunk.origins.values().get(row).copied())
}

fn note_rejects(work: &Work, step: &PlannedStep, chunk: &Chunk, rejections: &[Rejection], effects: &mut Effects) {
    let sheet = &work.table.meta().sheet;
    effects.rejects.extend(rejections.iter().map(|rejection| {
        let column = rejection.column.and_then(|column| step.before.get(column));
        Reject {
            sheet: sheet.clone(),
            row: chunk
                .sources
                .values()
                .get(rejection.position as usize)
                .copied()
                .unwrap_or_default(),
            letters: column.and_then(|column| column.letters.clone()),
            column: column.map(|column| column.name.clone()),
            value: rejection.value.clone(),
            step: step.number,
            rule: rejection.rule,
            message: rejection.message.clone(),
        }
    }));
}

type Masks<'a> = (&'a Option<BooleanArray>, &'a Option<BooleanArray>);

fn note_taken(
    work: &Work,
    step: &PlannedStep,
    operator: &dyn ChunkStep,
    chunk: &Chunk,
    applied: &Applied,
    (rejected, filtered): Masks<'_>,
    effects: &mut Effects,
) -> Result<(), PlanError> {
    if work.marked == Marked::No {
        return Ok(());
    }
    if let Some(rejected) = rejected {
        let mut rejections: Vec<&Rejection> = applied.rejections.iter().collect();
        rejections.sort_by_key(|rejection| rejection.position);
        rejections.dedup_by_key(|rejection| rejection.position);
        let why = rejections.iter().map(|rejection| rejection.message.clone()).collect();
        let rows = chunk.filtered(rejected)?;
        effects.taken.push(TakenOut {
            step: step.number,
            fate: Fate::Rejected,
            why,
            rows,
        });
    }
    if let Some(filtered) = filtered {
        let why = vec![operator.why_filtered().to_owned()];
        let rows = chunk.filtered(filtered)?;
        effects.taken.push(TakenOut {
            step: step.number,
            fate: Fate::Filtered,
            why,
            rows,
        });
    }
    Ok(())
}

/// The chunk after a step, all rows still there, with changed cells marked in a preview.
fn marked(before: &Chunk, applied: Applied) -> Result<Chunk, PlanError> {
    let Applied { columns, sources, .. } = applied;
    let changed = match &before.changed {
        None => None,
        Some(marks) => {
            let mut changed = Vec::with_capacity(columns.len());
            for (index, column) in columns.iter().enumerate() {
                let source = match &sources {
                    None => Some(index),
                    Some(sources) => sources.get(index).copied().flatten(),
                };
                changed.push(mark(before, marks, source, column)?);
            }
            Some(changed)
        }
    };
    Ok(Chunk {
        columns,
        sources: before.sources.clone(),
        origins: before.origins.clone(),
        changed,
    })
}

fn mark(
    before: &Chunk,
    marks: &[Option<BooleanArray>],
    source: Option<usize>,
    column: &ArrayRef,
) -> Result<Option<BooleanArray>, PlanError> {
    let Some(source) = source else {
        return Ok(Some(BooleanArray::from(vec![true; column.len()])));
    };
    if Arc::ptr_eq(&before.columns[source], column) {
        return Ok(marks[source].clone());
    }
    let different = cells::differences(&before.columns[source], column)?;
    Ok(match &marks[source] {
        None => (different.true_count() > 0).then_some(different),
        Some(earlier) => Some(arrow::compute::or(earlier, &different)?),
    })
}

/// Positions of a chunk's rows as an array for `take`.
pub(super) fn positions(rows: impl IntoIterator<Item = usize>) -> UInt32Array {
    rows.into_iter().filter_map(|row| u32::try_from(row).ok()).collect()
}
