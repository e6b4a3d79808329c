//! Recipes and their revisions. A revision never changes.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Connection, Result};
use crate::domain::ids::{RecipeId, RevisionId, UserId};

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
}

/// Adds a revision under the recipe's row lock; answers its number, and `None` when the owner has no such recipe.
pub async fn add_revision(conn: &mut Connection, owner: UserId, new: &NewRevision<'_>) -> Result<Option<i32>> {
    let number = sqlx::query_scalar!(
        "update recipes set latest = latest + 1, updated_at = now(), name = $3
         where id = $1 and owner = $2 and deleted_at is null returning latest",
        new.recipe.0,
        owner.0,
        new.name,
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(number) = number else { return Ok(None) };
    sqlx::query!(
        "insert into revisions (id, recipe_id, number, document, created_by) values ($1, $2, $3, $4, $5)",
        new.id.0,
        new.recipe.0,
        number,
        new.document,
        owner.0,
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
}

/// The revisions of an owner's recipe, latest first.
pub async fn revisions(conn: &mut Connection, owner: UserId, recipe: RecipeId) -> Result<Vec<RevisionInList>> {
    let rows = sqlx::query_as!(
        RevisionInList,
        r#"select v.number, v.note, v.created_at as saved_at from revisions v join recipes r on r.id = v.recipe_id
           where r.id = $1 and r.owner = $2 and r.deleted_at is null order by v.number desc"#,
        recipe.0,
        owner.0,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
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
