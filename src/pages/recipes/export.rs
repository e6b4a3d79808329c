//! `/recipes/{recipe}/export`: a revision as a file, YAML or JSON.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION};
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::stored;
use crate::database::recipes;
use crate::domain::ids::RecipeId;
use crate::domain::name;
use crate::pages::gate::SignedIn;
use crate::pages::{PageError, Pages};
use crate::storage::attachment;

/// Which revision, and how it is written.
#[derive(Debug, Deserialize)]
pub(in crate::pages) struct Which {
    /// Nothing: the latest.
    revision: Option<i32>,
    #[serde(default)]
    form: Form,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Form {
    #[default]
    Yaml,
    Json,
}

/// `GET /recipes/{recipe}/export`
pub(in crate::pages) async fn download(
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    recipe: web::Path<RecipeId>,
    which: web::Query<Which>,
) -> Result<HttpResponse, PageError> {
    let mut connection = pages.pool.acquire().await?;
    let row = match which.revision {
        Some(number) => recipes::revision(&mut connection, session.user(), *recipe, number).await?,
        None => recipes::latest(&mut connection, session.user(), *recipe).await?,
    };
    drop(connection);
    let row = row.ok_or(PageError::NotFound)?;
    let recipe = stored(&row)?;
    let (text, kind, ending) = match which.form {
        Form::Yaml => (recipe.exported_yaml(), "application/yaml; charset=utf-8", "yaml"),
        Form::Json => (recipe.exported_json(), "application/json", "json"),
    };
    Ok(HttpResponse::Ok()
        .content_type(kind)
        .insert_header((CONTENT_DISPOSITION, attachment(&file_name(&recipe.name, ending))))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(text))
}

/// The recipe's name as a file's: `Orders 1/2` is `Orders 1-2.yaml`.
fn file_name(recipe: &str, ending: &str) -> String {
    let plain = recipe.replace(['/', '\\', ':'], "-");
    let plain = plain.trim();
    let stem = if plain.is_empty() { "recipe" } else { plain };
    name::clean(&format!("{stem}.{ending}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_called_as_its_recipe() {
        assert_eq!(file_name("Clean orders", "yaml"), "Clean orders.yaml");
        assert_eq!(file_name("Orders 1/2", "json"), "Orders 1-2.json");
        assert_eq!(file_name("..\\up\u{202e}", "yaml"), "..-up.yaml");
        assert_eq!(file_name(" ", "yaml"), "recipe.yaml");
    }
}
