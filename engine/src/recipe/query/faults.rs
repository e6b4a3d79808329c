//! DataFusion's errors in words for people.

use arrow::error::ArrowError;
use datafusion_common::{Column, DataFusionError, SchemaError, Span};
use sqlparser::tokenizer;

use crate::recipe::expression::{Fault, Places};
use crate::recipe::plan::operator::PlanError;
use crate::recipe::problem::{did_you_mean, listed};

/// What is wrong with a query, with its place where that is known.
pub(super) fn at_the_door(error: DataFusionError, places: &Places) -> Fault {
    let span = place(&error).and_then(|span| places.span(as_parsed(span)));
    let message = match sentence(error) {
        Ok(sentence) => sentence,
        Err(error) => {
            let text = error.to_string();
            let told = text.lines().next().unwrap_or_default();
            let told = told
                .rsplit_once("Error during planning: ")
                .map_or(told, |(_, told)| told);
            format!(
                "The query cannot be carried out: {}.",
                told.trim_end_matches(['.', '!'])
            )
        }
    };
    Fault::new(message, span)
}

/// Why a query stopped.
#[must_use]
pub fn run_error(error: DataFusionError) -> PlanError {
    match own(error) {
        Ok(ours) => ours,
        Err(error) => match sentence(error) {
            Ok(sentence) => PlanError::Query(sentence),
            Err(error) => PlanError::DataFusion(error),
        },
    }
}

/// An error that came from us through DataFusion.
fn own(error: DataFusionError) -> Result<PlanError, DataFusionError> {
    match error {
        DataFusionError::External(inner) => match inner.downcast::<PlanError>() {
            Ok(ours) => Ok(*ours),
            Err(inner) => match inner.downcast::<DataFusionError>() {
                Ok(inner) => own(*inner),
                Err(inner) => Err(DataFusionError::External(inner)),
            },
        },
        DataFusionError::Context(words, inner) => {
            own(*inner).map_err(|inner| DataFusionError::Context(words, Box::new(inner)))
        }
        DataFusionError::Diagnostic(diagnostic, inner) => {
            own(*inner).map_err(|inner| DataFusionError::Diagnostic(diagnostic, Box::new(inner)))
        }
        DataFusionError::ArrowError(inner, trace) => match *inner {
            ArrowError::ExternalError(inner) => own(DataFusionError::External(inner)),
            inner => Err(DataFusionError::ArrowError(Box::new(inner), trace)),
        },
        error => Err(error),
    }
}

/// A sentence for what people can mend.
fn sentence(error: DataFusionError) -> Result<String, DataFusionError> {
    let error = match own(error) {
        Ok(PlanError::Query(sentence)) => return Ok(sentence),
        Ok(ours) => return Err(DataFusionError::External(Box::new(ours))),
        Err(error) => error,
    };
    match error.find_root() {
        DataFusionError::SchemaError(schema, _) => Ok(of_names(schema)),
        DataFusionError::ResourcesExhausted(_) => Ok(
            "The query needs more memory than it may use. Let it join or group less: take fewer columns, filter or group \
             before joining, and put the smaller table first in a join."
                .to_owned(),
        ),
        DataFusionError::ArrowError(arrow, _) => match arrow.as_ref() {
            ArrowError::CastError(told) | ArrowError::ParseError(told) => {
                Ok(format!("A value cannot be converted ({told}). With try_cast it becomes a blank."))
            }
            ArrowError::ArithmeticOverflow(told) | ArrowError::ComputeError(told) => {
                Ok(format!("A value cannot be worked out ({told})."))
            }
            ArrowError::DivideByZero => Ok("A number is divided by zero.".to_owned()),
            _ => Err(error),
        },
        DataFusionError::Plan(told) if told.contains("unique expression names") => {
            let mut names = told.split('"').skip(1).step_by(2);
            let name = names.next().and_then(|name| name.rsplit('.').next()).unwrap_or_default();
            Ok(twice(name))
        }
        DataFusionError::Execution(told) if told.contains("more than one row") || told.contains("one value") => {
            Ok("A query in parentheses that stands for one value gives several rows.".to_owned())
        }
        _ => Err(error),
    }
}

fn of_names(error: &SchemaError) -> String {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => missing(field, valid_fields),
        SchemaError::AmbiguousReference { field } => format!(
            "Several tables have a column `{0}`: write which one is meant, as in data.{0}.",
            field.name
        ),
        SchemaError::DuplicateQualifiedField { name, .. } | SchemaError::DuplicateUnqualifiedField { name } => {
            twice(name)
        }
    }
}

fn twice(name: &str) -> String {
    format!("There would be two columns called `{name}`: give one another name, with AS.")
}

fn missing(field: &Column, known: &[Column]) -> String {
    let name = &field.name;
    let mut names: Vec<&str> = known.iter().map(|column| column.name.as_str()).collect();
    names.dedup();
    let hint = did_you_mean(name, names.iter().copied());
    let known = match names.as_slice() {
        [] => String::new(),
        names => format!(" The columns are {}.", listed(names.iter().copied())),
    };
    let of = field
        .relation
        .as_ref()
        .map(|table| format!(" of `{}`", table.table()))
        .unwrap_or_default();
    format!("There is no column `{name}`{of} at this place.{hint}{known} A text stands in single quotes.")
}

fn place(error: &DataFusionError) -> Option<Span> {
    match error {
        DataFusionError::Diagnostic(diagnostic, inner) => diagnostic.span.or_else(|| place(inner)),
        DataFusionError::Context(_, inner) => place(inner),
        DataFusionError::Collection(all) => all.iter().find_map(place),
        _ => None,
    }
}

fn as_parsed(span: Span) -> tokenizer::Span {
    let location = |it: datafusion_common::Location| tokenizer::Location {
        line: it.line,
        column: it.column,
    };
    tokenizer::Span {
        start: location(span.start),
        end: location(span.end),
    }
}
