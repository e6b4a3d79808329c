//! Keeps the leases of running attempts, says that the worker lives, and hears of cancellations; on a connection of its
//! own, so that a busy pool costs no lease.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use super::Context;
use super::held::Why;
use crate::database::{Connection, Result, tasks, workers};
use crate::events::{Heard, Kind};

/// How often it is asked whether somebody wants to cancel, for when the notification is lost.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// A statement that takes longer is on a dead connection.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Until `stop`.
pub async fn keep(context: Arc<Context>, mut heard: Receiver<Arc<Heard>>, stop: CancellationToken) {
    let mut ticks = interval(ASK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut conn: Option<Connection> = None;
    let mut renewed: Option<Instant> = None;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            heard = heard.recv() => match heard {
                Ok(heard) => hear(&context, &heard),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
            _ = ticks.tick() => {
                let due = renewed.is_none_or(|at| at.elapsed() >= context.settings.renew_every);
                match timeout(ANSWER_WITHIN, tick(&context, &mut conn, due)).await {
                    Ok(Ok(())) if due => renewed = Some(Instant::now()),
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => {
                        tracing::warn!(%error, "leases could not be renewed");
                        conn = None;
                    }
                    Err(_silence) => {
                        tracing::warn!("the connection that renews leases does not answer");
                        conn = None;
                    }
                }
            }
        }
    }
}

fn hear(context: &Context, heard: &Heard) {
    if let Heard::Event(announced) = heard
        && announced.event.kind == Kind::CancelRequested
        && let Some(task) = announced.event.task
    {
        context.held.stop(task, Why::Cancelled);
    }
}

async fn tick(context: &Context, conn: &mut Option<Connection>, renew: bool) -> Result<()> {
    let conn = match conn {
        Some(conn) => conn,
        None => conn.insert(context.pool.connect_apart().await?),
    };
    let held = context.held.tasks();
    if renew {
        workers::beat(conn, context.boot, super::memory::of_this_process()).await?;
    }
    if held.is_empty() {
        return Ok(());
    }
    if renew {
        let kept = tasks::renew(conn, context.boot, &held, context.settings.lease).await?;
        for lost in held.iter().filter(|it| !kept.contains(it)) {
            context.held.stop(*lost, Why::Fenced);
        }
    }
    for task in tasks::asked_to_cancel(conn, &held).await? {
        context.held.stop(task, Why::Cancelled);
    }
    Ok(())
}
