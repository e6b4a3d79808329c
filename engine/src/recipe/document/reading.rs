//! Reads options out of the document's tree and collects everything that is wrong, not only the first thing.

use std::collections::BTreeMap;

use super::node::{Entry, Node, Place, Value};
use crate::recipe::problem::{Problem, did_you_mean, listed};

/// What stands for yes and no, as YAML and people write it.
const YES_AND_NO: &[(&str, bool)] = &[("true", true), ("false", false), ("yes", true), ("no", false)];

/// What is wrong so far, and where each path stands.
#[derive(Debug, Default)]
pub struct Reading {
    /// What is wrong so far.
    pub problems: Vec<Problem>,
    /// Where each path stands in the text.
    pub places: BTreeMap<String, Place>,
    /// The step that is being read, from 1.
    pub step: Option<usize>,
}

/// The options of one map, to be taken one by one.
#[derive(Debug)]
pub struct Options<'a> {
    path: String,
    place: Place,
    subject: String,
    entries: Vec<(&'a Entry, bool)>,
}

impl Reading {
    /// Notes a problem.
    pub fn problem(&mut self, place: Place, path: &str, message: impl Into<String>) {
        let problem = Problem::at(path, message);
        self.problems.push(Problem {
            step: self.step,
            line: place.line,
            column: place.column,
            ..problem
        });
    }

    /// Notes a problem with an option that was read before.
    pub fn problem_of(&mut self, path: &str, message: impl Into<String>) {
        let place = self.places.get(path).copied().unwrap_or_default();
        self.problem(place, path, message);
    }

    /// Opens a map. `subject` names it in sentences: "`trim`".
    pub fn map<'a>(&mut self, node: &'a Node, path: &str, subject: &str) -> Option<Options<'a>> {
        self.places.insert(path.to_owned(), node.place);
        let entries = match &node.value {
            Value::Map(entries) => entries.iter().map(|entry| (entry, false)).collect(),
            _ if node.is_null() => Vec::new(),
            _ => {
                let words = node.words();
                self.problem(
                    node.place,
                    path,
                    format!("{subject} expects options such as `name: value`, not {words}."),
                );
                return None;
            }
        };
        Some(Options {
            path: path.to_owned(),
            place: node.place,
            subject: subject.to_owned(),
            entries,
        })
    }

    /// A text; numbers and `yes` count as the text they are written as.
    pub fn text(&mut self, node: &Node, path: &str, subject: &str) -> Option<String> {
        self.places.insert(path.to_owned(), node.place);
        let text = node.as_text().map(str::to_owned);
        if text.is_none() {
            self.problem(
                node.place,
                path,
                format!("{subject} expects a text, not {}.", node.words()),
            );
        }
        text
    }

    /// A text that may be empty: nothing counts as the empty text.
    pub fn plain(&mut self, node: &Node, path: &str, subject: &str) -> Option<String> {
        if node.is_null() {
            self.places.insert(path.to_owned(), node.place);
            return Some(String::new());
        }
        self.text(node, path, subject)
    }

    /// A map of texts to texts that may be empty; it has at least one entry.
    pub fn values(&mut self, node: &Node, path: &str, subject: &str) -> Option<Vec<(String, String)>> {
        self.places.insert(path.to_owned(), node.place);
        let Value::Map(entries) = &node.value else {
            let message = format!(
                "{subject} expects old and new values such as `{{m: male}}`, not {}.",
                node.words()
            );
            self.problem(node.place, path, message);
            return None;
        };
        if entries.is_empty() {
            self.problem(node.place, path, format!("{subject} names no value."));
            return None;
        }
        let read = |entry: &Entry| {
            let subject = format!("The new value of `{}` in {subject}", entry.key);
            let new = self.plain(&entry.node, &format!("{path}.{}", entry.key), &subject)?;
            Some((entry.key.clone(), new))
        };
        entries.iter().map(read).collect()
    }

    /// A list of texts; one text counts as a list of one.
    pub fn texts(&mut self, node: &Node, path: &str, subject: &str) -> Option<Vec<String>> {
        self.places.insert(path.to_owned(), node.place);
        match &node.value {
            Value::List(items) => {
                let read = |(index, item)| self.text(item, &format!("{path}[{index}]"), subject);
                items.iter().enumerate().map(read).collect()
            }
            _ => self.text(node, path, subject).map(|text| vec![text]),
        }
    }

    /// A whole number within bounds.
    pub fn number(
        &mut self,
        node: &Node,
        path: &str,
        subject: &str,
        bounds: std::ops::RangeInclusive<usize>,
    ) -> Option<usize> {
        self.places.insert(path.to_owned(), node.place);
        let number = node.as_text().and_then(|text| text.parse().ok());
        let number = number.filter(|number| bounds.contains(number));
        if number.is_none() {
            let (least, most) = (bounds.start(), bounds.end());
            let words = match node.as_text() {
                Some(text) => format!("`{text}`"),
                None => node.words().to_owned(),
            };
            let message = format!("{subject} expects a whole number from {least} to {most}, not {words}.");
            self.problem(node.place, path, message);
        }
        number
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&mut self, node: &Node, path: &str, subject: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(node, path, subject)?;
        let found = choices.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let words = choices.iter().map(|(word, _)| *word);
            let message = format!(
                "{subject} cannot be `{text}`.{} It is one of {}.",
                did_you_mean(&text, words.clone()),
                listed(words)
            );
            self.problem(node.place, path, message);
        }
        found
    }
}

impl<'a> Options<'a> {
    /// The path of an option.
    #[must_use]
    pub fn path(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    /// "`keep` of `filter`", for sentences.
    #[must_use]
    pub fn subject(&self, name: &str) -> String {
        if self.subject.is_empty() {
            format!("`{name}`")
        } else {
            format!("`{name}` of {}", self.subject)
        }
    }

    /// The value of an option, if it is there.
    pub fn take(&mut self, name: &str) -> Option<&'a Node> {
        let (entry, taken) = self.entries.iter_mut().find(|(entry, _)| entry.key == name)?;
        *taken = true;
        Some(&entry.node)
    }

    /// The value of an option that must be there.
    pub fn require(&mut self, reading: &mut Reading, name: &str) -> Option<&'a Node> {
        let found = self.take(name);
        if found.is_none() {
            let near = self.untaken().into_iter();
            let hint = near
                .clone()
                .find(|key| crate::recipe::problem::nearest(key, [name]).is_some());
            let message = match hint {
                Some(key) => format!("{} needs `{name}`; is `{key}` a misspelling of it?", self.capital()),
                None => format!("{} needs `{name}`.", self.capital()),
            };
            reading.problem(self.place, &self.path(name), message);
        }
        found
    }

    /// A text option that must be there.
    pub fn required_text(&mut self, reading: &mut Reading, name: &str) -> Option<String> {
        let node = self.require(reading, name)?;
        reading.text(node, &self.path(name), &self.subject(name))
    }

    /// A text option.
    pub fn optional_text(&mut self, reading: &mut Reading, name: &str) -> Option<String> {
        let node = self.take(name)?;
        reading.text(node, &self.path(name), &self.subject(name))
    }

    /// A list option that must be there; one text counts as a list of one.
    pub fn required_texts(&mut self, reading: &mut Reading, name: &str) -> Option<Vec<String>> {
        let node = self.require(reading, name)?;
        reading.texts(node, &self.path(name), &self.subject(name))
    }

    /// One of a few words that must be there.
    pub fn required_choice<T: Copy>(&mut self, reading: &mut Reading, name: &str, choices: &[(&str, T)]) -> Option<T> {
        let node = self.require(reading, name)?;
        reading.choice(node, &self.path(name), &self.subject(name), choices)
    }

    /// A list option; one text counts as a list of one.
    pub fn optional_texts(&mut self, reading: &mut Reading, name: &str) -> Option<Vec<String>> {
        let node = self.take(name)?;
        reading.texts(node, &self.path(name), &self.subject(name))
    }

    /// One of a few words.
    pub fn optional_choice<T: Copy>(&mut self, reading: &mut Reading, name: &str, choices: &[(&str, T)]) -> Option<T> {
        let node = self.take(name)?;
        reading.choice(node, &self.path(name), &self.subject(name), choices)
    }

    /// Yes or no.
    pub fn optional_flag(&mut self, reading: &mut Reading, name: &str) -> Option<bool> {
        self.optional_choice(reading, name, YES_AND_NO)
    }

    /// A text option that may be empty: nothing counts as the empty text.
    pub fn optional_plain(&mut self, reading: &mut Reading, name: &str) -> Option<String> {
        let node = self.take(name)?;
        reading.plain(node, &self.path(name), &self.subject(name))
    }

    /// A whole number option that must be there, within bounds.
    pub fn required_number(
        &mut self,
        reading: &mut Reading,
        name: &str,
        bounds: std::ops::RangeInclusive<usize>,
    ) -> Option<usize> {
        let node = self.require(reading, name)?;
        reading.number(node, &self.path(name), &self.subject(name), bounds)
    }

    /// Some of a few words, each once; one word counts as a list of one.
    pub fn optional_choices<T: Copy + PartialEq>(
        &mut self,
        reading: &mut Reading,
        name: &str,
        choices: &[(&str, T)],
    ) -> Option<Vec<T>> {
        let node = self.take(name)?;
        let (path, subject) = (self.path(name), self.subject(name));
        let Value::List(items) = &node.value else {
            return reading.choice(node, &path, &subject, choices).map(|one| vec![one]);
        };
        reading.places.insert(path.clone(), node.place);
        let mut chosen = Vec::new();
        for (index, item) in items.iter().enumerate() {
            if let Some(choice) = reading.choice(item, &format!("{path}[{index}]"), &subject, choices)
                && !chosen.contains(&choice)
            {
                chosen.push(choice);
            }
        }
        Some(chosen)
    }

    /// Names that are left are not known: each is a problem. `known` are the right spellings.
    pub fn finish(self, reading: &mut Reading, known: &[&str]) {
        for (entry, taken) in &self.entries {
            if *taken {
                continue;
            }
            let owner = if self.subject.is_empty() {
                "a recipe"
            } else {
                self.subject.as_str()
            };
            let message = format!(
                "`{}` is not an option of {owner}.{} Its options are {}.",
                entry.key,
                did_you_mean(&entry.key, known.iter().copied()),
                listed(known.iter().copied())
            );
            reading.problem(entry.place, &self.path(&entry.key), message);
        }
    }

    fn untaken(&self) -> Vec<&'a str> {
        self.entries
            .iter()
            .filter(|(_, taken)| !taken)
            .map(|(entry, _)| entry.key.as_str())
            .collect()
    }

    fn capital(&self) -> String {
        if self.subject.is_empty() {
            "A recipe".into()
        } else {
            self.subject.clone()
        }
    }
}
