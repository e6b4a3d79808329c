//! Runs: one revision applied to a set of files. Every change is made under the row's lock and raises its version.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::tasks::Told;
use super::{Connection, Result, run_files};
use crate::domain::ids::{RecipeId, RequestId, RevisionId, RunId, UserId};
use crate::domain::states::RunState;
use crate::domain::verdict::verdict;

/// A run to be remembered.
#[derive(Clone, Debug)]
pub struct NewRun<'a> {
    /// Its id.
    pub id: RunId,
    /// Whose it is.
    pub owner: UserId,
    /// The revision; `None`: the document came with the call.
    pub revision: Option<RevisionId>,
    /// Its name: the recipe's.
    pub name: &'a str,
    /// The recipe document.
    pub document: &'a Value,
    /// What was chosen for its columns.
    pub choices: &'a Value,
    /// How many files it has.
    pub files: i32,
    /// Higher goes first among the owner's.
    pub priority: i32,
    /// Not before; `None`: now.
    pub run_at: Option<DateTime<Utc>>,
    /// Whether nothing is taken over from earlier runs.
    pub from_scratch: bool,
    /// The request that asked for it.
    pub request: RequestId,
}

/// Remembers a run, `waiting`.
pub async fn insert(conn: &mut Connection, run: &NewRun<'_>) -> Result<()> {
    sqlx::query!(
        "insert into runs (id, owner, revision_id, name, document, remaining, priority, run_at, request_id, choices, from_scratch)
         values ($1, $2, $3, $4, case when $5::text::jsonb is not null then $5::text::json end, $6, $7, coalesce($8, now()), $9, $10, $11)",
        run.id.0,
        run.owner.0,
        run.revision.map(|it| it.0),
        run.name,
        // As text: a JSON value would be sent as jsonb, which has an order of keys of its own. What jsonb does not take is not
        // kept all the same.
        run.document.to_string(),
        run.files,
        run.priority,
        run.run_at,
        run.request.0,
        run.choices,
        run.from_scratch,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What somebody asked for with a run.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The revision; `None`: the document came with the call.
    pub revision: Option<RevisionId>,
    /// The recipe's name.
    pub name: String,
    /// The recipe document, as it was then.
    pub document: Value,
    /// What was chosen for its columns.
    pub choices: Value,
    /// Higher goes first among the owner's.
    pub priority: i32,
}

/// What an owner asked for with a run.
pub async fn asked(conn: &mut Connection, owner: UserId, run: RunId) -> Result<Option<Asked>> {
    let asked = sqlx::query_as!(
        Asked,
        r#"select revision_id as "revision: RevisionId", name, document, choices, priority from runs
           where id = $1 and owner = $2"#,
        run.0,
        owner.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(asked)
}

/// A run under its lock, for the rest of the transaction.
#[derive(Clone, Debug)]
pub struct Locked {
    /// Its id.
    pub id: RunId,
    /// Whose it is.
    pub owner: UserId,
    /// How far it has come.
    pub state: RunState,
    /// The version that this change has.
    pub version: i64,
    /// Files that are not finished.
    pub remaining: i32,
    /// Higher goes first among the owner's.
    pub priority: i32,
    /// The ledger so far.
    pub ledger: Value,
    /// The request that asked for it.
    pub request: RequestId,
}

/// Locks a run for a change and raises its version.
pub async fn lock(conn: &mut Connection, run: RunId) -> Result<Option<Locked>> {
    let row = sqlx::query_as!(
        Locked,
        r#"update runs set version = version + 1 where id = $1
           returning id as "id: RunId", owner as "owner: UserId", state as "state: RunState", version, remaining, priority, ledger,
                     request_id as "request: RequestId""#,
        run.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row)
}

/// Another time to begin at, for a locked run that waits.
pub async fn set_run_at(conn: &mut Connection, run: RunId, at: DateTime<Utc>) -> Result<()> {
    sqlx::query!("update runs set run_at = $2 where id = $1", run.0, at)
        .execute(conn)
        .await?;
    Ok(())
}

/// Counts files of a locked run as finished, after their rows were changed, and keeps its ledger. The last one ends the
/// run; answers its state then.
pub async fn end_files(conn: &mut Connection, run: &Locked, ended: i32, ledger: &Value) -> Result<Option<RunState>> {
    let remaining = (run.remaining - ended).max(0);
    sqlx::query!(
        "update runs set remaining = $2, ledger = $3 where id = $1",
        run.id.0,
        remaining,
        ledger
    )
    .execute(&mut *conn)
    .await?;
    if remaining > 0 || run.state.is_final() {
        return Ok(None);
    }
    let counts = run_files::counts(&mut *conn, run.id).await?;
    let end = verdict(&counts, run.state == RunState::Cancelling);
    // What is said of the only file is said of the run.
    let only = match counts.all {
        1 if end.state == RunState::Failed => run_files::told_of_first(&mut *conn, run.id).await?,
        _ => None,
    };
    let told = only.or(end.code.zip(end.sentence).map(|(code, sentence)| Told {
        code: code.to_owned(),
        sentence,
        reference: run.request,
    }));
    set_state(conn, run.id, end.state, told.as_ref()).await?;
    Ok(Some(end.state))
}

/// A locked run has so many files to finish.
pub async fn set_remaining(conn: &mut Connection, run: RunId, files: i32) -> Result<()> {
    sqlx::query!("update runs set remaining = $2 where id = $1", run.0, files)
        .execute(conn)
        .await?;
    Ok(())
}

/// Files of a locked run begin anew, so many; it is `waiting` again unless others of it are being worked on.
pub async fn restart_files(conn: &mut Connection, run: &Locked, files: i32) -> Result<()> {
    sqlx::query!(
        "update runs
         set remaining = remaining + $2, state = case state when 'running' then state else 'waiting' end, finished_at = null, code = null, sentence = null, reference = null
         where id = $1",
        run.id.0,
        files,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Moves a locked run to a state; the caller knows that the state machine allows it.
pub async fn set_state(conn: &mut Connection, run: RunId, state: RunState, told: Option<&Told>) -> Result<()> {
    sqlx::query!(
        "update runs
         set state = $2,
             started_at = case when $2 = 'running' then coalesce(started_at, now()) else started_at end,
             finished_at = case when $2 in ('succeeded', 'failed', 'cancelled') then now() end,
             code = $3, sentence = $4, reference = $5
         where id = $1",
        run.0,
        state.as_str(),
        told.map(|it| it.code.as_str()),
        told.map(|it| it.sentence.as_str()),
        told.map(|it| it.reference.0),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A run as its page and the API show it.
#[derive(Clone, Debug)]
pub struct RunRow {
    /// Its id.
    pub id: RunId,
    /// Whose it is.
    pub owner: UserId,
    /// The recipe it came from, where it was a saved one.
    pub recipe: Option<RecipeId>,
    /// The number of the recipe's revision.
    pub revision: Option<i32>,
    /// Its name.
    pub name: String,
    /// The recipe document.
    pub document: Value,
    /// How far it has come.
    pub state: RunState,
    /// Raised by every change.
    pub version: i64,
    /// Files in all.
    pub files: i64,
    /// Files that are not finished.
    pub remaining: i32,
    /// Files with a result.
    pub succeeded: i64,
    /// Files that were refused.
    pub refused: i64,
    /// Files that failed.
    pub failed: i64,
    /// The ledger so far: a list of steps.
    pub ledger: Value,
    /// A stable word for what went wrong.
    pub code: Option<String>,
    /// The sentence for what went wrong.
    pub sentence: Option<String>,
    /// What to give an admin.
    pub reference: Option<RequestId>,
    /// Higher goes first among the owner's.
    pub priority: i32,
    /// Not before.
    pub run_at: DateTime<Utc>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When its first file was taken up.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// When its results were removed, since their time was over.
    pub results_removed_at: Option<DateTime<Utc>>,
}

/// An owner's run.
pub async fn find(conn: &mut Connection, owner: UserId, run: RunId) -> Result<Option<RunRow>> {
    Ok(page(conn, owner, Some(run), None, None, 1).await?.pop())
}

/// An owner's runs, of one state or all, youngest first; the next page starts before the last one's id.
pub async fn list(
    conn: &mut Connection,
    owner: UserId,
    state: Option<RunState>,
    before: Option<RunId>,
    limit: i64,
) -> Result<Vec<RunRow>> {
    page(conn, owner, None, state, before, limit).await
}

async fn page(
    conn: &mut Connection,
    owner: UserId,
    only: Option<RunId>,
    state: Option<RunState>,
    before: Option<RunId>,
    limit: i64,
) -> Result<Vec<RunRow>> {
    let rows = sqlx::query_as!(
        RunRow,
        r#"select u.id as "id: RunId", u.owner as "owner: UserId", v.recipe_id as "recipe?: RecipeId",
                  v.number as "revision?", u.name, u.document, u.state as "state: RunState", u.version,
                  f.files as "files!", u.remaining, f.succeeded as "succeeded!", f.refused as "refused!",
                  f.failed as "failed!", u.ledger, u.code, u.sentence, u.reference as "reference: RequestId", u.priority, u.run_at,
                  u.created_at, u.started_at, u.finished_at, u.results_removed_at
           from runs u
           left join revisions v on v.id = u.revision_id
           cross join lateral (
               select count(*) as files,
                      count(*) filter (where r.state = 'succeeded') as succeeded,
                      count(*) filter (where r.state = 'refused') as refused,
                      count(*) filter (where r.state = 'failed') as failed
               from run_files r where r.run_id = u.id
           ) f
           where u.owner = $1 and ($2::uuid is null or u.id = $2) and ($3::uuid is null or u.id < $3)
             and ($4::text is null or u.state = $4)
           order by u.id desc limit $5"#,
        owner.0,
        only.map(|it| it.0),
        before.map(|it| it.0),
        state.map(RunState::as_str),
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// The recipe document of a run, for whoever works on it.
pub async fn document(conn: &mut Connection, run: RunId) -> Result<Option<Value>> {
    let document = sqlx::query_scalar!("select document from runs where id = $1", run.0)
        .fetch_optional(conn)
        .await?;
    Ok(document)
}

/// How far a run has come, and its version: enough to see whether a page is up to date.
pub async fn state(conn: &mut Connection, run: RunId) -> Result<Option<(RunState, i64)>> {
    let row = sqlx::query!(
        r#"select state as "state: RunState", version from runs where id = $1"#,
        run.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.state, row.version)))
}
