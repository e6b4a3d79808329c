//! Fills blank cells with what stands above or below them.
//!
//! Filling from above carries the last filled cell of each column along. Filling from below holds chunks until the first
//! filled cell below their last row has come, per column; when too many wait, the rest is filled from the last row to the
//! first.

use std::collections::VecDeque;

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::compute::interleave;

use super::blanks;
use super::chunk::Chunk;
use super::operator::{Applied, PlanError};
use super::ordered::{Detour, Looks, Order, OrderedStep, Settled, Walk};

/// Where blank cells are filled from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FillFrom {
    /// From the nearest filled cell above.
    Above,
    /// From the nearest filled cell below.
    Below,
}

/// Columns that are filled.
#[derive(Clone, Debug)]
pub struct FillPlan {
    /// The columns, by position.
    pub columns: Vec<usize>,
    /// Where from.
    pub from: FillFrom,
}

impl OrderedStep for FillPlan {
    fn begin(&self) -> Result<Box<dyn Walk>, PlanError> {
        Ok(match self.from {
            FillFrom::Above => Box::new(Down::new(self.columns.clone())),
            FillFrom::Below => Box::new(Up {
                columns: self.columns.clone(),
                waiting: VecDeque::new(),
                bytes: 0,
            }),
        })
    }

    fn looks(&self) -> Looks {
        match self.from {
            FillFrom::Above => Looks::Back,
            FillFrom::Below => Looks::Ahead,
        }
    }

    fn needs(&self, wanted: &[bool], before: usize) -> Vec<bool> {
        let mut needed = wanted.to_vec();
        needed.resize(before, true);
        needed
    }
}

/// One cell as a column of its own: a slice would keep the whole column.
fn cell(column: &ArrayRef, row: usize) -> Result<ArrayRef, PlanError> {
    Ok(arrow::compute::take(column, &super::stages::positions([row]), None)?)
}

/// Rows in order, with what stands above.
struct Down {
    columns: Vec<usize>,
    above: Vec<Option<ArrayRef>>,
}

impl Down {
    fn new(columns: Vec<usize>) -> Self {
        Self {
            above: vec![None; columns.len()],
            columns,
        }
    }
}

impl Walk for Down {
    fn next(&mut self, chunk: Chunk) -> Result<Vec<Settled>, PlanError> {
        let mut columns = chunk.columns.clone();
        for (position, above) in self.columns.iter().zip(&mut self.above) {
            let column = &chunk.columns[*position];
            let blank = blanks::blank(column)?;
            columns[*position] = filled(column, &blank, above.as_ref(), 0..column.len())?;
            if let Some(last) = blank.values().iter().rposition(|blank| !blank) {
                *above = Some(cell(column, last)?);
            }
        }
        let applied = Applied::same_columns(columns);
        Ok(vec![Settled { chunk, applied }])
    }

    fn detour(self: Box<Self>) -> Result<Detour, PlanError> {
        Err(PlanError::Internal("filling down holds no rows"))
    }
}

/// A column whose blank cells are filled with the last filled cell met on the way over its rows, or with `first` before any.
fn filled(
    column: &ArrayRef,
    blank: &BooleanArray,
    first: Option<&ArrayRef>,
    way: impl Iterator<Item = usize>,
) -> Result<ArrayRef, PlanError> {
    if blank.true_count() == 0 {
        return Ok(column.clone());
    }
    let mut arrays: Vec<&dyn Array> = vec![column.as_ref()];
    arrays.extend(first.map(AsRef::as_ref));
    let mut last = first.map(|_| (1, 0));
    let mut cells: Vec<(usize, usize)> = (0..column.len()).map(|row| (0, row)).collect();
    for row in way {
        if !blank.value(row) {
            last = Some((0, row));
        } else if let Some(last) = last {
            cells[row] = last;
        }
    }
    Ok(interleave(&arrays, &cells)?)
}

/// A chunk that waits for what stands below.
struct Waiting {
    chunk: Chunk,
    /// Per column: the first filled cell below the chunk, once it is known.
    below: Vec<Option<ArrayRef>>,
    /// Per column: whether it has to be known, and is not.
    open: Vec<bool>,
}

/// Rows in order, as far as what stands below them is not known.
struct Up {
    columns: Vec<usize>,
    waiting: VecDeque<Waiting>,
    bytes: usize,
}

impl Up {
    fn settle(&mut self, until_open: bool) -> Result<Vec<Settled>, PlanError> {
        let mut settled = Vec::new();
        while let Some(front) = self.waiting.pop_front() {
            if until_open && front.open.contains(&true) {
                self.waiting.push_front(front);
                break;
            }
            self.bytes = self.bytes.saturating_sub(front.chunk.bytes());
            let mut columns = front.chunk.columns.clone();
            for (position, below) in self.columns.iter().zip(&front.below) {
                let column = &front.chunk.columns[*position];
                let blank = blanks::blank(column)?;
                columns[*position] = filled(column, &blank, below.as_ref(), (0..column.len()).rev())?;
            }
            settled.push(Settled {
                chunk: front.chunk,
                applied: Applied::same_columns(columns),
            });
        }
        Ok(settled)
    }
}

impl Walk for Up {
    fn next(&mut self, chunk: Chunk) -> Result<Vec<Settled>, PlanError> {
        let mut open = Vec::with_capacity(self.columns.len());
        for (at, position) in self.columns.iter().enumerate() {
            let column = &chunk.columns[*position];
            let blank = blanks::blank(column)?;
            let first = blank.values().iter().position(|blank| !blank);
            let first = first.map(|row| cell(column, row)).transpose()?;
            for waiting in self.waiting.iter_mut().filter(|waiting| waiting.open[at]) {
                waiting.open[at] = first.is_none();
                waiting.below[at].clone_from(&first);
            }
            open.push(blank.values().iter().last().unwrap_or(false));
        }
        self.bytes += chunk.bytes();
        self.waiting.push_back(Waiting {
            chunk,
            below: vec![None; self.columns.len()],
            open,
        });
        self.settle(true)
    }

    fn end(&mut self) -> Result<Vec<Settled>, PlanError> {
        self.settle(false)
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn detour(self: Box<Self>) -> Result<Detour, PlanError> {
        Ok(Detour {
            pending: self.waiting.into_iter().map(|waiting| waiting.chunk).collect(),
            order: Order::Backward,
            walk: Box::new(Down::new(self.columns)),
        })
    }
}
