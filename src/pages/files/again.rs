//! `/files/{file}/read`: a workbook is read again, in another way.

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use sheetmill_engine::order::PeekAnswer;
use sheetmill_engine::sheets::{HeaderOption, Hidden, IngestOptions, Merged, TextOptions};

use super::workbook::read_as;
use crate::database::files;
use crate::domain::ids::FileId;
use crate::pages::gate::{self, Sent, SignedIn};
use crate::pages::{PageError, Pages};
use crate::preview::PeekOf;
use crate::upload::Sender;

/// The form.
#[derive(Debug, Deserialize)]
pub(in crate::pages) struct Wanted {
    /// `none`, `rows`, or anything else: found by itself.
    #[serde(default)]
    header: String,
    /// The first row of the header, and the last where it has several.
    #[serde(default)]
    first: String,
    #[serde(default)]
    last: String,
    /// Of plain text; empty: found out.
    #[serde(default)]
    encoding: String,
    #[serde(default)]
    delimiter: String,
    /// `fill`, or anything else: kept.
    #[serde(default)]
    merged: String,
    /// `leave_out`, or anything else: read.
    #[serde(default)]
    hidden: String,
    /// Which sheet is looked at, for a look beforehand.
    #[serde(default)]
    sheet: String,
}

/// `POST /files/{file}/read`
pub(in crate::pages) async fn read(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    file: web::Path<FileId>,
    form: Sent<Wanted>,
) -> Result<HttpResponse, PageError> {
    let sender = Sender {
        user: session.user(),
        request: gate::asked_by(&request),
    };
    let options = form.0.options()?;
    let state = pages.uploads.read_again(sender, *file, &options).await?;
    state.ok_or(PageError::NotFound)?;
    Ok(HttpResponse::SeeOther()
        .insert_header((LOCATION, format!("/files/{}", *file)))
        .finish())
}

/// Rows that are shown beforehand.
const ROWS: usize = 12;

/// How a sheet would be read.
#[derive(Debug, Template)]
#[template(path = "files/_peek.html")]
struct Peek {
    answer: PeekAnswer,
    read_as: Option<String>,
}

impl Peek {
    fn is_header(&self, row: &u32) -> bool {
        self.answer
            .header
            .is_some_and(|(first, last)| (first..=last).contains(row))
    }

    /// Columns behind a row's last filled cell.
    fn rest(&self, cells: &[String]) -> usize {
        self.answer.letters.len().saturating_sub(cells.len())
    }

    fn is_above(&self, row: &u32) -> bool {
        self.answer.header.is_some_and(|(first, _)| *row < first)
    }
}

/// `GET /files/{file}/peek?…`: the first rows as they would be read.
pub(in crate::pages) async fn peek(
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    file: web::Path<FileId>,
    wanted: web::Query<Wanted>,
) -> Result<HttpResponse, PageError> {
    let mut connection = pages.pool.acquire().await?;
    let file = files::find(&mut connection, session.user(), *file)
        .await?
        .ok_or(PageError::NotFound)?;
    drop(connection);
    let of = PeekOf {
        blob: file.sha256,
        name: file.name,
        options: wanted.options()?,
        position: wanted.sheet.parse().unwrap_or_default(),
        rows: ROWS,
    };
    let answer = pages.previews.peek(of).await?;
    let read_as = answer.text.as_ref().map(read_as);
    let html = Peek { answer, read_as }.render()?;
    Ok(HttpResponse::Ok().content_type("text/html; charset=utf-8").body(html))
}

impl Wanted {
    fn options(&self) -> Result<IngestOptions, PageError> {
        let row = |text: &str| {
            let row = text.trim().parse::<u32>().ok().filter(|row| *row > 0);
            row.ok_or_else(|| PageError::Wrong("Say which row the header is in: rows are counted from 1.".to_owned()))
        };
        let header = match self.header.as_str() {
            "none" => HeaderOption::None,
            "rows" => {
                let first = row(&self.first)?;
                let last = if self.last.trim().is_empty() {
                    first
                } else {
                    row(&self.last)?
                };
                HeaderOption::Rows(first.min(last), first.max(last))
            }
            _ => HeaderOption::Auto,
        };
        Ok(IngestOptions {
            header,
            merged: if self.merged == "fill" {
                Merged::Fill
            } else {
                Merged::Keep
            },
            hidden: if self.hidden == "leave_out" {
                Hidden::LeaveOut
            } else {
                Hidden::Read
            },
            text: TextOptions {
                encoding: Some(self.encoding.clone()).filter(|it| !it.is_empty()),
                delimiter: self.delimiter.chars().next(),
            },
        })
    }
}
