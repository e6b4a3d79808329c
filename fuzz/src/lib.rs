//! What the fuzz targets share: reading bytes as the product does.
//!
//! A reader of others that panics on a hostile file is caught by the product and refused as damage, so it is here. A panic in
//! our own code ends the run, and so do aborts, endless loops and memory beyond the limit.

use std::io::{Cursor, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

use sheetmill_engine::sheets::book::Book;
use sheetmill_engine::sheets::{CellKind, Hidden, IngestOptions, Limits, Merged, ReadError};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Panics of our own code abort; those of others are what the product makes of them.
pub fn watch_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let file = panic.location().map_or("", |place| place.file());
        if file.contains("engine/src") || file.starts_with("src/") {
            eprintln!("{panic}");
            std::process::abort();
        }
    }));
}

/// Reads a file to its end, every sheet, in the ways that options have.
pub fn read(bytes: &[u8]) {
    let Ok(mut file) = tempfile::NamedTempFile::new_in("/dev/shm") else {
        return;
    };
    if file.write_all(bytes).is_err() {
        return;
    }
    let limits = Limits {
        inflated_bytes: 64 << 20,
        rows: 100_000,
        cells: 200_000,
        shared_string_bytes: 16 << 20,
        old_cells: 100_000,
        cell_text_bytes: 64 << 20,
        ..Limits::default()
    };
    let filled = IngestOptions {
        merged: Merged::Fill,
        hidden: Hidden::LeaveOut,
        ..IngestOptions::default()
    };
    for options in [IngestOptions::default(), filled] {
        drop(catch_unwind(AssertUnwindSafe(|| cells(file.path(), &options, &limits))));
    }
}

fn cells(path: &std::path::Path, options: &IngestOptions, limits: &Limits) -> Result<(), ReadError> {
    let mut book = Book::open(path, options, limits)?;
    for sheet in book.sheets().to_vec() {
        let layout = options.arrange().then(|| book.layout(&sheet)).transpose()?;
        let mut cells = book.arranged(&sheet, layout.unwrap_or_default(), options, limits)?;
        while cells.next()?.is_some() {}
        drop(cells);
        book.layout(&sheet)?;
    }
    Ok(())
}

/// A cell: place, kind, the bits of its number, and text.
type Seen = (u32, u32, CellKind, u64, String);

/// Reads a workbook with our scanner and with calamine, and ends the run where both have cells and they differ.
///
/// What calamine is known to have wrong is left out: references, comments, CDATA and white space in values.
pub fn compare(sheet: &[u8], file: &[u8]) {
    let judged: [&[u8]; 5] = [b"&", b"<!", b"<?", b" <", b"> "];
    let has = |part: &[u8]| sheet.windows(part.len()).any(|window| window == part);
    if judged.iter().any(|part| has(part)) {
        return;
    }
    let Ok(mut held) = tempfile::NamedTempFile::new_in("/dev/shm") else {
        return;
    };
    if held.write_all(file).is_err() {
        return;
    }
    let all = |by: By| catch_unwind(AssertUnwindSafe(|| all_cells(held.path(), by)));
    if let (Ok(Ok(ours)), Ok(Ok(theirs))) = (all(By::Us), all(By::Calamine))
        && ours != theirs
    {
        eprintln!("ours: {ours:?}\ncalamine: {theirs:?}");
        std::process::abort();
    }
}

/// Who reads.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Us,
    Calamine,
}

fn all_cells(path: &std::path::Path, by: By) -> Result<Vec<Seen>, ReadError> {
    let limits = Limits {
        inflated_bytes: 64 << 20,
        cells: 200_000,
        ..Limits::default()
    };
    let mut book = Book::open(path, &IngestOptions::default(), &limits)?;
    if by == By::Calamine {
        book.leave_to_calamine();
    }
    let mut all = Vec::new();
    for sheet in book.sheets().to_vec() {
        let mut cells = book.cells(&sheet)?;
        while let Some(cell) = cells.next()? {
            let text = cell.text.to_owned();
            all.push((cell.row, cell.column, cell.kind, cell.number.to_bits(), text));
        }
    }
    Ok(all)
}

const TYPES: &str = r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/></Types>"#;
const RELATIONS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const BOOK: &str = r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
const PARTS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#;

/// A workbook whose sheet, shared strings and styles are these bytes: behind the zip the fuzzer reaches the XML.
pub fn workbook(sheet: &[u8], strings: &[u8], styles: &[u8]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let parts: [(&str, &[u8]); 7] = [
        ("[Content_Types].xml", TYPES.as_bytes()),
        ("_rels/.rels", RELATIONS.as_bytes()),
        ("xl/workbook.xml", BOOK.as_bytes()),
        ("xl/_rels/workbook.xml.rels", PARTS.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet),
        ("xl/sharedStrings.xml", strings),
        ("xl/styles.xml", styles),
    ];
    for (name, bytes) in parts {
        let written = zip.start_file(name, stored).map(|()| zip.write_all(bytes));
        if !matches!(written, Ok(Ok(()))) {
            return Vec::new();
        }
    }
    zip.finish().map(Cursor::into_inner).unwrap_or_default()
}
