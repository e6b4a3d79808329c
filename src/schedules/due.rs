//! Makes the ticks that are due, and a task for each.

use chrono::{DateTime, Utc};

use super::{Made, Result, Rule, missed};
use crate::database::schedules::{self, Due};
use crate::database::tasks::{self, NewOfTick};
use crate::database::{Connection, Pool, ticks};
use crate::domain::ids::{RequestId, TaskId, UserId};
use crate::events::{Event, Kind, announce};

/// Makes the ticks of all schedules that are due by the database's clock; any number of processes may do so at once.
///
/// # Errors
/// The database's; what was made before stays made.
pub async fn make_due(pool: &Pool) -> Result<Vec<Made>> {
    let mut all = Vec::new();
    loop {
        let mut tx = pool.begin().await?;
        let Some(due) = schedules::due(&mut tx).await? else {
            return Ok(all);
        };
        let made = make(&mut tx, &due).await?;
        tx.commit().await?;
        for it in &made {
            tracing::info!(schedule = %due.kind, tick = %it.tick, task = %it.task, "a tick was made");
        }
        all.extend(made);
    }
}

async fn make(conn: &mut Connection, due: &Due) -> Result<Vec<Made>> {
    let next = Rule::read(&due.rule, &due.time_zone).and_then(|rule| Ok((rule.next_after(due.now)?, rule)));
    let (next, rule) = match next {
        Ok(found) => found,
        Err(wrong) => {
            // It would be found due for ever.
            tracing::error!(schedule = %due.kind, %wrong, "a schedule is paused");
            schedules::pause(conn, due.id, None, &wrong.to_string()).await?;
            return Ok(Vec::new());
        }
    };
    let mut made = Vec::new();
    // One that was just set up, or that goes on after a pause, has nothing to make up for.
    for at in due
        .next_at
        .map(|next| missed::ticks(&rule, due.missed, next, due.now))
        .unwrap_or_default()
    {
        made.extend(tick(conn, due, at, None).await?);
    }
    schedules::set_next(conn, due.id, next).await?;
    Ok(made)
}

/// Makes one tick and its task; `None` when it was made before.
pub(super) async fn tick(
    conn: &mut Connection,
    schedule: &Due,
    at: DateTime<Utc>,
    asked: Option<(UserId, RequestId)>,
) -> Result<Option<Made>> {
    let Some(tick) = ticks::make(conn, schedule.id, at, asked.map(|(by, _)| by)).await? else {
        return Ok(None);
    };
    let new = NewOfTick {
        task: TaskId::new(),
        kind: schedule.kind.task(),
        tick,
        request: asked.map_or_else(RequestId::new, |(_, request)| request),
    };
    tasks::insert_of_tick(conn, &new).await?;
    announce(conn, &Event::of_admins(Kind::TaskQueued).task(new.task)).await?;
    Ok(Some(Made {
        tick,
        task: new.task,
        kind: schedule.kind,
    }))
}
