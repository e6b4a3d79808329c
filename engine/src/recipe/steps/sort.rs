//! `sort`: put rows in order.

use serde_json::{Value as Json, json};

use super::{Definition, OptionForm, OptionKind};
use crate::recipe::columns::{Column, find};
use crate::recipe::document::{Node, Reading, Value};
use crate::recipe::plan::operator::Operator;
use crate::recipe::plan::sort::SortPlan;
use crate::recipe::problem::Problem;

/// Puts rows in order. Rows that are equal in all keys keep their order; blanks come last either way; texts are compared
/// character by character, capitals first; in a column of several kinds numbers come before texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    /// The keys, most important first.
    pub by: Vec<SortKey>,
}

/// One key of a sort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// The column.
    pub column: String,
    /// Which way.
    pub order: Direction,
}

/// Which way to sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    #[default]
    Ascending,
    /// Greatest first.
    Descending,
}

impl Direction {
    /// The directions by the words of the document.
    pub const WORDS: &[(&str, Self)] = &[("ascending", Self::Ascending), ("descending", Self::Descending)];
}

impl Sort {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "sort",
        title: "Sort rows",
        about: "Puts rows in order by one or more columns; equal rows keep their order, blanks come last.",
        options: &[OptionForm {
            name: "by",
            title: "Columns",
            kind: OptionKind::SortKeys,
            required: true,
            default: None,
            about: "The columns to sort by, the most important first.",
        }],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`sort`")?;
        let list = options.require(reading, "by");
        let by_path = options.path("by");
        options.finish(reading, &["by"]);
        let list = list?;
        reading.places.insert(by_path.clone(), list.place);
        let keys: Option<Vec<SortKey>> = match &list.value {
            Value::List(items) => {
                let read = |(index, item)| read_key(item, &format!("{by_path}[{index}]"), reading);
                items.iter().enumerate().map(read).collect()
            }
            _ => read_key(list, &by_path, reading).map(|key| vec![key]),
        };
        let by = keys?;
        if by.is_empty() {
            reading.problem(list.place, &by_path, "`by` of `sort` names no column.");
            return None;
        }
        Some(Self { by })
    }

    pub(super) fn to_json(&self) -> Json {
        let key = |key: &SortKey| match key.order {
            Direction::Ascending => json!(key.column),
            Direction::Descending => json!({ "column": key.column, "order": "descending" }),
        };
        json!({ "by": self.by.iter().map(key).collect::<Vec<_>>() })
    }

    pub(super) fn label(&self) -> String {
        let key = |key: &SortKey| match key.order {
            Direction::Ascending => key.column.clone(),
            Direction::Descending => format!("{} (greatest first)", key.column),
        };
        format!(
            "Sort by {}",
            self.by.iter().map(key).collect::<Vec<_>>().join(", then ")
        )
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        self.positions(columns)?;
        Ok(columns.to_vec())
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        let positions = self.positions(columns)?;
        let keys = positions
            .into_iter()
            .zip(&self.by)
            .map(|(position, key)| (position, key.order))
            .collect();
        Ok(Operator::Sort(SortPlan { keys }))
    }

    fn positions(&self, columns: &[Column]) -> Result<Vec<usize>, Vec<Problem>> {
        let mut positions = Vec::with_capacity(self.by.len());
        let mut problems = Vec::new();
        for (index, key) in self.by.iter().enumerate() {
            match find(columns, &key.column) {
                Ok(position) => positions.push(position),
                Err(message) => problems.push(Problem::at(format!("by[{index}]"), message)),
            }
        }
        if problems.is_empty() {
            Ok(positions)
        } else {
            Err(problems)
        }
    }
}

fn read_key(node: &Node, path: &str, reading: &mut Reading) -> Option<SortKey> {
    if !matches!(node.value, Value::Map(_)) {
        let column = reading.text(node, path, "`by` of `sort`")?;
        return Some(SortKey {
            column,
            order: Direction::Ascending,
        });
    }
    let mut options = reading.map(node, path, "`by` of `sort`")?;
    let column = options.required_text(reading, "column");
    let order = options
        .optional_choice(reading, "order", Direction::WORDS)
        .unwrap_or_default();
    options.finish(reading, &["column", "order"]);
    Some(SortKey { column: column?, order })
}
