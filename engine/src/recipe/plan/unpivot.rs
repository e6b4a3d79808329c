//! Turns columns into rows: for each row one for each of the columns, with its name and its cell.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, StringBuilder, UInt32Array, new_null_array};
use arrow::compute::{cast, interleave, take};

use super::blanks;
use super::chunk::Chunk;
use super::operator::{Applied, ChunkStep, PlanError};
use crate::recipe::columns::Column;
use crate::tables::ColumnKind;
use crate::tables::mixed::from_typed;

/// Columns that are turned into rows. Those that stay come first, then the names, then the cells.
#[derive(Clone, Debug)]
pub struct UnpivotStep {
    /// The columns that stay, by position.
    pub keep: Vec<usize>,
    /// The columns that are turned, by position.
    pub turned: Vec<usize>,
    /// What the column of their cells holds.
    pub kind: ColumnKind,
    /// Whether a blank cell becomes a row, too.
    pub blanks: BlankCells,
    /// The columns before.
    pub before: Vec<Column>,
}

/// What becomes of blank cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BlankCells {
    /// Each is a row.
    #[default]
    Keep,
    /// They are left out.
    LeaveOut,
}

/// The position of no number format: a cell under it is shown plainly.
const NO_FORMAT: u16 = u16::MAX;

impl UnpivotStep {
    /// A turned column as it goes into the column of cells.
    fn cells(&self, chunk: &Chunk, position: usize) -> Result<ArrayRef, PlanError> {
        let (column, of) = (&chunk.columns[position], &self.before[position]);
        let wanted = self.kind.arrow();
        Ok(if *column.data_type() == wanted {
            column.clone()
        } else if of.kind == ColumnKind::Blank {
            new_null_array(&wanted, column.len())
        } else if self.kind == ColumnKind::Mixed {
            from_typed(column, NO_FORMAT, of.format.as_deref())?
        } else {
            cast(column, &wanted)?
        })
    }
}

impl ChunkStep for UnpivotStep {
    fn apply(&self, chunk: &Chunk) -> Result<Applied, PlanError> {
        let mut cells = Vec::with_capacity(self.turned.len());
        let mut blank: Vec<Option<BooleanArray>> = Vec::with_capacity(self.turned.len());
        for position in &self.turned {
            cells.push(self.cells(chunk, *position)?);
            blank.push(match self.blanks {
                BlankCells::Keep => None,
                BlankCells::LeaveOut => Some(blanks::blank(&chunk.columns[*position])?),
            });
        }
        let rows = chunk.rows() * self.turned.len();
        let (mut picked, mut at) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        let mut names = StringBuilder::with_capacity(rows, 8 * rows);
        for row in 0..chunk.rows() {
            for (index, position) in self.turned.iter().enumerate() {
                if blank[index].as_ref().is_some_and(|blank| blank.value(row)) {
                    continue;
                }
                picked.push(u32::try_from(row).map_err(|_error| PlanError::Internal("a chunk has too many rows"))?);
                at.push((index, row));
                names.append_value(&self.before[*position].name);
            }
        }
        let picked = UInt32Array::from(picked);
        let mut columns = Vec::with_capacity(self.keep.len() + 2);
        for position in &self.keep {
            columns.push(take(&chunk.columns[*position], &picked, None)?);
        }
        columns.push(Arc::new(names.finish()));
        let arrays: Vec<&dyn Array> = cells.iter().map(AsRef::as_ref).collect();
        columns.push(interleave(&arrays, &at)?);
        let sources = self.lineage(chunk.columns.len(), columns.len());
        Ok(Applied {
            picked: Some(picked),
            ..Applied::with_sources(columns, sources)
        })
    }

    fn why_filtered(&self) -> &str {
        "the cells that become rows are all blank"
    }

    fn widens(&self) -> usize {
        self.turned.len()
    }

    fn lineage(&self, _before: usize, _after: usize) -> Vec<Option<usize>> {
        self.keep.iter().copied().map(Some).chain([None, None]).collect()
    }

    fn needs(&self, wanted: &[bool], before: usize) -> Vec<bool> {
        let mut needed = vec![false; before];
        for (position, wanted) in self.keep.iter().zip(wanted) {
            needed[*position] = *wanted;
        }
        if wanted.last() == Some(&true) || self.blanks == BlankCells::LeaveOut {
            self.turned.iter().for_each(|position| needed[*position] = true);
        }
        needed
    }
}
