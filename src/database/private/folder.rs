//! The data folder, its lock, and the short folder for the socket.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::process::geteuid;
use sha2::{Digest as _, Sha256};

use super::unprivileged::User;
use super::{PrivateError, Result};

/// Creates the data folder when missing; answers its real path. Root's lets others pass, not look: the user that runs
/// Postgres for root must get to the cluster.
pub(super) fn prepare(data_dir: &Path) -> Result<PathBuf> {
    let mode = if geteuid().is_root() { 0o711 } else { 0o700 };
    DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(data_dir)
        .map_err(PrivateError::io(data_dir))?;
    data_dir.canonicalize().map_err(PrivateError::io(data_dir))
}

/// One process works on a data folder. The system releases the lock when that process ends, however it ends.
#[derive(Debug)]
pub(super) struct DataLock {
    _file: File,
}

impl DataLock {
    pub(super) fn take(data_dir: &Path) -> Result<Self> {
        let path = data_dir.join("lock");
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(PrivateError::io(&path))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(PrivateError::Locked(data_dir.to_owned())),
            Err(errno) => {
                return Err(PrivateError::Io {
                    path,
                    cause: errno.into(),
                });
            }
        }
        // Only for people who look at the file; the lock itself is the truth.
        file.set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(PrivateError::io(&path))?;
        Ok(Self { _file: file })
    }
}

/// The folder of the socket: short, because a socket's path is limited to 107 bytes (unix(7)), always the same for a
/// data folder, and closed to everybody else.
pub(super) fn socket_dir(data_dir: &Path, user: Option<&User>) -> Result<PathBuf> {
    let digest = Sha256::digest(data_dir.as_os_str().as_encoded_bytes());
    let path = std::env::temp_dir().join(format!("sheetmill-{}", hex::encode(&digest[..8])));
    match DirBuilder::new().mode(0o700).create(&path) {
        Ok(()) => give_to(&path, user)?,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(cause) => return Err(PrivateError::Io { path, cause }),
    }
    let found = fs::symlink_metadata(&path).map_err(PrivateError::io(&path))?;
    let owner = user.map_or_else(|| geteuid().as_raw(), |user| user.uid);
    if found.is_dir() && found.uid() == 0 && owner != 0 && geteuid().is_root() {
        // We made it and were killed before giving it away.
        give_to(&path, user)?;
        return Ok(path);
    }
    if !found.is_dir() || found.uid() != owner || found.mode() & 0o077 != 0 {
        return Err(PrivateError::ForeignSocketFolder(path));
    }
    Ok(path)
}

/// Makes the unprivileged user the owner, where there is one.
pub(super) fn give_to(path: &Path, user: Option<&User>) -> Result<()> {
    let Some(user) = user else { return Ok(()) };
    std::os::unix::fs::chown(path, Some(user.uid), Some(user.gid)).map_err(PrivateError::io(path))
}
