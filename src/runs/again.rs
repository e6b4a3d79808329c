//! Starts what was run before once more: the same recipe, as it was then, on the same files.

use sheetmill_engine::recipe::mapping::Choices;

use super::{Error, RecipeRef, Start, Started, start};
use crate::database::{Pool, follows, run_files, run_references, runs};
use crate::domain::ids::{RequestId, RunId, UserId};

/// Runs an owner's run again. From scratch: nothing is taken over from earlier runs.
///
/// # Errors
/// [`Error::NoRun`]; those of [`start()`], for files that were removed since.
pub async fn again(
    pool: &Pool,
    owner: UserId,
    run: RunId,
    from_scratch: bool,
    request: RequestId,
) -> Result<Started, Error> {
    let mut conn = pool.acquire().await?;
    let asked = runs::asked(&mut conn, owner, run).await?.ok_or(Error::NoRun)?;
    let files = run_files::files(&mut conn, run).await?;
    // One that had not begun follows what it was to follow.
    let followed = if files.is_empty() {
        follows::followed(&mut conn, run).await?
    } else {
        Vec::new()
    };
    let references = run_references::chosen(&mut conn, run).await?;
    drop(conn);
    let references = references
        .into_iter()
        .map(|it| (it.name, (it.file, Some(it.position))))
        .collect();
    let columns: Choices = serde_json::from_value(asked.choices)?;
    let wanted = Start {
        owner,
        recipe: RecipeRef::OfRun(run),
        after: followed.into_iter().map(|it| it.id).collect(),
        files,
        references,
        columns,
        priority: asked.priority,
        run_at: None,
        from_scratch,
        idempotency_key: None,
        request,
    };
    start(pool, wanted).await
}
