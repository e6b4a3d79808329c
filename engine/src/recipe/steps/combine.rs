//! `combine`: put several columns together.

use std::sync::Arc;

use arrow::array::{Array, StringArray};
use serde_json::{Value as Json, json};

use super::{Definition, OptionForm, OptionKind, enumerated, find_all};
use crate::recipe::columns::Column;
use crate::recipe::document::{Node, Reading};
use crate::recipe::plan::cells;
use crate::recipe::plan::chunk::Chunk;
use crate::recipe::plan::operator::{Applied, ChunkStep, Operator, PlanError};
use crate::recipe::plan::patterns::shown;
use crate::recipe::plan::texts::{Draft, TextColumn, too_long};
use crate::recipe::problem::Problem;
use crate::tables::ColumnKind;

/// Puts the cells of several columns together as one text. Numbers and dates go in as they stand in a text. Where all of
/// the cells are blank, the result is blank too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Combine {
    /// The columns, in order.
    pub columns: Vec<String>,
    /// The column that is filled: a new one at the end, or one that is there already.
    pub into: String,
    /// What stands between two cells.
    pub separator: String,
    /// What becomes of blank cells.
    pub blanks: Blanks,
}

/// What becomes of blank cells among others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Blanks {
    /// They are left out, with their separator.
    #[default]
    Skipped,
    /// They count as empty texts.
    Counted,
}

impl Combine {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "combine",
        title: "Combine columns",
        about: "Puts the cells of several columns together as one text.",
        options: &[
            OptionForm {
                name: "columns",
                title: "Columns",
                kind: OptionKind::Columns,
                required: true,
                default: None,
                about: "The columns to put together, in this order.",
            },
            OptionForm {
                name: "into",
                title: "Into",
                kind: OptionKind::NewColumn,
                required: true,
                default: None,
                about: "The name of the new column; a column that is there is replaced.",
            },
            OptionForm {
                name: "separator",
                title: "Separator",
                kind: OptionKind::Text,
                required: false,
                default: Some("\" \""),
                about: "What stands between two cells: a space where nothing is said.",
            },
            OptionForm {
                name: "skip_blanks",
                title: "Leave out blank cells",
                kind: OptionKind::Flag,
                required: false,
                default: Some("true"),
                about: "Blank cells are left out, with their separator.",
            },
        ],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`combine`")?;
        let columns = options.required_texts(reading, "columns");
        let into = options.required_text(reading, "into");
        let separator = options.optional_plain(reading, "separator");
        let skipped = options.optional_flag(reading, "skip_blanks").unwrap_or(true);
        let columns_path = options.path("columns");
        options.finish(reading, &["columns", "into", "separator", "skip_blanks"]);
        let columns = columns?;
        if columns.is_empty() {
            reading.problem_of(&columns_path, "`columns` of `combine` names no column.");
            return None;
        }
        Some(Self {
            columns,
            into: into?,
            separator: separator.unwrap_or_else(|| " ".into()),
            blanks: if skipped { Blanks::Skipped } else { Blanks::Counted },
        })
    }

    pub(super) fn to_json(&self) -> Json {
        json!({
            "columns": self.columns,
            "into": self.into,
            "separator": self.separator,
            "skip_blanks": self.blanks == Blanks::Skipped,
        })
    }

    pub(super) fn label(&self) -> String {
        let between = match self.separator.as_str() {
            "" => String::new(),
            " " => " with a space between".into(),
            separator => format!(" with `{}` between", shown(separator)),
        };
        format!("Combine {} into {}{between}", enumerated(&self.columns), self.into)
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        find_all(columns, &self.columns, "columns")?;
        if self.into.trim().is_empty() {
            return Err(vec![Problem::at("into", "The column needs a name.")]);
        }
        let made = Column::made(&self.into, ColumnKind::Text);
        let mut after = columns.to_vec();
        match after.iter_mut().find(|column| column.name == self.into) {
            Some(column) => {
                *column = Column {
                    letters: column.letters.take(),
                    ..made
                }
            }
            None => after.push(made),
        }
        Ok(after)
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        let positions = find_all(columns, &self.columns, "columns")?;
        let parts = positions
            .into_iter()
            .map(|position| (position, columns[position].format.clone()))
            .collect();
        Ok(Operator::step(CombineStep {
            parts,
            target: columns.iter().position(|column| column.name == self.into),
            separator: self.separator.clone(),
            blanks: self.blanks,
        }))
    }
}

#[derive(Debug)]
struct CombineStep {
    /// Positions and number formats.
    parts: Vec<(usize, Option<String>)>,
    target: Option<usize>,
    separator: String,
    blanks: Blanks,
}

impl ChunkStep for CombineStep {
    fn apply(&self, chunk: &Chunk) -> Result<Applied, PlanError> {
        let texts =
            |(position, format): &(usize, Option<String>)| cells::texts(&chunk.columns[*position], format.as_deref());
        let parts: Vec<StringArray> = self.parts.iter().map(texts).collect::<Result<_, _>>()?;
        let (mut made, mut draft) = (TextColumn::default(), Draft::default());
        let mut rejections = Vec::new();
        for row in 0..chunk.rows() {
            draft.begin(0);
            self.write(&parts, row, &mut draft);
            if draft.is_too_long("") {
                rejections.push(too_long(row, None, "")?);
                made.push(None)?;
            } else {
                made.push(Some(draft.text()))?;
            }
        }
        let mut columns = chunk.columns.clone();
        let made = Arc::new(made.finish());
        let mut applied = match self.target {
            Some(position) => {
                columns[position] = made;
                Applied::same_columns(columns)
            }
            None => {
                let sources = (0..columns.len()).map(Some).chain([None]).collect();
                columns.push(made);
                Applied::with_sources(columns, sources)
            }
        };
        applied.rejections = rejections;
        Ok(applied)
    }

    fn needs(&self, wanted: &[bool], before: usize) -> Vec<bool> {
        let mut needed = wanted[..before].to_vec();
        if let Some(position) = self.target {
            needed[position] = false;
        }
        // What becomes too long counts even where the new column is not wanted any more.
        for (position, _) in &self.parts {
            needed[*position] = true;
        }
        needed
    }
}

impl CombineStep {
    fn write(&self, parts: &[StringArray], row: usize, draft: &mut Draft) {
        let cell = |texts: &'_ StringArray| texts.is_valid(row) && !texts.value(row).is_empty();
        if !parts.iter().any(cell) {
            return;
        }
        let mut first = true;
        for texts in parts {
            let filled = texts.is_valid(row) && !texts.value(row).is_empty();
            if !filled && self.blanks == Blanks::Skipped {
                continue;
            }
            if !first {
                draft.push(&self.separator);
            }
            first = false;
            if filled {
                draft.push(texts.value(row));
            }
        }
    }
}
