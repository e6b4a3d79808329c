//! Tells where a row of a result comes from: the recipe is carried out again, and the row is followed back.
//!
//! The first time the row is found. Then it is watched on its way, as are the rows that it was made of, until it is known
//! where each of them begins and what every step did to it. What cannot be known is said to be so.

mod answer;
mod story;
#[cfg(test)]
mod tests;
mod trail;

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::again::{Again, Parts};
use super::preview::answer_column;
use super::process::Halt;
use super::{Message, Report};
use crate::recipe::columns::of_table;
use crate::recipe::plan::Work;
use crate::recipe::plan::operator::{ChunkStep, Operator, PlanError};
use crate::recipe::plan::probe::{MOST_COLUMNS, MOST_ROWS, Made, Probe};
use crate::sheets::number_format::show_count;
use crate::tables::counted;
pub use answer::{
    PartRow, ResultRow, ResultsAnswer, ResultsOrder, TraceAnswer, TraceOrder, TracedCell, TracedChange, TracedSource,
    TracedStep,
};
use trail::{Leaf, Stretch, Trail};

/// Cells of the row that are told.
const MOST_CELLS: usize = 500;

/// Answers with where the row comes from; the last message is `Done` or `Failed`.
pub(super) fn run(order: &TraceOrder, say: &mut dyn FnMut(Message)) {
    let last = match trace(order) {
        Ok(answer) => {
            say(Message::Trace(Box::new(answer)));
            Message::Done(Report::default())
        }
        Err(halt) => halt.message(),
    };
    say(last);
}

/// The row that is asked for.
struct Wanted {
    /// Its number among all rows of the run.
    origin: u64,
    /// Its place among the rows of the sheet's result, from 1.
    number: u64,
    part: Option<PartRow>,
    /// How many steps the plan has.
    end: usize,
}

fn trace(order: &TraceOrder) -> Result<TraceAnswer, Halt> {
    let again = Again::new(&order.made_by, order.sheet.as_deref())?;
    let wanted = find(&again, order)?;
    let mut trail = Trail::default();
    let mut watched: HashSet<u64> = HashSet::from([wanted.origin]);
    let mut followed = watched.clone();
    let mut known = trail.keys.clone();
    loop {
        let probe = Probe::new(watched.clone(), followed.clone(), known.clone());
        let work = pass(&again, &probe, wanted.origin)?;
        trail.add(probe.take());
        let way = trail.way(wanted.origin, wanted.end, order.follow);
        let behind = trail.behind(wanted.origin, wanted.end);
        let on_way: HashSet<u64> = way.iter().map(|stretch| stretch.row).collect();
        let is_known = trail.keys.keys().all(|key| known.contains_key(key));
        if is_known && behind.is_subset(&watched) && on_way.is_subset(&followed) {
            return answer(order, &again, &work, (&wanted, &trail, &way));
        }
        watched.extend(behind);
        followed.extend(on_way);
        known.clone_from(&trail.keys);
    }
}

/// Goes through the rows until the one that is asked for.
fn find(again: &Again<'_>, order: &TraceOrder) -> Result<Wanted, Halt> {
    let (mut next, mut in_part, mut parts) = (0_u64, 0_u64, Parts::default());
    let mut found = None;
    again.go(None, |work, chunk| {
        let of_parts = parts.of(&order.made_by, &work.plan, chunk)?;
        for row in 0..chunk.rows() {
            next += 1;
            let part = of_parts.as_ref().and_then(|parts| parts.get(row));
            let counted = match (&order.part, part) {
                (None, _) => next,
                (Some(wanted), Some((name, row))) if wanted == name => {
                    in_part = *row;
                    *row
                }
                (Some(_), _) => continue,
            };
            if counted == order.row {
                found = Some(Wanted {
                    origin: chunk.origins.value(row),
                    number: next,
                    part: part.map(|(name, row)| PartRow {
                        name: name.clone(),
                        row: *row,
                    }),
                    end: work.plan.steps.len(),
                });
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    found.ok_or_else(|| {
        let rows = if order.part.is_some() { in_part } else { next };
        no_such_row(again, order, rows)
    })
}

fn no_such_row(again: &Again<'_>, order: &TraceOrder, rows: u64) -> Halt {
    let of = match &order.part {
        None => format!("sheet “{}”", again.name()),
        Some(part) => format!("part “{part}”"),
    };
    let sentence = format!(
        "There is no row {} in the result of {of}: it has {}.",
        show_count(order.row),
        counted(rows, "row", "rows")
    );
    Halt::input("no_such_row", sentence)
}

/// One way of all rows through the recipe.
fn pass(again: &Again<'_>, probe: &Arc<Probe>, wanted: u64) -> Result<Arc<Work>, Halt> {
    again.go(Some(probe.clone()), |work, chunk| {
        // Rows that are like the wanted one may come behind it.
        let compares = |step: &crate::recipe::plan::PlannedStep| matches!(step.operator, Operator::Deduplicate(_));
        let is_there = chunk.origins.values().contains(&wanted);
        Ok(match is_there && !work.plan.steps.iter().any(compares) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        })
    })
}

type Known<'a> = (&'a Wanted, &'a Trail, &'a [Stretch]);

fn answer(
    order: &TraceOrder,
    again: &Again<'_>,
    work: &Work,
    (wanted, trail, way): Known<'_>,
) -> Result<TraceAnswer, Halt> {
    let leaves = trail.leaves(wanted.origin, wanted.end);
    let sources = leaves.iter().take(MOST_ROWS).map(|leaf| source(work, trail, *leaf));
    let last = way.last().filter(|stretch| stretch.made.is_none());
    let limits = way.iter().any(|stretch| stretch.made == Some(Made::Query));
    let columns = of_table(work.table.meta());
    Ok(TraceAnswer {
        file: order.made_by.name.clone(),
        sheet: again.name().to_owned(),
        row: wanted.number,
        part: wanted.part.clone(),
        cells: cells(work, (wanted, trail, way))?,
        columns: columns.iter().take(MOST_COLUMNS).map(answer_column).collect(),
        sources: sources.collect::<Result<_, _>>()?,
        more_sources: trail.leaves_out(wanted.origin, wanted.end),
        followed: last.and_then(|stretch| trail.source(stretch.row)),
        steps: story::steps(&order.made_by, work, (trail, way))?,
        limits: if limits {
            vec!["What SQL made of the rows cannot be followed further back.".to_owned()]
        } else {
            Vec::new()
        },
    })
}

/// A row that it was made of.
fn source(work: &Work, trail: &Trail, leaf: Leaf) -> Result<TracedSource, PlanError> {
    match leaf {
        Leaf::Read(row) => {
            let read = trail.read.get(&row).ok_or(PlanError::Internal("a row was not read"))?;
            let columns = of_table(work.table.meta());
            let columns = columns.iter().take(MOST_COLUMNS).enumerate();
            let cells = columns.map(|(position, column)| story::shown(work, &read.row, position, column));
            Ok(TracedSource {
                table: None,
                sheet: work.table.meta().sheet.clone(),
                sheet_position: work.table.meta().position,
                row: read.row.sources.value(0),
                position: read.position,
                cells: cells.collect::<Result<_, _>>()?,
            })
        }
        Leaf::Brought(step, position) => {
            let step = work.plan.steps.get(step).and_then(|step| step.operator.chunk_step());
            let further = step.and_then(ChunkStep::further);
            let further = further.ok_or(PlanError::Internal("a step brought no rows"))?;
            Ok(TracedSource {
                table: Some(further.name().to_owned()),
                sheet: further.table().meta().sheet.clone(),
                sheet_position: further.table().meta().position,
                row: further.table().row_number(position)?.unwrap_or(0),
                position,
                cells: Vec::new(),
            })
        }
    }
}

/// The row's cells, each with the cell of the sheet that it goes back to.
fn cells(work: &Work, (wanted, trail, way): Known<'_>) -> Result<Vec<TracedCell>, Halt> {
    const LOST: PlanError = PlanError::Internal("a followed row was lost");
    let row = trail.rows.get(&(wanted.end, wanted.origin)).ok_or(LOST)?;
    let was_read = way.last().filter(|stretch| stretch.made.is_none());
    let first = was_read.and_then(|stretch| trail.rows.get(&(0, stretch.row)));
    let lineage = work.plan.lineage(0);
    let (columns, before) = (&work.plan.columns, work.plan.columns_at(0));
    let mut cells = Vec::with_capacity(columns.len().min(MOST_CELLS));
    for (position, column) in columns.iter().enumerate().take(MOST_CELLS) {
        let cell = story::shown(work, row, position, column)?;
        let source = lineage.get(position).copied().flatten();
        let from = source.and_then(|at| Some((at, before.get(at)?, first?)));
        let (mut address, mut unchanged) = (None, false);
        if let Some((at, of, first)) = from {
            let number = first.sources.value(0);
            address = of.letters.as_ref().map(|letters| format!("{letters}{number}"));
            let earlier = story::shown(work, first, at, of)?;
            let was = (first.columns.get(at).ok_or(LOST)?, &earlier);
            unchanged = !story::is_other(was, (row.columns.get(position).ok_or(LOST)?, &cell))?;
        }
        cells.push(TracedCell {
            column: column.name.clone(),
            unchanged: unchanged && address.is_some(),
            cell,
            address,
        });
    }
    Ok(cells)
}
