//! `mask`: hide what cells hold.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use super::{Definition, OptionForm, OptionKind, enumerated, find_all};
use crate::recipe::columns::Column;
use crate::recipe::document::{Node, Options, Reading};
use crate::recipe::plan::chunk::Chunk;
use crate::recipe::plan::operator::{Applied, ChunkStep, Operator, PlanError};
use crate::recipe::problem::Problem;
use crate::sheets::CellKind;
use crate::sheets::view::ColumnView;
use crate::tables::ColumnKind;

/// What stands for a cell that is redacted.
const REDACTED: &str = "[redacted]";
/// What stands for a character that is hidden.
const HIDDEN: char = '•';
/// Hex digits of a hash: sha256 has 64. Fewer make strangers equal sooner than anybody would guess.
const DIGITS: std::ops::RangeInclusive<usize> = 8..=64;
/// Characters that may be kept.
const MOST_KEPT: usize = 100;

/// Hides what the cells of columns hold: by a hash, by a fixed text, or all but the last characters. Blank cells stay blank;
/// numbers, dates and truths become text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    /// The columns.
    pub columns: Vec<String>,
    /// How.
    pub with: Veil,
}

/// How cells are hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Veil {
    /// By the sha256 of salt and text in hex, or its first digits: equal cells stay equal.
    Hash {
        /// What is put before each text. Without one, short values such as phone numbers can be found by trying all of them.
        salt: String,
        /// How many hex digits.
        digits: usize,
    },
    /// By a fixed text.
    Redact {
        /// The text.
        text: String,
    },
    /// All but the last characters.
    Last {
        /// How many of them show. A text of no more characters is hidden as a whole.
        keep: usize,
    },
}

impl Veil {
    fn word(&self) -> &'static str {
        match self {
            Self::Hash { .. } => "hash",
            Self::Redact { .. } => "redact",
            Self::Last { .. } => "last",
        }
    }
}

#[derive(Clone, Copy)]
enum Word {
    Hash,
    Redact,
    Last,
}

const WORDS: &[(&str, Word)] = &[("hash", Word::Hash), ("redact", Word::Redact), ("last", Word::Last)];

impl Mask {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "mask",
        title: "Hide values",
        about: "Hides what cells hold: by a hash, by a fixed text, or all but the last characters. Blank cells stay blank.",
        options: &[
            OptionForm {
                name: "columns",
                title: "Columns",
                kind: OptionKind::Columns,
                required: true,
                default: None,
                about: "The columns to hide. Numbers and dates become text.",
            },
            OptionForm {
                name: "with",
                title: "With",
                kind: OptionKind::Choice(&["hash", "redact", "last"]),
                required: true,
                default: None,
                about: "`hash` keeps equal cells equal, `redact` writes a fixed text, `last` shows the last characters.",
            },
            OptionForm {
                name: "salt",
                title: "Salt",
                kind: OptionKind::Text,
                required: false,
                default: Some("\"\""),
                about: "For `hash`: a secret text that goes before each value, so that nobody finds a value by trying all. \
                        Recipes with the same salt give the same hashes.",
            },
            OptionForm {
                name: "length",
                title: "Length",
                kind: OptionKind::Number,
                required: false,
                default: Some("64"),
                about: "For `hash`: how many hex digits, from 8 to 64.",
            },
            OptionForm {
                name: "text",
                title: "Text",
                kind: OptionKind::Text,
                required: false,
                default: Some("\"[redacted]\""),
                about: "For `redact`: what is written instead.",
            },
            OptionForm {
                name: "keep",
                title: "Keep",
                kind: OptionKind::Number,
                required: false,
                default: Some("4"),
                about: "For `last`: how many characters show. A text that has no more is hidden as a whole.",
            },
        ],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`mask`")?;
        let list = options.require(reading, "columns");
        let columns = list.and_then(|node| reading.texts(node, &options.path("columns"), "`columns` of `mask`"));
        let with = options.require(reading, "with");
        let with = with.and_then(|node| reading.choice(node, &options.path("with"), "`with` of `mask`", WORDS));
        let before = reading.problems.len();
        let with = with.map(|with| read_veil(with, &mut options, reading));
        for (name, of) in [
            ("salt", "hash"),
            ("length", "hash"),
            ("text", "redact"),
            ("keep", "last"),
        ] {
            // What the chosen way knows was taken.
            if let (Some(with), Some(node)) = (&with, options.take(name))
                && with.word() != of
            {
                let message = format!("`{name}` of `mask` is for `with: {of}`.");
                reading.problem(node.place, &options.path(name), message);
            }
        }
        options.finish(reading, &["columns", "with", "salt", "length", "text", "keep"]);
        let columns = columns?;
        if columns.is_empty() {
            reading.problem(
                node.place,
                &format!("{path}.columns"),
                "`columns` of `mask` names no column.",
            );
        }
        Some(Self {
            columns,
            with: with.filter(|_| reading.problems.len() == before)?,
        })
    }

    pub(super) fn to_json(&self) -> Json {
        match &self.with {
            Veil::Hash { salt, digits } => {
                json!({ "columns": self.columns, "with": "hash", "salt": salt, "length": digits })
            }
            Veil::Redact { text } => json!({ "columns": self.columns, "with": "redact", "text": text }),
            Veil::Last { keep } => json!({ "columns": self.columns, "with": "last", "keep": keep }),
        }
    }

    pub(super) fn label(&self) -> String {
        let columns = enumerated(&self.columns);
        match &self.with {
            Veil::Hash { .. } => format!("Replace {columns} by hashes"),
            Veil::Redact { text } => format!("Replace {columns} by {text}"),
            Veil::Last { keep } => format!("Hide {columns} but for the last {keep} characters"),
        }
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        let mut after = columns.to_vec();
        for position in find_all(columns, &self.columns, "columns")? {
            after[position] = Column {
                kind: ColumnKind::Text,
                format: None,
                ..after[position].clone()
            };
        }
        Ok(after)
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        let positions = find_all(columns, &self.columns, "columns")?;
        let formats = positions.iter().map(|position| columns[*position].format.clone());
        Ok(Operator::step(MaskStep {
            formats: formats.collect(),
            positions,
            with: self.with.clone(),
        }))
    }
}

fn read_veil(with: Word, options: &mut Options<'_>, reading: &mut Reading) -> Veil {
    match with {
        Word::Hash => Veil::Hash {
            salt: options.optional_text(reading, "salt").unwrap_or_default(),
            digits: read_number(options, reading, "length", DIGITS).unwrap_or(*DIGITS.end()),
        },
        Word::Redact => Veil::Redact {
            text: options
                .optional_text(reading, "text")
                .unwrap_or_else(|| REDACTED.to_owned()),
        },
        Word::Last => Veil::Last {
            keep: read_number(options, reading, "keep", 0..=MOST_KEPT).unwrap_or(4),
        },
    }
}

fn read_number(
    options: &mut Options<'_>,
    reading: &mut Reading,
    name: &str,
    range: std::ops::RangeInclusive<usize>,
) -> Option<usize> {
    let node = options.take(name)?;
    let (path, subject) = (options.path(name), options.subject(name));
    let text = reading.text(node, &path, &subject)?;
    let number = text.parse().ok().filter(|number| range.contains(number));
    if number.is_none() {
        let message = format!(
            "{subject} is a number from {} to {}, not `{text}`.",
            range.start(),
            range.end()
        );
        reading.problem(node.place, &path, message);
    }
    number
}

#[derive(Debug)]
struct MaskStep {
    positions: Vec<usize>,
    formats: Vec<Option<String>>,
    with: Veil,
}

impl ChunkStep for MaskStep {
    fn apply(&self, chunk: &Chunk) -> Result<Applied, PlanError> {
        let mut columns = chunk.columns.clone();
        for (position, format) in self.positions.iter().zip(&self.formats) {
            columns[*position] = self.mask(&columns[*position], format.as_deref())?;
        }
        Ok(Applied::same_columns(columns))
    }
}

impl MaskStep {
    fn mask(&self, column: &ArrayRef, format: Option<&str>) -> Result<ArrayRef, PlanError> {
        let view = ColumnView::of(column)?;
        let mut masked = StringBuilder::with_capacity(column.len(), 16 * column.len());
        let mut hidden = String::new();
        for row in 0..column.len() {
            let cell = view.cell(row);
            if cell.kind == CellKind::Blank {
                masked.append_null();
                continue;
            }
            hidden.clear();
            match &self.with {
                Veil::Redact { text } => hidden.push_str(text),
                Veil::Hash { salt, digits } => hash(salt, &cell.plain(format), *digits, &mut hidden),
                Veil::Last { keep } => all_but_last(&cell.plain(format), *keep, &mut hidden),
            }
            masked.append_value(&hidden);
        }
        Ok(Arc::new(masked.finish()))
    }
}

fn hash(salt: &str, text: &str, digits: usize, hidden: &mut String) {
    let digest = Sha256::new().chain_update(salt).chain_update(text).finalize();
    for byte in digest {
        // Writing into a text cannot fail.
        write!(hidden, "{byte:02x}").ok();
    }
    hidden.truncate(digits);
}

fn all_but_last(text: &str, keep: usize, hidden: &mut String) {
    let characters = text.chars().count();
    let covered = if characters <= keep {
        characters
    } else {
        characters - keep
    };
    for (at, c) in text.chars().enumerate() {
        hidden.push(if at < covered { HIDDEN } else { c });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_characters_show_and_a_short_text_shows_nothing() {
        let hidden = |text: &str, keep| {
            let mut hidden = String::new();
            all_but_last(text, keep, &mut hidden);
            hidden
        };
        assert_eq!(hidden("BE71 0961", 4), "•••••0961");
        assert_eq!(hidden("1234", 4), "••••");
        assert_eq!(hidden("12", 4), "••");
        assert_eq!(hidden("Zoé", 1), "••é");
        assert_eq!(hidden("abc", 0), "•••");
    }

    #[test]
    fn a_hash_is_that_of_salt_and_text() {
        let hashed = |salt: &str, text: &str, digits| {
            let mut hidden = String::new();
            hash(salt, text, digits, &mut hidden);
            hidden
        };
        assert_eq!(
            hashed("", "abc", 64),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(hashed("ab", "c", 12), "ba7816bf8f01");
        assert_ne!(hashed("other", "c", 12), hashed("ab", "c", 12));
    }
}
