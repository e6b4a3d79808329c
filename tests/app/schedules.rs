//! Schedules: one task for each tick whatever the number of those who make them, missed ticks by policy, the report.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;
use sheetmill::database::ticks::TickRow;
use sheetmill::database::{Pool, reports, schedules as rows, ticks};
use sheetmill::domain::ids::{RequestId, ScheduleId, TickId, UserId};
use sheetmill::domain::states::{MissedTicks, ScheduleKind, TaskKind, TaskState};
use sheetmill::schedules;
use sheetmill::worker::WorkerSettings;

use crate::desk::Desk;
use crate::jobs::{Jobs, READS, WRITES};
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

async fn ended(pool: &Pool, tick: TickId) -> TickRow {
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

/// The cells of a tick's report, as the terminal shows them.
async fn cells_of_report(jobs: &Jobs, tick: TickId) -> Vec<Value> {
    let mut conn = jobs.database.pool.acquire().await.expect("a connection");
    let report = reports::find(&mut conn, tick)
        .await
        .expect("an answer")
        .expect("a report");
    drop(conn);
    let desk = Desk::empty();
    let key = report.storage_key.parse().expect("a key");
    jobs.storage
        .fetch(&key, &desk.path("report.xlsx"))
        .await
        .expect("stored");
    let cells = desk.say("cells report.xlsx").await.answer;
    cells
        .lines()
        .map(|it| serde_json::from_str(it).expect("JSON"))
        .collect()
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

    let rows = cells_of_report(&jobs, tick.id).await;
    let row = |sheet: &str, row: u64| {
        let found = rows.iter().find(|it| it["sheet"] == sheet && it["row"] == row);
        found.unwrap_or_else(|| panic!("row {row} of {sheet} in {rows:?}"))["cells"].clone()
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
