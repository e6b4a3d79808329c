//! A file is read again, in another way: with its header in other rows, or its text in another encoding.

use sheetmill_engine::sheets::IngestOptions;

use super::{Error, Result, Sender, Uploads};
use crate::database::files;
use crate::domain::ids::FileId;
use crate::domain::states::IngestState;
use crate::events::{Event, Kind, announce};
use crate::readings::{self, ARCHIVE};

impl Uploads {
    /// Has an owner's file read under these options from now on; `None` when they have no such file. The tables that were
    /// made under others stay for who comes back to them.
    ///
    /// # Errors
    /// [`Error::Archive`]; the database's and the queue's.
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
        if bytes.format == ARCHIVE {
            return Err(Error::Archive);
        }
        let readings = readings::ensure(&mut tx, sender.asks(), &[bytes.blob], options).await?;
        let Some(reading) = readings.get(&bytes.blob).copied() else {
            return Ok(None);
        };
        if reading.ingest != bytes.ingest {
            files::set_ingest(&mut tx, file, reading.ingest).await?;
            announce(&mut tx, &Event::of(sender.user, Kind::FileReceived).file(file)).await?;
        }
        tx.commit().await?;
        Ok(Some(reading.state))
    }
}
