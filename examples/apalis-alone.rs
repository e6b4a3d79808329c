//! A worker on apalis-postgres alone, as its examples write it: what tests/alone/alone.py has go wrong.
//!
//! `apalis-alone DATABASE prepare` makes the tables; `… push COUNT SECONDS HOW TRIES` puts jobs into the queue; `… work NAME
//! HEARTBEAT MISSED BATCH` works under a name, with a heartbeat in milliseconds, until it is killed. Each time a job is begun
//! there is a row in `begun`, and its end is written there too: that is the effect a user would see.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use apalis::prelude::{Task, TaskBuilder, TaskSink as _, WorkerBuilder};
use apalis_postgres::{Config, PostgresStorage};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::PollSemaphore;
use tower_service::Service;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Job {
    number: i64,
    seconds: f64,
    how: How,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum How {
    /// Takes its time and ends well.
    Work,
    /// Takes the whole process down, as a file does that crashes its reader.
    Abort,
}

const QUEUE: &str = "alone";
const USAGE: &str = "DATABASE prepare | push COUNT SECONDS work|abort TRIES | work NAME HEARTBEAT MISSED BATCH";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [database, what @ ..] = &arguments[..] else {
        return Err(USAGE.into());
    };
    let pool = PgPool::connect(database).await?;
    match what.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["prepare"] => prepare(&pool).await,
        ["push", count, seconds, how, tries] => {
            let how = if how == "abort" { How::Abort } else { How::Work };
            push(&pool, count.parse()?, seconds.parse()?, how, tries.parse()?).await
        }
        ["work", name, heartbeat, missed, batch] => {
            let config = Config::default()
                .queue(QUEUE)
                .heartbeat_interval(Duration::from_millis(heartbeat.parse()?))
                .missed_heartbeats(missed.parse()?)
                .batch_size(batch.parse()?);
            work(pool, name, config).await
        }
        _ => Err(USAGE.into()),
    }
}

async fn prepare(pool: &PgPool) -> Result<(), Box<dyn Error>> {
    PostgresStorage::setup(pool).await?;
    sqlx::query(
        "create table if not exists begun (id bigint generated always as identity primary key, job bigint not null, worker text not null, \
         at timestamptz not null default now(), ended_at timestamptz)",
    )
    .execute(pool)
    .await?;
    Ok(())
}

async fn push(pool: &PgPool, count: i64, seconds: f64, how: How, tries: usize) -> Result<(), Box<dyn Error>> {
    let mut storage = PostgresStorage::<Job>::new(pool).with_config(Config::default().queue(QUEUE));
    for number in 0..count {
        let job = Job { number, seconds, how };
        storage
            .push_task(TaskBuilder::new(job).max_attempts(tries).build())
            .await?;
    }
    Ok(())
}

async fn work(pool: PgPool, name: &str, config: Config) -> Result<(), Box<dyn Error>> {
    let backend = PostgresStorage::<Job>::new(&pool).with_config(config).with_pubsub();
    let handler = OneAtATime {
        pool,
        name: name.to_owned(),
        turns: PollSemaphore::new(Arc::new(Semaphore::new(1))),
        turn: None,
    };
    let worker = WorkerBuilder::new(name).backend(backend).build(handler);
    worker.run().await.map_err(|error| error.to_string().into())
}

/// Ready for a job when the one before it has ended, as it has to be where a job takes a whole processor.
struct OneAtATime {
    pool: PgPool,
    name: String,
    turns: PollSemaphore,
    turn: Option<OwnedSemaphorePermit>,
}

impl Clone for OneAtATime {
    fn clone(&self) -> Self {
        Self {
            pool: self.pool.clone(),
            name: self.name.clone(),
            turns: self.turns.clone(),
            turn: None,
        }
    }
}

impl Service<Task<Job>> for OneAtATime {
    type Response = ();
    type Error = sqlx::Error;
    type Future = Pin<Box<dyn Future<Output = Result<(), sqlx::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), sqlx::Error>> {
        if self.turn.is_none() {
            self.turn = ready!(self.turns.poll_acquire(cx));
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, task: Task<Job>) -> Self::Future {
        let (pool, name, turn) = (self.pool.clone(), self.name.clone(), self.turn.take());
        Box::pin(async move {
            let handled = handle(task.args, &pool, &name).await;
            drop(turn);
            handled
        })
    }
}

async fn handle(job: Job, pool: &PgPool, worker: &str) -> Result<(), sqlx::Error> {
    let begun: i64 = sqlx::query_scalar("insert into begun (job, worker) values ($1, $2) returning id")
        .bind(job.number)
        .bind(worker)
        .fetch_one(pool)
        .await?;
    if let How::Abort = job.how {
        std::process::abort();
    }
    tokio::time::sleep(Duration::from_secs_f64(job.seconds)).await;
    sqlx::query("update begun set ended_at = now() where id = $1")
        .bind(begun)
        .execute(pool)
        .await?;
    Ok(())
}
