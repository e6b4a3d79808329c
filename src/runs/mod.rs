//! What people ask of runs and tasks: start, cancel, retry; and of recipes: save. One transaction each.

use crate::domain::ids::FileId;
use crate::domain::states::RunState;
use crate::{database, queue, readings};

mod again;
mod cancel;
mod columns;
mod follow;
mod later;
mod queues;
mod retry;
mod save;
mod start;
mod together;

pub use again::again;
pub use cancel::{cancel, cancel_reading, cancel_task};
pub use columns::{ColumnChoice, choices, forget_column, of_layouts, remember_columns};
pub use later::start_at;
pub use queues::{pause_queue, resume_queue};
pub use retry::{retry, retry_task};
pub use save::{Note, Saved, duplicate, rename, restore, save_beside, save_recipe, save_revision};
pub use start::{RecipeRef, Start, Started, When, start};

/// Why something that was asked for cannot be done. The words of all but the first two are for people.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database's own word.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The queue's.
    #[error("{0}")]
    Queue(#[source] queue::Error),
    /// A recipe that has no JSON form: a mistake of ours.
    #[error("the recipe cannot be stored: {0}")]
    Form(#[from] serde_json::Error),
    /// The caller has no such recipe.
    #[error("There is no such recipe.")]
    NoRecipe,
    /// Another revision was saved since the one that this was made from; the number is the latest one's.
    #[error("The recipe was changed meanwhile: revision {0} was saved. See what changed, then save again.")]
    Changed(i32),
    /// The revision to be restored is the latest.
    #[error("Revision {0} is the latest one already.")]
    Latest(i32),
    /// A note with too many characters.
    #[error("A note has at most {0} characters.")]
    LongNote(usize),
    /// A name without characters, or with too many.
    #[error("A recipe's name has 1 to {0} characters.")]
    BadName(usize),
    /// The caller has no such file.
    #[error("There is no file {0}.")]
    NoFile(FileId),
    /// The caller has no such run, or there is no such task.
    #[error("There is no such run.")]
    NoRun,
    /// An archive without files: it is not unpacked yet, or its files were removed.
    #[error("There are no files of the archive “{0}” yet. Wait until it is unpacked, then run the recipe.")]
    Archive(String),
    /// The recipe looks at another table that nobody has chosen.
    #[error("The recipe looks up in `{0}`: choose a file for it.")]
    NoReference(String),
    /// A table that the recipe does not look at.
    #[error("No step of the recipe uses a table named `{0}`. Leave it out.")]
    UnusedReference(String),
    /// A column that the recipe does not expect, in a sentence.
    #[error("{0}")]
    NoSuchColumn(String),
    /// Another table that is not read yet.
    #[error("“{0}” is not ready yet. Wait until it is read, then run the recipe.")]
    NotReady(String),
    /// A file whose rows are to be put together with those of others, and that could not be read.
    #[error(
        "“{0}” could not be read, so that its rows cannot be put together with the others. Leave it out of the run."
    )]
    Unreadable(String),
    /// More files than can be put together.
    #[error("The recipe puts the rows of all files together: it takes at most {0} of them.")]
    TooManyTogether(usize),
    /// Files and runs to follow were named.
    #[error("A run works on files or on the results of other runs, not on both.")]
    FilesAndRuns,
    /// More runs than one follows.
    #[error("A run follows at most {0} others.")]
    TooManyFollowed(usize),
    /// A run that cannot be followed, in a sentence.
    #[error("{0}")]
    CannotFollow(String),
    /// No files were named.
    #[error("A run needs at least one file.")]
    NoFiles,
    /// More files than a run takes.
    #[error("A run takes at most {0} files.")]
    TooManyFiles(usize),
    /// The same key came with another body.
    #[error("This Idempotency-Key was used with another request.")]
    KeyReused,
    /// It has begun: there is no time to choose any more.
    #[error("The run has already begun.")]
    Begun,
    /// A time that is further away than a run may wait.
    #[error("A run can wait for a year at most. Choose an earlier time.")]
    TooFarAhead,
    /// It has ended already.
    #[error("The run has already ended: it is {0}.")]
    Ended(RunState),
    /// A task that has ended cannot be cancelled.
    #[error("The task has already ended.")]
    TaskEnded,
    /// Nothing failed that could be tried again.
    #[error("Nothing of it failed that could be tried again.")]
    NothingToRetry,
}

impl From<readings::Error> for Error {
    fn from(error: readings::Error) -> Self {
        match error {
            readings::Error::Database(error) => Self::Database(error),
            readings::Error::Queue(error) => Self::Queue(error),
        }
    }
}

impl From<queue::Error> for Error {
    /// A database that is away is the same thing whoever asked it.
    fn from(error: queue::Error) -> Self {
        match error {
            queue::Error::Database(error) => Self::Database(error),
            other => Self::Queue(other),
        }
    }
}
