//! `/admin/schedules`: what is due by itself, when next, what came of it last, and what was done lately.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};

use super::side;
use crate::database::schedules::{self, ScheduleRow};
use crate::database::ticks::{self, TickRow};
use crate::domain::ids::{ScheduleId, TaskId, TickId};
use crate::domain::states::{MissedTicks, ScheduleKind, TaskState};
use crate::events::Heard;
use crate::pages::chrome::Chrome;
use crate::pages::gate::Admin;
use crate::pages::live::{self, Fragment, Live, Snapshot};
use crate::pages::marks::Mark;
use crate::pages::{PageError, Pages, filters};
use crate::schedules::Rule;

/// Ticks that the page lists.
const TICKS: i64 = 30;

#[derive(Debug, Template)]
#[template(path = "admin/schedules.html")]
struct SchedulesPage {
    chrome: Chrome,
    side: String,
    schedules: Vec<ScheduleView>,
    ticks: String,
}

/// What of a schedule changes only by an admin's hand: its forms stand here, and are not replaced while somebody types.
#[derive(Debug)]
struct ScheduleView {
    id: ScheduleId,
    name: String,
    what: &'static str,
    rule: String,
    words: String,
    time_zone: String,
    policies: Vec<Policy>,
    missed: &'static str,
    is_paused: bool,
    place: &'static str,
    now: String,
}

#[derive(Debug)]
struct Policy {
    value: MissedTicks,
    words: &'static str,
    here: bool,
}

#[derive(Debug, Template)]
#[template(path = "admin/_schedule.html")]
struct ScheduleFragment {
    next_at: Option<DateTime<Utc>>,
    paused: Option<Pause>,
    last: Option<Last>,
    clock: DateTime<Utc>,
}

#[derive(Debug)]
struct Pause {
    since: DateTime<Utc>,
    by: Option<String>,
    reason: String,
}

#[derive(Debug)]
struct Last {
    task: TaskId,
    mark: Mark,
    words: String,
    ended: Option<DateTime<Utc>>,
}

#[derive(Debug, Template)]
#[template(path = "admin/_ticks.html")]
struct TicksFragment {
    ticks: Vec<TickLine>,
    clock: DateTime<Utc>,
}

#[derive(Debug)]
struct TickLine {
    id: TickId,
    name: String,
    task: TaskId,
    mark: Mark,
    words: String,
    by: Option<String>,
    report: Option<i64>,
    at: DateTime<Utc>,
}

/// `GET /admin/schedules`
pub(in crate::pages) async fn show(
    request: HttpRequest,
    pages: web::Data<Pages>,
    Admin(session): Admin,
) -> Result<HttpResponse, PageError> {
    let look = Look::at(&pages).await?;
    let mut schedules = Vec::with_capacity(look.rows.len());
    for row in &look.rows {
        schedules.push(view(row, look.now(row)?));
    }
    crate::pages::page(&SchedulesPage {
        chrome: Chrome::of(&request, &session, "admin", look.clock),
        ticks: look.ticks()?,
        side: look.side,
        schedules,
    })
}

/// `GET /admin/schedules/live`
pub(in crate::pages) async fn live(
    request: HttpRequest,
    pages: web::Data<Pages>,
    Admin(session): Admin,
) -> Result<HttpResponse, PageError> {
    let page = AllSchedules {
        pages: pages.clone(),
        forms: None,
    };
    live::stream(&request, &pages, &session, page).await
}

struct AllSchedules {
    pages: web::Data<Pages>,
    /// What the forms were made for: anything else, and the page has to be loaded again.
    forms: Option<Vec<(String, String, MissedTicks, bool)>>,
}

impl Live for AllSchedules {
    fn concerns(&self, heard: &Heard) -> bool {
        !matches!(heard, Heard::Progress(_))
    }

    async fn snapshot(&mut self) -> Result<Snapshot, PageError> {
        let look = Look::at(&self.pages).await?;
        let form = |row: &ScheduleRow| {
            (
                row.rule.clone(),
                row.time_zone.clone(),
                row.missed,
                row.paused_at.is_some(),
            )
        };
        let forms: Vec<_> = look.rows.iter().map(form).collect();
        let reload = self.forms.as_ref().is_some_and(|before| *before != forms);
        self.forms = Some(forms);
        let mut fragments = vec![Fragment {
            id: "ticks",
            html: look.ticks()?,
        }];
        for row in &look.rows {
            fragments.push(Fragment {
                id: place(row.kind),
                html: look.now(row)?,
            });
        }
        fragments.push(Fragment {
            id: "admin-side",
            html: look.side,
        });
        Ok(Snapshot {
            fragments,
            reload,
            ..Snapshot::default()
        })
    }
}

/// What the database says.
struct Look {
    side: String,
    rows: Vec<ScheduleRow>,
    made: Vec<TickRow>,
    clock: DateTime<Utc>,
}

impl Look {
    async fn at(pages: &Pages) -> Result<Self, PageError> {
        let mut connection = pages.pool.acquire().await?;
        Ok(Self {
            side: side::fragment(&mut connection, "schedules", None).await?,
            rows: schedules::list(&mut connection).await?,
            made: ticks::list(&mut connection, TICKS).await?,
            clock: pages.clock.now(),
        })
    }

    /// What of a schedule changes by itself.
    fn now(&self, row: &ScheduleRow) -> Result<String, PageError> {
        let paused = row.paused_at.map(|since| Pause {
            since,
            by: row.paused_by.clone(),
            reason: row.pause_reason.clone().unwrap_or_default(),
        });
        let last = row.task.zip(row.state).map(|(task, state)| Last {
            task,
            mark: state.into(),
            words: words(state, row.said.as_deref(), row.sentence.as_deref()),
            ended: row.finished_at,
        });
        let fragment = ScheduleFragment {
            next_at: row.next_at.filter(|_| row.paused_at.is_none()),
            paused,
            last,
            clock: self.clock,
        };
        Ok(fragment.render()?)
    }

    fn ticks(&self) -> Result<String, PageError> {
        let line = |row: &TickRow| TickLine {
            id: row.id,
            name: row.name.clone(),
            task: row.task,
            mark: row.state.into(),
            words: words(row.state, row.said.as_deref(), row.sentence.as_deref()),
            by: row.asked_by.clone(),
            report: row.report,
            at: row.at,
        };
        let fragment = TicksFragment {
            ticks: self.made.iter().map(line).collect(),
            clock: self.clock,
        };
        Ok(fragment.render()?)
    }
}

fn view(row: &ScheduleRow, now: String) -> ScheduleView {
    let words = match Rule::read(&row.rule, &row.time_zone) {
        Ok(rule) => rule.in_words(),
        Err(wrong) => wrong.to_string(),
    };
    ScheduleView {
        id: row.id,
        name: row.name.clone(),
        what: what(row.kind),
        rule: row.rule.clone(),
        words,
        time_zone: row.time_zone.clone(),
        policies: MissedTicks::ALL
            .iter()
            .map(|it| Policy {
                value: *it,
                words: policy(*it),
                here: *it == row.missed,
            })
            .collect(),
        missed: policy(row.missed),
        is_paused: row.paused_at.is_some(),
        place: place(row.kind),
        now,
    }
}

fn words(state: TaskState, said: Option<&str>, sentence: Option<&str>) -> String {
    let told = match state {
        TaskState::Succeeded => said,
        _ => sentence,
    };
    told.unwrap_or_default().to_owned()
}

fn what(kind: ScheduleKind) -> &'static str {
    match kind {
        ScheduleKind::CleanUp => {
            "Removes files and results whose time is over, bytes that nobody needs any more, and what was left half-done."
        }
        ScheduleKind::ActivityReport => {
            "A workbook with the runs, files, rows and failures of the day before, owner by owner."
        }
    }
}

fn policy(missed: MissedTicks) -> &'static str {
    match missed {
        MissedTicks::Skip => "missed times are left out",
        MissedTicks::Once => "after missed times it runs once",
        MissedTicks::All => "missed times are made up for, the last 48",
    }
}

/// Where the fragment of a schedule stands.
fn place(kind: ScheduleKind) -> &'static str {
    match kind {
        ScheduleKind::CleanUp => "schedule-clean-up",
        ScheduleKind::ActivityReport => "schedule-activity-report",
    }
}
