//! `deduplicate`: keep one of rows that are alike.

use serde_json::{Value as Json, json};

use super::trim::read_columns_or_all;
use super::{Definition, OptionForm, OptionKind, enumerated, find_all};
use crate::recipe::columns::Column;
use crate::recipe::document::{Node, Reading};
use crate::recipe::plan::alike::Ignored;
use crate::recipe::plan::deduplicate::DeduplicatePlan;
use crate::recipe::plan::operator::Operator;
use crate::recipe::problem::Problem;

/// Of rows that are alike in some columns, keeps the first, the last or the one with the most filled cells, in its place. Blanks
/// are alike; the text `5` and the number 5 are not; case counts unless it is to be ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deduplicate {
    /// The columns that are compared; `None`: all of them.
    pub by: Option<Vec<String>>,
    /// Which row stays.
    pub keep: Keep,
    /// Differences of texts that do not count.
    pub ignore: Vec<Ignore>,
}

/// A difference of texts that does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignore {
    /// Capital and small letters.
    Case,
    /// Blanks, wherever they are.
    Blanks,
    /// Marks on letters.
    Accents,
}

impl Ignore {
    /// The choices by the words of the document.
    pub const WORDS: &[(&str, Self)] = &[
        ("case", Self::Case),
        ("blanks", Self::Blanks),
        ("accents", Self::Accents),
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Case => "case",
            Self::Blanks => "blanks",
            Self::Accents => "accents",
        }
    }
}

/// Which of rows that are alike stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// The first.
    #[default]
    First,
    /// The last.
    Last,
    /// The one with the most filled cells; of several the first.
    MostComplete,
}

impl Keep {
    /// The choices by the words of the document.
    pub const WORDS: &[(&str, Self)] = &[
        ("first", Self::First),
        ("last", Self::Last),
        ("most_complete", Self::MostComplete),
    ];

    fn word(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Last => "last",
            Self::MostComplete => "most_complete",
        }
    }
}

impl Deduplicate {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "deduplicate",
        title: "Remove duplicates",
        about: "Of rows that are alike in the chosen columns, keeps one.",
        options: &[
            OptionForm {
                name: "by",
                title: "Columns that make rows alike",
                kind: OptionKind::ColumnsOrAll,
                required: false,
                default: Some("\"all\""),
                about: "Rows are duplicates when they are equal in all of these.",
            },
            OptionForm {
                name: "keep",
                title: "Keep",
                kind: OptionKind::Choice(&["first", "last", "most_complete"]),
                required: false,
                default: Some("\"first\""),
                about: "Which of the rows stays; `most_complete`: the one with the most filled cells.",
            },
            OptionForm {
                name: "ignore",
                title: "Ignore",
                kind: OptionKind::Choices(&["case", "blanks", "accents"]),
                required: false,
                default: Some("[]"),
                about: "Differences of texts that do not count: capital letters, blanks, marks on letters such as é.",
            },
        ],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`deduplicate`")?;
        let by = read_columns_or_all(&mut options, reading, "by");
        let keep = options
            .optional_choice(reading, "keep", Keep::WORDS)
            .unwrap_or_default();
        let ignore = options.optional_choices(reading, "ignore", Ignore::WORDS);
        options.finish(reading, &["by", "keep", "ignore"]);
        if by.as_ref().is_some_and(Vec::is_empty) {
            let message = "`by` of `deduplicate` is an empty list: name columns, or leave it out to compare all.";
            reading.problem(node.place, &format!("{path}.by"), message);
            return None;
        }
        Some(Self {
            by,
            keep,
            ignore: ignore.unwrap_or_default(),
        })
    }

    pub(super) fn to_json(&self) -> Json {
        let mut json = json!({
            "by": self.by.as_ref().map_or_else(|| json!("all"), |columns| json!(columns)),
            "keep": self.keep.word(),
        });
        // Left out where nothing is ignored, so that a recipe means the same bytes as ever.
        if !self.ignore.is_empty() {
            json["ignore"] = self.ignore.iter().map(|it| it.word()).collect();
        }
        json
    }

    pub(super) fn label(&self) -> String {
        let keep = self.keep.word().replace('_', " ");
        format!("Keep the {keep} of rows with equal {}", self.alike())
    }

    /// "id and name", "all columns", "name without regard to case".
    fn alike(&self) -> String {
        let alike = self
            .by
            .as_ref()
            .map_or_else(|| "all columns".into(), |columns| enumerated(columns));
        if self.ignore.is_empty() {
            return alike;
        }
        let ignored: Vec<String> = self.ignore.iter().map(|it| it.word().to_owned()).collect();
        format!("{alike} without regard to {}", enumerated(&ignored))
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        self.positions(columns)?;
        Ok(columns.to_vec())
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        let alike = self.alike();
        let why = match self.keep {
            Keep::First => format!("an earlier row has the same {alike}"),
            Keep::Last => format!("a later row has the same {alike}"),
            Keep::MostComplete => format!("another row has the same {alike} and as many filled cells or more"),
        };
        Ok(Operator::Deduplicate(DeduplicatePlan {
            by: self.positions(columns)?,
            ignored: Ignored {
                case: self.ignore.contains(&Ignore::Case),
                blanks: self.ignore.contains(&Ignore::Blanks),
                accents: self.ignore.contains(&Ignore::Accents),
            },
            keep: self.keep,
            why,
        }))
    }

    fn positions(&self, columns: &[Column]) -> Result<Vec<usize>, Vec<Problem>> {
        match &self.by {
            None => Ok((0..columns.len()).collect()),
            Some(names) => find_all(columns, names, "by"),
        }
    }
}
