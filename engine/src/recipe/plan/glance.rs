//! What a preview asks of a plan beside its rows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::UInt32Array;

use super::Effects;
use super::chunk::Chunk;
use super::operator::PlanError;
use super::stages::positions;
use crate::recipe::fate::TakenOut;
use crate::recipe::ledger;

/// Whether somebody still waits for the answer. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Nobody waits any more.
    pub fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Somebody waits for the next answer.
    pub fn renew(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    /// Whether the work may end.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Which of the rows that steps take out are kept to be shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Taken {
    /// All of them.
    #[default]
    All,
    /// Any, by this seed: those whose shuffled number is below this one.
    Some(u64, u64),
}

impl Taken {
    /// Those of the rows that are kept.
    pub(super) fn of(self, taken: TakenOut) -> Result<TakenOut, PlanError> {
        let Self::Some(seed, below) = self else {
            return Ok(taken);
        };
        let origins = taken.rows.origins.values().iter().enumerate();
        let some = origins.filter(|(_, origin)| ledger::shuffled(**origin, seed) < below);
        let some: Vec<usize> = some.map(|(row, _)| row).collect();
        Ok(TakenOut {
            why: some.iter().map(|row| taken.why(*row).to_owned()).collect(),
            rows: taken.rows.taken(&positions(some))?,
            ..taken
        })
    }
}

/// What a preview asks.
#[derive(Debug, Default)]
pub struct Glance {
    /// Rows of the table, with all its columns, in place of those that would be read.
    pub given: Option<Chunk>,
    /// Which of the rows that steps take out are kept to be shown.
    pub taken: Taken,
    /// For so many of the rows with which something is wrong their places in the table are noted: the first ones.
    pub failing: usize,
    /// Whether somebody still waits.
    pub stop: Stop,
}

impl Glance {
    /// Notes the places of rows with which something is wrong. `sources` are the rows of a window as Excel numbers them, in
    /// ascending order, and `first` is the place of the first one in the table.
    pub(super) fn note_failing(&self, sources: &UInt32Array, first: u64, effects: &mut Effects) {
        if self.failing == 0 {
            return;
        }
        let sources = sources.values();
        for reject in &effects.rejects {
            let at = sources.partition_point(|source| *source < reject.row);
            let place = first + at as u64;
            if sources.get(at) == Some(&reject.row) && effects.failing.last() != Some(&place) {
                effects.failing.push(place);
                if effects.failing.len() == self.failing {
                    return;
                }
            }
        }
    }
}
