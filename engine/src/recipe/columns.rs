//! The columns at one point of a recipe: what steps are checked against and what plans are made for.

use super::problem::{did_you_mean, listed};
use crate::tables::{ColumnKind, TableMeta};

/// A column at one point of a recipe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// Its name; unique among the columns of that point.
    pub name: String,
    /// What its cells are.
    pub kind: ColumnKind,
    /// Its number format, where it has one that still applies.
    pub format: Option<String>,
    /// The letters of the sheet's column that its cells come from, for addresses such as `F1204`.
    pub letters: Option<String>,
}

impl Column {
    /// A column that a step makes.
    #[must_use]
    pub fn made(name: &str, kind: ColumnKind) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            format: None,
            letters: None,
        }
    }
}

/// The columns of a table as it was read.
#[must_use]
pub fn of_table(table: &TableMeta) -> Vec<Column> {
    let column = |column: &crate::tables::ColumnMeta| Column {
        name: column.name.clone(),
        kind: column.kind,
        format: column.format.clone(),
        // An expected column that the sheet does not have stands nowhere on it.
        letters: Some(column.letters.clone()).filter(|letters| !letters.is_empty()),
    };
    table.columns.iter().map(column).collect()
}

/// Where a column stands, or a sentence with the nearest name and those that are there.
pub fn find(columns: &[Column], name: &str) -> Result<usize, String> {
    columns
        .iter()
        .position(|column| column.name == name)
        .ok_or_else(|| missing(columns, name))
}

/// The sentence for a column that is not there.
#[must_use]
pub fn missing(columns: &[Column], name: &str) -> String {
    if columns.is_empty() {
        return format!("There is no column `{name}` at this point: the table has no columns.");
    }
    let names = columns.iter().map(|column| column.name.as_str());
    format!(
        "There is no column `{name}` at this point.{} The columns are {}.",
        did_you_mean(name, names.clone()),
        listed(names)
    )
}

/// What the cells of a kind are, in words: "whole numbers".
#[must_use]
pub fn kind_words(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Blank => "nothing but blanks",
        ColumnKind::Integer => "whole numbers",
        ColumnKind::Decimal => "numbers",
        ColumnKind::Boolean => "true or false",
        ColumnKind::Date => "dates",
        ColumnKind::DateTime => "dates with times",
        ColumnKind::Time => "times",
        ColumnKind::Text => "text",
        ColumnKind::Mixed => "cells of several kinds",
    }
}
