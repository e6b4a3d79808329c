//! `compute`: fill a column by a formula.

use serde_json::{Value as Json, json};

use super::{Definition, OptionForm, OptionKind};
use crate::recipe::columns::Column;
use crate::recipe::document::{Node, Reading};
use crate::recipe::expression::{self, Program};
use crate::recipe::plan::chunk::Chunk;
use crate::recipe::plan::operator::{Applied, ChunkStep, Operator, PlanError};
use crate::recipe::problem::Problem;

/// Fills a column by an expression: a new one at the end, or one that is there, in its place. A row whose value cannot
/// be worked out is rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compute {
    /// The column that is filled.
    pub column: String,
    /// The expression.
    pub expression: String,
}

impl Compute {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "compute",
        title: "Compute a column",
        about: "Fills a column by a formula over the other columns of the row.",
        options: &[
            OptionForm {
                name: "column",
                title: "Column",
                kind: OptionKind::NewColumn,
                required: true,
                default: None,
                about: "The name of the new column; a column that is there is replaced.",
            },
            OptionForm {
                name: "as",
                title: "Formula",
                kind: OptionKind::Expression,
                required: true,
                default: None,
                about: "A formula such as quantity * unit_price.",
            },
        ],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`compute`")?;
        let column = options.required_text(reading, "column");
        let expression = options.required_text(reading, "as");
        options.finish(reading, &["column", "as"]);
        Some(Self {
            column: column?,
            expression: expression?,
        })
    }

    pub(super) fn to_json(&self) -> Json {
        json!({ "column": self.column, "as": self.expression })
    }

    pub(super) fn label(&self) -> String {
        format!("Compute {} as {}", self.column, self.expression)
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        Ok(self.program(columns)?.1)
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        let (program, _) = self.program(columns)?;
        let target = columns.iter().position(|column| column.name == self.column);
        Ok(Operator::step(ComputeStep { program, target }))
    }

    fn program(&self, columns: &[Column]) -> Result<(Program, Vec<Column>), Vec<Problem>> {
        if self.column.trim().is_empty() {
            return Err(vec![Problem::at("column", "The column needs a name.")]);
        }
        let program = expression::value(&self.expression, columns)
            .map_err(|fault| vec![Problem::at("as", fault.message).with_span(fault.span)])?;
        let made = match program.bare_column() {
            Some(position) => Column {
                name: self.column.clone(),
                letters: None,
                ..columns[position].clone()
            },
            None => Column::made(&self.column, program.kind()),
        };
        let mut after = columns.to_vec();
        match after.iter_mut().find(|column| column.name == self.column) {
            Some(column) => {
                *column = Column {
                    letters: column.letters.clone(),
                    ..made
                }
            }
            None => after.push(made),
        }
        Ok((program, after))
    }
}

#[derive(Debug)]
struct ComputeStep {
    program: Program,
    target: Option<usize>,
}

impl ChunkStep for ComputeStep {
    fn apply(&self, chunk: &Chunk) -> Result<Applied, PlanError> {
        let outcome = self.program.evaluate(chunk)?;
        let mut columns = chunk.columns.clone();
        let mut applied = match self.target {
            Some(position) => {
                columns[position] = outcome.values;
                Applied::same_columns(columns)
            }
            None => {
                let sources = (0..columns.len()).map(Some).chain([None]).collect();
                columns.push(outcome.values);
                Applied::with_sources(columns, sources)
            }
        };
        applied.rejections = outcome.failures;
        Ok(applied)
    }

    fn needs(&self, wanted: &[bool], before: usize) -> Vec<bool> {
        let mut kept = wanted[..before].to_vec();
        if let Some(position) = self.target {
            kept[position] = false;
        }
        self.program.needs(&kept)
    }
}
