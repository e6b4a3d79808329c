//! `drop`: remove columns.

use serde_json::{Value as Json, json};

use super::select::{SelectStep, read_list};
use super::{Definition, OptionForm, OptionKind, enumerated, find_all};
use crate::recipe::columns::Column;
use crate::recipe::document::{Node, Reading};
use crate::recipe::plan::operator::Operator;
use crate::recipe::problem::Problem;

/// Removes columns; the others stay in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drop {
    /// The columns that go.
    pub columns: Vec<String>,
}

impl Drop {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "drop",
        title: "Remove columns",
        about: "Removes the chosen columns; the others stay.",
        options: &[OptionForm {
            name: "columns",
            title: "Columns",
            kind: OptionKind::Columns,
            required: true,
            default: None,
            about: "The columns to remove.",
        }],
    };

    /// Reads `[a, b]` or `{columns: [a, b]}`.
    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let columns = read_list(node, path, reading, "`drop`")?;
        if columns.is_empty() {
            reading.problem(node.place, path, "`drop` names no column.");
            return None;
        }
        Some(Self { columns })
    }

    pub(super) fn to_json(&self) -> Json {
        json!({ "columns": self.columns })
    }

    pub(super) fn label(&self) -> String {
        let noun = if self.columns.len() == 1 { "column" } else { "columns" };
        format!("Remove the {noun} {}", enumerated(&self.columns))
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        let kept = self.kept(columns)?;
        Ok(kept.into_iter().map(|position| columns[position].clone()).collect())
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        let positions = self.kept(columns)?;
        Ok(Operator::step(SelectStep { positions }))
    }

    fn kept(&self, columns: &[Column]) -> Result<Vec<usize>, Vec<Problem>> {
        let gone = find_all(columns, &self.columns, "columns")?;
        if gone.len() == columns.len() {
            let message = "These are all columns that there are at this point; at least one must stay.";
            return Err(vec![Problem::at("columns", message)]);
        }
        Ok((0..columns.len()).filter(|position| !gone.contains(position)).collect())
    }
}
