//! A file arrives: streamed to a spool file, looked at by its first 8 KiB, put into storage, then made visible in one
//! transaction with the task that reads it.
//!
//! ```text
//! field ─▶ spool (sha256, limits, sniff) ─▶ storage ─▶ one transaction: blob + ingest + file + task + ticket + events
//! ```
//!
//! All files of a request become visible together or not at all; what is refused by its first bytes never does.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sheetmill_engine::sheets::IngestOptions;

use crate::database::{self, Pool};
use crate::domain::failure::Failure;
use crate::domain::ids::{FileId, RequestId, Sha256, UserId};
use crate::domain::states::IngestState;
use crate::queue;
use crate::readings::{self, For};
use crate::storage::{self, Storage};

mod again;
mod record;
mod remove;
mod spool;
mod take;
mod texts;

/// A request's body as it comes, for a handler to take as an argument.
pub use actix_multipart::Multipart as Form;

pub use texts::texts;

use spool::Spool;

/// The name of the form fields that carry files.
pub const FIELD: &str = "file";

/// What an upload may be.
#[derive(Clone, Debug)]
pub struct UploadSettings {
    /// Where bytes wait until they are complete; best on the file system of the storage folder, where storing them is
    /// a rename.
    pub spool: PathBuf,
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Bytes of one request.
    pub request_bytes: u64,
    /// Files of one request.
    pub files: usize,
    /// How long a sender may send nothing.
    pub stall: Duration,
}

impl UploadSettings {
    /// The largest workbooks that people have are some 100 MB; beyond 2 GiB it is a mistake.
    pub const FILE_BYTES: u64 = 2 << 30;
    /// What one drop of a folder may hold; the spool must have room for it.
    pub const REQUEST_BYTES: u64 = 8 << 30;
    /// One drop of a folder; more are several requests.
    pub const FILES: usize = 1000;
    /// A phone in a tunnel comes back within a minute.
    pub const STALL: Duration = Duration::from_secs(60);

    /// The defaults, with the spool in a folder.
    #[must_use]
    pub fn at(spool: PathBuf) -> Self {
        Self {
            spool,
            file_bytes: Self::FILE_BYTES,
            request_bytes: Self::REQUEST_BYTES,
            files: Self::FILES,
            stall: Self::STALL,
        }
    }
}

/// Why a request's files were not received. Nothing of the request is visible then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The body is no form with files, or is damaged.
    #[error("the body is not a multipart form: {0}")]
    Malformed(String),
    /// There is no field [`FIELD`] with a file.
    #[error("no file came")]
    NoFile,
    /// A file or the whole passes a limit.
    #[error("more than {limit} bytes came")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// Too many files.
    #[error("more than {limit} files came")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// The sender stopped sending.
    #[error("nothing came for {0:?}")]
    Stalled(Duration),
    /// The spool cannot be written: most likely the disk is full.
    #[error("the spool cannot be written: {0}")]
    Spool(#[source] std::io::Error),
    /// An archive is not read itself.
    #[error("the file is an archive")]
    Archive,
    /// Storage did not do its part.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// The database did not do its part.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The queue did not do its part.
    #[error("{0}")]
    Queue(#[source] queue::Error),
}

impl From<readings::Error> for Error {
    fn from(error: readings::Error) -> Self {
        match error {
            readings::Error::Database(error) => Self::Database(error),
            readings::Error::Queue(other) => Self::Queue(other),
        }
    }
}

/// What upload functions answer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Who sends.
#[derive(Clone, Copy, Debug)]
pub struct Sender {
    /// Whose the files will be.
    pub user: UserId,
    /// The request that brings them.
    pub request: RequestId,
}

impl Sender {
    fn asks(self) -> For {
        For {
            owner: self.user,
            request: self.request,
        }
    }
}

/// What became of one file of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Its id; `None` when it was refused, and then nothing of it is kept.
    pub id: Option<FileId>,
    /// Its name for people.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its content's name.
    pub sha256: Sha256,
    /// How far its reading has come: further than `received` when the same bytes came before.
    pub state: IngestState,
    /// Why it was refused.
    pub error: Option<Failure>,
}

/// Takes uploads; cheap to clone.
#[derive(Clone, Debug)]
pub struct Uploads {
    pool: Pool,
    storage: Arc<dyn Storage>,
    settings: Arc<UploadSettings>,
    spool: Spool,
}

impl Uploads {
    /// Opens the spool and clears away what killed processes left in it.
    ///
    /// # Errors
    /// [`Error::Spool`].
    pub fn open(pool: Pool, storage: Arc<dyn Storage>, settings: UploadSettings) -> Result<Self> {
        let spool = Spool::open(&settings.spool).map_err(Error::Spool)?;
        Ok(Self {
            pool,
            storage,
            settings: Arc::new(settings),
            spool,
        })
    }

    /// Brings a file of our own, such as the sample of a ready recipe, on the way that files of others come.
    ///
    /// # Errors
    /// See [`Error`]; nothing is visible then.
    pub async fn bring(&self, sender: Sender, options: &IngestOptions, name: &str, bytes: &[u8]) -> Result<Received> {
        let taken = take::bytes(name, bytes, &self.spool).await?;
        let received = self.record(sender, options, vec![taken]).await?;
        received.into_iter().next().ok_or(Error::NoFile)
    }

    /// Receives the files of a form, in its order; fields of other names are passed over.
    ///
    /// # Errors
    /// See [`Error`]; nothing is visible then.
    pub async fn receive(&self, sender: Sender, options: &IngestOptions, form: Form) -> Result<Vec<Received>> {
        let taken = take::files(form, &self.settings, &self.spool).await?;
        self.record(sender, options, taken).await
    }
}
