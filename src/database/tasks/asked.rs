//! What people ask of tasks: to stop, to be tried again.

use uuid::Uuid;

use crate::database::{Connection, Result};
use crate::domain::ids::{FileId, IngestId, RunId, TaskId};
use crate::domain::states::{IngestState, TaskState};

/// Asks for all unfinished tasks of a run to stop: those that do not run are cancelled at once, the others are asked.
/// Answers for the tasks that were cancelled their files, `None` for the gathering of results, and the tasks that were asked.
/// Locks the tasks in the order of ids.
pub async fn cancel_run(conn: &mut Connection, run: RunId) -> Result<(Vec<Option<FileId>>, Vec<TaskId>)> {
    let unfinished = sqlx::query!(
        r#"select id, state as "state: TaskState", file_id as "file_id: FileId" from tasks
           where run_id = $1 and state in ('waiting', 'queued', 'running') order by id for update"#,
        run.0,
    )
    .fetch_all(&mut *conn)
    .await?;
    let ids: Vec<Uuid> = unfinished.iter().map(|it| it.id).collect();
    sqlx::query!(
        "update tasks
         set cancel_requested_at = coalesce(cancel_requested_at, now()),
             state = case state when 'running' then state else 'cancelled' end,
             finished_at = case state when 'running' then null else now() end
         where id = any($1)",
        &ids,
    )
    .execute(conn)
    .await?;
    let (running, idle): (Vec<_>, Vec<_>) = unfinished.into_iter().partition(|it| it.state == TaskState::Running);
    Ok((
        idle.into_iter().map(|it| it.file_id).collect(),
        running.into_iter().map(|it| TaskId(it.id)).collect(),
    ))
}

/// Asks one task to stop: cancelled at once where it does not run. Answers its state before, and `None` when it had
/// ended already or is not there.
pub async fn request_cancel(conn: &mut Connection, task: TaskId) -> Result<Option<TaskState>> {
    let before = sqlx::query_scalar!(
        r#"select state as "state: TaskState" from tasks
           where id = $1 and state in ('waiting', 'queued', 'running') for update"#,
        task.0,
    )
    .fetch_optional(&mut *conn)
    .await?;
    if before.is_some() {
        sqlx::query!(
            "update tasks
             set cancel_requested_at = coalesce(cancel_requested_at, now()),
                 state = case state when 'running' then state else 'cancelled' end,
                 finished_at = case state when 'running' then null else now() end
             where id = $1",
            task.0,
        )
        .execute(conn)
        .await?;
    }
    Ok(before)
}

/// Asks a task to stop without ending it, due at once so that a worker takes it up for that; false when it has ended.
pub async fn ask_to_cancel(conn: &mut Connection, task: TaskId) -> Result<bool> {
    let done = sqlx::query!(
        "update tasks set cancel_requested_at = coalesce(cancel_requested_at, now()), run_at = least(run_at, now())
         where id = $1 and state in ('waiting', 'queued', 'running')",
        task.0,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A task of a run that failed or was cancelled.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// The task.
    pub id: TaskId,
    /// Its file.
    pub file: FileId,
    /// How far the reading of that has come.
    pub ingest_state: IngestState,
}

/// Locks, in the order of ids, the failed and cancelled tasks of a run that may be tried again, or only one of them. Their
/// ingests cannot end before this transaction does. A recipe that fails on the rows it rejects would reject the same ones
/// again, and their account would count twice.
pub async fn ended_of_run(conn: &mut Connection, run: RunId, only: Option<TaskId>) -> Result<Vec<Ended>> {
    let ended = sqlx::query_as!(
        Ended,
        r#"select t.id as "id: TaskId", t.file_id as "file!: FileId", i.state as "ingest_state: IngestState"
           from tasks t join run_files r on r.task_id = t.id join ingests i on i.id = r.ingest_id
           where t.run_id = $1 and t.state in ('failed', 'cancelled') and ($2::uuid is null or t.id = $2)
             and t.code is distinct from 'rows_rejected'
           order by t.id for update of t for share of i"#,
        run.0,
        only.map(|it| it.0),
    )
    .fetch_all(conn)
    .await?;
    Ok(ended)
}

/// The unfinished task that reads an ingest.
pub async fn reading(conn: &mut Connection, ingest: IngestId) -> Result<Option<TaskId>> {
    let task = sqlx::query_scalar!(
        r#"select id as "id: TaskId" from tasks
           where ingest_id = $1 and state in ('waiting', 'queued', 'running') order by id desc limit 1"#,
        ingest.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(task)
}

/// Puts an ended task back into its queue, all counts at zero, to be `queued` or `waiting`; false when it has not ended.
pub async fn restart(conn: &mut Connection, task: TaskId, state: TaskState) -> Result<bool> {
    let done = sqlx::query!(
        "update tasks
         set state = $2, run_at = now(), ticketed_at = now(), failures = 0, crashes = 0, finished_at = null,
             started_at = null, cancel_requested_at = null, progress = null,
             reason = null, code = null, sentence = null, reference = null
         where id = $1 and state in ('failed', 'cancelled')",
        task.0,
        state.as_str(),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
