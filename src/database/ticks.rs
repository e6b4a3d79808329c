//! Ticks: the times of schedules that were made, each once, and what came of them.

use chrono::{DateTime, Utc};

use super::{Connection, Result};
use crate::domain::ids::{ScheduleId, TaskId, TickId, UserId};
use crate::domain::states::{ScheduleKind, TaskState};

/// Makes a tick; `None` when somebody made it before. The caller makes its task in the same transaction.
pub async fn make(
    conn: &mut Connection,
    schedule: ScheduleId,
    at: DateTime<Utc>,
    asked_by: Option<UserId>,
) -> Result<Option<TickId>> {
    let made = sqlx::query_scalar!(
        r#"insert into ticks (id, schedule_id, at, asked_by) values ($1, $2, $3, $4)
           on conflict on constraint ticks_once do nothing returning id as "id: TickId""#,
        TickId::new().0,
        schedule.0,
        at,
        asked_by.map(|it| it.0),
    )
    .fetch_optional(conn)
    .await?;
    Ok(made)
}

/// Whether a task of a schedule has not ended.
pub async fn unfinished(conn: &mut Connection, schedule: ScheduleId) -> Result<bool> {
    let unfinished = sqlx::query_scalar!(
        r#"select exists (select from tasks t join ticks k on k.id = t.tick_id
                          where k.schedule_id = $1 and t.state in ('waiting', 'queued', 'running')) as "exists!""#,
        schedule.0,
    )
    .fetch_one(conn)
    .await?;
    Ok(unfinished)
}

/// What came of a tick, in words.
pub async fn say(conn: &mut Connection, tick: TickId, said: &str) -> Result<()> {
    sqlx::query!("update ticks set said = $2 where id = $1", tick.0, said)
        .execute(conn)
        .await?;
    Ok(())
}

/// A tick as admins see it.
#[derive(Clone, Debug)]
pub struct TickRow {
    /// Its id.
    pub id: TickId,
    /// What its schedule is for.
    pub kind: ScheduleKind,
    /// What its schedule is called.
    pub name: String,
    /// Its time.
    pub at: DateTime<Utc>,
    /// Who said "run now"; `None`: the rule did.
    pub asked_by: Option<String>,
    /// What came of it, in words.
    pub said: Option<String>,
    /// Its task.
    pub task: TaskId,
    /// How far that has come.
    pub state: TaskState,
    /// What went wrong with it.
    pub sentence: Option<String>,
    /// The bytes of its report, where it made one.
    pub report: Option<i64>,
}

/// The last ticks of all schedules, the youngest first.
pub async fn list(conn: &mut Connection, limit: i64) -> Result<Vec<TickRow>> {
    let rows = sqlx::query_as!(
        TickRow,
        r#"select k.id as "id: TickId", s.kind as "kind: ScheduleKind", s.name, k.at, u.email as "asked_by?", k.said,
                  t.id as "task: TaskId", t.state as "state: TaskState", t.sentence, r.bytes as "report?"
           from ticks k
           join schedules s on s.id = k.schedule_id
           join tasks t on t.tick_id = k.id
           left join users u on u.id = k.asked_by
           left join reports r on r.tick_id = k.id
           order by k.at desc, k.id desc limit $1"#,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// What a tick is of: its time, and the place whose clock its schedule goes by.
#[derive(Clone, Debug)]
pub struct TickInput {
    /// Its time.
    pub at: DateTime<Utc>,
    /// The place.
    pub time_zone: String,
}

/// What a tick is of.
pub async fn input(conn: &mut Connection, tick: TickId) -> Result<Option<TickInput>> {
    let input = sqlx::query_as!(
        TickInput,
        "select k.at, s.time_zone from ticks k join schedules s on s.id = k.schedule_id where k.id = $1",
        tick.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(input)
}
