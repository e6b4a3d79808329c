//! Pauses queues and lets them go on, for admins.

use std::time::Duration;

use super::Error;
use crate::database::{Pool, queues};
use crate::domain::ids::UserId;
use crate::domain::states::UPKEEP;
use crate::events::{Event, Kind, announce};
use crate::queue;

/// The most tickets that are pushed at once; the sweeper pushes what is missing.
const TICKETS_AT_ONCE: usize = 200;

/// Starts nothing more of a queue; what runs goes on. False when there is no such queue.
///
/// # Errors
/// The database's.
pub async fn pause_queue(pool: &Pool, name: &str, by: UserId) -> Result<bool, Error> {
    let mut tx = pool.begin().await?;
    let found = queues::pause(&mut tx, name, by).await?;
    announce(&mut tx, &Event::of_admins(Kind::QueuePaused)).await?;
    tx.commit().await?;
    Ok(found)
}

/// Lets a queue go on. The tickets that came meanwhile are used up: as many come anew.
///
/// # Errors
/// The database's.
pub async fn resume_queue(pool: &Pool, name: &str) -> Result<(), Error> {
    let mut tx = pool.begin().await?;
    let due = queues::resume(&mut tx, name).await?;
    // Of what the house does for itself there are no tickets.
    let due = if name == UPKEEP { 0 } else { due };
    let tickets = usize::try_from(due).unwrap_or_default().min(TICKETS_AT_ONCE);
    queue::push_many(&mut tx, name, tickets, Duration::ZERO).await?;
    announce(&mut tx, &Event::of_admins(Kind::QueueResumed)).await?;
    tx.commit().await?;
    Ok(())
}
