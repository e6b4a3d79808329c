//! `/runs/{run}/files/{file}/rows`: the rows of a result, and beside them where one of them comes from.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use sheetmill_engine::order::{ResultRow, ResultsAnswer};

use super::trace;
use crate::domain::ids::{FileId, RunId, UserId};
use crate::pages::chrome::Chrome;
use crate::pages::gate::SignedIn;
use crate::pages::{PageError, Pages, filters};
use crate::preview::{ResultOf, RowOf};

/// Rows of a page.
const ROWS: u64 = 100;

#[derive(Debug, Template)]
#[template(path = "runs/rows.html")]
struct RowsPage {
    chrome: Chrome,
    run: RunId,
    file: FileId,
    name: String,
    tabs: Vec<Tab>,
    sheet: String,
    columns: Vec<String>,
    rows: Vec<Row>,
    /// Whether the result is split by a column.
    split: bool,
    /// The row that is told of.
    here: Option<u64>,
    panel: Option<String>,
    previous: Option<String>,
    next: Option<String>,
}

/// A sheet of whose rows there are some.
#[derive(Debug)]
struct Tab {
    name: String,
    href: String,
    here: bool,
}

#[derive(Debug)]
struct Row {
    number: u64,
    part: Option<(String, u64)>,
    source: u64,
    href: String,
    /// Where a script finds what is told of it.
    panel: String,
    cells: Vec<sheetmill_engine::order::AnswerCell>,
}

/// What of the result is looked at.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::pages) struct Look {
    sheet: Option<String>,
    /// The first row that is shown, from 1.
    from: Option<u64>,
    /// The row that is told of, from 1.
    row: Option<u64>,
    follow: Option<u32>,
}

impl Look {
    /// The first row that is shown, from 0.
    fn offset(&self) -> u64 {
        match (self.from, self.row) {
            (Some(from), _) => from.saturating_sub(1),
            (None, Some(row)) => row.saturating_sub(1) / ROWS * ROWS,
            (None, None) => 0,
        }
    }
}

/// `GET /runs/{run}/files/{file}/rows`
pub(in crate::pages) async fn show(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    path: web::Path<(RunId, FileId)>,
    look: web::Query<Look>,
) -> Result<HttpResponse, PageError> {
    let (run, file) = *path;
    let of = result_of(&pages, session.user(), (run, file)).await?;
    let offset = look.offset();
    let window = (offset, usize::try_from(ROWS).unwrap_or_default());
    let answer = pages.previews.results(of.clone(), look.sheet.clone(), window).await?;
    let place = Place {
        run,
        file,
        sheet: answer.sheet.clone(),
    };
    let panel = match look.row {
        None => None,
        Some(row) => {
            let wanted = RowOf {
                sheet: look.sheet.clone(),
                row,
                follow: look.follow,
                ..RowOf::default()
            };
            Some(trace::panel(&pages, session.user(), (of.clone(), wanted), &place).await?)
        }
    };
    let chrome = Chrome::of(&request, &session, "runs", pages.clock.now());
    crate::pages::page(&page(chrome, (of.name, answer, panel), &place, (&look, offset)))
}

/// What made the result of a file, where that is somebody's.
pub(super) async fn result_of(
    pages: &Pages,
    user: UserId,
    (run, file): (RunId, FileId),
) -> Result<ResultOf, PageError> {
    let mut connection = pages.pool.acquire().await?;
    let found = ResultOf::find(&mut connection, user, run, file).await?;
    found.ok_or(PageError::NotFound)
}

/// Where rows of a result are.
#[derive(Clone, Debug)]
pub(in crate::pages) struct Place {
    pub(super) run: RunId,
    pub(super) file: FileId,
    pub(super) sheet: String,
}

impl Place {
    /// The page, with a query.
    pub(super) fn page(&self, more: &[(&str, String)]) -> String {
        format!("/runs/{}/files/{}/rows?{}", self.run, self.file, self.query(more))
    }

    /// What a script asks for to tell of a row.
    pub(super) fn panel(&self, row: u64, more: &[(&str, String)]) -> String {
        format!("/runs/{}/files/{}/rows/{row}?{}", self.run, self.file, self.query(more))
    }

    fn query(&self, more: &[(&str, String)]) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("sheet", &self.sheet);
        for (name, value) in more {
            query.append_pair(name, value);
        }
        query.finish()
    }
}

/// The page of a file's result, with the panel where one is asked for.
type Shown = (String, ResultsAnswer, Option<String>);

fn page(chrome: Chrome, (name, answer, panel): Shown, place: &Place, (look, offset): (&Look, u64)) -> RowsPage {
    let from = |from: u64| place.page(&[("from", (from + 1).to_string())]);
    let next = answer.rows.last().filter(|_| answer.more).map(|row| from(row.number));
    let tab = |name: &String| Tab {
        href: Place {
            sheet: name.clone(),
            ..place.clone()
        }
        .page(&[]),
        here: *name == answer.sheet,
        name: name.clone(),
    };
    RowsPage {
        chrome,
        run: place.run,
        file: place.file,
        name,
        tabs: answer.sheets.iter().map(tab).collect(),
        sheet: answer.sheet.clone(),
        columns: answer.columns.iter().map(|column| column.name.clone()).collect(),
        split: answer.rows.iter().any(|row| row.part.is_some()),
        rows: answer.rows.into_iter().map(|it| row(it, place, offset)).collect(),
        here: look.row,
        panel,
        previous: (offset > 0).then(|| from(offset.saturating_sub(ROWS))),
        next,
    }
}

fn row(row: ResultRow, place: &Place, offset: u64) -> Row {
    let (number, from) = (("row", row.number.to_string()), ("from", (offset + 1).to_string()));
    Row {
        number: row.number,
        part: row.part.map(|part| (part.name, part.row)),
        source: row.row.row,
        href: format!("{}#trace", place.page(&[from, number])),
        panel: place.panel(row.number, &[]),
        cells: row.row.cells,
    }
}
