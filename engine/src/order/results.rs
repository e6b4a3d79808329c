//! Rows of a result, as the recipe made them: it is carried out again as far as they need it.

use std::ops::ControlFlow;

use super::again::{Again, Parts};
use super::preview::{answer_column, shown_rows};
use super::rows::Room;
use super::{Message, PartRow, Report, ResultRow, ResultsAnswer, ResultsOrder, RowFate};
use crate::order::process::Halt;

/// Columns that are shown.
const MOST_COLUMNS: usize = 500;

/// Answers with rows; the last message is `Done` or `Failed`.
pub(super) fn run(order: &ResultsOrder, say: &mut dyn FnMut(Message)) {
    let last = match results(order) {
        Ok(answer) => {
            say(Message::Results(Box::new(answer)));
            Message::Done(Report::default())
        }
        Err(halt) => halt.message(),
    };
    say(last);
}

fn results(order: &ResultsOrder) -> Result<ResultsAnswer, Halt> {
    let again = Again::new(&order.made_by, order.sheet.as_deref())?;
    let (mut rows, mut more, mut next, mut parts) = (Vec::new(), false, 0_u64, Parts::default());
    let work = again.go(None, |work, chunk| {
        let columns = &work.plan.columns[..work.plan.columns.len().min(MOST_COLUMNS)];
        let room = Room::of(order.limit, columns.len()).rows as u64;
        let (from, to) = (order.offset, order.offset.saturating_add(room));
        let first = next;
        next += chunk.rows() as u64;
        let of_parts = parts.of(&order.made_by, &work.plan, chunk)?;
        more = next > to;
        if next > from {
            let start = usize::try_from(from.saturating_sub(first)).unwrap_or(usize::MAX);
            let end = usize::try_from(to.min(next) - first).unwrap_or(usize::MAX);
            let all: Vec<Option<usize>> = (0..columns.len()).map(Some).collect();
            let slice = chunk.slice(start, end.saturating_sub(start))?;
            let shown = shown_rows(work, &slice, columns, &all, |_| RowFate::Kept)?;
            rows.extend(shown.into_iter().zip(start..).map(|(row, at)| {
                ResultRow {
                    number: first + at as u64 + 1,
                    part: of_parts
                        .as_ref()
                        .and_then(|parts| parts.get(at))
                        .map(|(name, row)| PartRow {
                            name: name.clone(),
                            row: *row,
                        }),
                    row,
                }
            }));
        }
        Ok(if more {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        })
    })?;
    Ok(ResultsAnswer {
        sheet: again.name().to_owned(),
        columns: work.plan.columns.iter().take(MOST_COLUMNS).map(answer_column).collect(),
        sheets: again.sheets,
        rows,
        more,
    })
}
