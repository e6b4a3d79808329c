//! Rows of a preview as they show: their cells, what changed in them, and who took them out.

use arrow::array::Array;

use super::{MOST_ROWS, answer_column};
use crate::order::process::entries;
use crate::order::rows::{Room, shown_cell};
use crate::order::{AnswerCell, AnswerRow, PreviewOrder, RowFate, RowsAnswer};
use crate::recipe::columns::Column;
use crate::recipe::fate::TakenOut;
use crate::recipe::plan::chunk::Chunk;
use crate::recipe::plan::operator::PlanError;
use crate::recipe::plan::{Tally, Work};
use crate::sheets::view::ColumnView;

/// The answer of rows that were gone through: at most so many.
pub(super) fn answer(
    order: &PreviewOrder,
    work: &Work,
    kept: &[Chunk],
    tally: &Tally,
    (most, in_places): (usize, bool),
) -> Result<RowsAnswer, PlanError> {
    let columns = &work.plan.columns;
    let mut rows = Vec::new();
    for chunk in kept {
        let all = (0..columns.len()).map(Some).collect::<Vec<_>>();
        rows.extend(shown_rows(work, chunk, columns, &all, |_| RowFate::Kept)?);
    }
    for taken in &tally.taken {
        rows.extend(taken_rows(work, taken)?);
    }
    if in_places {
        // Rows of other tables have no number here and stand behind the others.
        rows.sort_by_key(|row| (row.row == 0, row.row));
    }
    rows.truncate(most);
    Ok(RowsAnswer {
        columns: columns.iter().map(answer_column).collect(),
        rows,
        total: tally.accounts.last().map(|account| account.kept.rows),
        ledger: entries(work, &order.recipe, &tally.accounts),
        rules: Vec::new(),
        searched: None,
    })
}

/// Rows that were taken out, in the columns of the answer as far as they had them.
fn taken_rows(work: &Work, taken: &TakenOut) -> Result<Vec<AnswerRow>, PlanError> {
    let Some(position) = work.plan.steps.iter().position(|step| step.number == taken.step) else {
        return Ok(Vec::new());
    };
    let before = &work.plan.steps[position].before;
    let sources = work.plan.lineage(position);
    let fate = |row: usize| RowFate::Out {
        step: taken.step,
        how: taken.fate.word().to_owned(),
        why: taken.why(row).to_owned(),
    };
    shown_rows(work, &taken.rows, before, &sources, fate)
}

/// A chunk's rows as they show; `sources` says which of its columns stands in each column of the answer.
pub(in crate::order) fn shown_rows(
    work: &Work,
    chunk: &Chunk,
    columns: &[Column],
    sources: &[Option<usize>],
    fate: impl Fn(usize) -> RowFate,
) -> Result<Vec<AnswerRow>, PlanError> {
    let views = chunk
        .columns
        .iter()
        .map(ColumnView::of)
        .collect::<Result<Vec<_>, _>>()?;
    let formats = &work.plan.formats;
    let room = Room::of(MOST_ROWS, sources.len());
    let is_changed = |column: usize, row: usize| {
        let flags = chunk
            .changed
            .as_ref()
            .and_then(|changed| changed.get(column))
            .and_then(Option::as_ref);
        flags.is_some_and(|flags| flags.is_valid(row) && flags.value(row))
    };
    let cell = |source: &Option<usize>, row: usize| {
        source.map_or_else(AnswerCell::default, |column| {
            let shown = shown_cell(
                &views[column],
                row,
                columns[column].format.as_deref(),
                formats,
                room.chars,
            );
            AnswerCell {
                changed: is_changed(column, row),
                ..shown
            }
        })
    };
    let answer_row = |row: usize| AnswerRow {
        row: u64::from(chunk.sources.value(row)),
        fate: fate(row),
        cells: sources.iter().map(|source| cell(source, row)).collect(),
        findings: Vec::new(),
    };
    Ok((0..chunk.rows()).map(answer_row).collect())
}
