//! Totals while rows of groups go by. None depends on how the rows were split.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use arrow::row::{RowConverter, SortField};

use super::cells;
use super::exact_sum::ExactSum;
use super::operator::PlanError;
use crate::recipe::expression::{Aggregate, AggregateFunction};

/// What one value costs, about: pointer, length and the allocator's own.
const VALUE_OVERHEAD: usize = 40;

/// One total of many groups.
pub enum Accumulator {
    /// How many.
    Count(Vec<i64>),
    /// How many different ones.
    Distinct {
        /// Group and value.
        seen: HashSet<(u32, Box<[u8]>)>,
        /// Per group.
        counts: Vec<i64>,
        /// Values to bytes.
        converter: RowConverter,
    },
    /// Sum or mean.
    Sum {
        /// Per group.
        sums: Vec<(ExactSum, u64)>,
        /// Whether the mean is wanted.
        mean: bool,
    },
    /// The numbers of each group, for the one in the middle.
    Median(Vec<Vec<f64>>),
    /// First, last, smallest or greatest.
    Pick {
        /// Which.
        function: AggregateFunction,
        /// Per group.
        values: Vec<Option<Box<[u8]>>>,
        /// Values to bytes that are ordered like them, and back.
        converter: RowConverter,
    },
}

impl Accumulator {
    /// Starts a total.
    pub fn new(aggregate: &Aggregate) -> Result<Self, PlanError> {
        let kind = aggregate
            .argument
            .as_ref()
            .map_or(DataType::Int64, |argument| argument.kind().arrow());
        Ok(match aggregate.function {
            AggregateFunction::Count => Self::Count(Vec::new()),
            AggregateFunction::CountDistinct => {
                let parts = cells::likeness(&arrow::array::new_empty_array(&kind))?;
                let fields = parts
                    .iter()
                    .map(|part| SortField::new(part.data_type().clone()))
                    .collect();
                Self::Distinct {
                    seen: HashSet::new(),
                    counts: Vec::new(),
                    converter: RowConverter::new(fields)?,
                }
            }
            AggregateFunction::Sum => Self::Sum {
                sums: Vec::new(),
                mean: false,
            },
            AggregateFunction::Average => Self::Sum {
                sums: Vec::new(),
                mean: true,
            },
            AggregateFunction::Median => Self::Median(Vec::new()),
            function => {
                let converter = RowConverter::new(vec![SortField::new(kind)])?;
                Self::Pick {
                    function,
                    values: Vec::new(),
                    converter,
                }
            }
        })
    }

    /// Adds rows, each to its group; `all` is how many groups there are now. Answers about how many bytes that took.
    pub fn add(&mut self, groups: &[u32], all: usize, values: Option<&ArrayRef>) -> Result<usize, PlanError> {
        let filled = |row: usize| values.is_none_or(|values| values.is_valid(row));
        match self {
            Self::Count(counts) => {
                counts.resize(all, 0);
                for (_, group) in groups.iter().enumerate().filter(|(row, _)| filled(*row)) {
                    counts[*group as usize] += 1;
                }
                Ok(0)
            }
            Self::Distinct {
                seen,
                counts,
                converter,
            } => {
                counts.resize(all, 0);
                let values = values.ok_or(PlanError::Internal("a total of nothing"))?;
                let rows = converter.convert_columns(&cells::likeness(values)?)?;
                let mut bytes = 0;
                for (row, group) in groups.iter().enumerate().filter(|(row, _)| values.is_valid(*row)) {
                    let value: Box<[u8]> = rows.row(row).as_ref().into();
                    let length = value.len();
                    if seen.insert((*group, value)) {
                        counts[*group as usize] += 1;
                        bytes += length + VALUE_OVERHEAD;
                    }
                }
                Ok(bytes)
            }
            Self::Sum { sums, .. } => {
                sums.resize(all, (ExactSum::default(), 0));
                let values = values.ok_or(PlanError::Internal("a total of nothing"))?;
                let numbers = cast(values, &DataType::Float64)?;
                let numbers = numbers.as_primitive::<Float64Type>();
                for (group, number) in groups.iter().zip(numbers) {
                    if let Some(number) = number {
                        let (sum, count) = &mut sums[*group as usize];
                        sum.add(number);
                        *count += 1;
                    }
                }
                Ok(0)
            }
            Self::Median(numbers) => {
                numbers.resize(all, Vec::new());
                gather(
                    numbers,
                    groups,
                    values.ok_or(PlanError::Internal("a total of nothing"))?,
                )
            }
            Self::Pick {
                function,
                values: picked,
                converter,
            } => {
                picked.resize(all, None);
                let values = values.ok_or(PlanError::Internal("a total of nothing"))?;
                pick(*function, picked, converter, groups, values)
            }
        }
    }

    /// The totals, one row per group.
    pub fn finish(&self) -> Result<ArrayRef, PlanError> {
        Ok(match self {
            Self::Count(counts) | Self::Distinct { counts, .. } => Arc::new(Int64Array::from(counts.clone())),
            Self::Sum { sums, mean } => Arc::new(
                sums.iter()
                    .map(|(sum, count)| (*count > 0).then(|| if *mean { sum.mean(*count) } else { sum.value() }))
                    .collect::<Float64Array>(),
            ),
            Self::Median(numbers) => Arc::new(numbers.iter().map(|it| median(it)).collect::<Float64Array>()),
            Self::Pick { values, converter, .. } => {
                let nothing = arrow::array::new_null_array(&picked_type(converter)?, 1);
                let nothing: Box<[u8]> = converter.convert_columns(&[nothing])?.row(0).as_ref().into();
                let parser = converter.parser();
                let rows = values
                    .iter()
                    .map(|value| parser.parse(value.as_ref().unwrap_or(&nothing)));
                converter
                    .convert_rows(rows)?
                    .pop()
                    .ok_or(PlanError::Internal("a total without values"))?
            }
        })
    }

    /// Bytes that a new group takes, about.
    #[must_use]
    pub fn bytes_per_group(&self) -> usize {
        match self {
            Self::Count(_) | Self::Distinct { .. } => 8,
            Self::Sum { .. } => 72,
            Self::Median(_) => 24,
            Self::Pick { .. } => 16 + VALUE_OVERHEAD,
        }
    }
}

/// The number in the middle, or between the two in the middle; nothing of none.
fn median(numbers: &[f64]) -> Option<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = sorted[middle - 1];
    let both = (lower + upper) / 2.0;
    // The sum of two great numbers is no number: they are halved first, which would lose the last digit of the smallest.
    Some(if both.is_finite() { both } else { lower / 2.0 + upper / 2.0 })
}

/// The type that a converter of one column was made for.
fn picked_type(converter: &RowConverter) -> Result<DataType, PlanError> {
    let empty = converter.convert_rows(std::iter::empty())?;
    empty
        .first()
        .map(|column| column.data_type().clone())
        .ok_or(PlanError::Internal("a total without a type"))
}

/// Puts each number to its group's; answers how many bytes that took.
fn gather(numbers: &mut [Vec<f64>], groups: &[u32], values: &ArrayRef) -> Result<usize, PlanError> {
    let values = cast(values, &DataType::Float64)?;
    let filled = groups.iter().zip(values.as_primitive::<Float64Type>());
    let mut bytes = 0;
    for (group, number) in filled.filter_map(|(group, number)| Some((group, number?))) {
        numbers[*group as usize].push(number);
        bytes += size_of::<f64>();
    }
    Ok(bytes)
}

fn pick(
    function: AggregateFunction,
    picked: &mut [Option<Box<[u8]>>],
    converter: &RowConverter,
    groups: &[u32],
    values: &ArrayRef,
) -> Result<usize, PlanError> {
    let rows = converter.convert_columns(std::slice::from_ref(values))?;
    let mut bytes = 0;
    for (row, group) in groups.iter().enumerate().filter(|(row, _)| values.is_valid(*row)) {
        let (encoded, best) = (rows.row(row), &mut picked[*group as usize]);
        let value = encoded.as_ref();
        let better = match (&best, function) {
            (None, _) | (_, AggregateFunction::Last) => true,
            (Some(best), AggregateFunction::Min) => value < best.as_ref(),
            (Some(best), AggregateFunction::Max) => value > best.as_ref(),
            _ => false,
        };
        if better {
            bytes += value.len().saturating_sub(best.as_ref().map_or(0, |best| best.len()));
            *best = Some(value.into());
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_stands_in_the_middle_whatever_the_order() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[4.0, 1.0, 4.0]), Some(4.0));
        assert_eq!(median(&[9.0, -1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[f64::MAX, f64::MAX]), Some(f64::MAX));
    }
}
