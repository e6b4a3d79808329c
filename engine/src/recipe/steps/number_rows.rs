//! `number_rows`: give rows running numbers.

use serde_json::{Value as Json, json};

use super::{Definition, OptionForm, OptionKind, enumerated, find_all};
use crate::recipe::columns::{Column, find, kind_words};
use crate::recipe::document::{Node, Reading};
use crate::recipe::plan::operator::Operator;
use crate::recipe::plan::running::{Running, RunningPlan};
use crate::recipe::problem::Problem;
use crate::tables::ColumnKind;

/// Fills a column with the numbers of the rows, in their order: of all rows, or anew in each group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberRows {
    /// The column that is filled.
    pub column: String,
    /// The first number.
    pub start: usize,
    /// The columns that make a group; none: all rows are one.
    pub by: Vec<String>,
}

impl NumberRows {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "number_rows",
        title: "Number rows",
        about: "Fills a column with 1, 2, 3 and so on, down all rows or anew in each group.",
        options: &[
            COLUMN,
            OptionForm {
                name: "start",
                title: "First number",
                kind: OptionKind::Number,
                required: false,
                default: Some("1"),
                about: "The number of the first row.",
            },
            BY,
        ],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`number_rows`")?;
        let column = options.required_text(reading, "column");
        let start = options.take("start").map(|node| {
            reading.number(
                node,
                &options.path("start"),
                &options.subject("start"),
                0..=1_000_000_000_000,
            )
        });
        let by = options.optional_texts(reading, "by").unwrap_or_default();
        options.finish(reading, &["column", "start", "by"]);
        Some(Self {
            column: column?,
            start: start.unwrap_or(Some(1))?,
            by,
        })
    }

    pub(super) fn to_json(&self) -> Json {
        json!({ "column": self.column, "start": self.start, "by": self.by })
    }

    pub(super) fn label(&self) -> String {
        let from = match self.start {
            1 => String::new(),
            start => format!(" from {start}"),
        };
        format!("Number rows in {}{from}{}", self.column, per(&self.by))
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        find_all(columns, &self.by, "by")?;
        Ok(with_column(columns, &self.column, ColumnKind::Integer)?.0)
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        let start = i64::try_from(self.start).unwrap_or(i64::MAX);
        Ok(Operator::ordered(RunningPlan {
            running: Running::Number(start),
            by: find_all(columns, &self.by, "by")?,
            target: with_column(columns, &self.column, ColumnKind::Integer)?.1,
            before: columns.to_vec(),
        }))
    }
}

/// The option that names the column that is filled.
pub(super) const COLUMN: OptionForm = OptionForm {
    name: "column",
    title: "Column",
    kind: OptionKind::NewColumn,
    required: true,
    default: None,
    about: "The name of the new column; a column that is there is replaced.",
};

/// The option that names columns that make a group.
pub(super) const BY: OptionForm = OptionForm {
    name: "by",
    title: "In each group of",
    kind: OptionKind::Columns,
    required: false,
    default: Some("[]"),
    about: "Rows that are equal in these columns are a group of their own; without any, all rows are one.",
};

/// " in each region", or nothing.
pub(super) fn per(by: &[String]) -> String {
    if by.is_empty() {
        return String::new();
    }
    format!(" in each {}", enumerated(by))
}

/// The columns with one that is filled: a new one behind, or one that is there, and then where.
pub(super) fn with_column(
    columns: &[Column],
    name: &str,
    kind: ColumnKind,
) -> Result<(Vec<Column>, Option<usize>), Vec<Problem>> {
    if name.trim().is_empty() {
        return Err(vec![Problem::at("column", "The column needs a name.")]);
    }
    let target = columns.iter().position(|column| column.name == name);
    let mut after = columns.to_vec();
    match target {
        Some(target) => {
            after[target] = Column {
                letters: after[target].letters.clone(),
                ..Column::made(name, kind)
            }
        }
        None => after.push(Column::made(name, kind)),
    }
    Ok((after, target))
}

/// The column of the option `of`, whose cells must be of one of these kinds.
pub(super) fn source(columns: &[Column], name: &str, kinds: &[ColumnKind], words: &str) -> Result<usize, Vec<Problem>> {
    let position = find(columns, name).map_err(|message| vec![Problem::at("of", message)])?;
    let kind = columns[position].kind;
    if kinds.contains(&kind) || kind == ColumnKind::Blank {
        return Ok(position);
    }
    let message = format!(
        "The column `{name}` holds {}, and {words} are needed: put a `convert` step before.",
        kind_words(kind)
    );
    Err(vec![Problem::at("of", message)])
}
