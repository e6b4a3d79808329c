//! `/files/{file}/read`: a workbook is read again, in another way.

use actix_web::http::header::LOCATION;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use serde::Deserialize;
use sheetmill_engine::sheets::{HeaderOption, IngestOptions, TextOptions};

use crate::domain::ids::{FileId, RequestId};
use crate::pages::gate::{Sent, SignedIn};
use crate::pages::{PageError, Pages};
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
}

/// `POST /files/{file}/read`
pub(in crate::pages) async fn read(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    file: web::Path<FileId>,
    form: Sent<Wanted>,
) -> Result<HttpResponse, PageError> {
    let known = request.extensions().get::<RequestId>().copied();
    let sender = Sender {
        user: session.user(),
        request: known.unwrap_or_else(RequestId::new),
    };
    let options = options(&form.0)?;
    let state = pages.uploads.read_again(sender, *file, &options).await?;
    state.ok_or(PageError::NotFound)?;
    Ok(HttpResponse::SeeOther()
        .insert_header((LOCATION, format!("/files/{}", *file)))
        .finish())
}

fn options(wanted: &Wanted) -> Result<IngestOptions, PageError> {
    let row = |text: &str| {
        let row = text.trim().parse::<u32>().ok().filter(|row| *row > 0);
        row.ok_or_else(|| PageError::Wrong("Say which row the header is in: rows are counted from 1.".to_owned()))
    };
    let header = match wanted.header.as_str() {
        "none" => HeaderOption::None,
        "rows" => {
            let first = row(&wanted.first)?;
            let last = if wanted.last.trim().is_empty() {
                first
            } else {
                row(&wanted.last)?
            };
            HeaderOption::Rows(first.min(last), first.max(last))
        }
        _ => HeaderOption::Auto,
    };
    Ok(IngestOptions {
        header,
        text: TextOptions {
            encoding: Some(wanted.encoding.clone()).filter(|it| !it.is_empty()),
            delimiter: wanted.delimiter.chars().next(),
        },
    })
}
