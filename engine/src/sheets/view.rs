//! Arrow columns seen cell by cell, as a spreadsheet has them: what writers write and grids show.

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray, StructArray,
    Time32MillisecondArray, TimestampMillisecondArray, UInt8Array, UInt16Array,
};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int64Type, Time32MillisecondType, TimeUnit, TimestampMillisecondType, UInt8Type,
    UInt16Type,
};
use arrow::error::ArrowError;

use super::dates::{serial_of_unix_day, serial_of_unix_ms};
use super::kind::CellKind;
use super::number_format::{GENERAL, plain_with, show};

/// Names of the children of a mixed column, in order: `kind` UInt8 (the code of a [`CellKind`]), `number` Float64 (the
/// number; 0 or 1; a serial of the 1900 system; null for text and errors), `text` Utf8 (text and errors as they stand,
/// other kinds in a plain form that reads back: what expressions see), `format` UInt16 (position in the table's formats).
pub const MIXED_FIELDS: [&str; 4] = ["kind", "number", "text", "format"];

/// One cell of an Arrow column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CellView<'a> {
    /// What it is.
    pub kind: CellKind,
    /// The number, 0 or 1, or a serial of the 1900 system; 0 where there is none.
    pub number: f64,
    /// Text and errors as they stand; empty for other kinds of a typed column.
    pub text: &'a str,
    /// The position of its own number format, in a mixed column.
    pub format: Option<u16>,
}

const BLANK: CellView<'static> = CellView {
    kind: CellKind::Blank,
    number: 0.0,
    text: "",
    format: None,
};

/// A column whose cells can be looked at.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "one per column and batch; a box would cost a step per cell"
)]
pub enum ColumnView {
    /// All blank.
    Blank,
    /// Whole numbers.
    Integer(Int64Array),
    /// Numbers.
    Decimal(Float64Array),
    /// True or false.
    Boolean(BooleanArray),
    /// Days.
    Date(Date32Array),
    /// Days with a time.
    DateTime(TimestampMillisecondArray),
    /// Times of day.
    Time(Time32MillisecondArray),
    /// Text.
    Text(StringArray),
    /// Cells that disagree.
    Mixed {
        /// Which cells are filled.
        cells: StructArray,
        /// The kinds.
        kind: UInt8Array,
        /// The numbers.
        number: Float64Array,
        /// The texts.
        text: StringArray,
        /// The formats.
        format: UInt16Array,
    },
}

impl ColumnView {
    /// Looks at a column. Types that Arrow knows and tables do not are cast to the nearest one.
    ///
    /// # Errors
    /// When the type has no place in a spreadsheet.
    pub fn of(column: &ArrayRef) -> Result<Self, ArrowError> {
        let as_type = |to: &DataType| {
            if column.data_type() == to {
                Ok(column.clone())
            } else {
                cast(column, to)
            }
        };
        Ok(match column.data_type() {
            DataType::Null => Self::Blank,
            DataType::Boolean => Self::Boolean(column.as_boolean().clone()),
            t if t.is_integer() => Self::Integer(as_type(&DataType::Int64)?.as_primitive::<Int64Type>().clone()),
            t if t.is_numeric() => Self::Decimal(as_type(&DataType::Float64)?.as_primitive::<Float64Type>().clone()),
            DataType::Date32 | DataType::Date64 => {
                Self::Date(as_type(&DataType::Date32)?.as_primitive::<Date32Type>().clone())
            }
            DataType::Timestamp(..) => {
                let to = DataType::Timestamp(TimeUnit::Millisecond, None);
                Self::DateTime(as_type(&to)?.as_primitive::<TimestampMillisecondType>().clone())
            }
            DataType::Time32(_) | DataType::Time64(_) => {
                let to = DataType::Time32(TimeUnit::Millisecond);
                Self::Time(as_type(&to)?.as_primitive::<Time32MillisecondType>().clone())
            }
            DataType::Struct(_) => Self::mixed(column.as_struct())?,
            _ => Self::Text(as_type(&DataType::Utf8)?.as_string::<i32>().clone()),
        })
    }

    fn mixed(cells: &StructArray) -> Result<Self, ArrowError> {
        let missing = || ArrowError::SchemaError("a mixed column has kind, number, text and format".to_owned());
        let child = |name: &str| cells.column_by_name(name).ok_or_else(missing);
        Ok(Self::Mixed {
            cells: cells.clone(),
            kind: child("kind")?
                .as_primitive_opt::<UInt8Type>()
                .ok_or_else(missing)?
                .clone(),
            number: child("number")?
                .as_primitive_opt::<Float64Type>()
                .ok_or_else(missing)?
                .clone(),
            text: cast(child("text")?, &DataType::Utf8)?.as_string::<i32>().clone(),
            format: child("format")?
                .as_primitive_opt::<UInt16Type>()
                .ok_or_else(missing)?
                .clone(),
        })
    }

    /// The cell in this row of the batch.
    #[must_use]
    pub fn cell(&self, row: usize) -> CellView<'_> {
        let number = |kind, number| CellView { kind, number, ..BLANK };
        match self {
            Self::Blank => BLANK,
            #[expect(clippy::cast_precision_loss, reason = "a spreadsheet has no finer number")]
            Self::Integer(a) if a.is_valid(row) => number(CellKind::Number, a.value(row) as f64),
            Self::Decimal(a) if a.is_valid(row) => decimal(a.value(row)),
            Self::Boolean(a) if a.is_valid(row) => number(CellKind::Boolean, f64::from(u8::from(a.value(row)))),
            Self::Date(a) if a.is_valid(row) => date(CellKind::Date, serial_of_unix_day(a.value(row))),
            Self::DateTime(a) if a.is_valid(row) => date(CellKind::DateTime, serial_of_unix_ms(a.value(row))),
            Self::Time(a) if a.is_valid(row) => number(CellKind::Time, f64::from(a.value(row)) / 86_400_000.0),
            Self::Text(a) if a.is_valid(row) && !a.value(row).is_empty() => CellView {
                kind: CellKind::Text,
                text: a.value(row),
                ..BLANK
            },
            Self::Mixed {
                cells,
                kind,
                number,
                text,
                format,
            } if cells.is_valid(row) => {
                let kind = CellKind::from_code(kind.value(row));
                // What stands where no number is could be anything.
                let (number, text) = if matches!(kind, CellKind::Text | CellKind::Error) {
                    (0.0, text.value(row))
                } else {
                    (number.value(row), "")
                };
                CellView {
                    kind,
                    number,
                    text,
                    format: Some(format.value(row)),
                }
            }
            _ => BLANK,
        }
    }
}

/// A number that is none (a division by zero in an expression) is an error, as in Excel.
fn decimal(value: f64) -> CellView<'static> {
    if value.is_finite() {
        CellView {
            kind: CellKind::Number,
            number: value,
            ..BLANK
        }
    } else {
        CellView {
            kind: CellKind::Error,
            text: "#NUM!",
            ..BLANK
        }
    }
}

/// A moment that Excel cannot show as a date is an error there too.
fn date(kind: CellKind, serial: Option<f64>) -> CellView<'static> {
    serial.map_or(
        CellView {
            kind: CellKind::Error,
            text: "#NUM!",
            ..BLANK
        },
        |number| CellView { kind, number, ..BLANK },
    )
}

impl<'a> CellView<'a> {
    /// The cell's own number format, or the column's.
    #[must_use]
    pub fn code<'f>(&self, column: Option<&'f str>, formats: &'f [String]) -> Option<&'f str> {
        let own = self
            .format
            .and_then(|at| formats.get(usize::from(at)))
            .map(String::as_str);
        own.or(column).filter(|code| *code != GENERAL)
    }

    /// As a person sees it in a spreadsheet, under this number format.
    #[must_use]
    pub fn shown(&self, code: Option<&str>) -> std::borrow::Cow<'a, str> {
        match self.kind {
            CellKind::Blank | CellKind::Text | CellKind::Error => self.text.into(),
            kind => show(code, kind, self.number).into(),
        }
    }

    /// In a plain form that reads back: all digits, ISO 8601.
    #[must_use]
    pub fn plain(&self, code: Option<&str>) -> std::borrow::Cow<'a, str> {
        match self.kind {
            CellKind::Blank | CellKind::Text | CellKind::Error => self.text.into(),
            kind => plain_with(code, kind, self.number).into(),
        }
    }
}
