//! `/files`: everything that was uploaded, the newest first.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::database::files::{self, File};
use crate::domain::ids::FileId;
use crate::domain::states::IngestState;
use crate::pages::chrome::Chrome;
use crate::pages::gate::SignedIn;
use crate::pages::marks::Mark;
use crate::pages::{PageError, Pages, filters};
use crate::readings::ARCHIVE;

/// Files of a page of the list.
const PAGE: usize = 50;

#[derive(Debug, Template)]
#[template(path = "files/list.html")]
struct FilesPage {
    chrome: Chrome,
    files: Vec<FileLine>,
    paged: bool,
    next: Option<FileId>,
    clock: DateTime<Utc>,
}

/// A file in a list.
#[derive(Clone, Debug)]
pub(in crate::pages) struct FileLine {
    pub(in crate::pages) id: FileId,
    pub(in crate::pages) name: String,
    pub(in crate::pages) mark: Mark,
    pub(in crate::pages) sentence: Option<String>,
    pub(in crate::pages) sheets: Option<i64>,
    pub(in crate::pages) rows: Option<i64>,
    pub(in crate::pages) bytes: i64,
    pub(in crate::pages) created_at: DateTime<Utc>,
}

impl From<File> for FileLine {
    fn from(file: File) -> Self {
        // An archive has files instead.
        let ready = file.state == IngestState::Ready && file.format != ARCHIVE;
        Self {
            id: file.id,
            name: file.name,
            mark: file.state.into(),
            sentence: file.sentence,
            sheets: ready.then_some(file.tables),
            rows: ready.then_some(file.rows),
            bytes: file.bytes,
            created_at: file.created_at,
        }
    }
}

/// Where the list goes on.
#[derive(Debug, Deserialize)]
pub(in crate::pages) struct Place {
    before: Option<FileId>,
}

/// `GET /files`
pub(in crate::pages) async fn show(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    place: web::Query<Place>,
) -> Result<HttpResponse, PageError> {
    let mut connection = pages.pool.acquire().await?;
    let mut files = files::page(&mut connection, session.user(), place.before, PAGE as i64 + 1).await?;
    let next = (files.len() > PAGE).then(|| files[PAGE - 1].id);
    files.truncate(PAGE);
    let clock = pages.clock.now();
    let page = FilesPage {
        chrome: Chrome::of(&request, &session, "files", clock),
        files: files.into_iter().map(FileLine::from).collect(),
        paged: place.before.is_some(),
        next,
        clock,
    };
    crate::pages::page(&page)
}
