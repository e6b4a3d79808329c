//! How the rows are gone through for a preview.

use std::collections::BTreeSet;

use futures_util::StreamExt;

use super::pick::{Pick, Picked};
use super::rows::Viewing;
use super::shown::answer;
use crate::order::process::{Halt, runtime};
use crate::order::{RowsAnswer, findings};
use crate::recipe::ledger;
use crate::recipe::plan::chunk::Marked;
use crate::recipe::plan::glance::Glance;
use crate::recipe::plan::{Plan, Resources, Work, stages};
use crate::recipe::rejects::Spool;
use crate::tables::CHUNK_ROWS;

/// Threads for going through all rows: previews share the machine with runs.
const JOBS: usize = 2;

/// One way through the rows.
#[derive(Debug)]
pub(super) struct Pass {
    /// Whether changes are marked.
    pub(super) marked: Marked,
    /// At most so many rows of the table are read.
    pub(super) read: Option<u64>,
    /// So many of the first rows of the last sort are enough.
    pub(super) first: Option<usize>,
    /// Which of the rows that come out are shown, and how many.
    pub(super) pick: Pick,
    pub(super) shown: usize,
    /// Rows of a window.
    pub(super) window: u64,
    /// Whether it goes on when all that is shown is there.
    pub(super) to_end: bool,
    /// Of the rows that something is wrong with, so many of the first ones that are asked for are named.
    pub(super) wrong: usize,
    /// What is wanted besides.
    pub(super) glance: Glance,
}

impl Pass {
    /// Goes through all rows and shows none.
    pub(super) fn to_count() -> Self {
        Self {
            marked: Marked::No,
            read: None,
            first: None,
            pick: Pick::First,
            shown: 0,
            window: CHUNK_ROWS as u64,
            to_end: true,
            wrong: 0,
            glance: Glance::default(),
        }
    }

    /// Shows so many rows with their changes.
    pub(super) fn to_show(shown: usize) -> Self {
        Self {
            marked: Marked::Yes,
            shown,
            ..Self::to_count()
        }
    }
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Passed {
    /// Rows, and counts as far as it went.
    pub(super) answer: RowsAnswer,
    /// Places of rows with which something is wrong, where they were asked for.
    pub(super) failing: Vec<u64>,
    /// Numbers of the rows that something is wrong with, where they were asked for.
    pub(super) wrong: BTreeSet<u32>,
    /// How many rows were read.
    pub(super) read: u64,
}

impl Viewing<'_> {
    /// Goes through the rows.
    pub(super) fn pass(&self, plan: Plan, mut pass: Pass) -> Result<Passed, Halt> {
        let order = self.order;
        // A few rows are there sooner than a second thread.
        let jobs = if pass.glance.given.is_some() { 1 } else { JOBS };
        let runtime = runtime(jobs)?;
        let resources = Resources {
            scratch: order.scratch.clone(),
            memory: order.memory,
            jobs,
            window_rows: pass.window.max(1),
            limit: pass.read,
            first: pass.first,
            only: match &pass.pick {
                Pick::Only(numbers) => Some(numbers.clone()),
                _ => None,
            },
            held: None,
        };
        // Rows that something is wrong with stand in the order of the sheet, whatever the steps make of that.
        let (most, in_places) = match (plan.streams(), &pass.pick) {
            (true, Pick::First) | (_, Pick::Only(_)) => (pass.shown, true),
            (streams, _) => (2 * pass.shown, streams),
        };
        let spool = Spool::new("", &order.scratch);
        let glance = std::mem::take(&mut pass.glance);
        let work = Work::for_preview(plan, self.table.clone(), resources, spool, (pass.marked, glance));
        let _entered = runtime.enter();
        let mut stream = stages::run(&work);
        let mut picked = Picked::new(pass.pick, pass.shown);
        while pass.to_end || !(picked.is_full() || work.found_failing()) {
            let Some(chunk) = runtime.block_on(stream.next()) else {
                break;
            };
            picked.add(chunk?)?;
        }
        drop(stream);
        let read = work.read_so_far();
        let mut tally = work.take_tally(Spool::new("", &order.scratch));
        if pass.to_end {
            ledger::check(&tally.accounts).map_err(|detail| Halt {
                code: "ledger_unbalanced",
                sentence: "Something went wrong on our side while the recipe was previewed.".to_owned(),
                detail,
                input_at_fault: false,
            })?;
        }
        let found = std::mem::replace(&mut tally.rejects, Spool::new("", &order.scratch));
        let mut answer = answer(order, &work, &picked.end()?, &tally, (most, in_places))?;
        let (rules, wrong) = findings::take(found, &mut answer.rows, (&order.show, pass.wrong))?;
        answer.rules = rules;
        Ok(Passed {
            answer,
            failing: tally.failing,
            wrong,
            read,
        })
    }
}
