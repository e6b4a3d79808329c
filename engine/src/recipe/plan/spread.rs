//! Steps that make new text columns out of one column, and put them behind it or in its place.

use std::fmt;
use std::sync::Arc;

use arrow::array::ArrayRef;

use super::cells;
use super::chunk::Chunk;
use super::operator::{Applied, ChunkStep, PlanError};
use super::texts::{TextColumn, position};
use crate::recipe::columns::{Column, find};
use crate::recipe::expression::Rejection;
use crate::recipe::problem::Problem;
use crate::tables::ColumnKind;

/// More new columns than any text is honestly divided into.
const MOST_MADE: usize = 256;

/// What becomes of the column that others are made from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// It stays in front of them.
    #[default]
    Stays,
    /// They take its place.
    Goes,
}

/// A text in parts, one for each new column; those that are not there are blank.
pub trait Parting: fmt::Debug + Send + Sync {
    /// Adds the parts of a text that is not empty, at most as many as there are new columns. Answers what is wrong with the
    /// row, where that rejects it: a stable word and a sentence. The parts of such a row count where the recipe keeps it.
    fn part<'a>(&self, text: &'a str, parts: &mut Vec<&'a str>) -> Option<(&'static str, String)>;

    /// Whether a row may be rejected.
    fn rejects(&self) -> bool;
}

/// Where new columns come from and go to.
#[derive(Clone, Debug)]
pub struct Spread {
    position: usize,
    format: Option<String>,
    made: usize,
    source: Source,
}

impl Spread {
    /// New columns made from one, or what does not fit.
    pub fn new(columns: &[Column], column: &str, into: &[String], source: Source) -> Result<Self, Vec<Problem>> {
        let position = find(columns, column).map_err(|message| vec![Problem::at("column", message)])?;
        if into.len() > MOST_MADE {
            let message = format!("These are {} new columns; there can be {MOST_MADE}.", into.len());
            return Err(vec![Problem::at("into", message)]);
        }
        let mut problems = Vec::new();
        for (index, name) in into.iter().enumerate() {
            let there = columns
                .iter()
                .enumerate()
                .any(|(at, it)| it.name == *name && !(source == Source::Goes && at == position));
            let message = if name.trim().is_empty() {
                "A new column needs a name.".to_owned()
            } else if there {
                format!("There is a column `{name}` already; choose another name.")
            } else if into[..index].contains(name) {
                format!("The column `{name}` is named twice.")
            } else {
                continue;
            };
            problems.push(Problem::at(format!("into[{index}]"), message));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            position,
            format: columns[position].format.clone(),
            made: into.len(),
            source,
        })
    }

    /// The columns after the step.
    #[must_use]
    pub fn columns(&self, before: &[Column], into: &[String]) -> Vec<Column> {
        let made = into.iter().map(|name| Column::made(name, ColumnKind::Text));
        let (front, behind) = (&before[..self.kept()], &before[self.position + 1..]);
        front
            .iter()
            .cloned()
            .chain(made)
            .chain(behind.iter().cloned())
            .collect()
    }

    /// How many of the columns stay in front of the new ones.
    fn kept(&self) -> usize {
        match self.source {
            Source::Stays => self.position + 1,
            Source::Goes => self.position,
        }
    }

    fn sources(&self, before: usize) -> Vec<Option<usize>> {
        let made = std::iter::repeat_n(None, self.made);
        let behind = (self.position + 1..before).map(Some);
        (0..self.kept()).map(Some).chain(made).chain(behind).collect()
    }
}

/// The step.
#[derive(Debug)]
pub struct SpreadStep<P> {
    /// Where columns come from and go to.
    pub spread: Spread,
    /// How texts are parted.
    pub parting: P,
}

impl<P: Parting> ChunkStep for SpreadStep<P> {
    fn apply(&self, chunk: &Chunk) -> Result<Applied, PlanError> {
        let Spread { position: at, made, .. } = self.spread;
        let texts = cells::texts(&chunk.columns[at], self.spread.format.as_deref())?;
        let mut columns: Vec<TextColumn> = std::iter::repeat_with(TextColumn::default).take(made).collect();
        let mut parts = Vec::with_capacity(made);
        let mut rejections = Vec::new();
        for (row, text) in texts.iter().enumerate() {
            parts.clear();
            let text = text.unwrap_or_default();
            let wrong = if text.is_empty() {
                None
            } else {
                self.parting.part(text, &mut parts)
            };
            if let Some((rule, message)) = wrong {
                rejections.push(Rejection {
                    position: position(row)?,
                    column: Some(at),
                    value: text.to_owned(),
                    rule,
                    message,
                });
            }
            let mut parts = parts.iter().copied();
            for column in &mut columns {
                column.push(parts.next())?;
            }
        }
        let made = columns.into_iter().map(|column| Arc::new(column.finish()) as ArrayRef);
        let (front, behind) = (&chunk.columns[..self.spread.kept()], &chunk.columns[at + 1..]);
        let after = front
            .iter()
            .cloned()
            .chain(made)
            .chain(behind.iter().cloned())
            .collect();
        let mut applied = Applied::with_sources(after, self.spread.sources(chunk.columns.len()));
        applied.rejections = rejections;
        Ok(applied)
    }

    fn lineage(&self, before: usize, _after: usize) -> Vec<Option<usize>> {
        self.spread.sources(before)
    }

    fn needs(&self, wanted: &[bool], before: usize) -> Vec<bool> {
        let mut needed = vec![false; before];
        for (source, wanted) in self.spread.sources(before).into_iter().zip(wanted) {
            match source {
                Some(source) => needed[source] |= *wanted,
                None => needed[self.spread.position] |= *wanted,
            }
        }
        needed[self.spread.position] |= self.parting.rejects();
        needed
    }
}
