//! Numbers, totals and differences that run down the rows, over all of them or in each group for itself.
//!
//! What runs is held in memory per group. When there are too many groups, later rows are gone through group by group, each
//! going on from what memory knows of it.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, Float64Array, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, TimeUnit};

use super::chunk::Chunk;
use super::deduplicate::Keys;
use super::exact_sum::ExactSum;
use super::external::ASCENDING;
use super::operator::{Applied, PlanError};
use super::ordered::{Detour, Order, OrderedStep, Settled, Walk};
use crate::recipe::columns::Column;
use crate::tables::ColumnKind;

/// What a group costs beside its key: hash table slot, allocator, and what runs.
const GROUP_OVERHEAD: usize = 160;
/// Milliseconds of a day.
const DAY_MS: f64 = 86_400_000.0;

/// What runs down the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Running {
    /// The rows' numbers, from this one on.
    Number(i64),
    /// The total of a column, exact and rounded once in each row.
    Total(usize),
    /// The difference of a column to the row above, in numbers or days.
    Difference(usize),
}

/// A column that runs down the rows.
#[derive(Clone, Debug)]
pub struct RunningPlan {
    /// What runs.
    pub running: Running,
    /// The columns that make a group, by position; may be none.
    pub by: Vec<usize>,
    /// The column that is filled; `None`: a new one behind the others.
    pub target: Option<usize>,
    /// The columns before.
    pub before: Vec<Column>,
}

impl OrderedStep for RunningPlan {
    fn begin(&self) -> Result<Box<dyn Walk>, PlanError> {
        Ok(Box::new(RunningWalk {
            keys: Keys::new(&self.before, &self.by)?,
            plan: Arc::new(self.clone()),
            groups: HashMap::new(),
            bytes: 0,
            alone: State::default(),
        }))
    }

    fn needs(&self, wanted: &[bool], before: usize) -> Vec<bool> {
        let mut needed = wanted.to_vec();
        needed.resize(before, true);
        if let Some(target) = self.target {
            needed[target] = false;
        }
        if let Running::Total(of) | Running::Difference(of) = self.running {
            needed[of] = true;
        }
        self.by.iter().for_each(|column| needed[*column] = true);
        needed
    }
}

impl RunningPlan {
    /// The numbers that are totalled or compared; moments as milliseconds, so that their difference is exact.
    fn numbers(&self, chunk: &Chunk) -> Result<Option<Float64Array>, PlanError> {
        let (Running::Total(of) | Running::Difference(of)) = self.running else {
            return Ok(None);
        };
        let column = &chunk.columns[of];
        let whole = match column.data_type() {
            DataType::Timestamp(..) => cast(column, &DataType::Timestamp(TimeUnit::Millisecond, None))
                .and_then(|moments| cast(&moments, &DataType::Int64))?,
            DataType::Date32 => cast(column, &DataType::Int32)?,
            _ => column.clone(),
        };
        Ok(Some(
            cast(&whole, &DataType::Float64)?.as_primitive::<Float64Type>().clone(),
        ))
    }

    /// What a difference is divided by.
    fn unit(&self) -> f64 {
        match self.running {
            Running::Difference(of) if self.before[of].kind == ColumnKind::DateTime => DAY_MS,
            _ => 1.0,
        }
    }

    /// What the step makes of a chunk, given the values of its column.
    fn settled(&self, chunk: Chunk, values: Vec<Option<f64>>) -> Result<Vec<Settled>, PlanError> {
        let values: ArrayRef = match self.running {
            Running::Number(_) => {
                #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
                let whole = |value: Option<f64>| value.map(|value| value as i64);
                Arc::new(values.into_iter().map(whole).collect::<Int64Array>())
            }
            Running::Total(_) | Running::Difference(_) => Arc::new(Float64Array::from(values)),
        };
        let applied = placed(&chunk, self.target, values);
        Ok(vec![Settled { chunk, applied }])
    }
}

/// The chunk's columns with one more behind them, or in place of one.
pub(super) fn placed(chunk: &Chunk, target: Option<usize>, values: ArrayRef) -> Applied {
    let mut columns = chunk.columns.clone();
    match target {
        Some(target) => {
            columns[target] = values;
            Applied::same_columns(columns)
        }
        None => {
            let sources = (0..columns.len()).map(Some).chain([None]).collect();
            columns.push(values);
            Applied::with_sources(columns, sources)
        }
    }
}

/// What runs in one group.
#[derive(Clone, Debug, Default)]
struct State {
    rows: u32,
    sum: ExactSum,
    above: Option<f64>,
}

impl State {
    /// The value of the next row.
    fn next(&mut self, plan: &RunningPlan, number: Option<f64>, unit: f64) -> Option<f64> {
        match plan.running {
            Running::Number(start) => {
                #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
                let value = start as f64 + f64::from(self.rows);
                self.rows += 1;
                Some(value)
            }
            Running::Total(_) => {
                if let Some(number) = number {
                    self.sum.add(number);
                }
                Some(self.sum.value())
            }
            Running::Difference(_) => {
                let difference = number.zip(self.above).map(|(here, above)| (here - above) / unit);
                self.above = number;
                difference
            }
        }
    }
}

struct RunningWalk {
    plan: Arc<RunningPlan>,
    keys: Keys,
    groups: HashMap<Box<[u8]>, State>,
    bytes: usize,
    /// What runs where there are no groups.
    alone: State,
}

impl Walk for RunningWalk {
    fn next(&mut self, chunk: Chunk) -> Result<Vec<Settled>, PlanError> {
        let (plan, unit) = (self.plan.clone(), self.plan.unit());
        let numbers = plan.numbers(&chunk)?;
        let number = |row: usize| numbers.as_ref().and_then(|it| it.is_valid(row).then(|| it.value(row)));
        let mut values = Vec::with_capacity(chunk.rows());
        if plan.by.is_empty() {
            values.extend((0..chunk.rows()).map(|row| self.alone.next(&plan, number(row), unit)));
            return plan.settled(chunk, values);
        }
        for (row, key) in self.keys.of(&chunk)?.iter().enumerate() {
            let key = key.as_ref();
            let state = match self.groups.get_mut(key) {
                Some(state) => state,
                None => {
                    self.bytes += key.len() + GROUP_OVERHEAD;
                    self.groups.entry(key.into()).or_default()
                }
            };
            values.push(state.next(&plan, number(row), unit));
        }
        plan.settled(chunk, values)
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn detour(self: Box<Self>) -> Result<Detour, PlanError> {
        let keys = Keys::new(&self.plan.before, &self.plan.by)?;
        Ok(Detour {
            pending: Vec::new(),
            order: Order::Sorted {
                keys: vec![(DataType::Binary, ASCENDING)],
                of: Box::new(move |chunk| Ok(vec![bytes_of(&keys, chunk)?])),
            },
            walk: Box::new(GroupWalk {
                plan: self.plan,
                keys: self.keys,
                groups: self.groups,
                current: None,
            }),
        })
    }
}

/// The keys of a chunk's rows as a column; without columns, all are alike.
pub(super) fn bytes_of(keys: &Keys, chunk: &Chunk) -> Result<ArrayRef, PlanError> {
    if keys.is_empty() {
        return Ok(Arc::new(BinaryArray::from(vec![b"".as_slice(); chunk.rows()])));
    }
    let rows = keys.of(chunk)?;
    Ok(Arc::new(
        rows.iter()
            .map(|key| Some(key.as_ref().to_vec()))
            .collect::<BinaryArray>(),
    ))
}

/// Goes through rows that are sorted by group.
struct GroupWalk {
    plan: Arc<RunningPlan>,
    keys: Keys,
    /// What ran before.
    groups: HashMap<Box<[u8]>, State>,
    current: Option<(Box<[u8]>, State)>,
}

impl Walk for GroupWalk {
    fn next(&mut self, chunk: Chunk) -> Result<Vec<Settled>, PlanError> {
        let (plan, unit) = (self.plan.clone(), self.plan.unit());
        let numbers = plan.numbers(&chunk)?;
        let number = |row: usize| numbers.as_ref().and_then(|it| it.is_valid(row).then(|| it.value(row)));
        let mut values = Vec::with_capacity(chunk.rows());
        for (row, key) in self.keys.of(&chunk)?.iter().enumerate() {
            let key = key.as_ref();
            let state = match &mut self.current {
                Some((current, state)) if current.as_ref() == key => state,
                current => {
                    let known = self.groups.remove(key).unwrap_or_default();
                    &mut current.insert((key.into(), known)).1
                }
            };
            values.push(state.next(&plan, number(row), unit));
        }
        plan.settled(chunk, values)
    }

    fn detour(self: Box<Self>) -> Result<Detour, PlanError> {
        Err(PlanError::Internal("a detour from a detour"))
    }
}
