//! `case`: capital and small letters.

use serde_json::{Value as Json, json};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::trim::{columns_or_all_json, columns_or_all_words, positions_or_all, read_columns_or_all};
use super::{Definition, OptionForm, OptionKind};
use crate::recipe::columns::Column;
use crate::recipe::document::{Node, Reading};
use crate::recipe::plan::operator::Operator;
use crate::recipe::plan::texts::{Changed, Draft, TextChange, TextStep};
use crate::recipe::problem::Problem;

/// Changes the letters of texts to capital or small ones, by the full mappings of Unicode: `straße` becomes `STRASSE`.
/// Cells that are no text stay as they are. It knows no languages: `i` becomes `I`, also in Turkish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Which columns; `None`: all of them.
    pub columns: Option<Vec<String>>,
    /// What letters become.
    pub to: Letters,
}

/// What letters become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letters {
    /// Capitals.
    Upper,
    /// Small ones.
    Lower,
    /// Each word begins with a capital, the rest is small. A word is a run of letters and digits; an apostrophe inside does not
    /// end it (`Don't`, and so `O'neil`), a hyphen does (`Jean-Luc`).
    Title,
    /// Each sentence begins with a capital, the rest is small. One ends with `.`, `!`, `?` or `…` before a blank.
    Sentence,
}

const LETTERS: &[(&str, Letters)] = &[
    ("upper", Letters::Upper),
    ("lower", Letters::Lower),
    ("title", Letters::Title),
    ("sentence", Letters::Sentence),
];

impl Case {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "case",
        title: "Change capitals",
        about: "Writes texts in capitals, in small letters, or with a capital at each word or sentence.",
        options: &[
            OptionForm {
                name: "columns",
                title: "Columns",
                kind: OptionKind::ColumnsOrAll,
                required: false,
                default: Some("\"all\""),
                about: "The columns to change, or all of them; only texts change.",
            },
            OptionForm {
                name: "to",
                title: "To",
                kind: OptionKind::Choice(&["upper", "lower", "title", "sentence"]),
                required: true,
                default: None,
                about: "UPPER, lower, Title Of Words, or Sentence of words.",
            },
        ],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`case`")?;
        let columns = read_columns_or_all(&mut options, reading, "columns");
        let to = options.required_choice(reading, "to", LETTERS);
        options.finish(reading, &["columns", "to"]);
        Some(Self { columns, to: to? })
    }

    pub(super) fn to_json(&self) -> Json {
        let word = LETTERS.iter().find(|(_, letters)| *letters == self.to);
        json!({ "columns": columns_or_all_json(&self.columns), "to": word.map(|(word, _)| *word) })
    }

    pub(super) fn label(&self) -> String {
        let columns = columns_or_all_words(&self.columns);
        match self.to {
            Letters::Upper => format!("Write {columns} in capitals"),
            Letters::Lower => format!("Write {columns} in small letters"),
            Letters::Title => format!("Begin each word of {columns} with a capital"),
            Letters::Sentence => format!("Begin each sentence of {columns} with a capital"),
        }
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        positions_or_all(columns, &self.columns)?;
        Ok(columns.to_vec())
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        let positions = positions_or_all(columns, &self.columns)?;
        Ok(Operator::step(TextStep::new(columns, positions, self.to)))
    }
}

impl TextChange for Letters {
    fn change<'a>(&self, text: &'a str, draft: &mut Draft) -> Changed<'a> {
        match self {
            Self::Upper => each(text, draft, str::make_ascii_uppercase, |c, draft| {
                draft.extend(c.to_uppercase());
            }),
            Self::Lower => lower(text, draft),
            Self::Title => words(text, draft, |_| true),
            Self::Sentence => {
                let mut sentences = Sentences::default();
                words(text, draft, |between| sentences.begins(between));
            }
        }
        Changed::Written
    }
}

/// Small letters. A sigma at the end of a word has a form of its own, which only the whole text shows.
fn lower(text: &str, draft: &mut Draft) {
    if text.contains('Σ') {
        draft.push(&text.to_lowercase());
    } else {
        each(text, draft, str::make_ascii_lowercase, |c, draft| {
            draft.extend(c.to_lowercase());
        });
    }
}

/// Runs of ASCII letters at once, the others one by one.
fn each(text: &str, draft: &mut Draft, ascii: fn(&mut str), other: fn(char, &mut Draft)) {
    let mut rest = text;
    while !rest.is_empty() && !draft.is_over() {
        let end = rest.bytes().position(|byte| !byte.is_ascii()).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        draft.push_ascii(run, ascii);
        let mut chars = after.chars();
        if let Some(c) = chars.next() {
            other(c, draft);
        }
        rest = chars.as_str();
    }
}

/// Whether a character behind another one of a word belongs to it. Soft hyphens, joiners and word joiners are not seen and
/// divide nothing (Unicode Standard Annex 29, WB4).
fn in_word(c: char) -> bool {
    c.is_alphanumeric()
        || is_combining_mark(c)
        || matches!(c, '\'' | '’' | 'ʼ' | '\u{ad}' | '\u{200c}' | '\u{200d}' | '\u{2060}')
}

/// Writes each word small, with a capital where `capital` says so of what stands between it and the word before.
fn words(text: &str, draft: &mut Draft, mut capital: impl FnMut(&str) -> bool) {
    let mut rest = text;
    loop {
        let start = rest.find(char::is_alphanumeric).unwrap_or(rest.len());
        let (between, word) = rest.split_at(start);
        draft.push(between);
        if word.is_empty() || draft.is_over() {
            return;
        }
        let (word, after) = word.split_at(word.find(|c| !in_word(c)).unwrap_or(word.len()));
        if capital(between) {
            capitalised(word, draft);
        } else {
            lower(word, draft);
        }
        rest = after;
    }
}

fn capitalised(word: &str, draft: &mut Draft) {
    let Some(first) = word.chars().next() else { return };
    title(first, draft);
    if word.contains('Σ') {
        let small = word.to_lowercase();
        let begun: usize = first.to_lowercase().map(char::len_utf8).sum();
        draft.push(small.get(begun..).unwrap_or_default());
    } else {
        lower(&word[first.len_utf8()..], draft);
    }
}

/// The form of a letter at the head of a word: the capital, but where Unicode has another for it (UnicodeData.txt and
/// SpecialCasing.txt, "title").
fn title(c: char, draft: &mut Draft) {
    match c {
        'Ǆ' | 'ǅ' | 'ǆ' => draft.push("ǅ"),
        'Ǉ' | 'ǈ' | 'ǉ' => draft.push("ǈ"),
        'Ǌ' | 'ǋ' | 'ǌ' => draft.push("ǋ"),
        'Ǳ' | 'ǲ' | 'ǳ' => draft.push("ǲ"),
        // Georgian has capitals for whole words only.
        '\u{10d0}'..='\u{10ff}' => draft.push_char(c),
        // Greek letters with a small iota below them keep it there.
        '\u{1f80}'..='\u{1fff}' if c.to_uppercase().last() == Some('Ι') && c.to_uppercase().len() > 1 => {
            let letters = c.to_uppercase().len() - 1;
            let iota_below = c.to_uppercase().take(letters).chain(['\u{345}']);
            if letters == 1 {
                draft.extend(iota_below.nfc());
            } else {
                draft.extend(iota_below);
            }
        }
        'ŉ' => draft.extend(c.to_uppercase()),
        _ => {
            let mut capital = c.to_uppercase();
            draft.extend(capital.next());
            draft.extend(capital.flat_map(char::to_lowercase));
        }
    }
}

/// Where sentences begin, word by word.
#[derive(Default)]
struct Sentences {
    begun: bool,
}

impl Sentences {
    /// Whether a word behind this begins a sentence.
    fn begins(&mut self, between: &str) -> bool {
        let ends = ['.', '!', '?', '…'];
        let ended = between
            .find(ends)
            .is_some_and(|end| between[end..].contains(char::is_whitespace));
        let begins = !self.begun || ended;
        self.begun = true;
        begins
    }
}
