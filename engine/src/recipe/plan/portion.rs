//! Keeps some of the rows, by their place: the first, the last, or a sample.

use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, UInt64Array};
use arrow::datatypes::DataType;

use super::chunk::Chunk;
use super::external::ASCENDING;
use super::operator::{Applied, ChunkStep, PlanError};
use super::ordered::{Detour, Looks, Order, OrderedStep, Settled, Walk};
use crate::recipe::ledger;

/// Rows that a sample holds at least before it looks for those that are out of it by now.
const LEAST_PRUNED: usize = 8192;

/// Which rows stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The first ones.
    First,
    /// The last ones.
    Last,
    /// Any, by this seed: those whose shuffled number is smallest.
    Any(u64),
}

/// So many rows that stay.
#[derive(Clone, Debug)]
pub struct PortionPlan {
    /// Which.
    pub which: Which,
    /// How many, at least one.
    pub rows: usize,
    /// Why the others go, in words.
    pub why: String,
}

impl OrderedStep for PortionPlan {
    fn begin(&self) -> Result<Box<dyn Walk>, PlanError> {
        Ok(match self.which {
            Which::First => Box::new(First { left: self.rows }),
            Which::Last => Box::new(Last {
                wanted: self.rows,
                pending: VecDeque::new(),
                rows: 0,
                bytes: 0,
            }),
            Which::Any(seed) => Box::new(Any {
                wanted: self.rows,
                seed,
                next: 0,
                best: BinaryHeap::new(),
                pending: Vec::new(),
                rows: 0,
            }),
        })
    }

    fn looks(&self) -> Looks {
        match self.which {
            Which::First => Looks::Back,
            Which::Last | Which::Any(_) => Looks::Everywhere,
        }
    }

    fn why_filtered(&self) -> &str {
        &self.why
    }

    fn needs(&self, wanted: &[bool], _before: usize) -> Vec<bool> {
        wanted.to_vec()
    }
}

/// Rows of which those stay for which `stays` is true.
fn settled(chunk: Chunk, stays: &BooleanArray) -> Result<Settled, PlanError> {
    let mut applied = Applied::same_columns(chunk.columns.clone());
    if stays.true_count() < stays.len() {
        applied.filtered = Some(arrow::compute::not(stays)?);
    }
    Ok(Settled { chunk, applied })
}

fn all(rows: usize, stay: bool) -> BooleanArray {
    BooleanArray::from(vec![stay; rows])
}

struct First {
    left: usize,
}

impl Walk for First {
    fn next(&mut self, chunk: Chunk) -> Result<Vec<Settled>, PlanError> {
        let stay = self.left.min(chunk.rows());
        self.left -= stay;
        let stays: BooleanArray = (0..chunk.rows()).map(|row| Some(row < stay)).collect();
        Ok(vec![settled(chunk, &stays)?])
    }

    fn detour(self: Box<Self>) -> Result<Detour, PlanError> {
        Err(PlanError::Internal("the first rows are not held"))
    }
}

/// The last rows so far, and a few more: chunks are let go whole.
struct Last {
    wanted: usize,
    pending: VecDeque<Chunk>,
    rows: usize,
    bytes: usize,
}

impl Walk for Last {
    fn next(&mut self, chunk: Chunk) -> Result<Vec<Settled>, PlanError> {
        self.rows += chunk.rows();
        self.bytes += chunk.bytes();
        self.pending.push_back(chunk);
        let mut gone = Vec::new();
        while let Some(front) = self.pending.pop_front() {
            if self.rows - front.rows() < self.wanted {
                self.pending.push_front(front);
                break;
            }
            self.rows -= front.rows();
            self.bytes = self.bytes.saturating_sub(front.bytes());
            let stays = all(front.rows(), false);
            gone.push(settled(front, &stays)?);
        }
        Ok(gone)
    }

    fn end(&mut self) -> Result<Vec<Settled>, PlanError> {
        let mut surplus = self.rows.saturating_sub(self.wanted);
        let settle = |chunk: Chunk| {
            let stays: BooleanArray = (0..chunk.rows()).map(|row| Some(row >= surplus)).collect();
            surplus = surplus.saturating_sub(chunk.rows());
            settled(chunk, &stays)
        };
        self.pending.drain(..).map(settle).collect()
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn detour(self: Box<Self>) -> Result<Detour, PlanError> {
        Ok(Detour {
            pending: self.pending.into(),
            order: Order::Backward,
            walk: Box::new(First { left: self.wanted }),
        })
    }
}

/// A row's shuffled number and its position; rows with the smallest are in the sample.
type Lot = (u64, u64);

/// The rows that are in the sample so far, and some that were before.
struct Any {
    wanted: usize,
    seed: u64,
    next: u64,
    /// The lots of the sample so far, the greatest on top.
    best: BinaryHeap<Lot>,
    pending: Vec<(Chunk, Vec<Lot>)>,
    rows: usize,
}

impl Any {
    /// Divides rows into those that may be in the sample and those that are not.
    fn divide(&self, (chunk, lots): (Chunk, Vec<Lot>)) -> Result<((Chunk, Vec<Lot>), Settled), PlanError> {
        let most = self.best.peek().copied().filter(|_| self.best.len() >= self.wanted);
        let is_in = |lot: &Lot| most.is_none_or(|most| *lot <= most);
        let stays: BooleanArray = lots.iter().map(|lot| Some(is_in(lot))).collect();
        let out = chunk.filtered(&arrow::compute::not(&stays)?)?;
        let gone = all(out.rows(), false);
        let held = (chunk.filtered(&stays)?, lots.into_iter().filter(is_in).collect());
        Ok((held, settled(out, &gone)?))
    }

    /// Lets go of rows that are out of the sample by now.
    fn prune(&mut self) -> Result<Vec<Settled>, PlanError> {
        let mut gone = Vec::new();
        let mut held = Vec::new();
        for pending in std::mem::take(&mut self.pending) {
            let (pending, out) = self.divide(pending)?;
            held.push(pending);
            gone.push(out);
        }
        self.rows = held.iter().map(|(chunk, _)| chunk.rows()).sum();
        self.pending = held;
        Ok(gone)
    }
}

impl Walk for Any {
    fn next(&mut self, chunk: Chunk) -> Result<Vec<Settled>, PlanError> {
        let origins = chunk.origins.values().iter();
        let lots: Vec<Lot> = origins
            .zip(self.next..)
            .map(|(origin, position)| (ledger::shuffled(*origin, self.seed), position))
            .collect();
        self.next += chunk.rows() as u64;
        for lot in &lots {
            if self.best.len() < self.wanted {
                self.best.push(*lot);
            } else if let Some(mut greatest) = self.best.peek_mut()
                && *lot < *greatest
            {
                *greatest = *lot;
            }
        }
        let (held, gone) = self.divide((chunk, lots))?;
        self.rows += held.0.rows();
        self.pending.push(held);
        let mut gone = vec![gone];
        if self.rows > 2 * self.wanted.max(LEAST_PRUNED) {
            gone.extend(self.prune()?);
        }
        Ok(gone)
    }

    fn end(&mut self) -> Result<Vec<Settled>, PlanError> {
        let mut last = self.prune()?;
        for (chunk, _) in self.pending.drain(..) {
            let stays = all(chunk.rows(), true);
            last.push(settled(chunk, &stays)?);
        }
        Ok(last)
    }

    fn bytes(&self) -> usize {
        let chunks: usize = self.pending.iter().map(|(chunk, _)| chunk.bytes()).sum();
        chunks + (self.rows + self.best.len()) * size_of::<Lot>()
    }

    fn detour(self: Box<Self>) -> Result<Detour, PlanError> {
        let seed = self.seed;
        Ok(Detour {
            pending: self.pending.into_iter().map(|(chunk, _)| chunk).collect(),
            order: Order::Sorted {
                keys: vec![(DataType::UInt64, ASCENDING)],
                of: Box::new(move |chunk| {
                    let shuffled = chunk.origins.values().iter();
                    let shuffled = shuffled.map(|origin| ledger::shuffled(*origin, seed));
                    Ok(vec![Arc::new(UInt64Array::from_iter_values(shuffled)) as ArrayRef])
                }),
            },
            walk: Box::new(First { left: self.wanted }),
        })
    }
}

/// Keeps each row or not, by its shuffled number alone.
#[derive(Clone, Debug)]
pub struct ShareStep {
    /// How many of all rows, from 0 to 1.
    pub share: f64,
    /// The seed.
    pub seed: u64,
    /// Why the others go, in words.
    pub why: String,
}

impl ChunkStep for ShareStep {
    fn apply(&self, chunk: &Chunk) -> Result<Applied, PlanError> {
        let is_out = |origin: &u64| {
            // The upper 53 bits are an exact number from 0 to 1.
            #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
            let number = (ledger::shuffled(*origin, self.seed) >> 11) as f64 / 9_007_199_254_740_992.0;
            Some(number >= self.share)
        };
        let mut applied = Applied::same_columns(chunk.columns.clone());
        applied.filtered = Some(chunk.origins.values().iter().map(is_out).collect());
        Ok(applied)
    }

    fn why_filtered(&self) -> &str {
        &self.why
    }
}
