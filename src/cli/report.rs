//! `--report`: what a run did, for programs. Its fields are part of the terminal's contract.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use sha2::{Digest, Sha256};
use sheetmill_engine::order::OutputRole;
use sheetmill_engine::recipe::ledger::LedgerStep;
use sheetmill_engine::recipe::mapping::SheetColumns;
use sheetmill_engine::tables::Issue;

use super::Stop;

/// The report of a run.
#[derive(Debug, Default, Serialize)]
pub(super) struct RunReport {
    /// The engine's version: equal input, recipe and version give equal bytes.
    pub(super) engine: &'static str,
    /// The sha256 of what the recipe does.
    pub(super) recipe: String,
    /// A stable word for what went wrong first.
    pub(super) code: Option<String>,
    /// The sentence for it.
    pub(super) sentence: Option<String>,
    /// The inputs, in the order of the command.
    pub(super) inputs: Vec<InputReport>,
    /// The written files.
    pub(super) outputs: Vec<OutputReport>,
    /// The account of every row, per input and step.
    pub(super) ledger: Vec<LedgerEntry>,
    /// What is odd, per input and sheet.
    pub(super) issues: Vec<IssueReport>,
    /// Seconds per stage, over all inputs.
    pub(super) seconds: BTreeMap<String, f64>,
    /// The most memory that one child held, bytes.
    pub(super) peak_memory: u64,
}

/// An input.
#[derive(Debug, Default, Serialize)]
pub(super) struct InputReport {
    /// Its file name.
    pub(super) name: String,
    /// Its content's hash.
    pub(super) sha256: String,
    /// Data rows read.
    pub(super) rows: u64,
    /// Sheets of it that were read by the slower of two readers, since they hold something rare.
    pub(super) streamed_sheets: u64,
    /// Rows rejected.
    pub(super) rejected: u64,
    /// Rows that a rule rejects and the recipe keeps.
    pub(super) flagged: u64,
    /// Warnings that are listed.
    pub(super) warnings: u64,
    /// Which columns of each sheet are those that the recipe expects, and how that was found; empty where it expects none.
    pub(super) columns: Vec<SheetColumns>,
    /// A stable word for why there is no result.
    pub(super) code: Option<String>,
    /// The sentence for it.
    pub(super) sentence: Option<String>,
}

/// A written file.
#[derive(Debug, Serialize)]
pub(super) struct OutputReport {
    /// Where it is.
    pub(super) path: String,
    /// What it is.
    pub(super) role: OutputRole,
    /// Its hash.
    pub(super) sha256: String,
    /// Its data rows.
    pub(super) rows: u64,
}

/// A step's account.
#[derive(Debug, Serialize)]
pub(super) struct LedgerEntry {
    /// The input.
    pub(super) input: String,
    #[serde(flatten)]
    pub(super) step: LedgerStep,
}

/// Something odd.
#[derive(Debug, Serialize)]
pub(super) struct IssueReport {
    /// The input.
    pub(super) input: String,
    /// The sheet.
    pub(super) sheet: String,
    #[serde(flatten)]
    pub(super) issue: Issue,
}

impl RunReport {
    /// Writes it, whole or not at all.
    pub(super) fn write(&self, path: &Path) -> Result<(), Stop> {
        let mut text = serde_json::to_string_pretty(self).map_err(|cause| Stop::failed(cause.to_string()))?;
        text.push('\n');
        std::fs::write(path, text).map_err(Stop::io(path))
    }
}

/// The sha256 of a file, in hex; read in pieces.
pub(super) fn sha256(path: &Path) -> Result<String, Stop> {
    let mut file = std::fs::File::open(path).map_err(Stop::io(path))?;
    let mut digest = Sha256::new();
    let mut piece = vec![0; 1 << 18];
    loop {
        let count = std::io::Read::read(&mut file, &mut piece).map_err(Stop::io(path))?;
        if count == 0 {
            return Ok(hex::encode(digest.finalize()));
        }
        digest.update(&piece[..count]);
    }
}
