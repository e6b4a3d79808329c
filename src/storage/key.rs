//! Object keys: a closed list that knows path and content type. Nobody else formats a path.

use std::fmt;

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
    /// How many names the path has: more mean that one of ours was not plain.
    pub(super) fn depth(&self) -> usize {
        match self {
            Self::Blob(_) => 2,
            Self::TablePart(..) | Self::TableMeta(..) | Self::RunOutput(..) => 4,
        }
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
