//! A part of the package, unpacked by a thread of its own and handed over in blocks.
//!
//! The reader gets to see one stretch of bytes at a time. What it has not used when it asks for more is put in front of the
//! next block, into room that was left there for it: a cell cut in two costs the copy of a cell.

use std::io::Read;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use memchr::memrchr;
use zip::ZipArchive;

use super::shared_file::SharedFile;
use crate::sheets::preflight::{damage, unpacking};
use crate::sheets::refusal::{Refusal, TooMuch};
use crate::sheets::{Limits, ReadError};

/// Bytes of a block: larger ones fall out of the processor's cache.
pub(super) const BLOCK: usize = 1 << 20;
/// Room in front of a block.
const ROOM: usize = 64 << 10;
/// Blocks that may wait for the reader.
const WAITING: usize = 4;

/// A block, or how the part ended early.
type Sent = Result<Vec<u8>, ReadError>;

/// The bytes of a part, a stretch at a time.
#[derive(Debug)]
pub(super) struct Blocks {
    take: Receiver<Sent>,
    give_back: Sender<Vec<u8>>,
    block: Vec<u8>,
    /// Where the bytes that are not used yet begin.
    at: usize,
    /// Bytes of blocks taken so far.
    passed: u64,
    /// More bytes than the reader may leave unused: no cell is so large.
    most: usize,
    /// Bytes of a block with the room in front of it.
    size: usize,
    text_chars: u64,
}

/// How many bytes may stand between two tags, or within one: a character is up to four bytes, or an entity such as `&quot;`.
fn longest(limits: &Limits) -> u64 {
    limits.text_chars.saturating_mul(6)
}

impl Blocks {
    /// Starts to unpack the entry at this position of the zip, in blocks of so many bytes.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub(super) fn of(
        zip: &ZipArchive<SharedFile>,
        index: usize,
        block: usize,
        limits: &Limits,
    ) -> std::io::Result<Self> {
        let (give, take) = sync_channel(WAITING);
        let (give_back, used) = channel();
        let (mut zip, longest, size) = (zip.clone(), longest(limits), ROOM + block);
        thread::Builder::new().name("unpack".to_owned()).spawn(move || {
            let end = unpack(&mut zip, index, (longest, size), (&give, &used));
            let end = end.map_err(|error| match error {
                Ended::Run => Refusal::TooMuch(TooMuch::TextChars(longest / 6)).into(),
                Ended::Read(error) => error,
            });
            if let Err(error) = end {
                give.send(Err(error)).ok();
            } else {
                // Nothing but this tells the end from a thread that died.
                give.send(Ok(Vec::new())).ok();
            }
        })?;
        Ok(Self {
            take,
            give_back,
            block: Vec::new(),
            at: 0,
            passed: 0,
            most: usize::try_from(longest.saturating_mul(4)).unwrap_or(usize::MAX),
            size,
            text_chars: limits.text_chars,
        })
    }

    /// The bytes that were not used yet, as far as they are here.
    pub(super) fn bytes(&self) -> &[u8] {
        self.block.get(self.at..).unwrap_or_default()
    }

    /// So many of them are used.
    pub(super) fn pass(&mut self, bytes: usize) {
        self.at = self.block.len().min(self.at + bytes);
    }

    /// Unpacked bytes so far.
    pub(super) fn passed(&self) -> u64 {
        self.passed
    }

    /// Gets more bytes behind those that are here: at least as many again. Breaks at the end of the part.
    ///
    /// # Errors
    /// When the part is damaged, or what is left unused is larger than any cell.
    pub(super) fn more(&mut self) -> Result<ControlFlow<()>, ReadError> {
        let left = self.bytes().len();
        if left > self.most {
            return Err(Refusal::TooMuch(TooMuch::TextChars(self.text_chars)).into());
        }
        let mut added = 0;
        while added == 0 || added < left {
            let Some(next) = self.receive()? else { break };
            added += next.len() - ROOM.min(next.len());
            self.append(next);
        }
        Ok(if added == 0 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        })
    }

    /// The next block; nothing at the end.
    fn receive(&mut self) -> Result<Option<Vec<u8>>, ReadError> {
        let died = || ReadError::from(Refusal::Damaged("the reader stumbled".to_owned()));
        let next = self.take.recv().map_err(|_closed| died())??;
        if next.is_empty() {
            // The end stays the end.
            let (give, take) = sync_channel(1);
            give.send(Ok(Vec::new())).ok();
            self.take = take;
            return Ok(None);
        }
        self.passed += (next.len() - ROOM.min(next.len())) as u64;
        Ok(Some(next))
    }

    fn append(&mut self, mut next: Vec<u8>) {
        let left = self.bytes().len();
        let room = ROOM.checked_sub(left).and_then(|from| next.get_mut(from..ROOM));
        if let Some(room) = room {
            room.copy_from_slice(self.block.get(self.at..).unwrap_or_default());
            let used = std::mem::replace(&mut self.block, next);
            self.at = ROOM - left;
            if used.capacity() == self.size {
                self.give_back.send(used).ok();
            }
        } else {
            self.block.drain(..self.at);
            self.at = 0;
            self.block.extend_from_slice(next.get(ROOM..).unwrap_or_default());
        }
    }

    /// Unpacks what is left without looking at it: only then is the part known to be whole.
    ///
    /// # Errors
    /// When the part is damaged.
    pub(super) fn drain(&mut self) -> Result<(), ReadError> {
        self.at = self.block.len();
        while let Some(next) = self.receive()? {
            if next.capacity() == self.size {
                self.give_back.send(next).ok();
            }
        }
        Ok(())
    }
}

/// Why unpacking ended early.
enum Ended {
    /// More bytes than a cell's text between two tags, or within one.
    Run,
    Read(ReadError),
}

/// Unpacks a part until its end, or until nobody listens.
fn unpack(
    zip: &mut ZipArchive<SharedFile>,
    index: usize,
    (longest, size): (u64, usize),
    (give, used): (&SyncSender<Sent>, &Receiver<Vec<u8>>),
) -> Result<(), Ended> {
    let mut entry = zip.by_index(index).map_err(|error| Ended::Read(damage(&error)))?;
    let (mut text, mut tag) = (0_u64, 0_u64);
    loop {
        let mut block = used.try_recv().unwrap_or_default();
        block.resize(size, 0);
        let read = fill(&mut entry, block.get_mut(ROOM..).unwrap_or_default())
            .map_err(|error| Ended::Read(unpacking(&error)))?;
        if read == 0 {
            return Ok(());
        }
        block.truncate(ROOM + read);
        let new = block.get(ROOM..).unwrap_or_default();
        let since = |byte: u8, passed: u64| match memrchr(byte, new) {
            Some(at) => (read - at) as u64,
            None => passed + read as u64,
        };
        (text, tag) = (since(b'<', text), since(b'>', tag));
        if text.max(tag) > longest {
            return Err(Ended::Run);
        }
        if give.send(Ok(block)).is_err() {
            return Ok(());
        }
    }
}

/// Reads until the buffer is full or the part ends.
fn fill(part: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match part.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
