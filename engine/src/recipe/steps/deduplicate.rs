//! `deduplicate`: keep one of rows that are alike.

use serde_json::{Value as Json, json};

use super::trim::read_columns_or_all;
use super::{Definition, OptionForm, OptionKind, enumerated, find_all};
use crate::recipe::columns::Column;
use crate::recipe::document::{Node, Reading};
use crate::recipe::plan::deduplicate::DeduplicatePlan;
use crate::recipe::plan::operator::Operator;
use crate::recipe::problem::Problem;

/// Of rows that are alike in some columns, keeps the first or the last, in its place. Blanks are alike; the text `5`
/// and the number 5 are not; case counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deduplicate {
    /// The columns that are compared; `None`: all of them.
    pub by: Option<Vec<String>>,
    /// Which row stays.
    pub keep: Keep,
}

/// Which of rows that are alike stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// The first.
    #[default]
    First,
    /// The last.
    Last,
}

impl Keep {
    /// The choices by the words of the document.
    pub const WORDS: &[(&str, Self)] = &[("first", Self::First), ("last", Self::Last)];

    fn word(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Last => "last",
        }
    }
}

impl Deduplicate {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "deduplicate",
        title: "Remove duplicates",
        about: "Of rows that are alike in the chosen columns, keeps one.",
        options: &[
            OptionForm {
                name: "by",
                title: "Columns that make rows alike",
                kind: OptionKind::ColumnsOrAll,
                required: false,
                default: Some("\"all\""),
                about: "Rows are duplicates when they are equal in all of these.",
            },
            OptionForm {
                name: "keep",
                title: "Keep",
                kind: OptionKind::Choice(&["first", "last"]),
                required: false,
                default: Some("\"first\""),
                about: "Which of the rows stays.",
            },
        ],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`deduplicate`")?;
        let by = read_columns_or_all(&mut options, reading, "by");
        let keep = options
            .optional_choice(reading, "keep", Keep::WORDS)
            .unwrap_or_default();
        options.finish(reading, &["by", "keep"]);
        if by.as_ref().is_some_and(Vec::is_empty) {
            let message = "`by` of `deduplicate` is an empty list: name columns, or leave it out to compare all.";
            reading.problem(node.place, &format!("{path}.by"), message);
            return None;
        }
        Some(Self { by, keep })
    }

    pub(super) fn to_json(&self) -> Json {
        json!({
            "by": self.by.as_ref().map_or_else(|| json!("all"), |columns| json!(columns)),
            "keep": self.keep.word(),
        })
    }

    pub(super) fn label(&self) -> String {
        let alike = self
            .by
            .as_ref()
            .map_or_else(|| "all columns".into(), |columns| enumerated(columns));
        format!("Keep the {} of rows with equal {alike}", self.keep.word())
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        self.positions(columns)?;
        Ok(columns.to_vec())
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        let alike = self
            .by
            .as_ref()
            .map_or_else(|| "all columns".into(), |columns| enumerated(columns));
        let why = match self.keep {
            Keep::First => format!("an earlier row has the same {alike}"),
            Keep::Last => format!("a later row has the same {alike}"),
        };
        Ok(Operator::Deduplicate(DeduplicatePlan {
            by: self.positions(columns)?,
            keep: self.keep,
            why,
        }))
    }

    fn positions(&self, columns: &[Column]) -> Result<Vec<usize>, Vec<Problem>> {
        match &self.by {
            None => Ok((0..columns.len()).collect()),
            Some(names) => find_all(columns, names, "by"),
        }
    }
}
