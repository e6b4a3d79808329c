//! From the spool to storage, and then, in one transaction, to everybody's eyes.

use std::collections::BTreeMap;
use std::path::Path;

use sheetmill_engine::sheets::IngestOptions;

use super::take::{Content, Taken};
use super::{Received, Result, Sender, Uploads};
use crate::database::blobs;
use crate::database::files::{self, NewFile};
use crate::domain::failure::{Failure, Fault};
use crate::domain::ids::{FileId, Sha256};
use crate::domain::states::IngestState;
use crate::events::{Event, Kind, announce_all};
use crate::readings::{self, ARCHIVE};
use crate::storage::{Key, Source};

impl Uploads {
    pub(super) async fn record(
        &self,
        sender: Sender,
        options: &IngestOptions,
        taken: Vec<Taken>,
    ) -> Result<Vec<Received>> {
        self.want(&taken).await?;
        let mut received = Vec::with_capacity(taken.len());
        let mut kept = Vec::new();
        for (index, file) in taken.into_iter().enumerate() {
            let mut answer = Received {
                id: None,
                name: file.name,
                bytes: file.bytes,
                sha256: file.sha256,
                state: IngestState::Refused,
                error: None,
            };
            match file.content {
                Content::Refused(refusal) => {
                    answer.error = Some(Failure {
                        code: refusal.code().to_owned(),
                        sentence: refusal.sentence(&answer.name),
                        fault: Fault::Input,
                    });
                }
                Content::Kept(format, path) => {
                    self.store(file.sha256, file.bytes, &path).await?;
                    answer.id = Some(FileId::new());
                    kept.push((file.sha256, index, format.word()));
                }
            }
            received.push(answer);
        }
        if !kept.is_empty() {
            self.make_visible(sender, options, &kept, &mut received).await?;
        }
        Ok(received)
    }

    /// Clean-up leaves alone what somebody wants, whether it is in storage already or not.
    async fn want(&self, taken: &[Taken]) -> Result<()> {
        let kept = taken.iter().filter(|it| matches!(it.content, Content::Kept(..)));
        let sizes: BTreeMap<Sha256, u64> = kept.map(|it| (it.sha256, it.bytes)).collect();
        let mut connection = self.pool.acquire().await?;
        blobs::want(&mut connection, &sizes.into_iter().collect::<Vec<_>>()).await?;
        Ok(())
    }

    /// The bytes are in storage before anything refers to them. They may be there already: then they need not travel.
    async fn store(&self, sha256: Sha256, bytes: u64, path: &Path) -> Result<()> {
        let key = Key::Blob(sha256);
        if self.storage.size(&key).await? != Some(bytes) {
            self.storage.put(&key, path, Source::Give).await?;
        }
        Ok(())
    }

    async fn make_visible(
        &self,
        sender: Sender,
        options: &IngestOptions,
        kept: &[(Sha256, usize, &'static str)],
        received: &mut [Received],
    ) -> Result<()> {
        let mut tx = self.pool.begin().await?;
        let all: Vec<Sha256> = kept.iter().map(|(blob, ..)| *blob).collect();
        let readings = readings::ensure(&mut tx, sender.asks(), &all, options).await?;
        for (blob, index, _) in kept {
            if let Some(reading) = readings.get(blob) {
                received[*index].state = reading.state;
            }
        }
        let new: Vec<NewFile<'_>> = kept
            .iter()
            .filter_map(|(blob, index, format)| {
                let answer = &received[*index];
                Some(NewFile {
                    id: answer.id?,
                    owner: sender.user,
                    blob: *blob,
                    ingest: readings.get(blob)?.ingest,
                    parent: None,
                    name: &answer.name,
                    format,
                })
            })
            .collect();
        files::insert(&mut tx, &new).await?;
        let told: Vec<Event> = new
            .iter()
            .map(|file| Event::of(sender.user, Kind::FileReceived).file(file.id))
            .collect();
        announce_all(&mut tx, &told).await?;
        for file in new.iter().filter(|file| file.format == ARCHIVE) {
            // One that was unpacked before has its files at once.
            if readings
                .get(&file.blob)
                .is_some_and(|it| it.state == IngestState::Ready)
            {
                readings::spread(&mut tx, sender.asks(), file.ingest, file.id).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }
}
