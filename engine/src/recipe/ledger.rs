//! The account of every row, per step: in + added = kept + rejected + filtered + deduplicated + aggregated.

use serde::{Deserialize, Serialize};

/// One step's account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerStep {
    /// The step's position from 1; 0 is the reading.
    pub step: usize,
    /// The sheet.
    pub sheet: String,
    /// In one plain sentence.
    pub label: String,
    /// Rows that came in.
    pub rows_in: u64,
    /// Rows the step made.
    pub added: u64,
    /// Rows that went on.
    pub kept: u64,
    /// Rows taken out by a rule.
    pub rejected: u64,
    /// Rows taken out by a filter.
    pub filtered: u64,
    /// Rows taken out as duplicates.
    pub deduplicated: u64,
    /// Rows that went into groups.
    pub aggregated: u64,
    /// Origin hashes of the rows that came in, summed modulo 2^64, in hex.
    pub hash_in: String,
    /// The same over all fates.
    pub hash_out: String,
}

impl LedgerStep {
    /// Whether each row is accounted for.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.rows_in + self.added == self.kept + self.rejected + self.filtered + self.deduplicated + self.aggregated
            && self.hash_in == self.hash_out
    }
}
