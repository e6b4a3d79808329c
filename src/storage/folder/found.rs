//! What is in the folder: its objects, and what was left half-done.

use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use futures_util::StreamExt as _;
use tokio::sync::mpsc::{self, Sender};

use super::{UNFINISHED, unavailable};
use crate::storage::{Batches, Error, Found, Result};

/// Objects of a batch.
const BATCH: usize = 1000;
/// Batches that are found ahead of whoever takes them.
const AHEAD: usize = 2;

/// See [`crate::storage::Storage::older`]. A thread walks the folder no faster than batches are taken, and ends with whoever
/// takes them.
pub(super) fn older(root: PathBuf, prefix: String, before: DateTime<Utc>) -> Batches {
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = find(&root, &prefix, before, &sender) {
            drop(sender.blocking_send(Err(error)));
        }
    });
    let next = |mut receiver: mpsc::Receiver<_>| async move { Some((receiver.recv().await?, receiver)) };
    futures_util::stream::unfold(receiver, next).boxed()
}

fn find(root: &Path, prefix: &str, before: DateTime<Utc>, sender: &Sender<Result<Vec<Found>>>) -> Result<()> {
    let gone = |_| Error::Unavailable("nobody takes what is found".to_owned());
    let mut batch = Vec::new();
    walk(root, root, prefix, &mut |path, entry| {
        // What is gone meanwhile needs no looking at.
        let Ok(known) = entry.metadata() else { return Ok(()) };
        if known
            .modified()
            .is_ok_and(|written| DateTime::<Utc>::from(written) < before)
        {
            let bytes = known.len();
            batch.push(Found { path, bytes });
        }
        if batch.len() == BATCH {
            sender.blocking_send(Ok(std::mem::take(&mut batch))).map_err(gone)?;
        }
        Ok(())
    })?;
    sender.blocking_send(Ok(batch)).map_err(gone)
}

/// Visits the objects below a prefix.
pub(super) fn walk(
    root: &Path,
    folder: &Path,
    prefix: &str,
    visit: &mut impl FnMut(String, &DirEntry) -> Result<()>,
) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(unavailable(folder))? {
        let entry = entry.map_err(unavailable(folder))?;
        let path = entry.path();
        let Some(name) = path.strip_prefix(root).ok().and_then(Path::to_str) else {
            continue;
        };
        if name == UNFINISHED {
            continue;
        }
        let kind = entry.file_type().map_err(unavailable(&path))?;
        // Only folders on the way to the prefix, or below it.
        if kind.is_dir() && (name.starts_with(prefix) || prefix.starts_with(name)) {
            match walk(root, &path, prefix, visit) {
                Err(Error::Unavailable(_)) if !path.exists() => {}
                other => other?,
            }
        } else if kind.is_file() && name.starts_with(prefix) {
            visit(name.to_owned(), &entry)?;
        }
    }
    Ok(())
}

/// Removes half-written files that nobody has touched since an instant, and folders that have been empty since then. Answers
/// how many files.
pub(super) fn sweep(root: &Path, before: DateTime<Utc>) -> Result<u64> {
    let unfinished = root.join(UNFINISHED);
    let mut removed = 0;
    for entry in entries(&unfinished)? {
        if is_older(&entry, before) {
            fs::remove_file(entry.path()).map_err(unavailable(&entry.path()))?;
            removed += 1;
        }
    }
    for entry in entries(root)?.filter(|it| it.file_name() != UNFINISHED) {
        remove_empty(&entry.path(), before)?;
    }
    Ok(removed)
}

/// Below a folder, which itself stays.
fn remove_empty(folder: &Path, before: DateTime<Utc>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in entries(folder)? {
        if entry.file_type().is_ok_and(|it| it.is_dir()) {
            let old = is_older(&entry, before);
            remove_empty(&entry.path(), before)?;
            // The system removes no folder that holds anything.
            if old {
                fs::remove_dir(entry.path()).ok();
            }
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<impl Iterator<Item = DirEntry>> {
    Ok(fs::read_dir(folder).map_err(unavailable(folder))?.flatten())
}

fn is_older(entry: &DirEntry, before: DateTime<Utc>) -> bool {
    let written = entry.metadata().and_then(|it| it.modified());
    written.is_ok_and(|written| DateTime::<Utc>::from(written) < before)
}
