//! `deduplicate`: keep one of rows that are alike.

use serde_json::{Value as Json, json};

use super::trim::read_columns_or_all;
use super::{Definition, OptionForm, OptionKind, enumerated, find_all};
use crate::recipe::columns::{Column, kind_words};
use crate::recipe::document::{Node, Options, Reading};
use crate::recipe::plan::alike::Ignored;
use crate::recipe::plan::deduplicate::DeduplicatePlan;
use crate::recipe::plan::operator::Operator;
use crate::recipe::plan::similar::Threshold;
use crate::recipe::problem::Problem;
use crate::tables::ColumnKind;

/// Of rows that are alike in some columns, keeps the first, the last or the one with the most filled cells, in its place. Blanks
/// are alike; the text `5` and the number 5 are not; case counts unless it is to be ignored.
///
/// With `similarity` rows are alike whose texts are nearly equal in each of the columns: a row joins the group of the earliest
/// row that heads a group and is similar enough, or heads a group of its own; see [`crate::recipe::plan::similar`].
#[derive(Clone, Debug, PartialEq)]
pub struct Deduplicate {
    /// The columns that are compared; `None`: all of them.
    pub by: Option<Vec<String>>,
    /// Which row stays.
    pub keep: Keep,
    /// Differences of texts that do not count.
    pub ignore: Vec<Ignore>,
    /// How similar the texts of each column must be, from 0.5 to 1; `None`: equal.
    pub similarity: Option<f64>,
    /// Whether the order of words counts, where rows need not be equal.
    pub words: Words,
    /// What becomes of rows that are alike.
    pub groups: Groups,
}

/// Whether the order of words counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Words {
    /// It does not: "Müller, Hans" is "Hans Müller".
    #[default]
    AnyOrder,
    /// It does.
    InOrder,
}

impl Words {
    /// The choices by the words of the document.
    pub const WORDS: &[(&str, Self)] = &[("any_order", Self::AnyOrder), ("in_order", Self::InOrder)];
}

/// What becomes of rows that are alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Groups {
    /// All but one are removed.
    #[default]
    Remove,
    /// All stay, and columns say which are alike.
    Mark,
}

impl Groups {
    /// The choices by the words of the document.
    pub const WORDS: &[(&str, Self)] = &[("remove", Self::Remove), ("mark", Self::Mark)];
}

/// The columns that marked rows get.
const MARKS: [(&str, ColumnKind); 3] = [
    ("group", ColumnKind::Integer),
    ("similarity", ColumnKind::Decimal),
    ("keep", ColumnKind::Boolean),
];

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
            OptionForm {
                name: "similarity",
                title: "Similar from",
                kind: OptionKind::Text,
                required: false,
                default: None,
                about: "From `0.5` to `1`; `0.9`: one letter in ten may differ. Case, marks on letters, punctuation and blanks never count then. Left out: rows must be equal.",
            },
            OptionForm {
                name: "words",
                title: "Words",
                kind: OptionKind::Choice(&["any_order", "in_order"]),
                required: false,
                default: Some("\"any_order\""),
                about: "With a similarity: whether \u{201c}Müller, Hans\u{201d} and \u{201c}Hans Müller\u{201d} are alike.",
            },
            OptionForm {
                name: "groups",
                title: "Rows that are alike",
                kind: OptionKind::Choice(&["remove", "mark"]),
                required: false,
                default: Some("\"remove\""),
                about: "`mark`: none is removed; new columns `group`, `similarity` and `keep` say which are alike.",
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
        let similarity = read_similarity(&mut options, reading);
        let words = options.optional_choice(reading, "words", Words::WORDS);
        let groups = options.optional_choice(reading, "groups", Groups::WORDS);
        options.finish(reading, &["by", "keep", "ignore", "similarity", "words", "groups"]);
        let idle = match similarity {
            Some(_) if by.is_none() => Some((
                "by",
                "`by` of `deduplicate` must name columns of text where there is a `similarity`.",
            )),
            Some(_) if ignore.is_some() => Some((
                "ignore",
                "`ignore` of `deduplicate` means nothing beside `similarity`: case, blanks and accents never count there.",
            )),
            None if words.is_some() => Some(("words", "`words` of `deduplicate` means nothing without `similarity`.")),
            _ => None,
        };
        if let Some((option, message)) = idle {
            reading.problem(node.place, &format!("{path}.{option}"), message);
            return None;
        }
        if by.as_ref().is_some_and(Vec::is_empty) {
            let message = "`by` of `deduplicate` is an empty list: name columns, or leave it out to compare all.";
            reading.problem(node.place, &format!("{path}.by"), message);
            return None;
        }
        Some(Self {
            by,
            keep,
            ignore: ignore.unwrap_or_default(),
            similarity,
            words: words.unwrap_or_default(),
            groups: groups.unwrap_or_default(),
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
        if let Some(similarity) = self.similarity {
            json["similarity"] = json!(similarity);
        }
        if self.words == Words::InOrder {
            json["words"] = json!("in_order");
        }
        if self.groups == Groups::Mark {
            json["groups"] = json!("mark");
        }
        json
    }

    pub(super) fn label(&self) -> String {
        let keep = self.keep.word().replace('_', " ");
        let verb = match self.groups {
            Groups::Remove => "Keep",
            Groups::Mark => "Mark",
        };
        match self.similarity {
            None => format!("{verb} the {keep} of rows with equal {}", self.alike()),
            Some(least) => {
                let percent = (least * 1000.0).round() / 10.0;
                format!(
                    "{verb} the {keep} of rows with similar {} ({percent} % or more)",
                    self.alike()
                )
            }
        }
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
        let positions = self.positions(columns)?;
        if self.similarity.is_some() {
            let texts = |kind| matches!(kind, ColumnKind::Text | ColumnKind::Mixed | ColumnKind::Blank);
            let others = (0..).zip(&positions).filter(|(_, at)| !texts(columns[**at].kind));
            let problems: Vec<Problem> = others.map(|(index, at)| no_text(index, &columns[*at])).collect();
            if !problems.is_empty() {
                return Err(problems);
            }
        }
        let mut after = columns.to_vec();
        if self.groups == Groups::Mark {
            for (name, kind) in MARKS {
                if columns.iter().any(|column| column.name == name) {
                    let message = format!("`mark` adds a column `{name}`, and there is one already: rename it before.");
                    return Err(vec![Problem::at("groups", message)]);
                }
                after.push(Column::made(name, kind));
            }
        }
        Ok(after)
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
            similar: self.similarity.map(|least| Threshold {
                least,
                words: self.words,
            }),
            groups: self.groups,
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

fn read_similarity(options: &mut Options<'_>, reading: &mut Reading) -> Option<f64> {
    let (path, subject) = (options.path("similarity"), options.subject("similarity"));
    let node = options.take("similarity")?;
    let text = reading.text(node, &path, &subject)?;
    let read = text.parse().ok().filter(|least| (0.5..=1.0).contains(least));
    if read.is_none() {
        let message = format!("{subject} expects a number from 0.5 to 1, such as `0.9`, not `{text}`.");
        reading.problem(node.place, &path, message);
    }
    read
}

/// What is wrong with a column that is not of text.
fn no_text(index: usize, column: &Column) -> Problem {
    let message = format!(
        "The column `{}` holds {}, and `similarity` compares texts: leave it out, or put a `convert` step before.",
        column.name,
        kind_words(column.kind)
    );
    Problem::at(format!("by[{index}]"), message)
}
