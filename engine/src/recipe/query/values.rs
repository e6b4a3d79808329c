//! Our kinds of columns on their way into a query and back.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{CastOptions, cast_with_options, nullif};
use arrow::datatypes::{DataType, Date32Type, Field, Float64Type, Schema, SchemaRef, TimestampMillisecondType};
use datafusion_common::DFSchema;

use crate::recipe::columns::Column;
use crate::recipe::expression::Fault;
use crate::recipe::plan::cells;
use crate::recipe::plan::operator::PlanError;
use crate::tables::ColumnKind;

/// Where a field tells the number format of its column: it stays with a column that a query hands on as it is.
const FORMAT: &str = "format";
/// The kind of column that the format is for.
const KIND: &str = "kind";

/// 1900-01-01 and 9999-12-31, in days since 1970-01-01.
const DAYS: std::ops::RangeInclusive<i32> = -25_567..=2_932_896;
const MS_OF_A_DAY: i64 = 86_400_000;

/// How queries see these columns: those of several kinds as texts.
#[must_use]
pub fn schema(columns: &[Column]) -> SchemaRef {
    let field = |column: &Column| {
        let seen = match column.kind {
            ColumnKind::Mixed => ColumnKind::Text,
            kind => kind,
        };
        let mut metadata = HashMap::new();
        if let Some(format) = column.format.as_ref().filter(|_| seen == column.kind) {
            metadata.insert(FORMAT.to_owned(), format.clone());
            metadata.insert(KIND.to_owned(), format!("{:?}", column.kind));
        }
        Field::new(&column.name, seen.arrow(), true).with_metadata(metadata)
    };
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

/// Columns as queries see them.
pub fn incoming(arrays: &[ArrayRef], schema: &SchemaRef) -> Result<RecordBatch, PlanError> {
    const LOST: PlanError = PlanError::Internal("a column was lost on its way into a query");
    let seen = |array: &ArrayRef| -> Result<ArrayRef, PlanError> {
        match array.data_type() {
            DataType::Struct(_) => Ok(Arc::new(cells::texts(array, None)?)),
            DataType::Float64 => cells::likeness(array)?.into_iter().next().ok_or(LOST),
            _ => Ok(array.clone()),
        }
    };
    let arrays = arrays.iter().map(seen).collect::<Result<Vec<_>, _>>()?;
    Ok(RecordBatch::try_new(schema.clone(), arrays)?)
}

/// The columns of a result, or what is wrong with one.
pub(super) fn columns_of(schema: &DFSchema) -> Result<Vec<Column>, Fault> {
    let mut columns: Vec<Column> = Vec::new();
    for field in schema.fields() {
        let name = field.name();
        let Some(kind) = kind_of(field.data_type()) else {
            let words = words(field.data_type());
            let message =
                format!("The column `{name}` of the result would hold {words}: a table cannot. Cast it to text.");
            return Err(Fault::new(message, None));
        };
        if name.trim().is_empty() {
            return Err(Fault::new("A column of the result has no name.", None));
        }
        if columns.iter().any(|column| column.name == *name) {
            let message = format!("There would be two columns called `{name}`: give one another name, with AS.");
            return Err(Fault::new(message, None));
        }
        let format = field.metadata().get(FORMAT).cloned();
        let same = field.metadata().get(KIND).is_some_and(|of| *of == format!("{kind:?}"));
        columns.push(Column {
            format: format.filter(|_| same),
            ..Column::made(name, kind)
        });
    }
    Ok(columns)
}

fn kind_of(data_type: &DataType) -> Option<ColumnKind> {
    Some(match data_type {
        DataType::Null => ColumnKind::Blank,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => ColumnKind::Text,
        DataType::Boolean => ColumnKind::Boolean,
        DataType::Date32 | DataType::Date64 => ColumnKind::Date,
        DataType::Timestamp(_, None) => ColumnKind::DateTime,
        DataType::Time32(_) | DataType::Time64(_) => ColumnKind::Time,
        DataType::Dictionary(_, of) => return kind_of(of),
        of if of.is_integer() => ColumnKind::Integer,
        of if of.is_numeric() => ColumnKind::Decimal,
        _ => return None,
    })
}

/// What cells of a type are, in words.
pub(super) fn words(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text",
        DataType::Boolean => "true or false",
        DataType::Date32 | DataType::Date64 => "a date",
        DataType::Timestamp(..) => "a date with a time",
        DataType::Time32(_) | DataType::Time64(_) => "a time",
        DataType::Interval(_) | DataType::Duration(_) => "a length of time",
        DataType::Null => "a blank",
        of if of.is_numeric() => "a number",
        _ => "a list",
    }
}

/// A batch of a result as our columns. Numbers, dates and times that no cell can hold are blank.
pub fn outgoing(batch: &RecordBatch, columns: &[Column]) -> Result<Vec<ArrayRef>, PlanError> {
    batch
        .columns()
        .iter()
        .zip(columns)
        .map(|(array, column)| cells_of(array, column))
        .collect()
}

fn cells_of(array: &ArrayRef, column: &Column) -> Result<ArrayRef, PlanError> {
    let strict = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    let wanted = column.kind.arrow();
    let array = if *array.data_type() == wanted {
        array.clone()
    } else {
        let told = |_error| PlanError::Query(format!("A value of the column `{}` is too large.", column.name));
        cast_with_options(array, &wanted, &strict).map_err(told)?
    };
    Ok(match column.kind {
        ColumnKind::Decimal => {
            let numbers = array.as_primitive::<Float64Type>();
            if numbers.values().iter().any(|number| !number.is_finite()) {
                let none: BooleanArray = numbers
                    .values()
                    .iter()
                    .map(|number| Some(!number.is_finite()))
                    .collect();
                nullif(&array, &none)?
            } else {
                array
            }
        }
        ColumnKind::Date => {
            let days = array.as_primitive::<Date32Type>();
            let none: BooleanArray = days.values().iter().map(|day| Some(!DAYS.contains(day))).collect();
            nullif(&array, &none)?
        }
        ColumnKind::DateTime => {
            let moments = array.as_primitive::<TimestampMillisecondType>();
            let holds = |ms: &i64| {
                let day = ms.div_euclid(MS_OF_A_DAY);
                day >= i64::from(*DAYS.start()) && day <= i64::from(*DAYS.end())
            };
            let none: BooleanArray = moments.values().iter().map(|ms| Some(!holds(ms))).collect();
            nullif(&array, &none)?
        }
        _ => array,
    })
}
