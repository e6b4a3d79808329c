//! A condition that rows must meet, or else they are rejected.

use super::cells;
use super::chunk::Chunk;
use super::operator::PlanError;
use crate::recipe::expression::{Program, Rejection};

/// A condition over a column.
#[derive(Clone, Debug)]
pub struct Guard {
    /// Is true for rows that may pass.
    pub condition: Program,
    /// The column that it is about, by position.
    pub column: usize,
    /// The column's number format.
    pub format: Option<String>,
    /// A stable word for what is wrong with the others.
    pub rule: &'static str,
    /// What the value of the others is not: "among the columns".
    pub wanted: &'static str,
}

impl Guard {
    /// What is wrong with rows that may not pass.
    pub fn failures(&self, chunk: &Chunk) -> Result<Vec<Rejection>, PlanError> {
        let outcome = self.condition.evaluate(chunk)?;
        let truths = outcome.truths()?;
        let mut failures = outcome.failures;
        let mut stops: Vec<bool> = truths.values().iter().map(|passes| !passes).collect();
        failures
            .iter()
            .for_each(|failure| stops[failure.position as usize] = false);
        if truths.true_count() == chunk.rows() {
            return Ok(failures);
        }
        let texts = cells::texts(&chunk.columns[self.column], self.format.as_deref())?;
        for (row, text) in texts.iter().enumerate() {
            if !stops[row] {
                continue;
            }
            let position = u32::try_from(row).map_err(|_error| PlanError::Internal("a chunk has too many rows"))?;
            let value = text.unwrap_or_default();
            let message = match value {
                "" => format!("a blank is not {}", self.wanted),
                value => format!("`{value}` is not {}", self.wanted),
            };
            failures.push(Rejection {
                position,
                column: Some(self.column),
                value: value.to_owned(),
                rule: self.rule,
                message,
            });
        }
        Ok(failures)
    }

    /// Which columns are needed when these are.
    #[must_use]
    pub fn needs(&self, wanted: &[bool]) -> Vec<bool> {
        self.condition.needs(wanted)
    }
}
