//! Which of the rows that come out of a plan are shown.

use std::collections::HashSet;
use std::sync::Arc;

use crate::recipe::ledger::shuffled;
use crate::recipe::plan::chunk::Chunk;
use crate::recipe::plan::operator::PlanError;
use crate::recipe::plan::stages::positions;

/// Candidates that are held at most, as often as rows are wanted, before the worse ones are let go.
const SPARE: usize = 8;

/// Which rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Pick {
    /// The first ones.
    #[default]
    First,
    /// Any, by this seed: those whose shuffled number is smallest.
    Random(u64),
    /// Those with these numbers in the sheet.
    Only(Arc<HashSet<u32>>),
    /// None; more rows are always welcome.
    Nothing,
}

/// The rows so far, in the order in which they came.
#[derive(Debug)]
pub(super) struct Picked {
    pick: Pick,
    most: usize,
    rows: usize,
    chunks: Vec<Chunk>,
}

impl Picked {
    /// Picks at most so many.
    pub(super) fn new(pick: Pick, most: usize) -> Self {
        Self {
            pick,
            most,
            rows: 0,
            chunks: Vec::new(),
        }
    }

    /// Whether no later row will be picked.
    pub(super) fn is_full(&self) -> bool {
        matches!(self.pick, Pick::First | Pick::Only(_)) && self.rows >= self.most
    }

    /// Looks at rows that come next.
    pub(super) fn add(&mut self, chunk: Chunk) -> Result<(), PlanError> {
        if self.is_full() || chunk.rows() == 0 {
            return Ok(());
        }
        match &self.pick {
            Pick::Nothing => {}
            Pick::First => self.push(chunk.slice(0, chunk.rows().min(self.most - self.rows))?),
            Pick::Only(numbers) => {
                let sources = chunk.sources.values().iter().enumerate();
                let wanted = sources
                    .filter(|(_, number)| numbers.contains(number))
                    .map(|(row, _)| row);
                let wanted = positions(wanted.take(self.most - self.rows));
                if !wanted.is_empty() {
                    self.push(chunk.taken(&wanted)?);
                }
            }
            Pick::Random(seed) => {
                let seed = *seed;
                // Rows of one chunk beyond those that are wanted cannot be among the smallest of all.
                self.push(smallest(&chunk, seed, self.most)?);
                if self.rows > SPARE * self.most {
                    self.prune(seed)?;
                }
            }
        }
        Ok(())
    }

    /// The rows that were picked.
    pub(super) fn end(mut self) -> Result<Vec<Chunk>, PlanError> {
        if let Pick::Random(seed) = self.pick {
            self.prune(seed)?;
        }
        Ok(self.chunks)
    }

    fn push(&mut self, chunk: Chunk) {
        self.rows += chunk.rows();
        self.chunks.push(chunk);
    }

    fn prune(&mut self, seed: u64) -> Result<(), PlanError> {
        let of_chunks = self.chunks.iter().flat_map(|chunk| chunk.origins.values());
        let mut numbers: Vec<u64> = of_chunks.map(|origin| shuffled(*origin, seed)).collect();
        if numbers.len() <= self.most {
            return Ok(());
        }
        let (_, first_out, _) = numbers.select_nth_unstable(self.most);
        let first_out = *first_out;
        let mut kept = Vec::with_capacity(self.chunks.len());
        for chunk in &self.chunks {
            kept.push(below(chunk, seed, first_out)?);
        }
        kept.retain(|chunk| chunk.rows() > 0);
        self.rows = kept.iter().map(Chunk::rows).sum();
        self.chunks = kept;
        Ok(())
    }
}

/// Those of a chunk's rows whose shuffled numbers are smallest.
fn smallest(chunk: &Chunk, seed: u64, most: usize) -> Result<Chunk, PlanError> {
    let origins = chunk.origins.values().iter();
    let mut numbers: Vec<u64> = origins.map(|origin| shuffled(*origin, seed)).collect();
    if numbers.len() <= most {
        return Ok(chunk.clone());
    }
    let (_, first_out, _) = numbers.select_nth_unstable(most);
    below(chunk, seed, *first_out)
}

fn below(chunk: &Chunk, seed: u64, number: u64) -> Result<Chunk, PlanError> {
    let origins = chunk.origins.values().iter().enumerate();
    let stay = origins.filter(|(_, origin)| shuffled(**origin, seed) < number);
    chunk.taken(&positions(stay.map(|(row, _)| row)))
}
