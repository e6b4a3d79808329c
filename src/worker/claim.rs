//! A ticket came: claim what is due, if anything is, and begin.

use std::sync::Arc;

use super::settle::{Error, about};
use super::{Context, attempt};
use crate::database::tasks::{self, Claimed, Work};
use crate::database::{Tx, ingests, run_files, runs};
use crate::domain::states::{RunFileState, RunState};
use crate::events::{Event, Kind, announce};
use crate::queue::Slot;

/// Handles a ticket of a queue: the attempt goes on by itself, so that the ticket is done at once.
pub async fn on_ticket(context: Arc<Context>, queue: &'static str, slot: Slot) {
    if context.stopping.is_cancelled() {
        return;
    }
    match claim(&context, queue).await {
        Ok(Some(claimed)) => {
            let holding = context.held.hold(claimed.fence);
            context
                .attempts
                .spawn(attempt::run(Arc::clone(&context), claimed, holding, slot));
        }
        Ok(None) => {}
        // The ticket is lost; the sweeper pushes one for what waits too long.
        Err(error) => tracing::warn!(queue, %error, "nothing could be claimed"),
    }
}

/// Begins what is due by itself, where nothing of it runs here already.
pub async fn take_upkeep(context: &Arc<Context>) -> Result<(), Error> {
    if context.stopping.is_cancelled() {
        return Ok(());
    }
    let Some(slot) = Slot::of(&context.upkeep) else {
        return Ok(());
    };
    let mut tx = context.pool.begin().await?;
    let Some(claimed) = tasks::claim_upkeep(&mut tx, context.boot, context.settings.lease).await? else {
        return Ok(());
    };
    announce(&mut tx, &about(&claimed, Kind::TaskStarted)).await?;
    tx.commit().await?;
    let holding = context.held.hold(claimed.fence);
    context
        .attempts
        .spawn(attempt::run(Arc::clone(context), claimed, holding, slot));
    Ok(())
}

async fn claim(context: &Context, queue: &str) -> Result<Option<Claimed>, Error> {
    let mut tx = context.pool.begin().await?;
    let Some(claimed) = tasks::claim(&mut tx, queue, context.boot, context.settings.lease).await? else {
        return Ok(None);
    };
    announce(&mut tx, &about(&claimed, Kind::TaskStarted)).await?;
    began(&mut tx, &claimed).await?;
    tx.commit().await?;
    Ok(Some(claimed))
}

/// What the beginning of an attempt means for its ingest or its run.
async fn began(tx: &mut Tx, claimed: &Claimed) -> Result<(), Error> {
    match claimed.work {
        Work::Ingest(ingest) => {
            ingests::begin(tx, ingest).await?;
            for (file, owner) in tasks::readers(tx, ingest).await? {
                announce(tx, &Event::of(owner, Kind::ReadingStarted).file(file)).await?;
            }
        }
        // The run begins with the first of its files.
        Work::Gather(_) => {}
        Work::RunFile(run, file) => {
            let Some(locked) = runs::lock(tx, run).await? else {
                return Ok(());
            };
            run_files::set_state(tx, run, file, RunFileState::Running).await?;
            announce(tx, &Event::of(locked.owner, Kind::RunFileStarted).run(run).file(file)).await?;
            if locked.state == RunState::Waiting {
                runs::set_state(tx, run, RunState::Running, None).await?;
                announce(tx, &Event::of(locked.owner, Kind::RunStarted).run(run)).await?;
            }
        }
        Work::Tick(_) => {}
    }
    Ok(())
}
