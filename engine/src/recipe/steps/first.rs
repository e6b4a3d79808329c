//! `first`: keep the first rows.

use serde_json::{Value as Json, json};

use super::{Definition, OptionForm, OptionKind};
use crate::recipe::columns::Column;
use crate::recipe::document::{Node, Reading, Value};
use crate::recipe::plan::operator::Operator;
use crate::recipe::plan::portion::{PortionPlan, Which};
use crate::recipe::problem::Problem;

/// Keeps so many rows from the first on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct First {
    /// How many.
    pub rows: usize,
}

impl First {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "first",
        title: "Keep the first rows",
        about: "Keeps so many of the first rows and leaves out the others.",
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
        read_rows(node, path, reading, "`first`").map(|rows| Self { rows })
    }

    pub(super) fn to_json(&self) -> Json {
        json!({ "rows": self.rows })
    }

    pub(super) fn label(&self) -> String {
        match self.rows {
            1 => "Keep the first row".into(),
            rows => format!("Keep the first {rows} rows"),
        }
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        Ok(columns.to_vec())
    }

    pub(super) fn plan(&self, _columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        Ok(Operator::ordered(PortionPlan {
            which: Which::First,
            rows: self.rows,
            why: "it is not among the first rows".into(),
        }))
    }
}

/// Rows that can be asked for at most: more than a table has.
const MOST_ROWS: usize = 1_000_000_000;

/// A number of rows: alone, or as the option `rows`.
pub(super) fn read_rows(node: &Node, path: &str, reading: &mut Reading, subject: &str) -> Option<usize> {
    if matches!(node.value, Value::Scalar { .. }) && !node.is_null() {
        return reading.number(node, path, subject, 1..=MOST_ROWS);
    }
    let mut options = reading.map(node, path, subject)?;
    let list = options.require(reading, "rows");
    let rows =
        list.and_then(|node| reading.number(node, &options.path("rows"), &options.subject("rows"), 1..=MOST_ROWS));
    options.finish(reading, &["rows"]);
    rows
}
