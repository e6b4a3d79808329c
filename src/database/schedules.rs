//! Schedules: what is due by itself, by which rule, and when next.

use chrono::{DateTime, Utc};

use super::{Connection, Result};
use crate::domain::ids::{ScheduleId, TaskId, TickId, UserId};
use crate::domain::states::{MissedTicks, ScheduleKind, TaskState};

/// A schedule under its lock, for the rest of the transaction.
#[derive(Clone, Debug)]
pub struct Due {
    /// Its id.
    pub id: ScheduleId,
    /// What it is for.
    pub kind: ScheduleKind,
    /// The five fields of cron.
    pub rule: String,
    /// Whose clock the rule goes by.
    pub time_zone: String,
    /// What becomes of ticks that nobody was there for.
    pub missed: MissedTicks,
    /// Its next tick; `None`: nobody has worked it out yet.
    pub next_at: Option<DateTime<Utc>>,
    /// The database's time.
    pub now: DateTime<Utc>,
}

/// Locks and gives one schedule that is due, if there is one that nobody else is making ticks of.
pub async fn due(conn: &mut Connection) -> Result<Option<Due>> {
    let due = sqlx::query_as!(
        Due,
        r#"select id as "id: ScheduleId", kind as "kind: ScheduleKind", rule, time_zone, missed as "missed: MissedTicks",
                  next_at, now() as "now!"
           from schedules
           where paused_at is null and (next_at is null or next_at <= now())
           order by next_at nulls first limit 1 for update skip locked"#,
    )
    .fetch_optional(conn)
    .await?;
    Ok(due)
}

/// Locks a schedule.
pub async fn lock(conn: &mut Connection, schedule: ScheduleId) -> Result<Option<Due>> {
    let locked = sqlx::query_as!(
        Due,
        r#"select id as "id: ScheduleId", kind as "kind: ScheduleKind", rule, time_zone, missed as "missed: MissedTicks",
                  next_at, now() as "now!"
           from schedules where id = $1 for update"#,
        schedule.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(locked)
}

/// The next tick of a locked schedule.
pub async fn set_next(conn: &mut Connection, schedule: ScheduleId, next: DateTime<Utc>) -> Result<()> {
    sqlx::query!("update schedules set next_at = $2 where id = $1", schedule.0, next)
        .execute(conn)
        .await?;
    Ok(())
}

/// No ticks from now on; `by` is nobody where the house itself says so.
pub async fn pause(conn: &mut Connection, schedule: ScheduleId, by: Option<UserId>, reason: &str) -> Result<()> {
    sqlx::query!(
        "update schedules set paused_at = coalesce(paused_at, now()), paused_by = $2, pause_reason = $3 where id = $1",
        schedule.0,
        by.map(|it| it.0),
        reason,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// It goes on, with the given tick.
pub async fn resume(conn: &mut Connection, schedule: ScheduleId, next: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "update schedules set paused_at = null, paused_by = null, pause_reason = null, next_at = $2 where id = $1",
        schedule.0,
        next,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Another rule, in a place, and the next tick by it.
pub async fn change(
    conn: &mut Connection,
    schedule: ScheduleId,
    (rule, time_zone): (&str, &str),
    missed: MissedTicks,
    next: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "update schedules set rule = $2, time_zone = $3, missed = $4, next_at = $5 where id = $1",
        schedule.0,
        rule,
        time_zone,
        missed.as_str(),
        next,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A schedule as admins see it, with its last tick.
#[derive(Clone, Debug)]
pub struct ScheduleRow {
    /// Its id.
    pub id: ScheduleId,
    /// What it is for.
    pub kind: ScheduleKind,
    /// What it is called.
    pub name: String,
    /// The five fields of cron.
    pub rule: String,
    /// Whose clock the rule goes by.
    pub time_zone: String,
    /// What becomes of ticks that nobody was there for.
    pub missed: MissedTicks,
    /// Its next tick.
    pub next_at: Option<DateTime<Utc>>,
    /// Since when it is paused.
    pub paused_at: Option<DateTime<Utc>>,
    /// Who paused it.
    pub paused_by: Option<String>,
    /// Why.
    pub pause_reason: Option<String>,
    /// Its last tick.
    pub tick: Option<TickId>,
    /// What came of that, in words.
    pub said: Option<String>,
    /// Its task.
    pub task: Option<TaskId>,
    /// How far that has come.
    pub state: Option<TaskState>,
    /// What went wrong with it.
    pub sentence: Option<String>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// All schedules.
pub async fn list(conn: &mut Connection) -> Result<Vec<ScheduleRow>> {
    let rows = sqlx::query_as!(
        ScheduleRow,
        r#"select s.id as "id: ScheduleId", s.kind as "kind: ScheduleKind", s.name, s.rule, s.time_zone,
                  s.missed as "missed: MissedTicks", s.next_at, s.paused_at, u.email as "paused_by?", s.pause_reason,
                  last.id as "tick?: TickId", last.said as "said?", t.id as "task?: TaskId", t.state as "state?: TaskState",
                  t.sentence as "sentence?", t.finished_at as "finished_at?"
           from schedules s
           left join users u on u.id = s.paused_by
           left join lateral (
               select k.id, k.said from ticks k where k.schedule_id = s.id order by k.at desc limit 1
           ) last on true
           left join tasks t on t.tick_id = last.id
           order by s.name, s.id"#,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}
