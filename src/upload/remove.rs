//! A file is removed: hidden at once. Its bytes go when nothing refers to them any more.

use super::{Result, Uploads};
use crate::database::{files, tasks};
use crate::domain::ids::{FileId, UserId};
use crate::domain::states::TaskState;
use crate::events::{Event, Kind, announce};

impl Uploads {
    /// Removes an owner's file; false when they have no such file. Its reading is cancelled when nobody else waits for it.
    ///
    /// # Errors
    /// [`super::Error::Database`].
    pub async fn remove(&self, owner: UserId, file: FileId) -> Result<bool> {
        let mut tx = self.pool.begin().await?;
        let Some(hidden) = files::hide(&mut tx, owner, file).await? else {
            return Ok(false);
        };
        announce(&mut tx, &Event::of(owner, Kind::FileDeleted).file(file)).await?;
        let awaited = !tasks::waiting_for(&mut tx, hidden.ingest).await?.is_empty();
        if !hidden.still_needed
            && !awaited
            && let Some(task) = tasks::reading(&mut tx, hidden.ingest).await?
            && let Some(before) = tasks::request_cancel(&mut tx, task).await?
        {
            let kind = match before {
                TaskState::Running => Kind::CancelRequested,
                _ => Kind::TaskEnded,
            };
            announce(&mut tx, &Event::of(owner, kind).task(task)).await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}
