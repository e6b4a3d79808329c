//! Expressions over the rows of a group: `sum(total) / count(*)`.

use sqlparser::ast::{self, DuplicateTreatment, FunctionArg, FunctionArgExpr, FunctionArguments};

use super::Fault;
use super::lowering::Lowering;
use super::parsing::Parsed;
use super::program::Program;
use super::term::{Kind, Term};
use crate::recipe::columns::Column;
use crate::tables::ColumnKind;

/// The names of all totals, as the guide and forms list them. Names are not case-sensitive.
pub const NAMES: &[&str] = &["avg", "count", "first", "last", "max", "median", "min", "sum"];

/// What is totalled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AggregateFunction {
    /// How many rows, or values that are something.
    Count,
    /// How many different values.
    CountDistinct,
    /// The sum, exactly rounded.
    Sum,
    /// The mean of the numbers: their exact sum by their count.
    Average,
    /// The smallest.
    Min,
    /// The greatest.
    Max,
    /// The one in the middle, or the mean of the two.
    Median,
    /// The first that is something.
    First,
    /// The last that is something.
    Last,
}

/// One total over the rows of a group.
#[derive(Clone, Debug)]
pub struct Aggregate {
    /// What is totalled.
    pub function: AggregateFunction,
    /// Of what; `None`: of the rows themselves.
    pub argument: Option<Program>,
    /// What it gives.
    pub kind: ColumnKind,
    text: String,
}

impl Aggregate {
    /// Whether it is the same total, so that it need not be made twice.
    pub(super) fn same(&self, other: &Self) -> bool {
        self.function == other.function && self.text == other.text
    }
}

/// What a lowering over groups knows besides.
pub(super) struct GroupScope<'a> {
    /// The columns that make a group.
    pub(super) by: &'a [usize],
    /// The totals so far; the n-th stands in column `by.len() + n`.
    pub(super) aggregates: Vec<Aggregate>,
}

/// An expression over totals.
#[derive(Clone, Debug)]
pub struct Totals {
    /// The totals that it is made of.
    pub aggregates: Vec<Aggregate>,
    /// The expression over the group's columns and, behind them, these totals.
    pub finish: Program,
    /// Whether it is nothing but one total.
    bare: Option<usize>,
}

impl Totals {
    pub(super) fn new(parsed: &Parsed, columns: &[Column], by: &[usize]) -> Result<Self, Fault> {
        let mut lowering = Lowering::of_groups(parsed, columns, by);
        let term = lowering.lower(&parsed.tree)?;
        let aggregates = lowering
            .groups
            .as_mut()
            .map(|groups| std::mem::take(&mut groups.aggregates))
            .unwrap_or_default();
        let bare = term
            .column
            .and_then(|column| column.checked_sub(by.len()))
            .filter(|index| *index < aggregates.len());
        let finish = Program::new(&term, lowering)?;
        Ok(Self {
            aggregates,
            finish,
            bare,
        })
    }

    /// The position among its aggregates, when it is nothing but one total.
    #[must_use]
    pub fn bare(&self) -> Option<usize> {
        self.bare
    }

    /// What kind of column it fills.
    #[must_use]
    pub fn kind(&self) -> ColumnKind {
        self.bare
            .map_or_else(|| self.finish.kind(), |index| self.aggregates[index].kind)
    }

    /// The number format of what it totals, where that still fits: a sum of money is money.
    #[must_use]
    pub fn format(&self, columns: &[Column]) -> Option<String> {
        let aggregate = &self.aggregates[self.bare?];
        let counts = matches!(
            aggregate.function,
            AggregateFunction::Count | AggregateFunction::CountDistinct
        );
        let column = aggregate.argument.as_ref().filter(|_| !counts)?.bare_column()?;
        columns[column].format.clone()
    }
}

/// Whether a name is a total's.
pub(super) fn is_aggregate(name: &str) -> bool {
    NAMES.contains(&alias(name))
}

fn alias(name: &str) -> &str {
    match name {
        "mean" | "average" => "avg",
        "first_value" => "first",
        "last_value" => "last",
        name => name,
    }
}

/// A call of a total.
pub(super) fn call(
    lowering: &mut Lowering<'_>,
    name: &str,
    function: &ast::Function,
    span: Option<(usize, usize)>,
) -> Result<Term, Fault> {
    if lowering.groups.is_none() {
        let message =
            format!("`{name}` totals many rows; here one row is looked at. Totals belong into a `group` step.");
        return Err(Fault::new(message, span));
    }
    let FunctionArguments::List(list) = &function.args else {
        return Err(Fault::new(
            format!("`{name}` needs to know of what: {name}(column)."),
            span,
        ));
    };
    let distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
    let (argument, kind) = match list.args.as_slice() {
        [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)] if name == "count" && !distinct => {
            (None, ColumnKind::Integer)
        }
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))] => {
            let numbers = matches!(alias(name), "sum" | "avg" | "median");
            let program = argument_of(lowering, argument, numbers)?;
            let kind = if numbers { ColumnKind::Decimal } else { program.kind() };
            (Some(program), kind)
        }
        _ => {
            return Err(Fault::new(
                format!("`{name}` takes one argument: {name}(column)."),
                span,
            ));
        }
    };
    let (function, kind) = match (alias(name), distinct) {
        ("count", true) => (AggregateFunction::CountDistinct, ColumnKind::Integer),
        ("count", false) => (AggregateFunction::Count, ColumnKind::Integer),
        (_, true) => return Err(Fault::new("`distinct` is possible in `count` only.", span)),
        ("sum", _) => (AggregateFunction::Sum, kind),
        ("avg", _) => (AggregateFunction::Average, kind),
        ("min", _) => (AggregateFunction::Min, kind),
        ("max", _) => (AggregateFunction::Max, kind),
        ("median", _) => (AggregateFunction::Median, kind),
        ("first", _) => (AggregateFunction::First, kind),
        _ => (AggregateFunction::Last, kind),
    };
    let aggregate = Aggregate {
        function,
        argument,
        kind,
        text: list.to_string(),
    };
    lowering
        .total(aggregate)
        .ok_or_else(|| Fault::new("Totals belong into a `group` step.", span))
}

/// The argument of a total: an expression over rows, in which no other total may stand.
fn argument_of(lowering: &Lowering<'_>, tree: &ast::Expr, numbers: bool) -> Result<Program, Fault> {
    let mut rows = Lowering::of_rows(lowering.parsed, lowering.columns);
    let span = lowering.parsed.span_of(tree);
    let term = rows.lower(tree)?;
    let term = if numbers {
        rows.as_kind(term, Kind::Number, span)?
    } else {
        term
    };
    Program::new(&term, rows)
}
