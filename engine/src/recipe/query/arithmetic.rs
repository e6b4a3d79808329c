//! Arithmetic as people who write formulas expect it: whole numbers that grow too large are an error and never wrap, `/` gives
//! fractions, and what cannot be worked out (a division by zero) is a blank.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit};
use datafusion_common::{DFSchema, DataFusionError, Result};
use datafusion_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion_expr::{
    BinaryExpr, ColumnarValue, Expr, ExprSchemable, Operator, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility, cast, lit,
};
use sqlparser::ast::BinaryOperator;

use crate::recipe::plan::operator::PlanError;

const MS_OF_A_DAY: f64 = 86_400_000.0;

/// What is done with two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Deed {
    Plus,
    Minus,
    Times,
    Divided,
    Remainder,
}

impl Deed {
    fn of(op: &BinaryOperator) -> Option<Self> {
        match op {
            BinaryOperator::Plus => Some(Self::Plus),
            BinaryOperator::Minus => Some(Self::Minus),
            BinaryOperator::Multiply => Some(Self::Times),
            BinaryOperator::Divide => Some(Self::Divided),
            BinaryOperator::Modulo => Some(Self::Remainder),
            _ => None,
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Times => "*",
            Self::Divided => "/",
            Self::Remainder => "%",
        }
    }

    fn with(self, left: Expr, right: Expr) -> Expr {
        ScalarUDF::new_from_impl(Arithmetic::new(self)).call(vec![left, right])
    }

    fn number(self, left: f64, right: f64) -> Option<f64> {
        let number = match self {
            Self::Plus => left + right,
            Self::Minus => left - right,
            Self::Times => left * right,
            Self::Divided => left / right,
            Self::Remainder => left % right,
        };
        // Minus zero would be another group than zero.
        number.is_finite().then_some(number + 0.0)
    }

    fn whole(self, left: i64, right: i64) -> Result<Option<i64>> {
        let made = match self {
            Self::Plus => left.checked_add(right),
            Self::Minus => left.checked_sub(right),
            Self::Times => left.checked_mul(right),
            Self::Divided | Self::Remainder if right == 0 => return Ok(None),
            Self::Divided => left.checked_div(right),
            Self::Remainder => Some(left.wrapping_rem(right)),
        };
        let sign = self.sign();
        let too_large = || {
            refused(format!(
                "The whole number {left} {sign} {right} is too large; cast to double first."
            ))
        };
        made.map(Some).ok_or_else(too_large)
    }
}

/// An error in our words.
pub(super) fn refused(sentence: impl Into<String>) -> DataFusionError {
    DataFusionError::External(Box::new(PlanError::Query(sentence.into())))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Arithmetic {
    deed: Deed,
    signature: Signature,
}

impl Arithmetic {
    fn new(deed: Deed) -> Self {
        Self {
            deed,
            signature: Signature::any(2, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for Arithmetic {
    fn name(&self) -> &str {
        self.deed.sign()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types.first().cloned().unwrap_or(DataType::Float64))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let [left, right] = arrays.as_slice() else {
            return Err(refused("An operator stands between two values."));
        };
        let whole = left
            .as_primitive_opt::<Int64Type>()
            .zip(right.as_primitive_opt::<Int64Type>());
        let numbers = left
            .as_primitive_opt::<Float64Type>()
            .zip(right.as_primitive_opt::<Float64Type>());
        let made: ArrayRef = match (whole, numbers) {
            (Some((left, right)), _) => {
                let pairs = left.iter().zip(right);
                let made = pairs.map(|(left, right)| match left.zip(right) {
                    Some((left, right)) => self.deed.whole(left, right),
                    None => Ok(None),
                });
                Arc::new(made.collect::<Result<Int64Array>>()?)
            }
            (_, Some((left, right))) => {
                let pairs = left.iter().zip(right);
                let made = pairs.map(|(left, right)| self.deed.number(left?, right?));
                Arc::new(made.collect::<Float64Array>())
            }
            _ => return Err(refused("An operator stands between two numbers.")),
        };
        Ok(ColumnarValue::Array(made))
    }
}

/// Plans operators.
#[derive(Debug)]
pub(super) struct Operators;

impl ExprPlanner for Operators {
    fn plan_binary_op(&self, raw: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let RawBinaryExpr { op, left, right } = raw;
        if op == BinaryOperator::NotEq {
            let distinct = BinaryExpr::new(Box::new(left), Operator::IsDistinctFrom, Box::new(right));
            return Ok(PlannerResult::Planned(Expr::BinaryExpr(distinct)));
        }
        if op == BinaryOperator::StringConcat {
            let joined = datafusion_functions::string::concat().call(vec![left, right]);
            return Ok(PlannerResult::Planned(joined));
        }
        let Some(deed) = Deed::of(&op) else {
            return Ok(PlannerResult::Original(RawBinaryExpr { op, left, right }));
        };
        let types = (left.get_type(schema)?, right.get_type(schema)?);
        Ok(match planned(deed, (&left, &types.0), (&right, &types.1))? {
            Some(planned) => PlannerResult::Planned(planned),
            None => PlannerResult::Original(RawBinaryExpr { op, left, right }),
        })
    }
}

type Side<'a> = (&'a Expr, &'a DataType);

fn planned(deed: Deed, (left, left_type): Side<'_>, (right, right_type): Side<'_>) -> Result<Option<Expr>> {
    use DataType::{Date32, Duration, Float64, Int64, Interval, Null, Time32, Time64, Timestamp};
    let is_number = |of: &DataType| of.is_numeric() || *of == Null;
    let is_whole = |of: &DataType| (of.is_integer() && *of != DataType::UInt64) || *of == Null;
    let is_day = |of: &DataType| matches!(of, Date32 | Timestamp(..));
    let days = |date: &Expr| cast(cast(date.clone(), DataType::Int32), Int64);
    let ms = |moment: &Expr| {
        let moment = cast(moment.clone(), Timestamp(TimeUnit::Millisecond, None));
        cast(cast(moment, Int64), Float64)
    };
    Ok(match (left_type, right_type) {
        (l, r) if is_number(l) && is_number(r) => {
            let of = if is_whole(l) && is_whole(r) && deed != Deed::Divided {
                Int64
            } else {
                Float64
            };
            Some(deed.with(cast(left.clone(), of.clone()), cast(right.clone(), of)))
        }
        (Date32, Date32) if deed == Deed::Minus => Some(deed.with(days(left), days(right))),
        (l, r) if is_day(l) && is_day(r) && deed == Deed::Minus => {
            Some(Deed::Divided.with(deed.with(ms(left), ms(right)), lit(MS_OF_A_DAY)))
        }
        (Date32, r) if is_whole(r) && matches!(deed, Deed::Plus | Deed::Minus) => {
            let day = deed.with(days(left), cast(right.clone(), Int64));
            Some(cast(cast(day, DataType::Int32), Date32))
        }
        (Interval(_) | Duration(_) | Time32(_) | Time64(_), _) | (_, Interval(_) | Duration(_)) => None,
        (l, r) => {
            let other = if is_number(l) { r } else { l };
            let sign = deed.sign();
            let words = super::values::words(other);
            let hint = match other {
                DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => {
                    " For a number out of a text write try_cast(… as double); texts are joined by ||."
                }
                _ => "",
            };
            return Err(refused(format!(
                "`{sign}` needs numbers, and one side is {words}.{hint}"
            )));
        }
    })
}
