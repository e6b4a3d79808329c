//! `move`: put columns at another place.

use serde_json::{Value as Json, json};

use super::select::SelectStep;
use super::{Definition, OptionForm, OptionKind, enumerated, find_all};
use crate::recipe::columns::{Column, find};
use crate::recipe::document::{Node, Reading};
use crate::recipe::plan::operator::Operator;
use crate::recipe::problem::Problem;

/// Puts columns at another place, in the order in which they are named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The columns that move.
    pub columns: Vec<String>,
    /// Where to.
    pub to: Destination,
}

/// Where columns move to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// In front of all others.
    First,
    /// Behind all others.
    Last,
    /// In front of this column.
    Before(String),
    /// Behind this column.
    After(String),
}

/// The word of a destination, without its column.
#[derive(Clone, Copy)]
enum Side {
    First,
    Last,
    Before,
    After,
}

const SIDES: &[(&str, Side)] = &[
    ("first", Side::First),
    ("last", Side::Last),
    ("before", Side::Before),
    ("after", Side::After),
];

impl Move {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "move",
        title: "Move columns",
        about: "Puts columns first, last, or beside another column.",
        options: &[
            OptionForm {
                name: "columns",
                title: "Columns",
                kind: OptionKind::Columns,
                required: true,
                default: None,
                about: "The columns to move, in the order they shall have.",
            },
            OptionForm {
                name: "to",
                title: "To",
                kind: OptionKind::Choice(&["first", "last", "before", "after"]),
                required: true,
                default: None,
                about: "In front of all columns, behind them, or before or after one of them.",
            },
            OptionForm {
                name: "column",
                title: "Beside",
                kind: OptionKind::Column,
                required: false,
                default: None,
                about: "The column before or after which they shall stand.",
            },
        ],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`move`")?;
        let columns = options.required_texts(reading, "columns");
        let side = options.required_choice(reading, "to", SIDES);
        let column = match side {
            Some(Side::Before | Side::After) => options.required_text(reading, "column"),
            _ => options.optional_text(reading, "column"),
        };
        let column_path = options.path("column");
        options.finish(reading, &["columns", "to", "column"]);
        let columns = columns?;
        if columns.is_empty() {
            reading.problem(node.place, path, "`move` names no column.");
            return None;
        }
        let to = match (side?, column) {
            (Side::First, None) => Destination::First,
            (Side::Last, None) => Destination::Last,
            (Side::Before, Some(column)) => Destination::Before(column),
            (Side::After, Some(column)) => Destination::After(column),
            (Side::First | Side::Last, Some(_)) => {
                let message = "`column` of `move` goes with `to: before` or `to: after`.";
                reading.problem_of(&column_path, message);
                return None;
            }
            (Side::Before | Side::After, None) => return None,
        };
        Some(Self { columns, to })
    }

    pub(super) fn to_json(&self) -> Json {
        match &self.to {
            Destination::First => json!({ "columns": self.columns, "to": "first" }),
            Destination::Last => json!({ "columns": self.columns, "to": "last" }),
            Destination::Before(column) => json!({ "columns": self.columns, "to": "before", "column": column }),
            Destination::After(column) => json!({ "columns": self.columns, "to": "after", "column": column }),
        }
    }

    pub(super) fn label(&self) -> String {
        let columns = enumerated(&self.columns);
        match &self.to {
            Destination::First => format!("Move {columns} to the front"),
            Destination::Last => format!("Move {columns} to the end"),
            Destination::Before(column) => format!("Move {columns} before {column}"),
            Destination::After(column) => format!("Move {columns} after {column}"),
        }
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        let order = self.order(columns)?;
        Ok(order.into_iter().map(|position| columns[position].clone()).collect())
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        let positions = self.order(columns)?;
        Ok(Operator::step(SelectStep { positions }))
    }

    /// The columns after the step by their positions before it.
    fn order(&self, columns: &[Column]) -> Result<Vec<usize>, Vec<Problem>> {
        let moved = find_all(columns, &self.columns, "columns")?;
        let beside = |name: &String| {
            let position = find(columns, name).map_err(|message| vec![Problem::at("column", message)])?;
            if moved.contains(&position) {
                let message = format!("The column `{name}` is itself one of those that move.");
                return Err(vec![Problem::at("column", message)]);
            }
            Ok(position)
        };
        let front = match &self.to {
            Destination::First => 0,
            Destination::Last => columns.len(),
            Destination::Before(column) => beside(column)?,
            Destination::After(column) => beside(column)? + 1,
        };
        let stays = |position: &usize| !moved.contains(position);
        let (before, behind) = ((0..front).filter(stays), (front..columns.len()).filter(stays));
        Ok(before.chain(moved.iter().copied()).chain(behind).collect())
    }
}
