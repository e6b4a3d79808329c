//! Operators of expressions.

use datafusion_common::ScalarValue;
use datafusion_expr::{BinaryExpr, Expr, Like, Operator, cast, lit};
use sqlparser::ast::{BinaryOperator, Expr as Ast, UnaryOperator};

use arrow::datatypes::DataType;

use super::lowering::{Lowering, compare};
use super::term::{Kind, Term};
use super::{Fault, own};

/// Whether capital and small letters differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    /// They do.
    Counts,
    /// They do not.
    Ignored,
}

pub(super) fn binary(
    lowering: &mut Lowering<'_>,
    tree: &Ast,
    left: &Ast,
    operator: &BinaryOperator,
    right: &Ast,
) -> Result<Term, Fault> {
    let (left_span, right_span) = (lowering.parsed.span_of(left), lowering.parsed.span_of(right));
    let (left, right) = (lowering.lower(left)?, lowering.lower(right)?);
    match operator {
        BinaryOperator::And | BinaryOperator::Or => {
            let left = lowering.as_kind(left, Kind::Boolean, left_span)?;
            let right = lowering.as_kind(right, Kind::Boolean, right_span)?;
            Ok(if *operator == BinaryOperator::And {
                and(&left, &right)
            } else {
                or(&left, &right)
            })
        }
        BinaryOperator::Eq => equality(lowering, left, Operator::Eq, right, right_span),
        BinaryOperator::NotEq => equality(lowering, left, Operator::IsDistinctFrom, right, right_span),
        BinaryOperator::Lt => order(lowering, left, Operator::Lt, right, right_span),
        BinaryOperator::LtEq => order(lowering, left, Operator::LtEq, right, right_span),
        BinaryOperator::Gt => order(lowering, left, Operator::Gt, right, right_span),
        BinaryOperator::GtEq => order(lowering, left, Operator::GtEq, right, right_span),
        BinaryOperator::Plus => plus(lowering, left, right, (left_span, right_span)),
        BinaryOperator::Minus => minus(lowering, left, right, (left_span, right_span)),
        BinaryOperator::Multiply => number(lowering, left, Operator::Multiply, right, (left_span, right_span)),
        BinaryOperator::Divide => by_zero(lowering, "divide", own::divide, left, right, (left_span, right_span)),
        BinaryOperator::Modulo => by_zero(
            lowering,
            "remainder",
            own::remainder,
            left,
            right,
            (left_span, right_span),
        ),
        BinaryOperator::StringConcat => {
            let (left, right) = (as_text(left), as_text(right));
            let expr = datafusion_functions::expr_fn::concat(vec![left.expr.clone(), right.expr.clone()]);
            Ok(Term::new(expr, Kind::Text, &[&left, &right]))
        }
        other => {
            let message = match other {
                BinaryOperator::Spaceship | BinaryOperator::BitwiseXor => {
                    format!("`{other}` is not an operator here; a power is power(a, b).")
                }
                _ => format!("`{other}` is not an operator here."),
            };
            Err(Fault::new(message, lowering.parsed.span_of(tree)))
        }
    }
}

type Spans = (Option<(usize, usize)>, Option<(usize, usize)>);

/// `and`, where a right side that could reject a row is only looked at when the left one does not decide.
pub(super) fn and(left: &Term, right: &Term) -> Term {
    let both = left.expr.clone().and(right.expr.clone());
    let expr = if right.fallible {
        when(left.expr.clone().is_false(), lit(false), both)
    } else {
        both
    };
    Term::new(expr, Kind::Boolean, &[left, right])
}

fn or(left: &Term, right: &Term) -> Term {
    let either = left.expr.clone().or(right.expr.clone());
    let expr = if right.fallible {
        when(left.expr.clone().is_true(), lit(true), either)
    } else {
        either
    };
    Term::new(expr, Kind::Boolean, &[left, right])
}

pub(super) fn when(condition: Expr, then: Expr, otherwise: Expr) -> Expr {
    Expr::Case(datafusion_expr::expr::Case {
        expr: None,
        when_then_expr: vec![(Box::new(condition), Box::new(then))],
        else_expr: Some(Box::new(otherwise)),
    })
}

pub(super) fn unary(lowering: &mut Lowering<'_>, operator: UnaryOperator, expr: &Ast) -> Result<Term, Fault> {
    let span = lowering.parsed.span_of(expr);
    let term = lowering.lower(expr)?;
    match operator {
        UnaryOperator::Not => {
            let term = lowering.as_kind(term, Kind::Boolean, span)?;
            Ok(Term::new(
                Expr::Not(Box::new(term.expr.clone())),
                Kind::Boolean,
                &[&term],
            ))
        }
        UnaryOperator::Minus => {
            let term = lowering.as_kind(term, Kind::Number, span)?;
            Ok(Term::new(negative(term.expr.clone()), Kind::Number, &[&term]))
        }
        UnaryOperator::Plus => lowering.as_kind(term, Kind::Number, span),
        other => Err(Fault::new(format!("`{other}` is not an operator here."), span)),
    }
}

fn negative(expr: Expr) -> Expr {
    match expr {
        Expr::Literal(ScalarValue::Float64(Some(number)), _) => lit(-number),
        expr => Expr::Negative(Box::new(expr)),
    }
}

/// Any value as text, the way cells are seen as text.
pub(super) fn as_text(term: Term) -> Term {
    match term.kind {
        Kind::Text => term,
        Kind::Blank => Term::blank(Kind::Text),
        _ => {
            let expr = own::call("as_text", own::as_text, DataType::Utf8, None, vec![term.expr.clone()]);
            Term::new(expr, Kind::Text, &[&term])
        }
    }
}

/// Both as one kind, to be tested for equality. A column of several kinds is compared with a number as text: a cell that
/// is no number is simply not equal to it.
pub(super) fn equal_kinds(
    lowering: &mut Lowering<'_>,
    left: Term,
    right: Term,
    span: Option<(usize, usize)>,
) -> Result<(Term, Term), Fault> {
    if (left.mixed && right.kind != Kind::Blank) || (right.mixed && left.kind != Kind::Blank) {
        return Ok((as_text(left), as_text(right)));
    }
    lowering.unify(left, right, span)
}

fn equality(
    lowering: &mut Lowering<'_>,
    left: Term,
    operator: Operator,
    right: Term,
    span: Option<(usize, usize)>,
) -> Result<Term, Fault> {
    let (left, right) = equal_kinds(lowering, left, right, span)?;
    Ok(compare(&left, operator, &right))
}

fn order(
    lowering: &mut Lowering<'_>,
    left: Term,
    operator: Operator,
    right: Term,
    span: Option<(usize, usize)>,
) -> Result<Term, Fault> {
    let (left, right) = lowering.unify(left, right, span)?;
    Ok(compare(&left, operator, &right))
}

/// `between`, which is two comparisons.
pub(super) fn between(
    lowering: &mut Lowering<'_>,
    expr: &Ast,
    negated: bool,
    low: &Ast,
    high: &Ast,
) -> Result<Term, Fault> {
    let spans = (lowering.parsed.span_of(low), lowering.parsed.span_of(high));
    let (tested, low, high) = (lowering.lower(expr)?, lowering.lower(low)?, lowering.lower(high)?);
    let from = order(lowering, tested.clone(), Operator::GtEq, low, spans.0)?;
    let to = order(lowering, tested, Operator::LtEq, high, spans.1)?;
    let term = and(&from, &to);
    Ok(if negated {
        Term::new(Expr::Not(Box::new(term.expr.clone())), Kind::Boolean, &[&term])
    } else {
        term
    })
}

/// `like` and `ilike`; everything is compared as text.
pub(super) fn like(
    lowering: &mut Lowering<'_>,
    expr: &Ast,
    pattern: &Ast,
    negated: bool,
    case: Case,
) -> Result<Term, Fault> {
    let span = lowering.parsed.span_of(pattern);
    let tested = as_text(lowering.lower(expr)?);
    let pattern = lowering.lower(pattern)?;
    let pattern = lowering.as_kind(pattern, Kind::Text, span)?;
    let like = Like::new(
        negated,
        Box::new(tested.expr.clone()),
        Box::new(pattern.expr.clone()),
        None,
        case == Case::Ignored,
    );
    Ok(Term::new(Expr::Like(like), Kind::Boolean, &[&tested, &pattern]))
}

fn plus(lowering: &mut Lowering<'_>, left: Term, right: Term, spans: Spans) -> Result<Term, Fault> {
    match (left.kind, right.kind) {
        (Kind::Date, _) => add_days(lowering, left, right, spans.1),
        (_, Kind::Date) => add_days(lowering, right, left, spans.0),
        _ => number(lowering, left, Operator::Plus, right, spans),
    }
}

fn minus(lowering: &mut Lowering<'_>, left: Term, right: Term, spans: Spans) -> Result<Term, Fault> {
    match (left.kind, right.kind) {
        (Kind::Date, Kind::Date) => {
            let days = |term: &Term| cast(cast(term.expr.clone(), DataType::Int32), DataType::Float64);
            Ok(Term::new(
                minus_of(days(&left), days(&right)),
                Kind::Number,
                &[&left, &right],
            ))
        }
        (Kind::Date | Kind::DateTime, Kind::DateTime) | (Kind::DateTime, Kind::Date) => {
            let (left, right) = lowering.unify(left, right, spans.1)?;
            let moment = |term: &Term| cast(cast(term.expr.clone(), DataType::Int64), DataType::Float64);
            let difference = minus_of(moment(&left), moment(&right));
            let days = BinaryExpr::new(Box::new(difference), Operator::Divide, Box::new(lit(86_400_000.0)));
            Ok(Term::new(Expr::BinaryExpr(days), Kind::Number, &[&left, &right]))
        }
        (Kind::Date, _) => {
            let right = lowering.as_kind(right, Kind::Number, spans.1)?;
            let days = Term::new(negative(right.expr.clone()), Kind::Number, &[&right]);
            add_days(lowering, left, days, spans.1)
        }
        _ => number(lowering, left, Operator::Minus, right, spans),
    }
}

fn minus_of(left: Expr, right: Expr) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(Box::new(left), Operator::Minus, Box::new(right)))
}

fn add_days(lowering: &mut Lowering<'_>, date: Term, days: Term, span: Option<(usize, usize)>) -> Result<Term, Fault> {
    let days = lowering.as_kind(days, Kind::Number, span)?;
    let site = lowering.site("no_date", "leads out of the calendar".into(), None);
    let expr = own::call(
        "add_days",
        own::add_days,
        DataType::Date32,
        Some(site),
        vec![date.expr, days.expr],
    );
    Ok(Term::fallible(expr, Kind::Date))
}

fn number(
    lowering: &mut Lowering<'_>,
    left: Term,
    operator: Operator,
    right: Term,
    spans: Spans,
) -> Result<Term, Fault> {
    let left = lowering.as_kind(left, Kind::Number, spans.0)?;
    let right = lowering.as_kind(right, Kind::Number, spans.1)?;
    let expr = BinaryExpr::new(Box::new(left.expr.clone()), operator, Box::new(right.expr.clone()));
    Ok(Term::new(Expr::BinaryExpr(expr), Kind::Number, &[&left, &right]))
}

fn by_zero(
    lowering: &mut Lowering<'_>,
    name: &'static str,
    body: own::Body,
    left: Term,
    right: Term,
    spans: Spans,
) -> Result<Term, Fault> {
    let left = lowering.as_kind(left, Kind::Number, spans.0)?;
    let column = right.column.filter(|_| lowering.groups.is_none());
    let right = lowering.as_kind(right, Kind::Number, spans.1)?;
    let site = lowering.site("division_by_zero", "a division by zero".into(), column);
    let expr = own::call(name, body, DataType::Float64, Some(site), vec![left.expr, right.expr]);
    Ok(Term::fallible(expr, Kind::Number))
}
