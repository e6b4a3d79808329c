//! Parts of tables near at hand: fetched once, given back to the disk when others need the room. A folder in use is never
//! removed.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sheetmill_engine::tables::TableMeta;
use tokio::sync::OnceCell;

use super::Error;
use crate::domain::ids::IngestId;
use crate::storage::{Key, Storage};

type Of = (IngestId, u32);

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
    table: Arc<OnceCell<Arc<Table>>>,
    /// The number of its latest use: greater is later.
    used: u64,
}

/// A table at hand; it stays while this is held.
#[derive(Debug)]
pub struct Table {
    folder: PathBuf,
    bytes: u64,
}

impl Table {
    /// The folder with `table.json` and the parts.
    pub fn folder(&self) -> &Path {
        &self.folder
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
    pub async fn table(&self, ingest: IngestId, position: u32) -> Result<Arc<Table>, Error> {
        let used = self.uses.fetch_add(1, Ordering::Relaxed);
        let cell = {
            let mut tables = self.tables();
            let entry = tables.entry((ingest, position)).or_insert_with(|| Entry {
                table: Arc::default(),
                used,
            });
            entry.used = used;
            Arc::clone(&entry.table)
        };
        let table = Arc::clone(cell.get_or_try_init(|| self.fetch(ingest, position)).await?);
        drop(cell);
        self.make_room();
        Ok(table)
    }

    async fn fetch(&self, ingest: IngestId, position: u32) -> Result<Arc<Table>, Error> {
        let folder = self.root.join(format!("{ingest}-{position}"));
        // What an earlier try may have left.
        drop(tokio::fs::remove_dir_all(&folder).await);
        tokio::fs::create_dir_all(&folder).await?;
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
        Ok(Arc::new(Table { folder, bytes }))
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
