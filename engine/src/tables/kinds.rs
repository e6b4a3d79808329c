//! Column kinds: which one holds a set of cells, and how Arrow stores it.

use arrow::datatypes::{DataType, Field, Fields, TimeUnit};

use super::ColumnKind;
use crate::sheets::CellKind;

/// The kinds of cells a column was seen to have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeenKinds {
    bits: u16,
    fraction: bool,
}

impl SeenKinds {
    /// Notes a cell; `number` matters for numbers only.
    pub fn see(&mut self, kind: CellKind, number: f64) {
        self.bits |= 1 << kind.code();
        if kind == CellKind::Number && !is_whole(number) {
            self.fraction = true;
        }
    }

    /// Notes the cells of another stretch of the column.
    pub fn join(&mut self, other: Self) {
        self.bits |= other.bits;
        self.fraction |= other.fraction;
    }

    /// The narrowest kind that holds all that was seen without changing any of it.
    #[must_use]
    pub fn column(self) -> ColumnKind {
        let only = |kinds: &[CellKind]| {
            let allowed = kinds
                .iter()
                .fold(1 << CellKind::Blank.code(), |bits, k| bits | 1_u16 << k.code());
            self.bits & !allowed == 0
        };
        if only(&[]) {
            ColumnKind::Blank
        } else if only(&[CellKind::Number]) {
            if self.fraction {
                ColumnKind::Decimal
            } else {
                ColumnKind::Integer
            }
        } else if only(&[CellKind::Text]) {
            ColumnKind::Text
        } else if only(&[CellKind::Boolean]) {
            ColumnKind::Boolean
        } else if only(&[CellKind::Date]) {
            ColumnKind::Date
        } else if only(&[CellKind::Date, CellKind::DateTime]) {
            ColumnKind::DateTime
        } else if only(&[CellKind::Time]) {
            ColumnKind::Time
        } else {
            ColumnKind::Mixed
        }
    }
}

/// Whether a number is whole and small enough to be exact as both an integer and a float.
#[must_use]
pub fn is_whole(number: f64) -> bool {
    number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0
}

impl ColumnKind {
    /// The kind that holds cells of both.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a,
            (Self::Blank, kind) | (kind, Self::Blank) => kind,
            (Self::Integer, Self::Decimal) | (Self::Decimal, Self::Integer) => Self::Decimal,
            (Self::Date, Self::DateTime) | (Self::DateTime, Self::Date) => Self::DateTime,
            _ => Self::Mixed,
        }
    }

    /// How Arrow stores it.
    #[must_use]
    pub fn arrow(self) -> DataType {
        match self {
            Self::Blank | Self::Text => DataType::Utf8,
            Self::Integer => DataType::Int64,
            Self::Decimal => DataType::Float64,
            Self::Boolean => DataType::Boolean,
            Self::Date => DataType::Date32,
            Self::DateTime => DataType::Timestamp(TimeUnit::Millisecond, None),
            Self::Time => DataType::Time32(TimeUnit::Millisecond),
            Self::Mixed => DataType::Struct(mixed_fields()),
        }
    }

    /// The kind of an Arrow type that a plan came out with; what tables do not know is text.
    #[must_use]
    pub fn of_arrow(data_type: &DataType) -> Self {
        match data_type {
            DataType::Null => Self::Blank,
            DataType::Boolean => Self::Boolean,
            t if t.is_integer() => Self::Integer,
            t if t.is_numeric() => Self::Decimal,
            DataType::Date32 | DataType::Date64 => Self::Date,
            DataType::Timestamp(..) => Self::DateTime,
            DataType::Time32(_) | DataType::Time64(_) => Self::Time,
            DataType::Struct(_) => Self::Mixed,
            _ => Self::Text,
        }
    }
}

/// The children of a mixed column: see [`crate::sheets::view::MIXED_FIELDS`].
#[must_use]
pub fn mixed_fields() -> Fields {
    Fields::from(vec![
        Field::new("kind", DataType::UInt8, false),
        Field::new("number", DataType::Float64, true),
        Field::new("text", DataType::Utf8, true),
        Field::new("format", DataType::UInt16, false),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_as_narrow_as_its_cells_allow() {
        let column = |cells: &[(CellKind, f64)]| {
            let mut seen = SeenKinds::default();
            cells.iter().for_each(|(kind, number)| seen.see(*kind, *number));
            seen.column()
        };
        assert_eq!(column(&[]), ColumnKind::Blank);
        assert_eq!(
            column(&[(CellKind::Number, 3.0), (CellKind::Blank, 0.0)]),
            ColumnKind::Integer
        );
        assert_eq!(
            column(&[(CellKind::Number, 3.0), (CellKind::Number, 0.5)]),
            ColumnKind::Decimal
        );
        assert_eq!(column(&[(CellKind::Number, 1e16)]), ColumnKind::Decimal, "beyond 2^53");
        assert_eq!(
            column(&[(CellKind::Date, 1.0), (CellKind::DateTime, 1.5)]),
            ColumnKind::DateTime
        );
        assert_eq!(
            column(&[(CellKind::Date, 1.0), (CellKind::Time, 0.5)]),
            ColumnKind::Mixed
        );
        assert_eq!(column(&[(CellKind::Duration, 1.0)]), ColumnKind::Mixed);
        assert_eq!(
            column(&[(CellKind::Text, 0.0), (CellKind::Number, 1.0)]),
            ColumnKind::Mixed
        );
    }

    #[test]
    fn joining_kinds_is_the_same_in_any_order() {
        use ColumnKind::{Blank, Boolean, Date, DateTime, Decimal, Integer, Mixed, Text, Time};
        let all = [Blank, Integer, Decimal, Boolean, Date, DateTime, Time, Text, Mixed];
        for a in all {
            assert_eq!(a.join(Blank), a);
            for b in all {
                assert_eq!(a.join(b), b.join(a), "{a:?} {b:?}");
                for c in all {
                    assert_eq!(a.join(b).join(c), a.join(b.join(c)), "{a:?} {b:?} {c:?}");
                }
            }
        }
    }
}
