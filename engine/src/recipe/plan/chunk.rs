//! A run of consecutive rows on its way through a plan.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, StringArray, UInt32Array, UInt64Array};
use arrow::compute::filter;
use arrow::datatypes::{Field, Schema};

use super::operator::PlanError;

/// Rows with what goes along unseen: where each came from.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// The columns, as the recipe has them at this point.
    pub columns: Vec<ArrayRef>,
    /// The sheet's row that each row comes from, as Excel numbers them; 0 where there is no single one.
    pub sources: UInt32Array,
    /// A number for each row that no other row of the run has: what the ledger sums.
    pub origins: UInt64Array,
    /// For previews: whether each cell was changed, per column; `None` in a column: no cell was.
    pub changed: Option<Vec<Option<BooleanArray>>>,
    /// For recipes that keep rejected rows: what is wrong with each row, in words; `None`: nothing with any of them.
    pub flags: Option<StringArray>,
}

/// The name of the flags in batches: they stand behind everything else, marked or not.
const FLAGS: &str = "flags";

/// Whether changes are marked, for previews.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marked {
    /// They are not.
    No,
    /// They are.
    Yes,
}

impl Chunk {
    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.sources.len()
    }

    /// The rows for which `keep` is true.
    pub fn filtered(&self, keep: &BooleanArray) -> Result<Self, PlanError> {
        self.each(|array| Ok(filter(array, keep)?))
    }

    /// The rows at these positions, in their order.
    pub fn taken(&self, positions: &UInt32Array) -> Result<Self, PlanError> {
        self.each(|array| Ok(arrow::compute::take(array, positions, None)?))
    }

    /// A run of its rows, without copying.
    pub fn slice(&self, offset: usize, length: usize) -> Result<Self, PlanError> {
        self.each(|array| Ok(array.slice(offset, length)))
    }

    /// As a batch for DataFusion: columns, sources, origins, then, when marked, one truth column per column, then flags.
    pub fn to_batch(&self) -> Result<RecordBatch, PlanError> {
        let mut arrays = self.columns.clone();
        arrays.push(Arc::new(self.sources.clone()));
        arrays.push(Arc::new(self.origins.clone()));
        for changed in self.changed.iter().flatten() {
            let unchanged = || BooleanArray::from(vec![false; self.rows()]);
            arrays.push(Arc::new(changed.clone().unwrap_or_else(unchanged)));
        }
        let field =
            |(index, array): (usize, &ArrayRef)| Field::new(format!("c{index}"), array.data_type().clone(), true);
        let mut fields: Vec<Field> = arrays.iter().enumerate().map(field).collect();
        let flags = self.flags.clone().unwrap_or_else(|| StringArray::new_null(self.rows()));
        fields.push(Field::new(FLAGS, flags.data_type().clone(), true));
        arrays.push(Arc::new(flags));
        let schema = Schema::new(fields);
        Ok(RecordBatch::try_new(Arc::new(schema), arrays)?)
    }

    /// Back from such a batch of a table with so many columns; what stands behind is left.
    pub fn of_batch(batch: &RecordBatch, columns: usize, marked: Marked) -> Result<Self, PlanError> {
        const LOST: PlanError = PlanError::Internal("a batch lost its hidden columns");
        let arrays = batch.columns();
        let (Some(sources), Some(origins)) = (arrays.get(columns), arrays.get(columns + 1)) else {
            return Err(LOST);
        };
        let changed = match marked {
            Marked::No => None,
            Marked::Yes => {
                let flags = arrays.get(columns + 2..2 * columns + 2).ok_or(LOST)?;
                Some(flags.iter().map(downcast).collect())
            }
        };
        Ok(Self {
            columns: arrays[..columns].to_vec(),
            sources: downcast(sources).ok_or(LOST)?,
            origins: downcast(origins).ok_or(LOST)?,
            changed,
            flags: batch
                .column_by_name(FLAGS)
                .filter(|flags| flags.null_count() < flags.len())
                .and_then(downcast),
        })
    }

    /// Whether changes are marked.
    #[must_use]
    pub fn marked(&self) -> Marked {
        if self.changed.is_some() {
            Marked::Yes
        } else {
            Marked::No
        }
    }

    /// Bytes that it holds, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.columns
            .iter()
            .map(|column| column.get_array_memory_size())
            .sum::<usize>()
            + 12 * self.rows()
    }

    fn each(&self, pick: impl Fn(&dyn Array) -> Result<ArrayRef, PlanError>) -> Result<Self, PlanError> {
        const LOST: PlanError = PlanError::Internal("a chunk lost its hidden columns");
        let pick_changed = |changed: &Option<BooleanArray>| match changed {
            None => Ok(None),
            Some(changed) => Ok(downcast(&pick(changed)?)),
        };
        let changed = match &self.changed {
            None => None,
            Some(changed) => Some(changed.iter().map(pick_changed).collect::<Result<_, PlanError>>()?),
        };
        Ok(Self {
            columns: self
                .columns
                .iter()
                .map(|column| pick(column))
                .collect::<Result<_, _>>()?,
            sources: downcast(&pick(&self.sources)?).ok_or(LOST)?,
            origins: downcast(&pick(&self.origins)?).ok_or(LOST)?,
            changed,
            flags: match &self.flags {
                None => None,
                Some(flags) => downcast(&pick(flags)?),
            },
        })
    }
}

fn downcast<T: Clone + 'static>(array: &ArrayRef) -> Option<T> {
    array.as_any().downcast_ref::<T>().cloned()
}
