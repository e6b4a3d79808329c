//! `fill`: fill blank cells.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray, Time32MillisecondArray,
    TimestampMillisecondArray,
};
use arrow::compute::{cast, interleave};
use serde_json::{Value as Json, json};

use super::{Definition, OptionForm, OptionKind, enumerated, find_all};
use crate::recipe::columns::{Column, kind_words};
use crate::recipe::document::{Node, Reading};
use crate::recipe::plan::chunk::Chunk;
use crate::recipe::plan::fill::{FillFrom, FillPlan};
use crate::recipe::plan::operator::{Applied, ChunkStep, Operator, PlanError};
use crate::recipe::plan::{blanks, cells};
use crate::recipe::problem::Problem;
use crate::tables::ColumnKind;
use crate::tables::mixed::from_typed;

/// Fills blank cells: with the nearest filled cell above or below them, or with a value. Cells of blanks only count as blank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fill {
    /// The columns.
    pub columns: Vec<String>,
    /// What with.
    pub with: FillWith,
}

/// What blank cells are filled with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FillWith {
    /// The nearest filled cell above.
    Above,
    /// The nearest filled cell below.
    Below,
    /// A value.
    Value(String),
}

/// The words of `direction`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Down,
    Up,
    Value,
}

const WAYS: &[(&str, Way)] = &[("down", Way::Down), ("up", Way::Up), ("value", Way::Value)];

impl Fill {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "fill",
        title: "Fill blank cells",
        about: "Fills blank cells with what stands above or below them, or with a value.",
        options: &[
            OptionForm {
                name: "columns",
                title: "Columns",
                kind: OptionKind::Columns,
                required: true,
                default: None,
                about: "The columns whose blank cells are filled.",
            },
            OptionForm {
                name: "direction",
                title: "From",
                kind: OptionKind::Choice(&["down", "up", "value"]),
                required: false,
                default: Some("\"down\""),
                about: "`down`: what stands above is filled down; `up`: what stands below is filled up; `value`: a value.",
            },
            OptionForm {
                name: "value",
                title: "Value",
                kind: OptionKind::Text,
                required: false,
                default: None,
                about: "What is put into blank cells; with the direction `value` only.",
            },
        ],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`fill`")?;
        let columns = options.required_texts(reading, "columns");
        let given = options.optional_choice(reading, "direction", WAYS);
        let value = options.optional_text(reading, "value");
        options.finish(reading, &["columns", "direction", "value"]);
        let with = match (given, value) {
            (None | Some(Way::Down), None) => FillWith::Above,
            (Some(Way::Up), None) => FillWith::Below,
            (None | Some(Way::Value), Some(value)) => FillWith::Value(value),
            (Some(Way::Value), None) => {
                reading.problem(node.place, path, "`fill` with `direction: value` needs `value`.");
                return None;
            }
            (Some(Way::Down | Way::Up), Some(_)) => {
                let message = "`fill` has a `value`, and a `direction` that has no use for it: leave one of them out.";
                reading.problem(node.place, path, message);
                return None;
            }
        };
        Some(Self {
            columns: columns?,
            with,
        })
    }

    pub(super) fn to_json(&self) -> Json {
        match &self.with {
            FillWith::Above => json!({ "columns": self.columns, "direction": "down" }),
            FillWith::Below => json!({ "columns": self.columns, "direction": "up" }),
            FillWith::Value(value) => json!({ "columns": self.columns, "direction": "value", "value": value }),
        }
    }

    pub(super) fn label(&self) -> String {
        let columns = enumerated(&self.columns);
        match &self.with {
            FillWith::Above => format!("Fill blanks in {columns} with what stands above"),
            FillWith::Below => format!("Fill blanks in {columns} with what stands below"),
            FillWith::Value(value) => format!("Fill blanks in {columns} with {value}"),
        }
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        let positions = find_all(columns, &self.columns, "columns")?;
        let mut after = columns.to_vec();
        if let FillWith::Value(value) = &self.with {
            for (position, (kind, _)) in positions.iter().zip(self.cells(columns, &positions, value)?) {
                after[*position].kind = kind;
            }
        }
        Ok(after)
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        let positions = find_all(columns, &self.columns, "columns")?;
        let from = match &self.with {
            FillWith::Above => FillFrom::Above,
            FillWith::Below => FillFrom::Below,
            FillWith::Value(value) => {
                let cells = self.cells(columns, &positions, value)?;
                let cells = positions.iter().copied().zip(cells.into_iter().map(|(_, cell)| cell));
                return Ok(Operator::step(FillValue { cells: cells.collect() }));
            }
        };
        Ok(Operator::ordered(FillPlan {
            columns: positions,
            from,
        }))
    }

    /// For each column what it holds then, and the value as a cell of it.
    fn cells(
        &self,
        columns: &[Column],
        positions: &[usize],
        value: &str,
    ) -> Result<Vec<(ColumnKind, ArrayRef)>, Vec<Problem>> {
        let (mut cells, mut problems) = (Vec::new(), Vec::new());
        for (index, position) in positions.iter().enumerate() {
            let column = &columns[*position];
            match typed(value, column.kind) {
                Some(cell) => cells.push(cell),
                None => {
                    let message = format!(
                        "`{value}` does not fit the column `{}`, which holds {}: convert it to text before.",
                        self.columns[index],
                        kind_words(column.kind)
                    );
                    problems.push(Problem::at("value", message));
                }
            }
        }
        if problems.is_empty() { Ok(cells) } else { Err(problems) }
    }
}

/// A value as a cell of a column of some kind, and the kind of the column then: one of whole numbers may become one of
/// numbers, one without anything what the value looks like.
fn typed(value: &str, kind: ColumnKind) -> Option<(ColumnKind, ArrayRef)> {
    let trimmed = value.trim();
    let cell: ArrayRef = match kind {
        ColumnKind::Text => Arc::new(StringArray::from(vec![value])),
        ColumnKind::Integer => match trimmed.parse::<i64>() {
            // Beyond it a number in a sheet is not exact.
            Ok(whole) if whole.unsigned_abs() <= 1 << 53 => Arc::new(Int64Array::from(vec![whole])),
            _ => return typed(value, ColumnKind::Decimal),
        },
        ColumnKind::Decimal => {
            let number = trimmed.parse().ok().filter(|number: &f64| number.is_finite())?;
            Arc::new(Float64Array::from(vec![number]))
        }
        ColumnKind::Boolean => match trimmed.to_lowercase().as_str() {
            "true" => Arc::new(BooleanArray::from(vec![true])),
            "false" => Arc::new(BooleanArray::from(vec![false])),
            _ => return None,
        },
        ColumnKind::Date => Arc::new(Date32Array::from(vec![cells::iso_date(trimmed)?])),
        ColumnKind::DateTime => Arc::new(TimestampMillisecondArray::from(vec![cells::iso_date_time(trimmed)?])),
        ColumnKind::Time => Arc::new(Time32MillisecondArray::from(vec![cells::iso_time(trimmed)?])),
        ColumnKind::Mixed => {
            let (_, plain) = typed(value, ColumnKind::Integer).or_else(|| typed(value, ColumnKind::Text))?;
            from_typed(&plain, NO_FORMAT, None).ok()?
        }
        ColumnKind::Blank => {
            return typed(value, ColumnKind::Integer)
                .or_else(|| typed(value, ColumnKind::Date))
                .or_else(|| typed(value, ColumnKind::Text));
        }
    };
    Some((kind, cell))
}

/// The position of no number format: a cell under it is shown plainly.
const NO_FORMAT: u16 = u16::MAX;

/// Puts a value into blank cells.
#[derive(Debug)]
struct FillValue {
    /// Columns by position, each with the value as a column of one row.
    cells: Vec<(usize, ArrayRef)>,
}

impl ChunkStep for FillValue {
    fn apply(&self, chunk: &Chunk) -> Result<Applied, PlanError> {
        let mut columns = chunk.columns.clone();
        for (position, value) in &self.cells {
            let column = &chunk.columns[*position];
            let blank = blanks::blank(column)?;
            let same = column.data_type() == value.data_type();
            let column = if same {
                column.clone()
            } else {
                cast(column, value.data_type())?
            };
            columns[*position] = if blank.true_count() == 0 {
                column
            } else {
                let cell = |(row, blank)| if blank { (1, 0) } else { (0, row) };
                let cells: Vec<(usize, usize)> = blank.values().iter().enumerate().map(cell).collect();
                interleave(&[column.as_ref(), value.as_ref()], &cells)?
            };
        }
        Ok(Applied::same_columns(columns))
    }
}
