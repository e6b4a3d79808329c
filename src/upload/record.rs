//! From the spool to storage, and then, in one transaction, to everybody's eyes.

use std::path::Path;

use sheetmill_engine::VERSION;
use sheetmill_engine::sheets::IngestOptions;
use sheetmill_engine::sheets::sniff::Format;

use super::take::{Content, Taken};
use super::{Received, Result, Sender, Uploads};
use crate::database::files::NewFile;
use crate::database::ingests::{self, IngestKey};
use crate::database::tasks::{self, NewTask, Work};
use crate::database::{Tx, blobs, files};
use crate::domain::failure::{Failure, Fault};
use crate::domain::ids::{FileId, IngestId, Sha256, TaskId};
use crate::domain::states::{IngestState, TaskKind, TaskState};
use crate::events::{Event, Kind, announce};
use crate::queue;
use crate::storage::{Key, Source};

impl Uploads {
    pub(super) async fn record(
        &self,
        sender: Sender,
        options: &IngestOptions,
        taken: Vec<Taken>,
    ) -> Result<Vec<Received>> {
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
                    kept.push((file.sha256, index, word(format)));
                }
            }
            received.push(answer);
        }
        if !kept.is_empty() {
            self.make_visible(sender, options, kept, &mut received).await?;
        }
        Ok(received)
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
        mut kept: Vec<(Sha256, usize, &'static str)>,
        received: &mut [Received],
    ) -> Result<()> {
        // Uploads at the same time lock the same blobs in the same order.
        kept.sort_unstable();
        let options = serde_json::to_value(options).unwrap_or_default();
        let mut tx = self.pool.begin().await?;
        for (blob, index, format) in kept {
            let answer = &mut received[index];
            let Some(id) = answer.id else { continue };
            blobs::remember(&mut tx, blob, answer.bytes).await?;
            let key = IngestKey {
                blob,
                engine: VERSION,
                options: &options,
            };
            let (ingest, state) = self.ingest(&mut tx, sender, &key).await?;
            answer.state = state;
            let file = NewFile {
                id,
                owner: sender.user,
                blob,
                ingest,
                name: &answer.name,
                format,
            };
            files::insert(&mut tx, &file).await?;
            announce(&mut tx, &Event::of(sender.user, Kind::FileReceived).file(id)).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// The ingest for these bytes and options. One that is done or under way is shared; one that nobody works on, or
    /// that failed by a fault of ours, gets a new task.
    pub(super) async fn ingest(
        &self,
        tx: &mut Tx,
        sender: Sender,
        key: &IngestKey<'_>,
    ) -> Result<(IngestId, IngestState)> {
        let found = ingests::find_or_insert(tx, key).await?;
        let settled = matches!(found.state, IngestState::Ready | IngestState::Refused);
        if settled || found.has_task {
            return Ok((found.id, found.state));
        }
        ingests::receive_again(tx, found.id).await?;
        let task = NewTask {
            id: TaskId::new(),
            kind: TaskKind::Ingest,
            owner: sender.user,
            work: Work::Ingest(found.id),
            state: TaskState::Queued,
            priority: 0,
            run_at: None,
            request: sender.request,
        };
        tasks::insert(tx, &task).await?;
        queue::push(tx, TaskKind::Ingest).await?;
        announce(tx, &Event::of(sender.user, Kind::TaskQueued).task(task.id)).await?;
        Ok((found.id, IngestState::Received))
    }
}

fn word(format: Format) -> &'static str {
    match format {
        Format::Xlsx => "xlsx",
        Format::Xlsb => "xlsb",
        Format::Ods => "ods",
        Format::Text => "text",
        Format::Ole => "ole",
    }
}
