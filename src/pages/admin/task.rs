//! `/admin/tasks/{task}`: one task, read from top to bottom as its life; retry and cancel.

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};

use super::tasks::{doing, work};
use crate::database::attempts::{self, AttemptRow};
use crate::database::tasks::{self, TaskRow};
use crate::domain::ids::{RequestId, TaskId};
use crate::domain::states::{AttemptState, TaskKind, TaskState};
use crate::events::Heard;
use crate::pages::chrome::Chrome;
use crate::pages::files::column::Fact;
use crate::pages::gate::{self, Admin, Sent};
use crate::pages::live::{self, Fragment, Live, Snapshot};
use crate::pages::marks::Mark;
use crate::pages::{PageError, Pages, filters, progress};
use crate::runs;

#[derive(Debug, Template)]
#[template(path = "admin/task.html")]
struct TaskPage {
    chrome: Chrome,
    id: TaskId,
    kind: TaskKind,
    subject: String,
    queue: String,
    owner: String,
    can_retry: bool,
    can_cancel: bool,
    life: String,
}

#[derive(Debug, Template)]
#[template(path = "admin/_life.html")]
struct LifeFragment {
    mark: Mark,
    reason: Option<String>,
    sentence: Option<String>,
    reference: Option<RequestId>,
    running: bool,
    share: Option<u32>,
    doing: String,
    facts: Vec<Fact>,
    links: Vec<(&'static str, String, String)>,
    times: Vec<(&'static str, DateTime<Utc>)>,
    attempts: Vec<Attempt>,
    clock: DateTime<Utc>,
}

#[derive(Debug)]
struct Attempt {
    number: i32,
    mark: Mark,
    worker: String,
    started_at: DateTime<Utc>,
    took: Option<String>,
    rows: Option<i64>,
    peak_memory: Option<i64>,
    sentence: Option<String>,
    detail: Option<String>,
    log: Option<String>,
}

/// `GET /admin/tasks/{task}`
pub(in crate::pages) async fn show(
    request: HttpRequest,
    pages: web::Data<Pages>,
    Admin(session): Admin,
    task: web::Path<TaskId>,
) -> Result<HttpResponse, PageError> {
    let (task, life) = load(&pages, *task).await?;
    let page = TaskPage {
        chrome: Chrome::of(&request, &session, "admin", pages.clock.now()),
        id: task.id,
        kind: task.kind,
        can_retry: matches!(task.state, TaskState::Failed | TaskState::Cancelled),
        can_cancel: !task.state.is_final() && task.cancel_requested_at.is_none(),
        subject: task.name.unwrap_or_else(|| "a removed file".to_owned()),
        queue: task.queue,
        owner: task.owner,
        life,
    };
    crate::pages::page(&page)
}

/// `GET /admin/tasks/{task}/live`
pub(in crate::pages) async fn live(
    request: HttpRequest,
    pages: web::Data<Pages>,
    Admin(session): Admin,
    task: web::Path<TaskId>,
) -> Result<HttpResponse, PageError> {
    let page = OneTask {
        pages: pages.clone(),
        task: *task,
        state: None,
    };
    live::stream(&request, &pages, &session, page).await
}

/// `POST /admin/tasks/{task}/retry`
pub(in crate::pages) async fn retry(
    request: HttpRequest,
    pages: web::Data<Pages>,
    Admin(_): Admin,
    task: web::Path<TaskId>,
    _form: Sent<serde_json::Value>,
) -> Result<HttpResponse, PageError> {
    let asked_by = gate::asked_by(&request);
    runs::retry_task(&pages.pool, *task, asked_by).await?;
    Ok(back(*task))
}

/// `POST /admin/tasks/{task}/cancel`
pub(in crate::pages) async fn cancel(
    pages: web::Data<Pages>,
    Admin(_): Admin,
    task: web::Path<TaskId>,
    _form: Sent<serde_json::Value>,
) -> Result<HttpResponse, PageError> {
    runs::cancel_task(&pages.pool, *task).await?;
    Ok(back(*task))
}

fn back(task: TaskId) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, format!("/admin/tasks/{task}")))
        .finish()
}

struct OneTask {
    pages: web::Data<Pages>,
    task: TaskId,
    /// The actions above the fragment go with the state: another one, and the page has to be loaded again.
    state: Option<TaskState>,
}

impl Live for OneTask {
    fn concerns(&self, heard: &Heard) -> bool {
        match heard {
            Heard::Event(told) => told.event.task == Some(self.task),
            Heard::Progress(told) => told.task == self.task,
            Heard::Gap => true,
        }
    }

    async fn snapshot(&mut self) -> Result<Snapshot, PageError> {
        let (task, html) = load(&self.pages, self.task).await?;
        let before = self.state.replace(task.state);
        let reload = before.is_some_and(|before| before != task.state);
        Ok(Snapshot {
            fragments: vec![Fragment { id: "task-life", html }],
            reload,
            ..Snapshot::default()
        })
    }
}

async fn load(pages: &Pages, task: TaskId) -> Result<(TaskRow, String), PageError> {
    let mut connection = pages.pool.acquire().await?;
    let task = tasks::find(&mut connection, task).await?.ok_or(PageError::NotFound)?;
    let attempts = attempts::of_task(&mut connection, task.id).await?;
    drop(connection);
    let life = life(&task, attempts, pages.clock.now()).render()?;
    Ok((task, life))
}

fn life(task: &TaskRow, attempts: Vec<AttemptRow>, clock: DateTime<Utc>) -> LifeFragment {
    let shown = progress::shown(
        task.progress
            .clone()
            .and_then(|it| serde_json::from_value(it).ok())
            .as_ref(),
        work(task.kind),
    );
    let run = task.run.map(|it| ("Run", format!("/runs/{it}"), "its run".to_owned()));
    let file = task.file.map(|it| {
        (
            "File",
            format!("/files/{it}"),
            task.name.clone().unwrap_or_else(|| it.to_string()),
        )
    });
    let times = [
        ("Made", Some(task.created_at)),
        ("Due", Some(task.run_at)),
        ("Started", task.started_at),
        ("Ended", task.finished_at),
    ];
    LifeFragment {
        mark: task.state.into(),
        reason: task.reason.clone(),
        sentence: task.sentence.clone(),
        reference: task.reference,
        running: task.state == TaskState::Running,
        share: shown.share,
        doing: doing(task),
        facts: facts(task),
        links: run.into_iter().chain(file).collect(),
        times: times
            .into_iter()
            .filter_map(|(name, at)| at.map(|at| (name, at)))
            .collect(),
        attempts: attempts.into_iter().rev().map(attempt).collect(),
        clock,
    }
}

fn facts(task: &TaskRow) -> Vec<Fact> {
    let number = |n: i32| filters::grouped(n.into());
    vec![
        Fact::new("Attempts", number(task.attempt)),
        Fact::new("Failures", number(task.failures)),
        Fact::new("Crashes", number(task.crashes)),
        Fact::new("Priority", number(task.priority)),
        Fact::new("Request", task.request.to_string()),
    ]
}

fn attempt(row: AttemptRow) -> Attempt {
    Attempt {
        number: row.number,
        mark: row.state.into(),
        worker: row.worker.unwrap_or_else(|| format!("worker {}", row.boot)),
        started_at: row.started_at,
        took: row
            .ended_at
            .map(|end| filters::span((end - row.started_at).num_milliseconds())),
        rows: row.rows.filter(|_| row.state != AttemptState::Running),
        peak_memory: row.peak_memory,
        sentence: row.sentence,
        detail: row.detail.filter(|it| !it.is_empty()),
        log: row.log.filter(|it| !it.is_empty()),
    }
}
