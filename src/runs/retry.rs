//! Tries again what has failed: by hand, from the start, with all counts at zero.

use std::time::Duration;

use super::Error;
use crate::database::tasks::{self, Ended};
use crate::database::{Pool, Tx, ingests, run_files, runs};
use crate::domain::ids::{IngestId, RequestId, RunId, TaskId, UserId};
use crate::domain::states::{IngestState, RunState, TaskKind, TaskState};
use crate::events::{Event, Kind, announce};
use crate::queue;

/// Tries the failed and cancelled files of an owner's run again; answers how many.
///
/// # Errors
/// [`Error::NoRun`]; [`Error::NothingToRetry`]; the database's.
pub async fn retry(pool: &Pool, owner: UserId, run: RunId) -> Result<usize, Error> {
    let mut tx = pool.begin().await?;
    runs::find(&mut tx, owner, run).await?.ok_or(Error::NoRun)?;
    let ended = tasks::ended_of_run(&mut tx, run, None).await?;
    let count = restart(&mut tx, run, &ended).await?;
    tx.commit().await?;
    Ok(count)
}

/// Tries one failed or cancelled task again, for admins; `asked_by` is the request that says so, for the log.
///
/// # Errors
/// [`Error::NothingToRetry`] when it has not ended, or has succeeded; the database's.
pub async fn retry_task(pool: &Pool, task: TaskId, asked_by: RequestId) -> Result<(), Error> {
    let mut tx = pool.begin().await?;
    let row = tasks::find(&mut tx, task).await?.ok_or(Error::NothingToRetry)?;
    tracing::info!(%task, request = %asked_by, "a task is tried again by hand");
    match (row.run, row.ingest) {
        (Some(run), _) => {
            let ended = tasks::ended_of_run(&mut tx, run, Some(task)).await?;
            restart(&mut tx, run, &ended).await?;
        }
        (None, Some(ingest)) => restart_reading(&mut tx, task, ingest).await?,
        (None, None) if row.tick.is_some() => {
            if !tasks::restart(&mut tx, task, TaskState::Queued).await? {
                return Err(Error::NothingToRetry);
            }
            announce(&mut tx, &Event::of_admins(Kind::TaskQueued).task(task)).await?;
        }
        (None, None) => return Err(Error::NothingToRetry),
    }
    tx.commit().await?;
    Ok(())
}

async fn restart_reading(tx: &mut Tx, task: TaskId, ingest: IngestId) -> Result<(), Error> {
    if !tasks::restart(tx, task, TaskState::Queued).await? {
        return Err(Error::NothingToRetry);
    }
    ingests::receive_again(tx, &[ingest]).await?;
    queue::push(tx, TaskKind::Ingest).await?;
    for (file, owner) in tasks::readers(tx, ingest).await? {
        announce(tx, &Event::of(owner, Kind::FileReceived).file(file)).await?;
    }
    Ok(())
}

/// Files whose reading has failed cannot be tried again here: there is nothing to work on.
async fn restart(tx: &mut Tx, run: RunId, ended: &[Ended]) -> Result<usize, Error> {
    let mut restarted = Vec::new();
    let mut due = 0;
    for task in ended {
        let state = match task.ingest_state {
            IngestState::Ready => TaskState::Queued,
            IngestState::Received | IngestState::Ingesting => TaskState::Waiting,
            IngestState::Refused | IngestState::Failed => continue,
        };
        if tasks::restart(tx, task.id, state).await? {
            due += usize::from(state == TaskState::Queued);
            restarted.push(task.file);
        }
    }
    if restarted.is_empty() {
        return Err(Error::NothingToRetry);
    }
    let locked = runs::lock(tx, run)
        .await?
        .filter(|it| it.state != RunState::Cancelling)
        .ok_or(Error::NothingToRetry)?;
    let mut files = 0;
    for file in &restarted {
        files += i32::from(run_files::restart(tx, run, *file).await?);
    }
    runs::restart_files(tx, &locked, files).await?;
    queue::push_many(tx, TaskKind::Process.queue(), due, Duration::ZERO).await?;
    announce(tx, &Event::of(locked.owner, Kind::RunRetried).run(run)).await?;
    Ok(restarted.len())
}
