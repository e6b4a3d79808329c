//! `trim`: remove blanks around texts.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use serde_json::{Value as Json, json};

use super::{Definition, OptionForm, OptionKind, enumerated, find_all};
use crate::recipe::columns::Column;
use crate::recipe::document::{Node, Reading};
use crate::recipe::plan::chunk::Chunk;
use crate::recipe::plan::operator::{Applied, ChunkStep, Operator, PlanError};
use crate::recipe::problem::Problem;
use crate::tables::ColumnKind;

/// Removes blanks around the texts of columns: ordinary, no-break and zero-width ones, tabs and line ends. A text of
/// blanks only becomes a blank cell. Cells that are no text stay as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trim {
    /// Which columns; `None`: all of them.
    pub columns: Option<Vec<String>>,
}

impl Trim {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "trim",
        title: "Remove blanks around text",
        about: "Removes blanks before and after the text of cells; a cell of blanks only becomes blank.",
        options: &[OptionForm {
            name: "columns",
            title: "Columns",
            kind: OptionKind::ColumnsOrAll,
            required: false,
            default: Some("\"all\""),
            about: "The columns to trim, or all of them.",
        }],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`trim`")?;
        let columns = read_columns_or_all(&mut options, reading, "columns");
        options.finish(reading, &["columns"]);
        Some(Self { columns })
    }

    pub(super) fn to_json(&self) -> Json {
        json!({ "columns": self.columns.as_ref().map_or_else(|| json!("all"), |columns| json!(columns)) })
    }

    pub(super) fn label(&self) -> String {
        match &self.columns {
            None => "Remove blanks around the text of all columns".into(),
            Some(columns) => format!("Remove blanks around the text of {}", enumerated(columns)),
        }
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        self.positions(columns)?;
        Ok(columns.to_vec())
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        let holds_text = |position: &usize| matches!(columns[*position].kind, ColumnKind::Text | ColumnKind::Mixed);
        let positions = self.positions(columns)?.into_iter().filter(holds_text).collect();
        Ok(Operator::step(TrimStep { positions }))
    }

    fn positions(&self, columns: &[Column]) -> Result<Vec<usize>, Vec<Problem>> {
        match &self.columns {
            None => Ok((0..columns.len()).collect()),
            Some(names) => find_all(columns, names, "columns"),
        }
    }
}

/// The option that is a list of columns or the word `all`; `None` is all.
pub(super) fn read_columns_or_all(
    options: &mut crate::recipe::document::Options<'_>,
    reading: &mut Reading,
    name: &str,
) -> Option<Vec<String>> {
    let node = options.take(name)?;
    if node.as_text() == Some("all") || node.is_null() {
        return None;
    }
    reading.texts(node, &options.path(name), &options.subject(name))
}

/// A blank as people see it: Unicode's white space, and the zero-width and byte-order marks that look like nothing.
pub(crate) fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}' | '\u{200c}' | '\u{200d}' | '\u{2060}' | '\u{feff}')
}

#[derive(Debug)]
struct TrimStep {
    positions: Vec<usize>,
}

impl ChunkStep for TrimStep {
    fn apply(&self, chunk: &Chunk) -> Result<Applied, PlanError> {
        let mut columns = chunk.columns.clone();
        for position in &self.positions {
            columns[*position] = trim_column(&columns[*position])?;
        }
        Ok(Applied::same_columns(columns))
    }
}

fn trim_column(column: &ArrayRef) -> Result<ArrayRef, PlanError> {
    if let Some(texts) = column.as_string_opt::<i32>() {
        let touched = texts
            .iter()
            .flatten()
            .any(|text| text.starts_with(is_blank) || text.ends_with(is_blank));
        return Ok(if touched {
            Arc::new(trim_texts(texts))
        } else {
            column.clone()
        });
    }
    crate::recipe::plan::cells::map_mixed_texts(column, |text| {
        let trimmed = text.trim_matches(is_blank);
        (!trimmed.is_empty()).then_some(trimmed)
    })
}

fn trim_texts(texts: &StringArray) -> StringArray {
    texts
        .iter()
        .map(|text| {
            text.map(|text| text.trim_matches(is_blank))
                .filter(|text| !text.is_empty())
        })
        .collect()
}
