//! Puts rows in order.

use std::sync::Arc;

use arrow::datatypes::DataType;
use futures_util::StreamExt;

use super::Work;
use super::chunk::{Chunk, Marked};
use super::external::{self, ASCENDING, DESCENDING, Key};
use super::operator::{Operator, PlanError};
use super::stages::ChunkStream;
use crate::recipe::columns::Column;
use crate::recipe::ledger::Account;
use crate::recipe::steps::Direction;
use crate::tables::ColumnKind;

/// A sort.
#[derive(Clone, Debug)]
pub struct SortPlan {
    /// Columns by position and which way, most important first.
    pub keys: Vec<(usize, Direction)>,
}

impl SortPlan {
    /// Which columns are needed when these are wanted.
    #[must_use]
    pub fn needs(&self, mut wanted: Vec<bool>) -> Vec<bool> {
        for (column, _) in &self.keys {
            wanted[*column] = true;
        }
        wanted
    }
}

/// Sorts the stream. Equal rows keep their order, since the position in the stream is the last key.
pub(super) fn run(work: &Arc<Work>, index: usize, stream: ChunkStream) -> ChunkStream {
    match try_run(work, index, stream) {
        Ok(stream) => stream,
        Err(error) => Box::pin(futures_util::stream::iter([Err(error)])),
    }
}

fn try_run(work: &Arc<Work>, index: usize, stream: ChunkStream) -> Result<ChunkStream, PlanError> {
    let step = &work.plan.steps[index];
    let Operator::Sort(plan) = &step.operator else {
        return Err(PlanError::Internal("no sort"));
    };
    let base = empty(&step.before, work.marked)?.to_batch()?.schema();
    let (keys, added) = keys(plan, &step.before, base.fields().len());
    let schema = external::schema_with(&base, &added);
    let columns = step.before.len();
    let (counted, by) = (
        work.clone(),
        plan.keys.iter().map(|(column, _)| *column).collect::<Vec<_>>(),
    );
    let (mut next, number) = (0, step.number);
    let batches = stream.map(move |chunk| {
        let chunk = chunk?;
        let mut account = Account::default();
        account.came.add(chunk.origins.values().iter().copied());
        counted.note(super::Effects::of(number, account, Vec::new()))?;
        let mut added = Vec::new();
        for column in &by {
            added.extend(super::cells::sort_keys(&chunk.columns[*column])?);
        }
        added.push(external::ordinals(&mut next, chunk.rows()));
        let batch = external::with_columns(&chunk.to_batch()?, added)?;
        external::compact(&batch)
    });
    let batches = external::flattened(batches);
    let first = work.resources.first.filter(|_| work.plan.last_sort() == Some(index));
    let (memory, scratch) = (work.share(), &work.resources.scratch);
    let sorted = external::first_of_sort(batches, schema, &keys, memory, scratch, first)?;
    let (work, marked) = (work.clone(), work.marked);
    Ok(Box::pin(sorted.map(move |batch| {
        let chunk = Chunk::of_batch(&batch?, columns, marked)?;
        let mut account = Account::default();
        account.kept.add(chunk.origins.values().iter().copied());
        work.note(super::Effects::of(number, account, Vec::new()))?;
        Ok(chunk)
    })))
}

/// What to sort by, and the types of the columns that are added for it behind the `behind` columns of a batch.
fn keys(plan: &SortPlan, columns: &[Column], behind: usize) -> (Vec<Key>, Vec<DataType>) {
    let (mut keys, mut added) = (Vec::new(), Vec::new());
    for (column, direction) in &plan.keys {
        let options = match direction {
            Direction::Descending => DESCENDING,
            Direction::Ascending => ASCENDING,
        };
        let kind = columns[*column].kind;
        for (index, data_type) in key_types(kind).into_iter().enumerate() {
            // In a column of several kinds the classes keep their order either way: numbers before texts.
            let is_class = kind == ColumnKind::Mixed && index == 0;
            let options = if is_class { ASCENDING } else { options };
            keys.push(Key {
                column: behind + added.len(),
                options,
            });
            added.push(data_type);
        }
    }
    keys.push(Key::ascending(behind + added.len()));
    added.push(DataType::UInt64);
    (keys, added)
}

/// A chunk without rows.
pub(super) fn empty(columns: &[Column], marked: Marked) -> Result<Chunk, PlanError> {
    Ok(Chunk {
        columns: columns
            .iter()
            .map(|column| arrow::array::new_empty_array(&column.kind.arrow()))
            .collect(),
        sources: Vec::<u32>::new().into(),
        origins: Vec::<u64>::new().into(),
        changed: (marked == Marked::Yes).then(|| vec![None; columns.len()]),
        flags: None,
    })
}

/// The types of [`super::cells::sort_keys`].
fn key_types(kind: ColumnKind) -> Vec<DataType> {
    match kind {
        ColumnKind::Mixed => vec![DataType::UInt8, DataType::Float64, DataType::Utf8],
        kind => vec![kind.arrow()],
    }
}
