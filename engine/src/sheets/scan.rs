//! One pass over the bytes of a sheet's part, without parsing it: what would be held in memory whole, and what calamine's
//! reader does not tell.
//!
//! Looks for plain tags as all known programs write them; a prefix in front of `f` or `mergeCell` hides them from this pass.

use std::io::Read;

use memchr::{memmem, memrchr};

use super::layout::{Area, SheetLayout};

/// Addresses kept of each kind of oddity.
const EXAMPLES: usize = 20;
/// Columns that a sheet may have.
const MOST_COLUMNS: u32 = 16_384;
/// Bytes read at once.
const STEP: usize = 128 << 10;

/// What was found in a sheet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Formulas that no program has computed: they read as blank. How many, and where.
    pub without_value: (u64, Vec<String>),
    /// Merged areas, rows and columns that do not show.
    pub layout: SheetLayout,
}

/// Why a scan ended early.
#[derive(Debug)]
pub(super) enum ScanEnd {
    /// More bytes than a cell's text between two tags, or within one.
    Run,
    /// The part does not unpack.
    Io(std::io::Error),
}

/// Scans a part; `longest` bytes may stand between two tags, or within one.
pub(super) fn scan(part: &mut impl Read, longest: u64) -> Result<Found, ScanEnd> {
    let mut found = Found::default();
    let mut held: Vec<u8> = Vec::new();
    let (mut text, mut tag) = (0_u64, 0_u64);
    loop {
        let before = held.len();
        held.resize(before + STEP, 0);
        let read = part
            .read(held.get_mut(before..).unwrap_or_default())
            .map_err(ScanEnd::Io)?;
        held.truncate(before + read);
        if read == 0 {
            return Ok(found);
        }
        let new = held.get(before..).unwrap_or_default();
        let since = |byte: u8, passed: u64| match memrchr(byte, new) {
            Some(at) => (read - at) as u64,
            None => passed + read as u64,
        };
        (text, tag) = (since(b'<', text), since(b'>', tag));
        if text.max(tag) > longest {
            return Err(ScanEnd::Run);
        }
        let keep = found.look(&held);
        held.drain(..keep);
    }
}

impl Found {
    /// Notes a formula that no program has computed, by its address.
    pub(super) fn add_without_value(&mut self, address: String) {
        add(&mut self.without_value, address);
    }

    /// Looks through the bytes held; answers how many of them are done with.
    fn look(&mut self, bytes: &[u8]) -> usize {
        let done = self.look_for_formulas(bytes);
        for hit in memmem::find_iter(bytes, b"<mergeCell ").take_while(|hit| *hit < done) {
            let Some(length) = memchr::memchr(b'>', &bytes[hit..]) else {
                return hit;
            };
            let area = attribute(&bytes[hit..hit + length], b" ref=\"");
            if let Some(area) = area.and_then(|area| Area::parse(&area)) {
                self.layout.merge(area);
            }
        }
        for hit in memmem::find_iter(bytes, b" hidden=\"").take_while(|hit| *hit < done) {
            self.look_at_hidden(bytes, hit);
        }
        done
    }

    /// Notes a row, or columns, where the attribute at `hit` is one of theirs.
    fn look_at_hidden(&mut self, bytes: &[u8], hit: usize) {
        let start = memrchr(b'<', &bytes[..hit]).unwrap_or(hit);
        let end = memchr::memchr(b'>', &bytes[hit..]).map_or(bytes.len(), |at| hit + at);
        let tag = &bytes[start..end];
        if !matches!(attribute(tag, b" hidden=\"").as_deref(), Some("1" | "true")) {
            return;
        }
        let number = |name: &[u8]| attribute(tag, name).and_then(|text| text.parse::<u32>().ok());
        if tag.starts_with(b"<row") {
            if let Some(row) = number(b" r=\"").and_then(|row| row.checked_sub(1)) {
                self.layout.hidden_rows.push(row, row);
            }
        } else if let (true, Some(first), Some(last)) =
            (tag.starts_with(b"<col"), number(b" min=\""), number(b" max=\""))
        {
            let last = last.min(MOST_COLUMNS);
            if first > 0 && last > 0 {
                self.layout.hidden_columns.push(first - 1, last - 1);
            }
        }
    }

    fn look_for_formulas(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while let Some(hit) = memmem::find(&bytes[at..], b"<f").map(|hit| at + hit) {
            // The cell began before its formula, within what was kept.
            let start = memmem::rfind(&bytes[at..hit], b"<c ").map_or(hit, |cell| at + cell);
            match bytes.get(hit + 2) {
                None => return start,
                Some(b'>' | b' ' | b'/') => {}
                Some(_) => {
                    at = hit + 2;
                    continue;
                }
            }
            let Some(length) = memmem::find(&bytes[hit..], b"</c>") else {
                return start;
            };
            self.look_at_cell(&bytes[start..hit + length]);
            at = hit + length;
        }
        // Half a tag may stand at the end, and a cell whose formula is still to come.
        let rest = &bytes[at..];
        let is_open = |cell: &usize| {
            let from = &rest[*cell..];
            let empty = memchr::memchr(b'>', from).is_some_and(|end| from[..end].ends_with(b"/"));
            !empty && memmem::find(from, b"</c>").is_none()
        };
        let open = memmem::rfind(rest, b"<c ").filter(is_open);
        let edge = rest.len() - rest.len().min(16);
        // No tag is cut in two.
        let tag = memrchr(b'<', &rest[..edge]).filter(|tag| memchr::memchr(b'>', &rest[*tag..edge]).is_none());
        at + open.unwrap_or(edge).min(tag.unwrap_or(edge)).min(edge)
    }

    /// Notes a cell with a formula whose value is missing. An empty one is a value where the formula gave text.
    fn look_at_cell(&mut self, cell: &[u8]) {
        let value = memmem::find(cell, b"<v>").map(|at| &cell[at + 3..]);
        let filled = value.is_some_and(|rest| !rest.starts_with(b"</v>"));
        let tag = cell.split(|b| *b == b'>').next().unwrap_or_default();
        let text = attribute(tag, b" t=\"").as_deref() == Some("str");
        if !filled && !text && memmem::find(cell, b"<is>").is_none() {
            add(&mut self.without_value, attribute(tag, b" r=\"").unwrap_or_default());
        }
    }
}

fn attribute(tag: &[u8], name: &[u8]) -> Option<String> {
    let rest = memmem::find(tag, name).map(|at| &tag[at + name.len()..])?;
    let value = rest.split(|b| *b == b'"').next()?;
    Some(String::from_utf8_lossy(value).chars().take(40).collect())
}

fn add((count, examples): &mut (u64, Vec<String>), example: String) {
    *count += 1;
    if examples.len() < EXAMPLES && !example.is_empty() {
        examples.push(example);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHEET: &str = concat!(
        r#"<cols><col min="2" max="3" width="9" hidden="1"/><col min="4" max="4" hidden="0"/></cols><sheetData>"#,
        r#"<row r="1" spans="1:5" hidden="1"><c r="A1"><v>1</v></c><c r="B1"><f>A1</f><v>1</v></c><c r="C1"><f>A1+1</f></c>"#,
        r#"<c r="D1" t="str"><f>""</f><v></v></c><c r="E1" s="2"><f t="shared" si="0"/><v></v></c><c r="F1" s="1"/></row></sheetData>"#,
        r#"<mergeCells count="2"><mergeCell ref="A1:B1"/><mergeCell ref="A2:B3"/></mergeCells><formula/>"#
    );

    /// Gives its bytes in pieces of one size.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let (now, later) = self.0.split_at(self.1.min(self.0.len()).min(buffer.len()));
            buffer[..now.len()].copy_from_slice(now);
            self.0 = later;
            Ok(now.len())
        }
    }

    fn expected() -> Found {
        let mut layout = SheetLayout::default();
        ["A1:B1", "A2:B3"]
            .iter()
            .filter_map(|area| Area::parse(area))
            .for_each(|area| layout.merge(area));
        layout.hidden_rows.push(0, 0);
        layout.hidden_columns.push(1, 2);
        Found {
            without_value: (2, vec!["C1".to_owned(), "E1".to_owned()]),
            layout,
        }
    }

    #[test]
    fn oddities_are_found_wherever_the_pieces_end() {
        for size in 1..=SHEET.len() {
            let found = scan(&mut Pieces(SHEET.as_bytes(), size), 1000);
            assert_eq!(found.ok(), Some(expected()), "pieces of {size}");
        }
    }

    #[test]
    fn long_runs_end_the_scan() {
        let long = format!("<t>{}</t>", "x".repeat(5000));
        assert!(matches!(
            scan(&mut Pieces(long.as_bytes(), 512), 4000),
            Err(ScanEnd::Run)
        ));
        assert!(scan(&mut Pieces(long.as_bytes(), 512), 6000).is_ok());
    }
}
