//! `replace`: put other text in place of some.

use memchr::memmem::Finder;
use regex::Regex;
use serde_json::{Value as Json, json};

use super::trim::{columns_or_all_json, columns_or_all_words, positions_or_all, read_columns_or_all};
use super::{Definition, OptionForm, OptionKind};
use crate::recipe::columns::Column;
use crate::recipe::document::{Node, Reading};
use crate::recipe::plan::operator::Operator;
use crate::recipe::plan::patterns::{Capitals, Template, compile, shown};
use crate::recipe::plan::texts::{Changed, Draft, TextChange, TextStep};
use crate::recipe::problem::Problem;

/// Puts other text in place of some, everywhere in a text. Cells that are no text stay as they are: to change digits of
/// numbers, make them text before. A text of which nothing is left becomes a blank cell; blank cells stay blank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replace {
    /// Which columns; `None`: all of them.
    pub columns: Option<Vec<String>>,
    /// What is looked for.
    pub find: String,
    /// What is put in its place.
    pub with: String,
    /// How it is looked for.
    pub matching: Match,
    /// Whether capital and small letters are the same.
    pub capitals: Capitals,
}

/// How a text is looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Match {
    /// Anywhere in the cell, as often as it is there.
    #[default]
    Text,
    /// As the whole cell.
    Cell,
    /// As a regular expression; `$1` in what is put there is what its first group found.
    Regex,
}

const MATCHES: &[(&str, Match)] = &[("text", Match::Text), ("cell", Match::Cell), ("regex", Match::Regex)];

impl Replace {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "replace",
        title: "Replace text",
        about: "Puts other text in place of some, wherever it is found in texts.",
        options: &[
            OptionForm {
                name: "columns",
                title: "Columns",
                kind: OptionKind::ColumnsOrAll,
                required: false,
                default: Some("\"all\""),
                about: "The columns to look in, or all of them; only texts change.",
            },
            OptionForm {
                name: "find",
                title: "Find",
                kind: OptionKind::Text,
                required: true,
                default: None,
                about: "What is looked for.",
            },
            OptionForm {
                name: "with",
                title: "Replace with",
                kind: OptionKind::Text,
                required: false,
                default: Some("\"\""),
                about: "What is put in its place; nothing removes it. With `regex`, $1 is what the first group found.",
            },
            OptionForm {
                name: "match",
                title: "Match",
                kind: OptionKind::Choice(&["text", "cell", "regex"]),
                required: false,
                default: Some("\"text\""),
                about: "Text anywhere in the cell, the whole cell, or a regular expression.",
            },
            OptionForm {
                name: "ignore_case",
                title: "Ignore capitals",
                kind: OptionKind::Flag,
                required: false,
                default: Some("false"),
                about: "Capital and small letters are the same.",
            },
        ],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`replace`")?;
        let columns = read_columns_or_all(&mut options, reading, "columns");
        let find = options.required_text(reading, "find");
        let with = options.optional_plain(reading, "with").unwrap_or_default();
        let matching = options.optional_choice(reading, "match", MATCHES).unwrap_or_default();
        let ignored = options.optional_flag(reading, "ignore_case").unwrap_or_default();
        let paths = [options.path("find"), options.path("with")];
        options.finish(reading, &["columns", "find", "with", "match", "ignore_case"]);
        let step = Self {
            columns,
            find: find?,
            with,
            matching,
            capitals: if ignored { Capitals::Ignored } else { Capitals::Matter },
        };
        match step.swap() {
            Ok(_) => Some(step),
            Err((option, message)) => {
                let path = &paths[usize::from(option == "with")];
                reading.problem_of(path, format!("`{option}` of `replace`: {message}"));
                None
            }
        }
    }

    pub(super) fn to_json(&self) -> Json {
        let word = MATCHES.iter().find(|(_, matching)| *matching == self.matching);
        json!({
            "columns": columns_or_all_json(&self.columns),
            "find": self.find,
            "with": self.with,
            "match": word.map(|(word, _)| *word),
            "ignore_case": self.capitals == Capitals::Ignored,
        })
    }

    pub(super) fn label(&self) -> String {
        let what = match self.matching {
            Match::Text => format!("`{}`", shown(&self.find)),
            Match::Cell => format!("cells that are `{}`", shown(&self.find)),
            Match::Regex => format!("what matches `{}`", shown(&self.find)),
        };
        let columns = columns_or_all_words(&self.columns);
        if self.with.is_empty() {
            format!("Remove {what} in {columns}")
        } else {
            format!("Replace {what} with `{}` in {columns}", shown(&self.with))
        }
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        positions_or_all(columns, &self.columns)?;
        Ok(columns.to_vec())
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        let positions = positions_or_all(columns, &self.columns)?;
        let swap = self
            .swap()
            .map_err(|(option, message)| vec![Problem::at(option, message)])?;
        Ok(Operator::step(TextStep::new(columns, positions, swap)))
    }

    /// The step ready to be used, or the option that is wrong and why.
    fn swap(&self) -> Result<Swap, (&'static str, String)> {
        if self.find.is_empty() {
            return Err(("find", "There must be something to look for.".into()));
        }
        let escaped = regex::escape(&self.find);
        let pattern = match (self.matching, self.capitals) {
            (Match::Text, Capitals::Matter) => {
                let finder = Finder::new(self.find.as_bytes()).into_owned();
                return Ok(Swap::Text(Box::new(finder), self.with.clone()));
            }
            (Match::Cell, Capitals::Matter) => return Ok(Swap::Cell(self.find.clone(), self.with.clone())),
            (Match::Text, Capitals::Ignored) => escaped,
            (Match::Cell, Capitals::Ignored) => format!(r"\A(?:{escaped})\z"),
            (Match::Regex, _) => self.find.clone(),
        };
        let regex = compile(&pattern, self.capitals).map_err(|message| ("find", message))?;
        if self.matching != Match::Regex {
            return Ok(Swap::Plain(regex, self.with.clone()));
        }
        let template = Template::new(&self.with, &regex).map_err(|message| ("with", message))?;
        Ok(match template.plain() {
            Some(with) => Swap::Plain(regex, with),
            None => Swap::Groups(regex, template),
        })
    }
}

/// What is looked for, and what is put in its place.
#[derive(Debug)]
enum Swap {
    Text(Box<Finder<'static>>, String),
    Cell(String, String),
    Plain(Regex, String),
    Groups(Regex, Template),
}

impl TextChange for Swap {
    fn change<'a>(&self, text: &'a str, draft: &mut Draft) -> Changed<'a> {
        let mut done = 0;
        let mut put = |from: usize, to: usize, draft: &mut Draft| {
            draft.push(&text[done..from]);
            done = to;
            !draft.is_over()
        };
        match self {
            Self::Cell(find, _) if find != text => return Changed::Same,
            Self::Cell(_, with) => {
                draft.push(with);
                return Changed::Written;
            }
            Self::Text(finder, with) => {
                let length = finder.needle().len();
                for at in finder.find_iter(text.as_bytes()) {
                    if !put(at, at + length, draft) {
                        break;
                    }
                    draft.push(with);
                }
            }
            Self::Plain(regex, with) => {
                for found in regex.find_iter(text) {
                    if !put(found.start(), found.end(), draft) {
                        break;
                    }
                    draft.push(with);
                }
            }
            Self::Groups(regex, template) => {
                for captures in regex.captures_iter(text) {
                    let whole = captures.get_match();
                    if !put(whole.start(), whole.end(), draft) {
                        break;
                    }
                    template.write(&captures, draft);
                }
            }
        }
        if done == 0 && draft.text().is_empty() && !draft.is_over() {
            return Changed::Same;
        }
        draft.push(&text[done..]);
        Changed::Written
    }
}
