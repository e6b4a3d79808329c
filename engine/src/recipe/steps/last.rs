//! `last`: keep the last rows.

use serde_json::{Value as Json, json};

use super::first::read_rows;
use super::{Definition, OptionForm, OptionKind};
use crate::recipe::columns::Column;
use crate::recipe::document::{Node, Reading};
use crate::recipe::plan::operator::Operator;
use crate::recipe::plan::portion::{PortionPlan, Which};
use crate::recipe::problem::Problem;

/// Keeps so many rows up to the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Last {
    /// How many.
    pub rows: usize,
}

impl Last {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "last",
        title: "Keep the last rows",
        about: "Keeps so many of the last rows and leaves out the others.",
        options: &[OptionForm {
            name: "rows",
            title: "Rows",
            kind: OptionKind::Number,
            required: true,
            default: None,
            about: "How many rows stay.",
        }],
    };

    /// Reads `10` or `{rows: 10}`.
    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        read_rows(node, path, reading, "`last`").map(|rows| Self { rows })
    }

    pub(super) fn to_json(&self) -> Json {
        json!({ "rows": self.rows })
    }

    pub(super) fn label(&self) -> String {
        match self.rows {
            1 => "Keep the last row".into(),
            rows => format!("Keep the last {rows} rows"),
        }
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        Ok(columns.to_vec())
    }

    pub(super) fn plan(&self, _columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        Ok(Operator::ordered(PortionPlan {
            which: Which::Last,
            rows: self.rows,
            why: "it is not among the last rows".into(),
        }))
    }
}
