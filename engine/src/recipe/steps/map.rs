//! `map`: put a new value in place of each old one.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray};
use serde_json::{Value as Json, json};

use super::{Definition, OptionForm, OptionKind};
use crate::recipe::columns::{Column, find};
use crate::recipe::document::{Node, Reading};
use crate::recipe::expression::Rejection;
use crate::recipe::plan::cells;
use crate::recipe::plan::chunk::Chunk;
use crate::recipe::plan::operator::{Applied, ChunkStep, Operator, PlanError};
use crate::recipe::plan::patterns::shown;
use crate::recipe::plan::texts::{MOST_UNITS, TextColumn, as_mixed, overwritten, position, units};
use crate::recipe::problem::Problem;
use crate::tables::ColumnKind;

/// Puts a new value in place of each old one. Old values are compared with the whole cell, numbers and dates by how they
/// stand in a text (`7`, `2024-01-31`); new values are text. The old value `""` is a blank cell; other blank cells stay
/// blank, whatever `otherwise` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Map {
    /// The column.
    pub column: String,
    /// Old and new values; an empty new value is a blank cell.
    pub values: Vec<(String, String)>,
    /// What happens to a value that is not among the old ones.
    pub otherwise: Unmapped,
}

/// What happens to a value that is not among the old ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unmapped {
    /// The cell stays as it is; a column that was no text has cells of several kinds then.
    #[default]
    Keep,
    /// The cell becomes blank.
    Blank,
    /// Its row is rejected; where the recipe keeps the row, the cell stays, as a text.
    Reject,
}

const OTHERWISE: &[(&str, Unmapped)] = &[
    ("keep", Unmapped::Keep),
    ("blank", Unmapped::Blank),
    ("reject", Unmapped::Reject),
];

impl Map {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "map",
        title: "Exchange values",
        about: "Puts a new value in place of each old one of a list, such as male for m.",
        options: &[
            OptionForm {
                name: "column",
                title: "Column",
                kind: OptionKind::Column,
                required: true,
                default: None,
                about: "The column whose values are exchanged.",
            },
            OptionForm {
                name: "values",
                title: "Values",
                kind: OptionKind::Values,
                required: true,
                default: None,
                about: "Each old value, the whole cell, and its new one; without a new one the cell becomes blank.",
            },
            OptionForm {
                name: "otherwise",
                title: "Otherwise",
                kind: OptionKind::Choice(&["keep", "blank", "reject"]),
                required: false,
                default: Some("\"keep\""),
                about: "What happens to a value that is not in the list.",
            },
        ],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`map`")?;
        let column = options.required_text(reading, "column");
        let values = options
            .require(reading, "values")
            .and_then(|node| reading.values(node, &options.path("values"), &options.subject("values")));
        let otherwise = options
            .optional_choice(reading, "otherwise", OTHERWISE)
            .unwrap_or_default();
        let values_path = options.path("values");
        options.finish(reading, &["column", "values", "otherwise"]);
        let values = values?;
        if let Some((old, _)) = values.iter().find(|(_, new)| units(new) > MOST_UNITS) {
            let message = format!("The new value of `{}` is longer than a cell may be.", shown(old));
            reading.problem_of(&values_path, message);
            return None;
        }
        Some(Self {
            column: column?,
            values,
            otherwise,
        })
    }

    pub(super) fn to_json(&self) -> Json {
        let values = self.values.iter().map(|(old, new)| (old.clone(), json!(new)));
        let word = OTHERWISE.iter().find(|(_, otherwise)| *otherwise == self.otherwise);
        json!({
            "column": self.column,
            "values": Json::Object(values.collect()),
            "otherwise": word.map(|(word, _)| *word),
        })
    }

    pub(super) fn label(&self) -> String {
        let what = match self.values.as_slice() {
            [(old, new)] => format!("Exchange {} for {} in {}", words(old), words(new), self.column),
            values => format!("Exchange {} values of {}", values.len(), self.column),
        };
        match self.otherwise {
            Unmapped::Keep => what,
            Unmapped::Blank => format!("{what}, blank the others"),
            Unmapped::Reject => format!("{what}, reject rows with others"),
        }
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        let position = self.position(columns)?;
        let mut after = columns.to_vec();
        after[position].kind = self.kind_after(columns[position].kind);
        if after[position].kind == ColumnKind::Text {
            after[position].format = None;
        }
        Ok(after)
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        let position = self.position(columns)?;
        Ok(Operator::step(MapStep {
            position,
            format: columns[position].format.clone(),
            after: self.kind_after(columns[position].kind),
            values: self.values.iter().cloned().collect(),
            otherwise: self.otherwise,
        }))
    }

    fn position(&self, columns: &[Column]) -> Result<usize, Vec<Problem>> {
        find(columns, &self.column).map_err(|message| vec![Problem::at("column", message)])
    }

    fn kind_after(&self, before: ColumnKind) -> ColumnKind {
        match (self.otherwise, before) {
            (Unmapped::Keep, ColumnKind::Text | ColumnKind::Blank) => ColumnKind::Text,
            (Unmapped::Keep, _) => ColumnKind::Mixed,
            (Unmapped::Blank | Unmapped::Reject, _) => ColumnKind::Text,
        }
    }
}

/// A value in a label.
fn words(value: &str) -> String {
    match value {
        "" => "a blank".into(),
        value => format!("`{}`", shown(value)),
    }
}

#[derive(Debug)]
struct MapStep {
    position: usize,
    format: Option<String>,
    after: ColumnKind,
    values: HashMap<String, String>,
    otherwise: Unmapped,
}

impl ChunkStep for MapStep {
    fn apply(&self, chunk: &Chunk) -> Result<Applied, PlanError> {
        let column = &chunk.columns[self.position];
        let mut applied = Applied::same_columns(chunk.columns.clone());
        applied.columns[self.position] = if self.after == ColumnKind::Mixed {
            let mixed = as_mixed(column, self.format.as_deref())?;
            let texts = cells::texts(&mixed, None)?;
            let new = |row| self.values.get(text_of(&texts, row)).map(String::as_str);
            overwritten(&mixed, &(0..texts.len()).map(new).collect::<Vec<_>>())?
        } else {
            let texts = cells::texts(column, self.format.as_deref())?;
            self.column(&texts, &mut applied.rejections)?
        };
        Ok(applied)
    }

    fn needs(&self, wanted: &[bool], _before: usize) -> Vec<bool> {
        let mut needed = wanted.to_vec();
        needed[self.position] |= self.otherwise == Unmapped::Reject;
        needed
    }
}

/// The text of a cell; a blank one has none.
fn text_of(texts: &StringArray, row: usize) -> &str {
    if texts.is_valid(row) { texts.value(row) } else { "" }
}

impl MapStep {
    fn column(&self, texts: &StringArray, rejections: &mut Vec<Rejection>) -> Result<ArrayRef, PlanError> {
        let mut made = TextColumn::default();
        for row in 0..texts.len() {
            let old = text_of(texts, row);
            let new = match (self.values.get(old), self.otherwise) {
                (Some(new), _) => new,
                (None, Unmapped::Keep) => old,
                (None, Unmapped::Blank) => "",
                (None, Unmapped::Reject) => {
                    if !old.is_empty() {
                        rejections.push(self.unknown(row, old)?);
                    }
                    // A recipe may keep the row: then nothing of it is lost.
                    old
                }
            };
            made.push(Some(new))?;
        }
        Ok(Arc::new(made.finish()))
    }

    fn unknown(&self, row: usize, value: &str) -> Result<Rejection, PlanError> {
        Ok(Rejection {
            position: position(row)?,
            column: Some(self.position),
            value: value.to_owned(),
            rule: "not_mapped",
            message: format!("`{}` is not among the values that are exchanged", shown(value)),
        })
    }
}
