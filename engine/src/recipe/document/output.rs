//! What comes out of a recipe: the format, and what becomes of rejected rows.

use serde_json::{Value as Json, json};

use super::{Node, Reading};

/// The `output` part of a recipe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputOptions {
    /// The format of the result and of the list of rejects.
    pub format: OutputFormat,
    /// What becomes of rejected rows.
    pub policy: RejectsPolicy,
    /// How rejected rows are told of.
    pub rejects_as: RejectsForm,
}

/// A file format that is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputFormat {
    /// One workbook, a sheet per table.
    #[default]
    Xlsx,
    /// A file per table.
    Csv,
}

/// What becomes of rows that a rule rejects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RejectsPolicy {
    /// They are left out of the result and listed.
    #[default]
    LeaveOut,
    /// They stay in the result, with what could not be made out left blank, and are listed.
    Keep,
    /// The run fails; they are listed.
    Fail,
}

/// How rejected rows are told of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RejectsForm {
    /// A list: file, sheet, row, cell, column, value, rule, message.
    #[default]
    List,
    /// The sheet as it was read, as xlsx: what is wrong with a cell coloured and noted on it, with the columns `_row` and
    /// `_errors`.
    Annotate,
}

impl OutputFormat {
    /// The formats by the words of the document.
    pub const WORDS: &[(&str, Self)] = &[("xlsx", Self::Xlsx), ("csv", Self::Csv)];

    /// The word of the document, which is also the extension of files.
    #[must_use]
    pub fn word(self) -> &'static str {
        word(Self::WORDS, self)
    }
}

impl RejectsPolicy {
    /// The policies by the words of the document.
    pub const WORDS: &[(&str, Self)] = &[
        ("leave_out", Self::LeaveOut),
        ("keep", Self::Keep),
        ("fail", Self::Fail),
    ];

    /// The word of the document.
    #[must_use]
    pub fn word(self) -> &'static str {
        word(Self::WORDS, self)
    }
}

impl RejectsForm {
    /// The forms by the words of the document.
    pub const WORDS: &[(&str, Self)] = &[("list", Self::List), ("annotate", Self::Annotate)];

    /// The word of the document.
    #[must_use]
    pub fn word(self) -> &'static str {
        word(Self::WORDS, self)
    }
}

fn word<T: PartialEq + Copy>(words: &'static [(&'static str, T)], value: T) -> &'static str {
    words
        .iter()
        .find(|(_, candidate)| *candidate == value)
        .map_or("", |(word, _)| *word)
}

impl OutputOptions {
    pub(super) fn read(node: &Node, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, "output", "`output`")?;
        let format = options
            .optional_choice(reading, "format", OutputFormat::WORDS)
            .unwrap_or_default();
        let (mut policy, mut rejects_as) = (RejectsPolicy::default(), RejectsForm::default());
        if let Some(node) = options.take("rejects")
            && let Some(mut rejects) = reading.map(node, "output.rejects", "`rejects`")
        {
            policy = rejects
                .optional_choice(reading, "policy", RejectsPolicy::WORDS)
                .unwrap_or_default();
            rejects_as = rejects
                .optional_choice(reading, "as", RejectsForm::WORDS)
                .unwrap_or_default();
            rejects.finish(reading, &["policy", "as"]);
        }
        options.finish(reading, &["format", "rejects"]);
        Some(Self {
            format,
            policy,
            rejects_as,
        })
    }

    pub(super) fn to_json(self) -> Json {
        json!({
            "format": self.format.word(),
            "rejects": { "policy": self.policy.word(), "as": self.rejects_as.word() },
        })
    }
}
