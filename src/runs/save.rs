//! Recipes as documents with a history: every save is another revision, and what was saved is never changed or lost.

use serde_json::Value;
use sheetmill_engine::recipe::document::Recipe;

use super::Error;
use crate::database::{Pool, Tx, recipes};
use crate::domain::ids::{RecipeId, RevisionId, UserId};
use crate::events::{Event, Kind, announce};

/// Characters of a note; who has more to say says it in a text.
const MOST_OF_NOTE: usize = 500;
/// Characters of a recipe's name, as its document has them.
const MOST_OF_NAME: usize = 200;

/// A saved revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The recipe.
    pub recipe: RecipeId,
    /// The revision's number, from 1.
    pub number: i32,
}

/// What its author notes of a revision: may be empty, at most 500 characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note(String);

impl Note {
    /// Reads one.
    ///
    /// # Errors
    /// [`Error::LongNote`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        if text.chars().count() > MOST_OF_NOTE {
            return Err(Error::LongNote(MOST_OF_NOTE));
        }
        Ok(Self(text.to_owned()))
    }
}

/// Saves a new recipe.
///
/// # Errors
/// The database's.
pub async fn save_recipe(pool: &Pool, owner: UserId, recipe: &Recipe, note: &Note) -> Result<Saved, Error> {
    let mut tx = pool.begin().await?;
    let saved = insert(&mut tx, owner, recipe, note).await?;
    tx.commit().await?;
    Ok(saved)
}

/// Saves a new recipe beside those that the owner has: where one has its name, it gets a number behind it.
///
/// # Errors
/// The database's.
pub async fn save_beside(pool: &Pool, owner: UserId, recipe: &Recipe, note: &Note) -> Result<Saved, Error> {
    let mut tx = pool.begin().await?;
    let named = Recipe {
        name: free_name(&mut tx, owner, &recipe.name).await?,
        ..recipe.clone()
    };
    let saved = insert(&mut tx, owner, &named, note).await?;
    tx.commit().await?;
    Ok(saved)
}

/// Saves a recipe anew; its earlier revisions stay. `base`: the revision that it was made from, where none may have been saved
/// since.
///
/// # Errors
/// [`Error::NoRecipe`], [`Error::Changed`]; the database's.
pub async fn save_revision(
    pool: &Pool,
    owner: UserId,
    id: RecipeId,
    recipe: &Recipe,
    note: &Note,
    base: Option<i32>,
) -> Result<Saved, Error> {
    let mut tx = pool.begin().await?;
    let document = serde_json::to_value(recipe)?;
    let saved = add(&mut tx, owner, id, (&recipe.name, &document), &note.0, base).await?;
    tx.commit().await?;
    Ok(saved)
}

/// Makes an old revision the latest, as another one.
///
/// # Errors
/// [`Error::NoRecipe`] also where there is no such revision; [`Error::Latest`]; the database's.
pub async fn restore(pool: &Pool, owner: UserId, id: RecipeId, number: i32, note: &Note) -> Result<Saved, Error> {
    let mut tx = pool.begin().await?;
    let latest = recipes::latest(&mut tx, owner, id).await?.ok_or(Error::NoRecipe)?;
    if latest.number == number {
        return Err(Error::Latest(number));
    }
    let old = recipes::revision(&mut tx, owner, id, number)
        .await?
        .ok_or(Error::NoRecipe)?;
    let name = old.document["name"].as_str().unwrap_or_default();
    let saved = add(&mut tx, owner, id, (name, &old.document), &note.0, None).await?;
    tx.commit().await?;
    Ok(saved)
}

/// Gives a recipe another name, as its next revision; nothing is saved where it has that name.
///
/// # Errors
/// [`Error::NoRecipe`], [`Error::BadName`]; the database's.
pub async fn rename(pool: &Pool, owner: UserId, id: RecipeId, name: &str) -> Result<Saved, Error> {
    let mut tx = pool.begin().await?;
    let mut latest = recipes::latest(&mut tx, owner, id).await?.ok_or(Error::NoRecipe)?;
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MOST_OF_NAME {
        return Err(Error::BadName(MOST_OF_NAME));
    }
    if latest.name == name {
        let number = latest.number;
        return Ok(Saved { recipe: id, number });
    }
    latest.document["name"] = Value::from(name);
    let note = match latest.name.as_str() {
        "" => String::new(),
        before => format!("Renamed from “{before}”"),
    };
    let base = Some(latest.number);
    let saved = add(&mut tx, owner, id, (name, &latest.document), &note, base).await?;
    tx.commit().await?;
    Ok(saved)
}

/// Copies the latest revision into a recipe of its own.
///
/// # Errors
/// [`Error::NoRecipe`]; the database's.
pub async fn duplicate(pool: &Pool, owner: UserId, id: RecipeId) -> Result<Saved, Error> {
    let mut tx = pool.begin().await?;
    let mut latest = recipes::latest(&mut tx, owner, id).await?.ok_or(Error::NoRecipe)?;
    let name = free_name(&mut tx, owner, &latest.name).await?;
    let note = format!("Copy of “{}”, revision {}", latest.name, latest.number);
    latest.document["name"] = Value::from(name.as_str());
    let copy = RecipeId::new();
    recipes::insert(&mut tx, copy, owner, &name).await?;
    let saved = add(&mut tx, owner, copy, (&name, &latest.document), &note, None).await?;
    tx.commit().await?;
    Ok(saved)
}

async fn insert(tx: &mut Tx, owner: UserId, recipe: &Recipe, note: &Note) -> Result<Saved, Error> {
    let id = RecipeId::new();
    recipes::insert(tx, id, owner, &recipe.name).await?;
    let document = serde_json::to_value(recipe)?;
    add(tx, owner, id, (&recipe.name, &document), &note.0, None).await
}

async fn add(
    tx: &mut Tx,
    owner: UserId,
    id: RecipeId,
    (name, document): (&str, &Value),
    note: &str,
    base: Option<i32>,
) -> Result<Saved, Error> {
    let revision = recipes::NewRevision {
        id: RevisionId::new(),
        recipe: id,
        name,
        document,
        note,
        base,
    };
    let Some(number) = recipes::add_revision(tx, owner, &revision).await? else {
        let latest = recipes::latest(tx, owner, id).await?.ok_or(Error::NoRecipe)?;
        return Err(Error::Changed(latest.number));
    };
    announce(tx, &Event::of(owner, Kind::RecipeSaved)).await?;
    Ok(Saved { recipe: id, number })
}

/// The name, or the name with the first number behind it that makes it one that the owner does not have.
async fn free_name(tx: &mut Tx, owner: UserId, name: &str) -> Result<String, Error> {
    let name = if name.is_empty() { "Unnamed recipe" } else { name };
    // Room for a number behind it.
    let stem: String = name.chars().take(MOST_OF_NAME - 8).collect();
    let taken = recipes::names(tx, owner, &stem).await?;
    if !taken.iter().any(|it| it == name) {
        return Ok(name.to_owned());
    }
    let numbered = (2..).map(|number| format!("{stem} ({number})"));
    let mut free = numbered.filter(|it| !taken.contains(it));
    Ok(free.next().unwrap_or(stem))
}
