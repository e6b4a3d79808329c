//! What becomes of rows that a step takes out.

use super::plan::chunk::Chunk;

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
}
