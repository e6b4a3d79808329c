//! `running_total`: add up a column down the rows.

use serde_json::{Value as Json, json};

use super::number_rows::{BY, COLUMN, per, source, with_column};
use super::{Definition, OptionForm, OptionKind, find_all};
use crate::recipe::columns::Column;
use crate::recipe::document::{Node, Reading};
use crate::recipe::plan::operator::Operator;
use crate::recipe::plan::running::{Running, RunningPlan};
use crate::recipe::problem::Problem;
use crate::tables::ColumnKind;

/// Fills a column with the total of another one down to each row, in the order of the rows. A blank adds nothing. Each total is
/// exact and rounded once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningTotal {
    /// The column that is filled.
    pub column: String,
    /// The column that is totalled.
    pub of: String,
    /// The columns that make a group; none: all rows are one.
    pub by: Vec<String>,
}

const KINDS: &[ColumnKind] = &[ColumnKind::Integer, ColumnKind::Decimal];

impl RunningTotal {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "running_total",
        title: "Running total",
        about: "Fills a column with the total of another one down to each row, over all rows or anew in each group.",
        options: &[
            COLUMN,
            OptionForm {
                name: "of",
                title: "Of",
                kind: OptionKind::Column,
                required: true,
                default: None,
                about: "The column to add up; a blank adds nothing.",
            },
            BY,
        ],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`running_total`")?;
        let column = options.required_text(reading, "column");
        let of = options.required_text(reading, "of");
        let by = options.optional_texts(reading, "by").unwrap_or_default();
        options.finish(reading, &["column", "of", "by"]);
        Some(Self {
            column: column?,
            of: of?,
            by,
        })
    }

    pub(super) fn to_json(&self) -> Json {
        json!({ "column": self.column, "of": self.of, "by": self.by })
    }

    pub(super) fn label(&self) -> String {
        format!(
            "Fill {} with the running total of {}{}",
            self.column,
            self.of,
            per(&self.by)
        )
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        source(columns, &self.of, KINDS, "numbers")?;
        find_all(columns, &self.by, "by")?;
        Ok(with_column(columns, &self.column, ColumnKind::Decimal)?.0)
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        let of = source(columns, &self.of, KINDS, "numbers")?;
        Ok(Operator::ordered(RunningPlan {
            running: Running::Total(of),
            by: find_all(columns, &self.by, "by")?,
            target: with_column(columns, &self.column, ColumnKind::Decimal)?.1,
            before: columns.to_vec(),
        }))
    }
}
