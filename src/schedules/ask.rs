//! What admins ask of schedules. Each is written to the audit log in its own transaction.

use serde_json::json;

use super::{Error, Made, Result, Rule, due};
use crate::database::audit::{self, Entry};
use crate::database::schedules::{self, Due};
use crate::database::{Pool, Tx, ticks};
use crate::domain::ids::{RequestId, ScheduleId, UserId};
use crate::domain::states::MissedTicks;
use crate::events::{Event, Kind, announce};

/// The longest reason that is kept.
const REASON_CHARS: usize = 500;

/// What a schedule is to go by.
#[derive(Clone, Debug)]
pub struct Change {
    /// The five fields of its rule.
    pub rule: String,
    /// The place whose clock it goes by, as IANA names it.
    pub time_zone: String,
    /// What becomes of ticks when nobody was there to make them.
    pub missed: MissedTicks,
}

/// Makes no ticks from now on. Tasks that were made go on.
///
/// # Errors
/// [`Error::NoReason`], [`Error::NoSchedule`]; the database's.
pub async fn pause(pool: &Pool, schedule: ScheduleId, by: UserId, reason: &str) -> Result<()> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_CHARS {
        return Err(Error::NoReason(REASON_CHARS));
    }
    let (mut tx, locked) = lock(pool, schedule).await?;
    schedules::pause(&mut tx, schedule, Some(by), reason).await?;
    let detail = json!({ "reason": reason });
    tell(&mut tx, &locked, (by, "schedule_paused", detail), Kind::SchedulePaused).await?;
    tx.commit().await?;
    Ok(())
}

/// Lets a paused schedule go on with its next tick; those of the pause are not made up for.
///
/// # Errors
/// [`Error::NoSchedule`], [`Error::Rule`]; the database's.
pub async fn resume(pool: &Pool, schedule: ScheduleId, by: UserId) -> Result<()> {
    let (mut tx, locked) = lock(pool, schedule).await?;
    let next = Rule::read(&locked.rule, &locked.time_zone)?.next_after(locked.now)?;
    schedules::resume(&mut tx, schedule, next).await?;
    tell(
        &mut tx,
        &locked,
        (by, "schedule_resumed", json!({})),
        Kind::ScheduleResumed,
    )
    .await?;
    tx.commit().await?;
    Ok(())
}

/// Gives a schedule another rule; its next tick is that of the new one.
///
/// # Errors
/// [`Error::Rule`], [`Error::NoSchedule`]; the database's.
pub async fn change(pool: &Pool, schedule: ScheduleId, by: UserId, change: &Change) -> Result<()> {
    let (fields, zone) = (
        change.rule.split_whitespace().collect::<Vec<_>>().join(" "),
        change.time_zone.trim(),
    );
    let rule = Rule::read(&fields, zone)?;
    let (mut tx, locked) = lock(pool, schedule).await?;
    let next = rule.next_after(locked.now)?;
    schedules::change(&mut tx, schedule, (&fields, zone), change.missed, next).await?;
    let before = json!({ "rule": locked.rule, "time_zone": locked.time_zone, "missed": locked.missed });
    let after = json!({ "rule": fields, "time_zone": zone, "missed": change.missed });
    let detail = json!({ "before": before, "after": after });
    tell(
        &mut tx,
        &locked,
        (by, "schedule_changed", detail),
        Kind::ScheduleChanged,
    )
    .await?;
    tx.commit().await?;
    Ok(())
}

/// Makes a tick at once, also of a paused schedule.
///
/// # Errors
/// [`Error::AtWork`], [`Error::NoSchedule`]; the database's.
pub async fn run_now(pool: &Pool, schedule: ScheduleId, by: UserId, request: RequestId) -> Result<Made> {
    let (mut tx, locked) = lock(pool, schedule).await?;
    if ticks::unfinished(&mut tx, schedule).await? {
        return Err(Error::AtWork);
    }
    let made = due::tick(&mut tx, &locked, locked.now, Some((by, request))).await?;
    let made = made.ok_or(Error::AtWork)?;
    let detail = json!({ "tick": made.tick });
    tell(
        &mut tx,
        &locked,
        (by, "schedule_run_now", detail),
        Kind::ScheduleChanged,
    )
    .await?;
    tx.commit().await?;
    Ok(made)
}

async fn lock(pool: &Pool, schedule: ScheduleId) -> Result<(Tx, Due)> {
    let mut tx = pool.begin().await?;
    let locked = schedules::lock(&mut tx, schedule).await?.ok_or(Error::NoSchedule)?;
    Ok((tx, locked))
}

async fn tell(
    tx: &mut Tx,
    schedule: &Due,
    (actor, action, detail): (UserId, &str, serde_json::Value),
    kind: Kind,
) -> Result<()> {
    let entry = Entry {
        actor,
        action,
        target: &format!("schedule {}", schedule.kind),
        detail: &detail,
    };
    audit::insert(tx, &entry).await?;
    announce(tx, &Event::of_admins(kind)).await?;
    Ok(())
}
