//! Claims, leases, ends, cancellations and retries in any order, by two workers: whatever happens, each task is in one
//! place, each attempt is told of once, and a run ends exactly when its last file does.

use std::time::Duration;

use sheetmill::database::attempts::{self, AttemptEnd};
use sheetmill::database::tasks::{self, Account, Claimed, Fence, Told, Work};
use sheetmill::database::{Tx, run_files, runs as run_rows};
use sheetmill::domain::ids::{BootId, FileId, RequestId, RunId};
use sheetmill::domain::states::{AttemptState, RunFileState};
use sheetmill::runs;

use crate::jobs::Jobs;

const TASKS: usize = 4;
const STEPS: usize = 120;
const LEASE: Duration = Duration::from_secs(600);

/// A small generator (xorshift, Marsaglia 2003): the seed of a failure is all that is needed to see it again.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

struct Model {
    jobs: Jobs,
    run: RunId,
    boots: [BootId; 2],
    /// What each worker believes to hold, fenced or not.
    held: Vec<Claimed>,
    dice: Dice,
}

impl Model {
    async fn new(seed: u64) -> Self {
        let jobs = Jobs::new().await;
        let mut files = Vec::new();
        for _ in 0..TASKS {
            let (file, ingest) = jobs.bytes("orders.xlsx").await;
            let mut tx = jobs.database.pool.begin().await.expect("a transaction");
            sheetmill::database::ingests::finish(&mut tx, ingest, 3)
                .await
                .expect("ready");
            tx.commit().await.expect("committed");
            files.push(file);
        }
        let run = jobs.start(&files).await;
        Self {
            jobs,
            run,
            boots: [BootId::new(), BootId::new()],
            held: Vec::new(),
            dice: Dice(seed),
        }
    }

    async fn step(&mut self) -> &'static str {
        match self.dice.throw(9) {
            0..=2 => self.claim().await,
            3 => self.sweep().await,
            4 => self.silence().await,
            5 => self.end(AttemptState::Succeeded).await,
            6 => self.end(AttemptState::Failed).await,
            7 => self.end(AttemptState::Crashed).await,
            _ if self.dice.throw(4) == 0 => self.cancel().await,
            _ => self.retry().await,
        }
    }

    async fn claim(&mut self) -> &'static str {
        let boot = self.boots[usize::from(self.dice.throw(2) == 0)];
        let mut conn = self.jobs.database.pool.acquire().await.expect("a connection");
        self.held.extend(
            tasks::claim(&mut conn, "process", boot, LEASE)
                .await
                .expect("an answer"),
        );
        "claim"
    }

    /// A worker falls silent: its leases run out, though it still believes in them.
    async fn silence(&mut self) -> &'static str {
        let boot = self.boots[usize::from(self.dice.throw(2) == 0)];
        let mut conn = self.jobs.database.pool.acquire().await.expect("a connection");
        tasks::expire(&mut conn, boot).await.expect("an answer");
        "silence"
    }

    async fn sweep(&mut self) -> &'static str {
        let mut tx = self.jobs.database.pool.begin().await.expect("a transaction");
        if let Some(expired) = tasks::expired(&mut tx).await.expect("an answer") {
            let end = if expired.cancel_requested {
                AttemptState::Cancelled
            } else {
                AttemptState::Crashed
            };
            settle(&mut tx, expired.fence, expired.work, end).await;
        }
        tx.commit().await.expect("committed");
        "sweep"
    }

    /// Some worker ends what it believes to hold.
    async fn end(&mut self, state: AttemptState) -> &'static str {
        if self.held.is_empty() {
            return "nothing held";
        }
        let index = usize::try_from(self.dice.throw(self.held.len() as u64)).expect("an index");
        let claimed = self.held.swap_remove(index);
        let mut tx = self.jobs.database.pool.begin().await.expect("a transaction");
        let Some(cancelled) = tasks::hold(&mut tx, claimed.fence).await.expect("an answer") else {
            attempts::end(&mut tx, claimed.fence, &AttemptEnd::plain(AttemptState::Fenced))
                .await
                .expect("noted");
            tx.commit().await.expect("committed");
            return "fenced";
        };
        let state = if cancelled { AttemptState::Cancelled } else { state };
        settle(&mut tx, claimed.fence, claimed.work, state).await;
        tx.commit().await.expect("committed");
        state.as_str()
    }

    async fn cancel(&mut self) -> &'static str {
        match runs::cancel(&self.jobs.database.pool, self.jobs.owner, self.run).await {
            Ok(_) | Err(runs::Error::Ended(_)) => "cancel",
            Err(error) => panic!("cancel: {error}"),
        }
    }

    async fn retry(&mut self) -> &'static str {
        match runs::retry(&self.jobs.database.pool, self.jobs.owner, self.run).await {
            Ok(_) | Err(runs::Error::NothingToRetry) => "retry",
            Err(error) => panic!("retry: {error}"),
        }
    }

    async fn check(&self, seed: u64, told: &[&str]) {
        let database = &self.jobs.database;
        for (what, wrong) in [
            ("a running task has one running attempt: its latest, by the worker that has it",
             "select count(*) from tasks t where t.state = 'running' and (select count(*) from attempts a where a.task_id = t.id
              and a.state = 'running' and a.number = t.attempt and a.boot_id = t.boot_id) <> 1"),
            ("an attempt runs only while its task does",
             "select count(*) from attempts a join tasks t on t.id = a.task_id
              where a.state = 'running' and (t.state <> 'running' or a.number <> t.attempt)"),
            ("a task has as many attempts as it counts",
             "select count(*) from tasks t where t.attempt <> (select count(*) from attempts a where a.task_id = t.id)"),
            ("a task succeeds once",
             "select count(*) from tasks t where (t.state = 'succeeded')::int <>
              (select count(*) from attempts a where a.task_id = t.id and a.state = 'succeeded')"),
            ("a run waits for as many files as are unfinished",
             "select count(*) from runs r where r.remaining <> (select count(*) from run_files f where f.run_id = r.id
              and f.state in ('waiting', 'running'))"),
            ("a run has ended exactly when none remains",
             "select count(*) from runs where (remaining = 0) <> (state in ('succeeded', 'failed', 'cancelled'))"),
            ("a file of a run stands where its task stands",
             "select count(*) from run_files f join tasks t on t.id = f.task_id
              where (f.state in ('waiting', 'running')) <> (t.state in ('waiting', 'queued', 'running'))
                 or (f.state = 'succeeded') <> (t.state = 'succeeded')"),
        ] {
            assert_eq!(database.number(wrong).await, 0, "{what}; seed {seed}: {told:?}");
        }
    }
}

/// What a worker writes at the end of an attempt, in the same order.
async fn settle(tx: &mut Tx, fence: Fence, work: Work, state: AttemptState) {
    let Work::RunFile(run, file) = work else { return };
    let told = Told {
        code: "c".to_owned(),
        sentence: "S.".to_owned(),
        reference: RequestId::new(),
    };
    let still_ours = match state {
        AttemptState::Succeeded => tasks::succeed(tx, fence).await,
        AttemptState::Failed => tasks::fail(tx, fence, "failed", &told).await,
        AttemptState::Cancelled => tasks::cancel(tx, fence).await,
        _ => tasks::again(tx, fence, Account::Crash, Duration::ZERO, None).await,
    };
    assert!(still_ours.expect("an answer"), "the row was locked by this transaction");
    attempts::end(tx, fence, &AttemptEnd::plain(state))
        .await
        .expect("noted");
    if state != AttemptState::Crashed {
        end_file(tx, run, file, state, &told).await;
    }
}

async fn end_file(tx: &mut Tx, run: RunId, file: FileId, state: AttemptState, told: &Told) {
    let locked = run_rows::lock(tx, run).await.expect("an answer").expect("the run");
    let changed = match state {
        AttemptState::Succeeded => {
            let done = run_files::Done {
                rows: (3, 3),
                ..run_files::Done::default()
            };
            run_files::succeed(tx, run, file, &done).await
        }
        AttemptState::Failed => run_files::fail(tx, run, file, RunFileState::Failed, told).await,
        _ => run_files::set_state(tx, run, file, RunFileState::Cancelled).await,
    };
    let ended = i32::from(changed.expect("an answer"));
    run_rows::end_files(tx, &locked, ended, &locked.ledger)
        .await
        .expect("an answer");
}

#[tokio::test]
async fn whatever_happens_in_whatever_order_every_task_ends_up_in_one_place() {
    for seed in [0x9E37_79B9, 0xDEAD_BEEF_CAFE, 42, 0x0123_4567_89AB_CDEF] {
        let mut model = Model::new(seed).await;
        let mut told = Vec::new();
        for _ in 0..STEPS {
            told.push(model.step().await);
            model.check(seed, &told).await;
        }
        model.jobs.database.drop().await;
    }
}
