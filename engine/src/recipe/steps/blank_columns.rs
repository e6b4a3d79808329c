//! `blank_columns`: remove columns in which there is nothing.

use serde_json::{Value as Json, json};

use super::trim::read_columns_or_all;
use super::{Definition, OptionForm, OptionKind, enumerated, find_all};
use crate::recipe::columns::Column;
use crate::recipe::document::{Node, Reading};
use crate::recipe::plan::chunk::Chunk;
use crate::recipe::plan::operator::{Applied, ChunkStep, Operator, PlanError};
use crate::recipe::problem::Problem;
use crate::tables::ColumnKind;

/// Removes columns in which the sheet has nothing at all. What columns hold is known from reading the sheet; a column that
/// earlier steps have emptied stays, since the columns must be known before the rows are gone through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlankColumns {
    /// The columns that may go; `None`: all of them.
    pub columns: Option<Vec<String>>,
}

impl BlankColumns {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "blank_columns",
        title: "Remove blank columns",
        about: "Removes columns in which the sheet has nothing below the header.",
        options: &[OptionForm {
            name: "columns",
            title: "Columns",
            kind: OptionKind::ColumnsOrAll,
            required: false,
            default: Some("\"all\""),
            about: "The columns that go when they are blank; others stay.",
        }],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`blank_columns`")?;
        let columns = read_columns_or_all(&mut options, reading, "columns");
        options.finish(reading, &["columns"]);
        Some(Self { columns })
    }

    pub(super) fn to_json(&self) -> Json {
        json!({ "columns": self.columns.as_ref().map_or_else(|| json!("all"), |columns| json!(columns)) })
    }

    pub(super) fn label(&self) -> String {
        match &self.columns {
            None => "Remove blank columns".into(),
            Some(columns) => format!("Remove {} where blank", enumerated(columns)),
        }
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        let stay = self.staying(columns)?;
        Ok(stay.into_iter().map(|position| columns[position].clone()).collect())
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        Ok(Operator::step(BlankColumnsStep {
            positions: self.staying(columns)?,
        }))
    }

    /// The positions of the columns that stay; a table keeps at least one.
    fn staying(&self, columns: &[Column]) -> Result<Vec<usize>, Vec<Problem>> {
        let chosen = match &self.columns {
            None => (0..columns.len()).collect(),
            Some(names) => find_all(columns, names, "columns")?,
        };
        let goes = |position: &usize| columns[*position].kind == ColumnKind::Blank && chosen.contains(position);
        let stay: Vec<usize> = (0..columns.len()).filter(|position| !goes(position)).collect();
        if stay.is_empty() {
            return Err(vec![Problem::at("", "All columns are blank; at least one must stay.")]);
        }
        Ok(stay)
    }
}

#[derive(Debug)]
struct BlankColumnsStep {
    positions: Vec<usize>,
}

impl ChunkStep for BlankColumnsStep {
    fn apply(&self, chunk: &Chunk) -> Result<Applied, PlanError> {
        let column = |position: &usize| chunk.columns[*position].clone();
        let sources = self.positions.iter().copied().map(Some).collect();
        Ok(Applied::with_sources(
            self.positions.iter().map(column).collect(),
            sources,
        ))
    }

    fn lineage(&self, _before: usize, _after: usize) -> Vec<Option<usize>> {
        self.positions.iter().copied().map(Some).collect()
    }

    fn needs(&self, wanted: &[bool], before: usize) -> Vec<bool> {
        let mut needed = vec![false; before];
        for (position, wanted) in self.positions.iter().zip(wanted) {
            needed[*position] = *wanted;
        }
        needed
    }
}
