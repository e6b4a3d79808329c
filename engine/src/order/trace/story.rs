//! What each step did to a row, in words and cells.

use super::answer::{TracedChange, TracedStep};
use super::trail::{Stretch, Trail};
use crate::order::process::Halt;
use crate::order::rows::shown_cell;
use crate::order::{AnswerCell, ProcessOrder};
use crate::recipe::columns::Column;
use crate::recipe::plan::cells::differences;
use crate::recipe::plan::chunk::Chunk;
use crate::recipe::plan::operator::{ChunkStep, Met, Operator, PlanError};
use crate::recipe::plan::probe::{Alike, Made};
use crate::recipe::plan::{PlannedStep, Work};
use crate::sheets::number_format::show_count;
use crate::sheets::view::ColumnView;
use crate::tables::counted;

/// Cells of a step that are told.
const MOST_CHANGES: usize = 100;
/// Names and row numbers in a sentence.
const MOST_NAMED: usize = 20;
/// Characters of a cell.
const SHOWN_CHARS: usize = 500;

/// The steps of a recipe, with what each did to the row on its way.
pub(super) fn steps(
    order: &ProcessOrder,
    work: &Work,
    (trail, way): (&Trail, &[Stretch]),
) -> Result<Vec<TracedStep>, Halt> {
    let mut labels = order.recipe.labels();
    if let Some(split) = &order.recipe.output.split {
        labels.push(format!("Put the rows of each value of {} together", split.column));
    }
    let one = |(index, label)| {
        Teller {
            work,
            trail,
            way,
            index,
        }
        .step(label)
    };
    labels.into_iter().enumerate().map(one).collect()
}

/// Tells of one step.
struct Teller<'a> {
    work: &'a Work,
    trail: &'a Trail,
    way: &'a [Stretch],
    /// The step's position, from 0.
    index: usize,
}

impl<'a> Teller<'a> {
    fn step(&self, label: String) -> Result<TracedStep, Halt> {
        let mut told = TracedStep {
            number: self.index + 1,
            label,
            ..TracedStep::default()
        };
        let Some(step) = self.work.plan.steps.get(self.index) else {
            return Ok(told);
        };
        let behind = self.way.iter().find(|it| holds(it, self.index + 1));
        let made = behind.filter(|it| it.points.0 == self.index + 1);
        let made = made.and_then(|it| it.made.as_ref());
        if let (Some(behind), Some(Made::Brought { position })) = (behind, made) {
            told.told = true;
            told.notes.push(brought(step, *position)?);
            told.changes = self.brought_cells(behind.row)?;
            cut(&mut told);
            return Ok(told);
        }
        let front = self.way.iter().rev().find(|it| holds(it, self.index));
        let (Some(front), Some(behind)) = (front, behind) else {
            if made == Some(&Made::Query) {
                told.notes.push("The row came out of the query.".to_owned());
            }
            return Ok(told);
        };
        told.told = true;
        told.notes = self.notes(step, front.row, behind.row, made)?;
        self.cells(step, (front.row, behind.row), made, &mut told)?;
        cut(&mut told);
        Ok(told)
    }

    /// The row as it was at a point.
    fn row(&self, point: usize, row: u64) -> Result<&'a Chunk, PlanError> {
        self.trail
            .rows
            .get(&(point, row))
            .ok_or(PlanError::Internal("a followed row was lost"))
    }

    fn notes(
        &self,
        step: &PlannedStep,
        front: u64,
        behind: u64,
        made: Option<&Made>,
    ) -> Result<Vec<String>, PlanError> {
        let mut notes = Vec::new();
        let copy = match made {
            Some(Made::Group { rows, .. }) => {
                notes.push(counted(
                    *rows,
                    "row was grouped into this one.",
                    "rows were grouped into this one.",
                ));
                0
            }
            Some(Made::Copy { copy, copies, .. }) => {
                let (number, copies) = (show_count(copy + 1), show_count(*copies));
                notes.push(format!(
                    "It is number {number} of the {copies} rows that were made of one."
                ));
                *copy
            }
            _ => 0,
        };
        if let Some(operator) = step.operator.chunk_step()
            && let Some(met) = operator.met(self.row(self.index, front)?, copy)?
        {
            notes.push(matched(&met));
        }
        match &step.operator {
            Operator::Sort(_) => notes.extend(self.moved(front, behind)),
            Operator::Deduplicate(plan) => {
                let alike = self.trail.alike.get(&(self.index, front));
                notes.extend(alike.map(|alike| like(alike, plan.groups == crate::recipe::steps::Groups::Mark)));
            }
            _ => {}
        }
        let flag = |point, row| Ok::<_, PlanError>(flag(self.row(point, row)?));
        let flags = (flag(self.index, front)?, flag(self.index + 1, behind)?);
        if let (before, Some(after)) = flags
            && before.as_ref() != Some(&after)
        {
            notes.push(format!("Something is wrong with it: {after}"));
        }
        Ok(notes)
    }

    /// How its place changed.
    fn moved(&self, front: u64, behind: u64) -> Option<String> {
        let before = self.trail.places.get(&(self.index, front))?;
        let after = self.trail.places.get(&(self.index + 1, behind))?;
        let (before, after) = (show_count(before + 1), show_count(after + 1));
        (before != after).then(|| format!("Its place changed: it was row {before} and became row {after}."))
    }

    /// The cells that the step changed or added, and in words the columns that it renamed or left out.
    fn cells(
        &self,
        step: &PlannedStep,
        (front, behind): (u64, u64),
        made: Option<&Made>,
        told: &mut TracedStep,
    ) -> Result<(), PlanError> {
        let (before, after) = (self.row(self.index, front)?, self.row(self.index + 1, behind)?);
        let (columns, next) = (&step.before, self.work.plan.columns_at(self.index + 1));
        let lineage = self.work.plan.lineage_of(self.index);
        let (mut renamed, mut stays) = (Vec::new(), vec![false; columns.len()]);
        for (position, column) in next.iter().enumerate() {
            let source = lineage.get(position).copied().flatten();
            let was = source.and_then(|source| Some((source, columns.get(source)?, before.columns.get(source)?)));
            let cell = self.cell(after, position, column)?;
            let Some((source, was, cells)) = was else {
                told.changes.push(change(column, None, cell));
                continue;
            };
            stays[source] = true;
            if was.name != column.name {
                renamed.push(format!("`{}` is called `{}`", was.name, column.name));
            }
            let earlier = self.cell(before, source, was)?;
            if is_other((cells, &earlier), (&after.columns[position], &cell))? {
                told.changes.push(change(column, Some(earlier), cell));
            }
        }
        if !renamed.is_empty() {
            told.notes.push(format!("{}.", some(&renamed)));
        }
        let dropped: Vec<String> = columns
            .iter()
            .zip(&stays)
            .filter(|(_, stays)| !**stays)
            .map(|(column, _)| format!("`{}`", column.name))
            .collect();
        if made.is_none() && step.operator.chunk_step().map_or(1, ChunkStep::widens) == 1 && !dropped.is_empty() {
            told.notes.push(format!("Left out: {}.", some(&dropped)));
        }
        Ok(())
    }

    /// The cells of a row that came from another table.
    fn brought_cells(&self, row: u64) -> Result<Vec<TracedChange>, PlanError> {
        let chunk = self.row(self.index + 1, row)?;
        let columns = self.work.plan.columns_at(self.index + 1).iter().enumerate();
        let cells = columns.map(|(position, column)| Ok(change(column, None, self.cell(chunk, position, column)?)));
        cells.collect()
    }

    fn cell(&self, chunk: &Chunk, position: usize, column: &Column) -> Result<AnswerCell, PlanError> {
        shown(self.work, chunk, position, column)
    }
}

/// A cell of a followed row as it shows.
pub(super) fn shown(work: &Work, chunk: &Chunk, position: usize, column: &Column) -> Result<AnswerCell, PlanError> {
    let cells = chunk.columns.get(position);
    let view = ColumnView::of(cells.ok_or(PlanError::Internal("a followed row lost a column"))?)?;
    Ok(shown_cell(
        &view,
        0,
        column.format.as_deref(),
        &work.plan.formats,
        SHOWN_CHARS,
    ))
}

type OneCell<'a> = (&'a arrow::array::ArrayRef, &'a AnswerCell);

/// Whether a cell is another one than before: its value, or what kind of value it is.
pub(super) fn is_other((before, shown): OneCell<'_>, (after, now): OneCell<'_>) -> Result<bool, PlanError> {
    if before.data_type() == after.data_type() {
        return Ok(differences(before, after)?.value(0));
    }
    Ok(shown.kind != now.kind || shown.text != now.text)
}

fn holds(stretch: &Stretch, point: usize) -> bool {
    (stretch.points.0..=stretch.points.1).contains(&point)
}

fn change(column: &Column, before: Option<AnswerCell>, after: AnswerCell) -> TracedChange {
    TracedChange {
        column: column.name.clone(),
        before,
        after,
    }
}

fn cut(told: &mut TracedStep) {
    told.more_changes = told.changes.len().saturating_sub(MOST_CHANGES);
    told.changes.truncate(MOST_CHANGES);
}

/// What is wrong with a row, where the recipe keeps it nevertheless.
fn flag(chunk: &Chunk) -> Option<String> {
    let flags = chunk.flags.as_ref()?.iter().next().flatten();
    flags.map(str::to_owned)
}

fn brought(step: &PlannedStep, position: u64) -> Result<String, PlanError> {
    let further = step.operator.chunk_step().and_then(ChunkStep::further);
    let further = further.ok_or(PlanError::Internal("a step brought no rows"))?;
    Ok(match further.table().row_number(position)? {
        Some(row) => format!("The row came in here: it is row {row} of `{}`.", further.name()),
        None => format!("The row came in here, from `{}`.", further.name()),
    })
}

fn matched(met: &Met) -> String {
    let name = &met.table;
    match (met.rows, met.row) {
        (0, _) => format!("No row of `{name}` matches it."),
        (1, Some(row)) => format!("It matched row {row} of `{name}`."),
        (rows, Some(row)) => format!("{} rows of `{name}` match it; it has row {row}.", show_count(rows)),
        (rows, None) => format!("{} of `{name}`.", counted(rows, "row matches it", "rows match it")),
    }
}

fn like(alike: &Alike, stay: bool) -> String {
    let numbers: Vec<String> = alike
        .sources
        .iter()
        .filter(|row| **row > 0)
        .map(u32::to_string)
        .collect();
    let places = match numbers.as_slice() {
        [] => String::new(),
        [one] => format!(": row {one}"),
        several => format!(": rows {}", some(several)),
    };
    let (one, many) = match stay {
        true => ("other row is like it", "other rows are like it"),
        false => (
            "other row was like it and taken out",
            "other rows were like it and taken out",
        ),
    };
    format!("{}{places}.", counted(alike.rows, one, many))
}

/// Some of these, and how many more there are.
fn some(words: &[String]) -> String {
    let shown: Vec<&str> = words.iter().take(MOST_NAMED).map(String::as_str).collect();
    match words.len().saturating_sub(MOST_NAMED) {
        0 => shown.join(", "),
        more => format!("{} and {} more", shown.join(", "), show_count(more as u64)),
    }
}
