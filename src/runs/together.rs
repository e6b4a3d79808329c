//! Runs whose recipe puts the rows of all files together: it is applied to the first, with the others as its tables.

use std::collections::HashMap;

use sheetmill_engine::recipe::document::MOST_TOGETHER;

use super::Error;
use super::start::Wanted;
use crate::database::Tx;
use crate::database::run_files::{self, Candidate};
use crate::domain::ids::{FileId, UserId};
use crate::domain::states::IngestState;

/// Makes a run over one file of a run over several, where the recipe is to put their rows together.
///
/// # Errors
/// [`Error::TooManyTogether`]; [`Error::NoFile`]; [`Error::NotReady`]; [`Error::Unreadable`]; the database's.
pub(super) async fn put_together(
    tx: &mut Tx,
    owner: UserId,
    wanted: &mut Wanted,
    files: &mut Vec<FileId>,
) -> Result<(), Error> {
    if files.len() < 2 || !wanted.recipe.puts_files_together() {
        return Ok(());
    }
    if files.len() > MOST_TOGETHER {
        return Err(Error::TooManyTogether(MOST_TOGETHER));
    }
    let found = run_files::candidates(tx, owner, files).await?;
    let found: HashMap<FileId, Candidate> = found.into_iter().map(|it| (it.id, it)).collect();
    let mut names = Vec::with_capacity(files.len());
    for file in files.iter() {
        let candidate = found.get(file).ok_or(Error::NoFile(*file))?;
        match candidate.state {
            IngestState::Ready => names.push(candidate.name.as_str()),
            IngestState::Received | IngestState::Ingesting => return Err(Error::NotReady(candidate.name.clone())),
            IngestState::Refused | IngestState::Failed => return Err(Error::Unreadable(candidate.name.clone())),
        }
    }
    let (recipe, called) = wanted.recipe.together(names[0], &names[1..]);
    wanted.document = serde_json::to_value(&recipe)?;
    wanted.recipe = recipe;
    let further = files.split_off(1);
    wanted
        .references
        .extend(called.into_iter().zip(further).map(|(name, file)| (name, (file, None))));
    Ok(())
}
