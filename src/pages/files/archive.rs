//! An archive: the files that its members became, and what was not taken. Live, since they are still being read.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};

use super::list::FileLine;
use crate::database::{files, members};
use crate::domain::ids::{FileId, UserId};
use crate::events::Heard;
use crate::pages::gate::SignedIn;
use crate::pages::live::{self, Fragment, Live, Snapshot};
use crate::pages::{PageError, Pages, filters};

/// Files of it that are listed; the list of all files has the rest.
const MOST: usize = 500;

#[derive(Debug, Template)]
#[template(path = "files/_members.html")]
struct Members {
    files: Vec<FileLine>,
    more: usize,
    refused: Vec<Refused>,
    clock: DateTime<Utc>,
}

/// A member that is not taken.
#[derive(Debug)]
struct Refused {
    name: String,
    sentence: String,
}

/// The fragment with the files of an archive.
pub(super) async fn fragment(pages: &Pages, user: UserId, archive: FileId) -> Result<String, PageError> {
    let mut connection = pages.pool.acquire().await?;
    let file = files::find(&mut connection, user, archive)
        .await?
        .ok_or(PageError::NotFound)?;
    let taken = files::of_archive(&mut connection, user, archive).await?;
    let all = members::of(&mut connection, file.ingest).await?;
    drop(connection);
    let refused = all.into_iter().filter_map(|it| {
        Some(Refused {
            name: it.name,
            sentence: it.sentence?,
        })
    });
    let fragment = Members {
        more: taken.len().saturating_sub(MOST),
        files: taken.into_iter().take(MOST).map(FileLine::from).collect(),
        refused: refused.collect(),
        clock: pages.clock.now(),
    };
    Ok(fragment.render()?)
}

/// `GET /files/{file}/members/live`
pub(in crate::pages) async fn live(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    file: web::Path<FileId>,
) -> Result<HttpResponse, PageError> {
    let page = Archive {
        pages: pages.clone(),
        user: session.user(),
        file: *file,
    };
    live::stream(&request, &pages, &session, page).await
}

struct Archive {
    pages: web::Data<Pages>,
    user: UserId,
    file: FileId,
}

impl Live for Archive {
    fn concerns(&self, heard: &Heard) -> bool {
        match heard {
            Heard::Event(told) => told.event.file.is_some() && told.event.run.is_none(),
            Heard::Progress(_) => false,
            Heard::Gap => true,
        }
    }

    async fn snapshot(&mut self) -> Result<Snapshot, PageError> {
        let html = fragment(&self.pages, self.user, self.file).await?;
        Ok(Snapshot {
            fragments: vec![Fragment { id: "members", html }],
            ..Snapshot::default()
        })
    }
}
