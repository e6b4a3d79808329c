//! What is wrong with a recipe, and where: the words that people and programs see.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing wrong with a recipe.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The step's position from 1, where it is a step's.
    pub step: Option<usize>,
    /// The line in the text, from 1; 0 where it is not known (a recipe that did not come as text).
    pub line: usize,
    /// The column in that line in characters, from 1; 0 where it is not known.
    pub column: usize,
    /// What it is about: `steps[1].filter.keep`. List positions count from 0, as in the document.
    pub path: String,
    /// One sentence or two for people, with the nearest right spelling where there is one.
    pub message: String,
    /// Inside an expression: the characters it is about, from and to (exclusive), from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<(usize, usize)>,
}

impl Problem {
    /// A problem that knows its path and words only; [`super::document::Recipe::locate`] adds line and column.
    #[must_use]
    pub fn at(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
            ..Self::default()
        }
    }

    /// The same, of a step's option: `path` is relative to the step, such as `filter.keep`.
    #[must_use]
    pub fn of_step(step: usize, path: &str, message: impl Into<String>) -> Self {
        Self {
            step: Some(step),
            ..Self::at(format!("steps[{}].{path}", step.saturating_sub(1)), message)
        }
    }

    /// The same, with the characters of an expression that it is about.
    #[must_use]
    pub fn with_span(mut self, span: Option<(usize, usize)>) -> Self {
        self.span = span;
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(out, "line {}, column {}: ", self.line, self.column)?;
        }
        if let Some(step) = self.step {
            write!(out, "step {step}: ")?;
        }
        out.write_str(&self.message)
    }
}

/// The candidate that `word` most likely meant: equal but for case, blanks and punctuation, or at most a third of its
/// letters away.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = plain(word);
    candidates
        .into_iter()
        .map(|candidate| (distance(&wanted, &plain(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count().max(wanted.len()) / 3).max(1))
        .filter(|(distance, candidate)| *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// "Did you mean `x`?" with a blank in front, or nothing.
#[must_use]
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, candidates)
        .map(|candidate| format!(" Did you mean `{candidate}`?"))
        .unwrap_or_default()
}

/// Some of the names, for "the columns are …": all of a few, the first of many.
#[must_use]
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 12;
    let names: Vec<&str> = names.into_iter().collect();
    let shown = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN {
        format!("{shown} and {} more", names.len() - SHOWN)
    } else {
        shown
    }
}

fn plain(word: &str) -> Vec<char> {
    word.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut rows = vec![vec![0; right.len() + 1]; left.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=right.len()).collect();
    for i in 1..=left.len() {
        for j in 1..=right.len() {
            let substitution = rows[i - 1][j - 1] + usize::from(left[i - 1] != right[j - 1]);
            let mut best = substitution.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_spelling_is_found_across_case_and_swapped_letters() {
        let names = ["filter", "rename", "deduplicate"];
        assert_eq!(nearest("fitler", names), Some("filter"));
        assert_eq!(nearest("De-Duplicate", names), Some("deduplicate"));
        assert_eq!(nearest("xyz", names), None);
        assert_eq!(did_you_mean("Renam", names), " Did you mean `rename`?");
        assert_eq!(nearest("Order_ID", ["Order ID", "Customer"]), Some("Order ID"));
    }

    #[test]
    fn a_short_word_is_not_confused_with_every_other_short_word() {
        assert_eq!(nearest("a", ["b"]), None);
        assert_eq!(nearest("qty", ["id"]), None);
    }

    #[test]
    fn a_problem_reads_as_a_sentence_with_its_place() {
        let problem = Problem {
            line: 3,
            column: 5,
            ..Problem::of_step(2, "filter.keep", "The column is not there.")
        };
        assert_eq!(problem.path, "steps[1].filter.keep");
        assert_eq!(
            problem.to_string(),
            "line 3, column 5: step 2: The column is not there."
        );
    }
}
