//! What a query may be made of. What is not on the lists of this file is refused, in words and with its place.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CastKind, DataType, Distinct, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArguments,
    Ident, ObjectName, Query, Select, SelectItem, SetExpr, Spanned, Statement, TableFactor, TimezoneInfo,
    UnaryOperator, Value, Visit, VisitMut, Visitor, VisitorMut,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

use super::{DATA, Given, MAX_CHARS, functions};
use crate::recipe::expression::{Fault, Places, in_words};
use crate::recipe::problem::{did_you_mean, listed};

/// Nesting beyond this is no query of people.
const MAX_DEPTH: usize = 100;
const TOO_DEEP: &str = "The query has too many parts inside or behind one another. Use a list, `status in ('a', 'b')`, or \
                        several steps.";
const ONLY_SELECT: &str = "A query of a recipe only reads: it begins with SELECT or WITH.";

/// A query as parsed and found harmless.
pub(super) struct Parsed {
    /// The query, with names for all columns of its result.
    pub(super) statement: Statement,
    /// The tables that it names, in the order of their first mention.
    pub(super) tables: Vec<String>,
    /// Where its characters stand.
    pub(super) places: Places,
    spans: Vec<Option<(usize, usize)>>,
}

/// Parses one query and nothing else.
pub(super) fn parse(text: &str) -> Result<Parsed, Fault> {
    if text.trim().is_empty() {
        return Err(Fault::new("The query is empty.", None));
    }
    if text.chars().count() > MAX_CHARS {
        let message = format!("The query is too long: {MAX_CHARS} characters are the limit.");
        return Err(Fault::new(message, None));
    }
    let places = Places::of(text);
    let dialect = GenericDialect {};
    let mut statements = Parser::new(&dialect)
        .try_with_sql(text)
        .and_then(|mut parser| parser.parse_statements())
        .map_err(|error| in_words(&error, &places, "query"))?;
    let (Some(mut statement), true) = (statements.pop(), statements.is_empty()) else {
        return Err(Fault::new("There are several queries here; a step has one.", None));
    };
    if !matches!(statement, Statement::Query(_)) {
        return Err(Fault::new(ONLY_SELECT, None));
    }
    let mut door = Door {
        places: &places,
        depth: 0,
        with: Vec::new(),
        tables: Vec::new(),
        spans: Vec::new(),
    };
    if let ControlFlow::Break(fault) = Visit::visit(&statement, &mut door) {
        return Err(*fault);
    }
    let (tables, spans) = (door.tables, door.spans);
    // Nothing breaks this off.
    let _: ControlFlow<()> = VisitMut::visit(&mut statement, &mut Names);
    Ok(Parsed {
        statement,
        tables,
        places,
        spans,
    })
}

/// Says which table is not there.
pub(super) fn check_tables(parsed: &Parsed, given: &[Given]) -> Result<(), Fault> {
    for (name, span) in parsed.tables.iter().zip(&parsed.spans) {
        let names = given.iter().map(|table| table.name.as_str());
        if names.clone().any(|known| known == name) {
            continue;
        }
        let hint = did_you_mean(name, names.clone());
        let message = if given.len() == 1 {
            format!(
                "There is no table `{name}`: this one is called `{DATA}`, and for another one a file must be chosen.{hint}"
            )
        } else {
            format!("There is no table `{name}`.{hint} The tables are {}.", listed(names))
        };
        return Err(Fault::new(message, *span));
    }
    Ok(())
}

type Verdict = ControlFlow<Box<Fault>>;

struct Door<'a> {
    places: &'a Places,
    depth: usize,
    /// Names that `WITH` gives.
    with: Vec<String>,
    tables: Vec<String>,
    spans: Vec<Option<(usize, usize)>>,
}

impl Door<'_> {
    fn refuse(&self, message: impl Into<String>, part: &impl Spanned) -> Verdict {
        let span = part.span();
        ControlFlow::Break(Box::new(Fault::new(message, self.places.span(span))))
    }

    fn function(&self, function: &Function) -> Verdict {
        let name = function.name.to_string().to_lowercase();
        if !functions::is_known(&name) {
            let known = functions::NAMES.iter().copied();
            let message = format!(
                "There is no function `{name}` in queries.{}",
                did_you_mean(&name, known)
            );
            return self.refuse(message, &function.name);
        }
        if function.over.is_some() {
            let message = "OVER is not for queries: the steps number_rows, rank, running_total and difference do that.";
            return self.refuse(message, &function.name);
        }
        let FunctionArguments::List(list) = &function.args else {
            return self.refuse(format!("`{name}` wants its values in parentheses."), &function.name);
        };
        let plain = function.parameters == FunctionArguments::None
            && function.null_treatment.is_none()
            && function.within_group.is_empty()
            && list.clauses.is_empty()
            && list.args.iter().all(|arg| matches!(arg, FunctionArg::Unnamed(_)));
        if !plain {
            let message = format!("`{name}` takes values in parentheses and nothing else in queries.");
            return self.refuse(message, &function.name);
        }
        let distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
        if distinct && !matches!(name.as_str(), "count" | "min" | "max") {
            let message = format!("DISTINCT is for count in queries; for `{name}`, select the distinct values first.");
            return self.refuse(message, &function.name);
        }
        ControlFlow::Continue(())
    }

    fn expression(&self, expr: &Expr) -> Verdict {
        use Expr as E;
        match expr {
            E::Function(function) => self.function(function),
            E::BinaryOp { op, .. } if !is_operator(op) => {
                self.refuse(format!("The operator `{op}` is not for queries."), expr)
            }
            E::UnaryOp { op, .. } if !matches!(op, UnaryOperator::Not | UnaryOperator::Minus | UnaryOperator::Plus) => {
                self.refuse(format!("The operator `{op}` is not for queries."), expr)
            }
            E::Cast {
                kind: CastKind::Cast | CastKind::TryCast | CastKind::DoubleColon,
                data_type,
                array: false,
                format: None,
                ..
            } => {
                if is_type(data_type) {
                    return ControlFlow::Continue(());
                }
                let message = format!(
                    "`{data_type}` is no type here: cast to text, bigint, double, boolean, date, timestamp or time."
                );
                self.refuse(message, expr)
            }
            E::TypedString(typed) if is_type(&typed.data_type) => ControlFlow::Continue(()),
            E::Value(value) if matches!(value.value, Value::Placeholder(_)) => {
                self.refuse(format!("`{}` has no value here.", value.value), expr)
            }
            E::Like { any: true, .. } | E::ILike { any: true, .. } => self.refuse("LIKE ANY is not for queries.", expr),
            E::Identifier(_)
            | E::CompoundIdentifier(_)
            | E::Value(_)
            | E::Nested(_)
            | E::BinaryOp { .. }
            | E::UnaryOp { .. }
            | E::IsFalse(_)
            | E::IsNotFalse(_)
            | E::IsTrue(_)
            | E::IsNotTrue(_)
            | E::IsNull(_)
            | E::IsNotNull(_)
            | E::IsDistinctFrom(..)
            | E::IsNotDistinctFrom(..)
            | E::InList { .. }
            | E::InSubquery { .. }
            | E::Between { .. }
            | E::Like { .. }
            | E::ILike { .. }
            | E::Extract { .. }
            | E::Ceil { .. }
            | E::Floor { .. }
            | E::Position { .. }
            | E::Substring { .. }
            | E::Trim { .. }
            | E::Case { .. }
            | E::Exists { .. }
            | E::Subquery(_)
            | E::Interval(_) => ControlFlow::Continue(()),
            _ => self.refuse("This is not for queries.", expr),
        }
    }

    fn select(&self, select: &Select) -> Verdict {
        let refusal = if select.into.is_some() {
            ONLY_SELECT
        } else if matches!(select.distinct, Some(Distinct::On(_))) {
            "DISTINCT ON is not for queries: the step deduplicate keeps the first of rows that are alike."
        } else if select.qualify.is_some() || !select.named_window.is_empty() {
            "QUALIFY and WINDOW are not for queries: the steps rank and number_rows do that."
        } else if select.top.is_some() {
            "Write LIMIT at the end instead of TOP."
        } else if !select.lateral_views.is_empty()
            || select.prewhere.is_some()
            || !select.connect_by.is_empty()
            || !select.cluster_by.is_empty()
            || !select.distribute_by.is_empty()
            || !select.sort_by.is_empty()
            || select.value_table_mode.is_some()
            || select.exclude.is_some()
        {
            "This kind of SELECT is not for queries."
        } else {
            return ControlFlow::Continue(());
        };
        self.refuse(refusal, select)
    }
}

impl Visitor for Door<'_> {
    type Break = Box<Fault>;

    fn pre_visit_query(&mut self, query: &Query) -> Verdict {
        if let Some(with) = &query.with {
            if with.recursive {
                return self.refuse("WITH RECURSIVE is not for queries: it may never end.", query);
            }
            self.with
                .extend(with.cte_tables.iter().map(|table| table.alias.name.value.clone()));
        }
        let other = !query.locks.is_empty()
            || query.for_clause.is_some()
            || query.settings.is_some()
            || query.format_clause.is_some()
            || !query.pipe_operators.is_empty();
        if other {
            return self.refuse(
                "A query ends with ORDER BY and LIMIT; what stands behind is not for queries.",
                query,
            );
        }
        if is_writing(&query.body) {
            return self.refuse(ONLY_SELECT, query);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> Verdict {
        self.select(select)
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> Verdict {
        let [part] = name.0.as_slice() else {
            return self.refuse(format!("`{name}` is no table: names of tables have one part."), name);
        };
        let Some(ident) = part.as_ident() else {
            return self.refuse("This is no table.", name);
        };
        let table = &ident.value;
        if !self.with.contains(table) && !self.tables.contains(table) {
            self.tables.push(table.clone());
            self.spans.push(self.places.span(ident.span));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> Verdict {
        match factor {
            TableFactor::Table {
                args: None,
                with_hints,
                version: None,
                with_ordinality: false,
                partitions,
                json_path: None,
                sample: None,
                index_hints,
                ..
            } if with_hints.is_empty() && partitions.is_empty() && index_hints.is_empty() => ControlFlow::Continue(()),
            TableFactor::Derived {
                lateral: false,
                sample: None,
                ..
            }
            | TableFactor::NestedJoin { .. } => ControlFlow::Continue(()),
            _ => {
                let message =
                    format!("A query reads `{DATA}`, other tables by their names, and queries in parentheses.");
                self.refuse(message, factor)
            }
        }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> Verdict {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return ControlFlow::Break(Box::new(Fault::new(TOO_DEEP, None)));
        }
        self.expression(expr)
    }

    fn post_visit_expr(&mut self, _expr: &Expr) -> Verdict {
        self.depth -= 1;
        ControlFlow::Continue(())
    }
}

fn is_writing(body: &SetExpr) -> bool {
    match body {
        SetExpr::Select(_) | SetExpr::Query(_) | SetExpr::Values(_) => false,
        SetExpr::SetOperation { left, right, .. } => is_writing(left) || is_writing(right),
        SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) | SetExpr::Table(_) => true,
    }
}

fn is_operator(op: &BinaryOperator) -> bool {
    use BinaryOperator as B;
    matches!(
        op,
        B::Plus
            | B::Minus
            | B::Multiply
            | B::Divide
            | B::Modulo
            | B::StringConcat
            | B::Gt
            | B::Lt
            | B::GtEq
            | B::LtEq
            | B::Eq
            | B::NotEq
            | B::And
            | B::Or
    )
}

fn is_type(data_type: &DataType) -> bool {
    use DataType as T;
    matches!(
        data_type,
        T::Text
            | T::String(None)
            | T::Varchar(None)
            | T::Int(None)
            | T::Integer(None)
            | T::BigInt(None)
            | T::Double(_)
            | T::DoublePrecision
            | T::Float(_)
            | T::Boolean
            | T::Bool
            | T::Date
            | T::Timestamp(None, TimezoneInfo::None)
            | T::Time(None, TimezoneInfo::None)
    )
}

/// Gives columns of results the names that people read: what stands in the query. Makes of `-a` what arithmetic is ours.
struct Names;

impl VisitorMut for Names {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expr) = item
                && !matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
            {
                *item = SelectItem::ExprWithAlias {
                    alias: Ident::with_quote('"', expr.to_string()),
                    expr: expr.clone(),
                };
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::UnaryOp {
                op: UnaryOperator::Minus,
                expr: inner,
            } if !matches!(**inner, Expr::Value(_) | Expr::Interval(_)) => {
                let zero = Expr::Value(Value::Number("0".to_owned(), false).with_empty_span());
                *expr = Expr::BinaryOp {
                    left: Box::new(zero),
                    op: BinaryOperator::Minus,
                    right: inner.clone(),
                };
            }
            Expr::Function(function) => {
                let name = function.name.to_string().to_lowercase();
                function.name = ObjectName::from(vec![Ident::new(name)]);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
