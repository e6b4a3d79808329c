//! From bytes to text: the encoding of a file without one, and text a piece at a time.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use chardetng::EncodingDetector;
use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// Bytes read at once.
const STEP: usize = 256 << 10;
/// Bytes that a guess looks at; it grows no better with more.
const GUESSED: usize = 4 << 20;

/// What a file's bytes stand for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// The encoding.
    pub(super) encoding: &'static Encoding,
    /// Whether it is sure: by a mark, or because nothing else fits.
    pub(super) sure: bool,
}

/// Finds the encoding: by a byte order mark; UTF-8 where all bytes are; UTF-16 by its zeros; else the most likely one.
pub(super) fn find(file: &mut File) -> std::io::Result<Found> {
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.by_ref().take(GUESSED as u64).read_to_end(&mut head)?;
    if let Some((encoding, _)) = Encoding::for_bom(&head) {
        return Ok(Found { encoding, sure: true });
    }
    if let Some(encoding) = wide(&head) {
        return Ok(Found { encoding, sure: true });
    }
    file.seek(SeekFrom::Start(0))?;
    if is_utf8(file)? {
        return Ok(Found {
            encoding: UTF_8,
            sure: true,
        });
    }
    let mut detector = EncodingDetector::new(chardetng::Iso2022JpDetection::Allow);
    detector.feed(&head, head.len() < GUESSED);
    Ok(Found {
        encoding: detector.guess(None, chardetng::Utf8Detection::Deny),
        sure: false,
    })
}

/// UTF-16 without a mark: every other byte of text in Latin letters is zero.
fn wide(head: &[u8]) -> Option<&'static Encoding> {
    let looked_at = &head[..head.len().min(4096)];
    let zeros = |from: usize| looked_at.iter().skip(from).step_by(2).filter(|b| **b == 0).count();
    let (first, second, half) = (zeros(0), zeros(1), looked_at.len() / 2);
    if half >= 2 && second * 10 >= half * 7 && first * 10 <= half {
        Some(UTF_16LE)
    } else if half >= 2 && first * 10 >= half * 7 && second * 10 <= half {
        Some(UTF_16BE)
    } else {
        None
    }
}

fn is_utf8(file: &mut File) -> std::io::Result<bool> {
    let mut held = Vec::new();
    loop {
        let before = held.len();
        held.resize(before + STEP, 0);
        let read = file.read(&mut held[before..])?;
        held.truncate(before + read);
        match std::str::from_utf8(&held) {
            Ok(_) if read == 0 => return Ok(true),
            Ok(_) => held.clear(),
            // A character may be cut between two pieces, not at the end.
            Err(error) if error.error_len().is_none() && read > 0 => drop(held.drain(..error.valid_up_to())),
            Err(_) => return Ok(false),
        }
    }
}

/// A file's text, a piece at a time.
pub(super) struct Text {
    file: File,
    decoder: Decoder,
    raw: Vec<u8>,
    /// Bytes read so far.
    pub(super) bytes: u64,
    /// Whether some bytes stood for nothing and became U+FFFD.
    pub(super) replaced: bool,
    ended: bool,
}

impl Text {
    /// Starts at the beginning of a file; a byte order mark is left out.
    pub(super) fn of(mut file: File, encoding: &'static Encoding) -> std::io::Result<Self> {
        file.seek(SeekFrom::Start(0))?;
        Ok(Self {
            file,
            decoder: encoding.new_decoder_with_bom_removal(),
            raw: vec![0; STEP],
            bytes: 0,
            replaced: false,
            ended: false,
        })
    }

    /// Adds the next piece; false at the end.
    pub(super) fn more(&mut self, text: &mut String) -> std::io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        let read = self.file.read(&mut self.raw)?;
        self.bytes += read as u64;
        self.ended = read == 0;
        let mut from = 0;
        loop {
            let room = self.decoder.max_utf8_buffer_length(read - from).unwrap_or(STEP);
            text.reserve(room.max(64));
            let piece = &self.raw[from..read];
            let (result, taken, replaced) = self.decoder.decode_to_string(piece, text, self.ended);
            self.replaced |= replaced;
            from += taken;
            if result == CoderResult::InputEmpty {
                return Ok(true);
            }
        }
    }
}
