//! Looks into a workbook before anything is read from it: a small file can unpack to anything.
//!
//! What the zip's directory declares is checked at once; unpacking never yields more than was declared (the zip reader stops
//! there). Large parts are unpacked once without being parsed: a run of bytes without a tag would be held in memory whole.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use quick_xml::events::Event;
use quick_xml::events::attributes::Attribute;
use zip::ZipArchive;
use zip::result::ZipError;

use super::refusal::{Refusal, TooMuch};
use super::scan::{Found, ScanEnd, scan};
use super::{Limits, ReadError};

/// Parts up to this size are harmless in memory, however they are made.
pub(super) const SMALL_PART: u64 = 32 << 20;
/// Lists of sheets are read up to so many bytes.
const LIST_BYTES: u64 = 4 << 20;
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

/// Checks a zip against the limits, and gives the parts of the workbook in it.
pub(super) fn preflight(path: &Path, limits: &Limits) -> Result<Package, ReadError> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    check_entries(&mut file, size, limits)?;
    let mut zip = ZipArchive::new(BufReader::new(file)).map_err(|error| damage(&error))?;
    if zip.has_duplicate_names() {
        return Err(Refusal::Damaged("two entries of one name".to_owned()).into());
    }
    let parts = parts(&zip)?;
    let kind = kind_of(&parts)?;
    check_sizes(&parts, limits)?;
    let (sheets, strings) = listed_parts(&mut zip, &parts, kind);
    for (index, part) in parts.iter().enumerate() {
        if part.name.ends_with("sharedstrings.xml") {
            check_count(&mut zip, index, part)?;
        }
        // What is scanned in pieces is never held whole.
        let pieces = kind == Kind::Xlsx && (strings == Some(index) || sheets.contains(&Some(index)));
        if part.name.ends_with(".xml") && part.bytes > SMALL_PART && !pieces {
            scan_part(&mut zip, index, limits)?;
        }
    }
    let too_large = |at: usize| {
        parts
            .get(at)
            .is_some_and(|part| part.bytes > limits.shared_string_bytes)
    };
    if kind == Kind::Xlsx && strings.is_some_and(too_large) {
        return Err(Refusal::TooMuch(TooMuch::SharedStrings(limits.shared_string_bytes)).into());
    }
    // Otherwise a small file lists one large part thousands of times.
    let mut seen = HashSet::new();
    if sheets.len() > parts.len() || sheets.iter().flatten().any(|part| !seen.insert(*part)) {
        return Err(Refusal::Damaged("two sheets of one part".to_owned()).into());
    }
    Ok(Package {
        kind,
        parts,
        sheets,
        strings,
    })
}

/// Which kind of workbook a zip holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Xlsx,
    Xlsb,
    Ods,
}

/// What was learnt of a workbook's package.
#[derive(Clone, Debug)]
pub(super) struct Package {
    /// What it is.
    pub kind: Kind,
    /// Its parts.
    pub parts: Vec<Part>,
    /// Per entry of the workbook's list of sheets, the position of its part.
    pub sheets: Vec<Option<usize>>,
    /// The position of the shared strings.
    pub strings: Option<usize>,
}

/// Finds the parts of sheets as the workbook lists them, and its shared strings; what is odd there is left to the reader to
/// refuse.
fn listed_parts(
    zip: &mut ZipArchive<BufReader<File>>,
    parts: &[Part],
    kind: Kind,
) -> (Vec<Option<usize>>, Option<usize>) {
    let at = |name: &str| parts.iter().position(|part| part.name == name);
    let book_name = match kind {
        Kind::Xlsx => "workbook.xml",
        Kind::Xlsb => "workbook.bin",
        Kind::Ods => return (Vec::new(), None),
    };
    let mut bytes_of = |index: Option<usize>| {
        let mut bytes = Vec::new();
        let entry = index.and_then(|index| zip.by_index(index).ok());
        let read = entry.and_then(|entry| entry.take(LIST_BYTES).read_to_end(&mut bytes).ok());
        read.map(|_| bytes).unwrap_or_default()
    };
    let Some(book) = parts.iter().position(|part| part.name.ends_with(book_name)) else {
        return (Vec::new(), None);
    };
    let folder = parts
        .get(book)
        .and_then(|part| part.name.strip_suffix(book_name))
        .unwrap_or_default();
    let relations = bytes_of(at(&format!("{folder}_rels/{book_name}.rels")));
    let relations = elements(&String::from_utf8_lossy(&relations), "Relationship");
    let is_strings = |relation: &&HashMap<String, String>| {
        let kind = relation.get("Type");
        kind.is_some_and(|kind| kind.ends_with("/sharedStrings"))
    };
    let strings = relations
        .iter()
        .find(is_strings)
        .and_then(|relation| relation.get("Id"))
        .cloned();
    let targets: HashMap<String, String> = relations
        .into_iter()
        .filter_map(|mut relation| Some((relation.remove("Id")?, relation.remove("Target")?)))
        .collect();
    let part_of = |id: &str| {
        let target = targets.get(id)?.to_ascii_lowercase();
        target
            .strip_prefix('/')
            .map_or_else(|| at(&format!("{folder}{target}")), at)
    };
    let list = bytes_of(Some(book));
    if kind == Kind::Xlsb {
        let sheets = super::xlsb::sheet_ids(&list).iter().map(|id| part_of(id)).collect();
        return (sheets, None);
    }
    let sheets = elements(&String::from_utf8_lossy(&list), "sheet")
        .into_iter()
        .map(|mut sheet| part_of(&sheet.remove("id")?))
        .collect();
    let strings = strings.and_then(|id| part_of(&id));
    (sheets, strings.or_else(|| at(&format!("{folder}sharedstrings.xml"))))
}

/// The attributes of all elements of this name, both without their prefixes.
fn elements(xml: &str, name: &str) -> Vec<HashMap<String, String>> {
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut found = Vec::new();
    loop {
        let element = match reader.read_event() {
            Ok(Event::Start(element) | Event::Empty(element)) => element,
            Ok(Event::Eof) | Err(_) => return found,
            Ok(_) => continue,
        };
        if element.local_name().as_ref() == name {
            let attribute = |a: Attribute<'_>| (a.key.local_name().as_ref().to_owned(), a.value.to_string());
            found.push(element.attributes().flatten().map(attribute).collect());
        }
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
    let mut places = Vec::with_capacity(zip.len());
    for index in 0..zip.len() {
        let entry = zip.by_index_data(index).map_err(|error| damage(&error))?;
        if entry.encrypted() {
            return Err(Refusal::Password.into());
        }
        places.push((entry.header_start(), entry.compressed_size()));
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
    // Otherwise a small file holds the same bytes thousands of times. A local header has 30 bytes.
    places.sort_unstable();
    let overlap = |pair: &[(u64, u64)]| match pair {
        [(start, packed), (next, _)] => start.saturating_add(30).saturating_add(*packed) > *next,
        _ => false,
    };
    if places.windows(2).any(overlap) {
        return Err(Refusal::Damaged("entries overlap".to_owned()).into());
    }
    Ok(parts)
}

/// What the first bytes could not tell, the whole directory does.
fn kind_of(parts: &[Part]) -> Result<Kind, Refusal> {
    let any = |prefix: &str| parts.iter().any(|p| p.name.starts_with(prefix));
    let ends = |ending: &str| parts.iter().any(|p| p.name.ends_with(ending));
    if any("encryptedpackage") {
        return Err(Refusal::Password);
    }
    if any("xl/workbook.bin") {
        return Ok(Kind::Xlsb);
    }
    if parts.iter().any(|p| p.name == "content.xml") {
        return Ok(Kind::Ods);
    }
    if ends("workbook.xml") || ends(".rels") && any("xl/") {
        return Ok(Kind::Xlsx);
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
        Refusal::Archive
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

/// Unpacks a part once and refuses it where more than a cell's text stands between two tags, or a tag has no end.
pub(super) fn scan_part<R: Read + Seek>(
    zip: &mut ZipArchive<R>,
    index: usize,
    limits: &Limits,
) -> Result<Found, ReadError> {
    let mut entry = zip.by_index(index).map_err(|error| damage(&error))?;
    // A character is up to four bytes, or an entity such as `&quot;`.
    scan(&mut entry, limits.text_chars.saturating_mul(6)).map_err(|end| match end {
        ScanEnd::Run => Refusal::TooMuch(TooMuch::TextChars(limits.text_chars)).into(),
        ScanEnd::Io(error) => unpacking(&error),
    })
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
