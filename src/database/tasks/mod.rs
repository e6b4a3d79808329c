//! Tasks: units of queued work. Their claim, lease and end; whoever writes during an attempt shows its [`Fence`].
//!
//! Lock order, so that nobody waits in a circle: tasks by id, then runs by id, then files of runs.

use super::run_files::NewRunFile;
use super::{Connection, Result};
use crate::domain::ids::{BootId, FileId, IngestId, RequestId, RunId, TaskId, TickId, UserId};
use crate::domain::states::{TaskKind, TaskState};
use chrono::{DateTime, Utc};
use uuid::Uuid;

mod asked;
mod end;
mod inputs;
mod lease;
mod list;
mod upkeep;
mod waiting;

pub use asked::{Ended, ask_to_cancel, cancel_run, ended_of_run, reading, request_cancel, restart};
pub use end::{Account, Told, again, cancel, fail, hold, succeed};
pub use inputs::{IngestInput, RunInput, ingest_input, readers, run_input};
pub use lease::{Claimed, asked_to_cancel, claim, expire, expired, overdue, renew, write_progress};
pub use list::{TaskRow, counts, find, list};
pub use upkeep::{NewOfTick, claim_upkeep, insert_of_tick};
pub use waiting::{Waiting, fail_waiting, put_off, release, waiting_for};

/// What a task works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// A blob under options.
    Ingest(IngestId),
    /// A file of a run.
    RunFile(RunId, FileId),
    /// The results of the runs that a run follows.
    Gather(RunId),
    /// What a schedule is for.
    Tick(TickId),
}

impl Work {
    /// Out of the columns that hold it, one of the kinds as a CHECK says.
    fn of(ingest: Option<IngestId>, run: Option<(RunId, Option<FileId>)>, tick: Option<TickId>) -> Option<Self> {
        let of_run = |(run, file): (RunId, Option<FileId>)| match file {
            Some(file) => Self::RunFile(run, file),
            None => Self::Gather(run),
        };
        ingest.map(Self::Ingest).or(run.map(of_run)).or(tick.map(Self::Tick))
    }
}

/// Proof that an attempt may write: the database compares all three. Anything else has been taken over by others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fence {
    /// The task.
    pub task: TaskId,
    /// The attempt's number, from 1.
    pub attempt: i32,
    /// The worker's start that claimed it.
    pub boot: BootId,
}

/// Remembers a task for each of these ingests, due now.
pub async fn insert_of_ingests(
    conn: &mut Connection,
    owner: UserId,
    request: RequestId,
    new: &[(TaskId, IngestId)],
) -> Result<()> {
    let ids: Vec<Uuid> = new.iter().map(|(task, _)| task.0).collect();
    let ingests: Vec<Uuid> = new.iter().map(|(_, ingest)| ingest.0).collect();
    sqlx::query!(
        "insert into tasks (id, kind, queue, owner, ingest_id, state, request_id)
         select given.id, $1, $2, $3, given.ingest_id, 'queued', $4
         from unnest($5::uuid[], $6::uuid[]) as given (id, ingest_id)",
        TaskKind::Ingest.as_str(),
        TaskKind::Ingest.queue(),
        owner.0,
        request.0,
        &ids,
        &ingests,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Remembers the task that gathers for a run the results of those that it follows: due, or waiting for them.
pub async fn insert_gathering(conn: &mut Connection, task: TaskId, new: &NewOfRun, state: TaskState) -> Result<()> {
    sqlx::query!(
        "insert into tasks (id, kind, queue, owner, run_id, state, priority, run_at, request_id)
         values ($1, $2, $3, $4, $5, $6, $7, coalesce($8, now()), $9)",
        task.0,
        TaskKind::Assemble.as_str(),
        TaskKind::Assemble.queue(),
        new.owner.0,
        new.run.0,
        state.as_str(),
        new.priority,
        new.run_at,
        new.request.0,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What the tasks of a run's files have in common.
#[derive(Clone, Copy, Debug)]
pub struct NewOfRun {
    /// The run.
    pub run: RunId,
    /// Whose share of the workers they count on.
    pub owner: UserId,
    /// Higher goes first among the owner's.
    pub priority: i32,
    /// Not before; `None`: now.
    pub run_at: Option<DateTime<Utc>>,
    /// The request that asked for them.
    pub request: RequestId,
}

/// Remembers a process task for each file that has one.
pub async fn insert_of_run(conn: &mut Connection, new: &NewOfRun, files: &[NewRunFile]) -> Result<()> {
    let (mut ids, mut of, mut states) = (Vec::new(), Vec::new(), Vec::new());
    for (file, (task, state)) in files.iter().filter_map(|it| it.task.map(|task| (it.file, task))) {
        ids.push(task.0);
        of.push(file.0);
        states.push(state.as_str().to_owned());
    }
    sqlx::query!(
        "insert into tasks (id, kind, queue, owner, run_id, file_id, state, priority, run_at, request_id)
         select given.id, $1, $2, $3, $4, given.file_id, given.state, $5, coalesce($6, now()), $7
         from unnest($8::uuid[], $9::uuid[], $10::text[]) as given (id, file_id, state)",
        TaskKind::Process.as_str(),
        TaskKind::Process.queue(),
        new.owner.0,
        new.run.0,
        new.priority,
        new.run_at,
        new.request.0,
        &ids,
        &of,
        &states,
    )
    .execute(conn)
    .await?;
    Ok(())
}
