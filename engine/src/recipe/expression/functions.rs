//! The functions that expressions may call: a closed list.

use arrow::datatypes::DataType;
use datafusion_expr::{Expr, Operator, cast, lit, try_cast};
use datafusion_functions::expr_fn;
use sqlparser::ast::{self, CastKind, CeilFloorKind, Expr as Ast, FunctionArg, FunctionArgExpr, FunctionArguments};

use super::Fault;
use super::lowering::{Lowering, compare};
use super::operators::{as_text, equal_kinds, when};
use super::own;
use super::term::{Kind, Term};
use super::totals;
use crate::recipe::problem::did_you_mean;

/// The names of all functions of rows, as the guide and forms list them. Names are not case-sensitive.
pub const NAMES: &[&str] = &[
    "abs",
    "ceil",
    "coalesce",
    "concat",
    "contains",
    "date",
    "date_trunc",
    "day",
    "ends_with",
    "exp",
    "floor",
    "greatest",
    "hour",
    "if",
    "initcap",
    "least",
    "left",
    "length",
    "ln",
    "log10",
    "lower",
    "lpad",
    "ltrim",
    "minute",
    "mod",
    "month",
    "nullif",
    "number",
    "power",
    "quarter",
    "regexp_like",
    "regexp_replace",
    "replace",
    "reverse",
    "right",
    "round",
    "rpad",
    "rtrim",
    "second",
    "sign",
    "split_part",
    "sqrt",
    "starts_with",
    "strpos",
    "substr",
    "text",
    "trim",
    "trunc",
    "upper",
    "week",
    "weekday",
    "year",
];

/// Texts are not made longer than a cell may be (ECMA-376 says nothing; Excel's limit is 32,767 characters).
const MAX_TEXT: i64 = 32_767;

/// What a call is: its arguments, to be asked for by position and kind.
struct Call<'a, 'b> {
    lowering: &'a mut Lowering<'b>,
    name: String,
    span: Option<(usize, usize)>,
    arguments: Vec<(Term, Option<(usize, usize)>)>,
}

/// Functions, and those parts of SQL that are functions in a dress of their own.
pub(super) fn special(lowering: &mut Lowering<'_>, tree: &Ast) -> Result<Term, Fault> {
    match tree {
        Ast::Function(function) => function_call(lowering, tree, function),
        Ast::Ceil {
            expr,
            field: CeilFloorKind::DateTimeField(ast::DateTimeField::NoDateTime),
        } => simple(lowering, "ceil", &[expr]),
        Ast::Floor {
            expr,
            field: CeilFloorKind::DateTimeField(ast::DateTimeField::NoDateTime),
        } => simple(lowering, "floor", &[expr]),
        Ast::Position { expr, r#in } => simple(lowering, "strpos", &[r#in, expr]),
        Ast::Substring {
            expr,
            substring_from: Some(from),
            substring_for: None,
            ..
        } => simple(lowering, "substr", &[expr, from]),
        Ast::Substring {
            expr,
            substring_from: Some(from),
            substring_for: Some(length),
            ..
        } => simple(lowering, "substr", &[expr, from, length]),
        Ast::Trim {
            trim_where: None,
            trim_what: None,
            expr,
            trim_characters: None,
        } => simple(lowering, "trim", &[expr]),
        Ast::Extract { field, expr, .. } => simple(lowering, &field.to_string().to_lowercase(), &[expr]),
        Ast::Subquery(_) | Ast::Exists { .. } | Ast::InSubquery { .. } => Err(Fault::new(
            "A query inside an expression is not allowed; there is only this one table.",
            None,
        )),
        Ast::Wildcard(_) | Ast::QualifiedWildcard(..) => Err(Fault::new("`*` stands only in count(*).", None)),
        other => Err(Fault::new(
            format!("`{other}` is not available in recipes."),
            lowering.parsed.span_of(other),
        )),
    }
}

fn simple(lowering: &mut Lowering<'_>, name: &str, arguments: &[&Ast]) -> Result<Term, Fault> {
    let mut lowered = Vec::with_capacity(arguments.len());
    for argument in arguments {
        lowered.push((lowering.lower(argument)?, lowering.parsed.span_of(argument)));
    }
    Call {
        lowering,
        name: name.to_owned(),
        span: None,
        arguments: lowered,
    }
    .make()
}

fn function_call(lowering: &mut Lowering<'_>, tree: &Ast, function: &ast::Function) -> Result<Term, Fault> {
    let name = function.name.to_string().to_lowercase();
    let span = lowering.parsed.span_of(tree);
    if function.over.is_some() {
        return Err(Fault::new(
            "`over` (a window over other rows) is not available in an expression.",
            span,
        ));
    }
    if function.filter.is_some() || !function.within_group.is_empty() || function.null_treatment.is_some() {
        return Err(Fault::new(
            format!("Only plain arguments are possible in `{name}(…)`."),
            span,
        ));
    }
    if totals::is_aggregate(&name) {
        return totals::call(lowering, &name, function, span);
    }
    if !NAMES.contains(&alias(&name)) {
        let hint = did_you_mean(&name, NAMES.iter().copied().chain(totals::NAMES.iter().copied()));
        return Err(Fault::new(format!("There is no function `{name}`.{hint}"), span));
    }
    let arguments = match &function.args {
        FunctionArguments::List(list) if list.duplicate_treatment.is_none() && list.clauses.is_empty() => &list.args,
        FunctionArguments::None => &Vec::new(),
        _ => {
            return Err(Fault::new(
                format!("Only plain arguments are possible in `{name}(…)`."),
                span,
            ));
        }
    };
    let mut lowered = Vec::with_capacity(arguments.len());
    for argument in arguments {
        let FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) = argument else {
            return Err(Fault::new(
                format!("Only plain arguments are possible in `{name}(…)`."),
                span,
            ));
        };
        lowered.push((lowering.lower(argument)?, lowering.parsed.span_of(argument)));
    }
    Call {
        lowering,
        name: alias(&name).to_owned(),
        span,
        arguments: lowered,
    }
    .make()
}

/// Other names of the same functions.
fn alias(name: &str) -> &str {
    match name {
        "ceiling" => "ceil",
        "char_length" | "character_length" | "len" => "length",
        "substring" | "mid" => "substr",
        "pow" => "power",
        "btrim" => "trim",
        "iif" => "if",
        "position" | "instr" => "strpos",
        "log" => "log10",
        "proper" => "initcap",
        "to_number" | "value" => "number",
        "to_date" => "date",
        "truncate" => "trunc",
        name => name,
    }
}

impl Call<'_, '_> {
    fn make(mut self) -> Result<Term, Fault> {
        let name = std::mem::take(&mut self.name);
        match name.as_str() {
            "abs" | "ceil" | "floor" | "sign" => self.plain_number(&name),
            "sqrt" | "exp" | "ln" | "log10" => self.careful_number(&name),
            "power" => self.power(),
            "mod" => self.remainder(),
            "round" | "trunc" => self.rounded(&name),
            "greatest" | "least" => self.extreme(&name),
            "upper" | "lower" | "trim" | "ltrim" | "rtrim" | "reverse" | "initcap" => self.text_of_text(&name),
            "length" | "strpos" => self.number_of_text(&name),
            "left" | "right" | "substr" | "lpad" | "rpad" | "split_part" => self.cut(&name),
            "replace" | "regexp_replace" => self.replaced(&name),
            "concat" => self.concat(),
            "starts_with" | "ends_with" | "contains" | "regexp_like" => self.test_of_text(&name),
            "year" | "month" | "day" | "hour" | "minute" | "second" | "quarter" | "week" | "weekday" => {
                self.date_part(&name)
            }
            "date_trunc" => self.date_trunc(),
            "date" => self.date(),
            "number" => self.number(),
            "text" => self.one().map(as_text),
            "coalesce" => self.coalesce(),
            "nullif" => self.nullif(),
            "if" => self.if_then(),
            _ => Err(Fault::new(format!("There is no function `{name}`."), self.span)),
        }
        .map_err(|fault| Fault {
            message: fault.message.replace("{name}", &name),
            ..fault
        })
    }

    fn take(&mut self, counts: std::ops::RangeInclusive<usize>) -> Result<(), Fault> {
        let given = self.arguments.len();
        if counts.contains(&given) {
            return Ok(());
        }
        let wanted = match (*counts.start(), *counts.end()) {
            (1, 1) => "one argument".to_owned(),
            (from, to) if from == to => format!("{from} arguments"),
            (from, usize::MAX) => format!("at least {from} arguments"),
            (from, to) => format!("{from} to {to} arguments"),
        };
        Err(Fault::new(
            format!("`{{name}}` takes {wanted}, not {given}."),
            self.span,
        ))
    }

    fn kind(&mut self, index: usize, kind: Kind) -> Result<Term, Fault> {
        let (term, span) = self.arguments[index].clone();
        self.lowering.as_kind(term, kind, span)
    }

    fn number_at(&mut self, index: usize) -> Result<Term, Fault> {
        self.kind(index, Kind::Number)
    }

    /// Any value, seen as text.
    fn text_at(&self, index: usize) -> Term {
        as_text(self.arguments[index].0.clone())
    }

    fn one(&mut self) -> Result<Term, Fault> {
        self.take(1..=1)?;
        Ok(self.arguments[0].0.clone())
    }

    fn whole(term: &Term) -> Expr {
        try_cast(term.expr.clone(), DataType::Int64)
    }

    fn plain_number(&mut self, name: &str) -> Result<Term, Fault> {
        self.take(1..=1)?;
        let term = self.number_at(0)?;
        let work = match name {
            "abs" => expr_fn::abs,
            "ceil" => expr_fn::ceil,
            "floor" => expr_fn::floor,
            _ => expr_fn::signum,
        };
        Ok(Term::new(work(term.expr.clone()), Kind::Number, &[&term]))
    }

    fn careful_number(&mut self, name: &str) -> Result<Term, Fault> {
        self.take(1..=1)?;
        let term = self.number_at(0)?;
        let (name, work): (_, own::Body) = match name {
            "sqrt" => ("sqrt", own::sqrt),
            "exp" => ("exp", own::exp),
            "ln" => ("ln", own::ln),
            _ => ("log10", own::log10),
        };
        Ok(self.finite(name, work, vec![term.expr]))
    }

    /// A call whose result may be no number.
    fn finite(&mut self, name: &'static str, work: own::Body, arguments: Vec<Expr>) -> Term {
        let site = self
            .lowering
            .site("not_finite", format!("`{name}` has no result for this number"), None);
        Term::fallible(
            own::call(name, work, DataType::Float64, Some(site), arguments),
            Kind::Number,
        )
    }

    fn power(&mut self) -> Result<Term, Fault> {
        self.take(2..=2)?;
        let (base, exponent) = (self.number_at(0)?, self.number_at(1)?);
        Ok(self.finite("power", own::power, vec![base.expr, exponent.expr]))
    }

    fn remainder(&mut self) -> Result<Term, Fault> {
        self.take(2..=2)?;
        let (left, right) = (self.number_at(0)?, self.number_at(1)?);
        let site = self
            .lowering
            .site("division_by_zero", "a division by zero".into(), None);
        let arguments = vec![left.expr, right.expr];
        let expr = own::call("remainder", own::remainder, DataType::Float64, Some(site), arguments);
        Ok(Term::fallible(expr, Kind::Number))
    }

    fn rounded(&mut self, name: &str) -> Result<Term, Fault> {
        self.take(1..=2)?;
        let term = self.number_at(0)?;
        let places = if self.arguments.len() == 2 {
            self.number_at(1)?
        } else {
            zero()
        };
        let (name, work): (_, own::Body) = if name == "round" {
            ("round", own::round)
        } else {
            ("trunc", own::trunc)
        };
        let arguments = vec![term.expr.clone(), places.expr.clone()];
        let expr = own::call(name, work, DataType::Float64, None, arguments);
        Ok(Term::new(expr, Kind::Number, &[&term, &places]))
    }

    fn extreme(&mut self, name: &str) -> Result<Term, Fault> {
        self.take(1..=usize::MAX)?;
        let mut terms = Vec::with_capacity(self.arguments.len());
        for index in 0..self.arguments.len() {
            let kind = if self.arguments[0].0.kind == Kind::Date {
                Kind::Date
            } else {
                Kind::Number
            };
            terms.push(self.kind(index, kind)?);
        }
        let parts: Vec<&Term> = terms.iter().collect();
        let exprs = terms.iter().map(|term| term.expr.clone()).collect();
        let expr = if name == "greatest" {
            expr_fn::greatest(exprs)
        } else {
            expr_fn::least(exprs)
        };
        Ok(Term::new(expr, terms[0].kind, &parts))
    }

    fn text_of_text(&mut self, name: &str) -> Result<Term, Fault> {
        self.take(1..=1)?;
        let term = self.text_at(0);
        let text = term.expr.clone();
        let expr = match name {
            "upper" => expr_fn::upper(text),
            "lower" => expr_fn::lower(text),
            "trim" => expr_fn::btrim(vec![text]),
            "ltrim" => expr_fn::ltrim(vec![text]),
            "rtrim" => expr_fn::rtrim(vec![text]),
            "reverse" => expr_fn::reverse(text),
            _ => own::call("initcap", own::initcap, DataType::Utf8, None, vec![text]),
        };
        Ok(Term::new(expr, Kind::Text, &[&term]))
    }

    fn number_of_text(&mut self, name: &str) -> Result<Term, Fault> {
        if name == "length" {
            self.take(1..=1)?;
            let term = self.text_at(0);
            let expr = expr_fn::character_length(term.expr.clone());
            return Ok(Term::new(cast(expr, DataType::Float64), Kind::Number, &[&term]));
        }
        self.take(2..=2)?;
        let (text, part) = (self.text_at(0), self.text_at(1));
        let expr = expr_fn::strpos(text.expr.clone(), part.expr.clone());
        Ok(Term::new(cast(expr, DataType::Float64), Kind::Number, &[&text, &part]))
    }

    fn cut(&mut self, name: &str) -> Result<Term, Fault> {
        let counts = match name {
            "left" | "right" => 2..=2,
            "split_part" => 3..=3,
            _ => 2..=3,
        };
        self.take(counts)?;
        let text = self.text_at(0);
        let given = self.arguments.len();
        let (expr, second, third) = match name {
            "left" | "right" => {
                let count = self.number_at(1)?;
                let work = if name == "left" { expr_fn::left } else { expr_fn::right };
                (work(text.expr.clone(), Self::whole(&count)), count, None)
            }
            "split_part" => {
                let (delimiter, index) = (self.text_at(1), self.number_at(2)?);
                let at_least_one = at_least(&Self::whole(&index), 1);
                (
                    expr_fn::split_part(text.expr.clone(), delimiter.expr.clone(), at_least_one),
                    delimiter,
                    Some(index),
                )
            }
            "substr" => {
                let from = self.number_at(1)?;
                let from_one = at_least(&Self::whole(&from), 1);
                if given == 2 {
                    (expr_fn::substr(text.expr.clone(), from_one), from, None)
                } else {
                    let length = self.number_at(2)?;
                    let not_less = at_least(&Self::whole(&length), 0);
                    (
                        expr_fn::substring(text.expr.clone(), from_one, not_less),
                        from,
                        Some(length),
                    )
                }
            }
            _ => {
                let length = self.number_at(1)?;
                let bounded = at_most(&Self::whole(&length), MAX_TEXT);
                let fill = if given == 3 { self.text_at(2).expr } else { lit(" ") };
                let arguments = vec![text.expr.clone(), bounded, fill];
                let expr = if name == "lpad" {
                    expr_fn::lpad(arguments)
                } else {
                    expr_fn::rpad(arguments)
                };
                (expr, length, None)
            }
        };
        let parts: Vec<&Term> = [Some(&text), Some(&second), third.as_ref()]
            .into_iter()
            .flatten()
            .collect();
        Ok(Term::new(expr, Kind::Text, &parts))
    }

    fn replaced(&mut self, name: &str) -> Result<Term, Fault> {
        self.take(3..=3)?;
        let (text, from, to) = (self.text_at(0), self.text_at(1), self.text_at(2));
        let expr = if name == "replace" {
            expr_fn::replace(text.expr.clone(), from.expr.clone(), to.expr.clone())
        } else {
            self.literal_pattern(1)?;
            expr_fn::regexp_replace(text.expr.clone(), from.expr.clone(), to.expr.clone(), Some(lit("g")))
        };
        Ok(Term::new(expr, Kind::Text, &[&text, &from, &to]))
    }

    fn literal_pattern(&self, index: usize) -> Result<(), Fault> {
        let (term, span) = &self.arguments[index];
        if term.text.is_some() {
            return Ok(());
        }
        Err(Fault::new("The pattern of `{name}` is a text in single quotes.", *span))
    }

    fn concat(&mut self) -> Result<Term, Fault> {
        self.take(1..=usize::MAX)?;
        let terms: Vec<Term> = (0..self.arguments.len()).map(|index| self.text_at(index)).collect();
        let parts: Vec<&Term> = terms.iter().collect();
        let expr = expr_fn::concat(terms.iter().map(|term| term.expr.clone()).collect());
        Ok(Term::new(expr, Kind::Text, &parts))
    }

    fn test_of_text(&mut self, name: &str) -> Result<Term, Fault> {
        self.take(2..=2)?;
        let (text, part) = (self.text_at(0), self.text_at(1));
        let (left, right) = (text.expr.clone(), part.expr.clone());
        let expr = match name {
            "starts_with" => expr_fn::starts_with(left, right),
            "ends_with" => expr_fn::ends_with(left, right),
            "contains" => expr_fn::contains(left, right),
            _ => {
                self.literal_pattern(1)?;
                expr_fn::regexp_like(left, right, None)
            }
        };
        Ok(Term::new(expr, Kind::Boolean, &[&text, &part]))
    }

    /// A date or a time; a text is none by itself.
    fn moment(&mut self) -> Result<Term, Fault> {
        let (term, span) = self.arguments[0].clone();
        match term.kind {
            Kind::Date | Kind::DateTime | Kind::Time => Ok(term),
            _ => self.lowering.as_kind(term, Kind::Date, span),
        }
    }

    fn date_part(&mut self, name: &str) -> Result<Term, Fault> {
        self.take(1..=1)?;
        let term = self.moment()?;
        let of_time = matches!(name, "hour" | "minute" | "second");
        if (of_time && term.kind == Kind::Date) || (!of_time && term.kind == Kind::Time) {
            return Err(Fault::new(
                format!("`{name}` of {} says nothing.", term.kind.words()),
                self.span,
            ));
        }
        let expr = if name == "weekday" {
            // Day 0 is 1970-01-01, a Thursday: the fourth day of a week that begins on Monday.
            let days = cast(cast(term.expr.clone(), DataType::Date32), DataType::Int32);
            let since_monday = (days + lit(3_i32 + 7_000_000)) % lit(7_i32);
            since_monday + lit(1_i32)
        } else {
            expr_fn::date_part(lit(name), term.expr.clone())
        };
        Ok(Term::new(cast(expr, DataType::Float64), Kind::Number, &[&term]))
    }

    fn date_trunc(&mut self) -> Result<Term, Fault> {
        self.take(2..=2)?;
        let unit = self.arguments[0].0.text.clone().unwrap_or_default().to_lowercase();
        if !["year", "quarter", "month", "week", "day"].contains(&unit.as_str()) {
            let message = "`date_trunc` begins with 'year', 'quarter', 'month', 'week' or 'day'.";
            return Err(Fault::new(message, self.arguments[0].1));
        }
        let date = self.kind_of_date(1)?;
        // DataFusion's own goes through nanoseconds, which end in 2262: 9999-12-31 would fail the plan.
        let day = cast(date.expr.clone(), DataType::Date32);
        let expr = own::call(
            "date_trunc",
            own::date_trunc,
            DataType::Date32,
            None,
            vec![day, lit(unit)],
        );
        Ok(Term::new(expr, Kind::Date, &[&date]))
    }

    fn kind_of_date(&mut self, index: usize) -> Result<Term, Fault> {
        let kind = if self.arguments[index].0.kind == Kind::DateTime {
            Kind::DateTime
        } else {
            Kind::Date
        };
        self.kind(index, kind)
    }

    /// `date(year, month, day)`, or `date(x)` of a text such as 2024-01-31 or of a date with a time.
    fn date(&mut self) -> Result<Term, Fault> {
        self.take(1..=3)?;
        if self.arguments.len() == 3 {
            let (year, month, day) = (self.number_at(0)?, self.number_at(1)?, self.number_at(2)?);
            let site = self.lowering.site("no_date", "is not a date".into(), None);
            let arguments = vec![year.expr, month.expr, day.expr];
            let expr = own::call(
                "date_of_parts",
                own::date_of_parts,
                DataType::Date32,
                Some(site),
                arguments,
            );
            return Ok(Term::fallible(expr, Kind::Date));
        }
        let term = self.one()?;
        to_date(self.lowering, term, Failing::Rejects, self.span)
    }

    fn number(&mut self) -> Result<Term, Fault> {
        let term = self.one()?;
        to_number(self.lowering, term, Failing::Rejects, self.span)
    }

    /// The first argument that is something; later ones are not looked at.
    fn coalesce(&mut self) -> Result<Term, Fault> {
        self.take(1..=usize::MAX)?;
        let mut terms: Vec<Term> = self.arguments.iter().map(|(term, _)| term.clone()).collect();
        let Some(last) = terms.pop() else {
            return Err(Fault::new("`coalesce` takes arguments.", self.span));
        };
        let filled = |term: Term| {
            (
                Term::new(term.expr.clone().is_not_null(), Kind::Boolean, &[&term]),
                term,
            )
        };
        self.lowering.choose(terms.into_iter().map(filled).collect(), last)
    }

    fn nullif(&mut self) -> Result<Term, Fault> {
        self.take(2..=2)?;
        let (value, span) = self.arguments[0].clone();
        let (left, right) = equal_kinds(self.lowering, value.clone(), self.arguments[1].0.clone(), span)?;
        let equal = compare(&left, Operator::Eq, &right);
        let nothing = Term {
            kind: Kind::Blank,
            ..Term::blank(Kind::Text)
        };
        self.lowering.choose(vec![(equal, nothing)], value)
    }

    fn if_then(&mut self) -> Result<Term, Fault> {
        self.take(2..=3)?;
        let condition = self.kind(0, Kind::Boolean)?;
        let then = self.arguments[1].0.clone();
        let nothing = || Term {
            kind: Kind::Blank,
            ..Term::blank(Kind::Text)
        };
        let otherwise = self.arguments.get(2).map_or_else(nothing, |(term, _)| term.clone());
        self.lowering.choose(vec![(condition, then)], otherwise)
    }
}

/// A whole number that is raised to a bound; a blank stays one (`greatest` would take the bound in its place).
fn at_least(number: &Expr, bound: i64) -> Expr {
    when(number.clone().lt(lit(bound)), lit(bound), number.clone())
}

/// A whole number that is lowered to a bound; a blank stays one.
fn at_most(number: &Expr, bound: i64) -> Expr {
    when(number.clone().gt(lit(bound)), lit(bound), number.clone())
}

fn zero() -> Term {
    Term::new(lit(0.0), Kind::Number, &[])
}

/// What a conversion does with a value that it cannot convert.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Failing {
    /// Its row is rejected.
    Rejects,
    /// It becomes nothing.
    Blanks,
}

fn to_number(
    lowering: &mut Lowering<'_>,
    term: Term,
    failing: Failing,
    span: Option<(usize, usize)>,
) -> Result<Term, Fault> {
    match term.kind {
        Kind::Number | Kind::Blank => lowering.as_kind(term, Kind::Number, span),
        Kind::Boolean => Ok(Term::new(
            cast(term.expr.clone(), DataType::Float64),
            Kind::Number,
            &[&term],
        )),
        Kind::Text => {
            let column = term.column.filter(|_| lowering.groups.is_none());
            let site =
                (failing == Failing::Rejects).then(|| lowering.site("no_number", "is not a number".into(), column));
            let fallible = site.is_some() || term.fallible;
            let arguments = vec![term.expr];
            let expr = own::call(
                "number_of_text",
                own::number_of_text,
                DataType::Float64,
                site,
                arguments,
            );
            Ok(Term {
                fallible,
                ..Term::new(expr, Kind::Number, &[])
            })
        }
        kind => Err(Fault::new(
            format!("{} cannot be made a number here.", capital(kind.words())),
            span,
        )),
    }
}

fn to_date(
    lowering: &mut Lowering<'_>,
    term: Term,
    failing: Failing,
    span: Option<(usize, usize)>,
) -> Result<Term, Fault> {
    match term.kind {
        Kind::Date | Kind::Blank => lowering.as_kind(term, Kind::Date, span),
        Kind::DateTime => Ok(Term::new(
            cast(term.expr.clone(), DataType::Date32),
            Kind::Date,
            &[&term],
        )),
        Kind::Text => {
            let column = term.column.filter(|_| lowering.groups.is_none());
            let message = "is not a date such as 2024-01-31".to_owned();
            let site = (failing == Failing::Rejects).then(|| lowering.site("no_date", message, column));
            let fallible = site.is_some() || term.fallible;
            let expr = own::call(
                "date_of_text",
                own::date_of_text,
                DataType::Date32,
                site,
                vec![term.expr],
            );
            Ok(Term {
                fallible,
                ..Term::new(expr, Kind::Date, &[])
            })
        }
        kind => Err(Fault::new(
            format!("{} cannot be made a date here.", capital(kind.words())),
            span,
        )),
    }
}

fn capital(words: &str) -> String {
    let mut chars = words.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + chars.as_str())
        .unwrap_or_default()
}

/// `cast(x as type)`, `try_cast(x as type)`, `x::type`.
pub(super) fn cast_to(
    lowering: &mut Lowering<'_>,
    how: &CastKind,
    expr: &Ast,
    data_type: &ast::DataType,
) -> Result<Term, Fault> {
    let span = lowering.parsed.span_of(expr);
    let term = lowering.lower(expr)?;
    let failing = if matches!(how, CastKind::TryCast | CastKind::SafeCast) {
        Failing::Blanks
    } else {
        Failing::Rejects
    };
    let unknown = || {
        let message = format!(
            "`{data_type}` is not a type that is known here; there are double, integer, text, date and boolean."
        );
        Fault::new(message, span)
    };
    match kind_of_type(data_type).ok_or_else(unknown)? {
        Kind::Number => {
            let number = to_number(lowering, term, failing, span)?;
            let whole = data_type.to_string().to_lowercase().contains("int");
            let expr = if whole {
                expr_fn::trunc(vec![number.expr.clone()])
            } else {
                number.expr.clone()
            };
            Ok(Term {
                expr,
                column: None,
                mixed: false,
                ..number
            })
        }
        Kind::Text => Ok(Term {
            column: None,
            mixed: false,
            ..as_text(term)
        }),
        Kind::Date => to_date(lowering, term, failing, span),
        kind => lowering.as_kind(term, kind, span),
    }
}

/// The kind that a type of SQL stands for.
pub(super) fn kind_of_type(data_type: &ast::DataType) -> Option<Kind> {
    let name = data_type.to_string().to_lowercase();
    let word = name.split(['(', ' ']).next().unwrap_or_default();
    match word {
        "int" | "integer" | "bigint" | "smallint" | "tinyint" | "int2" | "int4" | "int8" | "float" | "double"
        | "real" | "decimal" | "numeric" | "float4" | "float8" | "float64" => Some(Kind::Number),
        "text" | "varchar" | "char" | "character" | "string" => Some(Kind::Text),
        "boolean" | "bool" => Some(Kind::Boolean),
        "date" => Some(Kind::Date),
        "timestamp" | "datetime" => Some(Kind::DateTime),
        "time" => Some(Kind::Time),
        _ => None,
    }
}
