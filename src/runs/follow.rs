//! Starts a run that follows others: it works on their results once they have all ended well.

use chrono::{DateTime, Utc};

use super::start::Wanted;
use super::{Error, Start};
use crate::database::Tx;
use crate::database::follows::{self, Held};
use crate::database::tasks::{self, NewOfRun};
use crate::domain::ids::{RunId, TaskId};
use crate::domain::states::{RunState, TaskKind, TaskState};
use crate::queue;

/// The most runs that one follows.
const AT_MOST: usize = 100;

/// Looks whether a run can follow these, and gives them back each once, held: they cannot end before the transaction does.
///
/// # Errors
/// [`Error::NoRun`]; [`Error::FilesAndRuns`]; [`Error::TooManyFollowed`]; [`Error::CannotFollow`]; the database's.
pub(super) async fn held(tx: &mut Tx, start: &Start, wanted: &Wanted) -> Result<Vec<Held>, Error> {
    if !start.files.is_empty() {
        return Err(Error::FilesAndRuns);
    }
    let mut after = start.after.clone();
    after.sort_unstable();
    after.dedup();
    if after.len() > AT_MOST {
        return Err(Error::TooManyFollowed(AT_MOST));
    }
    let held = follows::hold(tx, start.owner, &after).await?;
    if held.len() < after.len() {
        return Err(Error::NoRun);
    }
    let name = |it: &Held| {
        if it.name.is_empty() {
            "The run".to_owned()
        } else {
            format!("“{}”", it.name)
        }
    };
    if let Some(ended) = held
        .iter()
        .find(|it| matches!(it.state, RunState::Failed | RunState::Cancelled | RunState::Cancelling))
    {
        return Err(Error::CannotFollow(format!(
            "{} did not end well: there is no result to work on.",
            name(ended)
        )));
    }
    if let Some(other) = held
        .iter()
        .find(|it| !matches!(it.format.as_deref(), None | Some("xlsx" | "csv")))
    {
        let format = other.format.clone().unwrap_or_default();
        return Err(Error::CannotFollow(format!(
            "The results of {} are {format}, which is not read again: choose xlsx or csv as its output.",
            name(other)
        )));
    }
    if wanted.recipe.puts_files_together() {
        return Err(Error::CannotFollow(
            "A recipe that puts the rows of all files together cannot follow a run by itself yet: run it on the results when they are there."
                .to_owned(),
        ));
    }
    Ok(held)
}

/// Remembers what the run follows, and the task that gathers it.
///
/// # Errors
/// The database's and the queue's.
pub(super) async fn insert(
    tx: &mut Tx,
    start: &Start,
    (run, run_at): (RunId, Option<DateTime<Utc>>),
    held: &[Held],
) -> Result<(), Error> {
    // In the order in which they were named.
    let mut after: Vec<RunId> = Vec::with_capacity(held.len());
    for id in &start.after {
        if !after.contains(id) {
            after.push(*id);
        }
    }
    follows::insert(tx, run, &after).await?;
    let new = NewOfRun {
        run,
        owner: start.owner,
        priority: start.priority,
        run_at,
        request: start.request,
    };
    let ready = held.iter().all(|it| it.state == RunState::Succeeded);
    let state = if ready { TaskState::Queued } else { TaskState::Waiting };
    tasks::insert_gathering(tx, TaskId::new(), &new, state).await?;
    if ready {
        let pause = super::start::pause_until(tx, run_at).await?;
        queue::push_after(tx, TaskKind::Assemble, pause).await?;
    }
    Ok(())
}
