//! Bytes at rest: a folder or an S3 store behind one trait. Only database rows make an object visible.

use std::fmt::Debug;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::Stream;

mod delivery;
mod folder;
mod key;
mod s3;

pub use delivery::{Asked, Delivery, Offer, Shipment, attachment, deliver};
pub use folder::FolderStorage;
pub use key::{Key, NoKey, content_type_of};
pub use s3::{Addressing, ChecksumMode, S3Settings, S3Storage, Timeouts};

/// What can go wrong with storage.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such object.
    #[error("no object {0}")]
    Missing(String),
    /// The key holds a name that is no plain file name.
    #[error("{0:?} is not a path that storage has")]
    BadKey(String),
    /// The store or the disk cannot be reached, is full, or took too long. Pages say 503, tasks try again later.
    #[error("storage is not available: {0}")]
    Unavailable(String),
}

/// What storage functions answer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An object's bytes as they come.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// Found objects as they come.
pub type Batches = Pin<Box<dyn Stream<Item = Result<Vec<Found>>> + Send>>;

/// An object that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its path, as a [`Key`] writes it.
    pub path: String,
    /// Its size.
    pub bytes: u64,
}

/// A part of an object: first byte and number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// First byte, from 0.
    pub start: u64,
    /// How many; never beyond the object's end.
    pub length: u64,
}

/// Where bytes are kept. Writes are all or nothing: an object is absent or whole. Writing a key again replaces it.
#[async_trait]
pub trait Storage: Debug + Send + Sync {
    /// Stores a local file under `key`. With [`Source::Give`] the file may be moved rather than copied and is gone after.
    async fn put(&self, key: &Key, path: &Path, source: Source) -> Result<()>;

    /// Makes `to` the same as `from`, where the bytes are.
    async fn copy(&self, from: &Key, to: &Key) -> Result<()>;

    /// The object's bytes, or a part of them.
    async fn get(&self, key: &Key, range: Option<ByteRange>) -> Result<ByteStream>;

    /// Brings the object to a local file: a hard link or a copy.
    async fn fetch(&self, key: &Key, path: &Path) -> Result<()>;

    /// The object's size in bytes; `None` when there is none.
    async fn size(&self, key: &Key) -> Result<Option<u64>>;

    /// Removes the object; absent is fine.
    async fn delete(&self, key: &Key) -> Result<()>;

    /// The paths of all objects below a prefix such as `runs/`, in no order.
    async fn list(&self, prefix: &str) -> Result<Vec<String>>;

    /// The objects below a prefix that were written before an instant, in batches of at most a thousand, in no order.
    fn older(&self, prefix: &str, before: DateTime<Utc>) -> Batches;

    /// An address by which a browser gets the object past us; `None` where there is none, and the bytes go through us.
    async fn link(&self, key: &Key, download: &Download<'_>) -> Result<Option<String>>;

    /// Clears away what killed processes left half-written before an instant; answers how much that was. Nothing takes
    /// a day to write.
    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64>;

    /// Whether storage answers now, for `/readyz` and `doctor`.
    async fn check(&self) -> Result<()>;
}

/// How a browser is to take a download.
#[derive(Clone, Copy, Debug)]
pub struct Download<'a> {
    /// The `Content-Disposition` header (RFC 6266).
    pub disposition: &'a str,
    /// The `Content-Type` header.
    pub content_type: &'a str,
    /// How long the address is good.
    pub valid: Duration,
}

/// What happens to a stored local file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// It stays.
    Keep,
    /// It may be moved away.
    Give,
}
