//! Recipes that put the rows of all files of a command together.

use std::path::PathBuf;

use sheetmill_engine::recipe::document::{MOST_TOGETHER, Recipe};

use super::Stop;
use super::mill::Share;
use super::references::References;
use super::report::{InputReport, sha256};

/// The recipe for a first file whose rows are put together with those of others, which are read as its tables; and the
/// others, for the report.
pub(super) async fn together(
    recipe: &Recipe,
    first: &str,
    others: &[(String, PathBuf)],
    references: &mut References,
    share: Share,
) -> Result<(Recipe, Vec<InputReport>), Stop> {
    if others.len() >= MOST_TOGETHER {
        let sentence = format!("a recipe puts the rows of at most {MOST_TOGETHER} files together");
        return Err(Stop::wrong(sentence));
    }
    let called: Vec<&str> = others.iter().map(|(name, _)| name.as_str()).collect();
    let (wanted, names) = recipe.together(first, &called);
    let mut inputs = Vec::with_capacity(others.len());
    for (table, (name, file)) in names.iter().zip(others) {
        let options = recipe.input.ingest_options();
        let rows = references.add(table, (name, file), options, share).await?;
        inputs.push(InputReport {
            name: name.clone(),
            sha256: sha256(file)?,
            rows,
            ..InputReport::default()
        });
    }
    Ok((wanted, inputs))
}
