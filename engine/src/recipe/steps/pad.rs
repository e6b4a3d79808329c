//! `pad`: make texts as long as each other.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use serde_json::{Value as Json, json};

use super::{Definition, OptionForm, OptionKind, enumerated, find_all};
use crate::recipe::columns::Column;
use crate::recipe::document::{Node, Reading};
use crate::recipe::expression::Rejection;
use crate::recipe::plan::cells;
use crate::recipe::plan::chunk::Chunk;
use crate::recipe::plan::operator::{Applied, ChunkStep, Operator, PlanError};
use crate::recipe::plan::texts::{Draft, MOST_UNITS, TextColumn, too_long};
use crate::recipe::problem::Problem;
use crate::tables::ColumnKind;

/// Fills cells up to a length. The columns become text: a number is padded as its digits, a date as `2024-01-31`. Blank
/// cells stay blank, and what is longer stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pad {
    /// The columns.
    pub columns: Vec<String>,
    /// Characters that each text has at least.
    pub length: usize,
    /// What it is filled with.
    pub with: char,
    /// Where it is filled.
    pub side: Side,
}

/// A side of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Side {
    /// In front.
    #[default]
    Left,
    /// Behind.
    Right,
}

const SIDES: &[(&str, Side)] = &[("left", Side::Left), ("right", Side::Right)];

impl Pad {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "pad",
        title: "Fill up to a length",
        about: "Fills texts and numbers up to a length, such as 42 to 00042; the columns become text.",
        options: &[
            OptionForm {
                name: "columns",
                title: "Columns",
                kind: OptionKind::Columns,
                required: true,
                default: None,
                about: "The columns to fill up.",
            },
            OptionForm {
                name: "length",
                title: "Length",
                kind: OptionKind::Number,
                required: true,
                default: None,
                about: "How many characters each cell shall have at least.",
            },
            OptionForm {
                name: "with",
                title: "With",
                kind: OptionKind::Text,
                required: false,
                default: Some("\"0\""),
                about: "The character that is put there as often as needed.",
            },
            OptionForm {
                name: "side",
                title: "Side",
                kind: OptionKind::Choice(&["left", "right"]),
                required: false,
                default: Some("\"left\""),
                about: "In front of the text, or behind it.",
            },
        ],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`pad`")?;
        let columns = options.required_texts(reading, "columns");
        let length = options.required_number(reading, "length", 1..=MOST_UNITS);
        let with = match options.optional_text(reading, "with") {
            None => Some('0'),
            Some(text) => {
                let mut chars = text.chars();
                let one = chars.next().filter(|_| chars.next().is_none());
                if one.is_none() {
                    let message = format!("`with` of `pad` is one character, not `{text}`.");
                    reading.problem_of(&options.path("with"), message);
                }
                one
            }
        };
        let side = options.optional_choice(reading, "side", SIDES).unwrap_or_default();
        let columns_path = options.path("columns");
        options.finish(reading, &["columns", "length", "with", "side"]);
        let columns = columns?;
        if columns.is_empty() {
            reading.problem_of(&columns_path, "`columns` of `pad` names no column.");
            return None;
        }
        Some(Self {
            columns,
            length: length?,
            with: with?,
            side,
        })
    }

    pub(super) fn to_json(&self) -> Json {
        json!({
            "columns": self.columns,
            "length": self.length,
            "with": self.with.to_string(),
            "side": SIDES.iter().find(|(_, side)| *side == self.side).map(|(word, _)| *word),
        })
    }

    pub(super) fn label(&self) -> String {
        let side = match self.side {
            Side::Left => "from the left",
            Side::Right => "from the right",
        };
        let (columns, length, with) = (enumerated(&self.columns), self.length, self.with);
        format!("Fill {columns} up to {length} characters with `{with}` {side}")
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        let mut after = columns.to_vec();
        for position in find_all(columns, &self.columns, "columns")? {
            after[position].kind = ColumnKind::Text;
            after[position].format = None;
        }
        Ok(after)
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        let positions = find_all(columns, &self.columns, "columns")?;
        let columns = positions
            .into_iter()
            .map(|position| (position, columns[position].format.clone()))
            .collect();
        Ok(Operator::step(PadStep {
            columns,
            pad: self.clone(),
        }))
    }

    /// Writes a text that is too short; whether it is.
    fn fill(&self, text: &str, draft: &mut Draft) -> bool {
        let missing = self.length.saturating_sub(text.chars().count());
        draft.begin(text.len());
        let filling = std::iter::repeat_n(self.with, missing);
        match self.side {
            Side::Left => {
                draft.extend(filling);
                draft.push(text);
            }
            Side::Right => {
                draft.push(text);
                draft.extend(filling);
            }
        }
        missing > 0
    }
}

#[derive(Debug)]
struct PadStep {
    /// Positions and number formats.
    columns: Vec<(usize, Option<String>)>,
    pad: Pad,
}

impl ChunkStep for PadStep {
    fn apply(&self, chunk: &Chunk) -> Result<Applied, PlanError> {
        let mut applied = Applied::same_columns(chunk.columns.clone());
        for (position, format) in &self.columns {
            let texts = cells::texts(&chunk.columns[*position], format.as_deref())?;
            applied.columns[*position] = self.column(*position, &texts, &mut applied.rejections)?;
        }
        Ok(applied)
    }

    fn needs(&self, wanted: &[bool], _before: usize) -> Vec<bool> {
        // What becomes too long counts even where the column is not wanted any more.
        let mut needed = wanted.to_vec();
        for (position, _) in &self.columns {
            needed[*position] = true;
        }
        needed
    }
}

impl PadStep {
    fn column(
        &self,
        position: usize,
        texts: &StringArray,
        rejections: &mut Vec<Rejection>,
    ) -> Result<ArrayRef, PlanError> {
        let mut made = TextColumn::default();
        let mut draft = Draft::default();
        for (row, text) in texts.iter().enumerate() {
            let text = text.unwrap_or_default();
            if text.is_empty() || !self.pad.fill(text, &mut draft) {
                made.push(Some(text))?;
            } else if draft.is_too_long(text) {
                rejections.push(too_long(row, Some(position), text)?);
                made.push(Some(text))?;
            } else {
                made.push(Some(draft.text()))?;
            }
        }
        Ok(Arc::new(made.finish()))
    }
}
