//! One open file that several threads read, each at its own place.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes held of the file; larger reads go past them.
const HELD: usize = 16 << 10;

/// A reader of a file; a clone reads the same file from its start.
#[derive(Debug)]
pub(super) struct SharedFile {
    file: Arc<File>,
    size: u64,
    /// Where the next read begins.
    at: u64,
    held: Vec<u8>,
    /// Where the held bytes stand in the file.
    held_from: u64,
    /// Bytes that read as underscores.
    masked: Range<u64>,
    read: Arc<AtomicU64>,
}

impl SharedFile {
    pub(super) fn open(file: File) -> std::io::Result<Self> {
        let size = file.metadata()?.len();
        Ok(Self::of(Arc::new(file), size))
    }

    fn of(file: Arc<File>, size: u64) -> Self {
        Self {
            file,
            size,
            at: 0,
            held: Vec::new(),
            held_from: 0,
            masked: 0..0,
            read: Arc::default(),
        }
    }

    /// The same file with some bytes reading as underscores: a name in a zip's directory that is not to be found.
    pub(super) fn masked(&self, bytes: Range<u64>) -> Self {
        Self {
            masked: bytes,
            ..self.clone()
        }
    }

    /// How many bytes were read through this reader.
    pub(super) fn count(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.read)
    }

    fn mask(&self, bytes: &mut [u8], from: u64) {
        let end = from + bytes.len() as u64;
        if self.masked.is_empty() || self.masked.end <= from || self.masked.start >= end {
            return;
        }
        for (place, byte) in (from..).zip(bytes) {
            if self.masked.contains(&place) {
                *byte = b'_';
            }
        }
    }
}

impl Clone for SharedFile {
    fn clone(&self) -> Self {
        Self {
            masked: self.masked.clone(),
            ..Self::of(Arc::clone(&self.file), self.size)
        }
    }
}

impl Read for SharedFile {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let inside = |at: u64| usize::try_from(at.checked_sub(self.held_from)?).ok();
        let ready = inside(self.at)
            .and_then(|from| self.held.get(from..))
            .unwrap_or_default();
        let read = if ready.is_empty() && buffer.len() >= HELD {
            let read = self.file.read_at(buffer, self.at)?;
            self.mask(buffer.get_mut(..read).unwrap_or_default(), self.at);
            read
        } else {
            if ready.is_empty() {
                let mut held = std::mem::take(&mut self.held);
                held.resize(HELD, 0);
                let read = self.file.read_at(&mut held, self.at)?;
                held.truncate(read);
                self.mask(&mut held, self.at);
                (self.held, self.held_from) = (held, self.at);
            }
            let from = usize::try_from(self.at - self.held_from).unwrap_or(usize::MAX);
            let ready = self.held.get(from..).unwrap_or_default();
            let read = ready.len().min(buffer.len());
            let (now, _) = buffer.split_at_mut(read);
            now.copy_from_slice(ready.get(..read).unwrap_or_default());
            read
        };
        self.at += read as u64;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl Seek for SharedFile {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = place.ok_or(std::io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn readers_of_one_file_are_at_places_of_their_own() -> std::io::Result<()> {
        let bytes: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
        let mut file = tempfile::tempfile()?;
        file.write_all(&bytes)?;
        let shared = SharedFile::open(file)?;
        let (mut first, mut second) = (shared.clone(), shared.masked(20..25));
        let mut some = vec![0; 10];
        first.seek(SeekFrom::End(-10))?;
        first.read_exact(&mut some)?;
        assert_eq!(some, bytes[99_990..]);
        assert_eq!(first.read(&mut some)?, 0);
        let mut all = Vec::new();
        second.read_to_end(&mut all)?;
        assert_eq!(
            (&all[..20], &all[20..25], &all[25..]),
            (&bytes[..20], &b"_____"[..], &bytes[25..])
        );
        first.seek(SeekFrom::Start(7))?;
        first.seek(SeekFrom::Current(3))?;
        first.read_exact(&mut some)?;
        assert_eq!(some, bytes[10..20]);
        assert_eq!(second.count().load(Ordering::Relaxed), 100_000);
        Ok(())
    }
}
