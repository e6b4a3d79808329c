//! From the syntax tree to what DataFusion evaluates: every kind is checked here, every cast is written out, and whatever
//! could fail on a row is made to note the row instead.

use datafusion_common::ScalarValue;
use datafusion_expr::expr::{Case, InList};
use datafusion_expr::{BinaryExpr, Expr, Operator, cast, col};
use sqlparser::ast;
use sqlparser::ast::Expr as Ast;

use super::own;
use super::parsing::{Parsed, TOO_DEEP};
use super::term::{Kind, Term};
use super::totals::{Aggregate, GroupScope};
use super::{Fault, functions, operators};
use crate::recipe::columns::{Column, missing};
use crate::tables::ColumnKind;

/// Nesting beyond this is no formula.
const MAX_DEPTH: usize = 100;
/// The name of the rows' positions among the inputs.
pub(super) const POSITIONS: &str = "p";

/// What stands where a row may be noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Site {
    /// A stable word for the rule.
    pub(super) rule: &'static str,
    /// In words: "a division by zero".
    pub(super) message: String,
    /// The column that the value at fault is from, where it is one.
    pub(super) column: Option<usize>,
}

/// How a column is seen by an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Input {
    /// The column's position.
    pub(super) column: usize,
    /// As what its cells are seen.
    pub(super) kind: Kind,
}

/// The state of one lowering.
pub(super) struct Lowering<'a> {
    pub(super) parsed: &'a Parsed,
    pub(super) columns: &'a [Column],
    pub(super) inputs: Vec<Input>,
    pub(super) sites: Vec<Site>,
    pub(super) groups: Option<GroupScope<'a>>,
    depth: usize,
}

impl<'a> Lowering<'a> {
    /// An expression over the rows of a table.
    pub(super) fn of_rows(parsed: &'a Parsed, columns: &'a [Column]) -> Self {
        Self {
            parsed,
            columns,
            inputs: Vec::new(),
            sites: Vec::new(),
            groups: None,
            depth: 0,
        }
    }

    /// An expression over the totals of groups.
    pub(super) fn of_groups(parsed: &'a Parsed, columns: &'a [Column], by: &'a [usize]) -> Self {
        let groups = Some(GroupScope {
            by,
            aggregates: Vec::new(),
        });
        Self {
            groups,
            ..Self::of_rows(parsed, columns)
        }
    }

    /// Lowers a part of the tree.
    pub(super) fn lower(&mut self, tree: &Ast) -> Result<Term, Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::new(TOO_DEEP, None));
        }
        let term = self.lower_part(tree);
        self.depth -= 1;
        term
    }

    fn lower_part(&mut self, tree: &Ast) -> Result<Term, Fault> {
        match tree {
            Ast::Nested(inner) => self.lower(inner),
            Ast::Identifier(name) => self.column(&name.value, self.parsed.span(name.span)),
            Ast::CompoundIdentifier(parts) => Err(self.dotted(parts)),
            Ast::Value(value) => self.literal(&value.value, self.parsed.span(value.span)),
            Ast::TypedString(typed) => self.typed_literal(typed),
            Ast::BinaryOp { left, op, right } => operators::binary(self, tree, left, op, right),
            Ast::UnaryOp { op, expr } => operators::unary(self, *op, expr),
            Ast::IsNull(inner) => self.is(inner, Expr::IsNull),
            Ast::IsNotNull(inner) => self.is(inner, Expr::IsNotNull),
            Ast::IsTrue(inner) => self.is_truth(inner, Expr::IsTrue),
            Ast::IsNotTrue(inner) => self.is_truth(inner, Expr::IsNotTrue),
            Ast::IsFalse(inner) => self.is_truth(inner, Expr::IsFalse),
            Ast::IsNotFalse(inner) => self.is_truth(inner, Expr::IsNotFalse),
            Ast::IsDistinctFrom(left, right) => self.distinct(left, right, Operator::IsDistinctFrom),
            Ast::IsNotDistinctFrom(left, right) => self.distinct(left, right, Operator::IsNotDistinctFrom),
            Ast::InList { expr, list, negated } => self.in_list(expr, list, *negated),
            Ast::Between {
                expr,
                negated,
                low,
                high,
            } => operators::between(self, expr, *negated, low, high),
            Ast::Like {
                negated,
                any: false,
                expr,
                pattern,
                escape_char: None,
            } => operators::like(self, expr, pattern, *negated, operators::Case::Counts),
            Ast::ILike {
                negated,
                any: false,
                expr,
                pattern,
                escape_char: None,
            } => operators::like(self, expr, pattern, *negated, operators::Case::Ignored),
            Ast::Case {
                operand,
                conditions,
                else_result,
                ..
            } => self.case(operand.as_deref(), conditions, else_result.as_deref()),
            Ast::Cast {
                kind,
                expr,
                data_type,
                format: None,
                ..
            } => functions::cast_to(self, kind, expr, data_type),
            _ => functions::special(self, tree),
        }
    }

    /// A column by its name.
    fn column(&mut self, name: &str, span: Option<(usize, usize)>) -> Result<Term, Fault> {
        let Some(position) = self.columns.iter().position(|column| column.name == name) else {
            let message = match name {
                _ if name.starts_with(|c: char| c.is_ascii_digit()) => {
                    format!("`{name}` is neither a number nor a column.")
                }
                _ => format!("{} A text stands in single quotes.", missing(self.columns, name)),
            };
            return Err(Fault::new(message, span));
        };
        let position = match &self.groups {
            None => position,
            Some(groups) => groups.by.iter().position(|by| *by == position).ok_or_else(|| {
                let message = format!(
                    "`{name}` has many values in a group: total it, as in sum({name}) or first({name}), or add it to `by`."
                );
                Fault::new(message, span)
            })?,
        };
        let original = match &self.groups {
            None => position,
            Some(groups) => groups.by[position],
        };
        Ok(self.input(position, self.columns[original].kind))
    }

    /// The term of an input column.
    pub(super) fn input(&mut self, position: usize, column: ColumnKind) -> Term {
        let kind = Kind::of_column(column);
        let term = match kind {
            Kind::Blank => Term::blank(Kind::Text),
            _ => Term::new(self.seen(position, kind), kind, &[]),
        };
        Term {
            kind,
            column: Some(position),
            mixed: column == ColumnKind::Mixed,
            ..term
        }
    }

    /// A column seen as some kind.
    pub(super) fn seen(&mut self, column: usize, kind: Kind) -> Expr {
        let input = Input { column, kind };
        let index = self.inputs.iter().position(|known| *known == input).unwrap_or_else(|| {
            self.inputs.push(input);
            self.inputs.len() - 1
        });
        col(format!("i{index}"))
    }

    /// A place where rows can be noted; answers what [`own::call`] wants.
    pub(super) fn site(&mut self, rule: &'static str, message: String, column: Option<usize>) -> (usize, Expr) {
        self.sites.push(Site { rule, message, column });
        (self.sites.len() - 1, col(POSITIONS))
    }

    /// The term as another kind, where that is plain; otherwise a fault that says what to do.
    pub(super) fn as_kind(&mut self, term: Term, kind: Kind, span: Option<(usize, usize)>) -> Result<Term, Fault> {
        match (term.kind, kind) {
            (from, to) if from == to => Ok(term),
            (Kind::Blank, _) => Ok(Term {
                column: term.column,
                ..Term::blank(kind)
            }),
            (Kind::Date, Kind::DateTime) => Ok(Term::new(cast(term.expr.clone(), kind.arrow()), kind, &[&term])),
            (Kind::Text, _) if term.text.is_some() => self.literal_as(&term, kind, span),
            (Kind::Text, Kind::Number | Kind::Date | Kind::DateTime | Kind::Time | Kind::Boolean) if term.mixed => {
                Ok(self.mixed_as(&term, kind))
            }
            _ => Err(self.mismatch(&term, kind, span)),
        }
    }

    /// A text in quotes where a date or time is needed.
    fn literal_as(&self, term: &Term, kind: Kind, span: Option<(usize, usize)>) -> Result<Term, Fault> {
        let text = term.text.clone().unwrap_or_default();
        let value = match kind {
            Kind::Date => crate::recipe::plan::cells::iso_date(&text).map(|day| ScalarValue::Date32(Some(day))),
            Kind::DateTime => crate::recipe::plan::cells::iso_date_time(&text)
                .map(|moment| ScalarValue::TimestampMillisecond(Some(moment), None)),
            Kind::Time => {
                crate::recipe::plan::cells::iso_time(&text).map(|time| ScalarValue::Time32Millisecond(Some(time)))
            }
            _ => {
                let message = format!(
                    "'{text}' is a text, and {} is needed here; numbers have no quotes.",
                    kind.words()
                );
                return Err(Fault::new(message, span));
            }
        };
        let written = match kind {
            Kind::Date => "2024-01-31",
            Kind::DateTime => "2024-01-31 14:30:00",
            _ => "14:30:00",
        };
        let message = format!(
            "'{text}' is compared with {} and is none; write it as '{written}'.",
            kind.words()
        );
        value
            .map(|value| Term::literal(value, kind))
            .ok_or_else(|| Fault::new(message, span))
    }

    /// A column of several kinds, seen as one; cells that are something else reject their row.
    fn mixed_as(&mut self, term: &Term, kind: Kind) -> Term {
        let Some(column) = term.column else { return term.clone() };
        let converted = self.seen(column, kind);
        let site = self.site("wrong_kind", format!("is not {}", kind.words()), Some(column));
        let expr = own::call(
            "checked",
            own::checked,
            kind.arrow(),
            Some(site),
            vec![term.expr.clone(), converted],
        );
        Term::fallible(expr, kind)
    }

    fn mismatch(&self, term: &Term, kind: Kind, span: Option<(usize, usize)>) -> Fault {
        let needed = kind.words();
        let name = term
            .column
            .filter(|_| self.groups.is_none())
            .map(|column| &self.columns[column].name);
        let message = match name {
            Some(name) => {
                let holds = crate::recipe::columns::kind_words(self.columns[term.column.unwrap_or_default()].kind);
                format!("`{name}` holds {holds}, and {needed} is needed here. Put a `convert` step before this one.")
            }
            None => format!("This gives {}, and {needed} is needed here.", term.kind.words()),
        };
        Fault::new(message, span)
    }

    /// Two terms as one kind, to be compared or to be alternatives of each other.
    pub(super) fn unify(
        &mut self,
        left: Term,
        right: Term,
        span: Option<(usize, usize)>,
    ) -> Result<(Term, Term), Fault> {
        let kind = common_kind(&left, &right);
        Ok((self.as_kind(left, kind, span)?, self.as_kind(right, kind, span)?))
    }

    fn dotted(&self, parts: &[ast::Ident]) -> Fault {
        let name = parts
            .iter()
            .map(|part| part.value.as_str())
            .collect::<Vec<_>>()
            .join(".");
        let span = parts.first().and_then(|part| self.parsed.span(part.span));
        let known = self.columns.iter().any(|column| column.name == name);
        let message = if known {
            format!("A name with a dot stands in double quotes: \"{name}\".")
        } else {
            format!("`{name}` looks like a column of another table; there is only one table here.")
        };
        Fault::new(message, span)
    }

    fn literal(&self, value: &ast::Value, span: Option<(usize, usize)>) -> Result<Term, Fault> {
        match value {
            ast::Value::Number(text, _) => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Term::literal(ScalarValue::Float64(Some(number)), Kind::Number)),
                _ => Err(Fault::new(format!("`{text}` is not a number."), span)),
            },
            ast::Value::SingleQuotedString(text) => Ok(text_literal(text)),
            ast::Value::Boolean(value) => Ok(Term::literal(ScalarValue::Boolean(Some(*value)), Kind::Boolean)),
            ast::Value::Null => Ok(Term {
                kind: Kind::Blank,
                ..Term::blank(Kind::Text)
            }),
            other => Err(Fault::new(
                format!("`{other}` is not expected here; a text stands in single quotes."),
                span,
            )),
        }
    }

    /// `date '2024-01-31'`
    fn typed_literal(&mut self, typed: &ast::TypedString) -> Result<Term, Fault> {
        let span = self.parsed.span(typed.value.span);
        let ast::Value::SingleQuotedString(text) = &typed.value.value else {
            return Err(Fault::new("A text in single quotes is expected here.", span));
        };
        let kind = functions::kind_of_type(&typed.data_type)
            .ok_or_else(|| Fault::new(format!("`{}` is not a type that is known here.", typed.data_type), span))?;
        self.as_kind(text_literal(text), kind, span)
    }

    fn is(&mut self, inner: &Ast, make: fn(Box<Expr>) -> Expr) -> Result<Term, Fault> {
        let term = self.lower(inner)?;
        Ok(Term::new(make(Box::new(term.expr.clone())), Kind::Boolean, &[&term]))
    }

    fn is_truth(&mut self, inner: &Ast, make: fn(Box<Expr>) -> Expr) -> Result<Term, Fault> {
        let span = self.parsed.span_of(inner);
        let term = self.lower(inner)?;
        let term = self.as_kind(term, Kind::Boolean, span)?;
        Ok(Term::new(make(Box::new(term.expr.clone())), Kind::Boolean, &[&term]))
    }

    fn distinct(&mut self, left: &Ast, right: &Ast, operator: Operator) -> Result<Term, Fault> {
        let span = self.parsed.span_of(right);
        let (left, right) = (self.lower(left)?, self.lower(right)?);
        let (left, right) = operators::equal_kinds(self, left, right, span)?;
        Ok(compare(&left, operator, &right))
    }

    /// `x in (a, b)`. In `x not in (a, b)` a blank is a value: it is not in the list unless the list has `null`.
    fn in_list(&mut self, expr: &Ast, list: &[Ast], negated: bool) -> Result<Term, Fault> {
        let mut tested = self.lower(expr)?;
        let (mut items, mut has_blank) = (Vec::with_capacity(list.len()), false);
        for item in list {
            let span = self.parsed.span_of(item);
            let item = self.lower(item)?;
            if item.kind == Kind::Blank {
                has_blank = true;
                continue;
            }
            let (left, right) = operators::equal_kinds(self, tested, item, span)?;
            tested = left;
            items.push(right);
        }
        let parts: Vec<&Term> = items.iter().chain([&tested]).collect();
        let fallible = parts.iter().any(|part| part.fallible);
        let list = items.iter().map(|item| item.expr.clone()).collect();
        let is_in = Expr::InList(InList {
            expr: Box::new(tested.expr.clone()),
            list,
            negated: false,
        });
        let is_in = if items.is_empty() {
            datafusion_expr::lit(false)
        } else {
            is_in
        };
        let expr = match (negated, has_blank) {
            (false, false) => is_in,
            (false, true) => is_in.is_true().or(tested.expr.clone().is_null()),
            (true, false) => Expr::IsNotTrue(Box::new(is_in)),
            (true, true) => Expr::IsNotTrue(Box::new(is_in)).and(tested.expr.clone().is_not_null()),
        };
        Ok(Term {
            fallible,
            ..Term::new(expr, Kind::Boolean, &[])
        })
    }

    fn case(
        &mut self,
        operand: Option<&Ast>,
        conditions: &[ast::CaseWhen],
        otherwise: Option<&Ast>,
    ) -> Result<Term, Fault> {
        let operand = operand.map(|operand| self.lower(operand)).transpose()?;
        let mut branches = Vec::with_capacity(conditions.len());
        for branch in conditions {
            let span = self.parsed.span_of(&branch.condition);
            let condition = self.lower(&branch.condition)?;
            let condition = match &operand {
                None => self.as_kind(condition, Kind::Boolean, span)?,
                Some(operand) => {
                    let (left, right) = operators::equal_kinds(self, operand.clone(), condition, span)?;
                    compare(&left, Operator::Eq, &right)
                }
            };
            branches.push((condition, self.lower(&branch.result)?));
        }
        let otherwise = match otherwise {
            Some(otherwise) => self.lower(otherwise)?,
            None => Term {
                kind: Kind::Blank,
                ..Term::blank(Kind::Text)
            },
        };
        self.choose(branches, otherwise)
    }

    /// The first alternative whose condition is true, or the last one; all as one kind.
    pub(super) fn choose(&mut self, branches: Vec<(Term, Term)>, otherwise: Term) -> Result<Term, Fault> {
        let mut widest = otherwise.clone();
        for (_, result) in &branches {
            let (left, _) = self.unify(widest, result.clone(), None)?;
            widest = left;
        }
        let kind = widest.kind;
        let mut fallible = false;
        let mut when_then_expr = Vec::with_capacity(branches.len());
        for (condition, result) in branches {
            let result = self.as_kind(result, kind, None)?;
            fallible |= condition.fallible || result.fallible;
            when_then_expr.push((Box::new(condition.expr), Box::new(result.expr)));
        }
        let otherwise = self.as_kind(otherwise, kind, None)?;
        fallible |= otherwise.fallible;
        let expr = Expr::Case(Case {
            expr: None,
            when_then_expr,
            else_expr: Some(Box::new(otherwise.expr)),
        });
        Ok(Term {
            fallible,
            ..Term::new(expr, kind, &[])
        })
    }

    /// Adds a total and answers the column it will stand in.
    pub(super) fn total(&mut self, aggregate: Aggregate) -> Option<Term> {
        let groups = self.groups.as_mut()?;
        let known = groups.aggregates.iter().position(|known| known.same(&aggregate));
        let kind = aggregate.kind;
        let index = known.unwrap_or_else(|| {
            groups.aggregates.push(aggregate);
            groups.aggregates.len() - 1
        });
        let position = groups.by.len() + index;
        Some(self.input(position, kind))
    }
}

/// A text in quotes.
fn text_literal(text: &str) -> Term {
    let term = Term::literal(ScalarValue::Utf8(Some(text.to_owned())), Kind::Text);
    Term {
        text: Some(text.to_owned()),
        ..term
    }
}

/// `left operator right`, true or false or neither.
pub(super) fn compare(left: &Term, operator: Operator, right: &Term) -> Term {
    let expr = BinaryExpr::new(Box::new(left.expr.clone()), operator, Box::new(right.expr.clone()));
    Term::new(Expr::BinaryExpr(expr), Kind::Boolean, &[left, right])
}

/// The kind that both fit, or the left one's.
fn common_kind(left: &Term, right: &Term) -> Kind {
    match (left.kind, right.kind) {
        (Kind::Blank, kind) | (kind, Kind::Blank) => kind,
        (Kind::Date, Kind::DateTime) | (Kind::DateTime, Kind::Date) => Kind::DateTime,
        (Kind::Text, kind) if left.mixed || left.text.is_some() => kind,
        (kind, Kind::Text) if right.mixed || right.text.is_some() => kind,
        (kind, _) => kind,
    }
}
