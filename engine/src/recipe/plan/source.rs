//! Where the rows of a run of steps come from. They can be read again: who looks them up on disk reads them twice.

use std::fs::File;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use arrow::ipc::reader::FileReader;
use arrow::ipc::writer::FileWriter;
use futures_util::StreamExt;

use super::chunk::{Chunk, Marked};
use super::operator::PlanError;
use super::stages::{self, ChunkStream, Window};
use super::{Effects, Work};

/// Rows in pieces, in order.
#[derive(Debug)]
pub(super) enum Source {
    /// Windows of the table.
    Table(Vec<Window>),
    /// Chunks that came out of the steps in front.
    Chunks(Chunks),
}

impl Source {
    /// How many pieces there are.
    pub(super) fn pieces(&self) -> usize {
        match self {
            Self::Table(windows) => windows.len(),
            Self::Chunks(chunks) => chunks.count,
        }
    }

    /// How many rows of the table there are, where they are of it.
    pub(super) fn rows(&self) -> Option<u64> {
        match self {
            Self::Table(windows) => Some(windows.iter().map(|window| window.rows).sum()),
            Self::Chunks(_) => None,
        }
    }

    /// Where a piece of the table begins in it.
    pub(super) fn window(&self, place: usize) -> Option<Window> {
        match self {
            Self::Table(windows) => windows.get(place).copied(),
            Self::Chunks(_) => None,
        }
    }

    /// Reads a piece; of the table the columns that are needed. Rows of the table are accounted for as read.
    pub(super) fn read(
        &self,
        work: &Work,
        place: usize,
        needs: &[bool],
        effects: &mut Effects,
    ) -> Result<Chunk, PlanError> {
        const NONE: PlanError = PlanError::Internal("a piece that is not there");
        match self {
            Self::Table(windows) => stages::read_piece(work, *windows.get(place).ok_or(NONE)?, needs, effects),
            Self::Chunks(chunks) => chunks.read(place, work.marked),
        }
    }
}

/// Chunks in a file without a name: it is gone when nobody holds it.
#[derive(Debug)]
pub(super) struct Chunks {
    count: usize,
    columns: usize,
    file: Option<Mutex<FileReader<File>>>,
}

impl Chunks {
    /// All chunks of a stream.
    pub(super) async fn of(mut stream: ChunkStream, path: &Path) -> Result<Self, PlanError> {
        let (mut writer, mut count, mut columns) = (None, 0, 0);
        while let Some(chunk) = stream.next().await {
            let chunk = chunk?;
            if chunk.rows() == 0 {
                continue;
            }
            let batch = chunk.to_batch()?;
            let writer = match &mut writer {
                Some(writer) => writer,
                None => writer.insert(FileWriter::try_new(unnamed(path)?, &batch.schema())?),
            };
            writer.write(&batch)?;
            (count, columns) = (count + 1, chunk.columns.len());
        }
        Ok(Self {
            count,
            columns,
            file: writer.map(to_be_read).transpose()?,
        })
    }

    fn read(&self, place: usize, marked: Marked) -> Result<Chunk, PlanError> {
        const NONE: PlanError = PlanError::Internal("a chunk that is not there");
        let file = self.file.as_ref().ok_or(NONE)?;
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        file.set_index(place)?;
        Chunk::of_batch(&file.next().ok_or(NONE)??, self.columns, marked)
    }
}

/// A file to write and read that has no name any more.
pub(super) fn unnamed(path: &Path) -> Result<File, PlanError> {
    let of_file = |error| PlanError::Io {
        path: path.to_owned(),
        error,
    };
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(true);
    let file = options.open(path).map_err(of_file)?;
    std::fs::remove_file(path).map_err(of_file)?;
    Ok(file)
}

/// The file that was written, to be read from any batch on.
pub(super) fn to_be_read(writer: FileWriter<File>) -> Result<Mutex<FileReader<File>>, PlanError> {
    Ok(Mutex::new(FileReader::try_new(writer.into_inner()?, None)?))
}
