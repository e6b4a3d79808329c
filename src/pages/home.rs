//! `/`: where files arrive, what happens now, what was there last.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};

use super::chrome::Chrome;
use super::files::list::FileLine;
use super::gate::SignedIn;
use super::live::{self, Fragment, Live, Snapshot};
use super::progress::{self, Work};
use super::recipes::library::{self, Ready};
use super::runs::list::RunLine;
use super::{PageError, Pages, filters};
use crate::database::files::File;
use crate::database::recipes::{self, RecipeInList};
use crate::database::runs::RunRow;
use crate::database::{files, runs};
use crate::domain::ids::UserId;
use crate::events::Heard;

/// The newest of each kind that the page shows.
const SHOWN: i64 = 8;

#[derive(Debug, Template)]
#[template(path = "home.html")]
struct HomePage {
    chrome: Chrome,
    limit: u64,
    now: Vec<NowLine>,
    files: Vec<FileLine>,
    recipes: Vec<RecipeInList>,
    runs: Vec<RunLine>,
    /// Ready recipes, for who has nothing yet.
    library: &'static [Ready],
    clock: DateTime<Utc>,
}

#[derive(Debug, Template)]
#[template(path = "_now.html")]
struct NowFragment<'a> {
    now: &'a [NowLine],
}

#[derive(Debug, Template)]
#[template(path = "_recent.html")]
struct RecentFragment<'a> {
    files: &'a [FileLine],
    recipes: &'a [RecipeInList],
    runs: &'a [RunLine],
    clock: DateTime<Utc>,
}

/// Something that is going on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct NowLine {
    id: String,
    href: String,
    name: String,
    doing: String,
    share: Option<u32>,
    left: String,
}

/// What the page shows, as the database has it.
struct Shown {
    now: Vec<NowLine>,
    files: Vec<FileLine>,
    recipes: Vec<RecipeInList>,
    runs: Vec<RunLine>,
}

/// `GET /`
pub(super) async fn show(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, PageError> {
    let Shown {
        now,
        files,
        recipes,
        runs,
    } = load(&pages, session.user()).await?;
    let clock = pages.clock.now();
    let chrome = Chrome::of(&request, &session, "home", clock);
    let page = HomePage {
        chrome,
        limit: pages.settings.upload_bytes,
        now,
        library: if files.is_empty() && recipes.is_empty() {
            library::all()
        } else {
            &[]
        },
        files,
        recipes,
        runs,
        clock,
    };
    super::page(&page)
}

/// `GET /live`
pub(super) async fn live(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, PageError> {
    live::stream(
        &request,
        &pages,
        &session,
        Home {
            pages: pages.clone(),
            user: session.user(),
        },
    )
    .await
}

struct Home {
    pages: web::Data<Pages>,
    user: UserId,
}

impl Live for Home {
    fn concerns(&self, heard: &Heard) -> bool {
        match heard {
            Heard::Event(told) => told.event.owner == Some(self.user),
            Heard::Progress(told) => told.owner == self.user,
            Heard::Gap => true,
        }
    }

    async fn snapshot(&mut self) -> Result<Snapshot, PageError> {
        let shown = load(&self.pages, self.user).await?;
        let Shown {
            now,
            files,
            recipes,
            runs,
        } = &shown;
        let now = NowFragment { now }.render()?;
        let recent = RecentFragment {
            files,
            recipes,
            runs,
            clock: self.pages.clock.now(),
        }
        .render()?;
        let fragments = vec![
            Fragment { id: "now", html: now },
            Fragment {
                id: "recent",
                html: recent,
            },
        ];
        Ok(Snapshot {
            fragments,
            ..Snapshot::default()
        })
    }
}

async fn load(pages: &Pages, user: UserId) -> Result<Shown, PageError> {
    let mut connection = pages.pool.acquire().await?;
    let files = files::page(&mut connection, user, None, SHOWN).await?;
    let runs = runs::list(&mut connection, user, None, None, SHOWN).await?;
    let recipes = recipes::list(&mut connection, user, None, SHOWN).await?;
    let now = files
        .iter()
        .filter_map(reading)
        .chain(runs.iter().filter_map(running))
        .collect();
    Ok(Shown {
        now,
        files: files.into_iter().map(FileLine::from).collect(),
        recipes,
        runs: runs.into_iter().map(RunLine::from).collect(),
    })
}

fn reading(file: &File) -> Option<NowLine> {
    if file.state.is_final() {
        return None;
    }
    let shown = progress::shown(file.progress.as_deref(), Work::Reading);
    Some(NowLine {
        id: file.id.to_string(),
        href: format!("/files/{}", file.id),
        name: file.name.clone(),
        doing: shown.doing,
        share: shown.share,
        left: shown.left,
    })
}

fn running(run: &RunRow) -> Option<NowLine> {
    if run.state.is_final() {
        return None;
    }
    let done = run.files - i64::from(run.remaining);
    Some(NowLine {
        id: run.id.to_string(),
        href: format!("/runs/{}", run.id),
        name: run.name.clone(),
        doing: format!("{} of {}", filters::grouped(done.into()), files_of(run.files)),
        share: u32::try_from(done * 1000 / run.files.max(1)).ok(),
        left: String::new(),
    })
}

fn files_of(files: i64) -> String {
    format!(
        "{} {}",
        filters::grouped(files.into()),
        if files == 1 { "file" } else { "files" }
    )
}
