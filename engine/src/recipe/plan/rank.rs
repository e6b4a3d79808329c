//! Ranks rows by a column, over all rows or in each group for itself.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::datatypes::DataType;

use super::chunk::Chunk;
use super::deduplicate::Keys;
use super::external::ASCENDING;
use super::operator::PlanError;
use super::ordered::{Detour, Looks, Order, OrderedStep, Settled, Walk};
use super::running::{bytes_of, placed};
use super::sort::SortBy;
use super::{blanks, sort};
use crate::recipe::columns::Column;

/// What follows rows that are equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ties {
    /// As many ranks are left out as rows are equal: 1, 2, 2, 4.
    #[default]
    Competition,
    /// The next rank: 1, 2, 2, 3.
    Dense,
}

/// A column of ranks.
#[derive(Clone, Debug)]
pub struct RankPlan {
    /// What is ranked, and which way.
    pub of: SortBy,
    /// The columns that make a group, by position; may be none.
    pub by: Vec<usize>,
    /// What follows rows that are equal.
    pub ties: Ties,
    /// The column that is filled; `None`: a new one behind the others.
    pub target: Option<usize>,
    /// The columns before.
    pub before: Vec<Column>,
}

impl OrderedStep for RankPlan {
    fn begin(&self) -> Result<Box<dyn Walk>, PlanError> {
        Ok(Box::new(Begin(self.clone())))
    }

    fn looks(&self) -> Looks {
        Looks::Everywhere
    }

    fn needs(&self, wanted: &[bool], before: usize) -> Vec<bool> {
        let mut needed = wanted.to_vec();
        needed.resize(before, true);
        if let Some(target) = self.target {
            needed[target] = false;
        }
        needed[self.of.column] = true;
        self.by.iter().for_each(|column| needed[*column] = true);
        needed
    }
}

/// Ranking needs the rows sorted: it makes the detour at once.
struct Begin(RankPlan);

impl Walk for Begin {
    fn next(&mut self, _chunk: Chunk) -> Result<Vec<Settled>, PlanError> {
        Err(PlanError::Internal("ranks without a sort"))
    }

    fn bytes(&self) -> usize {
        usize::MAX
    }

    fn detour(self: Box<Self>) -> Result<Detour, PlanError> {
        let plan = self.0;
        let by = Keys::new(&plan.before, &plan.by)?;
        let mut keys = Vec::new();
        if !plan.by.is_empty() {
            keys.push((DataType::Binary, ASCENDING));
        }
        keys.extend(sort::key_types(&plan.of, plan.before[plan.of.column].kind));
        let of = plan.of.clone();
        Ok(Detour {
            pending: Vec::new(),
            order: Order::Sorted {
                keys,
                of: Box::new(move |chunk| {
                    let mut keys = Vec::new();
                    if !by.is_empty() {
                        keys.push(bytes_of(&by, chunk)?);
                    }
                    keys.extend(sort::keys_of(&of, &chunk.columns[of.column])?);
                    Ok(keys)
                }),
            },
            walk: Box::new(Ranks {
                by: Keys::new(&plan.before, &plan.by)?,
                of: Keys::new(&plan.before, &[plan.of.column])?,
                plan,
                above: None,
                rows: 0,
                rank: 0,
            }),
        })
    }
}

/// Group and value of a row.
type Above = (Box<[u8]>, Box<[u8]>);

/// Goes through rows that are sorted by group and what is ranked.
struct Ranks {
    plan: RankPlan,
    by: Keys,
    of: Keys,
    /// The ranked row above.
    above: Option<Above>,
    /// Ranked rows of the group so far.
    rows: i64,
    rank: i64,
}

impl Ranks {
    /// The rank of the next row.
    fn next_rank(&mut self, group: &[u8], value: &[u8]) -> i64 {
        let (same_group, same_value) = match &self.above {
            Some((above, last)) => (above.as_ref() == group, last.as_ref() == value),
            None => (false, false),
        };
        if !same_group {
            (self.rows, self.rank) = (0, 0);
        }
        self.rows += 1;
        if !(same_group && same_value) {
            self.rank = match self.plan.ties {
                Ties::Competition => self.rows,
                Ties::Dense => self.rank + 1,
            };
            self.above = Some((group.into(), value.into()));
        }
        self.rank
    }
}

impl Walk for Ranks {
    fn next(&mut self, chunk: Chunk) -> Result<Vec<Settled>, PlanError> {
        let blank = blanks::blank(&chunk.columns[self.plan.of.column])?;
        let groups = bytes_of(&self.by, &chunk)?;
        let groups = groups.as_binary::<i32>();
        let values = self.of.of(&chunk)?;
        let mut ranks = Vec::with_capacity(chunk.rows());
        for (row, value) in values.iter().enumerate() {
            ranks.push((!blank.value(row)).then(|| self.next_rank(groups.value(row), value.as_ref())));
        }
        let ranks: ArrayRef = Arc::new(Int64Array::from(ranks));
        let applied = placed(&chunk, self.plan.target, ranks);
        Ok(vec![Settled { chunk, applied }])
    }

    fn detour(self: Box<Self>) -> Result<Detour, PlanError> {
        Err(PlanError::Internal("a detour from a detour"))
    }
}
