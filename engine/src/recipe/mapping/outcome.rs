//! A table under the names that the recipe expects, and what is told of that.

use std::collections::{HashMap, HashSet};

use super::{ColumnMatch, How, SheetColumns, layout, percent};
use crate::recipe::document::{Input, Others};
use crate::recipe::problem::listed;
use crate::tables::{ColumnMeta, Issue, TableMeta};

/// Columns that are missed in one sentence; more would not be read.
const MISSED: usize = 5;

/// A table whose columns have the names that a recipe expects.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapped {
    /// The table: columns stand as they stood, and expected ones that are not there stand behind them, blank.
    pub meta: TableMeta,
    /// What became of the expected columns.
    pub columns: SheetColumns,
    /// What people should know of it.
    pub issues: Vec<Issue>,
}

/// Why a table does not have the columns that a recipe requires.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unfit {
    /// A sentence or a few, without the names of file and sheet.
    pub sentence: String,
    /// What became of the expected columns, as far as that was found out.
    pub columns: SheetColumns,
}

pub(super) fn mapped(input: &Input, meta: &TableMeta, columns: Vec<ColumnMatch>) -> Result<Mapped, Unfit> {
    let missed = missed(input, meta, &columns);
    let columns = SheetColumns {
        sheet: meta.sheet.clone(),
        layout: layout(meta.columns.iter().map(|column| column.name.as_str())),
        columns,
    };
    if let Some(sentence) = missed {
        return Err(Unfit { sentence, columns });
    }
    let found = &columns.columns;
    let mut issues: Vec<Issue> = found.iter().filter_map(|column| issue(&meta.sheet, column)).collect();
    Ok(Mapped {
        meta: renamed(input, meta, found, &mut issues),
        columns,
        issues,
    })
}

/// The sentence for required columns that are not there.
fn missed(input: &Input, meta: &TableMeta, columns: &[ColumnMatch]) -> Option<String> {
    let expected = input.columns.iter().zip(columns);
    let missing: Vec<&ColumnMatch> = expected
        .filter(|(expected, found)| expected.required && found.header.is_none())
        .map(|(_, found)| found)
        .collect();
    if missing.is_empty() {
        return None;
    }
    let sentence = |column: &&ColumnMatch| match column.how {
        How::Tied => format!(
            "Several columns could be `{}`: {}. Choose which one it is.",
            column.expected,
            of_nearest(column)
        ),
        _ if column.nearest.is_empty() => format!("No column is `{}`, which the recipe requires.", column.expected),
        _ => format!(
            "No column is `{}`, which the recipe requires. The nearest: {}.",
            column.expected,
            of_nearest(column)
        ),
    };
    let mut sentences: Vec<String> = missing.iter().take(MISSED).map(sentence).collect();
    if missing.len() > MISSED {
        sentences.push(format!("{} more are missing.", missing.len() - MISSED));
    }
    if missing.iter().any(|column| column.nearest.is_empty()) {
        let headers = meta.columns.iter().map(|column| column.name.as_str());
        sentences.push(format!("The columns are {}.", listed(headers)));
    }
    Some(sentences.join(" "))
}

/// "`Mail` (62 % alike), `Mailing` (55 % alike)"
fn of_nearest(column: &ColumnMatch) -> String {
    let near = |near: &super::Near| match column.how {
        How::Tied => format!("`{}`", near.header),
        _ => format!("`{}` ({} alike)", near.header, percent(near.score)),
    };
    column.nearest.iter().map(near).collect::<Vec<_>>().join(", ")
}

fn issue(sheet: &str, column: &ColumnMatch) -> Option<Issue> {
    let name = &column.expected;
    let (code, sentence) = match (column.how, &column.header) {
        (How::Fuzzy, Some(header)) => (
            "column_by_likeness",
            format!("Sheet “{sheet}”: `{header}` is taken for `{name}`, {}.", column.words()),
        ),
        (How::Tied, _) => (
            "column_unclear",
            format!(
                "Sheet “{sheet}”: several columns could be `{name}`: {}. None is taken, and `{name}` is blank.",
                of_nearest(column)
            ),
        ),
        (How::Missing, _) if column.nearest.is_empty() => (
            "column_missing",
            format!("Sheet “{sheet}” has no column `{name}`; it is blank."),
        ),
        (How::Missing, _) => (
            "column_missing",
            format!(
                "Sheet “{sheet}” has no column `{name}`; it is blank. Did you mean {}?",
                of_nearest(column)
            ),
        ),
        _ => return None,
    };
    Some(told(code, sentence))
}

fn told(code: &str, sentence: String) -> Issue {
    Issue {
        code: code.to_owned(),
        sentence,
        count: 1,
        examples: Vec::new(),
    }
}

fn renamed(input: &Input, meta: &TableMeta, columns: &[ColumnMatch], issues: &mut Vec<Issue>) -> TableMeta {
    let expected_of: HashMap<&str, &str> = columns
        .iter()
        .filter_map(|column| Some((column.header.as_deref()?, column.expected.as_str())))
        .collect();
    let mut taken: HashSet<String> = columns.iter().map(|column| column.expected.clone()).collect();
    taken.extend(meta.columns.iter().map(|column| column.name.clone()));
    let is_expected: HashSet<&str> = columns.iter().map(|column| column.expected.as_str()).collect();
    let mut after = Vec::with_capacity(meta.columns.len());
    for column in &meta.columns {
        let name = match expected_of.get(column.name.as_str()) {
            Some(expected) => (*expected).to_owned(),
            None if input.others == Others::Drop => continue,
            // Another column is the expected one of this name.
            None if is_expected.contains(column.name.as_str()) => {
                let fresh = fresh(&column.name, &mut taken);
                let (sheet, name) = (&meta.sheet, &column.name);
                let sentence = format!(
                    "Sheet “{sheet}”: its own column `{name}` is called `{fresh}`, since another one is `{name}`."
                );
                issues.push(told("column_renamed", sentence));
                fresh
            }
            None => column.name.clone(),
        };
        after.push(ColumnMeta { name, ..column.clone() });
    }
    let blank = columns
        .iter()
        .filter(|column| column.header.is_none())
        .map(|column| ColumnMeta {
            name: column.expected.clone(),
            ..ColumnMeta::default()
        });
    after.extend(blank);
    TableMeta {
        columns: after,
        ..meta.clone()
    }
}

/// The name with the first number behind it that no column has.
fn fresh(name: &str, taken: &mut HashSet<String>) -> String {
    let mut numbered = (2_u32..).map(|number| format!("{name} {number}"));
    let fresh = numbered.find(|name| !taken.contains(name)).unwrap_or_default();
    taken.insert(fresh.clone());
    fresh
}
