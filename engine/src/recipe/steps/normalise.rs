//! `normalise`: one spelling for characters that look alike.

use serde_json::{Value as Json, json};
use unicode_normalization::{
    IsNormalized, UnicodeNormalization, is_nfc_quick, is_nfd_quick, is_nfkc_quick, is_nfkd_quick,
};

use super::trim::{columns_or_all_json, columns_or_all_words, positions_or_all, read_columns_or_all};
use super::{Definition, OptionForm, OptionKind};
use crate::recipe::columns::Column;
use crate::recipe::document::{Node, Reading};
use crate::recipe::plan::operator::Operator;
use crate::recipe::plan::texts::{Changed, Draft, TextChange, TextStep};
use crate::recipe::problem::Problem;

/// Writes texts in one of Unicode's normal forms (Unicode Standard Annex 15), so that what looks alike is alike, and takes
/// accents away where that is wanted. Cells that are no text stay as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Normalise {
    /// Which columns; `None`: all of them.
    pub columns: Option<Vec<String>>,
    /// How texts are written.
    pub spelling: Spelling,
}

/// How texts are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spelling {
    /// The normal form.
    pub form: Form,
    /// Whether accents go: combining marks of the Latin, Greek and Cyrillic scripts, and the strokes of `ø`, `đ`, `ł`, `ħ` and
    /// `ŧ`. Marks of other scripts, such as vowel signs, stay; so do `ß`, `æ` and `þ`, which are letters of their own.
    pub strip_accents: bool,
}

/// One of Unicode's normal forms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Letters and accents in one character.
    #[default]
    Nfc,
    /// Letters and accents as characters of their own.
    Nfd,
    /// As NFC, and ligatures, wide letters and small digits become ordinary.
    Nfkc,
    /// As NFD, and ligatures, wide letters and small digits become ordinary.
    Nfkd,
}

const FORMS: &[(&str, Form)] = &[
    ("NFC", Form::Nfc),
    ("NFD", Form::Nfd),
    ("NFKC", Form::Nfkc),
    ("NFKD", Form::Nfkd),
];

impl Normalise {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "normalise",
        title: "Unify characters",
        about: "Writes characters that look alike in one way, and takes accents away where wanted.",
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
                name: "form",
                title: "Form",
                kind: OptionKind::Choice(&["NFC", "NFD", "NFKC", "NFKD"]),
                required: false,
                default: Some("\"NFC\""),
                about: "The normal form of Unicode; NFKC also makes ligatures and wide letters ordinary.",
            },
            OptionForm {
                name: "strip_accents",
                title: "Take accents away",
                kind: OptionKind::Flag,
                required: false,
                default: Some("false"),
                about: "é becomes e and Ł becomes L; ß and æ stay.",
            },
        ],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`normalise`")?;
        let columns = read_columns_or_all(&mut options, reading, "columns");
        let spelling = Spelling {
            form: options.optional_choice(reading, "form", FORMS).unwrap_or_default(),
            strip_accents: options.optional_flag(reading, "strip_accents").unwrap_or_default(),
        };
        options.finish(reading, &["columns", "form", "strip_accents"]);
        Some(Self { columns, spelling })
    }

    pub(super) fn to_json(&self) -> Json {
        let word = FORMS.iter().find(|(_, form)| *form == self.spelling.form);
        json!({
            "columns": columns_or_all_json(&self.columns),
            "form": word.map(|(word, _)| *word),
            "strip_accents": self.spelling.strip_accents,
        })
    }

    pub(super) fn label(&self) -> String {
        let columns = columns_or_all_words(&self.columns);
        let word = FORMS.iter().find(|(_, form)| *form == self.spelling.form);
        let form = word.map_or("", |(word, _)| *word);
        if self.spelling.strip_accents {
            format!("Take accents away in {columns} and write characters as {form}")
        } else {
            format!("Write the characters of {columns} as {form}")
        }
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        positions_or_all(columns, &self.columns)?;
        Ok(columns.to_vec())
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        let positions = positions_or_all(columns, &self.columns)?;
        Ok(Operator::step(TextStep::new(columns, positions, self.spelling)))
    }
}

impl TextChange for Spelling {
    fn change<'a>(&self, text: &'a str, draft: &mut Draft) -> Changed<'a> {
        if text.is_ascii() || (!self.strip_accents && self.form.is_form_of(text)) {
            return Changed::Same;
        }
        // An ASCII character is never changed and joins with nothing in front of it: only what stands behind one may join it.
        let mut rest = text;
        while let Some(odd) = rest.bytes().position(|byte| !byte.is_ascii()) {
            let (ascii, odd) = rest.split_at(odd.saturating_sub(1));
            let end = odd.char_indices().skip(1).find(|(_, c)| c.is_ascii());
            let (odd, after) = odd.split_at(end.map_or(odd.len(), |(at, _)| at));
            draft.push(ascii);
            self.spell(odd, draft);
            rest = after;
        }
        draft.push(rest);
        Changed::Written
    }
}

impl Spelling {
    fn spell(self, text: &str, draft: &mut Draft) {
        let strip = self.strip_accents;
        let plain = |c: char| (!strip || !is_accent(c)).then(|| if strip { without_stroke(c) } else { c });
        match self.form {
            Form::Nfc => draft.extend(text.nfd().filter_map(plain).nfc()),
            Form::Nfd => draft.extend(text.nfd().filter_map(plain)),
            Form::Nfkc => draft.extend(text.nfkd().filter_map(plain).nfc()),
            Form::Nfkd => draft.extend(text.nfkd().filter_map(plain)),
        }
    }
}

impl Form {
    /// Whether a text surely is in this form already.
    fn is_form_of(self, text: &str) -> bool {
        let quick = match self {
            Self::Nfc => is_nfc_quick(text.chars()),
            Self::Nfd => is_nfd_quick(text.chars()),
            Self::Nfkc => is_nfkc_quick(text.chars()),
            Self::Nfkd => is_nfkd_quick(text.chars()),
        };
        quick == IsNormalized::Yes
    }
}

/// A combining mark of the blocks that hold accents: those for letters, and their extensions, supplement, symbols and halves.
fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Letters whose stroke is not a mark of its own in Unicode.
fn without_stroke(c: char) -> char {
    match c {
        'Ø' => 'O',
        'ø' => 'o',
        'Đ' => 'D',
        'đ' => 'd',
        'Ħ' => 'H',
        'ħ' => 'h',
        'Ł' => 'L',
        'ł' => 'l',
        'Ŧ' => 'T',
        'ŧ' => 't',
        c => c,
    }
}
