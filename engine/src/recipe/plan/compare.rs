//! Compares a table with an older one, row by row of the same key.
//!
//! Our rows come with a mark behind where their key stood in an earlier row already.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringArray, UInt32Array, new_null_array};
use arrow::compute::kernels::cmp::distinct;
use arrow::compute::take;
use arrow::datatypes::Int64Type;

use super::chunk::Chunk;
use super::further::{Further, FurtherRows};
use super::join::KeyColumn;
use super::lookup::{LeftRows, LooksUp, Lookup, Matched, NONE, common, comparable};
use super::operator::{Applied, ChunkStep, Met, PlanError};
use super::stages::Window;
use crate::recipe::expression::Rejection;
use crate::recipe::steps::Change;
use crate::tables::ColumnKind;
use crate::tables::read::Table;

/// What is compared, and which rows stay. After the step: the change, the changed columns, then our columns, each that is
/// compared with the old one beside it.
#[derive(Debug)]
pub struct CompareStep {
    /// The old table; it holds the compared columns.
    pub lookup: Lookup,
    /// Our columns that are compared, in the order of those that the lookup holds.
    pub compared: Vec<usize>,
    /// Our columns of keys that take in those of removed rows.
    pub keys: Vec<KeyColumn>,
    /// Which rows stay.
    pub keep: Vec<Change>,
}

/// The rows of the old table for a chunk, and what is wrong with some.
struct Found {
    theirs: UInt32Array,
    rejections: Vec<Rejection>,
}

impl CompareStep {
    fn pairs(&self, chunk: &Chunk, matched: &Matched) -> Result<Found, PlanError> {
        let marks = chunk.columns.get(self.lookup.before.len());
        let marks = marks.and_then(|marks| marks.as_primitive_opt::<Int64Type>());
        let marks = marks.ok_or(PlanError::Internal("a comparison without marks"))?;
        let (mut theirs, mut rejections) = (Vec::with_capacity(chunk.rows()), Vec::new());
        for row in 0..chunk.rows() {
            let matches = matched.of(row);
            theirs.push(matches.first().copied());
            let repeated = (marks.is_valid(row) && !matched.blank.value(row)).then(|| marks.value(row));
            let message = match repeated {
                Some(0) => "an earlier row has the same key".to_owned(),
                Some(earlier) => format!("row {earlier} has the same key"),
                None if matches.len() > 1 => format!("several rows of `{}` have this key", self.lookup.name),
                None => continue,
            };
            rejections.push(Rejection {
                position: u32::try_from(row).unwrap_or(NONE),
                column: self.lookup.on.first().map(|(ours, _)| *ours),
                value: String::new(),
                rule: "compare",
                message,
            });
        }
        Ok(Found {
            theirs: UInt32Array::from(theirs),
            rejections,
        })
    }

    /// For each compared column where it differs from the old one, by value.
    fn differences(&self, chunk: &Chunk, old: &[ArrayRef]) -> Result<Vec<BooleanArray>, PlanError> {
        let theirs = self.lookup.theirs();
        let pairs = self.compared.iter().zip(&self.lookup.held).zip(old);
        let different = pairs.map(|((ours, held), old)| {
            let (of, of_old) = (&self.lookup.before[*ours], &theirs[*held]);
            let common = common(of.kind, of_old.kind);
            let new = comparable(&chunk.columns[*ours], of, common)?;
            Ok(distinct(&new, &comparable(old, of_old, common)?)?)
        });
        different.collect()
    }

    /// The names of the changed columns, where there is an old row.
    fn changed_columns(&self, different: &[BooleanArray], theirs: &UInt32Array) -> StringArray {
        let names = |row: usize| {
            let changed = self.compared.iter().zip(different);
            let changed = changed.filter(|(_, different)| theirs.is_valid(row) && different.value(row));
            let names: Vec<&str> = changed
                .map(|(ours, _)| self.lookup.before[*ours].name.as_str())
                .collect();
            (!names.is_empty()).then(|| names.join(", "))
        };
        (0..theirs.len()).map(names).collect()
    }

    /// Puts columns in the order after the step.
    fn in_order(
        &self,
        (changes, changed_columns): (ArrayRef, ArrayRef),
        ours: Vec<ArrayRef>,
        old: &[ArrayRef],
    ) -> Vec<ArrayRef> {
        let mut columns = vec![changes, changed_columns];
        for (position, column) in ours.into_iter().enumerate() {
            columns.push(column);
            if let Some(at) = self.compared.iter().position(|it| *it == position) {
                columns.push(old[at].clone());
            }
        }
        columns
    }

    fn keeps(&self, change: Change) -> bool {
        self.keep.contains(&change)
    }
}

impl LooksUp for CompareStep {
    fn lookup(&self) -> &Lookup {
        &self.lookup
    }

    fn most(&self) -> usize {
        2
    }

    fn found(&self, chunk: &Chunk, matched: &Matched) -> Result<Applied, PlanError> {
        let Found { theirs, rejections } = self.pairs(chunk, matched)?;
        let old = matched.columns.iter().map(|column| take(column, &theirs, None));
        let old = old.collect::<Result<Vec<_>, _>>()?;
        let changed_columns = self.changed_columns(&self.differences(chunk, &old)?, &theirs);
        let change = |row: usize| match (theirs.is_valid(row), changed_columns.is_valid(row)) {
            (false, _) => Change::Added,
            (true, true) => Change::Changed,
            (true, false) => Change::Same,
        };
        let changes: Vec<Change> = (0..chunk.rows()).map(change).collect();
        let out: BooleanArray = changes.iter().map(|change| Some(!self.keeps(*change))).collect();
        let words: StringArray = changes.iter().map(|change| Some(change.word())).collect();
        let before = self.lookup.before.iter().enumerate();
        let ours = before.map(|(position, before)| {
            KeyColumn::of_ours(&self.keys, position, chunk.columns[position].clone(), before)
        });
        let ours = ours.collect::<Result<Vec<_>, _>>()?;
        let columns = self.in_order((Arc::new(words), Arc::new(changed_columns)), ours, &old);
        let sources = self.lineage(self.lookup.before.len(), columns.len());
        Ok(Applied {
            rejections,
            filtered: (out.true_count() > 0).then_some(out),
            ..Applied::with_sources(columns, sources)
        })
    }

    fn brought(&self, left: LeftRows) -> Result<FurtherRows, PlanError> {
        let before = self.lookup.before.iter().enumerate();
        let ours = before.map(|(position, before)| KeyColumn::of_theirs(&self.keys, position, &left, before));
        let ours = ours.collect::<Result<Vec<_>, _>>()?;
        let rows = left.positions.len();
        let words: ArrayRef = Arc::new(StringArray::from(vec![Change::Removed.word(); rows]));
        let nothing = new_null_array(&ColumnKind::Text.arrow(), rows);
        Ok(FurtherRows {
            columns: self.in_order((words, nothing), ours, &left.columns),
            positions: left.positions,
        })
    }
}

impl ChunkStep for CompareStep {
    fn apply(&self, chunk: &Chunk) -> Result<Applied, PlanError> {
        self.found(chunk, &self.lookup.matched(chunk, self.most())?)
    }

    fn looks_up(&self) -> Option<&dyn LooksUp> {
        Some(self)
    }

    fn further(&self) -> Option<&dyn Further> {
        self.keeps(Change::Removed).then_some(self)
    }

    fn met(&self, row: &Chunk, _copy: u64) -> Result<Option<Met>, PlanError> {
        self.lookup.met(row, 0).map(Some)
    }

    fn why_filtered(&self) -> &str {
        "rows with this kind of change are left out"
    }

    fn lineage(&self, before: usize, _after: usize) -> Vec<Option<usize>> {
        let mut lineage = vec![None, None];
        for position in 0..before {
            lineage.push(Some(position));
            if self.compared.contains(&position) {
                lineage.push(None);
            }
        }
        lineage
    }

    fn needs(&self, wanted: &[bool], before: usize) -> Vec<bool> {
        let mut needed = vec![false; before];
        for (after, source) in self.lineage(before, wanted.len()).into_iter().enumerate() {
            if let Some(position) = source {
                needed[position] = wanted.get(after).copied().unwrap_or(true);
            }
        }
        let keys = self.lookup.on.iter().map(|(ours, _)| *ours);
        keys.chain(self.compared.iter().copied())
            .for_each(|at| needed[at] = true);
        needed
    }
}

impl Further for CompareStep {
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
