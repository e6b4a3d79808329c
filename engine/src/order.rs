//! One work order on files, and what is told while it runs. The same orders serve workers, previews and the terminal.
//!
//! Orders and messages are JSON lines: an [`Order`] on the child's stdin, [`Message`]s on its stdout. Whoever reads the
//! messages trusts no path in them: paths of made files are plain names below the order's `out` folder.

mod again;
mod cells;
mod execute;
mod findings;
#[cfg(test)]
mod findings_tests;
mod ingest;
#[cfg(test)]
mod mapping_tests;
#[cfg(test)]
mod output_tests;
mod peek;
mod preview;
mod process;
#[cfg(test)]
mod recipe_tests;
mod results;
#[cfg(test)]
mod round_trip_tests;
mod rows;
#[cfg(test)]
mod tests;
mod trace;
mod warmth;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::recipe::document::Recipe;
use crate::recipe::ledger::LedgerStep;
use crate::recipe::mapping::{Choices, SheetColumns};
use crate::recipe::problem::Problem;
pub use crate::sheets::CellKind;
pub use execute::{execute, execute_warm};
pub use trace::{
    PartRow, ResultRow, ResultsAnswer, ResultsOrder, TraceAnswer, TraceOrder, TracedCell, TracedChange, TracedSource,
    TracedStep,
};
pub use warmth::Warmth;

use crate::sheets::sniff::Format;
use crate::sheets::{IngestOptions, Limits, TextDialect};
use crate::tables::{Issue, TableMeta};

/// What is asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum Order {
    /// Read a workbook into tables, or unpack an archive of some: `out/{sheet position}/{part}.parquet` and `out/{sheet position}/table.json`.
    Ingest(IngestOrder),
    /// Apply a recipe to the tables of one file and write the outputs.
    Process(ProcessOrder),
    /// Show what a recipe makes of real rows.
    Preview(PreviewOrder),
    /// Give rows of a result.
    Results(ResultsOrder),
    /// Tell where a row of a result comes from.
    Trace(TraceOrder),
    /// Give rows of a table as JSON, for the grid.
    Rows(RowsOrder),
    /// Print every filled cell, in the form of `sheetmill cells`.
    Cells(CellsOrder),
    /// Show the first rows of a workbook's sheet as it would be read.
    Peek(PeekOrder),
}

/// Read one workbook.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IngestOrder {
    /// The workbook.
    pub input: PathBuf,
    /// Its name for people; never opened.
    pub name: String,
    /// How to read it.
    pub options: IngestOptions,
    /// What is too much.
    pub limits: Limits,
    /// Where the tables go.
    pub out: PathBuf,
}

/// One ingested sheet as files.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TableFiles {
    /// The folder that holds `table.json` and the parts it names.
    pub folder: PathBuf,
}

/// Apply a recipe.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProcessOrder {
    /// The file's name for people: outputs are named after it, rejects mention it.
    pub name: String,
    /// All tables of the file, in sheet order; the recipe's `input.sheets` chooses.
    pub tables: Vec<TableFiles>,
    /// What to do.
    pub recipe: Recipe,
    /// Other tables by the name the recipe calls them.
    pub references: BTreeMap<String, TableFiles>,
    /// What people have said about the columns that the recipe expects.
    #[serde(default)]
    pub mapping: Choices,
    /// Where outputs go.
    pub out: PathBuf,
    /// Where spilled data goes; emptied by whoever gave the order.
    pub scratch: PathBuf,
    /// Bytes that the plan may hold before it spills.
    pub memory: u64,
    /// Threads; never changes the result.
    pub jobs: usize,
}

/// Show rows after a step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PreviewOrder {
    /// The table as ingested.
    pub table: TableFiles,
    /// What to do.
    pub recipe: Recipe,
    /// How many steps to apply, from the first.
    pub steps: usize,
    /// Other tables by the name the recipe calls them.
    #[serde(default)]
    pub references: BTreeMap<String, TableFiles>,
    /// What people have said about the columns that the recipe expects.
    #[serde(default)]
    pub mapping: Choices,
    /// At most so many rows.
    pub rows: usize,
    /// `false`: only what the first rows need, at once; `true`: all rows are counted too.
    pub count_all: bool,
    /// Which rows are shown.
    #[serde(default)]
    pub show: PreviewRows,
    /// Where spilled data goes.
    pub scratch: PathBuf,
    /// Bytes that the plan may hold before it spills.
    pub memory: u64,
}

/// Which rows a preview shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PreviewRows {
    /// The first ones, in the order that the steps give them.
    #[default]
    First,
    /// Any of the table, the same ones for the same seed.
    Random {
        /// The seed.
        seed: u64,
    },
    /// The first ones that something is wrong with: they are rejected, or would be, or warned of.
    Wrong,
    /// Of these, the ones that break one rule; all rows are counted then.
    Breaking(BrokenRule),
}

/// A rule that rows break.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BrokenRule {
    /// The step's position from 1.
    pub step: usize,
    /// The column at that step, where it is one column's rule.
    pub column: Option<String>,
    /// A stable word.
    pub rule: String,
    /// Whether the row is rejected, or only listed.
    pub severity: String,
    /// In words, where the rule is about the row as a whole.
    pub condition: Option<String>,
}

/// A window of an ingested table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RowsOrder {
    /// The table.
    pub table: TableFiles,
    /// The first row wanted, from 0.
    pub offset: u64,
    /// At most so many rows; fewer where the answer would be very large.
    pub limit: usize,
    /// At most so many columns, from the first.
    pub columns: usize,
}

/// Print cells.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CellsOrder {
    /// The workbook.
    pub input: PathBuf,
    /// Its name for people.
    pub name: String,
    /// Only this sheet.
    pub sheet: Option<String>,
    /// What is too much.
    pub limits: Limits,
    /// The JSON lines go here.
    pub out: PathBuf,
}

/// Show how a sheet would be read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PeekOrder {
    /// The workbook.
    pub input: PathBuf,
    /// Its name for people.
    pub name: String,
    /// How it would be read.
    pub options: IngestOptions,
    /// What is too much.
    pub limits: Limits,
    /// The sheet's position, from 0; the first one where there is none.
    pub position: u32,
    /// At most so many rows.
    pub rows: usize,
}

/// What the child does now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Rows are read or transformed.
    Processing,
    /// Results are written.
    Writing,
}

/// What is told while an order runs, one JSON object a line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum Message {
    /// How far it has come; at most a few a second.
    Progress {
        /// What happens now.
        stage: Stage,
        /// The sheet it happens to.
        sheet: Option<String>,
        /// That sheet's position, from 1.
        sheet_number: u32,
        /// How many sheets there are.
        sheets: u32,
        /// Rows done in this stage of this sheet.
        rows: u64,
        /// Rows in all, where that is known.
        rows_total: Option<u64>,
        /// Bytes of the sheet's part consumed.
        bytes: u64,
        /// Its bytes in all, where known.
        bytes_total: Option<u64>,
    },
    /// A file below `out` is complete and may be stored.
    Part {
        /// Its path below `out`: `{sheet position}/{part}.parquet`.
        path: String,
    },
    /// A table is complete; its `table.json` is written.
    Table {
        /// Its folder below `out`.
        folder: String,
        /// What `table.json` holds, without the columns' profiles.
        summary: TableSummary,
    },
    /// A member of an archive is unpacked, or not taken.
    Member(Member),
    /// An output of a recipe is complete.
    Output(Output),
    /// Rows for the grid.
    Rows(Box<RowsAnswer>),
    /// What a recipe makes of real rows.
    Preview(Box<PreviewAnswer>),
    /// Rows of a result.
    Results(Box<ResultsAnswer>),
    /// Where a row of a result comes from.
    Trace(Box<TraceAnswer>),
    /// How a sheet would be read.
    Peek(Box<PeekAnswer>),
    /// The input is at fault. Nothing follows for this order.
    Refused {
        /// A stable word, see [`crate::sheets::Refusal`].
        code: String,
        /// One sentence with the file's name and what to do.
        sentence: String,
    },
    /// What was done so far in numbers, before a `Failed` whose outputs are of use: rejected rows that the recipe wants to
    /// fail on are listed all the same.
    Account(Report),
    /// The recipe failed on this data, or a fault of ours. Nothing follows for this order.
    Failed {
        /// A stable word.
        code: String,
        /// One sentence for people.
        sentence: String,
        /// The cause, for the log only.
        detail: String,
        /// Whether the input or recipe is at fault (no retry) rather than us.
        input_at_fault: bool,
    },
    /// All done. Nothing follows for this order.
    Done(Report),
}

/// A table in short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableSummary {
    /// Position in the workbook, from 0.
    pub position: u32,
    /// The sheet's name.
    pub sheet: String,
    /// `visible`, `hidden` or `very_hidden`.
    pub visibility: crate::sheets::Visibility,
    /// Data rows.
    pub rows: u64,
    /// Columns.
    pub columns: u32,
}

/// A member of an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its file below `out`, where it is taken: `members/{position}`.
    pub path: String,
    /// Its name as the archive has it.
    pub name: String,
    /// Its bytes.
    pub bytes: u64,
    /// What it is; nothing where it is not taken.
    pub format: Option<Format>,
    /// Why it is not taken: a stable word and a sentence.
    pub refused: Option<(String, String)>,
}

/// A file that a recipe made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// A plain file name below `out`.
    pub path: String,
    /// The name for people.
    pub name: String,
    /// What it is.
    pub role: OutputRole,
    /// Data rows in it.
    pub rows: u64,
}

/// What an output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputRole {
    /// The kept rows.
    Result,
    /// The rejected rows with their reasons.
    Rejects,
    /// The sheets as they were read, with notes on what is wrong.
    Annotated,
}

/// Rows of a table or of a preview, ready to be shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RowsAnswer {
    /// The columns, in order.
    pub columns: Vec<AnswerColumn>,
    /// The rows.
    pub rows: Vec<AnswerRow>,
    /// Rows in all where counted: for a preview, rows kept after the chosen step.
    pub total: Option<u64>,
    /// The ledger over all rows, where counted.
    pub ledger: Vec<LedgerStep>,
    /// For rows with which something is wrong: so many of the table's first rows were searched; nothing: all, or enough of
    /// them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub searched: Option<u64>,
    /// The rules that rows break, in the order of steps, where counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleCount>,
}

/// How often a rule is broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleCount {
    /// The rule.
    #[serde(flatten)]
    pub of: BrokenRule,
    /// What was said of the first cell or row that breaks it.
    pub message: String,
    /// How many cells or rows break it.
    pub count: u64,
}

/// Something wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The step's position from 1.
    pub step: usize,
    /// The column at that step, where it is one column's fault.
    pub column: Option<String>,
    /// `error` or `warning`.
    pub severity: String,
    /// In words.
    pub message: String,
}

/// What a recipe makes of a table: the answer of a preview.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PreviewAnswer {
    /// The columns before each step, and after the last, as far as steps are right; nothing where a step changes none.
    pub before: Vec<Option<Vec<AnswerColumn>>>,
    /// What is wrong with the first step that does not fit the columns in front of it.
    pub problems: Vec<Problem>,
    /// The rows after the steps that were asked for; nothing where one of them is wrong.
    pub rows: Option<RowsAnswer>,
    /// The columns of the other tables.
    #[serde(default)]
    pub references: BTreeMap<String, Vec<AnswerColumn>>,
    /// What became of the columns that the recipe expects; nothing where it expects none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<SheetColumns>,
    /// The sheet's own headers, where the recipe expects columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<String>,
}

/// The first rows of a sheet as it would be read: its first 50 columns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PeekAnswer {
    /// The rows that hold the header, first and last.
    pub header: Option<(u32, u32)>,
    /// The columns as Excel calls them.
    pub letters: Vec<String>,
    /// What they would be called.
    pub columns: Vec<String>,
    /// Rows that hold something, with those above the header.
    pub rows: Vec<PeekRow>,
    /// How plain text would be read.
    pub text: Option<TextDialect>,
}

/// A row of a sheet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PeekRow {
    /// Its number.
    pub row: u32,
    /// Its cells as they show, from the first column up to the last filled one.
    pub cells: Vec<String>,
}

/// A column of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AnswerColumn {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: crate::tables::ColumnKind,
}

/// A row of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AnswerRow {
    /// The row number as Excel shows it; 0 where a row has no single source.
    pub row: u64,
    /// What became of it in a preview.
    pub fate: RowFate,
    /// The cells, in column order.
    pub cells: Vec<AnswerCell>,
    /// What is wrong with it, in a preview.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

/// What became of a row in a preview.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowFate {
    /// It goes on.
    #[default]
    Kept,
    /// A step took it out: the step's position from 1, and why, in words.
    Out {
        /// The step's position from 1.
        step: usize,
        /// `filtered`, `rejected` or `deduplicated`.
        how: String,
        /// In words.
        why: String,
    },
}

/// A cell as shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AnswerCell {
    /// As a person would see it in a spreadsheet, by its number format.
    pub text: String,
    /// How to align and tint it.
    pub kind: CellKind,
    /// Whether the previewed steps changed it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub changed: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What an order did, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Rows read.
    pub rows_in: u64,
    /// Rows in results.
    pub rows_out: u64,
    /// Rows rejected.
    pub rejected: u64,
    /// Rows that a step rejects and the recipe keeps; a row that two steps reject counts twice.
    #[serde(default)]
    pub flagged: u64,
    /// Warnings that are listed; a row may have several.
    #[serde(default)]
    pub warnings: u64,
    /// The ledger, one entry per step, after an entry for the reading.
    pub ledger: Vec<LedgerStep>,
    /// Sheets of xlsx workbooks that were read by the slower of two readers, since they hold something rare.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub streamed_sheets: u64,
    /// Seconds per stage, by name.
    pub seconds: BTreeMap<String, f64>,
    /// What could not be written as it was, and what was done instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issues: Vec<Issue>,
    /// Which columns of each sheet are those that the recipe expects; empty where it expects none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<SheetColumns>,
    /// The tables' metadata, for `inspect`; empty otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<TableMeta>,
}
