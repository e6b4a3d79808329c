//! What a file is, by its first bytes alone: names and media types lie.

use serde::{Deserialize, Serialize};

use super::refusal::Refusal;

/// So many first bytes are looked at; more are ignored.
pub const HEAD_BYTES: usize = 8192;

/// What may be read on. An ingest can still find otherwise: a zip tells what it is at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Office Open XML, or a zip whose first entries do not speak against it.
    Xlsx,
    /// Its binary form.
    Xlsb,
    /// An `OpenDocument` spreadsheet.
    Ods,
    /// A zip of files, which may be workbooks.
    Zip,
    /// Plain text: comma-separated values or the like.
    Text,
    /// An OLE container: old Excel, or one whose directory lies behind the head, a protected workbook or something else.
    Ole,
}

impl Format {
    /// The word for it that files are remembered with.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Xlsx => "xlsx",
            Self::Xlsb => "xlsb",
            Self::Ods => "ods",
            Self::Zip => "zip",
            Self::Text => "text",
            Self::Ole => "ole",
        }
    }
}

/// Decides what a file is by its first [`HEAD_BYTES`].
///
/// # Errors
/// Refuses what is recognised as something that cannot be read, by name.
pub fn sniff(head: &[u8]) -> Result<Format, Refusal> {
    let head = &head[..head.len().min(HEAD_BYTES)];
    let starts = |magic: &[u8]| head.starts_with(magic);
    if head.is_empty() {
        return Err(Refusal::Empty);
    }
    if starts(b"PK\x03\x04") {
        return zip(head);
    }
    if starts(b"PK\x05\x06") {
        return Err(Refusal::NotASpreadsheet("an empty zip archive"));
    }
    if starts(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]) {
        return ole(head);
    }
    // A record that begins a workbook of Excel 2, 3 or 4 (BOF), which has no container yet.
    if matches!(head, [0x09, 0 | 2 | 4, 4 | 6 | 8, 0, ..]) {
        return Err(Refusal::TooOld);
    }
    match MAGICS.iter().find(|(magic, _)| starts(magic)) {
        Some((_, what)) => Err(Refusal::NotASpreadsheet(what)),
        None => text(head),
    }
}

/// What else people upload, by magic number.
const MAGICS: [(&[u8], &str); 14] = [
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"BM", "a picture"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"{\\rtf", "a text document"),
    (b"SQLite format 3", "a database"),
    (b"PAR1", "a Parquet file"),
    (b"BZh", "a bzip2 archive"),
];

/// Looks at the names of the first entries: local headers stand one behind the other while their sizes are known.
fn zip(head: &[u8]) -> Result<Format, Refusal> {
    let entries = local_entries(head);
    if let Some((name, data)) = entries.first()
        && *name == b"mimetype"
    {
        return open_document(data);
    }
    let any = |prefix: &[u8]| {
        entries
            .iter()
            .any(|(name, _)| name.to_ascii_lowercase().starts_with(prefix))
    };
    if any(b"workbook.xml") || any(b"sheet1.xml") {
        Ok(Format::Xlsx)
    } else if OPEN_DOCUMENT.iter().any(|name| any(name)) {
        Ok(Format::Ods)
    } else if any(b"xl/workbook.bin") {
        Ok(Format::Xlsb)
    } else if any(b"xl/") || any(b"xl\\") {
        Ok(Format::Xlsx)
    } else if any(b"word/") {
        Err(Refusal::NotASpreadsheet("a Word document"))
    } else if any(b"ppt/") {
        Err(Refusal::NotASpreadsheet("a PowerPoint presentation"))
    } else if any(b"meta-inf/manifest.mf") {
        Err(Refusal::NotASpreadsheet("a Java archive"))
    } else if entries.is_empty() || OPEN_XML.iter().any(|prefix| any(prefix)) {
        Ok(Format::Xlsx)
    } else {
        Ok(Format::Zip)
    }
}

/// First entries of Office Open XML files that say nothing about the kind of document.
const OPEN_XML: [&[u8]; 5] = [b"[content_types].xml", b"_rels", b"docprops", b"customxml", b"/"];

/// First entries of OpenDocument files whose media type stands elsewhere.
const OPEN_DOCUMENT: [&[u8]; 4] = [b"content.xml", b"styles.xml", b"meta.xml", b"configurations2/"];

fn open_document(media_type: &[u8]) -> Result<Format, Refusal> {
    let kind = |word: &[u8]| media_type.windows(word.len()).take(120).any(|w| w == word);
    Err(Refusal::NotASpreadsheet(if kind(b"opendocument.spreadsheet") {
        return Ok(Format::Ods);
    } else if kind(b"opendocument.text") {
        "a text document"
    } else if kind(b"epub") {
        "an e-book"
    } else {
        "an OpenDocument file"
    }))
}

/// Names and data of the local entries that begin within the head (APPNOTE.TXT section 4.3.7).
fn local_entries(head: &[u8]) -> Vec<(&[u8], &[u8])> {
    let mut found = Vec::new();
    let mut rest = head;
    while let Some(header) = rest.get(..30).filter(|h| h.starts_with(b"PK\x03\x04")) {
        let short = |at: usize| usize::from(u16::from_le_bytes([header[at], header[at + 1]]));
        let packed = u32::from_le_bytes([header[18], header[19], header[20], header[21]]) as usize;
        let Some(name) = rest.get(30..30 + short(26)) else {
            break;
        };
        let data = rest.get(30 + short(26) + short(28)..).unwrap_or_default();
        found.push((name, data));
        // Bit 3: the size stands behind the data, so look for the next header instead.
        let next = if header[6] & 8 == 0 {
            data.get(packed..)
        } else {
            next_header(data)
        };
        let Some(next) = next else { break };
        rest = next;
    }
    found
}

fn next_header(data: &[u8]) -> Option<&[u8]> {
    data.windows(4)
        .position(|w| w == b"PK\x03\x04")
        .and_then(|at| data.get(at..))
}

/// Looks for the streams of an OLE container, where its directory lies within the head (MS-CFB section 2.2 and 2.6).
fn ole(head: &[u8]) -> Result<Format, Refusal> {
    let sector_shift = head.get(30..32).map_or(9, |b| u16::from_le_bytes([b[0], b[1]]));
    let sector = if sector_shift == 12 { 4096_usize } else { 512 };
    let first = head
        .get(48..52)
        .map_or(u32::MAX, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])) as usize;
    let start = first.saturating_add(1).saturating_mul(sector);
    match head.get(start..).filter(|d| !d.is_empty()) {
        Some(directory) => ole_directory(&directory[..directory.len().min(sector)]),
        None => Ok(Format::Ole),
    }
}

/// What the names in an OLE directory say; nothing known: undecided.
fn ole_directory(directory: &[u8]) -> Result<Format, Refusal> {
    let has = |name: &str| {
        let wide: Vec<u8> = name.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
        directory.windows(wide.len()).any(|w| w == wide)
    };
    if has("EncryptedPackage") || has("EncryptionInfo") {
        Err(Refusal::Password)
    } else if has("Workbook") || has("Book") || has("WORKBOOK") || has("BOOK") {
        Ok(Format::Ole)
    } else if has("WordDocument") {
        Err(Refusal::NotASpreadsheet("a Word document"))
    } else if has("PowerPoint Document") {
        Err(Refusal::NotASpreadsheet("a PowerPoint presentation"))
    } else {
        Ok(Format::Ole)
    }
}

/// What a file without a magic number is: markup, plain text, or nothing known.
fn text(head: &[u8]) -> Result<Format, Refusal> {
    let utf16 = head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]);
    let lower: String = String::from_utf8_lossy(head)
        .chars()
        .filter(|c| *c != '\0')
        .collect::<String>()
        .to_ascii_lowercase();
    let start = lower.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '\u{fffd}');
    let markup = start.starts_with('<');
    if markup
        && (lower.contains("urn:schemas-microsoft-com:office:spreadsheet") || lower.contains("progid=\"excel.sheet\""))
    {
        return Err(Refusal::Xml2003);
    }
    if markup
        && ["<html", "<!doctype html", "<table", "<meta", "<head"]
            .iter()
            .any(|tag| lower.contains(tag))
    {
        return Err(Refusal::WebPage);
    }
    if markup {
        return Err(Refusal::NotASpreadsheet("an XML file"));
    }
    let control = head.iter().filter(|b| **b < 9 || (14..32).contains(*b)).count();
    if !utf16 && control * 100 > head.len() {
        return Err(Refusal::NotASpreadsheet("an unknown kind of file"));
    }
    Ok(Format::Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
        let size = u32::try_from(data.len()).unwrap_or(0).to_le_bytes();
        bytes.extend([size, size].concat());
        bytes.extend(u16::try_from(name.len()).unwrap_or(0).to_le_bytes());
        bytes.extend([0, 0]);
        bytes.extend(name.as_bytes());
        bytes.extend(data);
        bytes
    }

    fn directory(names: &[&str]) -> Vec<u8> {
        let mut bytes = vec![0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
        bytes.resize(512, 0);
        bytes[30] = 9;
        for name in names {
            let mut wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
            wide.resize(128, 0);
            bytes.extend(wide);
        }
        bytes
    }

    #[test]
    fn workbooks_are_told_by_their_entries() {
        let types = entry("[Content_Types].xml", b"<Types/>");
        assert_eq!(sniff(&types), Ok(Format::Xlsx));
        assert_eq!(
            sniff(&[types.clone(), entry("xl/workbook.xml", b"")].concat()),
            Ok(Format::Xlsx)
        );
        assert_eq!(
            sniff(&[types.clone(), entry("xl/workbook.bin", b"")].concat()),
            Ok(Format::Xlsb)
        );
        let word = sniff(&[types, entry("word/document.xml", b"")].concat());
        assert_eq!(word, Err(Refusal::NotASpreadsheet("a Word document")));
        let ods = entry("mimetype", b"application/vnd.oasis.opendocument.spreadsheet");
        assert_eq!(sniff(&ods), Ok(Format::Ods));
        assert_eq!(sniff(&entry("2024/orders.xlsx", b"")), Ok(Format::Zip));
    }

    #[test]
    fn ole_containers_are_told_by_their_streams() {
        assert_eq!(sniff(&directory(&["Root Entry", "Workbook"])), Ok(Format::Ole));
        assert_eq!(
            sniff(&directory(&["Root Entry", "EncryptedPackage"])),
            Err(Refusal::Password)
        );
        let mut far = directory(&["Root Entry"]);
        far[48] = 200;
        assert_eq!(sniff(&far), Ok(Format::Ole));
    }

    #[test]
    fn everything_else_is_named() {
        assert_eq!(sniff(b""), Err(Refusal::Empty));
        assert_eq!(sniff(b"MZ\x90\0"), Err(Refusal::NotASpreadsheet("a program")));
        assert_eq!(sniff(b"%PDF-1.7"), Err(Refusal::NotASpreadsheet("a PDF document")));
        assert_eq!(sniff(b"\n <html><table><tr><td>1"), Err(Refusal::WebPage));
        let xml = b"<?xml version=\"1.0\"?><Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\"/>";
        assert_eq!(sniff(xml), Err(Refusal::Xml2003));
        assert_eq!(
            sniff(b"<?xml version=\"1.0\"?><rss/>"),
            Err(Refusal::NotASpreadsheet("an XML file"))
        );
        assert_eq!(sniff("a;b\nä;2".as_bytes()), Ok(Format::Text));
        assert_eq!(
            sniff(&[1, 2, 3, 4, 0, 0]),
            Err(Refusal::NotASpreadsheet("an unknown kind of file"))
        );
    }
}
