//! A folder on this machine: temporary name, sync, rename, sync of the folder. What has its final name is whole.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_util::{StreamExt as _, TryStreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;
use uuid::Uuid;

use super::{Batches, ByteRange, ByteStream, Download, Error, Key, Result, Source, Storage};

mod found;

/// Half-written files live here, on the same file system as the rest, so that a rename finishes them.
const UNFINISHED: &str = ".unfinished";
/// Bytes read at a time.
const CHUNK: usize = 128 << 10;

/// Objects as files below one folder.
#[derive(Clone, Debug)]
pub struct FolderStorage {
    root: PathBuf,
}

impl FolderStorage {
    /// Opens the folder, creates it when missing.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it cannot be created or read.
    pub fn open(root: &Path) -> Result<Self> {
        let unfinished = root.join(UNFINISHED);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&unfinished)
            .map_err(unavailable(&unfinished))?;
        let root = root.canonicalize().map_err(unavailable(root))?;
        Ok(Self { root })
    }

    fn place(&self, key: &Key) -> Result<PathBuf> {
        Ok(self.root.join(key.path()?))
    }

    async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        match tokio::task::spawn_blocking(work).await {
            Ok(answer) => answer,
            Err(error) => Err(Error::Unavailable(format!("the storage thread ended: {error}"))),
        }
    }
}

#[async_trait]
impl Storage for FolderStorage {
    async fn put(&self, key: &Key, path: &Path, source: Source) -> Result<()> {
        let (root, place, path) = (self.root.clone(), self.place(key)?, path.to_owned());
        Self::blocking(move || store(&root, &place, &path, source)).await
    }

    async fn copy(&self, from: &Key, to: &Key) -> Result<()> {
        let (root, from_place, to_place, from) = (self.root.clone(), self.place(from)?, self.place(to)?, from.clone());
        Self::blocking(move || link_or_copy(&root, &from_place, &to_place, &from)).await
    }

    async fn get(&self, key: &Key, range: Option<ByteRange>) -> Result<ByteStream> {
        let place = self.place(key)?;
        let name = key.to_string();
        let mut file = tokio::fs::File::open(&place)
            .await
            .map_err(missing_or_unavailable(key))?;
        let mut length = u64::MAX;
        if let Some(range) = range {
            file.seek(io::SeekFrom::Start(range.start))
                .await
                .map_err(unavailable(&place))?;
            length = range.length;
        }
        let stream = ReaderStream::with_capacity(file.take(length), CHUNK);
        Ok(stream
            .map_err(move |error| Error::Unavailable(format!("{name}: {error}")))
            .boxed())
    }

    async fn fetch(&self, key: &Key, path: &Path) -> Result<()> {
        let (place, path, key) = (self.place(key)?, path.to_owned(), key.clone());
        Self::blocking(move || match fs::hard_link(&place, &path) {
            Ok(()) => Ok(()),
            // Another file system, or one without links.
            Err(error) if error.kind() != ErrorKind::NotFound => fs::copy(&place, &path)
                .map(|_bytes| ())
                .map_err(missing_or_unavailable(&key)),
            Err(error) => Err(missing_or_unavailable(&key)(error)),
        })
        .await
    }

    async fn size(&self, key: &Key) -> Result<Option<u64>> {
        let place = self.place(key)?;
        match tokio::fs::metadata(&place).await {
            Ok(found) => Ok(Some(found.len())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unavailable(&place)(error)),
        }
    }

    async fn delete(&self, key: &Key) -> Result<()> {
        let place = self.place(key)?;
        match tokio::fs::remove_file(&place).await {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(unavailable(&place)(error)),
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>> {
        let (root, prefix) = (self.root.clone(), prefix.to_owned());
        Self::blocking(move || {
            let mut paths = Vec::new();
            found::walk(&root, &root, &prefix, &mut |path, _| {
                paths.push(path);
                Ok(())
            })?;
            Ok(paths)
        })
        .await
    }

    fn older(&self, prefix: &str, before: DateTime<Utc>) -> Batches {
        found::older(self.root.clone(), prefix.to_owned(), before)
    }

    async fn link(&self, _key: &Key, _download: &Download<'_>) -> Result<Option<String>> {
        Ok(None)
    }

    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64> {
        let root = self.root.clone();
        Self::blocking(move || found::sweep(&root, before)).await
    }

    async fn check(&self) -> Result<()> {
        let probe = self.root.join(UNFINISHED).join(format!("probe-{}", Uuid::now_v7()));
        Self::blocking(move || {
            let written = create(&probe).and_then(|mut file| file.write_all(b"sheetmill"));
            let removed = fs::remove_file(&probe);
            written.and(removed).map_err(unavailable(&probe))
        })
        .await
    }
}

fn store(root: &Path, place: &Path, path: &Path, source: Source) -> Result<()> {
    let folder = place.parent().unwrap_or(root);
    create_folders(root, folder)?;
    if source == Source::Give {
        File::open(path)
            .and_then(|file| file.sync_all())
            .map_err(unavailable(path))?;
        match fs::rename(path, place) {
            Ok(()) => return sync_folder(folder),
            Err(error) if error.kind() == ErrorKind::CrossesDevices => {}
            Err(error) => return Err(unavailable(place)(error)),
        }
    }
    let unfinished = root.join(UNFINISHED).join(Uuid::now_v7().to_string());
    let finished = copy_synced(path, &unfinished).and_then(|()| fs::rename(&unfinished, place));
    if let Err(error) = finished {
        // Gone already when the rename went through; otherwise it frees what a full disk needs.
        fs::remove_file(&unfinished).ok();
        return Err(unavailable(place)(error));
    }
    sync_folder(folder)?;
    if source == Source::Give {
        fs::remove_file(path).map_err(unavailable(path))?;
    }
    Ok(())
}

/// Whole objects are never written to again, so a second name for the same bytes is as good as a copy.
fn link_or_copy(root: &Path, from_place: &Path, to_place: &Path, from: &Key) -> Result<()> {
    let folder = to_place.parent().unwrap_or(root);
    create_folders(root, folder)?;
    match fs::hard_link(from_place, to_place) {
        Ok(()) => sync_folder(folder),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(missing_or_unavailable(from)(error)),
        // There already, from an attempt that was cut off; or a file system without links.
        Err(_other) => store(root, to_place, from_place, Source::Keep),
    }
}

fn copy_synced(from: &Path, to: &Path) -> io::Result<()> {
    let mut target = create(to)?;
    io::copy(&mut File::open(from)?, &mut target)?;
    target.sync_all()
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Creates the folders down to `folder`, and makes sure that each new one's name is on disk too.
fn create_folders(root: &Path, folder: &Path) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent()
        && folder != root
    {
        create_folders(root, parent)?;
        match DirBuilder::new().mode(0o700).create(folder) {
            Ok(()) => sync_folder(parent)?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(unavailable(folder)(error)),
        }
    }
    Ok(())
}

fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder)
        .and_then(|file| file.sync_all())
        .map_err(unavailable(folder))
}

fn unavailable(path: &Path) -> impl FnOnce(io::Error) -> Error + '_ {
    move |error| Error::Unavailable(format!("{}: {error}", path.display()))
}

fn missing_or_unavailable(key: &Key) -> impl FnOnce(io::Error) -> Error + '_ {
    move |error| match error.kind() {
        ErrorKind::NotFound => Error::Missing(key.to_string()),
        _ => Error::Unavailable(format!("{key}: {error}")),
    }
}
