//! `filter`: keep or drop rows by a condition.

use serde_json::{Value as Json, json};

use super::{Definition, OptionForm, OptionKind};
use crate::recipe::columns::Column;
use crate::recipe::document::{Node, Reading};
use crate::recipe::expression::{self, Program};
use crate::recipe::plan::chunk::Chunk;
use crate::recipe::plan::operator::{Applied, ChunkStep, Operator, PlanError};
use crate::recipe::problem::Problem;

/// Keeps the rows for which a condition is true, or drops them. A row for which the condition cannot be worked out (a
/// division by zero, a text that is no number) is rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// What happens to rows for which the condition is true.
    pub rule: FilterRule,
    /// The condition.
    pub condition: String,
}

/// What happens to rows for which a condition is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterRule {
    /// They stay, and the others go.
    Keep,
    /// They go, and the others stay.
    Drop,
}

impl FilterRule {
    fn word(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Drop => "drop",
        }
    }
}

impl Filter {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "filter",
        title: "Filter rows",
        about: "Keeps the rows for which a condition is true, or drops them.",
        options: &[
            OptionForm {
                name: "keep",
                title: "Keep rows where",
                kind: OptionKind::Condition,
                required: false,
                default: None,
                about: "A condition such as quantity > 0. Either this or `drop`.",
            },
            OptionForm {
                name: "drop",
                title: "Drop rows where",
                kind: OptionKind::Condition,
                required: false,
                default: None,
                about: "A condition such as status = 'cancelled'. Either this or `keep`.",
            },
        ],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`filter`")?;
        let keep = options.optional_text(reading, "keep");
        let drop = options.optional_text(reading, "drop");
        let before = reading.problems.len();
        options.finish(reading, &["keep", "drop"]);
        match (keep, drop) {
            (Some(condition), None) => Some(Self {
                rule: FilterRule::Keep,
                condition,
            }),
            (None, Some(condition)) => Some(Self {
                rule: FilterRule::Drop,
                condition,
            }),
            (Some(_), Some(_)) => {
                reading.problem(node.place, path, "`filter` has both `keep` and `drop`; use two steps.");
                None
            }
            (None, None) => {
                if reading.problems.len() == before {
                    let message = "`filter` needs a condition: `keep: \"quantity > 0\"`, or `drop:` with one.";
                    reading.problem(node.place, path, message);
                }
                None
            }
        }
    }

    pub(super) fn to_json(&self) -> Json {
        json!({ self.rule.word(): self.condition })
    }

    pub(super) fn label(&self) -> String {
        match self.rule {
            FilterRule::Keep => format!("Keep rows where {}", self.condition),
            FilterRule::Drop => format!("Drop rows where {}", self.condition),
        }
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        self.program(columns)?;
        Ok(columns.to_vec())
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        let why = match self.rule {
            FilterRule::Keep => format!("{} is not true", self.condition),
            FilterRule::Drop => format!("{} is true", self.condition),
        };
        Ok(Operator::step(FilterStep {
            rule: self.rule,
            program: self.program(columns)?,
            why,
        }))
    }

    fn program(&self, columns: &[Column]) -> Result<Program, Vec<Problem>> {
        expression::condition(&self.condition, columns)
            .map_err(|fault| vec![Problem::at(self.rule.word(), fault.message).with_span(fault.span)])
    }
}

#[derive(Debug)]
struct FilterStep {
    rule: FilterRule,
    program: Program,
    why: String,
}

impl ChunkStep for FilterStep {
    fn apply(&self, chunk: &Chunk) -> Result<Applied, PlanError> {
        let outcome = self.program.evaluate(chunk)?;
        let truths = outcome.truths()?;
        let mut applied = Applied::same_columns(chunk.columns.clone());
        applied.filtered = Some(match self.rule {
            FilterRule::Keep => arrow::compute::not(&truths)?,
            FilterRule::Drop => truths,
        });
        applied.rejections = outcome.failures;
        Ok(applied)
    }

    fn why_filtered(&self) -> &str {
        &self.why
    }

    fn needs(&self, wanted: &[bool], _before: usize) -> Vec<bool> {
        self.program.needs(wanted)
    }
}
