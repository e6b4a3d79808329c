//! The left column of the admin's pages: states with counts, queues with limits, workers.

use askama::Template;

use crate::database::workers::WorkerRow;
use crate::database::{Connection, queues, tasks, workers};
use crate::domain::states::TaskState;
use crate::pages::marks::Mark;
use crate::pages::{PageError, filters};

#[derive(Debug, Template)]
#[template(path = "admin/_side.html")]
struct Side {
    here: &'static str,
    state: Option<TaskState>,
    total: i64,
    states: Vec<StateLine>,
    queues: Vec<QueueLine>,
    workers: usize,
}

#[derive(Debug)]
struct StateLine {
    state: TaskState,
    mark: Mark,
    count: i64,
}

#[derive(Debug)]
struct QueueLine {
    name: String,
    paused: bool,
    limit: i64,
    running: i64,
    waiting: i64,
}

/// The fragment. `here`: the page it stands on, `tasks` or `workers`.
pub(super) async fn fragment(
    connection: &mut Connection,
    here: &'static str,
    state: Option<TaskState>,
) -> Result<String, PageError> {
    let counts = tasks::counts(connection).await?;
    let queues = queues::list(connection).await?;
    let alive: Vec<WorkerRow> = workers::list(connection).await?.into_iter().filter(is_alive).collect();
    let count = |state| {
        counts
            .iter()
            .find(|(it, _)| *it == state)
            .map_or(0, |(_, count)| *count)
    };
    let side = Side {
        here,
        state,
        total: counts.iter().map(|(_, count)| count).sum(),
        states: TaskState::ALL
            .iter()
            .map(|it| StateLine {
                state: *it,
                mark: (*it).into(),
                count: count(*it),
            })
            .collect(),
        queues: queues
            .into_iter()
            .map(|it| QueueLine {
                limit: alive.iter().map(|worker| slots(worker, &it.name)).sum(),
                paused: it.paused_at.is_some(),
                running: it.running,
                waiting: it.queued,
                name: it.name,
            })
            .collect(),
        workers: alive.len(),
    };
    Ok(side.render()?)
}

/// Longer without a heartbeat, and the worker's work is given to others.
pub(super) const GONE_AFTER: f64 = 60.0;

fn is_alive(worker: &WorkerRow) -> bool {
    worker.stopped_at.is_none() && worker.silent_for < GONE_AFTER
}

fn slots(worker: &WorkerRow, queue: &str) -> i64 {
    worker
        .slots
        .get(queue)
        .and_then(serde_json::Value::as_i64)
        .unwrap_or_default()
}
