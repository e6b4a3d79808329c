//! Recipes and their revisions. A revision never changes.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Connection, Result};
use crate::domain::ids::{RecipeId, RevisionId, RunId, UserId};

/// Remembers a recipe without revisions yet.
pub async fn insert(conn: &mut Connection, id: RecipeId, owner: UserId, name: &str) -> Result<()> {
    sqlx::query!(
        "insert into recipes (id, owner, name) values ($1, $2, $3)",
        id.0,
        owner.0,
        name
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A revision to be remembered.
#[derive(Clone, Copy, Debug)]
pub struct NewRevision<'a> {
    /// Its id.
    pub id: RevisionId,
    /// Of which recipe.
    pub recipe: RecipeId,
    /// The name that the recipe has from now on.
    pub name: &'a str,
    /// The document as JSON.
    pub document: &'a Value,
    /// What its author notes; may be empty.
    pub note: &'a str,
    /// The revision that it was made from, where nothing else may have been saved since.
    pub base: Option<i32>,
}

/// Adds a revision under the recipe's row lock; answers its number, and `None` when the owner has no such recipe or its
/// latest revision is not the one that this was made from.
pub async fn add_revision(conn: &mut Connection, owner: UserId, new: &NewRevision<'_>) -> Result<Option<i32>> {
    let number = sqlx::query_scalar!(
        "update recipes set latest = latest + 1, updated_at = now(), name = $3
         where id = $1 and owner = $2 and deleted_at is null and ($4::integer is null or latest = $4) returning latest",
        new.recipe.0,
        owner.0,
        new.name,
        new.base,
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(number) = number else { return Ok(None) };
    sqlx::query!(
        "insert into revisions (id, recipe_id, number, document, created_by, note)
         values ($1, $2, $3, case when $4::text::jsonb is not null then $4::text::json end, $5, $6)",
        new.id.0,
        new.recipe.0,
        number,
        // As text: a JSON value would be sent as jsonb, which has an order of keys of its own. What jsonb does not take is not
        // kept all the same.
        new.document.to_string(),
        owner.0,
        new.note,
    )
    .execute(conn)
    .await?;
    Ok(Some(number))
}

/// A recipe with one of its revisions.
#[derive(Clone, Debug)]
pub struct RecipeRow {
    /// The recipe.
    pub id: RecipeId,
    /// Its name.
    pub name: String,
    /// The revision.
    pub revision: RevisionId,
    /// The revision's number, from 1.
    pub number: i32,
    /// The document as JSON.
    pub document: Value,
    /// What the author noted.
    pub note: String,
    /// When the revision was saved.
    pub saved_at: DateTime<Utc>,
}

/// An owner's recipe with its latest revision.
pub async fn latest(conn: &mut Connection, owner: UserId, recipe: RecipeId) -> Result<Option<RecipeRow>> {
    let row = sqlx::query_as!(
        RecipeRow,
        r#"select r.id as "id: RecipeId", r.name, v.id as "revision: RevisionId", v.number, v.document, v.note,
                  v.created_at as saved_at
           from recipes r join revisions v on v.recipe_id = r.id and v.number = r.latest
           where r.id = $1 and r.owner = $2 and r.deleted_at is null"#,
        recipe.0,
        owner.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row)
}

/// An owner's recipe with a revision by number.
pub async fn revision(
    conn: &mut Connection,
    owner: UserId,
    recipe: RecipeId,
    number: i32,
) -> Result<Option<RecipeRow>> {
    let row = sqlx::query_as!(
        RecipeRow,
        r#"select r.id as "id: RecipeId", r.name, v.id as "revision: RevisionId", v.number, v.document, v.note,
                  v.created_at as saved_at
           from recipes r join revisions v on v.recipe_id = r.id
           where r.id = $1 and r.owner = $2 and v.number = $3 and r.deleted_at is null"#,
        recipe.0,
        owner.0,
        number,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row)
}

/// A recipe in a list.
#[derive(Clone, Debug)]
pub struct RecipeInList {
    /// The recipe.
    pub id: RecipeId,
    /// Its name.
    pub name: String,
    /// How many revisions there are.
    pub revisions: i32,
    /// When the latest was saved.
    pub updated_at: DateTime<Utc>,
    /// How many runs used one of them.
    pub runs: i64,
}

/// An owner's recipes, latest saved first; the next page starts before the last one's `updated_at`.
pub async fn list(
    conn: &mut Connection,
    owner: UserId,
    before: Option<DateTime<Utc>>,
    limit: i64,
) -> Result<Vec<RecipeInList>> {
    let rows = sqlx::query_as!(
        RecipeInList,
        r#"select r.id as "id: RecipeId", r.name, r.latest as revisions, r.updated_at,
                  (select count(*) from runs u join revisions v on v.id = u.revision_id where v.recipe_id = r.id) as "runs!"
           from recipes r
           where r.owner = $1 and r.deleted_at is null and ($2::timestamptz is null or r.updated_at < $2)
           order by r.updated_at desc limit $3"#,
        owner.0,
        before,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// A revision in a list.
#[derive(Clone, Debug)]
pub struct RevisionInList {
    /// Its number, from 1.
    pub number: i32,
    /// What the author noted.
    pub note: String,
    /// When it was saved.
    pub saved_at: DateTime<Utc>,
    /// Who saved it: a name or an address; `None`: the account is gone.
    pub author: Option<String>,
    /// How many runs used it.
    pub runs: i64,
}

/// The revisions of an owner's recipe, latest first: those before a number, so many.
pub async fn revisions(
    conn: &mut Connection,
    owner: UserId,
    recipe: RecipeId,
    before: Option<i32>,
    limit: i64,
) -> Result<Vec<RevisionInList>> {
    let rows = sqlx::query_as!(
        RevisionInList,
        r#"select v.number, v.note, v.created_at as saved_at, coalesce(nullif(a.name, ''), a.email) as author,
                  (select count(*) from runs u where u.revision_id = v.id) as "runs!"
           from revisions v join recipes r on r.id = v.recipe_id left join users a on a.id = v.created_by
           where r.id = $1 and r.owner = $2 and r.deleted_at is null and ($3::integer is null or v.number < $3)
           order by v.number desc limit $4"#,
        recipe.0,
        owner.0,
        before,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// What became of a recipe.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Its name now.
    pub name: String,
    /// The number of its latest revision.
    pub latest: i32,
    /// When it was removed, if it was.
    pub removed_at: Option<DateTime<Utc>>,
}

/// What became of an owner's recipe, also of one that was removed.
pub async fn standing(conn: &mut Connection, owner: UserId, recipe: RecipeId) -> Result<Option<Standing>> {
    let row = sqlx::query_as!(
        Standing,
        "select name, latest, deleted_at as removed_at from recipes where id = $1 and owner = $2",
        recipe.0,
        owner.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row)
}

/// The owner's recipe of this name that was saved last.
pub async fn named(conn: &mut Connection, owner: UserId, name: &str) -> Result<Option<RecipeId>> {
    let id = sqlx::query_scalar!(
        r#"select id as "id: RecipeId" from recipes where owner = $1 and name = $2 and deleted_at is null
           order by updated_at desc limit 1"#,
        owner.0,
        name,
    )
    .fetch_optional(conn)
    .await?;
    Ok(id)
}

/// The names of the owner's recipes that begin so.
pub async fn names(conn: &mut Connection, owner: UserId, start: &str) -> Result<Vec<String>> {
    let names = sqlx::query_scalar!(
        "select name from recipes where owner = $1 and deleted_at is null and starts_with(name, $2)",
        owner.0,
        start,
    )
    .fetch_all(conn)
    .await?;
    Ok(names)
}

/// The owner's recipes that were removed, the last first: id, name and when.
pub async fn removed(
    conn: &mut Connection,
    owner: UserId,
    limit: i64,
) -> Result<Vec<(RecipeId, String, DateTime<Utc>)>> {
    let rows = sqlx::query!(
        r#"select id as "id: RecipeId", name, deleted_at as "removed_at!" from recipes
           where owner = $1 and deleted_at is not null order by deleted_at desc limit $2"#,
        owner.0,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name, row.removed_at)).collect())
}

/// A removed recipe is there again. False when the owner has no such recipe.
pub async fn bring_back(conn: &mut Connection, owner: UserId, recipe: RecipeId) -> Result<bool> {
    let done = sqlx::query!(
        "update recipes set deleted_at = null where id = $1 and owner = $2 and deleted_at is not null",
        recipe.0,
        owner.0,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The last run of an owner's recipe, whichever revision it used, and when it was asked for.
pub async fn last_run(
    conn: &mut Connection,
    owner: UserId,
    recipe: RecipeId,
) -> Result<Option<(RunId, DateTime<Utc>)>> {
    let row = sqlx::query!(
        r#"select u.id as "id: RunId", u.created_at from runs u join revisions v on v.id = u.revision_id
           where v.recipe_id = $1 and u.owner = $2 order by u.id desc limit 1"#,
        recipe.0,
        owner.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.id, row.created_at)))
}

/// Hides a recipe; runs keep their documents. False when the owner has no such recipe.
pub async fn delete(conn: &mut Connection, owner: UserId, recipe: RecipeId) -> Result<bool> {
    let done = sqlx::query!(
        "update recipes set deleted_at = now() where id = $1 and owner = $2 and deleted_at is null",
        recipe.0,
        owner.0,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
