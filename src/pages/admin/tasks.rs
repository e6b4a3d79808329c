//! `/admin`: all tasks in two lines each, filtered by state, live.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::side;
use crate::database::tasks::{self, TaskRow};
use crate::domain::ids::TaskId;
use crate::domain::progress::Progress;
use crate::domain::states::{TaskKind, TaskState};
use crate::events::Heard;
use crate::pages::chrome::Chrome;
use crate::pages::gate::Admin;
use crate::pages::live::{self, Fragment, Live, Snapshot};
use crate::pages::marks::Mark;
use crate::pages::progress::{self, Work};
use crate::pages::{PageError, Pages, filters};

/// Tasks of a page of the list.
const PAGE: usize = 50;

#[derive(Debug, Template)]
#[template(path = "admin/tasks.html")]
struct TasksPage {
    chrome: Chrome,
    query: String,
    side: String,
    tasks: String,
}

#[derive(Debug, Template)]
#[template(path = "admin/_tasks.html")]
struct TasksFragment {
    tasks: Vec<TaskLine>,
    state: Option<TaskState>,
    next: Option<TaskId>,
    clock: DateTime<Utc>,
}

/// A task in two lines.
#[derive(Debug)]
struct TaskLine {
    id: TaskId,
    mark: Mark,
    kind: TaskKind,
    subject: String,
    attempt: i32,
    worker: Option<String>,
    owner: String,
    words: Option<String>,
    took: String,
    created_at: DateTime<Utc>,
}

/// Which tasks.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::pages) struct Which {
    state: Option<String>,
    before: Option<TaskId>,
}

impl Which {
    fn state(&self) -> Result<Option<TaskState>, PageError> {
        self.state
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(|_no_state| PageError::NotFound)
    }

    fn query(&self) -> String {
        let state = self.state.iter().map(|it| format!("state={it}"));
        let before = self.before.iter().map(|it| format!("before={it}"));
        let parts: Vec<String> = state.chain(before).collect();
        if parts.is_empty() {
            String::new()
        } else {
            format!("?{}", parts.join("&"))
        }
    }
}

/// `GET /admin`
pub(in crate::pages) async fn show(
    request: HttpRequest,
    pages: web::Data<Pages>,
    Admin(session): Admin,
    which: web::Query<Which>,
) -> Result<HttpResponse, PageError> {
    let state = which.state()?;
    let (side, tasks) = load(&pages, state, which.before).await?;
    let chrome = Chrome::of(&request, &session, "admin", pages.clock.now());
    crate::pages::page(&TasksPage {
        chrome,
        query: which.query(),
        side,
        tasks,
    })
}

/// `GET /admin/live`
pub(in crate::pages) async fn live(
    request: HttpRequest,
    pages: web::Data<Pages>,
    Admin(session): Admin,
    which: web::Query<Which>,
) -> Result<HttpResponse, PageError> {
    let page = AllTasks {
        pages: pages.clone(),
        state: which.state()?,
        before: which.before,
    };
    live::stream(&request, &pages, &session, page).await
}

struct AllTasks {
    pages: web::Data<Pages>,
    state: Option<TaskState>,
    before: Option<TaskId>,
}

impl Live for AllTasks {
    fn concerns(&self, _heard: &Heard) -> bool {
        true
    }

    async fn snapshot(&mut self) -> Result<Snapshot, PageError> {
        let (side, tasks) = load(&self.pages, self.state, self.before).await?;
        let fragments = vec![
            Fragment {
                id: "admin-side",
                html: side,
            },
            Fragment {
                id: "admin-tasks",
                html: tasks,
            },
        ];
        Ok(Snapshot {
            fragments,
            ..Snapshot::default()
        })
    }
}

async fn load(pages: &Pages, state: Option<TaskState>, before: Option<TaskId>) -> Result<(String, String), PageError> {
    let mut connection = pages.pool.acquire().await?;
    let side = side::fragment(&mut connection, "tasks", state).await?;
    let mut tasks = tasks::list(&mut connection, state, before, PAGE as i64 + 1).await?;
    drop(connection);
    let next = (tasks.len() > PAGE).then(|| tasks[PAGE - 1].id);
    tasks.truncate(PAGE);
    let clock = pages.clock.now();
    let tasks = TasksFragment {
        tasks: tasks.into_iter().map(|it| line(it, clock)).collect(),
        state,
        next,
        clock,
    };
    Ok((side, tasks.render()?))
}

fn line(task: TaskRow, now: DateTime<Utc>) -> TaskLine {
    let took = match (task.state, task.started_at, task.finished_at) {
        (_, Some(start), Some(end)) => filters::span((end - start).num_milliseconds()),
        (TaskState::Running, Some(start), None) => filters::span((now - start).num_seconds() * 1000),
        _ => String::new(),
    };
    TaskLine {
        id: task.id,
        mark: task.state.into(),
        kind: task.kind,
        words: words(&task, now),
        subject: task.name.unwrap_or_else(|| "a removed file".to_owned()),
        attempt: task.attempt,
        worker: task.worker.filter(|_| task.state == TaskState::Running),
        owner: task.owner,
        took,
        created_at: task.created_at,
    }
}

/// What a row says of its task: why it failed, when it is tried again, or what it does now.
fn words(task: &TaskRow, now: DateTime<Utc>) -> Option<String> {
    match task.state {
        TaskState::Running => Some(doing(task)),
        TaskState::Queued if task.run_at > now => {
            let wait = filters::span((task.run_at - now).num_milliseconds());
            let what = if task.attempt == 0 { "begins" } else { "tried again" };
            Some(format!(
                "{what} in {wait}{}",
                task.sentence.iter().map(|it| format!(": {it}")).collect::<String>()
            ))
        }
        TaskState::Waiting if task.kind == TaskKind::Assemble => Some("waits for the run before".to_owned()),
        TaskState::Waiting => Some("waits for its file to be read".to_owned()),
        _ => task.sentence.clone(),
    }
}

/// What a running task does now.
pub(super) fn doing(task: &TaskRow) -> String {
    if task.cancel_requested_at.is_some() {
        return "stopping".to_owned();
    }
    let progress = task
        .progress
        .clone()
        .and_then(|it| serde_json::from_value::<Progress>(it).ok());
    let shown = progress::shown(progress.as_ref(), work(task.kind));
    let rows = progress.map_or(0, |it| it.rows);
    if rows > 0 {
        format!("{}, {} rows", shown.doing, filters::grouped(rows.into()))
    } else {
        shown.doing
    }
}

/// What kind of progress a kind of task has.
pub(super) fn work(kind: TaskKind) -> Work {
    match kind {
        TaskKind::Ingest => Work::Reading,
        _ => Work::Running,
    }
}
