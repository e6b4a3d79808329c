//! Object keys: a closed list that knows path and content type. Nobody else formats a path.

use std::fmt;
use std::str::FromStr;

use super::{Error, Result};
use crate::domain::ids::{IngestId, RunId, Sha256, TaskId, TickId};

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
    /// What an attempt at a tick made: tick, attempt, plain file name.
    Report(TickId, i32, String),
}

impl Key {
    /// The path, once it is proven to be one: nothing in it leads elsewhere, on a disk or in a bucket.
    ///
    /// # Errors
    /// [`Error::BadKey`] when a name in it is no plain file name.
    pub(super) fn path(&self) -> Result<String> {
        let name = match self {
            Self::TablePart(_, _, name) | Self::RunOutput(_, _, _, name) | Self::Report(_, _, name) => name,
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
            Self::RunOutput(_, _, _, name) | Self::Report(_, _, name) => content_type_of(name),
        }
    }
}

/// The media type for a file name's ending.
#[must_use]
pub fn content_type_of(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("xlsx") => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        // The engine names the encoding where it is not the usual one.
        Some("csv") if name.ends_with(".windows-1252.csv") => "text/csv; charset=windows-1252",
        Some("csv") if name.ends_with(".utf-16le.csv") => "text/csv; charset=utf-16le",
        Some("csv") => "text/csv; charset=utf-8",
        Some("jsonl") => "application/jsonl",
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
            Self::Report(tick, attempt, name) => write!(f, "reports/{tick}/{attempt}/{name}"),
        }
    }
}

/// A text that is no key of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no object key")]
pub struct NoKey(String);

impl FromStr for Key {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Self, NoKey> {
        let parts: Vec<&str> = text.split('/').collect();
        read(&parts)
            .filter(|key| key.to_string() == text)
            .ok_or_else(|| NoKey(text.to_owned()))
    }
}

/// The key of a path's names. Names of files are plain: one that is not leads to a path of another depth.
fn read(parts: &[&str]) -> Option<Key> {
    match parts {
        ["blobs", sha256] => Some(Key::Blob(sha256.parse().ok()?)),
        ["tables", ingest, position, "table.json"] => {
            Some(Key::TableMeta(ingest.parse().ok()?, position.parse().ok()?))
        }
        ["tables", ingest, position, part] => Some(Key::TablePart(
            ingest.parse().ok()?,
            position.parse().ok()?,
            (*part).to_owned(),
        )),
        ["runs", run, attempt, name] => {
            let (task, attempt) = attempt.rsplit_once('-')?;
            let run = run.parse().ok()?;
            Some(Key::RunOutput(
                run,
                task.parse().ok()?,
                attempt.parse().ok()?,
                (*name).to_owned(),
            ))
        }
        ["reports", tick, attempt, name] => Some(Key::Report(
            tick.parse().ok()?,
            attempt.parse().ok()?,
            (*name).to_owned(),
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_as_it_was_written() {
        let keys = [
            Key::Blob(Sha256([7; 32])),
            Key::TablePart(IngestId::new(), 3, "part-0.parquet".to_owned()),
            Key::TableMeta(IngestId::new(), 0),
            Key::RunOutput(RunId::new(), TaskId::new(), 2, "orders (clean).xlsx".to_owned()),
            Key::Report(TickId::new(), 1, "activity 2026-11-27.xlsx".to_owned()),
        ];
        for key in keys {
            assert_eq!(key.to_string().parse(), Ok(key));
        }
    }

    #[test]
    fn a_name_says_the_media_type_and_a_csv_its_encoding() {
        for (name, wanted) in [
            ("result-1.csv", "text/csv; charset=utf-8"),
            ("result-1.windows-1252.csv", "text/csv; charset=windows-1252"),
            ("rejects.utf-16le.csv", "text/csv; charset=utf-16le"),
            ("result-2.jsonl", "application/jsonl"),
            ("result-2.parquet", "application/vnd.apache.parquet"),
            ("result", "application/octet-stream"),
        ] {
            assert_eq!(content_type_of(name), wanted, "{name}");
        }
    }

    #[test]
    fn what_is_no_key_is_not_read() {
        for text in [
            "",
            "blobs",
            "blobs/xyz",
            "../etc/passwd",
            "runs/a/b/c",
            "tables/x/0/table.json",
            "blobs/../../x",
        ] {
            assert!(text.parse::<Key>().is_err(), "{text}");
        }
    }
}
