//! A file is read again, in another way: with its header in other rows, or its text in another encoding.

use sheetmill_engine::VERSION;
use sheetmill_engine::sheets::IngestOptions;

use super::{Error, Result, Sender, Uploads};
use crate::database::files;
use crate::database::ingests::IngestKey;
use crate::domain::ids::FileId;
use crate::domain::states::IngestState;
use crate::events::{Event, Kind, announce};

impl Uploads {
    /// Has an owner's file read under these options from now on; `None` when they have no such file. The tables that were
    /// made under others stay for who comes back to them.
    ///
    /// # Errors
    /// [`Error::InUse`] while a run needs what was read before; the database's and the queue's.
    pub async fn read_again(
        &self,
        sender: Sender,
        file: FileId,
        options: &IngestOptions,
    ) -> Result<Option<IngestState>> {
        let mut tx = self.pool.begin().await?;
        let Some(bytes) = files::lock(&mut tx, sender.user, file).await? else {
            return Ok(None);
        };
        if bytes.in_use {
            return Err(Error::InUse);
        }
        let options = serde_json::to_value(options).unwrap_or_default();
        let key = IngestKey {
            blob: bytes.blob,
            engine: VERSION,
            options: &options,
        };
        let (ingest, state) = self.ingest(&mut tx, sender, &key).await?;
        if ingest != bytes.ingest {
            files::set_ingest(&mut tx, file, ingest).await?;
            announce(&mut tx, &Event::of(sender.user, Kind::FileReceived).file(file)).await?;
        }
        tx.commit().await?;
        Ok(Some(state))
    }
}
