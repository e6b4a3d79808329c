//! Runs that follow others: they wait until those have ended well, and work on their results.
//!
//! ```text
//! run ended ─▶ the last of those that a run follows ─▶ its gathering task is due ─▶ results become files ─▶ a task for each
//!           └▶ not well: what follows ends as well, saying why
//! ```

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use sheetmill_engine::sheets::IngestOptions;

use crate::database::files::{self, NewFile};
use crate::database::run_files::{self, NewRunFile};
use crate::database::runs::{self, Locked};
use crate::database::tasks::{self, Told};
use crate::database::{self, Tx, blobs, follows};
use crate::domain::ids::{FileId, RunId, Sha256, TaskId};
use crate::domain::states::{IngestState, RunFileState, RunState, TaskKind, TaskState};
use crate::events::{Event, Kind, announce, announce_all};
use crate::queue;
use crate::readings::{self, For, Reading};

/// A result that became a file's bytes; they are in storage.
#[derive(Clone, Debug)]
pub struct Gathered {
    /// Its name for people.
    pub name: String,
    /// Its bytes' name …
    pub blob: Sha256,
    /// … and count.
    pub bytes: u64,
    /// `xlsx` or `csv`.
    pub format: &'static str,
}

/// Tells that a run has ended, and lets what follows it begin, or end.
///
/// # Errors
/// The database's and the queue's; the transaction is then lost.
pub async fn run_ended(tx: &mut Tx, run: &Locked, state: RunState) -> readings::Result<()> {
    let mut ended = VecDeque::from([(run.clone(), state)]);
    while let Some((run, state)) = ended.pop_front() {
        announce(tx, &Event::of(run.owner, Kind::RunEnded).run(run.id)).await?;
        for follower in follows::followers(tx, run.id).await? {
            // Locked before it is looked at the others: of two that end at once, the second sees the first.
            let Some(locked) = runs::lock(tx, follower).await? else {
                continue;
            };
            let Some(task) = follows::waiting_task(tx, follower)
                .await?
                .filter(|_| !locked.state.is_final())
            else {
                continue;
            };
            if state == RunState::Succeeded {
                let others = follows::followed(tx, follower).await?;
                if others.iter().all(|it| it.state == RunState::Succeeded) {
                    begin(tx, &locked, task).await?;
                }
                continue;
            }
            let told = not_well(tx, &run, state, &locked).await?;
            tasks::fail_waiting(tx, task, "not_begun", &told).await?;
            runs::set_state(tx, follower, RunState::Failed, Some(&told)).await?;
            ended.push_back((locked, RunState::Failed));
        }
    }
    Ok(())
}

async fn begin(tx: &mut Tx, run: &Locked, task: TaskId) -> readings::Result<()> {
    let due_in = tasks::release(tx, task).await?;
    queue::push_after(tx, TaskKind::Assemble, due_in).await?;
    announce(tx, &Event::of(run.owner, Kind::TaskQueued).run(run.id).task(task)).await?;
    Ok(())
}

async fn not_well(tx: &mut Tx, run: &Locked, state: RunState, follower: &Locked) -> database::Result<Told> {
    let links = follows::followed(tx, follower.id).await?;
    let name = links
        .into_iter()
        .find(|it| it.id == run.id)
        .map(|it| it.name)
        .unwrap_or_default();
    let name = if name.is_empty() {
        "The run before".to_owned()
    } else {
        format!("“{name}”")
    };
    let how = if state == RunState::Cancelled {
        "was cancelled"
    } else {
        "failed"
    };
    Ok(Told {
        code: "not_begun".to_owned(),
        sentence: format!("{name} {how}, so that there was nothing to work on."),
        reference: follower.request,
    })
}

/// The results are there: they become files, and the run gets a task for each.
///
/// # Errors
/// The database's and the queue's; the transaction is then lost.
pub async fn gathered(tx: &mut Tx, run: RunId, results: &[Gathered], options: &IngestOptions) -> readings::Result<()> {
    let Some(locked) = runs::lock(tx, run).await?.filter(|it| !it.state.is_final()) else {
        return Ok(());
    };
    if results.is_empty() {
        let told = Told {
            code: "no_results".to_owned(),
            sentence: "The run before made no result, so that there was nothing to work on.".to_owned(),
            reference: locked.request,
        };
        return failed(tx, run, &told).await;
    }
    let mut sizes: Vec<(Sha256, u64)> = results.iter().map(|it| (it.blob, it.bytes)).collect();
    sizes.sort_unstable();
    sizes.dedup();
    blobs::want(tx, &sizes).await?;
    let asks = For {
        owner: locked.owner,
        request: locked.request,
    };
    let blobs: Vec<Sha256> = sizes.iter().map(|(blob, _)| *blob).collect();
    let readings = readings::ensure(tx, asks, &blobs, options).await?;
    let Made {
        new,
        of_run,
        due,
        unreadable,
    } = made(&locked, results, &readings);
    files::insert(tx, &new).await?;
    let told: Vec<Event> = new
        .iter()
        .map(|it| Event::of(locked.owner, Kind::FileReceived).file(it.id))
        .collect();
    announce_all(tx, &told).await?;
    let common = tasks::NewOfRun {
        run,
        owner: locked.owner,
        priority: locked.priority,
        run_at: None,
        request: locked.request,
    };
    tasks::insert_of_run(tx, &common, &of_run).await?;
    run_files::insert_all(tx, run, &of_run).await?;
    runs::set_remaining(tx, run, i32::try_from(of_run.len()).unwrap_or(i32::MAX)).await?;
    queue::push_many(tx, TaskKind::Process.queue(), due, Duration::ZERO).await?;
    end_unreadable(tx, run, &unreadable).await
}

/// What the results become.
struct Made<'a> {
    new: Vec<NewFile<'a>>,
    of_run: Vec<NewRunFile>,
    /// How many of the tasks are due at once.
    due: usize,
    unreadable: Vec<(FileId, String)>,
}

fn made<'a>(run: &Locked, results: &'a [Gathered], readings: &HashMap<Sha256, Reading>) -> Made<'a> {
    let mut made = Made {
        new: Vec::with_capacity(results.len()),
        of_run: Vec::with_capacity(results.len()),
        due: 0,
        unreadable: Vec::new(),
    };
    for result in results {
        let Some(reading) = readings.get(&result.blob) else {
            continue;
        };
        let file = FileId::new();
        let task = match reading.state {
            IngestState::Ready => Some(TaskState::Queued),
            IngestState::Received | IngestState::Ingesting => Some(TaskState::Waiting),
            IngestState::Refused | IngestState::Failed => None,
        };
        made.due += usize::from(task == Some(TaskState::Queued));
        if task.is_none() {
            made.unreadable.push((file, result.name.clone()));
        }
        made.of_run.push(NewRunFile {
            file,
            ingest: reading.ingest,
            task: task.map(|state| (TaskId::new(), state)),
        });
        made.new.push(NewFile {
            id: file,
            owner: run.owner,
            blob: result.blob,
            ingest: reading.ingest,
            parent: None,
            name: &result.name,
            format: result.format,
        });
    }
    made
}

/// What we made ourselves can be read; should it not be so, its file says so.
async fn end_unreadable(tx: &mut Tx, run: RunId, unreadable: &[(FileId, String)]) -> readings::Result<()> {
    if unreadable.is_empty() {
        return Ok(());
    }
    let Some(locked) = runs::lock(tx, run).await? else {
        return Ok(());
    };
    for (file, name) in unreadable {
        let told = Told {
            code: "failed".to_owned(),
            sentence: format!("{name} could not be read."),
            reference: locked.request,
        };
        run_files::fail(tx, run, *file, RunFileState::Failed, &told).await?;
    }
    let count = i32::try_from(unreadable.len()).unwrap_or(i32::MAX);
    match runs::end_files(tx, &locked, count, &locked.ledger).await? {
        Some(state) => run_ended(tx, &locked, state).await,
        None => Ok(()),
    }
}

/// The results could not be gathered: the run ends.
///
/// # Errors
/// The database's and the queue's; the transaction is then lost.
pub async fn failed(tx: &mut Tx, run: RunId, told: &Told) -> readings::Result<()> {
    let Some(locked) = runs::lock(tx, run).await?.filter(|it| !it.state.is_final()) else {
        return Ok(());
    };
    runs::set_state(tx, run, RunState::Failed, Some(told)).await?;
    run_ended(tx, &locked, RunState::Failed).await
}

/// The gathering was cancelled: the run ends.
///
/// # Errors
/// The database's and the queue's; the transaction is then lost.
pub async fn cancelled(tx: &mut Tx, run: RunId) -> readings::Result<()> {
    let Some(locked) = runs::lock(tx, run).await?.filter(|it| !it.state.is_final()) else {
        return Ok(());
    };
    runs::set_state(tx, run, RunState::Cancelled, None).await?;
    run_ended(tx, &locked, RunState::Cancelled).await
}
