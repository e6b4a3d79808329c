//! What any worker does for all: ends attempts whose workers went silent, pushes tickets for what waits too long, and
//! forgets what is old.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::retry::Mishap;
use super::settle::{End, Error, Remains, settle_held};
use super::{Context, claim};
use crate::database::{events, idempotency, queues, reusable, sessions, sign_in_tries, tasks, tickets, workers};
use crate::domain::states::UPKEEP;
use crate::queue;
use crate::sandbox::scratch;
use crate::schedules;

/// How long a due task may wait before it is asked whether its ticket is lost.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most tickets that are pushed into a queue at once.
const TICKETS_AT_ONCE: i64 = 200;
/// How often what is old is forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(300);
/// No window of sign-in tries is as long.
const A_DAY: Duration = Duration::from_secs(86_400);

/// Until `stop`.
pub async fn keep(context: Arc<Context>, stop: CancellationToken) {
    let mut ticks = interval(context.settings.sweep_every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut forgotten: Option<Instant> = None;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if let Err(error) = sweep(&context).await {
            tracing::warn!(%error, "sweeping did not come to its end");
        }
        if let Err(error) = upkeep(&context).await {
            tracing::warn!(%error, "schedules could not be looked at");
        }
        if forgotten.is_none_or(|at| at.elapsed() > FORGET_EVERY) {
            forgotten = Some(Instant::now());
            if let Err(error) = forget(&context).await {
                tracing::warn!(%error, "what is old could not be forgotten");
            }
        }
    }
}

/// Ends all expired attempts and pushes missing tickets.
///
/// # Errors
/// The database's.
pub async fn sweep(context: &Context) -> Result<(), Error> {
    while end_one_expired(context).await? {}
    push_missing_tickets(context).await
}

/// Makes the ticks that are due, and begins one that waits.
async fn upkeep(context: &Arc<Context>) -> Result<(), Error> {
    schedules::make_due(&context.pool).await?;
    claim::take_upkeep(context).await
}

async fn end_one_expired(context: &Context) -> Result<bool, Error> {
    let mut tx = context.pool.begin().await?;
    let Some(claimed) = tasks::expired(&mut tx).await? else {
        return Ok(false);
    };
    tracing::warn!(task = %claimed.fence.task, attempt = claimed.fence.attempt, boot = %claimed.fence.boot, "a lease ran out");
    let end = if claimed.cancel_requested {
        End::Cancelled
    } else {
        End::Wrong(Mishap::LeaseLost)
    };
    let name = tasks::find(&mut tx, claimed.fence.task).await?.and_then(|it| it.name);
    let name = name.as_deref().unwrap_or("the file");
    settle_held(&mut tx, context, &claimed, name, &end, &Remains::default()).await?;
    tx.commit().await?;
    Ok(true)
}

async fn push_missing_tickets(context: &Context) -> Result<(), Error> {
    let mut tx = context.pool.begin().await?;
    for row in queues::list(&mut tx)
        .await?
        .iter()
        .filter(|it| it.queued > 0 && it.name != UPKEEP)
    {
        let overdue = tasks::overdue(&mut tx, &row.name, PATIENCE).await?;
        let missing = (overdue - tickets::due(&mut tx, &row.name).await?).min(TICKETS_AT_ONCE);
        if let Ok(missing @ 1..) = usize::try_from(missing) {
            tracing::info!(queue = row.name, missing, "due tasks without tickets");
            queue::push_many(&mut tx, &row.name, missing, Duration::ZERO).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

async fn forget(context: &Context) -> Result<(), Error> {
    let mut conn = context.pool.acquire().await?;
    let used = tickets::prune(&mut conn).await?;
    let old = events::forget_old(&mut conn).await?;
    idempotency::forget_old(&mut conn).await?;
    workers::forget_old(&mut conn).await?;
    sessions::sweep(&mut conn).await?;
    sign_in_tries::sweep(&mut conn, A_DAY).await?;
    reusable::sweep(&mut conn, context.settings.reuse).await?;
    drop(conn);
    tracing::debug!(used, old, "used tickets and old events are gone");
    sweep_scratch(context, &context.settings.scratch).await.map(drop)
}

/// Clears away what dead starts on this machine left behind, and lets go of what they held.
///
/// # Errors
/// The database's.
pub async fn sweep_scratch(context: &Context, root: &Path) -> Result<usize, Error> {
    let root = root.to_owned();
    let dead = match spawn_blocking(move || scratch::sweep(&root)).await {
        Ok(Ok(dead)) => dead,
        Ok(Err(error)) => {
            tracing::warn!(%error, "the scratch folder cannot be read");
            Vec::new()
        }
        Err(_panicked) => Vec::new(),
    };
    let mut conn = context.pool.acquire().await?;
    let count = dead.len();
    for boot in dead {
        let held = tasks::expire(&mut conn, boot).await?;
        workers::stop(&mut conn, boot).await?;
        tracing::info!(%boot, held, "cleared away what a dead start left behind");
    }
    Ok(count)
}
