//! Tasks: units of queued work. Their claim, lease and end; whoever writes during an attempt shows its [`Fence`].
//!
//! Lock order, so that nobody waits in a circle: tasks by id, then runs by id, then files of runs.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::run_files::NewRunFile;
use super::{Connection, Result};
use crate::domain::ids::{BootId, FileId, IngestId, RequestId, RunId, TaskId, UserId};
use crate::domain::progress::Progress;
use crate::domain::states::{IngestState, TaskKind, TaskState};

mod inputs;
mod list;

pub use inputs::{IngestInput, RunInput, ingest_input, readers, run_input};
pub use list::{TaskRow, counts, find, list};

/// A task to be remembered.
#[derive(Clone, Debug)]
pub struct NewTask {
    /// Its id.
    pub id: TaskId,
    /// What it is for; decides the queue.
    pub kind: TaskKind,
    /// Whose share of the workers it counts on.
    pub owner: UserId,
    /// What it works on.
    pub work: Work,
    /// `Waiting` for something else first, or `Queued`.
    pub state: TaskState,
    /// Higher goes first among the owner's.
    pub priority: i32,
    /// Not before; `None`: now.
    pub run_at: Option<DateTime<Utc>>,
    /// The request that asked for it.
    pub request: RequestId,
}

/// What a task works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// A blob under options.
    Ingest(IngestId),
    /// A file of a run.
    RunFile(RunId, FileId),
}

/// Proof that an attempt may write: the database compares all three. Anything else has been taken over by others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fence {
    /// The task.
    pub task: TaskId,
    /// The attempt's number, from 1.
    pub attempt: i32,
    /// The worker's start that claimed it.
    pub boot: BootId,
}

/// A claimed task.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// What every later write must show.
    pub fence: Fence,
    /// What it is for.
    pub kind: TaskKind,
    /// Whose it is.
    pub owner: UserId,
    /// What it works on.
    pub work: Work,
    /// Failed attempts before this one that were tried again with a pause.
    pub failures: i32,
    /// Crashed attempts before this one.
    pub crashes: i32,
    /// The request that asked for it.
    pub request: RequestId,
    /// Whether somebody asked to cancel it before it was claimed.
    pub cancel_requested: bool,
}

/// Remembers a task.
pub async fn insert(conn: &mut Connection, task: &NewTask) -> Result<()> {
    let (ingest, run, file) = match task.work {
        Work::Ingest(ingest) => (Some(ingest.0), None, None),
        Work::RunFile(run, file) => (None, Some(run.0), Some(file.0)),
    };
    sqlx::query!(
        "insert into tasks (id, kind, queue, owner, ingest_id, run_id, file_id, state, priority, run_at, request_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, coalesce($10, now()), $11)",
        task.id.0,
        task.kind.as_str(),
        task.kind.queue(),
        task.owner.0,
        ingest,
        run,
        file,
        task.state.as_str(),
        task.priority,
        task.run_at,
        task.request.0,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What the tasks of a run's files have in common.
#[derive(Clone, Copy, Debug)]
pub struct NewOfRun {
    /// The run.
    pub run: RunId,
    /// Whose share of the workers they count on.
    pub owner: UserId,
    /// Higher goes first among the owner's.
    pub priority: i32,
    /// Not before; `None`: now.
    pub run_at: Option<DateTime<Utc>>,
    /// The request that asked for them.
    pub request: RequestId,
}

/// Remembers a process task for each file that has one.
pub async fn insert_of_run(conn: &mut Connection, new: &NewOfRun, files: &[NewRunFile]) -> Result<()> {
    let (mut ids, mut of, mut states) = (Vec::new(), Vec::new(), Vec::new());
    for (file, (task, state)) in files.iter().filter_map(|it| it.task.map(|task| (it.file, task))) {
        ids.push(task.0);
        of.push(file.0);
        states.push(state.as_str().to_owned());
    }
    sqlx::query!(
        "insert into tasks (id, kind, queue, owner, run_id, file_id, state, priority, run_at, request_id)
         select given.id, $1, $2, $3, $4, given.file_id, given.state, $5, coalesce($6, now()), $7
         from unnest($8::uuid[], $9::uuid[], $10::text[]) as given (id, file_id, state)",
        TaskKind::Process.as_str(),
        TaskKind::Process.queue(),
        new.owner.0,
        new.run.0,
        new.priority,
        new.run_at,
        new.request.0,
        &ids,
        &of,
        &states,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes the due task whose owner has the fewest running in this queue, then by priority, then by age. The attempt is
/// counted and remembered, the lease written; `None` when nothing is due or the queue is paused.
///
/// Owners are found by hopping through the index, and only the first 32 tasks of each are looked at, so that a backlog
/// of any length costs the same; 32 others may be claiming at this moment without hiding work from us.
#[expect(clippy::too_many_lines, reason = "one statement")]
pub async fn claim(conn: &mut Connection, queue: &str, boot: BootId, lease: Duration) -> Result<Option<Claimed>> {
    let row = sqlx::query!(
        r#"with recursive owners as (
               (select owner from tasks where queue = $1 and state = 'queued' order by owner limit 1)
               union all
               select (select t.owner from tasks t
                       where t.queue = $1 and t.state = 'queued' and t.owner > o.owner order by t.owner limit 1)
               from owners o where o.owner is not null
           ),
           shares as (
               select o.owner,
                      (select count(*) from tasks r where r.queue = $1 and r.owner = o.owner and r.state = 'running') as running
               from owners o where o.owner is not null
           ),
           picked as (
               select t.id
               from shares s
               cross join lateral (
                   select d.id from tasks d
                   where d.queue = $1 and d.owner = s.owner and d.state = 'queued' and d.run_at <= now()
                   order by d.priority desc, d.run_at, d.id
                   limit 32
               ) first_of_owner
               join tasks t on t.id = first_of_owner.id
               where t.state = 'queued'
                 and exists (select from queues q where q.name = $1 and q.paused_at is null)
               order by s.running, t.priority desc, t.run_at, t.id
               limit 1
               for update of t skip locked
           ),
           claimed as (
               update tasks t
               set state = 'running', attempt = t.attempt + 1, boot_id = $2, progress = null,
                   lease_until = now() + make_interval(secs => $3), started_at = coalesce(t.started_at, now())
               from picked
               where t.id = picked.id
               returning t.id, t.attempt, t.kind, t.owner, t.ingest_id, t.run_id, t.file_id, t.failures, t.crashes, t.request_id,
                         t.cancel_requested_at
           ),
           noted as (
               insert into attempts (task_id, number, boot_id) select id, attempt, $2 from claimed
           )
           select id as "id!: TaskId", attempt as "attempt!", kind as "kind!: TaskKind", owner as "owner!: UserId",
                  ingest_id as "ingest_id: IngestId", run_id as "run_id: RunId", file_id as "file_id: FileId",
                  failures as "failures!", crashes as "crashes!", request_id as "request_id!: RequestId",
                  cancel_requested_at is not null as "cancel_requested!"
           from claimed"#,
        queue,
        boot.0,
        lease.as_secs_f64(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.and_then(|row| {
        let work = match (row.ingest_id, row.run_id, row.file_id) {
            (Some(ingest), _, _) => Work::Ingest(ingest),
            (None, Some(run), Some(file)) => Work::RunFile(run, file),
            _ => return None,
        };
        let fence = Fence {
            task: row.id,
            attempt: row.attempt,
            boot,
        };
        let (failures, crashes) = (row.failures, row.crashes);
        Some(Claimed {
            fence,
            kind: row.kind,
            owner: row.owner,
            work,
            failures,
            crashes,
            request: row.request_id,
            cancel_requested: row.cancel_requested,
        })
    }))
}

/// Extends the leases of the given tasks of a boot; answers those that are still its own.
pub async fn renew(conn: &mut Connection, boot: BootId, held: &[TaskId], lease: Duration) -> Result<Vec<TaskId>> {
    let ids: Vec<Uuid> = held.iter().map(|it| it.0).collect();
    let kept = sqlx::query_scalar!(
        r#"update tasks set lease_until = now() + make_interval(secs => $3)
           where boot_id = $1 and id = any($2) and state = 'running'
           returning id as "id: TaskId""#,
        boot.0,
        &ids,
        lease.as_secs_f64(),
    )
    .fetch_all(conn)
    .await?;
    Ok(kept)
}

/// Those of the given tasks that somebody asked to cancel.
pub async fn asked_to_cancel(conn: &mut Connection, held: &[TaskId]) -> Result<Vec<TaskId>> {
    let ids: Vec<Uuid> = held.iter().map(|it| it.0).collect();
    let asked = sqlx::query_scalar!(
        r#"select id as "id: TaskId" from tasks where id = any($1) and cancel_requested_at is not null"#,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(asked)
}

/// Writes how far an attempt has come; false: fenced.
pub async fn write_progress(conn: &mut Connection, fence: Fence, progress: &Progress) -> Result<bool> {
    let done = sqlx::query!(
        "update tasks set progress = $4 where id = $1 and attempt = $2 and boot_id = $3",
        fence.task.0,
        fence.attempt,
        fence.boot.0,
        serde_json::to_value(progress).unwrap_or_default(),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Locks the task of an attempt that is about to end; `None`: fenced. Otherwise whether somebody asked to cancel it.
pub async fn hold(conn: &mut Connection, fence: Fence) -> Result<Option<bool>> {
    let asked = sqlx::query_scalar!(
        r#"select cancel_requested_at is not null as "asked!" from tasks
           where id = $1 and attempt = $2 and boot_id = $3 and state = 'running' for update"#,
        fence.task.0,
        fence.attempt,
        fence.boot.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(asked)
}

/// Leases of a worker that is known to be dead run out now rather than later; answers how many.
pub async fn expire(conn: &mut Connection, boot: BootId) -> Result<u64> {
    let done = sqlx::query!(
        "update tasks set lease_until = now() - interval '1 second' where boot_id = $1 and state = 'running'",
        boot.0,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// The task is done; false: fenced, and nothing of the transaction may be kept.
pub async fn succeed(conn: &mut Connection, fence: Fence) -> Result<bool> {
    let done = sqlx::query!(
        "update tasks
         set state = 'succeeded', finished_at = now(), boot_id = null, lease_until = null,
             reason = null, code = null, sentence = null, reference = null
         where id = $1 and attempt = $2 and boot_id = $3",
        fence.task.0,
        fence.attempt,
        fence.boot.0,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What people are told of a task that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// A stable word.
    pub code: String,
    /// One sentence.
    pub sentence: String,
    /// What to give an admin, who finds the cause under it.
    pub reference: RequestId,
}

/// The task failed for good, for a reason in one word (`refused`, `dead`, …); false: fenced.
pub async fn fail(conn: &mut Connection, fence: Fence, reason: &str, told: &Told) -> Result<bool> {
    let done = sqlx::query!(
        "update tasks
         set state = 'failed', finished_at = now(), boot_id = null, lease_until = null,
             reason = $4, code = $5, sentence = $6, reference = $7
         where id = $1 and attempt = $2 and boot_id = $3",
        fence.task.0,
        fence.attempt,
        fence.boot.0,
        reason,
        told.code,
        told.sentence,
        told.reference.0,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The task was cancelled while it ran; false: fenced.
pub async fn cancel(conn: &mut Connection, fence: Fence) -> Result<bool> {
    let done = sqlx::query!(
        "update tasks set state = 'cancelled', finished_at = now(), boot_id = null, lease_until = null
         where id = $1 and attempt = $2 and boot_id = $3",
        fence.task.0,
        fence.attempt,
        fence.boot.0,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// On which account a task is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account {
    /// It failed: the pause grows with these.
    Failure,
    /// Its child crashed: a few of these and it is dead.
    Crash,
    /// Its worker went away in peace; nobody's fault.
    Interruption,
}

/// Back to the queue after a pause; false: fenced. What went wrong stays readable until the next attempt ends.
pub async fn again(
    conn: &mut Connection,
    fence: Fence,
    account: Account,
    pause: Duration,
    told: Option<&Told>,
) -> Result<bool> {
    let done = sqlx::query!(
        "update tasks
         set state = 'queued', run_at = now() + make_interval(secs => $4), ticketed_at = now(), boot_id = null,
             lease_until = null, progress = null, failures = failures + $5, crashes = crashes + $6,
             code = $7, sentence = $8, reference = $9
         where id = $1 and attempt = $2 and boot_id = $3",
        fence.task.0,
        fence.attempt,
        fence.boot.0,
        pause.as_secs_f64(),
        i32::from(account == Account::Failure),
        i32::from(account == Account::Crash),
        told.map(|it| it.code.as_str()),
        told.map(|it| it.sentence.as_str()),
        told.map(|it| it.reference.0),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Locks and gives one task whose lease ran out, if there is one that nobody else is mending: as it was claimed, with
/// the fence of the worker that went silent.
pub async fn expired(conn: &mut Connection) -> Result<Option<Claimed>> {
    let row = sqlx::query!(
        r#"select id as "id: TaskId", attempt, boot_id as "boot_id!: BootId", kind as "kind: TaskKind",
                  owner as "owner: UserId", ingest_id as "ingest_id: IngestId", run_id as "run_id: RunId",
                  file_id as "file_id: FileId", failures, crashes, request_id as "request_id: RequestId",
                  cancel_requested_at is not null as "cancel_requested!"
           from tasks where state = 'running' and lease_until < now()
           order by lease_until limit 1 for update skip locked"#,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.and_then(|row| {
        let work = match (row.ingest_id, row.run_id, row.file_id) {
            (Some(ingest), _, _) => Work::Ingest(ingest),
            (None, Some(run), Some(file)) => Work::RunFile(run, file),
            _ => return None,
        };
        let fence = Fence {
            task: row.id,
            attempt: row.attempt,
            boot: row.boot_id,
        };
        let (kind, owner, failures, crashes) = (row.kind, row.owner, row.failures, row.crashes);
        Some(Claimed {
            fence,
            kind,
            owner,
            work,
            failures,
            crashes,
            request: row.request_id,
            cancel_requested: row.cancel_requested,
        })
    }))
}

/// How many due tasks of a queue nobody took for `patience`. The caller compares with the tickets that are there and
/// pushes what is missing.
pub async fn overdue(conn: &mut Connection, queue: &str, patience: Duration) -> Result<i64> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from tasks
           where queue = $1 and state = 'queued' and greatest(run_at, ticketed_at) < now() - make_interval(secs => $2)
             and exists (select from queues q where q.name = $1 and q.paused_at is null)"#,
        queue,
        patience.as_secs_f64(),
    )
    .fetch_one(conn)
    .await?;
    Ok(count)
}

/// Asks for all unfinished tasks of a run to stop: those that do not run are cancelled at once, the others are asked.
/// Answers the files whose tasks were cancelled, and the tasks that were asked. Locks the tasks in the order of ids.
pub async fn cancel_run(conn: &mut Connection, run: RunId) -> Result<(Vec<FileId>, Vec<TaskId>)> {
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
        idle.into_iter().filter_map(|it| it.file_id).collect(),
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
           from tasks t join files f on f.id = t.file_id join ingests i on i.id = f.ingest_id
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
           from tasks t join files f on f.id = t.file_id
           where f.ingest_id = $1 and t.state = 'waiting' and t.run_id is not null
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
