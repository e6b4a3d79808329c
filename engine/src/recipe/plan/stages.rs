//! The way of the rows through a plan: windows of the table, steps chunk by chunk, and the steps that need all rows.

use std::pin::Pin;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringArray, UInt32Array, UInt64Array};
use arrow::datatypes::UInt32Type;
use futures_util::{Stream, StreamExt, TryStreamExt};

use super::chunk::{Chunk, Marked};
use super::operator::{Applied, ChunkStep, Operator, PlanError};
use super::source::{Chunks, Source};
use super::{
    Effects, PlannedStep, Work, cells, deduplicate, far, findings, further, group, lookup, ordered, probe, query, sort,
    unique,
};
use crate::recipe::document::RejectsPolicy;
use crate::recipe::expression::Rejection;
use crate::recipe::fate::{Fate, TakenOut};
use crate::recipe::ledger::{self, Account, origin};
use crate::recipe::rejects::Reject;
use crate::tables::TableMeta;
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
    let mut stream = further::behind(work, 0..next, windows(work, next));
    while next < last {
        let (start, end) = (next, end_of_steps(work, next).min(last));
        stream = probe::in_front(work, next, stream);
        (stream, next) = match &steps[next].operator {
            Operator::Sort(_) => (sort::run(work, next, stream), next + 1),
            Operator::Deduplicate(_) => (deduplicate::run(work, next, stream), next + 1),
            Operator::Group(_) => (group::run(work, next, stream), next + 1),
            Operator::Query(_) => (query::run(work, next, stream), next + 1),
            Operator::Unique(_) => (unique::run(work, next, stream), next + 1),
            Operator::Ordered(_) => (ordered::run(work, next, stream), next + 1),
            Operator::Step(_) => (later_steps(work, next, end, stream), end),
        };
        stream = further::behind(work, start..next, stream);
        stream = probe::behind(work, next, stream);
    }
    stream
}

/// The first step from `start` on that needs other rows too, or the one behind a step that adds rows: those come when all
/// others went by.
fn end_of_steps(work: &Work, start: usize) -> usize {
    for (index, step) in work.plan.steps.iter().enumerate().skip(start) {
        match &step.operator {
            Operator::Step(operator) if operator.further().is_some() => return index + 1,
            Operator::Step(_) => {}
            _ => return index,
        }
    }
    work.plan.steps.len()
}

/// Bytes of a window at most, about: tables may have cells of thousands of characters, and thousands of columns.
const WINDOW_BYTES: u64 = 32 << 20;

/// Rows of a window at most where rules may find several things in each row: those are held until the window is through.
const CHECKED_ROWS: u64 = 16_384;

/// Rows that are made of a window at most, about, where steps make several of one.
const MADE_ROWS: usize = 1 << 19;

/// Fewer rows at a time would cost more than they save.
const LEAST_ROWS: usize = 32;

/// Rows of which no more are made than fit.
fn rows_that_fit(widens: usize) -> usize {
    if widens == 1 {
        return usize::MAX;
    }
    (MADE_ROWS / widens).max(LEAST_ROWS)
}

/// Chunks of at most so many rows.
fn sliced(stream: ChunkStream, most: usize) -> ChunkStream {
    if most == usize::MAX {
        return stream;
    }
    Box::pin(stream.flat_map(move |chunk| {
        let slices: Vec<Result<Chunk, PlanError>> = match chunk {
            Err(error) => vec![Err(error)],
            Ok(chunk) => (0..chunk.rows())
                .step_by(most)
                .map(|start| chunk.slice(start, most.min(chunk.rows() - start)))
                .collect(),
        };
        futures_util::stream::iter(slices)
    }))
}

/// A run of rows within one part of a table.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// The part, by its position.
    pub part: usize,
    /// Where it begins in the part.
    pub offset: u64,
    /// Where it begins in the table.
    pub first: u64,
    /// How many rows.
    pub rows: u64,
}

/// The windows of a table, of rows that fit. `widens`: how many rows may become of one.
pub(super) fn windows_of(work: &Work, table: &TableMeta, widens: usize) -> Vec<Window> {
    let most = if work.plan.checks() { CHECKED_ROWS } else { u64::MAX };
    let size = work
        .resources
        .window_rows
        .min(most)
        .min(rows_that_fit(widens) as u64)
        .max(1);
    let (mut windows, mut first) = (Vec::new(), 0);
    for (part, meta) in table.parts.iter().enumerate() {
        let mut offset = 0;
        let fitting = (WINDOW_BYTES / (meta.bytes / meta.rows.max(1)).max(1)).max(1);
        let fitting = (fitting / widens as u64).max(fitting.min(LEAST_ROWS as u64));
        while offset < meta.rows {
            let rows = size.min(fitting).min(meta.rows - offset);
            windows.push(Window {
                part,
                offset,
                first,
                rows,
            });
            offset += rows;
            first += rows;
        }
    }
    windows
}

/// Reads the table and carries out the first steps, window by window and side by side; the order stays.
fn windows(work: &Arc<Work>, end: usize) -> ChunkStream {
    let widens = work.plan.widens(0..work.plan.steps.len());
    let windows = match &work.glance.given {
        Some(given) => windows_of_given(given, widens),
        None => limited(windows_of(work, work.table.meta(), widens), work.resources.limit),
    };
    let source = Arc::new(Source::Table(windows));
    if !far::any_spills(work, 0..end) {
        return through(work, source, 0..end);
    }
    let work = work.clone();
    delayed(async move {
        far::look_up(&work, &source, 0..end).await?;
        Ok(through(&work, source, 0..end))
    })
}

/// A stream that has to be made ready first.
fn delayed(stream: impl Future<Output = Result<ChunkStream, PlanError>> + Send + 'static) -> ChunkStream {
    Box::pin(futures_util::stream::once(stream).try_flatten())
}

/// Carries out steps on the pieces of a source, side by side; the order stays.
fn through(work: &Arc<Work>, source: Arc<Source>, steps: std::ops::Range<usize>) -> ChunkStream {
    let all = work.table.meta().columns.len();
    // Who follows a row is told of all its cells.
    let needs = Arc::new(match work.probe {
        None => work.plan.needs(all),
        Some(_) => vec![true; all],
    });
    let (jobs, work) = (work.resources.jobs.max(1), work.clone());
    let owner = work.clone();
    let chunks = futures_util::stream::iter(0..source.pieces())
        .map(move |place| {
            let (work, needs, source, steps) = (work.clone(), needs.clone(), source.clone(), steps.clone());
            tokio::task::spawn_blocking(move || {
                if work.glance.stop.is_asked() {
                    return Err(PlanError::GivenUp);
                }
                let mut effects = Effects::default();
                let chunk = source.read(&work, place, &needs, &mut effects)?;
                if let (Some(probe), Some(window)) = (&work.probe, source.window(place)) {
                    probe.read(window.first, &chunk)?;
                }
                let sources = chunk.sources.clone();
                let chunk = apply_steps(&work, steps, chunk, place, &mut effects)?;
                if let Some(window) = source.window(place) {
                    work.glance.note_failing(&sources, window.first, &mut effects);
                }
                Ok((chunk, effects))
            })
        })
        .buffered(jobs);
    noted(owner, chunks)
}

/// Carries out steps that look up on disk on chunks that came out of those in front; they are read twice.
fn through_chunks(work: &Arc<Work>, steps: std::ops::Range<usize>, stream: ChunkStream) -> ChunkStream {
    let work = work.clone();
    delayed(async move {
        let path = work.resources.scratch.join(format!("chunks-{}.arrow", steps.start));
        let source = Arc::new(Source::Chunks(Chunks::of(stream, &path).await?));
        far::look_up(&work, &source, steps.clone()).await?;
        Ok(through(&work, source, steps))
    })
}

/// Reads a window of the table, or of rows that are there already.
pub(super) fn read_piece(
    work: &Work,
    window: Window,
    needs: &[bool],
    effects: &mut Effects,
) -> Result<Chunk, PlanError> {
    match &work.glance.given {
        Some(given) => given_rows(work, given, window, effects),
        None => read_window(work, window, needs, effects),
    }
}

/// The windows up to a number of rows.
fn limited(mut windows: Vec<Window>, limit: Option<u64>) -> Vec<Window> {
    let most = limit.unwrap_or(u64::MAX);
    windows.retain(|window| window.first < most);
    if let Some(last) = windows.last_mut() {
        last.rows = last.rows.min(most - last.first);
    }
    windows
}

/// The windows of rows that are there already; the part says nothing.
fn windows_of_given(given: &Chunk, widens: usize) -> Vec<Window> {
    let size = rows_that_fit(widens).min(given.rows().max(1));
    let window = |first: usize| Window {
        part: 0,
        offset: first as u64,
        first: first as u64,
        rows: size.min(given.rows() - first) as u64,
    };
    (0..given.rows()).step_by(size).map(window).collect()
}

/// Rows that are there already, as if they had been read.
fn given_rows(work: &Work, given: &Chunk, window: Window, effects: &mut Effects) -> Result<Chunk, PlanError> {
    let as_rows = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX);
    let mut chunk = given.slice(as_rows(window.offset), as_rows(window.rows))?;
    chunk.changed = (work.marked == Marked::Yes).then(|| vec![None; chunk.columns.len()]);
    effects
        .accounts
        .push((0, account_of_reading(&chunk.origins, window.rows)));
    Ok(chunk)
}

fn account_of_reading(origins: &UInt64Array, rows: u64) -> Account {
    let mut account = Account::default();
    account.came.rows = rows;
    account.came.origins = origins.values().iter().fold(0, |sum, origin| sum.wrapping_add(*origin));
    account.kept.add(origins.values().iter().copied());
    account
}

/// Carries out steps behind one that needed all rows.
fn later_steps(work: &Arc<Work>, start: usize, end: usize, stream: ChunkStream) -> ChunkStream {
    let stream = sliced(stream, rows_that_fit(work.plan.widens(start..end)));
    if far::any_spills(work, start..end) {
        return through_chunks(work, start..end, stream);
    }
    let (jobs, work) = (work.resources.jobs.max(1), work.clone());
    let owner = work.clone();
    let chunks = stream
        .map(move |chunk| {
            let work = work.clone();
            tokio::task::spawn_blocking(move || {
                let mut effects = Effects::default();
                let chunk = apply_steps(&work, start..end, chunk?, 0, &mut effects)?;
                Ok((chunk, effects))
            })
        })
        .buffered(jobs);
    noted(owner, chunks)
}

/// Judges rows that were searched for equal values.
pub(super) fn judged(work: &Arc<Work>, index: usize, stream: ChunkStream) -> ChunkStream {
    if far::spills(work, index) {
        return through_chunks(work, index..index + 1, stream);
    }
    let (jobs, work) = (work.resources.jobs.max(1), work.clone());
    let owner = work.clone();
    let chunks = stream
        .map(move |chunk| {
            let work = work.clone();
            tokio::task::spawn_blocking(move || {
                let mut effects = Effects::default();
                let step = &work.plan.steps[index];
                let Operator::Unique(plan) = &step.operator else {
                    return Err(PlanError::Internal("no search for equal values"));
                };
                let chunk = apply_step(&work, step, plan.judge.as_ref(), (&chunk?, 0), &mut effects)?;
                Ok((chunk, effects))
            })
        })
        .buffered(jobs);
    noted(owner, chunks)
}

pub(super) type Joined = Result<Result<(Chunk, Effects), PlanError>, tokio::task::JoinError>;

/// Notes the effects as chunks come by in order.
pub(super) fn noted(work: Arc<Work>, chunks: impl Stream<Item = Joined> + Send + 'static) -> ChunkStream {
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
    effects.accounts.push((0, account_of_reading(&origins, window.rows)));
    Ok(Chunk {
        columns,
        sources: sources.clone(),
        origins,
        changed,
        flags: None,
    })
}

/// Carries out steps on a chunk; `place` says which one of its source it is, for steps that look up on disk.
pub(super) fn apply_steps(
    work: &Work,
    steps: std::ops::Range<usize>,
    mut chunk: Chunk,
    place: usize,
    effects: &mut Effects,
) -> Result<Chunk, PlanError> {
    let first = effects.rejects.len();
    for index in steps {
        let step = &work.plan.steps[index];
        if let Some(operator) = step.operator.chunk_step() {
            chunk = apply_step(work, step, operator, (&chunk, place), effects)?;
            if let Some(probe) = &work.probe {
                probe.see(index + 1, &chunk)?;
            }
        }
    }
    // Row by row rather than step by step: the order of the sheet.
    let key = |reject: &Reject| (reject.row, reject.step);
    if !effects.rejects[first..].is_sorted_by_key(key) {
        effects.rejects[first..].sort_by_key(key);
    }
    Ok(chunk)
}

fn apply_step(
    work: &Work,
    step: &PlannedStep,
    operator: &dyn ChunkStep,
    (chunk, place): (&Chunk, usize),
    effects: &mut Effects,
) -> Result<Chunk, PlanError> {
    let applied = applied(operator, chunk, place)?;
    if let Some(picked) = &applied.picked {
        let picked = picked.clone();
        return picked_rows(work, step, operator, chunk, (applied, &picked), effects);
    }
    let mut account = Account::default();
    account.came.add(chunk.origins.values().iter().copied());
    account.matches = applied.matches;
    let next = staying(
        work,
        step,
        operator.why_filtered(),
        chunk,
        applied,
        (effects, &mut account),
    )?;
    account.kept.add(next.origins.values().iter().copied());
    effects.accounts.push((step.number, account));
    Ok(next)
}

fn applied(operator: &dyn ChunkStep, chunk: &Chunk, place: usize) -> Result<Applied, PlanError> {
    if let Some(step) = operator.looks_up()
        && let Some(far) = step.lookup().far()
    {
        let blank = lookup::blanks(&step.lookup().our_parts(chunk)?, chunk.rows());
        return step.found(chunk, &far.matched(place, blank)?);
    }
    operator.apply(chunk)
}

/// The rows that stay, as a step made them, with those that go noted and accounted for.
pub(super) fn staying(
    work: &Work,
    step: &PlannedStep,
    why_filtered: &str,
    chunk: &Chunk,
    mut applied: Applied,
    (effects, account): (&mut Effects, &mut Account),
) -> Result<Chunk, PlanError> {
    if applied.columns.iter().any(|column| column.len() != chunk.rows()) {
        return Err(PlanError::Internal("a step changed the number of rows"));
    }
    let rejected = rejected_rows(work.plan.policy, &applied.rejections, chunk.rows());
    let filtered = filtered_rows(&applied, &rejected, work.plan.policy)?;
    (account.flagged, account.warned) = flagged_rows(work.plan.policy, &applied, rejected.as_ref());
    note_taken(
        work,
        step,
        why_filtered,
        chunk,
        &applied,
        (&rejected, &filtered),
        effects,
    )?;
    let flags = findings::flags(work, step, chunk, (&applied.rejections, &applied.warnings));
    let found = (
        std::mem::take(&mut applied.rejections),
        std::mem::take(&mut applied.warnings),
    );
    effects.rejects.extend(findings::lines(work, step, chunk, found));
    let whole = marked(chunk, applied, flags)?;
    Ok(match out_of(&rejected, &filtered) {
        None => whole,
        Some(out) => {
            account.rejected.add(origins_where(chunk, rejected.as_ref()));
            account.filtered.add(origins_where(chunk, filtered.as_ref()));
            whole.filtered(&arrow::compute::not(&out)?)?
        }
    })
}

/// The rows of a step that picks: of one that is picked several times, the copies are added.
fn picked_rows(
    work: &Work,
    step: &PlannedStep,
    operator: &dyn ChunkStep,
    chunk: &Chunk,
    (mut applied, picked): (Applied, &UInt32Array),
    effects: &mut Effects,
) -> Result<Chunk, PlanError> {
    if applied.columns.iter().any(|column| column.len() != picked.len()) {
        return Err(PlanError::Internal("a step gave other rows than it picked"));
    }
    let rejected = rejected_rows(work.plan.policy, &applied.rejections, chunk.rows());
    let is_rejected = |row: usize| rejected.as_ref().is_some_and(|rejected| rejected.value(row));
    let filtered = unpicked_rows(picked, chunk.rows(), is_rejected)?;
    let why = operator.why_filtered();
    note_taken(work, step, why, chunk, &applied, (&rejected, &filtered), effects)?;
    let flags = findings::flags(work, step, chunk, (&applied.rejections, &applied.warnings));
    let mut account = Account {
        matches: applied.matches,
        ..Account::default()
    };
    (account.flagged, account.warned) = flagged_rows(work.plan.policy, &applied, rejected.as_ref());
    let found = (
        std::mem::take(&mut applied.rejections),
        std::mem::take(&mut applied.warnings),
    );
    effects.rejects.extend(findings::lines(work, step, chunk, found));
    account.came.add(chunk.origins.values().iter().copied());
    account.rejected.add(origins_where(chunk, rejected.as_ref()));
    account.filtered.add(origins_where(chunk, filtered.as_ref()));
    // The columns of before are needed to see what the step changed, and for nothing else.
    let columns = match chunk.marked() {
        Marked::Yes => chunk.columns.clone(),
        Marked::No => Vec::new(),
    };
    let (sources, origins, changed) = (chunk.sources.clone(), chunk.origins.clone(), chunk.changed.clone());
    let before = Chunk {
        columns,
        sources,
        origins,
        changed,
        flags,
    }
    .taken(picked)?;
    let flags = before.flags.clone();
    let whole = marked(&before, applied, flags)?;
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
    let before = next.origins.clone();
    number_copies(&mut next, &mut account);
    if let Some(probe) = &work.probe {
        // Steps are numbered from 1.
        probe.copied(step.number - 1, &before, &next.origins);
    }
    account.kept.add(next.origins.values().iter().copied());
    effects.accounts.push((step.number, account));
    Ok(next)
}

/// Gives copies numbers of their own: they follow the row they are of, one after the other.
fn number_copies(next: &mut Chunk, account: &mut Account) {
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
}

/// The rows that are not picked, and not rejected either: they are filtered.
fn unpicked_rows(
    picked: &UInt32Array,
    rows: usize,
    is_rejected: impl Fn(usize) -> bool,
) -> Result<Option<BooleanArray>, PlanError> {
    let mut unpicked = vec![true; rows];
    for at in picked.values() {
        *unpicked
            .get_mut(*at as usize)
            .ok_or(PlanError::Internal("a step picked a row that is not there"))? = false;
    }
    for (row, unpicked) in unpicked.iter_mut().enumerate() {
        *unpicked &= !is_rejected(row);
    }
    let filtered = BooleanArray::from(unpicked);
    Ok((filtered.true_count() > 0).then_some(filtered))
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

/// How many of the rows that go on have an error, and how many have a warning.
fn flagged_rows(policy: RejectsPolicy, applied: &Applied, rejected: Option<&BooleanArray>) -> (u64, u64) {
    let flagged = match policy {
        RejectsPolicy::Keep => findings::rows_of(&applied.rejections).len(),
        RejectsPolicy::LeaveOut | RejectsPolicy::Fail => 0,
    };
    let stays = |row: &u32| rejected.is_none_or(|rejected| !rejected.value(*row as usize));
    let warned = findings::rows_of(&applied.warnings)
        .iter()
        .filter(|row| stays(row))
        .count();
    (flagged as u64, warned as u64)
}

type Masks<'a> = (&'a Option<BooleanArray>, &'a Option<BooleanArray>);

fn note_taken(
    work: &Work,
    step: &PlannedStep,
    why_filtered: &str,
    chunk: &Chunk,
    applied: &Applied,
    (rejected, filtered): Masks<'_>,
    effects: &mut Effects,
) -> Result<(), PlanError> {
    if !work.wants_taken() {
        return Ok(());
    }
    if let Some(rejected) = rejected {
        let why = findings::whys(&applied.rejections);
        let rows = chunk.filtered(rejected)?;
        effects.taken.push(TakenOut {
            step: step.number,
            fate: Fate::Rejected,
            why,
            rows,
        });
    }
    if let Some(filtered) = filtered {
        let why = vec![why_filtered.to_owned()];
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
fn marked(before: &Chunk, applied: Applied, flags: Option<StringArray>) -> Result<Chunk, PlanError> {
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
        flags,
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
pub(crate) fn positions(rows: impl IntoIterator<Item = usize>) -> UInt32Array {
    rows.into_iter().filter_map(|row| u32::try_from(row).ok()).collect()
}
