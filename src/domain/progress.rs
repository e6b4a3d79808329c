//! How far a running task has come: what a page shows and a poll answers.

use serde::{Deserialize, Serialize};

/// What a task does now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Inputs come from storage.
    #[default]
    Loading,
    /// Rows are read or transformed.
    Processing,
    /// Results are written.
    Writing,
    /// Results go to storage.
    Uploading,
}

/// One report of progress; later reports never go below earlier ones within a stage of a sheet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// What happens now.
    pub stage: Stage,
    /// The sheet it happens to.
    pub sheet: Option<String>,
    /// That sheet's position, from 1.
    pub sheet_number: u32,
    /// How many sheets there are.
    pub sheets: u32,
    /// Rows done in this stage of this sheet.
    pub rows: u64,
    /// Rows of all sheets that were read or transformed so far; later reports never go below earlier ones.
    #[serde(default)]
    pub rows_read: u64,
    /// Rows in all, where that is known.
    pub rows_total: Option<u64>,
    /// Bytes of the input consumed in this stage.
    pub bytes: u64,
    /// Bytes of the input in all, where known.
    pub bytes_total: Option<u64>,
    /// Rows a second over the last moments.
    pub rows_per_second: u64,
}

impl Progress {
    /// The share done of this stage, between 0 and 1, where it can be told.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a share is shown as a whole per cent")]
    pub fn share(&self) -> Option<f64> {
        let of = |done: u64, total: Option<u64>| {
            total
                .filter(|total| *total > 0)
                .map(|total| (done as f64 / total as f64).min(1.0))
        };
        of(self.rows, self.rows_total).or_else(|| of(self.bytes, self.bytes_total))
    }
}
