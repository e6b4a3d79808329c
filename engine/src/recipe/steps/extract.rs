//! `extract`: take parts out of texts.

use regex::Regex;
use serde_json::{Value as Json, json};

use super::{Definition, OptionForm, OptionKind, enumerated};
use crate::recipe::columns::Column;
use crate::recipe::document::{Node, Options, Reading};
use crate::recipe::plan::operator::Operator;
use crate::recipe::plan::patterns::{Capitals, compile, shown};
use crate::recipe::plan::spread::{Parting, Source, Spread, SpreadStep};
use crate::recipe::problem::Problem;

/// Takes what the groups of a regular expression find in a column into new text columns, which stand behind it. Only the
/// first match counts; a pattern without groups gives what it matches. Numbers and dates are searched as they stand in a
/// text. A blank cell gives blank cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extract {
    /// The column.
    pub column: String,
    /// The regular expression.
    pub pattern: String,
    /// The new columns, one for each group.
    pub into: Vec<String>,
    /// What happens where it does not match.
    pub otherwise: NoMatch,
}

/// What happens where a pattern does not match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NoMatch {
    /// The new cells are blank.
    #[default]
    Blank,
    /// The row is rejected.
    Reject,
    /// The first of the new cells is the whole text.
    Keep,
}

const OTHERWISE: &[(&str, NoMatch)] = &[
    ("blank", NoMatch::Blank),
    ("reject", NoMatch::Reject),
    ("keep", NoMatch::Keep),
];

impl Extract {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "extract",
        title: "Take parts out of text",
        about: "Takes what a regular expression finds in a column into new columns.",
        options: &[
            OptionForm {
                name: "column",
                title: "Column",
                kind: OptionKind::Column,
                required: true,
                default: None,
                about: "The column to search.",
            },
            OptionForm {
                name: "pattern",
                title: "Pattern",
                kind: OptionKind::Text,
                required: true,
                default: None,
                about: "A regular expression with a group for each new column, such as ([A-Z]+)-([0-9]+).",
            },
            OptionForm {
                name: "into",
                title: "New columns",
                kind: OptionKind::Texts,
                required: true,
                default: None,
                about: "The names of the new columns, in the order of the groups.",
            },
            OptionForm {
                name: "otherwise",
                title: "Otherwise",
                kind: OptionKind::Choice(&["blank", "reject", "keep"]),
                required: false,
                default: Some("\"blank\""),
                about: "Where it finds nothing: blank cells, the row rejected, or the whole text in the first new column.",
            },
        ],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`extract`")?;
        let column = options.required_text(reading, "column");
        let into = options.required_texts(reading, "into");
        if into.as_ref().is_some_and(Vec::is_empty) {
            reading.problem_of(&options.path("into"), "`into` of `extract` names no column.");
            return None;
        }
        let pattern = read_pattern(&mut options, into.as_ref().map(Vec::len), reading);
        let otherwise = options
            .optional_choice(reading, "otherwise", OTHERWISE)
            .unwrap_or_default();
        options.finish(reading, &["column", "pattern", "into", "otherwise"]);
        Some(Self {
            column: column?,
            pattern: pattern?,
            into: into?,
            otherwise,
        })
    }

    pub(super) fn to_json(&self) -> Json {
        let word = OTHERWISE.iter().find(|(_, otherwise)| *otherwise == self.otherwise);
        json!({
            "column": self.column,
            "pattern": self.pattern,
            "into": self.into,
            "otherwise": word.map(|(word, _)| *word),
        })
    }

    pub(super) fn label(&self) -> String {
        let otherwise = match self.otherwise {
            NoMatch::Blank => "",
            NoMatch::Reject => ", reject rows without it",
            NoMatch::Keep => ", or else the whole text",
        };
        let (pattern, into) = (shown(&self.pattern), enumerated(&self.into));
        format!("Take `{pattern}` out of {} into {into}{otherwise}", self.column)
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        Ok(self.spread(columns)?.columns(columns, &self.into))
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        let regex =
            compile(&self.pattern, Capitals::Matter).map_err(|message| vec![Problem::at("pattern", message)])?;
        let pattern = shown(&self.pattern);
        Ok(Operator::step(SpreadStep {
            spread: self.spread(columns)?,
            parting: Finding {
                regex,
                pattern,
                otherwise: self.otherwise,
            },
        }))
    }

    fn spread(&self, columns: &[Column]) -> Result<Spread, Vec<Problem>> {
        Spread::new(columns, &self.column, &self.into, Source::Stays)
    }
}

/// Reads a pattern with a group for each of so many columns.
fn read_pattern(options: &mut Options<'_>, into: Option<usize>, reading: &mut Reading) -> Option<String> {
    let node = options.require(reading, "pattern")?;
    let path = options.path("pattern");
    let pattern = reading.text(node, &path, &options.subject("pattern"))?;
    let fits = compile(&pattern, Capitals::Matter).and_then(|regex| {
        let (groups, into) = (regex.captures_len() - 1, into.unwrap_or(1));
        if groups.max(1) == into {
            return Ok(());
        }
        let columns = if into == 1 {
            "1 new column".to_owned()
        } else {
            format!("{into} new columns")
        };
        let groups = if groups == 1 {
            "1 group".to_owned()
        } else {
            format!("{groups} groups")
        };
        Err(format!(
            "The pattern has {groups} for {columns}; write (?:…) for a group that is not taken."
        ))
    });
    if let Err(message) = fits {
        reading.problem(node.place, &path, format!("`pattern` of `extract`: {message}"));
        return None;
    }
    Some(pattern)
}

#[derive(Debug)]
struct Finding {
    regex: Regex,
    pattern: String,
    otherwise: NoMatch,
}

impl Parting for Finding {
    fn part<'a>(&self, text: &'a str, parts: &mut Vec<&'a str>) -> Option<(&'static str, String)> {
        if self.regex.captures_len() == 1
            && let Some(found) = self.regex.find(text)
        {
            parts.push(found.as_str());
            return None;
        }
        if let Some(captures) = self.regex.captures(text) {
            let found = captures.iter().skip(1);
            parts.extend(found.map(|group| group.map_or("", |group| group.as_str())));
            return None;
        }
        match self.otherwise {
            NoMatch::Blank => None,
            NoMatch::Keep => {
                parts.push(text);
                None
            }
            NoMatch::Reject => {
                let message = format!("`{}` does not match `{}`", shown(text), self.pattern);
                Some(("no_match", message))
            }
        }
    }

    fn rejects(&self) -> bool {
        self.otherwise == NoMatch::Reject
    }
}
