//! Parts of tables and whole files near at hand: fetched once, given back to the disk when others need the room. A folder in use is never
//! removed.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sheetmill_engine::tables::TableMeta;
use tokio::sync::OnceCell;

use super::Error;
use crate::domain::ids::{IngestId, Sha256};
use crate::storage::{Key, Storage};

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Of {
    /// A table of an ingest, by its position.
    Table(IngestId, u32),
    /// A file as it came.
    Blob(Sha256),
}

/// The file in a blob's folder.
const WORKBOOK: &str = "workbook";

/// The cache of one process.
#[derive(Debug)]
pub struct Cache {
    root: PathBuf,
    most: u64,
    storage: Arc<dyn Storage>,
    tables: Mutex<HashMap<Of, Entry>>,
    uses: AtomicU64,
}

#[derive(Clone, Debug)]
struct Entry {
    table: Arc<OnceCell<Arc<Kept>>>,
    /// The number of its latest use: greater is later.
    used: u64,
}

/// A table or a file at hand; it stays while this is held.
#[derive(Debug)]
pub struct Kept {
    folder: PathBuf,
    bytes: u64,
}

impl Kept {
    /// The folder with `table.json` and the parts.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file, where this is one.
    pub fn workbook(&self) -> PathBuf {
        self.folder.join(WORKBOOK)
    }
}

impl Cache {
    /// An empty cache of at most so many bytes, or of what is in use at once.
    pub fn new(root: PathBuf, most: u64, storage: Arc<dyn Storage>) -> io::Result<Self> {
        std::fs::create_dir_all(&root)?;
        Ok(Self {
            root,
            most,
            storage,
            tables: Mutex::default(),
            uses: AtomicU64::new(0),
        })
    }

    /// A table, fetched if it is not at hand; whoever wants the same one meanwhile waits for it.
    pub async fn table(&self, ingest: IngestId, position: u32) -> Result<Arc<Kept>, Error> {
        self.get(Of::Table(ingest, position)).await
    }

    /// A file as it came, in the same way.
    pub async fn blob(&self, blob: Sha256) -> Result<Arc<Kept>, Error> {
        self.get(Of::Blob(blob)).await
    }

    async fn get(&self, of: Of) -> Result<Arc<Kept>, Error> {
        let used = self.uses.fetch_add(1, Ordering::Relaxed);
        let cell = {
            let mut tables = self.tables();
            let entry = tables.entry(of).or_insert_with(|| Entry {
                table: Arc::default(),
                used,
            });
            entry.used = used;
            Arc::clone(&entry.table)
        };
        let table = Arc::clone(cell.get_or_try_init(|| self.fetch(of)).await?);
        drop(cell);
        self.make_room();
        Ok(table)
    }

    async fn fetch(&self, of: Of) -> Result<Arc<Kept>, Error> {
        let folder = self.root.join(match of {
            Of::Table(ingest, position) => format!("{ingest}-{position}"),
            Of::Blob(blob) => blob.to_string(),
        });
        // What an earlier try may have left.
        drop(tokio::fs::remove_dir_all(&folder).await);
        tokio::fs::create_dir_all(&folder).await?;
        let bytes = match of {
            Of::Table(ingest, position) => self.fetch_table(&folder, ingest, position).await?,
            Of::Blob(blob) => {
                let path = folder.join(WORKBOOK);
                self.storage.fetch(&Key::Blob(blob), &path).await?;
                tokio::fs::metadata(&path).await?.len()
            }
        };
        Ok(Arc::new(Kept { folder, bytes }))
    }

    /// Answers the bytes fetched.
    async fn fetch_table(&self, folder: &Path, ingest: IngestId, position: u32) -> Result<u64, Error> {
        let path = folder.join("table.json");
        self.storage.fetch(&Key::TableMeta(ingest, position), &path).await?;
        let text = tokio::fs::read(&path).await?;
        let meta: TableMeta = serde_json::from_slice(&text).map_err(|error| Error::Internal(error.to_string()))?;
        let mut bytes = text.len() as u64;
        for part in meta.parts {
            let name = Path::new(&part.path)
                .file_name()
                .and_then(|it| it.to_str())
                .filter(|it| *it == part.path);
            let name = name.ok_or_else(|| Error::Internal(format!("table.json names {:?}", part.path)))?;
            let path = folder.join(name);
            self.storage
                .fetch(&Key::TablePart(ingest, position, name.to_owned()), &path)
                .await?;
            bytes += tokio::fs::metadata(&path).await?.len();
        }
        Ok(bytes)
    }

    /// Removes what was used longest ago and is not in use, until the rest fits.
    fn make_room(&self) {
        let mut tables = self.tables();
        let size = |tables: &HashMap<Of, Entry>| {
            tables
                .values()
                .filter_map(|it| it.table.get())
                .map(|it| it.bytes)
                .sum::<u64>()
        };
        while size(&tables) > self.most {
            // Held by the map alone: neither being fetched nor being read.
            let idle = |entry: &Entry| {
                Arc::strong_count(&entry.table) == 1 && entry.table.get().is_some_and(|it| Arc::strong_count(it) == 1)
            };
            let oldest = tables
                .iter()
                .filter(|(_, entry)| idle(entry))
                .min_by_key(|(_, entry)| entry.used);
            let Some(of) = oldest.map(|(of, _)| *of) else { return };
            if let Some(table) = tables.remove(&of).and_then(|entry| entry.table.get().cloned())
                && let Err(error) = std::fs::remove_dir_all(table.folder())
            {
                tracing::warn!(%error, "a cached table could not be removed");
            }
        }
    }

    fn tables(&self) -> MutexGuard<'_, HashMap<Of, Entry>> {
        // A map is never left half changed: who panicked while holding it did no harm.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
