//! `/guide/input` and `/guide/output`: what is read and what is written, with every option and examples.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use sheetmill_engine::recipe::document::{INPUT, OUTPUT, Part, PartOption};
use sheetmill_engine::recipe::guide::{self, Example, InFile};

use super::step::{TableView, simple};
use crate::pages::chrome::Chrome;
use crate::pages::gate::{Session, SignedIn};
use crate::pages::{PageError, Pages, filters};

#[derive(Debug, Template)]
#[template(path = "guide/part.html")]
struct PartPage {
    chrome: Chrome,
    part: &'static Part,
    options: Vec<OptionView>,
    examples: Vec<ExampleView>,
}

/// An option with what it depends on, in words.
#[derive(Debug)]
struct OptionView {
    option: &'static PartOption,
    only_with: Option<String>,
}

/// An example, ready to be drawn.
#[derive(Debug)]
struct ExampleView {
    example: Example,
    before: TableView,
    /// The tables after, by their names.
    after: Vec<(String, TableView)>,
    texts: Vec<(String, String)>,
    rejected: Option<TableView>,
}

/// `GET /guide/input`
pub(in crate::pages) async fn input(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, PageError> {
    page(&request, &pages, &session, &INPUT)
}

/// `GET /guide/output`
pub(in crate::pages) async fn output(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, PageError> {
    page(&request, &pages, &session, &OUTPUT)
}

fn page(
    request: &HttpRequest,
    pages: &Pages,
    session: &Session,
    part: &'static Part,
) -> Result<HttpResponse, PageError> {
    let told = guide::part_page(part).map_err(|error| PageError::Internal(format!("{}: {error}", part.name)))?;
    crate::pages::page(&PartPage {
        chrome: Chrome::of(request, session, "guide", pages.clock.now()),
        part,
        options: part.options.iter().map(option).collect(),
        examples: told.examples.into_iter().map(example).collect(),
    })
}

fn option(option: &'static PartOption) -> OptionView {
    let condition = |(with, words): &(&str, &[&str])| match words {
        [] => format!("`{with}`"),
        words => format!("`{with}`: {}", words.join(" or ")),
    };
    let conditions: Vec<String> = option.when.iter().map(condition).collect();
    OptionView {
        option,
        only_with: (!conditions.is_empty()).then(|| format!("Only with {}.", conditions.join(", or "))),
    }
}

fn example(example: Example) -> ExampleView {
    let (mut after, mut texts) = (Vec::new(), Vec::new());
    if !example.after.columns.is_empty() {
        after.push(("After".to_owned(), simple(&example.after)));
    }
    for (name, shown) in &example.files {
        match shown {
            InFile::Table(grid) => after.push((name.clone(), simple(grid))),
            InFile::Text(text) => texts.push((name.clone(), text.clone())),
        }
    }
    ExampleView {
        before: simple(&example.before),
        after,
        texts,
        rejected: example.rejected.as_ref().map(simple),
        example,
    }
}
