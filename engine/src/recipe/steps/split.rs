//! `split`: divide a column into several.

use regex::Regex;
use serde_json::{Value as Json, json};

use super::{Definition, OptionForm, OptionKind, enumerated};
use crate::recipe::columns::Column;
use crate::recipe::document::{Node, Options, Reading, Value};
use crate::recipe::plan::operator::Operator;
use crate::recipe::plan::patterns::{Capitals, compile, shown};
use crate::recipe::plan::spread::{Parting, Source, Spread, SpreadStep};
use crate::recipe::plan::texts::MOST_UNITS;
use crate::recipe::problem::Problem;

/// Divides the text of a column into new text columns, which stand behind it or in its place. Numbers and dates are divided
/// as they stand in a text. Parts that are not there are blank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// The column.
    pub column: String,
    /// Where it is divided.
    pub by: By,
    /// The new columns.
    pub into: Vec<String>,
    /// What happens to more parts than there are new columns.
    pub extra: Extra,
    /// What becomes of the column.
    pub source: Source,
}

/// Where a text is divided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// At each of these texts.
    Delimiter(String),
    /// At each match of this pattern.
    Regex(String),
    /// After so many characters each.
    Widths(Vec<usize>),
}

/// What happens to more parts than there are new columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extra {
    /// They stay together in the last column, with what divides them.
    #[default]
    Last,
    /// The row is rejected; where the recipe keeps it, they stay together as with `last`.
    Reject,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ByWord {
    Delimiter,
    Regex,
    Widths,
}

const BYS: &[(&str, ByWord)] = &[
    ("delimiter", ByWord::Delimiter),
    ("regex", ByWord::Regex),
    ("widths", ByWord::Widths),
];
const EXTRAS: &[(&str, Extra)] = &[("last", Extra::Last), ("reject", Extra::Reject)];

impl Split {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "split",
        title: "Split a column",
        about: "Divides the text of a column into new columns, at a separator or after so many characters.",
        options: &[
            OptionForm {
                name: "column",
                title: "Column",
                kind: OptionKind::Column,
                required: true,
                default: None,
                about: "The column to divide.",
            },
            OptionForm {
                name: "by",
                title: "By",
                kind: OptionKind::Choice(&["delimiter", "regex", "widths"]),
                required: false,
                default: Some("\"delimiter\""),
                about: "At a separator, at a regular expression, or after so many characters.",
            },
            OptionForm {
                name: "separator",
                title: "Separator",
                kind: OptionKind::Text,
                required: false,
                default: None,
                about: "What stands between the parts, such as a comma, or a regular expression for it.",
            },
            OptionForm {
                name: "widths",
                title: "Widths",
                kind: OptionKind::Texts,
                required: false,
                default: None,
                about: "How many characters each part has, such as 2, 3; one more column takes the rest.",
            },
            OptionForm {
                name: "into",
                title: "New columns",
                kind: OptionKind::Texts,
                required: true,
                default: None,
                about: "The names of the new columns, in the order of the parts.",
            },
            OptionForm {
                name: "extra",
                title: "More parts",
                kind: OptionKind::Choice(&["last", "reject"]),
                required: false,
                default: Some("\"last\""),
                about: "More parts than columns stay together in the last one, or the row is rejected.",
            },
            OptionForm {
                name: "keep",
                title: "Keep the column",
                kind: OptionKind::Flag,
                required: false,
                default: Some("true"),
                about: "The column stays in front of the new ones; otherwise they take its place.",
            },
        ],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`split`")?;
        let column = options.required_text(reading, "column");
        let word = match options.optional_choice(reading, "by", BYS) {
            None => ByWord::Delimiter,
            Some(word) => word,
        };
        let into = options.required_texts(reading, "into");
        let by = read_by(&mut options, word, into.as_ref().map(Vec::len), reading);
        let extra = options.optional_choice(reading, "extra", EXTRAS).unwrap_or_default();
        let keep = options.optional_flag(reading, "keep").unwrap_or(true);
        let known = ["column", "by", "separator", "widths", "into", "extra", "keep"];
        options.finish(reading, &known);
        Some(Self {
            column: column?,
            by: by?,
            into: into?,
            extra,
            source: if keep { Source::Stays } else { Source::Goes },
        })
    }

    pub(super) fn to_json(&self) -> Json {
        let mut options = serde_json::Map::new();
        options.insert("column".into(), json!(self.column));
        let (word, name, value) = match &self.by {
            By::Delimiter(separator) => ("delimiter", "separator", json!(separator)),
            By::Regex(pattern) => ("regex", "separator", json!(pattern)),
            By::Widths(widths) => ("widths", "widths", json!(widths)),
        };
        options.insert("by".into(), json!(word));
        options.insert(name.into(), value);
        options.insert("into".into(), json!(self.into));
        let extra = EXTRAS.iter().find(|(_, extra)| *extra == self.extra);
        options.insert("extra".into(), json!(extra.map(|(word, _)| *word)));
        options.insert("keep".into(), json!(self.source == Source::Stays));
        Json::Object(options)
    }

    pub(super) fn label(&self) -> String {
        let by = match &self.by {
            By::Delimiter(separator) => format!("at `{}`", shown(separator)),
            By::Regex(pattern) => format!("where `{}` matches", shown(pattern)),
            By::Widths(widths) => {
                let widths: Vec<String> = widths.iter().map(usize::to_string).collect();
                format!("after {} characters", enumerated(&widths))
            }
        };
        let extra = match self.extra {
            Extra::Last => "",
            Extra::Reject => ", reject rows with more parts",
        };
        format!("Split {} {by} into {}{extra}", self.column, enumerated(&self.into))
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        Ok(self.spread(columns)?.columns(columns, &self.into))
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        let cut = match &self.by {
            By::Delimiter(separator) => Cut::Delimiter(separator.clone()),
            By::Widths(widths) => Cut::Widths(widths.clone()),
            By::Regex(pattern) => {
                let regex = compile(pattern, Capitals::Matter);
                Cut::Regex(regex.map_err(|message| vec![Problem::at("separator", message)])?)
            }
        };
        Ok(Operator::step(SpreadStep {
            spread: self.spread(columns)?,
            parting: Cutting {
                cut,
                into: self.into.len(),
                extra: self.extra,
            },
        }))
    }

    fn spread(&self, columns: &[Column]) -> Result<Spread, Vec<Problem>> {
        Spread::new(columns, &self.column, &self.into, self.source)
    }
}

/// Reads where the text is divided, into so many columns.
fn read_by(options: &mut Options<'_>, word: ByWord, into: Option<usize>, reading: &mut Reading) -> Option<By> {
    let other = if word == ByWord::Widths { "separator" } else { "widths" };
    if let Some(node) = options.take(other) {
        let with = if word == ByWord::Widths {
            "`by: delimiter` or `by: regex`"
        } else {
            "`by: widths`"
        };
        let message = format!("`{other}` of `split` goes with {with}.");
        reading.problem(node.place, &options.path(other), message);
        return None;
    }
    if into == Some(0) {
        reading.problem_of(&options.path("into"), "`into` of `split` names no column.");
        return None;
    }
    match word {
        ByWord::Widths => read_widths(options, into, reading).map(By::Widths),
        ByWord::Delimiter | ByWord::Regex => {
            let node = options.require(reading, "separator")?;
            let path = options.path("separator");
            let separator = reading.text(node, &path, &options.subject("separator"))?;
            let wrong = match word {
                _ if separator.is_empty() => Some("There must be something between the parts.".to_owned()),
                ByWord::Regex => match compile(&separator, Capitals::Matter) {
                    Ok(regex) if regex.is_match("") => Some(format!(
                        "The pattern `{}` matches nothing at all; it must match something.",
                        shown(&separator)
                    )),
                    Ok(_) => None,
                    Err(message) => Some(message),
                },
                _ => None,
            };
            if let Some(message) = wrong {
                reading.problem(node.place, &path, format!("`separator` of `split`: {message}"));
                return None;
            }
            Some(if word == ByWord::Regex {
                By::Regex(separator)
            } else {
                By::Delimiter(separator)
            })
        }
    }
}

fn read_widths(options: &mut Options<'_>, into: Option<usize>, reading: &mut Reading) -> Option<Vec<usize>> {
    let node = options.require(reading, "widths")?;
    let (path, subject) = (options.path("widths"), options.subject("widths"));
    let widths: Option<Vec<usize>> = match &node.value {
        Value::List(items) => {
            let read = |(index, item)| reading.number(item, &format!("{path}[{index}]"), &subject, 1..=MOST_UNITS);
            items.iter().enumerate().map(read).collect()
        }
        _ => reading
            .number(node, &path, &subject, 1..=MOST_UNITS)
            .map(|width| vec![width]),
    };
    let (widths, into) = (widths?, into?);
    if widths.len() != into && widths.len() + 1 != into {
        let message = format!(
            "`widths` of `split` has {} entries for {into} new columns: it needs one for each, or for all but the last.",
            widths.len()
        );
        reading.problem(node.place, &path, message);
        return None;
    }
    Some(widths)
}

/// Where texts are cut.
#[derive(Debug)]
enum Cut {
    Delimiter(String),
    Regex(Regex),
    Widths(Vec<usize>),
}

#[derive(Debug)]
struct Cutting {
    cut: Cut,
    into: usize,
    extra: Extra,
}

impl Parting for Cutting {
    fn part<'a>(&self, text: &'a str, parts: &mut Vec<&'a str>) -> Option<(&'static str, String)> {
        let more = match &self.cut {
            Cut::Delimiter(separator) => {
                let cuts = text.match_indices(separator.as_str());
                self.at(text, cuts.map(|(at, found)| (at, at + found.len())), parts)
            }
            Cut::Regex(regex) => self.at(text, regex.find_iter(text).map(|it| (it.start(), it.end())), parts),
            Cut::Widths(widths) => self.after(text, widths, parts),
        };
        (more && self.extra == Extra::Reject).then(|| {
            let noun = if self.into == 1 { "part" } else { "parts" };
            let message = format!("`{}` has more than {} {noun}", shown(text), self.into);
            ("too_many_parts", message)
        })
    }

    fn rejects(&self) -> bool {
        self.extra == Extra::Reject
    }
}

impl Cutting {
    /// Parts between cuts, the last one with all that is left; whether there are more cuts in it.
    fn at<'a>(&self, text: &'a str, mut cuts: impl Iterator<Item = (usize, usize)>, parts: &mut Vec<&'a str>) -> bool {
        let mut done = 0;
        while parts.len() + 1 < self.into {
            let Some((from, to)) = cuts.next() else { break };
            parts.push(&text[done..from]);
            done = to;
        }
        parts.push(&text[done..]);
        cuts.next().is_some()
    }

    /// Parts of so many characters, the last one with all that is left; whether that is more than its width.
    fn after<'a>(&self, text: &'a str, widths: &[usize], parts: &mut Vec<&'a str>) -> bool {
        let mut rest = text;
        for width in &widths[..widths.len().min(self.into - 1)] {
            let (part, after) = rest.split_at(end_of(rest, *width));
            parts.push(part);
            rest = after;
        }
        parts.push(rest);
        match widths.get(self.into - 1) {
            Some(last) => end_of(rest, *last) < rest.len(),
            None => false,
        }
    }
}

/// Where so many characters end, in bytes.
fn end_of(text: &str, chars: usize) -> usize {
    text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at)
}
