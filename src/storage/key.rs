//! Object keys: a closed list that knows path and content type. Nobody else formats a path.

use std::fmt;

use super::{Error, Result};
use crate::domain::ids::{IngestId, RunId, Sha256, TaskId};

/// Names one object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// An uploaded file's bytes.
    Blob(Sha256),
    /// A Parquet part of a table: ingest, sheet position, plain file name.
    TablePart(IngestId, u32, String),
    /// A table's `table.json`, written after its parts.
    TableMeta(IngestId, u32),
    /// What an attempt at a task of a run made: run, task, attempt, plain file name.
    RunOutput(RunId, TaskId, i32, String),
}

impl Key {
    /// The path, once it is proven to be one: nothing in it leads elsewhere, on a disk or in a bucket.
    ///
    /// # Errors
    /// [`Error::BadKey`] when a name in it is no plain file name.
    pub(super) fn path(&self) -> Result<String> {
        let name = match self {
            Self::TablePart(_, _, name) | Self::RunOutput(_, _, _, name) => name,
            Self::Blob(_) | Self::TableMeta(..) => return Ok(self.to_string()),
        };
        // 255 bytes is what file systems take.
        if name.is_empty() || name.len() > 255 || name == "." || name == ".." || name.contains(['/', '\0']) {
            return Err(Error::BadKey(self.to_string()));
        }
        Ok(self.to_string())
    }

    /// The media type of the object's bytes.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        match self {
            Self::Blob(_) => "application/octet-stream",
            Self::TablePart(..) => "application/vnd.apache.parquet",
            Self::TableMeta(..) => "application/json",
            Self::RunOutput(_, _, _, name) => content_type_of(name),
        }
    }
}

/// The media type for a file name's ending.
#[must_use]
pub fn content_type_of(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("xlsx") => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        Some("csv") => "text/csv; charset=utf-8",
        Some("json") => "application/json",
        Some("parquet") => "application/vnd.apache.parquet",
        Some("zip") => "application/zip",
        _ => "application/octet-stream",
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blob(sha256) => write!(f, "blobs/{sha256}"),
            Self::TablePart(ingest, position, part) => write!(f, "tables/{ingest}/{position}/{part}"),
            Self::TableMeta(ingest, position) => write!(f, "tables/{ingest}/{position}/table.json"),
            Self::RunOutput(run, task, attempt, name) => write!(f, "runs/{run}/{task}-{attempt}/{name}"),
        }
    }
}
