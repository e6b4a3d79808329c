//! Recipes: the list, the library, the builder, its live preview, saving, the history of revisions, and other files.

use sheetmill_engine::recipe::document::Recipe;

use crate::database::recipes::RecipeRow;
use crate::pages::PageError;

pub(super) mod act;
pub(super) mod builder;
mod changes;
pub(super) mod compare;
mod conflict;
pub(super) mod definitions;
pub(super) mod export;
pub(super) mod history;
pub(super) mod import;
pub(super) mod library;
pub(super) mod list;
pub(super) mod preview;
pub(super) mod revision;
pub(super) mod row;
pub(super) mod save;
pub(super) mod suggestions;
pub(super) mod using;

/// A recipe's name as people see it.
fn named(name: &str) -> String {
    if name.is_empty() {
        "Unnamed recipe".to_owned()
    } else {
        name.to_owned()
    }
}

/// The document of a stored revision.
fn stored(row: &RecipeRow) -> Result<Recipe, PageError> {
    Recipe::from_json(&row.document)
        .map_err(|_wrong| PageError::Internal(format!("revision {} of recipe {}", row.number, row.id)))
}
