//! Cancels: what does not run ends at once, what runs is told to stop.

use super::Error;
use crate::database::runs::{self, Locked};
use crate::database::{Pool, Tx, run_files, tasks};
use crate::domain::ids::{FileId, IngestId, RunId, TaskId, UserId};
use crate::domain::states::{RunState, TaskKind, TaskState};
use crate::events::{Event, Kind, announce};
use crate::{chains, queue};

/// Cancels an owner's run. Answers `cancelled`, or `cancelling` while attempts are being stopped.
///
/// # Errors
/// [`Error::NoRun`]; [`Error::Ended`]; the database's.
pub async fn cancel(pool: &Pool, owner: UserId, run: RunId) -> Result<RunState, Error> {
    let mut tx = pool.begin().await?;
    runs::find(&mut tx, owner, run).await?.ok_or(Error::NoRun)?;
    let (idle, running) = tasks::cancel_run(&mut tx, run).await?;
    let locked = runs::lock(&mut tx, run).await?.ok_or(Error::NoRun)?;
    if locked.state.is_final() {
        return Err(Error::Ended(locked.state));
    }
    if locked.state != RunState::Cancelling {
        runs::set_state(&mut tx, run, RunState::Cancelling, None).await?;
        announce(&mut tx, &Event::of(owner, Kind::RunCancelling).run(run)).await?;
    }
    for task in running {
        announce(&mut tx, &Event::of(owner, Kind::CancelRequested).run(run).task(task)).await?;
    }
    let cancelling = Locked {
        state: RunState::Cancelling,
        ..locked
    };
    let gathering = i32::from(idle.contains(&None));
    let idle: Vec<FileId> = idle.into_iter().flatten().collect();
    let state = end_cancelled(&mut tx, &cancelling, &idle, gathering).await?;
    tx.commit().await?;
    Ok(state)
}

/// Cancels one task, for admins.
///
/// # Errors
/// [`Error::TaskEnded`] when it has ended or never was; the database's.
pub async fn cancel_task(pool: &Pool, task: TaskId) -> Result<(), Error> {
    let mut tx = pool.begin().await?;
    let row = tasks::find(&mut tx, task).await?.ok_or(Error::TaskEnded)?;
    match (row.run, row.file) {
        (Some(run), file) => cancel_of_run(&mut tx, run, file, task).await?,
        _ if row.tick.is_some() => cancel_tick(&mut tx, task).await?,
        _ => ask_to_stop(&mut tx, task).await?,
    }
    tx.commit().await?;
    Ok(())
}

/// Stops the reading of an ingest that nobody needs any more.
///
/// # Errors
/// The database's; the transaction is then lost.
pub async fn cancel_reading(tx: &mut Tx, ingest: IngestId) -> Result<(), Error> {
    match tasks::reading(tx, ingest).await? {
        Some(task) => ask_to_stop(tx, task).await,
        None => Ok(()),
    }
}

/// A task of an ingest ends in a worker's hands even if it has not begun: what waits for it has to be ended with it.
async fn ask_to_stop(tx: &mut Tx, task: TaskId) -> Result<(), Error> {
    if !tasks::ask_to_cancel(tx, task).await? {
        return Err(Error::TaskEnded);
    }
    announce(tx, &Event::of_admins(Kind::CancelRequested).task(task)).await?;
    Ok(queue::push(tx, TaskKind::Ingest).await?)
}

/// Nothing waits for what the house does for itself: where it does not run, it ends at once.
async fn cancel_tick(tx: &mut Tx, task: TaskId) -> Result<(), Error> {
    let before = tasks::request_cancel(tx, task).await?.ok_or(Error::TaskEnded)?;
    let kind = match before {
        TaskState::Running => Kind::CancelRequested,
        _ => Kind::TaskEnded,
    };
    Ok(announce(tx, &Event::of_admins(kind).task(task)).await?)
}

async fn cancel_of_run(tx: &mut Tx, run: RunId, file: Option<FileId>, task: TaskId) -> Result<(), Error> {
    let before = tasks::request_cancel(tx, task).await?.ok_or(Error::TaskEnded)?;
    let locked = runs::lock(tx, run).await?.ok_or(Error::NoRun)?;
    let told = |kind| {
        let event = Event::of(locked.owner, kind).run(run).task(task);
        file.map_or(event, |file| event.file(file))
    };
    if before == TaskState::Running {
        announce(tx, &told(Kind::CancelRequested)).await?;
        return Ok(());
    }
    announce(tx, &told(Kind::TaskEnded)).await?;
    let gathering = i32::from(file.is_none());
    end_cancelled(tx, &locked, file.as_slice(), gathering).await?;
    Ok(())
}

/// Ends files that were not being worked on, and the gathering of results that counts as one; the last one ends the run.
async fn end_cancelled(tx: &mut Tx, run: &Locked, files: &[FileId], gathering: i32) -> Result<RunState, Error> {
    let ended = run_files::cancel(tx, run.id, files).await? + gathering;
    let end = runs::end_files(tx, run, ended, &run.ledger).await?;
    if let Some(state) = end {
        chains::run_ended(tx, run, state).await?;
    }
    Ok(end.unwrap_or(run.state))
}
