//! The files of runs: how far each has come.

use serde_json::Value;
use uuid::Uuid;

use super::tasks::Told;
use super::{Connection, Result};
use crate::domain::ids::{FileId, IngestId, RequestId, RunId, Sha256, TaskId, UserId};
use crate::domain::states::{IngestState, RunFileState, TaskState};
use crate::domain::verdict::FileCounts;

/// A file of a run to be remembered.
#[derive(Clone, Copy, Debug)]
pub struct NewRunFile {
    /// The file.
    pub file: FileId,
    /// How it is read.
    pub ingest: IngestId,
    /// Its task and the task's first state; `None`: there is nothing to do for it.
    pub task: Option<(TaskId, TaskState)>,
}

/// Remembers the files of a run, in order.
pub async fn insert_all(conn: &mut Connection, run: RunId, files: &[NewRunFile]) -> Result<()> {
    let ids: Vec<Uuid> = files.iter().map(|it| it.file.0).collect();
    let ingests: Vec<Uuid> = files.iter().map(|it| it.ingest.0).collect();
    let tasks: Vec<Option<Uuid>> = files.iter().map(|it| it.task.map(|(task, _)| task.0)).collect();
    sqlx::query!(
        "insert into run_files (run_id, position, file_id, ingest_id, task_id)
         select $1, given.position - 1, given.file_id, given.ingest_id, given.task_id
         from unnest($2::uuid[], $3::uuid[], $4::uuid[]) with ordinality as given (file_id, ingest_id, task_id, position)",
        run.0,
        &ids,
        &ingests,
        &tasks as &[Option<Uuid>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Moves a file to a state that has no sentence; false when it was finished already or is not there.
pub async fn set_state(conn: &mut Connection, run: RunId, file: FileId, state: RunFileState) -> Result<bool> {
    let done = sqlx::query!(
        "update run_files set state = $3, code = null, sentence = null, reference = null
         where run_id = $1 and file_id = $2 and state in ('waiting', 'running')",
        run.0,
        file.0,
        state.as_str(),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What is kept of a file that is done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Done<'a> {
    /// Rows read, and rows in results.
    pub rows: (i64, i64),
    /// What became of the columns that the recipe expects.
    pub columns: Option<&'a Value>,
    /// The run whose result it took over.
    pub from: Option<RunId>,
}

/// The file is done.
pub async fn succeed(conn: &mut Connection, run: RunId, file: FileId, done: &Done<'_>) -> Result<bool> {
    let done = sqlx::query!(
        "update run_files
         set state = 'succeeded', rows_in = $3, rows_out = $4, columns = $5, reused_from = $6, code = null, sentence = null, reference = null
         where run_id = $1 and file_id = $2 and state in ('waiting', 'running')",
        run.0,
        file.0,
        done.rows.0,
        done.rows.1,
        done.columns,
        done.from.map(|it| it.0),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The file was refused or failed, with the sentence people are told.
pub async fn fail(conn: &mut Connection, run: RunId, file: FileId, state: RunFileState, told: &Told) -> Result<bool> {
    let done = sqlx::query!(
        "update run_files set state = $3, code = $4, sentence = $5, reference = $6
         where run_id = $1 and file_id = $2 and state in ('waiting', 'running')",
        run.0,
        file.0,
        state.as_str(),
        told.code,
        told.sentence,
        told.reference.0,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What was said of the first file that something was said of.
pub async fn told_of_first(conn: &mut Connection, run: RunId) -> Result<Option<Told>> {
    let row = sqlx::query_as!(
        Told,
        r#"select code as "code!", sentence as "sentence!", reference as "reference!: RequestId" from run_files
           where run_id = $1 and code is not null and sentence is not null and reference is not null
           order by position limit 1"#,
        run.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row)
}

/// Cancels the unfinished ones of the given files; answers how many.
pub async fn cancel(conn: &mut Connection, run: RunId, files: &[FileId]) -> Result<i32> {
    let ids: Vec<Uuid> = files.iter().map(|it| it.0).collect();
    let done = sqlx::query!(
        "update run_files set state = 'cancelled'
         where run_id = $1 and file_id = any($2) and state in ('waiting', 'running')",
        run.0,
        &ids,
    )
    .execute(conn)
    .await?;
    Ok(i32::try_from(done.rows_affected()).unwrap_or(i32::MAX))
}

/// An ended file begins anew; false when it has not ended or has succeeded.
pub async fn restart(conn: &mut Connection, run: RunId, file: FileId) -> Result<bool> {
    let done = sqlx::query!(
        "update run_files set state = 'waiting', code = null, sentence = null, reference = null, rows_in = null, rows_out = null, columns = null,
             reused_from = null
         where run_id = $1 and file_id = $2 and state in ('failed', 'cancelled', 'refused')",
        run.0,
        file.0,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Counts the files of a run by how they ended.
pub async fn counts(conn: &mut Connection, run: RunId) -> Result<FileCounts> {
    let counts = sqlx::query_as!(
        FileCounts,
        r#"select count(*) as "all!",
                  count(*) filter (where state = 'succeeded') as "succeeded!",
                  count(*) filter (where state = 'refused') as "refused!",
                  count(*) filter (where state = 'failed') as "failed!",
                  count(*) filter (where state = 'cancelled') as "cancelled!"
           from run_files where run_id = $1"#,
        run.0,
    )
    .fetch_one(conn)
    .await?;
    Ok(counts)
}

/// A file of a run as its page and the API show it.
#[derive(Clone, Debug)]
pub struct RunFileRow {
    /// From 0.
    pub position: i32,
    /// The file.
    pub file: FileId,
    /// Its name.
    pub name: String,
    /// Its ingest.
    pub ingest: IngestId,
    /// How far the reading has come.
    pub ingest_state: IngestState,
    /// How far it has come in the run.
    pub state: RunFileState,
    /// Its task.
    pub task: Option<TaskId>,
    /// How far the task has come.
    pub task_state: Option<TaskState>,
    /// Attempts at the task so far.
    pub attempts: Option<i32>,
    /// How far the running attempt has come, a [`crate::domain::progress::Progress`].
    pub progress: Option<Value>,
    /// Seconds until the next attempt, where one waits for its time.
    pub next_in: Option<f64>,
    /// Rows read.
    pub rows_in: Option<i64>,
    /// Rows in results.
    pub rows_out: Option<i64>,
    /// The run whose result it took over.
    pub reused_from: Option<RunId>,
    /// A stable word for what went wrong; while it is tried again, what went wrong last.
    pub code: Option<String>,
    /// The sentence for it.
    pub sentence: Option<String>,
    /// What to give an admin.
    pub reference: Option<RequestId>,
}

/// The files of a run in order, from a position on.
pub async fn of_run(conn: &mut Connection, run: RunId, from: i32, limit: i64) -> Result<Vec<RunFileRow>> {
    let rows = sqlx::query_as!(
        RunFileRow,
        r#"select r.position, r.file_id as "file: FileId", f.name, r.ingest_id as "ingest: IngestId",
                  i.state as "ingest_state: IngestState", r.state as "state: RunFileState", r.task_id as "task: TaskId",
                  t.state as "task_state?: TaskState", t.attempt as "attempts?", t.progress,
                  case when t.state = 'queued' and t.run_at > now()
                       then extract(epoch from t.run_at - now())::float8 end as next_in,
                  r.rows_in, r.rows_out, r.reused_from as "reused_from: RunId", coalesce(r.code, t.code) as code, coalesce(r.sentence, t.sentence) as sentence,
                  coalesce(r.reference, t.reference) as "reference: RequestId"
           from run_files r
           join files f on f.id = r.file_id
           join ingests i on i.id = r.ingest_id
           left join tasks t on t.id = r.task_id
           where r.run_id = $1 and r.position >= $2
           order by r.position limit $3"#,
        run.0,
        from,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// The files of a run, in order.
pub async fn files(conn: &mut Connection, run: RunId) -> Result<Vec<FileId>> {
    let files = sqlx::query_scalar!(
        r#"select file_id as "file: FileId" from run_files where run_id = $1 order by position"#,
        run.0,
    )
    .fetch_all(conn)
    .await?;
    Ok(files)
}

/// How far a file of a run has come in it; nothing where it is none of its files.
pub async fn state(conn: &mut Connection, run: RunId, file: FileId) -> Result<Option<RunFileState>> {
    let state = sqlx::query_scalar!(
        r#"select state as "state: RunFileState" from run_files where run_id = $1 and file_id = $2"#,
        run.0,
        file.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(state)
}

/// Files of a run whose expected columns were found in the same way.
#[derive(Clone, Debug)]
pub struct ColumnsOfFiles {
    /// How they were found, as JSON: a list of sheets.
    pub columns: Value,
    /// How many files.
    pub files: i64,
    /// The name of the first of them.
    pub first: String,
}

/// How the expected columns of a run's files were found: first what is so in most files.
pub async fn columns_of_run(conn: &mut Connection, run: RunId, limit: i64) -> Result<Vec<ColumnsOfFiles>> {
    let rows = sqlx::query_as!(
        ColumnsOfFiles,
        r#"select r.columns as "columns!", count(*) as "files!", (array_agg(f.name order by r.position))[1] as "first!"
           from run_files r join files f on f.id = r.file_id
           where r.run_id = $1 and r.columns is not null
           group by r.columns order by count(*) desc, min(r.position) limit $2"#,
        run.0,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// A file that somebody wants to run: whether its reading is done.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The file.
    pub id: FileId,
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub blob: Sha256,
    /// `xlsx`, `csv`, …: by content.
    pub format: String,
    /// How it is read.
    pub ingest: IngestId,
    /// How far that has come.
    pub state: IngestState,
    /// Under which options, as JSON.
    pub options: Value,
    /// A stable word for why it was refused or failed.
    pub code: Option<String>,
    /// The sentence for it.
    pub sentence: Option<String>,
    /// What to give an admin.
    pub reference: Option<RequestId>,
}

/// Those of the given files that the owner has. Their ingests cannot end before this transaction does, so that no task
/// waits for an end that has passed.
pub async fn candidates(conn: &mut Connection, owner: UserId, files: &[FileId]) -> Result<Vec<Candidate>> {
    let ids: Vec<Uuid> = files.iter().map(|it| it.0).collect();
    let rows = sqlx::query_as!(
        Candidate,
        r#"select f.id as "id: FileId", f.name, f.blob as "blob: Sha256", f.format, i.id as "ingest: IngestId",
                  i.state as "state: IngestState", i.options, i.code, i.sentence,
                  i.reference as "reference: RequestId"
           from files f join ingests i on i.id = f.ingest_id
           where f.id = any($1) and f.owner = $2 and f.deleted_at is null
           order by i.id for share of i, f"#,
        &ids,
        owner.0,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// The files that stand for these: of archives, the files of their members, in their order.
pub async fn without_archives(conn: &mut Connection, owner: UserId, files: &[FileId]) -> Result<Vec<FileId>> {
    let ids: Vec<Uuid> = files.iter().map(|it| it.0).collect();
    let found = sqlx::query_scalar!(
        r#"select coalesce(m.id, given.id) as "id!: FileId"
           from unnest($1::uuid[]) with ordinality as given (id, position)
           left join files f on f.id = given.id and f.owner = $2 and f.deleted_at is null and f.format = 'zip'
           left join files m on m.parent = f.id and m.owner = $2 and m.deleted_at is null
           order by given.position, m.id"#,
        &ids,
        owner.0,
    )
    .fetch_all(conn)
    .await?;
    Ok(found)
}
