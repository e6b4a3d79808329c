//! Gathers for a run the results of those that it follows: their bytes become files.

use sheetmill_engine::recipe::document::Recipe;

use super::attempt::{Attempt, Halt, Product, internal};
use super::retry::Mishap;
use crate::chains::Gathered;
use crate::database::{blobs, follows, runs};
use crate::domain::failure::Fault;
use crate::domain::ids::RunId;
use crate::storage::Key;

/// The work of an attempt at gathering.
///
/// # Errors
/// Why there is nothing to work on.
pub async fn work(attempt: &mut Attempt, run: RunId) -> Result<Product, Halt> {
    let mut conn = attempt.context.pool.acquire().await?;
    let document = runs::document(&mut conn, run).await?.unwrap_or_default();
    let results = follows::results(&mut conn, run).await?;
    drop(conn);
    let recipe: Recipe = serde_json::from_value(document).map_err(|error| ours(format!("recipe: {error}")))?;
    "The results".clone_into(&mut attempt.name);
    let storage = &attempt.context.storage;
    let mut files = Vec::with_capacity(results.len());
    for result in results {
        let from: Key = result.storage_key.parse().map_err(|error| ours(format!("{error}")))?;
        let (blob, bytes) = (
            Key::Blob(result.sha256),
            u64::try_from(result.bytes).unwrap_or_default(),
        );
        if result.gone {
            return Err(gone(&result.name));
        }
        let Some(format) = format(&result.name) else {
            return Err(unreadable(&result.name));
        };
        let mut conn = attempt.context.pool.acquire().await?;
        blobs::want(&mut conn, &[(result.sha256, bytes)]).await?;
        drop(conn);
        if attempt.unless_stopped(storage.size(&blob)).await? != Some(bytes) {
            attempt.unless_stopped(storage.copy(&from, &blob)).await?;
        }
        files.push(Gathered {
            name: result.name,
            blob: result.sha256,
            bytes,
            format,
        });
    }
    Ok(Product::Gathered {
        files,
        options: recipe.input.ingest_options(),
    })
}

/// What a result is by its name, which is ours.
fn format(name: &str) -> Option<&'static str> {
    let (_, ending) = name.rsplit_once('.')?;
    ["xlsx", "csv"].into_iter().find(|it| *it == ending)
}

fn ours(detail: String) -> Halt {
    Halt::Mishap(internal(Fault::Ours, detail))
}

fn gone(name: &str) -> Halt {
    input(
        "result_gone",
        format!("The result “{name}” was removed before it was worked on."),
    )
}

fn unreadable(name: &str) -> Halt {
    input(
        "result_unreadable",
        format!("The result “{name}” cannot be read again: choose xlsx or csv as the output of the run before."),
    )
}

fn input(code: &str, sentence: String) -> Halt {
    Halt::Mishap(Mishap::Failed {
        fault: Fault::Input,
        code: code.to_owned(),
        sentence,
        detail: String::new(),
    })
}
