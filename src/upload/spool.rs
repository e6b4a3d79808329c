//! Where bytes wait until a file is complete. Each process has a folder of its own with a lock that ends with it, so
//! that the next one can tell what was left behind.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{Error, Result};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::NamedTempFile;
use uuid::Uuid;

/// The file in each folder that its process holds a lock on.
const LOCK: &str = "lock";

/// The spool of this process; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Spool(Arc<Own>);

#[derive(Debug)]
struct Own {
    folder: PathBuf,
    _lock: File,
}

impl Spool {
    /// Makes a folder for this process, and removes those of processes that are gone.
    pub(super) fn open(spool: &Path) -> Result<Self> {
        create(spool)?;
        let name = Uuid::now_v7().to_string();
        // Under its final name a folder is locked from its first moment.
        let growing = spool.join(format!("{name}.new"));
        create(&growing)?;
        let lock = File::create(growing.join(LOCK))?;
        lock.try_lock().map_err(Error::from)?;
        let folder = spool.join(name);
        fs::rename(&growing, &folder)?;
        for entry in fs::read_dir(spool)?.flatten() {
            if entry.path() != folder {
                remove_if_left(&entry.path())?;
            }
        }
        Ok(Self(Arc::new(Own { folder, _lock: lock })))
    }

    /// An empty file; it is gone when what is answered is dropped.
    pub(super) fn file(&self) -> Result<NamedTempFile> {
        NamedTempFile::new_in(&self.0.folder)
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            tracing::warn!(%error, "the spool could not be removed; the next start will");
        }
    }
}

fn remove_if_left(folder: &Path) -> Result<()> {
    let Ok(lock) = File::open(folder.join(LOCK)) else {
        return Ok(());
    };
    match lock.try_lock() {
        Ok(()) => fs::remove_dir_all(folder),
        Err(TryLockError::WouldBlock) => Ok(()),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn create(folder: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_file_is_gone_with_its_handle_and_the_folder_with_the_spool() {
        let root = tempfile::tempdir().expect("a folder");
        let spool = Spool::open(root.path()).expect("it opens");
        let mut file = spool.file().expect("a file");
        file.write_all(b"half").expect("it can be written");
        let path = file.path().to_owned();
        assert!(path.exists());
        drop(file);
        assert!(!path.exists());
        drop(spool);
        assert_eq!(fs::read_dir(root.path()).expect("the root stays").count(), 0);
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_what_a_living_one_has_is_not() {
        let root = tempfile::tempdir().expect("a folder");
        let living = Spool::open(root.path()).expect("it opens");
        let kept = living.file().expect("a file");
        let killed = root.path().join("killed");
        create(&killed).expect("a folder");
        fs::write(killed.join(LOCK), "").expect("a file");
        fs::write(killed.join("half"), "an upload").expect("a file");
        let _other = Spool::open(root.path()).expect("it opens");
        assert!(!killed.exists());
        assert!(kept.path().exists());
    }
}
