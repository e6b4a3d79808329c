//! Claims, fences, leases, retries and cancellations, with two workers where it takes two.

use std::collections::HashSet;
use std::time::Duration;

use sheetmill::database::tasks::{self, Work};
use sheetmill::database::{queues, runs as run_rows};
use sheetmill::domain::ids::{BootId, FileId, RunId, TaskId, UserId};
use sheetmill::domain::states::{IngestState, RunState, TaskState};
use sheetmill::queue;
use sheetmill::runs;

use crate::jobs::{CRASHES, HANGS, Jobs, READS, REFUSES, WRITES};
use crate::wait::until;

const LEASE: Duration = Duration::from_secs(30);

impl Jobs {
    async fn claim(&self, boot: BootId) -> Option<tasks::Claimed> {
        self.claim_for(boot, LEASE).await
    }

    async fn claim_for(&self, boot: BootId, lease: Duration) -> Option<tasks::Claimed> {
        let mut conn = self.database.pool.acquire().await.expect("a connection");
        tasks::claim(&mut conn, "process", boot, lease)
            .await
            .expect("an answer")
    }

    /// Due process tasks of an owner, without a worker in sight.
    async fn due(&self, owner: UserId, count: usize, priority: i32) -> Vec<TaskId> {
        let (file, _) = self.bytes("orders.xlsx").await;
        let run = self.idle_run(owner).await;
        let mut due = Vec::new();
        for _ in 0..count {
            due.push(self.task(Work::RunFile(run, file), owner, priority).await);
        }
        due
    }

    async fn idle_run(&self, owner: UserId) -> RunId {
        let mut conn = self.database.pool.acquire().await.expect("a connection");
        let (id, document) = (RunId::new(), serde_json::json!({}));
        let run = run_rows::NewRun {
            id,
            owner,
            revision: None,
            name: "Clean",
            document: &document,
            choices: &document,
            files: 1,
            priority: 0,
            run_at: None,
            from_scratch: false,
            request: sheetmill::domain::ids::RequestId::new(),
        };
        run_rows::insert(&mut conn, &run).await.expect("a run");
        id
    }
}

#[tokio::test]
async fn the_owner_with_the_fewest_running_goes_first() {
    let jobs = Jobs::new().await;
    let (many, few) = (jobs.owner, UserId::new());
    jobs.user(few).await;
    let of_many = jobs.due(many, 5, 9).await;
    let of_few = jobs.due(few, 2, 0).await;
    let boot = BootId::new();
    let mut order = Vec::new();
    while let Some(claimed) = jobs.claim(boot).await {
        order.push(claimed.fence.task);
    }
    assert_eq!(
        order,
        [
            of_many[0], of_few[0], of_many[1], of_few[1], of_many[2], of_many[3], of_many[4]
        ]
    );
    jobs.database.drop().await;
}

#[tokio::test]
async fn among_one_owners_tasks_priority_goes_before_age() {
    let jobs = Jobs::new().await;
    let old = jobs.due(jobs.owner, 1, 0).await;
    let urgent = jobs.due(jobs.owner, 1, 5).await;
    let boot = BootId::new();
    assert_eq!(jobs.claim(boot).await.map(|it| it.fence.task), Some(urgent[0]));
    assert_eq!(jobs.claim(boot).await.map(|it| it.fence.task), Some(old[0]));
    assert!(jobs.claim(boot).await.is_none());
    jobs.database.drop().await;
}

#[tokio::test]
async fn many_claims_at_once_never_get_the_same_task_and_leave_none() {
    let jobs = Jobs::new().await;
    jobs.due(jobs.owner, 40, 0).await;
    let claims = (0..6).map(|_| async {
        let (boot, mut mine) = (BootId::new(), Vec::new());
        while let Some(claimed) = jobs.claim(boot).await {
            mine.push(claimed.fence.task);
        }
        mine
    });
    let claimed: Vec<TaskId> = futures_util::future::join_all(claims).await.concat();
    assert_eq!(claimed.len(), 40);
    assert_eq!(claimed.iter().collect::<HashSet<_>>().len(), 40);
    jobs.database.drop().await;
}

#[tokio::test]
async fn nothing_of_a_paused_queue_is_claimed_until_it_goes_on() {
    let jobs = Jobs::new().await;
    jobs.due(jobs.owner, 1, 0).await;
    let mut conn = jobs.database.pool.acquire().await.expect("a connection");
    assert!(queues::pause(&mut conn, "process", jobs.owner).await.expect("paused"));
    assert!(jobs.claim(BootId::new()).await.is_none());
    assert_eq!(queues::resume(&mut conn, "process").await.expect("resumed"), 1);
    assert!(jobs.claim(BootId::new()).await.is_some());
    drop(conn);
    jobs.database.drop().await;
}

#[tokio::test]
async fn a_worker_that_was_given_up_on_cannot_write_any_more() {
    let jobs = Jobs::new().await;
    let task = jobs.due(jobs.owner, 1, 0).await[0];
    let zombie = jobs.claim(BootId::new()).await.expect("claimed").fence;
    let mut tx = jobs.database.pool.begin().await.expect("a transaction");
    assert_eq!(tasks::expire(&mut tx, zombie.boot).await.expect("expired"), 1);
    let expired = tasks::expired(&mut tx).await.expect("an answer").expect("one");
    assert_eq!(expired.fence, zombie);
    assert!(
        tasks::again(&mut tx, zombie, tasks::Account::Interruption, Duration::ZERO, None)
            .await
            .expect("requeued")
    );
    tx.commit().await.expect("committed");

    let heir = jobs.claim(BootId::new()).await.expect("claimed again").fence;
    assert_eq!((heir.task, heir.attempt), (task, 2));
    let mut conn = jobs.database.pool.acquire().await.expect("a connection");
    assert_eq!(tasks::hold(&mut conn, zombie).await.expect("an answer"), None);
    assert!(!tasks::succeed(&mut conn, zombie).await.expect("an answer"));
    assert!(
        !tasks::write_progress(&mut conn, zombie, &Default::default())
            .await
            .expect("an answer")
    );
    assert_eq!(
        tasks::renew(&mut conn, zombie.boot, &[task], LEASE)
            .await
            .expect("an answer"),
        []
    );
    assert_eq!(
        tasks::renew(&mut conn, heir.boot, &[task], LEASE)
            .await
            .expect("an answer"),
        [task]
    );
    assert!(tasks::succeed(&mut conn, heir).await.expect("an answer"));
    drop(conn);
    jobs.database.drop().await;
}

#[tokio::test]
async fn a_run_waits_for_its_files_and_ends_with_its_results() {
    let jobs = Jobs::new().await;
    let (file, _, reading) = jobs.file("orders.xlsx").await;
    let run = jobs.start(&[file]).await;
    assert_eq!(jobs.run(run).await.state, RunState::Waiting);
    let working = jobs.work(jobs.settings(READS, WRITES)).await;
    let ended = jobs.run_ended(run).await;
    assert_eq!(
        (ended.state, ended.succeeded, ended.remaining),
        (RunState::Succeeded, 1, 0)
    );
    assert_eq!(ended.ledger[0]["filtered"], 1);
    assert_eq!(jobs.file_is(file, IngestState::Ready).await.rows, 3);
    assert_eq!(jobs.attempts(reading).await, ["succeeded"]);
    let mut conn = jobs.database.pool.acquire().await.expect("a connection");
    let made = sheetmill::database::artifacts::of_run(&mut conn, run, 10)
        .await
        .expect("an answer");
    assert_eq!(
        made.iter()
            .map(|it| (it.name.as_str(), it.bytes, it.rows))
            .collect::<Vec<_>>(),
        [("orders.csv", 7, Some(2))]
    );
    drop(conn);
    working.stop().await;
    assert_eq!(jobs.left_over(), Vec::<std::path::PathBuf>::new());
    jobs.database.drop().await;
}

#[tokio::test]
async fn of_several_files_one_refused_leaves_a_run_that_succeeded_and_says_so() {
    let jobs = Jobs::new().await;
    let (good, _, reading) = jobs.file("good.xlsx").await;
    let working = jobs.work(jobs.settings(READS, WRITES)).await;
    jobs.task_ended(reading).await;
    working.stop().await;
    let (bad, _, _) = jobs.file("bad.xlsx").await;
    let (gone, _, gone_reading) = jobs.file("gone.xlsx").await;
    let run = jobs.start(&[good, bad, gone]).await;
    let working = jobs.work(jobs.settings(REFUSES, WRITES)).await;
    let ended = jobs.run_ended(run).await;
    assert_eq!(
        (ended.state, ended.succeeded, ended.refused, ended.files),
        (RunState::Succeeded, 1, 2, 3)
    );
    assert_eq!(
        jobs.attempts(gone_reading).await,
        ["failed"],
        "a mistake of the input is tried once"
    );
    assert_eq!(
        jobs.file_is(bad, IngestState::Refused).await.sentence.as_deref(),
        Some("orders.xlsx is not a workbook.")
    );
    // Refused before it began: the run ends where it starts.
    let hopeless = jobs.start(&[bad]).await;
    let ended = jobs.run(hopeless).await;
    assert_eq!(
        (ended.state, ended.sentence.as_deref()),
        (RunState::Failed, Some("orders.xlsx is not a workbook."))
    );
    working.stop().await;
    jobs.database.drop().await;
}

#[tokio::test]
async fn three_crashes_and_the_task_is_dead() {
    let jobs = Jobs::new().await;
    let (file, _, reading) = jobs.file("poison.xlsx").await;
    let working = jobs.work(jobs.settings(CRASHES, WRITES)).await;
    let dead = jobs.task_ended(reading).await;
    assert_eq!(
        (dead.state, dead.reason.as_deref(), dead.crashes),
        (TaskState::Failed, Some("dead"), 2)
    );
    assert_eq!(jobs.attempts(reading).await, ["crashed", "crashed", "crashed"]);
    let told = jobs.file_is(file, IngestState::Failed).await;
    assert!(
        told.sentence
            .expect("a sentence")
            .contains("“poison.xlsx”: this file crashed its reader three times")
    );
    working.stop().await;
    jobs.database.drop().await;
}

#[tokio::test]
async fn a_cancelled_run_stops_a_child_that_hears_nothing_within_two_seconds() {
    let jobs = Jobs::new().await;
    let (file, _, reading) = jobs.file("orders.xlsx").await;
    let working = jobs.work(jobs.settings(READS, HANGS)).await;
    jobs.task_ended(reading).await;
    let (waiting, _) = jobs.bytes("never.xlsx").await;
    let run = jobs.start(&[file, waiting]).await;
    let task = jobs.task_of(run, file).await;
    jobs.task_runs(task).await;
    let began = std::time::Instant::now();
    assert_eq!(
        runs::cancel(&jobs.database.pool, jobs.owner, run)
            .await
            .expect("cancelled"),
        RunState::Cancelling
    );
    let ended = jobs.run_ended(run).await;
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "it took {:?}",
        began.elapsed()
    );
    assert_eq!((ended.state, ended.remaining), (RunState::Cancelled, 0));
    assert_eq!(jobs.attempts(task).await, ["cancelled"]);
    until("the scratch folder is gone", async || {
        jobs.left_over().is_empty().then_some(())
    })
    .await;
    let again = runs::cancel(&jobs.database.pool, jobs.owner, run).await;
    assert!(
        matches!(again, Err(runs::Error::Ended(RunState::Cancelled))),
        "{again:?}"
    );
    // Only the file whose reading is done can be tried again at once; the other waits for its reading.
    assert_eq!(
        runs::retry(&jobs.database.pool, jobs.owner, run)
            .await
            .expect("retried"),
        2
    );
    jobs.run_is(run, RunState::Running).await;
    working.stop().await;
    jobs.database.drop().await;
}

#[tokio::test]
async fn a_lost_ticket_is_replaced_and_a_double_one_is_harmless() {
    let jobs = Jobs::new().await;
    let (_, _, twice) = jobs.file("twice.xlsx").await;
    let mut conn = jobs.database.pool.acquire().await.expect("a connection");
    queue::push_many(&mut conn, "ingest", 3, Duration::ZERO)
        .await
        .expect("tickets");
    let (_, ingest) = jobs.bytes("lost.xlsx").await;
    let lost = jobs.task(Work::Ingest(ingest), jobs.owner, 0).await;
    let working = jobs.work(jobs.settings(READS, WRITES)).await;
    for task in [twice, lost] {
        assert_eq!(jobs.task_ended(task).await.state, TaskState::Succeeded);
        assert_eq!(jobs.attempts(task).await, ["succeeded"]);
    }
    // Now that all tickets are used up, one that never was.
    let (_, ingest) = jobs.bytes("never.xlsx").await;
    until("the tickets are used up", async || {
        (jobs.tickets("ingest").await == 0).then_some(())
    })
    .await;
    let never = jobs.task(Work::Ingest(ingest), jobs.owner, 0).await;
    assert_eq!(jobs.task_ended(never).await.state, TaskState::Succeeded);
    drop(conn);
    working.stop().await;
    jobs.database.drop().await;
}

#[tokio::test]
async fn a_worker_that_stops_hands_back_what_it_runs_and_the_next_one_ends_it() {
    let jobs = Jobs::new().await;
    let (file, _, reading) = jobs.file("orders.xlsx").await;
    let working = jobs.work(jobs.settings(HANGS, WRITES)).await;
    jobs.task_runs(reading).await;
    working.stop().await;
    let back = jobs.task_row(reading).await;
    assert_eq!((back.state, back.failures, back.crashes), (TaskState::Queued, 0, 0));
    assert_eq!(jobs.attempts(reading).await, ["interrupted"]);
    assert_eq!(jobs.left_over(), Vec::<std::path::PathBuf>::new());
    let working = jobs.work(jobs.settings(READS, WRITES)).await;
    jobs.file_is(file, IngestState::Ready).await;
    assert_eq!(jobs.attempts(reading).await, ["interrupted", "succeeded"]);
    working.stop().await;
    jobs.database.drop().await;
}

#[tokio::test]
async fn what_a_silent_worker_held_is_taken_over_when_its_lease_runs_out() {
    let jobs = Jobs::new().await;
    let (_, _, reading) = jobs.file("orders.xlsx").await;
    let silent = BootId::new();
    let mut conn = jobs.database.pool.acquire().await.expect("a connection");
    let held = tasks::claim(&mut conn, "ingest", silent, Duration::from_millis(300))
        .await
        .expect("an answer");
    assert_eq!(held.map(|it| it.fence.task), Some(reading));
    let working = jobs.work(jobs.settings(READS, WRITES)).await;
    let ended = jobs.task_ended(reading).await;
    assert_eq!((ended.state, ended.crashes), (TaskState::Succeeded, 0));
    assert_eq!(jobs.attempts(reading).await, ["crashed", "succeeded"]);
    drop(conn);
    working.stop().await;
    jobs.database.drop().await;
}

#[tokio::test]
async fn an_idempotency_key_starts_one_run_however_often_it_comes() {
    let jobs = Jobs::new().await;
    let (file, _) = jobs.bytes("orders.xlsx").await;
    let start = |priority| runs::Start {
        owner: jobs.owner,
        recipe: runs::RecipeRef::Inline(Box::default()),
        files: vec![file],
        after: Vec::new(),
        references: Default::default(),
        columns: Default::default(),
        priority,
        run_at: None,
        from_scratch: false,
        idempotency_key: Some("one".to_owned()),
        request: sheetmill::domain::ids::RequestId::new(),
    };
    let answers = futures_util::future::join_all((0..20).map(|_| runs::start(&jobs.database.pool, start(0)))).await;
    let ids: HashSet<RunId> = answers.into_iter().map(|it| it.expect("a run").run).collect();
    assert_eq!(ids.len(), 1);
    let other = runs::start(&jobs.database.pool, start(7)).await;
    assert!(matches!(other, Err(runs::Error::KeyReused)), "{other:?}");
    jobs.database.drop().await;
}

impl Jobs {
    async fn task_of(&self, run: RunId, file: FileId) -> TaskId {
        let mut conn = self.database.pool.acquire().await.expect("a connection");
        let rows = sheetmill::database::run_files::of_run(&mut conn, run, 0, 100)
            .await
            .expect("an answer");
        rows.into_iter()
            .find(|it| it.file == file)
            .and_then(|it| it.task)
            .expect("its task")
    }
}
