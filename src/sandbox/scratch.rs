//! Scratch folders: one per start of a process, in it one per piece of work. What dead starts left behind is swept away.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::domain::ids::BootId;

/// The folder of one start of a process. A lock on a file in it says that the start lives; the kernel lets go of it however
/// the process dies.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
    #[allow(dead_code, reason = "held for its lock")]
    lock: File,
}

const LOCK: &str = "lock";

impl Scratch {
    /// Makes the folder of a start below `root`.
    ///
    /// # Errors
    /// When it cannot be made or locked.
    pub fn open(root: &Path, boot: BootId) -> io::Result<Self> {
        let folder = root.join(boot.to_string());
        fs::create_dir_all(&folder)?;
        let lock = File::create(folder.join(LOCK))?;
        lock.try_lock()?;
        Ok(Self { folder, lock })
    }

    /// The folder itself, for what lives as long as the start.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Makes the folder of a piece of work, with `in`, `out` and `tmp` in it.
    ///
    /// # Errors
    /// When it cannot be made: the disk is full or gone.
    pub fn folder(&self, name: &str) -> io::Result<WorkFolder> {
        let folder = WorkFolder(self.folder.join(name));
        for part in [folder.inputs(), folder.out(), folder.tmp()] {
            fs::create_dir_all(part)?;
        }
        Ok(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.folder);
    }
}

/// The folder of one piece of work; gone when dropped.
#[derive(Debug)]
pub struct WorkFolder(PathBuf);

impl WorkFolder {
    /// The whole folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where inputs are put.
    #[must_use]
    pub fn inputs(&self) -> PathBuf {
        self.0.join("in")
    }

    /// Where the child puts what it makes.
    #[must_use]
    pub fn out(&self) -> PathBuf {
        self.0.join("out")
    }

    /// Where the child spills.
    #[must_use]
    pub fn tmp(&self) -> PathBuf {
        self.0.join("tmp")
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

/// Removes the folders of starts that are dead; answers whose they were.
///
/// # Errors
/// When `root` cannot be read.
pub fn sweep(root: &Path) -> io::Result<Vec<BootId>> {
    let mut dead = Vec::new();
    for entry in fs::read_dir(root)? {
        let folder = entry?.path();
        let boot = folder
            .file_name()
            .and_then(|it| it.to_str())
            .and_then(|it| it.parse::<BootId>().ok());
        if let Some(boot) = boot
            && is_dead(&folder)
        {
            remove(&folder);
            dead.push(boot);
        }
    }
    Ok(dead)
}

/// A start that lives holds the lock. One that is just making its folder has no lock file yet, and is left alone.
fn is_dead(folder: &Path) -> bool {
    File::open(folder.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok())
}

fn remove(folder: &Path) {
    if let Err(error) = fs::remove_dir_all(folder)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(folder = %folder.display(), %error, "a scratch folder could not be removed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_of_dead_starts_are_swept() {
        let root = tempfile::tempdir().expect("a folder");
        let (alive, dead) = (BootId::new(), BootId::new());
        let scratch = Scratch::open(root.path(), alive).expect("it opens");
        fs::create_dir_all(root.path().join(dead.to_string()).join("task-1")).expect("a folder");
        fs::write(root.path().join(dead.to_string()).join(LOCK), b"").expect("a file");
        fs::create_dir(root.path().join("not ours")).expect("a folder");
        assert_eq!(sweep(root.path()).expect("it sweeps"), [dead]);
        assert!(root.path().join(alive.to_string()).exists());
        assert!(root.path().join("not ours").exists());
        drop(scratch);
        assert!(!root.path().join(alive.to_string()).exists());
    }

    #[test]
    fn the_folder_of_a_piece_of_work_is_gone_after_it() {
        let root = tempfile::tempdir().expect("a folder");
        let boot = BootId::new();
        let scratch = Scratch::open(root.path(), boot).expect("it opens");
        let folder = scratch.folder("one").expect("it is made");
        let path = folder.path().to_owned();
        fs::write(folder.out().join("x"), b"x").expect("a file");
        drop(folder);
        assert!(!path.exists());
    }
}
