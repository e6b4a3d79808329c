//! What changed between two recipes: a pure function of two documents, told step by step and line by line.
//!
//! Steps are told in their own sentences. A step that stays where it was among the others is not told of, however its number
//! changed because of steps before it.

mod align;
mod edits;
mod steps;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::Serialize;

use super::document::Recipe;
use align::{Pair, aligned};

/// Lines of a text that are compared; a longer one is told of by its steps alone.
const MOST_LINES: usize = 2_000;

/// One thing that changed. Steps are numbered from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// The recipe has another name.
    Renamed {
        /// The name before.
        from: String,
        /// The name after.
        to: String,
    },
    /// A setting of `input`.
    Input(Edit),
    /// A setting of `output`.
    Output(Edit),
    /// A step that was not there.
    Added {
        /// Its number after.
        to: usize,
        /// What it does.
        label: String,
    },
    /// A step that is gone.
    Removed {
        /// Its number before.
        from: usize,
        /// What it did.
        label: String,
    },
    /// The same step at another place among the others.
    Moved {
        /// Its number before.
        from: usize,
        /// Its number after.
        to: usize,
        /// What it does.
        label: String,
    },
    /// A step with other options, at the same place among the others or at another one.
    Changed {
        /// Its number before.
        from: usize,
        /// Its number after.
        to: usize,
        /// Whether it stands at another place among the others.
        moved: bool,
        /// What it does now.
        label: String,
        /// Its options that changed.
        options: Vec<Edit>,
    },
}

/// A setting with other content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Edit {
    /// What forms call it.
    pub name: String,
    /// What it was, as the text form writes it; `None`: it was not there.
    pub from: Option<String>,
    /// What it is; `None`: it is not there any more.
    pub to: Option<String>,
}

/// A line of the text form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What became of it.
    pub fate: LineFate,
    /// The line, without its end.
    pub text: String,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LineFate {
    /// It is the same.
    Same,
    /// It is gone.
    Removed,
    /// It is new.
    Added,
}

/// What changed from one recipe to another: its name, its input, its steps in order, its output. Nothing where both do the
/// same under the same name.
#[must_use]
pub fn between(old: &Recipe, new: &Recipe) -> Vec<Change> {
    let mut changes = Vec::new();
    if old.name != new.name {
        changes.push(Change::Renamed {
            from: old.name.clone(),
            to: new.name.clone(),
        });
    }
    let (before, after) = (old.to_json(), new.to_json());
    changes.extend(
        edits::of_settings("input", &before, &after)
            .into_iter()
            .map(Change::Input),
    );
    changes.extend(steps::between(&old.steps, &new.steps));
    changes.extend(
        edits::of_settings("output", &before, &after)
            .into_iter()
            .map(Change::Output),
    );
    changes
}

/// The text form of both, line by line; `None` where it is longer than a page can show.
#[must_use]
pub fn lines(old: &Recipe, new: &Recipe) -> Option<Vec<Line>> {
    let (old, new) = (old.to_yaml(), new.to_yaml());
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    if old.len().max(new.len()) > MOST_LINES {
        return None;
    }
    let line = |pair: Pair| match pair {
        Pair::Both(_, at) => (LineFate::Same, new[at]),
        Pair::Old(at) => (LineFate::Removed, old[at]),
        Pair::New(at) => (LineFate::Added, new[at]),
    };
    let told = aligned(&old, &new).into_iter().map(line);
    Some(
        told.map(|(fate, text)| Line {
            fate,
            text: text.to_owned(),
        })
        .collect(),
    )
}

impl Change {
    /// What happened, in a word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Renamed { .. } => "renamed",
            Self::Added { .. } => "added",
            Self::Removed { .. } => "removed",
            Self::Moved { .. } => "moved",
            Self::Changed { moved: true, .. } => "moved and changed",
            Self::Changed { .. } | Self::Input(_) | Self::Output(_) => "changed",
        }
    }

    /// What it is about, without what changed in it.
    #[must_use]
    pub fn about(&self) -> String {
        match self {
            Self::Renamed { .. } => "Name".to_owned(),
            Self::Input(edit) => format!("Input: {}", edit.name),
            Self::Output(edit) => format!("Output: {}", edit.name),
            Self::Added { to, label } => format!("Step {to}: {label}"),
            Self::Removed { from, label } => format!("Step {from}: {label}"),
            Self::Moved { from, to, label }
            | Self::Changed {
                from,
                to,
                label,
                moved: true,
                ..
            } => format!("Step {from}, now step {to}: {label}"),
            Self::Changed { to, label, .. } => format!("Step {to}: {label}"),
        }
    }

    /// What was and what is, of each option that changed; one without a name where [`Self::about`] says it.
    #[must_use]
    pub fn edits(&self) -> Vec<Edit> {
        match self {
            Self::Renamed { from, to } => vec![Edit {
                name: String::new(),
                from: Some(from.clone()),
                to: Some(to.clone()),
            }],
            Self::Input(edit) | Self::Output(edit) => vec![Edit {
                name: String::new(),
                ..edit.clone()
            }],
            Self::Changed { options, .. } => options.clone(),
            Self::Added { .. } | Self::Removed { .. } | Self::Moved { .. } => Vec::new(),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.about(), self.word())?;
        for (index, edit) in self.edits().iter().enumerate() {
            write!(out, "{} {edit}", if index == 0 { ";" } else { "," })?;
        }
        Ok(())
    }
}

impl fmt::Display for Edit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.name.is_empty() {
            write!(out, "{}: ", self.name)?;
        }
        match (&self.from, &self.to) {
            (Some(from), Some(to)) => write!(out, "{from} → {to}"),
            (Some(from), None) => write!(out, "{from} is gone"),
            (None, Some(to)) => write!(out, "{to} is new"),
            (None, None) => Ok(()),
        }
    }
}
