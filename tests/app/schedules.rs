//! Schedules: one task for each tick whatever the number of those who make them, missed ticks by policy, and what admins do.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::StatusCode;
use sheetmill::database::ticks::TickRow;
use sheetmill::database::{Pool, schedules as rows, ticks};
use sheetmill::domain::ids::{RequestId, ScheduleId, UserId};
use sheetmill::domain::states::{MissedTicks, Role, ScheduleKind, TaskKind, TaskState};
use sheetmill::schedules;
use sheetmill::worker::WorkerSettings;

use crate::browser::Browser;
use crate::first_light::join;
use crate::jobs::{Jobs, READS, WRITES};
use crate::processes::Process;
use crate::test_app::TestApp;
use crate::visitor::Visitor;
use crate::wait::until;

pub async fn schedule(pool: &Pool, kind: ScheduleKind) -> rows::ScheduleRow {
    let mut conn = pool.acquire().await.expect("a connection");
    let all = rows::list(&mut conn).await.expect("an answer");
    all.into_iter()
        .find(|it| it.kind == kind)
        .expect("a schedule of the kind")
}

pub async fn made(pool: &Pool) -> Vec<TickRow> {
    let mut conn = pool.acquire().await.expect("a connection");
    ticks::list(&mut conn, 1000).await.expect("an answer")
}

/// Has a schedule run at once, and waits for the end of that.
pub async fn run_now(pool: &Pool, by: UserId, kind: ScheduleKind) -> TickRow {
    let id = schedule(pool, kind).await.id;
    let made = schedules::run_now(pool, id, by, RequestId::new())
        .await
        .expect("a tick");
    ended(pool, made.tick).await
}

async fn ended(pool: &Pool, tick: sheetmill::domain::ids::TickId) -> TickRow {
    until("the tick's task ends", async || {
        let found = made(pool).await.into_iter().find(|it| it.id == tick);
        found.filter(|it| it.state.is_final())
    })
    .await
}

impl Jobs {
    /// An hourly clean-up that was due last half an hour ago, and was not made for so many hours.
    async fn missed(&self, hours: i32, missed: MissedTicks) -> ScheduleId {
        let id = schedule(&self.database.pool, ScheduleKind::CleanUp).await.id;
        let statement = format!(
            "update schedules set missed = '{missed}', next_at = last.at - interval '{} hours',
                    rule = extract(minute from last.at at time zone 'UTC')::text || ' * * * *'
             from (select date_trunc('minute', now()) - interval '30 minutes' as at) last where kind = 'clean_up'",
            hours - 1
        );
        self.database.execute(&statement).await;
        id
    }
}

#[tokio::test]
async fn eight_at_once_make_one_task_of_a_tick() {
    let jobs = Jobs::new().await;
    let pool = &jobs.database.pool;
    jobs.missed(1, MissedTicks::Once).await;
    let made = join_all((0..8).map(|_| schedules::make_due(pool))).await;
    let made: Vec<_> = made.into_iter().flat_map(|it| it.expect("an answer")).collect();
    assert_eq!(made.len(), 1, "{made:?}");
    assert_eq!(
        (made[0].kind, made[0].kind.task()),
        (ScheduleKind::CleanUp, TaskKind::CleanUp)
    );
    // The clock of a process that was asleep shows the same hour again: a unique key stands behind the lock.
    jobs.missed(1, MissedTicks::Once).await;
    assert_eq!(schedules::make_due(pool).await.expect("an answer"), []);
    assert_eq!(
        jobs.database
            .number("select count(*) from tasks where tick_id is not null")
            .await,
        1
    );
    jobs.database.drop().await;
}

#[tokio::test]
async fn the_same_tick_of_two_transactions_is_made_by_one() {
    let jobs = Jobs::new().await;
    let id = schedule(&jobs.database.pool, ScheduleKind::CleanUp).await.id;
    let at = "2026-11-27T10:00:00Z".parse().expect("a time");
    let make = |_| async {
        let mut tx = jobs.database.pool.begin().await.expect("a transaction");
        let made = ticks::make(&mut tx, id, at, None).await.expect("an answer");
        tx.commit().await.expect("committed");
        made
    };
    let made = join_all((0..2).map(make)).await;
    assert_eq!(made.iter().flatten().count(), 1);
    jobs.database.drop().await;
}

#[tokio::test]
async fn two_workers_carry_out_each_tick_once() {
    let jobs = Jobs::new().await;
    let settings = || WorkerSettings {
        sweep_every: Duration::from_millis(20),
        ..jobs.settings(READS, WRITES)
    };
    let (one, other) = (jobs.work(settings()).await, jobs.work(settings()).await);
    jobs.missed(6, MissedTicks::All).await;
    let all = until("six ticks are carried out", async || {
        let made = made(&jobs.database.pool).await;
        (made.len() >= 6 && made.iter().all(|it| it.state.is_final())).then_some(made)
    })
    .await;
    assert_eq!(all.len(), 6);
    assert_eq!(all.iter().map(|it| it.at).collect::<HashSet<_>>().len(), 6);
    for tick in &all {
        assert_eq!(
            (tick.state, tick.said.as_deref()),
            (TaskState::Succeeded, Some("Nothing was to be removed."))
        );
        assert_eq!(jobs.attempts(tick.task).await, ["succeeded"]);
    }
    one.stop().await;
    other.stop().await;
    jobs.database.drop().await;
}

#[tokio::test]
async fn of_five_missed_hours_none_one_or_all_are_made_up_for() {
    for (policy, expected) in [(MissedTicks::Skip, 0), (MissedTicks::Once, 1), (MissedTicks::All, 5)] {
        let jobs = Jobs::new().await;
        jobs.missed(5, policy).await;
        let made = schedules::make_due(&jobs.database.pool).await.expect("an answer");
        assert_eq!(made.len(), expected, "{policy}");
        let ahead = jobs
            .database
            .number("select (next_at > now() and next_at <= now() + interval '1 hour')::int::bigint from schedules where kind = 'clean_up'")
            .await;
        assert_eq!(ahead, 1, "{policy}: the next tick lies ahead");
        jobs.database.drop().await;
    }
}

#[tokio::test]
async fn a_paused_schedule_makes_no_ticks_and_makes_none_up_for() {
    let jobs = Jobs::new().await;
    let pool = &jobs.database.pool;
    let id = jobs.missed(5, MissedTicks::All).await;
    let no_reason = schedules::pause(pool, id, jobs.owner, "  ").await;
    assert!(matches!(no_reason, Err(schedules::Error::NoReason(_))), "{no_reason:?}");
    schedules::pause(pool, id, jobs.owner, "The disk is being replaced")
        .await
        .expect("paused");
    assert_eq!(schedules::make_due(pool).await.expect("an answer"), []);
    schedules::resume(pool, id, jobs.owner).await.expect("resumed");
    assert_eq!(schedules::make_due(pool).await.expect("an answer"), []);
    let said = "select count(*) from audit where target = 'schedule clean_up' and action in ('schedule_paused', 'schedule_resumed')";
    assert_eq!(jobs.database.number(said).await, 2);
    jobs.database.drop().await;
}

#[tokio::test]
async fn a_tick_is_not_asked_for_while_one_is_at_work() {
    let jobs = Jobs::new().await;
    let pool = &jobs.database.pool;
    let id = schedule(pool, ScheduleKind::CleanUp).await.id;
    let ask = |_| schedules::run_now(pool, id, jobs.owner, RequestId::new());
    let asked = join_all((0..4).map(ask)).await;
    assert_eq!(asked.iter().filter(|it| it.is_ok()).count(), 1);
    assert!(
        asked
            .iter()
            .all(|it| matches!(it, Ok(_) | Err(schedules::Error::AtWork))),
        "{asked:?}"
    );
    jobs.database.drop().await;
}

#[tokio::test]
async fn a_rule_that_nobody_can_read_pauses_its_schedule_and_the_others_go_on() {
    let jobs = Jobs::new().await;
    jobs.missed(1, MissedTicks::Once).await;
    let spoil =
        "update schedules set rule = 'at noon', next_at = now() - interval '1 day' where kind = 'activity_report'";
    jobs.database.execute(spoil).await;
    let made = schedules::make_due(&jobs.database.pool).await.expect("an answer");
    assert_eq!(
        made.iter().map(|it| it.kind).collect::<Vec<_>>(),
        [ScheduleKind::CleanUp]
    );
    let spoilt = schedule(&jobs.database.pool, ScheduleKind::ActivityReport).await;
    assert!(
        spoilt
            .pause_reason
            .is_some_and(|it| it.contains("“at noon” is not a rule"))
    );
    jobs.database.drop().await;
}

#[tokio::test]
async fn an_activity_report_is_a_workbook_of_yesterday_owner_by_owner() {
    let jobs = Jobs::new().await;
    let pool = &jobs.database.pool;
    let (done, _) = jobs.result(1).await;
    let (failed, _) = jobs.result(1).await;
    let (_today, _) = jobs.result(0).await;
    for statement in [
        format!("update run_files set state = 'succeeded', rows_in = 1200, rows_out = 1000 where run_id = '{done}'"),
        format!(
            "update run_files set state = 'failed', code = 'broken', sentence = 'It broke.' where run_id = '{failed}'"
        ),
        format!("update runs set state = 'failed' where id = '{failed}'"),
        "update files set created_at = created_at - interval '1 day'".to_owned(),
    ] {
        jobs.database.execute(&statement).await;
    }
    let working = jobs.work(jobs.settings(READS, WRITES)).await;
    let tick = run_now(pool, jobs.owner, ScheduleKind::ActivityReport).await;
    assert_eq!(
        (tick.state, tick.kind.task()),
        (TaskState::Succeeded, TaskKind::ActivityReport),
        "{:?}",
        tick.sentence
    );
    let said = tick.said.expect("words");
    assert!(
        said.ends_with(" in UTC: 2 runs of 1 owner, 1200 rows read, 1 file without a result."),
        "{said}"
    );

    let mut conn = pool.acquire().await.expect("a connection");
    let report = sheetmill::database::reports::find(&mut conn, tick.id)
        .await
        .expect("an answer")
        .expect("a report");
    drop(conn);
    let desk = crate::desk::Desk::empty();
    let key = report.storage_key.parse().expect("a key");
    jobs.storage
        .fetch(&key, &desk.path("report.xlsx"))
        .await
        .expect("stored");
    let cells = desk.say("cells report.xlsx").await.answer;
    let rows: Vec<serde_json::Value> = cells
        .lines()
        .map(|it| serde_json::from_str(it).expect("JSON"))
        .collect();
    let row = |sheet: &str, row: u64| {
        let found = rows.iter().find(|it| it["sheet"] == sheet && it["row"] == row);
        found.unwrap_or_else(|| panic!("row {row} of {sheet} in {cells}"))["cells"].clone()
    };
    let owner = row("Owners", 2);
    assert_eq!(owner["A"][1], format!("{}@example.org", jobs.owner));
    for (column, number) in [
        ("B", 3),
        ("D", 2),
        ("E", 1),
        ("F", 1),
        ("H", 2),
        ("J", 1),
        ("K", 1200),
        ("L", 1000),
    ] {
        assert_eq!(
            owner[column][1].as_f64(),
            Some(f64::from(number)),
            "{column} of {owner}"
        );
        assert_eq!(row("Owners", 3)[column], owner[column], "the sum of one");
    }
    let failure = row("Failures", 2);
    assert_eq!(
        (&failure["E"][1], &failure["F"][1]),
        (&"broken".into(), &"It broke.".into())
    );
    working.stop().await;
    jobs.database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn admins_pause_resume_change_and_run_a_schedule_by_forms_and_members_have_no_such_page() {
    TestApp::run(async |app| {
        let admin = Visitor::signed_in(app, "ada@example.org", Role::Admin).await;
        let member = Visitor::signed_in(app, "kim@example.org", Role::Member).await;
        let pool = &app.database.pool;
        let id = schedule(pool, ScheduleKind::CleanUp).await.id;
        let at = |action: &str| format!("/admin/schedules/{id}/{action}");
        assert_eq!(member.get("/admin/schedules").await.status, StatusCode::NOT_FOUND);
        let csrf = [("csrf", member.csrf.as_str()), ("reason", "mine")];
        for action in ["pause", "resume", "run", "change"] {
            assert_eq!(member.post(&at(action), &csrf, &[]).await.status, StatusCode::NOT_FOUND);
        }

        let page = admin.get("/admin/schedules").await;
        assert!(
            page.text.contains("every hour") && page.text.contains("every day at 06:00"),
            "{}",
            page.text
        );
        let csrf = ("csrf", admin.csrf.as_str());
        assert_eq!(
            admin.post(&at("pause"), &[("reason", "x")], &[]).await.status,
            StatusCode::FORBIDDEN
        );
        let paused = admin
            .post(&at("pause"), &[csrf, ("reason", "<b>moving</b>")], &[])
            .await;
        assert_eq!(paused.status, StatusCode::SEE_OTHER, "{}", paused.text);
        let page = admin.get("/admin/schedules").await;
        assert!(
            page.text.contains("&#60;b&#62;moving") && page.text.contains("Resume"),
            "{}",
            page.text
        );
        assert_eq!(
            admin.post(&at("resume"), &[csrf], &[]).await.status,
            StatusCode::SEE_OTHER
        );

        let change = [
            csrf,
            ("rule", " 30  2 * * mon-fri "),
            ("time_zone", "Europe/Berlin"),
            ("missed", "skip"),
        ];
        assert_eq!(
            admin.post(&at("change"), &change, &[]).await.status,
            StatusCode::SEE_OTHER
        );
        let page = admin.get("/admin/schedules").await;
        assert!(
            page.text.contains("Monday to Friday at 02:30") && page.text.contains("Europe/Berlin"),
            "{}",
            page.text
        );
        let wrong = [
            csrf,
            ("rule", "30 2"),
            ("time_zone", "Europe/Berlin"),
            ("missed", "skip"),
        ];
        let wrong = admin.post(&at("change"), &wrong, &[("accept", "text/html")]).await;
        assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
        assert!(wrong.text.contains("Write five fields"), "{}", wrong.text);

        assert_eq!(admin.post(&at("run"), &[csrf], &[]).await.status, StatusCode::SEE_OTHER);
        until("the clean-up is done", async || {
            let page = admin.get("/admin/schedules").await;
            page.text.contains("asked for by ada@example.org").then_some(())?;
            page.text.contains("Nothing was to be removed.").then_some(())
        })
        .await;
        assert_eq!(app.database.number("select count(*) from audit").await, 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_runs_and_pauses_a_schedule_in_a_browser_and_sees_it_live() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data").to_str().expect("a plain path").to_owned();
    let settings = [("SHEETMILL_DATA", data), ("SHEETMILL_LISTEN", "127.0.0.1:0".to_owned())];
    let mut process = Process::serve(&["up"], &settings).await;
    let link = process.says("/welcome?link=").await;
    let address = process.address.clone().expect("an address");
    let browser = Browser::start().await;
    join(&browser, link.split_whitespace().last().expect("a link")).await;
    browser
        .page
        .goto(&format!("{address}/admin/schedules"))
        .await
        .expect("the page");
    let of = |rest: &str| format!("section[aria-labelledby='schedule-clean-up-name'] {rest}");

    // The next tick is told in the reader's own words for times, not in those of the server.
    let next = of("#schedule-clean-up time[data-exact]");
    until("the exact time is the reader's", async || {
        let shown = browser.see(&next).await.text().await.ok()?;
        (!shown.contains("UTC")).then_some(())
    })
    .await;
    browser.click(&of("form[action$='/run'] button")).await;
    until("what it did is told without a click", async || {
        let said = browser.see("#schedule-clean-up").await.text().await.ok()?;
        said.contains("Nothing was to be removed.").then_some(())
    })
    .await;
    browser
        .click("section[aria-labelledby='schedule-activity-report-name'] form[action$='/run'] button")
        .await;
    browser.click("#ticks a[href^='/admin/reports/']").await;
    assert!(browser.downloaded(".xlsx").await.starts_with(b"PK"));

    let menu = of("details:has(form[action$='/pause'])");
    browser.click(&format!("{menu} > summary")).await;
    browser
        .fill(&format!("{menu} input[name='reason']"), "The disk is being replaced")
        .await;
    browser.click(&format!("{menu} form button")).await;
    let paused = browser
        .see("#schedule-clean-up .note")
        .await
        .text()
        .await
        .expect("words");
    assert!(
        paused.contains("Paused by") && paused.contains("The disk is being replaced"),
        "{paused}"
    );
    browser.click(&of("form[action$='/resume'] button")).await;
    browser.see(&of("form[action$='/pause']")).await;
    browser.close().await;
    assert!(process.interrupt().await.success());
}
