//! What is told of where rows of a result come from.

use serde::{Deserialize, Serialize};

use crate::order::{AnswerCell, AnswerColumn, AnswerRow, ProcessOrder};

/// Give rows of a result.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ResultsOrder {
    /// The order that made the result; its `out` is not used.
    pub made_by: ProcessOrder,
    /// The sheet whose rows are wanted; the first one where there is none.
    pub sheet: Option<String>,
    /// The first row wanted, from 0.
    pub offset: u64,
    /// At most so many rows; fewer where the answer would be very large.
    pub limit: usize,
}

/// Tell where a row of a result comes from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TraceOrder {
    /// The order that made the result; its `out` is not used.
    pub made_by: ProcessOrder,
    /// The sheet of whose rows it was made; the first one where there is none.
    pub sheet: Option<String>,
    /// Where the result is split by a column: the value of the part in which the row is counted; all parts where there is none.
    pub part: Option<String>,
    /// The row, from 1 for the first below the header.
    pub row: u64,
    /// Of several rows that it was made of, the one to follow, as the sheet numbers it; the first one where there is none.
    pub follow: Option<u32>,
}

/// Rows of a result.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ResultsAnswer {
    /// The sheets of which there are rows, in order.
    pub sheets: Vec<String>,
    /// The one whose rows these are.
    pub sheet: String,
    /// The columns: the first 500.
    pub columns: Vec<AnswerColumn>,
    /// The rows.
    pub rows: Vec<ResultRow>,
    /// Whether more rows follow.
    pub more: bool,
}

/// A row of a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResultRow {
    /// Its number among all rows of the sheet, from 1.
    pub number: u64,
    /// Its place where the result is split by a column.
    pub part: Option<PartRow>,
    /// Its cells, and the row that it comes from.
    pub row: AnswerRow,
}

/// A row of a part of a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRow {
    /// The value by which the result is split; empty for blanks.
    pub name: String,
    /// The row in that part, from 1.
    pub row: u64,
}

/// Where a row of a result comes from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TraceAnswer {
    /// The file's name.
    pub file: String,
    /// The sheet of whose rows it was made.
    pub sheet: String,
    /// Its number among all rows of that sheet's result, from 1.
    pub row: u64,
    /// Its place where the result is split by a column.
    pub part: Option<PartRow>,
    /// Its cells: the first 500.
    pub cells: Vec<TracedCell>,
    /// The columns of the sheet, of which `sources` have the cells: the first 50.
    pub columns: Vec<AnswerColumn>,
    /// The rows that it was made of, in order: the first 100.
    pub sources: Vec<TracedSource>,
    /// Whether there are more of those.
    pub more_sources: bool,
    /// The row that the steps are told of, where it is one of the sheet's.
    pub followed: Option<u32>,
    /// The steps in order.
    pub steps: Vec<TracedStep>,
    /// What cannot be told, in sentences.
    pub limits: Vec<String>,
}

/// A cell of a row of a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TracedCell {
    /// The column's name.
    pub column: String,
    /// What is in it.
    pub cell: AnswerCell,
    /// The cell of the sheet that it goes back to, such as `F1204`, where there is a single one.
    pub address: Option<String>,
    /// Whether that has the same value.
    pub unchanged: bool,
}

/// A row that a row of a result was made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TracedSource {
    /// What the recipe calls the other table that it is of; nothing where it is of the file itself.
    pub table: Option<String>,
    /// The sheet.
    pub sheet: String,
    /// Its position in the workbook, from 0.
    pub sheet_position: u32,
    /// The row as Excel numbers it; 0 where that is not known.
    pub row: u32,
    /// Where it stands among the data rows, from 0.
    pub position: u64,
    /// Its cells as they were read; none of another table.
    pub cells: Vec<AnswerCell>,
}

/// What a step did to the row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TracedStep {
    /// Its position in the recipe, from 1.
    pub number: usize,
    /// What it does, in one plain sentence.
    pub label: String,
    /// Whether the row is followed here: behind a query it is not known what it was, and a row of another table was not there.
    pub told: bool,
    /// What happened to it besides changed cells, in sentences.
    pub notes: Vec<String>,
    /// Cells that it changed or added: the first 100.
    pub changes: Vec<TracedChange>,
    /// How many more there are.
    pub more_changes: usize,
}

impl TracedStep {
    /// Whether it did anything to the row.
    #[must_use]
    pub fn touched(&self) -> bool {
        !self.notes.is_empty() || !self.changes.is_empty()
    }
}

/// A cell that a step changed or added.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TracedChange {
    /// The column, by its name behind the step.
    pub column: String,
    /// What was in it; nothing where the column is new.
    pub before: Option<AnswerCell>,
    /// What is in it now.
    pub after: AnswerCell,
}
