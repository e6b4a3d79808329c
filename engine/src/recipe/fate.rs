//! What becomes of rows that a step takes out.

use std::collections::HashSet;

use arrow::array::BooleanArray;

use super::plan::chunk::Chunk;
use super::plan::operator::PlanError;

/// How rows are taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// By a rule that they break.
    Rejected,
    /// By a filter.
    Filtered,
    /// As duplicates.
    Deduplicated,
}

impl Fate {
    /// The word of messages.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Filtered => "filtered",
            Self::Deduplicated => "deduplicated",
        }
    }
}

/// Rows that a step took out, for previews.
#[derive(Clone, Debug)]
pub struct TakenOut {
    /// The step's position from 1.
    pub step: usize,
    /// How.
    pub fate: Fate,
    /// Why, in words: one for all rows, or one for each.
    pub why: Vec<String>,
    /// The rows as the step met them.
    pub rows: Chunk,
}

impl TakenOut {
    /// Why a row was taken out.
    #[must_use]
    pub fn why(&self, row: usize) -> &str {
        self.why.get(row).or(self.why.first()).map_or("", String::as_str)
    }

    /// Those of the rows that have one of these numbers in the sheet.
    pub fn of_rows(mut self, numbers: &HashSet<u32>) -> Result<Self, PlanError> {
        let chosen: Vec<bool> = self
            .rows
            .sources
            .values()
            .iter()
            .map(|row| numbers.contains(row))
            .collect();
        if self.why.len() == chosen.len() {
            let mut chosen = chosen.iter();
            self.why.retain(|_| chosen.next().copied().unwrap_or_default());
        }
        self.rows = self.rows.filtered(&BooleanArray::from(chosen))?;
        Ok(self)
    }
}
