//! Tasks that wait for an ingest.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::Told;
use crate::database::{Connection, Result};
use crate::domain::ids::{FileId, IngestId, RunId, TaskId};
use crate::domain::states::{TaskKind, TaskState};

/// A task of a run that waited for an ingest.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    /// The task.
    pub id: TaskId,
    /// What it is for.
    pub kind: TaskKind,
    /// Its run.
    pub run: RunId,
    /// Its file of the run.
    pub file: FileId,
}

/// Locks, in the order of ids, the tasks that wait for an ingest.
pub async fn waiting_for(conn: &mut Connection, ingest: IngestId) -> Result<Vec<Waiting>> {
    let waiting = sqlx::query_as!(
        Waiting,
        r#"select t.id as "id: TaskId", t.kind as "kind: TaskKind", t.run_id as "run!: RunId", t.file_id as "file!: FileId"
           from tasks t join run_files r on r.task_id = t.id
           where r.ingest_id = $1 and t.state = 'waiting' and t.run_id is not null
           order by t.id for update of t"#,
        ingest.0,
    )
    .fetch_all(conn)
    .await?;
    Ok(waiting)
}

/// What a waiting task waited for is there: it is due as soon as its `run_at` says. Answers how long that is from now.
pub async fn release(conn: &mut Connection, task: TaskId) -> Result<Duration> {
    let seconds = sqlx::query_scalar!(
        r#"update tasks set state = 'queued', run_at = greatest(run_at, now()), ticketed_at = now()
           where id = $1 and state = 'waiting'
           returning extract(epoch from run_at - now())::float8 as "seconds!""#,
        task.0,
    )
    .fetch_one(conn)
    .await?;
    Ok(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

/// Tasks of a run that has not begun are due at another time; answers how many of them wait for nothing else. Locks them in
/// the order of ids.
pub async fn put_off(conn: &mut Connection, run: RunId, at: DateTime<Utc>) -> Result<usize> {
    let states = sqlx::query_scalar!(
        r#"with locked as (
               select id from tasks where run_id = $1 and state in ('waiting', 'queued') and attempt = 0
               order by id for update
           )
           update tasks t set run_at = $2, ticketed_at = now() from locked where t.id = locked.id
           returning t.state as "state: TaskState""#,
        run.0,
        at,
    )
    .fetch_all(conn)
    .await?;
    Ok(states.into_iter().filter(|it| *it == TaskState::Queued).count())
}

/// What a waiting task waited for will never be there.
pub async fn fail_waiting(conn: &mut Connection, task: TaskId, reason: &str, told: &Told) -> Result<()> {
    sqlx::query!(
        "update tasks set state = 'failed', finished_at = now(), reason = $2, code = $3, sentence = $4, reference = $5
         where id = $1 and state = 'waiting'",
        task.0,
        reason,
        told.code,
        told.sentence,
        told.reference.0,
    )
    .execute(conn)
    .await?;
    Ok(())
}
