//! `/guide/{step}`: what a step does, its options, and examples with the tables before and after.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use sheetmill_engine::recipe::guide::{self, Changes, Example, Grid, RowChange};
use sheetmill_engine::recipe::steps::{Definition, ONLY_WITH, OptionForm, definition};

use crate::pages::chrome::Chrome;
use crate::pages::gate::SignedIn;
use crate::pages::{PageError, Pages, filters};

#[derive(Debug, Template)]
#[template(path = "guide/step.html")]
struct StepPage {
    chrome: Chrome,
    step: &'static Definition,
    group: &'static str,
    options: Vec<OptionView>,
    examples: Vec<ExampleView>,
    related: Vec<&'static Definition>,
}

/// An option in words.
#[derive(Debug)]
struct OptionView {
    form: &'static OptionForm,
    kind: &'static str,
    choices: &'static [&'static str],
    only_with: Option<String>,
}

/// An example, ready to be drawn.
#[derive(Debug)]
struct ExampleView {
    example: Example,
    before: TableView,
    others: Vec<(String, TableView)>,
    after: TableView,
    rejected: Option<TableView>,
}

/// A small table.
#[derive(Debug, Default)]
pub(super) struct TableView {
    pub(super) columns: Vec<(String, bool)>,
    pub(super) rows: Vec<RowView>,
    /// Whether the rows have numbers as in Excel.
    pub(super) numbered: bool,
}

/// A row of it.
#[derive(Debug)]
pub(super) struct RowView {
    pub(super) number: usize,
    pub(super) fate: &'static str,
    pub(super) cells: Vec<CellView>,
}

/// A cell: runs of its text, each with whether it is blanks that would not be seen; and whether the step changed it.
#[derive(Debug)]
pub(super) struct CellView {
    pub(super) runs: Vec<(String, bool)>,
    pub(super) changed: bool,
    pub(super) number: bool,
}

/// `GET /guide/{step}`
pub(in crate::pages) async fn show(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    name: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    let step = definition(&name).ok_or(PageError::NotFound)?;
    let told = guide::page(step).map_err(|error| PageError::Internal(format!("{}: {error}", step.name)))?;
    crate::pages::page(&StepPage {
        chrome: Chrome::of(&request, &session, "guide", pages.clock.now()),
        step,
        group: guide::text_of(step.name).map_or("", |(group, _)| group),
        options: step.options.iter().map(|form| option(step, form)).collect(),
        examples: told.examples.into_iter().map(example).collect(),
        related: told.related.iter().filter_map(|name| definition(name)).collect(),
    })
}

fn option(step: &'static Definition, form: &'static OptionForm) -> OptionView {
    let only = ONLY_WITH
        .iter()
        .find(|only| only.step == step.name && only.option == form.name);
    OptionView {
        form,
        kind: form.kind.words(),
        choices: form.kind.choices(),
        only_with: only.map(|only| format!("Only with `{}`: {}.", only.with, only.words.join(" or "))),
    }
}

fn example(example: Example) -> ExampleView {
    let changes = Changes::of(&example);
    let plain = |grid: &Grid| vec![vec![false; grid.columns.len()]; grid.rows.len()];
    let fates: Vec<&str> = changes.before.iter().map(|change| fate(*change)).collect();
    let new = &changes.new_columns;
    let all_new = new.iter().all(|new| *new);
    let is_new = |column: usize| !all_new && new.get(column).copied().unwrap_or_default();
    let mut before = table(&example.before, &|_| false, &plain(&example.before), &fates);
    before.numbered = true;
    ExampleView {
        before,
        others: example
            .others
            .iter()
            .map(|(name, grid)| (name.clone(), simple(grid)))
            .collect(),
        after: table(&example.after, &is_new, &changes.after, &[]),
        rejected: example.rejected.as_ref().map(simple),
        example,
    }
}

/// A table without anything marked.
pub(super) fn simple(grid: &Grid) -> TableView {
    table(grid, &|_| false, &[], &[])
}

fn fate(change: RowChange) -> &'static str {
    match change {
        RowChange::Stays => "",
        RowChange::Gone => "gone",
        RowChange::Rejected => "rejected",
    }
}

fn table(grid: &Grid, is_new: &dyn Fn(usize) -> bool, changed: &[Vec<bool>], fates: &[&'static str]) -> TableView {
    let columns = grid.columns.iter().enumerate();
    let cell = |row: usize, (column, text): (usize, &String)| CellView {
        runs: runs(text),
        changed: changed
            .get(row)
            .and_then(|row| row.get(column))
            .copied()
            .unwrap_or_default(),
        number: !text.is_empty()
            && text
                .chars()
                .all(|sign| sign.is_ascii_digit() || matches!(sign, '.' | '-')),
    };
    let rows = grid.rows.iter().enumerate().map(|(row, cells)| RowView {
        number: row + 2,
        fate: fates.get(row).copied().unwrap_or_default(),
        cells: cells.iter().enumerate().map(|it| cell(row, it)).collect(),
    });
    TableView {
        columns: columns.map(|(at, name)| (name.clone(), is_new(at))).collect(),
        rows: rows.collect(),
        numbered: false,
    }
}

/// A text in runs: blanks that a reader would not see, at its ends, several in a row, or odd ones, stand for themselves.
fn runs(text: &str) -> Vec<(String, bool)> {
    let signs: Vec<char> = text.chars().collect();
    let first = signs
        .iter()
        .position(|sign| !sign.is_whitespace())
        .unwrap_or(signs.len());
    let last = signs.iter().rposition(|sign| !sign.is_whitespace()).unwrap_or(0);
    let is_blank = |at: usize| signs.get(at).is_some_and(|sign| sign.is_whitespace());
    let beside = |at: usize| (at > 0 && is_blank(at - 1)) || is_blank(at + 1);
    let mut runs: Vec<(String, bool)> = Vec::new();
    for (at, sign) in signs.iter().enumerate() {
        let hidden = sign.is_whitespace() && (*sign != ' ' || at < first || at > last || beside(at));
        let shown = if hidden { '·' } else { *sign };
        match runs.last_mut() {
            Some((run, same)) if *same == hidden => run.push(shown),
            _ => runs.push((shown.to_string(), hidden)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_that_are_not_seen_are_shown() {
        let shown = |text: &str| runs(text).into_iter().map(|(run, _)| run).collect::<String>();
        assert_eq!(shown("a b"), "a b");
        assert_eq!(shown(" a  b\u{a0}c "), "·a··b·c·");
        assert_eq!(shown(""), "");
        assert_eq!(runs(" a"), [("·".to_owned(), true), ("a".to_owned(), false)]);
    }
}
