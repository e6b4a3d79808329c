//! `/admin/workers`: who works, on which machine, and when it was last heard of.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};

use super::side;
use crate::database::workers::{self, WorkerRow};
use crate::domain::ids::BootId;
use crate::events::Heard;
use crate::pages::chrome::Chrome;
use crate::pages::gate::Admin;
use crate::pages::live::{self, Fragment, Live, Snapshot};
use crate::pages::{PageError, Pages, filters};

/// A heartbeat later than this is late: workers beat every few seconds.
const LATE_AFTER: f64 = 15.0;

#[derive(Debug, Template)]
#[template(path = "admin/workers.html")]
struct WorkersPage {
    chrome: Chrome,
    side: String,
    workers: String,
}

#[derive(Debug, Template)]
#[template(path = "admin/_workers.html")]
struct WorkersFragment {
    workers: Vec<WorkerLine>,
    clock: DateTime<Utc>,
}

#[derive(Debug)]
struct WorkerLine {
    boot: BootId,
    name: String,
    host: String,
    pid: i32,
    pulse: &'static str,
    heard: String,
    slots: String,
    running: i64,
    memory: i64,
    version: String,
    started_at: DateTime<Utc>,
}

/// `GET /admin/workers`
pub(in crate::pages) async fn show(
    request: HttpRequest,
    pages: web::Data<Pages>,
    Admin(session): Admin,
) -> Result<HttpResponse, PageError> {
    let (side, workers) = load(&pages).await?;
    crate::pages::page(&WorkersPage {
        chrome: Chrome::of(&request, &session, "admin", pages.clock.now()),
        side,
        workers,
    })
}

/// `GET /admin/workers/live`
pub(in crate::pages) async fn live(
    request: HttpRequest,
    pages: web::Data<Pages>,
    Admin(session): Admin,
) -> Result<HttpResponse, PageError> {
    live::stream(&request, &pages, &session, AllWorkers { pages: pages.clone() }).await
}

struct AllWorkers {
    pages: web::Data<Pages>,
}

impl Live for AllWorkers {
    fn concerns(&self, _heard: &Heard) -> bool {
        true
    }

    async fn snapshot(&mut self) -> Result<Snapshot, PageError> {
        let (side, workers) = load(&self.pages).await?;
        let fragments = vec![
            Fragment {
                id: "admin-side",
                html: side,
            },
            Fragment {
                id: "admin-workers",
                html: workers,
            },
        ];
        Ok(Snapshot {
            fragments,
            ..Snapshot::default()
        })
    }
}

async fn load(pages: &Pages) -> Result<(String, String), PageError> {
    let mut connection = pages.pool.acquire().await?;
    let side = side::fragment(&mut connection, "workers", None).await?;
    let workers = workers::list(&mut connection).await?;
    drop(connection);
    let fragment = WorkersFragment {
        workers: workers.into_iter().map(line).collect(),
        clock: pages.clock.now(),
    };
    Ok((side, fragment.render()?))
}

fn line(worker: WorkerRow) -> WorkerLine {
    let (pulse, heard) = pulse(worker.silent_for, worker.stopped_at.is_some());
    WorkerLine {
        boot: worker.boot,
        name: worker.name,
        host: worker.host,
        pid: worker.pid,
        pulse,
        heard,
        slots: slots(&worker.slots),
        running: worker.running,
        memory: worker.memory,
        version: worker.version,
        started_at: worker.started_at,
    }
}

/// The dot's look and the words beside it.
#[expect(clippy::cast_possible_truncation, reason = "whole seconds are shown")]
fn pulse(silent_for: f64, stopped: bool) -> (&'static str, String) {
    let ago = filters::since(silent_for as i64);
    match silent_for {
        _ if stopped => ("gone", "stopped".to_owned()),
        ..LATE_AFTER => ("live", ago),
        LATE_AFTER..side::GONE_AFTER => ("late", format!("late: {ago}")),
        _ => ("gone", format!("lost: {ago}")),
    }
}

fn slots(slots: &serde_json::Value) -> String {
    let pairs = slots.as_object().into_iter().flatten();
    pairs
        .map(|(queue, count)| format!("{queue} {count}"))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_alive_late_lost_or_stopped() {
        assert_eq!(pulse(2.0, false), ("live", "just now".to_owned()));
        assert_eq!(pulse(20.0, false), ("late", "late: 20 seconds ago".to_owned()));
        assert_eq!(pulse(90.0, false), ("gone", "lost: 1 minute ago".to_owned()));
        assert_eq!(pulse(90.0, true), ("gone", "stopped".to_owned()));
    }
}
