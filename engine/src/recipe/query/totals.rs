//! Sums and averages that do not depend on the order of rows or on what went to disk between: exact, and rounded once.

use std::mem::size_of;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Float64Builder, Int64Array, ListBuilder, UInt64Array,
};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type, UInt64Type};
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::utils::format_state_name;
use datafusion_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility};

use super::arithmetic::refused;
use crate::recipe::plan::exact_sum::ExactSum;

/// Whole numbers up to here are exact as numbers of a spreadsheet.
const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;

/// `sum`.
pub(super) fn sum() -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::new_from_impl(Total::new(Which::Sum)))
}

/// `avg`.
pub(super) fn average() -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::new_from_impl(Total::new(Which::Average)))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Which {
    Sum,
    Average,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Total {
    which: Which,
    signature: Signature,
}

impl Total {
    fn new(which: Which) -> Self {
        Self {
            which,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }

    fn groups(&self, args: &AccumulatorArgs<'_>) -> Groups {
        Groups {
            which: self.which,
            gives: args.return_field.data_type().clone(),
            sums: Vec::new(),
            counts: Vec::new(),
            bytes: 0,
        }
    }
}

impl AggregateUDFImpl for Total {
    // Other names than DataFusion's own: its optimizer takes a sum of that name apart.
    fn name(&self) -> &str {
        match self.which {
            Which::Sum => "exact_sum",
            Which::Average => "exact_avg",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let name = match self.which {
            Which::Sum => "sum",
            Which::Average => "avg",
        };
        match types {
            [of] if of.is_integer() && *of != DataType::UInt64 => Ok(vec![DataType::Int64]),
            [of] if of.is_numeric() || of.is_null() => Ok(vec![DataType::Float64]),
            [of] => {
                let words = super::values::words(of);
                Err(refused(format!(
                    "`{name}` needs numbers, not {words}. For numbers out of texts write try_cast(… as double)."
                )))
            }
            _ => Err(refused(format!("`{name}` takes one value."))),
        }
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(match (self.which, types) {
            (Which::Sum, [of]) => of.clone(),
            _ => DataType::Float64,
        })
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(One(self.groups(&args))))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let parts = DataType::new_list(DataType::Float64, true);
        Ok(vec![
            Arc::new(Field::new(format_state_name(args.name, "parts"), parts, true)),
            Arc::new(Field::new(
                format_state_name(args.name, "count"),
                DataType::UInt64,
                true,
            )),
        ])
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(self.groups(&args)))
    }
}

/// The sums of groups.
#[derive(Debug)]
struct Groups {
    which: Which,
    gives: DataType,
    sums: Vec<ExactSum>,
    counts: Vec<u64>,
    /// Held by the parts of sums, about.
    bytes: usize,
}

impl Groups {
    fn grow(&mut self, groups: usize) {
        self.sums.resize_with(groups, ExactSum::default);
        self.counts.resize(groups, 0);
    }

    fn add(&mut self, group: usize, number: f64) {
        self.change(group, |sum| sum.add(number));
    }

    fn change(&mut self, group: usize, work: impl FnOnce(&mut ExactSum)) {
        let Some(sum) = self.sums.get_mut(group) else { return };
        let before = sum.bytes();
        work(sum);
        self.bytes = (self.bytes + sum.bytes()).saturating_sub(before);
    }

    fn count(&mut self, group: usize, rows: u64) {
        if let Some(count) = self.counts.get_mut(group) {
            *count += rows;
        }
    }

    fn take(&mut self, emit: EmitTo) -> (Vec<ExactSum>, Vec<u64>) {
        let taken = (emit.take_needed(&mut self.sums), emit.take_needed(&mut self.counts));
        self.bytes = self.sums.iter().map(ExactSum::bytes).sum();
        taken
    }

    fn add_rows(&mut self, values: &ArrayRef, groups: &[usize], filter: Option<&BooleanArray>) {
        let counts =
            |row: usize| values.is_valid(row) && filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        let numbers = values.as_primitive_opt::<Float64Type>();
        let whole = values.as_primitive_opt::<Int64Type>();
        for (row, group) in groups.iter().enumerate().filter(|(row, _)| counts(*row)) {
            if let Some(numbers) = numbers {
                self.add(*group, numbers.value(row));
            } else if let Some(whole) = whole {
                let (high, low) = halves(whole.value(row));
                self.add(*group, high);
                self.add(*group, low);
            }
            self.count(*group, 1);
        }
    }
}

/// Two numbers that are exact and add up to a whole one.
#[expect(
    clippy::cast_precision_loss,
    reason = "each half has at most 32 bits, the upper one shifted"
)]
fn halves(whole: i64) -> (f64, f64) {
    const LOW: i64 = 0xffff_ffff;
    ((whole & !LOW) as f64, (whole & LOW) as f64)
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        all: usize,
    ) -> Result<()> {
        self.grow(all);
        if let Some(values) = values.first() {
            self.add_rows(values, groups, filter);
        }
        Ok(())
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let (sums, counts) = self.take(emit);
        let totals = sums.iter().zip(counts);
        if self.which == Which::Average {
            let average = |(sum, count): (&ExactSum, u64)| (count > 0).then(|| sum.mean(count) + 0.0);
            return Ok(Arc::new(totals.map(average).collect::<Float64Array>()));
        }
        let sum = |(sum, count): (&ExactSum, u64)| (count > 0).then(|| sum.value() + 0.0);
        if self.gives != DataType::Int64 {
            return Ok(Arc::new(totals.map(sum).collect::<Float64Array>()));
        }
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
        let whole = |total: Option<f64>| match total {
            None => Ok(None),
            Some(total) if total.abs() <= LARGEST_WHOLE => Ok(Some(total as i64)),
            Some(total) => Err(refused(format!(
                "The sum {total:e} is too large for a whole number; write sum(cast(… as double))."
            ))),
        };
        Ok(Arc::new(totals.map(sum).map(whole).collect::<Result<Int64Array>>()?))
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        let (sums, counts) = self.take(emit);
        let mut parts = ListBuilder::new(Float64Builder::new());
        for sum in &sums {
            sum.state().for_each(|part| parts.values().append_value(part));
            parts.append(true);
        }
        Ok(vec![Arc::new(parts.finish()), Arc::new(UInt64Array::from(counts))])
    }

    fn merge_batch(&mut self, values: &[ArrayRef], groups: &[usize], all: usize) -> Result<()> {
        self.grow(all);
        let [parts, counts] = values else {
            return Err(refused("A total lost its parts."));
        };
        let (parts, counts) = (parts.as_list::<i32>(), counts.as_primitive::<UInt64Type>());
        for (row, group) in groups.iter().enumerate() {
            if parts.is_valid(row) {
                let of_row = parts.value(row);
                self.change(*group, |sum| sum.merge(of_row.as_primitive::<Float64Type>().values()));
            }
            if counts.is_valid(row) {
                self.count(*group, counts.value(row));
            }
        }
        Ok(())
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |values| values.len());
        let mut each = Self {
            which: self.which,
            gives: self.gives.clone(),
            sums: Vec::new(),
            counts: Vec::new(),
            bytes: 0,
        };
        let groups: Vec<usize> = (0..rows).collect();
        each.update_batch(values, &groups, filter, rows)?;
        each.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.bytes + self.sums.capacity() * size_of::<ExactSum>() + self.counts.capacity() * size_of::<u64>()
    }
}

/// The sum of one group.
#[derive(Debug)]
struct One(Groups);

impl Accumulator for One {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = values.first().map_or(0, |values| values.len());
        self.0.update_batch(values, &vec![0; rows], None, 1)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.grow(1);
        ScalarValue::try_from_array(&self.0.evaluate(EmitTo::All)?, 0)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + GroupsAccumulator::size(&self.0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.grow(1);
        let state = self.0.state(EmitTo::All)?;
        state
            .iter()
            .map(|array| ScalarValue::try_from_array(array, 0))
            .collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let rows = states.first().map_or(0, |states| states.len());
        self.0.merge_batch(states, &vec![0; rows], 1)
    }
}
