//! Which of a sheet's columns are the ones that a recipe expects.
//!
//! ```text
//! chosen by hand ▶ the same ▶ the same but for case and punctuation ▶ another name of it ▶ as chosen before ▶ alike enough
//! ```
//!
//! Columns stay where they are and keep where they come from; only their names change. Nothing is taken silently: every match
//! is told with how it was found, and what was not found with the names that come nearest.

mod assign;
mod likeness;
mod outcome;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::document::{Expected, Input, Match};
use crate::tables::TableMeta;
use assign::{Assignment, State};
pub use likeness::normalised;
use likeness::{Name, likeness};
pub use outcome::{Mapped, Unfit};

/// Pairs of names whose likeness is worked out: sheets may have thousands of columns, and recipes hundreds of names.
const MOST_PAIRS: usize = 1_000_000;
/// So many of the nearest headers are told.
const NEAREST: usize = 3;
/// Headers that are less alike, in thousandths, are not worth telling.
const WORTH_TELLING: u16 = 500;
/// Names so alike, in thousandths, are taken for the same without asking anybody.
const SURE: u16 = 950;

/// What people have said about columns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choices {
    /// By hand for this run: a header, and the expected column that it is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub chosen: BTreeMap<String, String>,
    /// In earlier runs: a header in its normalised form, and the expected column that it was.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub remembered: BTreeMap<String, String>,
    /// By hand for the sheets of a layout, see [`layout`]: an expected column, and the header that it is; `None`: they do not
    /// have it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub layouts: BTreeMap<String, BTreeMap<String, Option<String>>>,
}

/// How a header was found to be an expected column, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Somebody said so.
    Chosen,
    /// It is the same text.
    Exact,
    /// It is the same but for case, blanks, punctuation and accents.
    Normalised,
    /// It is another name of the column.
    Synonym,
    /// Somebody said so in an earlier run.
    Remembered,
    /// It is alike enough.
    Fuzzy,
    /// Several headers fit equally well, or one fits several columns: none is taken.
    Tied,
    /// Somebody said that it is not there.
    Absent,
    /// There is none.
    Missing,
}

/// What became of an expected column on a sheet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnMatch {
    /// The expected column.
    pub expected: String,
    /// The sheet's header that it is; nothing where none is taken.
    pub header: Option<String>,
    /// How that was found.
    pub how: How,
    /// How alike the names are, from 0 to 1; nothing where none is taken.
    pub score: Option<f64>,
    /// Headers that come near, or fit equally well; the nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nearest: Vec<Near>,
}

/// A header that comes near.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Near {
    /// The header.
    pub header: String,
    /// How alike it is, from 0 to 1.
    pub score: f64,
}

/// What became of the expected columns of a sheet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SheetColumns {
    /// The sheet.
    pub sheet: String,
    /// What its layout goes by, see [`layout`].
    pub layout: String,
    /// The expected columns, in the order of the recipe.
    pub columns: Vec<ColumnMatch>,
}

impl ColumnMatch {
    /// Whether nobody needs to be asked about it.
    #[must_use]
    pub fn is_sure(&self) -> bool {
        match self.how {
            How::Fuzzy => self.score.is_some_and(|score| score * 1000.0 >= f64::from(SURE)),
            How::Tied | How::Missing => false,
            How::Chosen | How::Exact | How::Normalised | How::Synonym | How::Remembered | How::Absent => true,
        }
    }

    /// How it was found, in words: "93 % alike".
    #[must_use]
    pub fn words(&self) -> String {
        match (self.how, self.score) {
            (How::Chosen, _) => "as you chose".to_owned(),
            (How::Exact, _) => "the same name".to_owned(),
            (How::Normalised, _) => "the same but for case and punctuation".to_owned(),
            (How::Synonym, _) => "another name of it".to_owned(),
            (How::Remembered, _) => "as you chose before".to_owned(),
            (How::Fuzzy, score) => format!("{} alike", percent(score.unwrap_or_default())),
            (How::Tied, _) => "several fit equally well".to_owned(),
            (How::Absent, _) => "not there, as you chose".to_owned(),
            (How::Missing, _) => "not found".to_owned(),
        }
    }
}

/// "93 %", rounded down: nothing below 1 reads as 100 %.
#[must_use]
pub fn percent(score: f64) -> String {
    format!("{:.0} %", (score * 100.0 + 1e-9).floor())
}

/// What the layout of a sheet goes by: the same for the same headers in any order, whatever their case and punctuation.
#[must_use]
pub fn layout<'a>(headers: impl IntoIterator<Item = &'a str>) -> String {
    let mut names: Vec<String> = headers.into_iter().map(normalised).collect();
    names.sort_unstable();
    let digest = Sha256::digest(names.join("\n").as_bytes());
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Finds the expected columns among headers, each of which is there once.
///
/// # Errors
/// A sentence, when by hand two of the headers were chosen for one column.
pub fn find_columns(input: &Input, headers: &[&str], choices: &Choices) -> Result<Vec<ColumnMatch>, String> {
    let names: Vec<Name> = headers.iter().map(|header| Name::of(header)).collect();
    let mut finding = Finding {
        input,
        headers,
        names,
        found: Assignment::new(input.columns.len(), headers.len()),
    };
    finding.chosen(choices)?;
    finding.same_names();
    finding.remembered(choices);
    let nearest = finding.alike();
    Ok(finding.matches(&nearest))
}

/// Renames a table's columns to those that the recipe expects; nothing where it expects none.
///
/// # Errors
/// A sentence that names each required column that is not there, and the nearest headers.
pub fn map_table(input: &Input, meta: &TableMeta, choices: &Choices) -> Result<Option<Mapped>, Unfit> {
    if input.columns.is_empty() {
        return Ok(None);
    }
    let headers: Vec<&str> = meta.columns.iter().map(|column| column.name.as_str()).collect();
    let columns = find_columns(input, &headers, choices).map_err(|sentence| Unfit {
        sentence,
        ..Unfit::default()
    })?;
    outcome::mapped(input, meta, columns).map(Some)
}

/// Headers by expected column, the nearest first.
type Nearest = HashMap<usize, Vec<(usize, u16)>>;

struct Finding<'a> {
    input: &'a Input,
    headers: &'a [&'a str],
    names: Vec<Name>,
    found: Assignment,
}

impl Finding<'_> {
    fn expected(&self, name: &str) -> Option<usize> {
        self.input.columns.iter().position(|column| column.name == name)
    }

    /// What was said by hand. A header that is not on this sheet is on another one.
    fn chosen(&mut self, choices: &Choices) -> Result<(), String> {
        let none = BTreeMap::new();
        let of_layout = match choices.layouts.is_empty() {
            true => &none,
            false => choices
                .layouts
                .get(&layout(self.headers.iter().copied()))
                .unwrap_or(&none),
        };
        let on_these = of_layout
            .iter()
            .filter_map(|(name, header)| Some((header.as_ref()?, name)));
        for (header, name) in on_these.chain(&choices.chosen) {
            let Some((expected, header)) = self.expected(name).zip(self.header(header)) else {
                continue;
            };
            if let State::Found(earlier, ..) = self.found.expected[expected] {
                let (one, other) = (self.headers[earlier], self.headers[header]);
                return Err(format!(
                    "Both `{one}` and `{other}` are chosen for `{name}`. Choose one of them."
                ));
            }
            self.found.take((expected, header), How::Chosen, 1000);
        }
        for (name, _) in of_layout.iter().filter(|(_, header)| header.is_none()) {
            if let Some(expected) = self.expected(name).filter(|it| self.found.is_open(*it)) {
                self.found.expected[expected] = State::Absent;
            }
        }
        Ok(())
    }

    /// The header that is meant, by its text or else by its normalised form.
    fn header(&self, header: &str) -> Option<usize> {
        let exact = self.headers.iter().position(|it| *it == header);
        exact.filter(|it| self.found.is_free(*it)).or_else(|| {
            let plain = normalised(header);
            let mut found =
                (0..self.names.len()).filter(|it| self.names[*it].plain() == plain && self.found.is_free(*it));
            let first = found.next();
            first.filter(|_| exact.is_none() && found.next().is_none())
        })
    }

    fn same_names(&mut self) {
        let exact = self.by_text(|column| vec![column.name.clone()]);
        self.found.round(exact, How::Exact, 1000);
        if self.input.matching == Match::Exact {
            return;
        }
        let normalised = self.by_plain(|column| vec![column.name.clone()]);
        self.found.round(normalised, How::Normalised, 1000);
        if self.input.matching == Match::Normalised {
            return;
        }
        let exact = self.by_text(|column| column.also.clone());
        self.found.round(exact, How::Synonym, 1000);
        let normalised = self.by_plain(|column| column.also.clone());
        self.found.round(normalised, How::Synonym, 1000);
    }

    /// Pairs whose header is the text of one of the column's names.
    fn by_text(&self, names: impl Fn(&Expected) -> Vec<String>) -> Vec<(usize, usize)> {
        let of: HashMap<&str, usize> = self.headers.iter().enumerate().map(|(at, it)| (*it, at)).collect();
        let columns = self.input.columns.iter().enumerate();
        columns
            .flat_map(|(at, column)| {
                let headers = names(column)
                    .into_iter()
                    .filter_map(|name| of.get(name.as_str()).copied());
                headers.map(move |header| (at, header)).collect::<Vec<_>>()
            })
            .collect()
    }

    /// The same by the normalised form.
    fn by_plain(&self, names: impl Fn(&Expected) -> Vec<String>) -> Vec<(usize, usize)> {
        let mut of: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, name) in self.names.iter().enumerate() {
            of.entry(name.plain()).or_default().push(at);
        }
        let mut pairs = Vec::new();
        for (at, column) in self.input.columns.iter().enumerate() {
            for name in names(column) {
                let headers = of.get(normalised(&name).as_str()).into_iter().flatten();
                pairs.extend(headers.map(|header| (at, *header)));
            }
        }
        pairs
    }

    fn remembered(&mut self, choices: &Choices) {
        let expected: HashMap<&str, usize> = self
            .input
            .columns
            .iter()
            .enumerate()
            .map(|(at, it)| (it.name.as_str(), at))
            .collect();
        let pair = |(header, name): (usize, &Name)| {
            let chosen = choices.remembered.get(name.plain())?;
            Some((*expected.get(chosen.as_str())?, header))
        };
        let pairs: Vec<(usize, usize)> = self.names.iter().enumerate().filter_map(pair).collect();
        self.found.round(pairs, How::Remembered, 1000);
    }

    /// Takes what is alike enough, and answers what comes near to the columns that are left.
    fn alike(&mut self) -> Nearest {
        let (open, free) = (self.found.open(), self.found.free());
        let names = open
            .iter()
            .map(|at| 1 + self.input.columns[*at].also.len())
            .sum::<usize>();
        if names.saturating_mul(free.len()) > MOST_PAIRS {
            return Nearest::new();
        }
        let mut by_score: BTreeMap<u16, Vec<(usize, usize)>> = BTreeMap::new();
        for expected in open {
            let column = &self.input.columns[expected];
            let names: Vec<Name> = std::iter::once(&column.name)
                .chain(&column.also)
                .map(|it| Name::of(it))
                .collect();
            for header in &free {
                let score = names
                    .iter()
                    .map(|name| likeness(name, &self.names[*header]))
                    .max()
                    .unwrap_or_default();
                if score >= WORTH_TELLING {
                    by_score.entry(score).or_default().push((expected, *header));
                }
            }
        }
        if let Match::Fuzzy(hundredths) = self.input.matching {
            for (score, pairs) in by_score.range(u16::from(hundredths) * 10..).rev() {
                self.found.round(pairs.iter().copied(), How::Fuzzy, *score);
            }
        }
        let mut nearest = Nearest::new();
        for (score, pairs) in by_score.into_iter().rev() {
            for (expected, header) in pairs {
                if self.found.is_open(expected) && self.found.is_free(header) {
                    nearest.entry(expected).or_default().push((header, score));
                }
            }
        }
        // Of the same likeness those first that come first in the alphabet: the order of columns has no say.
        for headers in nearest.values_mut() {
            headers.sort_by(|(one, alike), (other, than)| {
                than.cmp(alike).then(self.headers[*one].cmp(self.headers[*other]))
            });
            headers.truncate(NEAREST);
        }
        nearest
    }

    fn matches(&self, nearest: &Nearest) -> Vec<ColumnMatch> {
        let near = |(header, score): &(usize, u16)| Near {
            header: self.headers[*header].to_owned(),
            score: f64::from(*score) / 1000.0,
        };
        let found = |(at, column): (usize, &Expected)| {
            let (taken, how, nearest) = match &self.found.expected[at] {
                State::Open => (
                    None,
                    How::Missing,
                    nearest.get(&at).into_iter().flatten().map(near).collect(),
                ),
                State::Absent => (None, How::Absent, Vec::new()),
                State::Found(header, how, score) => (Some((*header, *score)), *how, Vec::new()),
                State::Tied(headers) => {
                    let mut tied: Vec<Near> = headers.iter().map(|header| near(&(*header, 1000))).collect();
                    tied.sort_by(|one, other| one.header.cmp(&other.header));
                    (None, How::Tied, tied)
                }
            };
            ColumnMatch {
                expected: column.name.clone(),
                header: taken.map(|(header, _)| self.headers[header].to_owned()),
                how,
                score: taken.map(|(_, score)| f64::from(score) / 1000.0),
                nearest,
            }
        };
        self.input.columns.iter().enumerate().map(found).collect()
    }
}
