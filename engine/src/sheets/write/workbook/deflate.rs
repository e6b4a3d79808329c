//! Content is made and deflated by several threads, in blocks that come out in the order in which they went in.
//!
//! Each block is deflated for itself up to a whole byte (`Z_SYNC_FLUSH`), so that blocks one behind the other are one deflated
//! stream. What a block holds is settled before a thread has it: the same blocks come out of any number of threads.

use std::collections::VecDeque;
use std::io::{Error, Result};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

use crc32fast::Hasher;
use flate2::{Compress, Compression, FlushCompress};

/// Bytes of content that are deflated at once, while they are in the processor's cache.
const PIECE: usize = 128 << 10;

/// Part of a member, deflated.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) bytes: Vec<u8>,
    /// Of the content.
    pub(super) crc: Hasher,
    /// Bytes of the content.
    pub(super) size: u64,
    /// Texts that were cut.
    pub(super) cut_texts: u64,
}

/// Deflates content as it grows.
pub(super) struct Press {
    compress: Compress,
    text: Vec<u8>,
    bytes: Vec<u8>,
    crc: Hasher,
    size: u64,
    failed: bool,
}

impl Press {
    pub(super) fn new(level: u32) -> Self {
        Self {
            compress: Compress::new(Compression::new(level), false),
            text: Vec::with_capacity(PIECE * 2),
            bytes: Vec::new(),
            crc: Hasher::new(),
            size: 0,
            failed: false,
        }
    }

    /// Where content is added.
    pub(super) fn text(&mut self) -> &mut Vec<u8> {
        &mut self.text
    }

    /// Deflates what was added, if it is much by now.
    pub(super) fn pause(&mut self) {
        if self.text.len() >= PIECE {
            self.squeeze(FlushCompress::None);
        }
    }

    /// What was added since the last time, as a block.
    pub(super) fn take(&mut self, cut_texts: u64) -> Result<Block> {
        self.squeeze(FlushCompress::Sync);
        self.compress.reset();
        if std::mem::take(&mut self.failed) {
            return Err(Error::other("content was not deflated"));
        }
        Ok(Block {
            bytes: std::mem::take(&mut self.bytes),
            crc: std::mem::replace(&mut self.crc, Hasher::new()),
            size: std::mem::take(&mut self.size),
            cut_texts,
        })
    }

    fn squeeze(&mut self, flush: FlushCompress) {
        self.crc.update(&self.text);
        self.size += self.text.len() as u64;
        let mut rest = self.text.as_slice();
        loop {
            self.bytes.reserve(PIECE / 4);
            let before = self.compress.total_in();
            if self.compress.compress_vec(rest, &mut self.bytes, flush).is_err() {
                self.failed = true;
                break;
            }
            let taken = usize::try_from(self.compress.total_in() - before).unwrap_or(usize::MAX);
            rest = rest.get(taken..).unwrap_or_default();
            // Where no room is left, there may be more to come.
            if rest.is_empty() && self.bytes.len() < self.bytes.capacity() {
                break;
            }
        }
        self.text.clear();
    }
}

/// Adds content; answers how many texts it cut.
pub(super) type Work = Box<dyn FnOnce(&mut Press) -> u64 + Send>;
type Order = (Work, SyncSender<Result<Block>>);

/// Threads that carry out work.
pub(super) struct Presses {
    orders: Sender<Order>,
    waiting: VecDeque<Receiver<Result<Block>>>,
    /// Blocks that may be under way: more would only take memory.
    most: usize,
}

impl Presses {
    /// Starts threads, one at least. They end when this is dropped.
    pub(super) fn start(threads: usize, level: u32) -> Result<Self> {
        let threads = threads.max(1);
        let (orders, taken) = channel::<Order>();
        let taken = Arc::new(Mutex::new(taken));
        for _ in 0..threads {
            let taken = Arc::clone(&taken);
            thread::Builder::new()
                .name("deflate".to_owned())
                .spawn(move || carry_out(&taken, level))?;
        }
        Ok(Self {
            orders,
            waiting: VecDeque::new(),
            most: threads * 8,
        })
    }

    /// Hands in work.
    pub(super) fn hand_in(&mut self, work: Work) -> Result<()> {
        let (done, block) = sync_channel(1);
        if self.orders.send((work, done)).is_err() {
            return Err(gone());
        }
        self.waiting.push_back(block);
        Ok(())
    }

    /// Whether a block has to be taken out before more work is handed in.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= self.most
    }

    /// The oldest block that was not taken out; waits for it.
    pub(super) fn take(&mut self) -> Option<Result<Block>> {
        let block = self.waiting.pop_front()?;
        Some(block.recv().unwrap_or_else(|_| Err(gone())))
    }
}

fn gone() -> Error {
    Error::other("a thread that deflates ended early")
}

fn carry_out(orders: &Mutex<Receiver<Order>>, level: u32) {
    let mut press = Press::new(level);
    loop {
        // A statement of its own: the lock must be free while the work is done.
        let next = orders.lock().map(|orders| orders.recv());
        let Ok(Ok((work, done))) = next else { return };
        let cut_texts = work(&mut press);
        if done.send(press.take(cut_texts)).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inflated(blocks: &[Block]) -> Vec<u8> {
        let stream: Vec<u8> = blocks
            .iter()
            .flat_map(|block| block.bytes.clone())
            .chain([3, 0])
            .collect();
        let mut out = Vec::with_capacity(8 << 20);
        let mut inflate = flate2::Decompress::new(false);
        inflate
            .decompress_vec(&stream, &mut out, flate2::FlushDecompress::Finish)
            .expect("a deflated stream");
        out
    }

    /// Texts that do and do not shrink, around the sizes where buffers end.
    fn content() -> Vec<Vec<u8>> {
        let mut state = 7_u64;
        let mut noise = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        };
        let mut all: Vec<Vec<u8>> = [0, 1, 100, PIECE - 1, PIECE, PIECE + 1, PIECE * 3]
            .map(|size| (0..size).map(|_| noise()).collect())
            .into();
        all.push(vec![b'a'; PIECE * 8]);
        all
    }

    #[test]
    fn blocks_of_any_number_of_threads_are_one_stream() {
        let wanted = content().concat();
        for (threads, level) in [(1, 1), (2, 1), (8, 1), (3, 3), (2, 6)] {
            let mut presses = Presses::start(threads, level).expect("threads");
            let mut blocks = Vec::new();
            for text in content() {
                while presses.is_full() {
                    blocks.push(presses.take().expect("work").expect("a block"));
                }
                let work = move |press: &mut Press| {
                    for part in text.chunks(1000) {
                        press.text().extend_from_slice(part);
                        press.pause();
                    }
                    0
                };
                presses.hand_in(Box::new(work)).expect("threads");
            }
            while let Some(block) = presses.take() {
                blocks.push(block.expect("a block"));
            }
            assert_eq!(inflated(&blocks), wanted);
            let mut crc = Hasher::new();
            blocks.iter().for_each(|block| crc.combine(&block.crc));
            assert_eq!(crc.finalize(), crc32fast::hash(&wanted));
            assert_eq!(blocks.iter().map(|block| block.size).sum::<u64>(), wanted.len() as u64);
        }
    }
}
