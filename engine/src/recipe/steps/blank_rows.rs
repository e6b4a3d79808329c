//! `blank_rows`: remove rows that show nothing.

use arrow::array::BooleanArray;
use serde_json::{Value as Json, json};

use super::trim::read_columns_or_all;
use super::{Definition, OptionForm, OptionKind, enumerated, find_all};
use crate::recipe::columns::Column;
use crate::recipe::document::{Node, Reading};
use crate::recipe::plan::blanks;
use crate::recipe::plan::chunk::Chunk;
use crate::recipe::plan::operator::{Applied, ChunkStep, Operator, PlanError};
use crate::recipe::problem::Problem;

/// Removes rows whose cells, or those of the chosen columns, are all blank: nothing in them, or blanks only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlankRows {
    /// The columns that count; `None`: all of them.
    pub columns: Option<Vec<String>>,
}

impl BlankRows {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "blank_rows",
        title: "Remove blank rows",
        about: "Removes rows in which all cells, or those of the chosen columns, are blank.",
        options: &[OptionForm {
            name: "columns",
            title: "Columns",
            kind: OptionKind::ColumnsOrAll,
            required: false,
            default: Some("\"all\""),
            about: "A row goes when its cells in all of these are blank.",
        }],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`blank_rows`")?;
        let columns = read_columns_or_all(&mut options, reading, "columns");
        options.finish(reading, &["columns"]);
        if columns.as_ref().is_some_and(Vec::is_empty) {
            let message = "`columns` of `blank_rows` is an empty list: name columns, or leave it out to look at all.";
            reading.problem(node.place, &format!("{path}.columns"), message);
            return None;
        }
        Some(Self { columns })
    }

    pub(super) fn to_json(&self) -> Json {
        json!({ "columns": self.columns.as_ref().map_or_else(|| json!("all"), |columns| json!(columns)) })
    }

    pub(super) fn label(&self) -> String {
        match &self.columns {
            None => "Remove blank rows".into(),
            Some(columns) => format!("Remove rows that are blank in {}", enumerated(columns)),
        }
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        self.positions(columns)?;
        Ok(columns.to_vec())
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        let why = match &self.columns {
            None => "all its cells are blank".into(),
            Some(columns) => format!("it is blank in {}", enumerated(columns)),
        };
        Ok(Operator::step(BlankRowsStep {
            positions: self.positions(columns)?,
            why,
        }))
    }

    fn positions(&self, columns: &[Column]) -> Result<Vec<usize>, Vec<Problem>> {
        match &self.columns {
            None => Ok((0..columns.len()).collect()),
            Some(names) => find_all(columns, names, "columns"),
        }
    }
}

#[derive(Debug)]
struct BlankRowsStep {
    positions: Vec<usize>,
    why: String,
}

impl ChunkStep for BlankRowsStep {
    fn apply(&self, chunk: &Chunk) -> Result<Applied, PlanError> {
        let mut blank = BooleanArray::from(vec![true; chunk.rows()]);
        for position in &self.positions {
            if blank.true_count() > 0 {
                blank = arrow::compute::and(&blank, &blanks::blank(&chunk.columns[*position])?)?;
            }
        }
        let mut applied = Applied::same_columns(chunk.columns.clone());
        applied.filtered = Some(blank);
        Ok(applied)
    }

    fn why_filtered(&self) -> &str {
        &self.why
    }

    fn needs(&self, wanted: &[bool], before: usize) -> Vec<bool> {
        let mut needed = wanted.to_vec();
        needed.resize(before, true);
        self.positions.iter().for_each(|position| needed[*position] = true);
        needed
    }
}
