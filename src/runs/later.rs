//! A run that waits for its time gets another one, or begins at once.

use super::start::pause_until;
use super::{Error, When};
use crate::database::{Pool, runs, tasks};
use crate::domain::ids::{RunId, UserId};
use crate::domain::states::{RunState, TaskKind};
use crate::events::{Event, Kind, announce};
use crate::queue;

/// Has an owner's run begin at another time; `None`: now.
///
/// # Errors
/// [`Error::NoRun`], [`Error::Begun`], [`Error::Ended`], [`Error::TooFarAhead`]; the database's.
pub async fn start_at(pool: &Pool, owner: UserId, run: RunId, when: Option<When>) -> Result<(), Error> {
    let mut tx = pool.begin().await?;
    runs::find(&mut tx, owner, run).await?.ok_or(Error::NoRun)?;
    let at = when
        .unwrap_or(When::After(std::time::Duration::ZERO))
        .instant(&mut tx)
        .await?;
    // Tasks first: who claims one has it locked, and then the run.
    let due = tasks::put_off(&mut tx, run, at).await?;
    let locked = runs::lock(&mut tx, run).await?.ok_or(Error::NoRun)?;
    match locked.state {
        RunState::Waiting => {}
        ended if ended.is_final() => return Err(Error::Ended(ended)),
        _ => return Err(Error::Begun),
    }
    runs::set_run_at(&mut tx, run, at).await?;
    let pause = pause_until(&mut tx, Some(at)).await?;
    queue::push_many(&mut tx, TaskKind::Process.queue(), due, pause).await?;
    announce(&mut tx, &Event::of(locked.owner, Kind::RunPutOff).run(run)).await?;
    tx.commit().await?;
    Ok(())
}
