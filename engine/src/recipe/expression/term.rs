//! A part of an expression whose kind is known.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion_common::ScalarValue;
use datafusion_expr::Expr;

use crate::tables::ColumnKind;

/// What an expression gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// Always nothing, such as `null`: fits everywhere.
    Blank,
    /// A number, f64.
    Number,
    /// A text.
    Text,
    /// True or false.
    Boolean,
    /// A day.
    Date,
    /// A day with a time.
    DateTime,
    /// A time of day.
    Time,
}

impl Kind {
    /// The Arrow type that values of the kind have inside an expression.
    pub(super) fn arrow(self) -> DataType {
        match self {
            Self::Blank | Self::Text => DataType::Utf8,
            Self::Number => DataType::Float64,
            Self::Boolean => DataType::Boolean,
            Self::Date => DataType::Date32,
            Self::DateTime => DataType::Timestamp(TimeUnit::Millisecond, None),
            Self::Time => DataType::Time32(TimeUnit::Millisecond),
        }
    }

    /// The kind of a column that holds such values.
    pub(super) fn column(self) -> ColumnKind {
        match self {
            Self::Blank => ColumnKind::Blank,
            Self::Number => ColumnKind::Decimal,
            Self::Text => ColumnKind::Text,
            Self::Boolean => ColumnKind::Boolean,
            Self::Date => ColumnKind::Date,
            Self::DateTime => ColumnKind::DateTime,
            Self::Time => ColumnKind::Time,
        }
    }

    /// How values of a column are seen.
    pub(super) fn of_column(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Blank => Self::Blank,
            ColumnKind::Integer | ColumnKind::Decimal => Self::Number,
            ColumnKind::Boolean => Self::Boolean,
            ColumnKind::Date => Self::Date,
            ColumnKind::DateTime => Self::DateTime,
            ColumnKind::Time => Self::Time,
            ColumnKind::Text | ColumnKind::Mixed => Self::Text,
        }
    }

    /// In words: "a number".
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Blank => "nothing",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Boolean => "true or false",
            Self::Date => "a date",
            Self::DateTime => "a date with a time",
            Self::Time => "a time",
        }
    }
}

/// A part of an expression.
#[derive(Clone, Debug)]
pub(super) struct Term {
    /// What DataFusion evaluates.
    pub(super) expr: Expr,
    /// What it gives.
    pub(super) kind: Kind,
    /// Whether it may reject rows; then it must only be evaluated where it counts.
    pub(super) fallible: bool,
    /// The column it stands for, when it is nothing but a column.
    pub(super) column: Option<usize>,
    /// Whether that column holds cells of several kinds.
    pub(super) mixed: bool,
    /// Its text, when it is a text literal.
    pub(super) text: Option<String>,
}

impl Term {
    /// A part that cannot fail by itself.
    pub(super) fn new(expr: Expr, kind: Kind, parts: &[&Self]) -> Self {
        let fallible = parts.iter().any(|part| part.fallible);
        Self {
            expr,
            kind,
            fallible,
            column: None,
            mixed: false,
            text: None,
        }
    }

    /// A part that may reject rows.
    pub(super) fn fallible(expr: Expr, kind: Kind) -> Self {
        Self {
            expr,
            kind,
            fallible: true,
            column: None,
            mixed: false,
            text: None,
        }
    }

    /// A fixed value.
    pub(super) fn literal(value: ScalarValue, kind: Kind) -> Self {
        Self::new(Expr::Literal(value, None), kind, &[])
    }

    /// Nothing, as the kind that is needed.
    pub(super) fn blank(kind: Kind) -> Self {
        let value = ScalarValue::try_from(&kind.arrow()).unwrap_or(ScalarValue::Null);
        Self::literal(value, kind)
    }
}
