//! Which rows of a table a preview shows, and what they are read by.
//!
//! Where each row goes its own way, any rows can be chosen first and then be taken through the steps: they are kept from one
//! order to the next, so that an edit reads nothing. Otherwise all rows are taken through the steps, and some are picked of
//! what comes out.

use std::sync::Arc;

use super::MOST_ROWS;
use super::pass::{Pass, Passed};
use super::pick::Pick;
use crate::order::process::{Halt, plan};
use crate::order::rows::Room;
use crate::order::warmth::{Places, Warmth, rows_at};
use crate::order::{PreviewOrder, PreviewRows, RowsAnswer};
use crate::recipe::plan::Plan;
use crate::recipe::plan::chunk::Chunk;
use crate::recipe::plan::glance::{Glance, Taken};
use crate::recipe::references::References;
use crate::tables::read::Table;

/// So many of the first rows are searched for those with which something is wrong before anything is shown.
const SEARCHED: u64 = 1 << 15;
/// They are searched by so many at a time, on all threads.
const SEARCHED_AT_ONCE: u64 = 1 << 13;

/// An order about to be answered.
#[derive(Debug)]
pub(super) struct Viewing<'a> {
    /// The order.
    pub(super) order: &'a PreviewOrder,
    /// The table under the names that the recipe expects.
    pub(super) table: &'a Table,
    references: &'a References,
}

impl<'a> Viewing<'a> {
    /// Of this table and these other ones.
    pub(super) fn of(order: &'a PreviewOrder, table: &'a Table, references: &'a References) -> Self {
        Self {
            order,
            table,
            references,
        }
    }

    /// The rows after the steps.
    pub(super) fn rows(&self, warmth: &mut Warmth) -> Result<RowsAnswer, Halt> {
        let shown = self.plan()?;
        let widest = shown.columns.len().max(self.table.meta().columns.len());
        let Room { rows, .. } = Room::of(self.order.rows.min(MOST_ROWS), widest);
        let all_fit = self.table.meta().rows <= rows as u64;
        let at_once = shown.goes_row_by_row();
        match self.order.show {
            PreviewRows::First => self.first(shown, rows, warmth),
            PreviewRows::Random { .. } if all_fit => self.first(shown, rows, warmth),
            PreviewRows::Random { seed } if at_once => self.any(shown, (rows, seed), warmth),
            PreviewRows::Random { seed } => self.picked(shown, (rows, seed), warmth),
            PreviewRows::Wrong if at_once && !self.order.count_all => self.failing(shown, rows, warmth),
            PreviewRows::Wrong | PreviewRows::Breaking(_) => self.wrong(shown, rows, warmth),
        }
    }

    fn plan(&self) -> Result<Plan, Halt> {
        plan(&self.order.recipe, self.table, self.order.steps, self.references)
    }

    fn first(&self, shown: Plan, rows: usize, warmth: &mut Warmth) -> Result<RowsAnswer, Halt> {
        let (streams, sorts) = (shown.streams(), shown.last_sort().is_some());
        let counts = self.order.count_all;
        // Whoever wants counts has mostly just seen the rows.
        let kept = warmth.shown(self.order).filter(|_| counts);
        let mut answer = match kept {
            Some(kept) => kept,
            None => {
                let given = match streams {
                    true => Some(warmth.rows(self.table, Places::First(rows))?),
                    false => None,
                };
                let pass = Pass {
                    read: streams.then_some(rows as u64),
                    // What stands behind the last sort may take rows out, so some more than are shown come out of it.
                    first: (sorts && !streams).then_some((4 * rows).max(MOST_ROWS)),
                    to_end: streams,
                    glance: Glance {
                        given,
                        stop: warmth.stop(),
                        ..Glance::default()
                    },
                    ..Pass::to_show(rows)
                };
                self.pass(shown, pass)?.answer
            }
        };
        if !streams {
            warmth.keep_shown(self.order, &answer);
        }
        if counts {
            counted_in(&mut answer, self.counted(0, warmth)?.answer);
        } else {
            counted_in(&mut answer, RowsAnswer::default());
        }
        Ok(answer)
    }

    /// Rows that were picked already, taken through the steps; nothing is counted.
    fn given(&self, shown: Plan, given: Chunk, rows: usize, warmth: &Warmth) -> Result<RowsAnswer, Halt> {
        let pass = Pass {
            // Rows of other tables stand behind the last row, which is not here.
            read: Some(0),
            glance: Glance {
                given: Some(given),
                stop: warmth.stop(),
                ..Glance::default()
            },
            ..Pass::to_show(rows)
        };
        let mut answer = self.pass(shown, pass)?.answer;
        counted_in(&mut answer, RowsAnswer::default());
        Ok(answer)
    }

    /// Any rows of the table.
    fn any(&self, shown: Plan, (rows, seed): (usize, u64), warmth: &mut Warmth) -> Result<RowsAnswer, Halt> {
        let given = warmth.rows(self.table, Places::Random(rows, seed))?;
        let mut answer = self.given(shown, given, rows, warmth)?;
        if self.order.count_all {
            counted_in(&mut answer, self.counted(0, warmth)?.answer);
        }
        Ok(answer)
    }

    /// The first rows of the table with which something is wrong, as far as a short search finds them.
    fn failing(&self, shown: Plan, rows: usize, warmth: &mut Warmth) -> Result<RowsAnswer, Halt> {
        let found = self.searched(rows, warmth)?;
        let given = rows_at(self.table, &found.failing)?;
        let mut answer = self.given(shown, given, rows, warmth)?;
        let is_part = found.failing.len() < rows && found.read < self.table.meta().rows;
        answer.searched = is_part.then_some(found.read);
        Ok(answer)
    }

    /// The first rows that something is wrong with, wherever they are: all are counted, it is found which, and these are
    /// taken out of what the steps make of the table.
    fn wrong(&self, shown: Plan, rows: usize, warmth: &Warmth) -> Result<RowsAnswer, Halt> {
        let counted = self.counted(rows, warmth)?;
        let pass = Pass {
            pick: Pick::Only(Arc::new(counted.wrong.into_iter().collect())),
            glance: Glance {
                stop: warmth.stop(),
                ..Glance::default()
            },
            ..Pass::to_show(rows)
        };
        let mut answer = self.pass(shown, pass)?.answer;
        counted_in(&mut answer, counted.answer);
        Ok(answer)
    }

    /// All rows are taken through the steps; some of those that come out are shown. All are counted on the way.
    fn picked(&self, shown: Plan, (rows, seed): (usize, u64), warmth: &Warmth) -> Result<RowsAnswer, Halt> {
        let all = u128::from(self.table.meta().rows.max(1));
        let below = u64::try_from(((rows as u128) << 64) / all).unwrap_or(u64::MAX);
        let pass = Pass {
            pick: Pick::Random(seed),
            glance: Glance {
                taken: Taken::Some(seed, below),
                stop: warmth.stop(),
                ..Glance::default()
            },
            ..Pass::to_show(rows)
        };
        Ok(self.pass(shown, pass)?.answer)
    }

    fn counted(&self, wrong: usize, warmth: &Warmth) -> Result<Passed, Halt> {
        let glance = Glance {
            stop: warmth.stop(),
            ..Glance::default()
        };
        self.pass(
            self.plan()?.for_counting(),
            Pass {
                glance,
                wrong,
                ..Pass::to_count()
            },
        )
    }

    fn searched(&self, failing: usize, warmth: &Warmth) -> Result<Passed, Halt> {
        let pass = Pass {
            read: Some(SEARCHED),
            window: SEARCHED_AT_ONCE,
            // It ends with the last row, or when enough are found.
            pick: Pick::Nothing,
            to_end: false,
            glance: Glance {
                failing,
                stop: warmth.stop(),
                ..Glance::default()
            },
            ..Pass::to_count()
        };
        self.pass(self.plan()?.for_counting(), pass)
    }
}

/// What was counted over all rows; nothing takes the place of counts of only some of them.
fn counted_in(answer: &mut RowsAnswer, counted: RowsAnswer) {
    (answer.total, answer.ledger, answer.rules) = (counted.total, counted.ledger, counted.rules);
}
