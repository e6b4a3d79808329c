//! Finds the rows of another table that belong to a row.

use arrow::array::{ArrayRef, UInt32Array, new_null_array};
use arrow::compute::take;

use super::chunk::Chunk;
use super::further::{Further, FurtherRows};
use super::lookup::{LeftRows, LooksUp, Lookup, Matched, NONE};
use super::operator::{Applied, ChunkStep, Met, PlanError};
use super::stages::Window;
use super::widen::widened;
use crate::recipe::columns::Column;
use crate::recipe::expression::Rejection;
use crate::recipe::ledger::Matches;
use crate::recipe::steps::{JoinKind, Several};
use crate::tables::ColumnKind;
use crate::tables::read::Table;

/// What is looked for, and which rows stay.
#[derive(Debug)]
pub struct JoinStep {
    /// Where it is looked for; its held columns are added.
    pub lookup: Lookup,
    /// Which rows stay.
    pub kind: JoinKind,
    /// What several matches mean.
    pub several: Several,
    /// Our columns of keys that take in those of the other table.
    pub keys: Vec<KeyColumn>,
}

/// A column of ours that takes in the keys of rows of the other table.
#[derive(Clone, Debug)]
pub struct KeyColumn {
    /// Our column.
    pub ours: usize,
    /// Which of the keys.
    pub key: usize,
    /// What holds both.
    pub kind: ColumnKind,
    /// Where our number format and theirs stand in the plan's.
    pub formats: (u16, u16),
    /// Their column.
    pub theirs: Column,
}

impl KeyColumn {
    /// A column of ours as it is after the step.
    pub fn of_ours(keys: &[Self], position: usize, column: ArrayRef, before: &Column) -> Result<ArrayRef, PlanError> {
        match keys.iter().find(|key| key.ours == position) {
            None => Ok(column),
            Some(key) => widened(&column, before, key.kind, key.formats.0),
        }
    }

    /// The column of ours for rows of the other table: their keys, or blanks.
    pub fn of_theirs(keys: &[Self], position: usize, left: &LeftRows, before: &Column) -> Result<ArrayRef, PlanError> {
        match keys.iter().find(|key| key.ours == position) {
            None => Ok(new_null_array(&before.kind.arrow(), left.positions.len())),
            Some(key) => widened(&left.keys[key.key], &key.theirs, key.kind, key.formats.1),
        }
    }
}

/// What was found for a chunk: pairs of our row and theirs.
#[derive(Default)]
struct Found {
    ours: Vec<u32>,
    theirs: Vec<Option<u32>>,
    rejections: Vec<Rejection>,
    matches: Matches,
}

impl JoinStep {
    fn pairs(&self, rows: usize, matched: &Matched) -> Found {
        let mut found = Found::default();
        for row in 0..rows {
            let position = u32::try_from(row).unwrap_or(NONE);
            let mut matches = matched.of(row).iter().copied();
            let (first, second) = (matches.next(), matches.next());
            match (first, second) {
                (None, _) => found.matches.none += 1,
                (Some(_), None) => found.matches.one += 1,
                (Some(_), Some(_)) => found.matches.several += 1,
            }
            match self.kind {
                JoinKind::Semi | JoinKind::Anti => {
                    if first.is_some() == (self.kind == JoinKind::Semi) {
                        found.ours.push(position);
                    }
                    continue;
                }
                JoinKind::Inner | JoinKind::Right if first.is_none() => continue,
                JoinKind::Left | JoinKind::Inner | JoinKind::Right | JoinKind::Full => {}
            }
            found.ours.push(position);
            found.theirs.push(first);
            if second.is_some() && self.several == Several::Reject {
                found.rejections.push(self.several_matches(position));
            } else if self.several == Several::All {
                for row in second.into_iter().chain(matches) {
                    found.ours.push(position);
                    found.theirs.push(Some(row));
                }
            }
        }
        found
    }

    fn several_matches(&self, position: u32) -> Rejection {
        Rejection {
            position,
            column: self.lookup.on.first().map(|(ours, _)| *ours),
            value: String::new(),
            rule: "join",
            message: format!("several rows of `{}` match", self.lookup.name),
        }
    }
}

impl LooksUp for JoinStep {
    fn lookup(&self) -> &Lookup {
        &self.lookup
    }

    fn most(&self) -> usize {
        let all = self.several == Several::All && !matches!(self.kind, JoinKind::Semi | JoinKind::Anti);
        if all { usize::MAX } else { 2 }
    }

    fn found(&self, chunk: &Chunk, matched: &Matched) -> Result<Applied, PlanError> {
        let found = self.pairs(chunk.rows(), matched);
        let picked = UInt32Array::from(found.ours);
        let same = picked.len() == chunk.rows() && picked.values().iter().zip(0..).all(|(at, row)| *at == row);
        let mut columns = Vec::with_capacity(chunk.columns.len() + matched.columns.len());
        for (position, column) in chunk.columns.iter().enumerate() {
            let column = if same {
                column.clone()
            } else {
                take(column, &picked, None)?
            };
            let before = &self.lookup.before[position];
            columns.push(KeyColumn::of_ours(&self.keys, position, column, before)?);
        }
        let mut sources: Vec<Option<usize>> = (0..columns.len()).map(Some).collect();
        if !matches!(self.kind, JoinKind::Semi | JoinKind::Anti) {
            let theirs = UInt32Array::from(found.theirs);
            for column in &matched.columns {
                columns.push(take(column, &theirs, None)?);
                sources.push(None);
            }
        }
        Ok(Applied {
            rejections: found.rejections,
            picked: (!same).then_some(picked),
            matches: Some(found.matches),
            ..Applied::with_sources(columns, sources)
        })
    }

    fn brought(&self, left: LeftRows) -> Result<FurtherRows, PlanError> {
        let mut columns = Vec::with_capacity(self.lookup.before.len() + left.columns.len());
        for (position, before) in self.lookup.before.iter().enumerate() {
            columns.push(KeyColumn::of_theirs(&self.keys, position, &left, before)?);
        }
        columns.extend(left.columns);
        Ok(FurtherRows {
            columns,
            positions: left.positions,
        })
    }
}

impl ChunkStep for JoinStep {
    fn apply(&self, chunk: &Chunk) -> Result<Applied, PlanError> {
        self.found(chunk, &self.lookup.matched(chunk, self.most())?)
    }

    fn looks_up(&self) -> Option<&dyn LooksUp> {
        Some(self)
    }

    fn further(&self) -> Option<&dyn Further> {
        matches!(self.kind, JoinKind::Right | JoinKind::Full).then_some(self)
    }

    fn met(&self, row: &Chunk, copy: u64) -> Result<Option<Met>, PlanError> {
        self.lookup.met(row, copy).map(Some)
    }

    fn left_over(&self) -> Option<u64> {
        Some(self.lookup.left_over())
    }

    fn why_filtered(&self) -> &str {
        match self.kind {
            JoinKind::Anti => "a row of the other table matches",
            _ => "no row of the other table matches",
        }
    }

    fn needs(&self, wanted: &[bool], before: usize) -> Vec<bool> {
        let mut needed = wanted.to_vec();
        needed.resize(before, true);
        for (ours, _) in &self.lookup.on {
            needed[*ours] = true;
        }
        needed
    }
}

impl Further for JoinStep {
    fn table(&self) -> &Table {
        &self.lookup.table
    }

    fn name(&self) -> &str {
        &self.lookup.name
    }

    fn rows(&self, window: Window) -> Result<FurtherRows, PlanError> {
        self.brought(self.lookup.left_rows(window)?)
    }
}
