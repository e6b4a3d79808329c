//! Content written anew for calamine, without what it stumbles over.

use std::io::{BufReader, Cursor, Read, Write as _};

use quick_xml::events::{BytesText, Event};

use super::is_cell;
use crate::sheets::ReadError;
use crate::sheets::preflight::damage;
use crate::sheets::refusal::Refusal;

/// Bytes of content that may be written anew in memory.
const REWRITTEN: u64 = 128 << 20;
const MEDIA_TYPE: &str = "application/vnd.oasis.opendocument.spreadsheet";

/// White space as OpenDocument has it: runs of it are one blank, and none stands at the edges of a paragraph (part 3, section
/// 6.1.2).
#[derive(Default)]
struct Spaces {
    /// Something stands before it in the paragraph.
    begun: bool,
    pending: bool,
}

impl Spaces {
    fn before_something(&mut self) -> &'static str {
        self.begun = true;
        if std::mem::take(&mut self.pending) { " " } else { "" }
    }

    fn collapsed(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            if matches!(c, ' ' | '\t' | '\r' | '\n') {
                self.pending = self.begun;
            } else {
                out.push_str(self.before_something());
                out.push(c);
            }
        }
        out
    }
}

/// A package with the content alone, without white space between rows and cells.
pub(super) fn rewritten(content: impl Read) -> Result<Cursor<Vec<u8>>, ReadError> {
    let failed = |error: std::io::Error| ReadError::from(error);
    let mut reader = quick_xml::Reader::from_reader(BufReader::new(content.take(REWRITTEN)));
    reader.config_mut().check_end_names = false;
    let mut writer = quick_xml::Writer::new(Vec::new());
    let (mut buffer, mut inside, mut spaces) = (Vec::new(), false, Spaces::default());
    loop {
        buffer.clear();
        let event = reader
            .read_event_into(&mut buffer)
            .map_err(|error| Refusal::Damaged(error.to_string()))?;
        match &event {
            Event::Eof => break,
            Event::Comment(_) => continue,
            Event::Text(_) if !inside => continue,
            Event::Text(text) => {
                let text = spaces.collapsed(text.as_ref());
                writer
                    .write_event(Event::Text(BytesText::from_escaped(text)))
                    .map_err(failed)?;
                continue;
            }
            Event::Start(tag) if is_cell(tag.name().as_ref()) => inside = true,
            Event::End(tag) if is_cell(tag.name().as_ref()) => inside = false,
            Event::Start(tag) if tag.name().as_ref() == "text:p" => spaces = Spaces::default(),
            Event::End(tag) if tag.name().as_ref() == "text:p" => spaces = Spaces::default(),
            _ if inside => {
                let text = spaces.before_something();
                writer
                    .write_event(Event::Text(BytesText::from_escaped(text)))
                    .map_err(failed)?;
            }
            _ => {}
        }
        writer.write_event(event).map_err(failed)?;
    }
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let parts = [
        ("mimetype", MEDIA_TYPE.as_bytes()),
        ("META-INF/manifest.xml", b"<manifest:manifest/>"),
        ("content.xml", &writer.into_inner()),
    ];
    for (name, bytes) in parts {
        zip.start_file(name, stored).map_err(|error| damage(&error))?;
        zip.write_all(bytes)?;
    }
    zip.finish().map_err(|error| damage(&error))
}
