//! Looks into a workbook before anything is read from it: a small file can unpack to anything.
//!
//! What the zip's directory declares is checked at once; unpacking never yields more than was declared (the zip reader stops
//! there). Large parts are unpacked once without being parsed: a run of bytes without a tag would be held in memory whole.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use zip::ZipArchive;
use zip::result::ZipError;

use super::refusal::{Refusal, TooMuch};
use super::sniff::{Format, HEAD_BYTES, ole_directory, sniff};
use super::{Limits, ReadError};

/// Parts up to this size are harmless in memory, however they are made.
const SMALL_PART: u64 = 32 << 20;
/// From this size on a part may not be made of next to nothing: honest repetitive sheets stay below 200 : 1.
const RATIO_FROM: u64 = 1 << 30;
const RATIO: u64 = 250;
/// The shortest entry of a shared-strings part is `<si/>`.
const SHORTEST_STRING: u64 = 5;

/// One entry of the zip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Its name with forward slashes, lower case.
    pub name: String,
    /// Bytes once unpacked, as declared.
    pub bytes: u64,
    /// Bytes as packed.
    pub packed: u64,
}

/// Checks a file against the limits, and gives the parts of the workbook in it.
pub(super) fn preflight(path: &Path, limits: &Limits) -> Result<Vec<Part>, ReadError> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    if size > limits.file_bytes {
        return Err(Refusal::TooMuch(TooMuch::FileBytes(limits.file_bytes)).into());
    }
    let mut head = Vec::new();
    (&mut file).take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    if sniff(&head)? == Format::Ole {
        return Err(whole_ole(&mut file, &head).into());
    }
    check_entries(&mut file, size, limits)?;
    let mut zip = ZipArchive::new(BufReader::new(file)).map_err(|error| damage(&error))?;
    if zip.has_duplicate_names() {
        return Err(Refusal::Damaged("two entries of one name".to_owned()).into());
    }
    let parts = parts(&zip)?;
    check_kind(&parts)?;
    check_sizes(&parts, limits)?;
    for (index, part) in parts.iter().enumerate() {
        if part.name.ends_with("sharedstrings.xml") {
            check_count(&mut zip, index, part)?;
        }
        if part.bytes > SMALL_PART && part.name.ends_with(".xml") {
            check_runs(&mut zip, index, limits)?;
        }
    }
    Ok(parts)
}

/// An OLE container whose directory lies further behind.
fn whole_ole(file: &mut File, head: &[u8]) -> Refusal {
    let number = |at: usize| {
        head.get(at..at + 4)
            .map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
    };
    let sector: u64 = if head.get(30) == Some(&12) { 4096 } else { 512 };
    let mut directory = Vec::new();
    let start = (u64::from(number(48)) + 1).saturating_mul(sector);
    let read = file
        .seek(SeekFrom::Start(start))
        .and_then(|_| file.take(sector).read_to_end(&mut directory));
    match read.map(|_| ole_directory(&directory)) {
        Ok(Err(refusal)) => refusal,
        _ => Refusal::NotASpreadsheet("an unknown kind of file"),
    }
}

/// The number of entries stands at the end of the file (APPNOTE.TXT sections 4.3.14 and 4.3.16): look before the directory is
/// held in memory.
fn check_entries(file: &mut File, size: u64, limits: &Limits) -> Result<(), ReadError> {
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(size.saturating_sub(65_557 + 76)))?;
    file.read_to_end(&mut tail)?;
    let last = |magic: &[u8]| tail.windows(4).rposition(|w| w == magic);
    let Some(end) = last(b"PK\x05\x06") else {
        return Err(Refusal::CutOff.into());
    };
    let short = tail
        .get(end + 10..end + 12)
        .map_or(0, |b| u64::from(u16::from_le_bytes([b[0], b[1]])));
    let long = last(b"PK\x06\x06").and_then(|at| tail.get(at + 32..at + 40));
    let long = long.and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes);
    if short.max(if short == 0xffff { long } else { 0 }) > limits.zip_entries {
        return Err(Refusal::TooMuch(TooMuch::Entries(limits.zip_entries)).into());
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(())
}

fn parts(zip: &ZipArchive<BufReader<File>>) -> Result<Vec<Part>, ReadError> {
    let mut parts = Vec::with_capacity(zip.len());
    for index in 0..zip.len() {
        let entry = zip.by_index_data(index).map_err(|error| damage(&error))?;
        if entry.encrypted() {
            return Err(Refusal::Password.into());
        }
        let name = String::from_utf8_lossy(entry.name_raw())
            .replace('\\', "/")
            .to_ascii_lowercase();
        let name = name.trim_start_matches('/').to_owned();
        parts.push(Part {
            name,
            bytes: entry.size(),
            packed: entry.compressed_size(),
        });
    }
    Ok(parts)
}

/// What the first bytes could not tell, the whole directory does.
fn check_kind(parts: &[Part]) -> Result<(), Refusal> {
    let any = |prefix: &str| parts.iter().any(|p| p.name.starts_with(prefix));
    let ends = |ending: &str| parts.iter().any(|p| p.name.ends_with(ending));
    if any("encryptedpackage") {
        return Err(Refusal::Password);
    }
    if any("xl/workbook.bin") {
        return Err(Refusal::Xlsb);
    }
    if ends("workbook.xml") || ends(".rels") && any("xl/") {
        return Ok(());
    }
    Err(if any("word/") {
        Refusal::NotASpreadsheet("a Word document")
    } else if any("ppt/") {
        Refusal::NotASpreadsheet("a PowerPoint presentation")
    } else if any("meta-inf/manifest.mf") {
        Refusal::NotASpreadsheet("a Java archive")
    } else if any("_rels/") || any("[content_types].xml") {
        Refusal::Damaged("no workbook part".to_owned())
    } else {
        Refusal::NotASpreadsheet("a zip archive")
    })
}

fn check_sizes(parts: &[Part], limits: &Limits) -> Result<(), Refusal> {
    let too_much = |what| Err(Refusal::TooMuch(what));
    let total = parts.iter().fold(0_u64, |sum, part| sum.saturating_add(part.bytes));
    if total > limits.inflated_bytes {
        return too_much(TooMuch::InflatedBytes(limits.inflated_bytes));
    }
    for part in parts {
        if part.name.ends_with("sharedstrings.xml") && part.bytes > limits.shared_string_bytes {
            return too_much(TooMuch::SharedStrings(limits.shared_string_bytes));
        }
        if part.bytes > RATIO_FROM && part.bytes / part.packed.max(1) > RATIO {
            return too_much(TooMuch::Ratio);
        }
    }
    Ok(())
}

/// Memory is reserved for as many strings as the part says it holds: it must be able to hold them.
fn check_count(zip: &mut ZipArchive<BufReader<File>>, index: usize, part: &Part) -> Result<(), ReadError> {
    let entry = zip.by_index(index).map_err(|error| damage(&error))?;
    let mut head = Vec::new();
    entry
        .take(65_536)
        .read_to_end(&mut head)
        .map_err(|error| unpacking(&error))?;
    let head = String::from_utf8_lossy(&head);
    let said = head
        .split_once("uniqueCount")
        .and_then(|(_, rest)| rest.trim_start().strip_prefix('='));
    let digits: String = said
        .unwrap_or_default()
        .trim_start()
        .chars()
        .skip(1)
        .take_while(char::is_ascii_digit)
        .collect();
    let fits = digits.is_empty()
        || digits
            .parse::<u64>()
            .is_ok_and(|n| n <= part.bytes / SHORTEST_STRING + 1);
    if fits {
        Ok(())
    } else {
        Err(Refusal::Damaged(format!("{digits} shared strings in {} bytes", part.bytes)).into())
    }
}

/// Unpacks a part and refuses it where more than a cell's text stands between two tags, or a tag has no end.
fn check_runs(zip: &mut ZipArchive<BufReader<File>>, index: usize, limits: &Limits) -> Result<(), ReadError> {
    let mut entry = zip.by_index(index).map_err(|error| damage(&error))?;
    // A character is up to four bytes, or an entity such as `&quot;`.
    let longest = limits.text_chars.saturating_mul(6);
    let mut buffer = vec![0; 128 << 10];
    let (mut text, mut tag) = (0_u64, 0_u64);
    loop {
        let read = entry.read(&mut buffer).map_err(|error| unpacking(&error))?;
        let Some(bytes) = buffer.get(..read).filter(|b| !b.is_empty()) else {
            return Ok(());
        };
        let since = |byte: u8, before: u64| match memchr::memrchr(byte, bytes) {
            Some(at) => (read - at) as u64,
            None => before + read as u64,
        };
        (text, tag) = (since(b'<', text), since(b'>', tag));
        if text.max(tag) > longest {
            return Err(Refusal::TooMuch(TooMuch::TextChars(limits.text_chars)).into());
        }
    }
}

/// What the zip reader found, as a refusal; a failing disk is none.
pub(super) fn damage(error: &ZipError) -> ReadError {
    match error {
        ZipError::Io(error) => unpacking(error),
        ZipError::UnsupportedArchive(what) if what.contains("assword") => Refusal::Password.into(),
        other => Refusal::Damaged(other.to_string()).into(),
    }
}

/// What unpacking found: bad data is the file's fault, the rest is the disk's.
pub(super) fn unpacking(error: &std::io::Error) -> ReadError {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof | ErrorKind::Other => {
            Refusal::Damaged(error.to_string()).into()
        }
        kind => std::io::Error::new(kind, error.to_string()).into(),
    }
}
