//! A workbook while it is read: how far each sheet has come, live.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::database::files::{self, File};
use crate::domain::ids::{FileId, UserId};
use crate::domain::progress::Progress;
use crate::events::Heard;
use crate::pages::gate::SignedIn;
use crate::pages::live::{self, Fragment, Live, Snapshot};
use crate::pages::marks::Mark;
use crate::pages::progress::{self, Work};
use crate::pages::{PageError, Pages, filters};

#[derive(Debug, Template)]
#[template(path = "files/_reading.html")]
struct Reading<'a> {
    mark: Mark,
    doing: String,
    share: Option<u32>,
    left: String,
    progress: Option<&'a Progress>,
}

/// The fragment for a file that is not read yet.
pub(super) fn fragment(file: &File, least: u32) -> Result<(String, Option<u32>), PageError> {
    let progress = file.progress.as_deref();
    let shown = progress::shown(progress, Work::Reading);
    // A second attempt starts over; what people see never runs backwards.
    let share = shown.share.map(|share| share.max(least));
    let fragment = Reading {
        mark: file.state.into(),
        doing: shown.doing,
        share,
        left: shown.left,
        progress,
    };
    Ok((fragment.render()?, share))
}

/// `GET /files/{file}/live`
pub(in crate::pages) async fn live(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    file: web::Path<FileId>,
) -> Result<HttpResponse, PageError> {
    let page = OneFile {
        pages: pages.clone(),
        user: session.user(),
        file: *file,
        most: 0,
    };
    live::stream(&request, &pages, &session, page).await
}

struct OneFile {
    pages: web::Data<Pages>,
    user: UserId,
    file: FileId,
    most: u32,
}

impl Live for OneFile {
    fn concerns(&self, heard: &Heard) -> bool {
        match heard {
            // Files of the same content share one reading, whose events name the first.
            Heard::Event(told) => told.event.file.is_some() && told.event.run.is_none(),
            Heard::Progress(told) => told.files.contains(&self.file),
            Heard::Gap => true,
        }
    }

    async fn snapshot(&mut self) -> Result<Snapshot, PageError> {
        let mut connection = self.pages.pool.acquire().await?;
        let file = files::find(&mut connection, self.user, self.file)
            .await?
            .ok_or(PageError::NotFound)?;
        drop(connection);
        if file.state.is_final() {
            return Ok(Snapshot {
                reload: true,
                ..Snapshot::default()
            });
        }
        let (html, share) = fragment(&file, self.most)?;
        self.most = share.unwrap_or(self.most);
        Ok(Snapshot {
            fragments: vec![Fragment { id: "reading", html }],
            ..Snapshot::default()
        })
    }
}
