//! `select`: keep only some columns, in an order.

use serde_json::{Value as Json, json};

use super::{Definition, OptionForm, OptionKind, enumerated, find_all};
use crate::recipe::columns::Column;
use crate::recipe::document::{Node, Reading, Value};
use crate::recipe::plan::chunk::Chunk;
use crate::recipe::plan::operator::{Applied, ChunkStep, Operator, PlanError};
use crate::recipe::problem::Problem;

/// Keeps only these columns, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Select {
    /// The columns that stay.
    pub columns: Vec<String>,
}

impl Select {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "select",
        title: "Choose columns",
        about: "Keeps only the chosen columns, in the chosen order.",
        options: &[OptionForm {
            name: "columns",
            title: "Columns",
            kind: OptionKind::Columns,
            required: true,
            default: None,
            about: "The columns to keep, in the order they shall have.",
        }],
    };

    /// Reads `[a, b]` or `{columns: [a, b]}`.
    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let columns = read_list(node, path, reading, "`select`")?;
        if columns.is_empty() {
            reading.problem(node.place, path, "`select` names no column; at least one must stay.");
            return None;
        }
        Some(Self { columns })
    }

    pub(super) fn to_json(&self) -> Json {
        json!({ "columns": self.columns })
    }

    pub(super) fn label(&self) -> String {
        format!("Keep only the columns {}", enumerated(&self.columns))
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        let positions = find_all(columns, &self.columns, "columns")?;
        Ok(positions
            .into_iter()
            .map(|position| columns[position].clone())
            .collect())
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        Ok(Operator::step(SelectStep {
            positions: find_all(columns, &self.columns, "columns")?,
        }))
    }
}

/// A step that is a list of columns: `[a, b]` or `{columns: [a, b]}`.
pub(super) fn read_list(node: &Node, path: &str, reading: &mut Reading, subject: &str) -> Option<Vec<String>> {
    if !matches!(node.value, Value::Map(_)) && !node.is_null() {
        return reading.texts(node, path, subject);
    }
    let mut options = reading.map(node, path, subject)?;
    let columns = options.required_texts(reading, "columns");
    options.finish(reading, &["columns"]);
    columns
}

/// Puts columns at other places, or leaves some away: for each column after it, where it stood before.
#[derive(Debug)]
pub(super) struct SelectStep {
    /// The positions before the step.
    pub positions: Vec<usize>,
}

impl ChunkStep for SelectStep {
    fn apply(&self, chunk: &Chunk) -> Result<Applied, PlanError> {
        let columns = self
            .positions
            .iter()
            .map(|position| chunk.columns[*position].clone())
            .collect();
        Ok(Applied::with_sources(
            columns,
            self.positions.iter().copied().map(Some).collect(),
        ))
    }

    fn lineage(&self, _before: usize, _after: usize) -> Vec<Option<usize>> {
        self.positions.iter().copied().map(Some).collect()
    }

    fn needs(&self, wanted: &[bool], before: usize) -> Vec<bool> {
        let mut needed = vec![false; before];
        for (position, wanted) in self.positions.iter().zip(wanted) {
            needed[*position] |= *wanted;
        }
        needed
    }
}
