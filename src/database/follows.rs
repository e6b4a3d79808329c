//! Which runs follow which.

use super::{Connection, Result};
use crate::domain::ids::{ArtifactId, RunId, Sha256, TaskId, UserId};
use crate::domain::states::RunState;

/// A run of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The run.
    pub id: RunId,
    /// Its name.
    pub name: String,
    /// How far it has come.
    pub state: RunState,
}

/// Remembers that a run follows others, in this order.
///
/// # Errors
/// See [`super::Error`].
pub async fn insert(conn: &mut Connection, run: RunId, after: &[RunId]) -> Result<()> {
    let after: Vec<uuid::Uuid> = after.iter().map(|it| it.0).collect();
    sqlx::query!(
        "insert into run_follows (run_id, after_run_id, position)
         select $1, given.id, given.position - 1 from unnest($2::uuid[]) with ordinality as given (id, position)",
        run.0,
        &after,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The owner's runs of these ids. They cannot end before this transaction does.
///
/// # Errors
/// See [`super::Error`].
pub async fn hold(conn: &mut Connection, owner: UserId, runs: &[RunId]) -> Result<Vec<Held>> {
    let ids: Vec<uuid::Uuid> = runs.iter().map(|it| it.0).collect();
    let held = sqlx::query_as!(
        Held,
        r#"select id as "id: RunId", name, state as "state: RunState", document->'output'->>'format' as format from runs
           where owner = $1 and id = any($2) order by id for share"#,
        owner.0,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(held)
}

/// A run that cannot end yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The run.
    pub id: RunId,
    /// Its name.
    pub name: String,
    /// How far it has come.
    pub state: RunState,
    /// The format of its results, where its recipe names one.
    pub format: Option<String>,
}

/// The runs that follow a run, in the order of ids.
///
/// # Errors
/// See [`super::Error`].
pub async fn followers(conn: &mut Connection, run: RunId) -> Result<Vec<RunId>> {
    let followers = sqlx::query_scalar!(
        r#"select run_id as "run: RunId" from run_follows where after_run_id = $1 order by run_id"#,
        run.0,
    )
    .fetch_all(conn)
    .await?;
    Ok(followers)
}

/// The runs that a run follows, in the order in which they were named.
///
/// # Errors
/// See [`super::Error`].
pub async fn followed(conn: &mut Connection, run: RunId) -> Result<Vec<Link>> {
    let links = sqlx::query_as!(
        Link,
        r#"select u.id as "id: RunId", u.name, u.state as "state: RunState" from run_follows f join runs u on u.id = f.after_run_id
           where f.run_id = $1 order by f.position"#,
        run.0,
    )
    .fetch_all(conn)
    .await?;
    Ok(links)
}

/// A run of a chain and the runs that it follows.
#[derive(Clone, Debug)]
pub struct Node {
    /// The run.
    pub id: RunId,
    /// Its name.
    pub name: String,
    /// How far it has come.
    pub state: RunState,
    /// What it follows, of the chain.
    pub after: Vec<uuid::Uuid>,
}

/// All runs that are tied to a run by following, itself included, oldest first; at most so many.
///
/// # Errors
/// See [`super::Error`].
pub async fn chain(conn: &mut Connection, run: RunId, limit: i64) -> Result<Vec<Node>> {
    let nodes = sqlx::query_as!(
        Node,
        r#"with recursive tied as (
               select $1::uuid as id
               union
               select case when f.run_id = t.id then f.after_run_id else f.run_id end
               from tied t join run_follows f on t.id in (f.run_id, f.after_run_id)
           )
           select u.id as "id: RunId", u.name, u.state as "state: RunState",
                  array(select f.after_run_id from run_follows f where f.run_id = u.id order by f.position) as "after!"
           from tied t join runs u on u.id = t.id order by u.id limit $2"#,
        run.0,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(nodes)
}

/// A result that a run works on.
#[derive(Clone, Debug)]
pub struct ResultRow {
    /// The artifact.
    pub id: ArtifactId,
    /// Its name for people.
    pub name: String,
    /// Where its bytes are.
    pub storage_key: String,
    /// Their count.
    pub bytes: i64,
    /// Their hash.
    pub sha256: Sha256,
    /// Whether it was removed meanwhile.
    pub gone: bool,
}

/// The results of the runs that a run follows, in the order of those runs and their files.
///
/// # Errors
/// See [`super::Error`].
pub async fn results(conn: &mut Connection, run: RunId) -> Result<Vec<ResultRow>> {
    let rows = sqlx::query_as!(
        ResultRow,
        r#"select a.id as "id: ArtifactId", a.name, a.storage_key, a.bytes, a.sha256 as "sha256: Sha256",
                  a.deleted_at is not null as "gone!"
           from run_follows f
                join artifacts a on a.run_id = f.after_run_id and a.kind = 'result'
                left join run_files r on r.run_id = a.run_id and r.file_id = a.file_id
           where f.run_id = $1 order by f.position, r.position nulls first, a.id"#,
        run.0,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// The task that gathers the results for a run, while it waits for them; locked.
///
/// # Errors
/// See [`super::Error`].
pub async fn waiting_task(conn: &mut Connection, run: RunId) -> Result<Option<TaskId>> {
    let task = sqlx::query_scalar!(
        r#"select id as "id: TaskId" from tasks where run_id = $1 and file_id is null and state = 'waiting' for update"#,
        run.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(task)
}
