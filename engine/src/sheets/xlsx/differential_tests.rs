//! The scanner's cells are calamine's: on the corpus of real workbooks, and on made ones with all that XML allows. Where they
//! differ, which no workbook of the corpus makes them do, the difference is judged here.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use zip::write::SimpleFileOptions;

use super::*;
use crate::sheets::book::Book;
use crate::sheets::preflight::preflight;

type Fallible<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// The workbooks, beside the checkout; they are not part of it.
const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpus/files");

/// A cell: place, kind, the bits of its number, text and number format.
type Seen = (u32, u32, CellKind, u64, String, String);

/// All cells of all sheets, or why there are none; and how many sheets calamine has read.
type Read = (Result<Vec<Vec<Seen>>, String>, u64);

fn read(path: &Path, change: impl Fn(&mut XlsxBook)) -> Read {
    let limits = Limits::default();
    let book = preflight(path, &limits).and_then(|package| XlsxBook::open(path, package, &limits));
    let mut book = match book {
        Ok(book) => book,
        Err(error) => return (Err(error.to_string()), 0),
    };
    change(&mut book);
    let sheets = book.sheets().to_vec();
    let all = sheets
        .iter()
        .map(|sheet| cells(&mut book, sheet))
        .collect::<Result<_, _>>();
    (all.map_err(|error| error.to_string()), book.streamed())
}

fn cells(book: &mut XlsxBook, sheet: &SheetInfo) -> Result<Vec<Seen>, ReadError> {
    let mut cells = book.cells(sheet)?;
    let formats = cells.formats().to_vec();
    let mut all = Vec::new();
    while let Some(cell) = cells.next()? {
        let format = formats.get(usize::from(cell.format)).cloned().unwrap_or_default();
        all.push((
            cell.row,
            cell.column,
            cell.kind,
            cell.number.to_bits(),
            cell.text.to_owned(),
            format,
        ));
    }
    Ok(all)
}

fn by_calamine(path: &Path) -> Read {
    read(path, XlsxBook::leave_to_calamine)
}

fn by_scanner(path: &Path, block: usize) -> Read {
    read(path, |book| book.block = block)
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files(&path, found)?;
        } else if path
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("xlsx") || e.eq_ignore_ascii_case("xlsm"))
        {
            found.push(path);
        }
    }
    Ok(())
}

/// The first difference between two readings.
fn difference(ours: &Read, theirs: &Read) -> Option<String> {
    match (&ours.0, &theirs.0) {
        (Err(_), Err(_)) => None,
        (Ok(ours), Ok(theirs)) => {
            let pairs = ours.iter().zip(theirs).enumerate();
            for (sheet, (ours, theirs)) in pairs {
                let odd = (0..ours.len().max(theirs.len())).find(|at| ours.get(*at) != theirs.get(*at));
                if let Some(at) = odd {
                    return Some(format!(
                        "sheet {sheet}: {:?}, calamine {:?}",
                        ours.get(at),
                        theirs.get(at)
                    ));
                }
            }
            (ours.len() != theirs.len()).then(|| "sheets".to_owned())
        }
        (ours, theirs) => Some(format!(
            "{:?}, calamine {:?}",
            ours.as_ref().err(),
            theirs.as_ref().err()
        )),
    }
}

#[test]
fn the_cells_of_the_corpus_are_those_of_calamine() -> Fallible {
    let root = Path::new(CORPUS);
    if !root.is_dir() {
        return Ok(());
    }
    let mut paths = Vec::new();
    files(root, &mut paths)?;
    paths.sort();
    assert!(paths.len() > 300, "the corpus is there whole");
    let (mut wrong, mut streamed, mut scanned) = (String::new(), Vec::new(), 0);
    for path in paths {
        let name = path.strip_prefix(root)?.to_string_lossy().into_owned();
        let (ours, theirs) = (by_scanner(&path, BLOCK), by_calamine(&path));
        assert!(theirs.0.is_err() || theirs.1 > 0, "{name} is read by calamine");
        if let Some(difference) = difference(&ours, &theirs) {
            writeln!(wrong, "{name}: {difference}")?;
        }
        if ours.1 > 0 {
            streamed.push(name);
        } else if ours.0.is_ok() {
            scanned += 1;
            let pieces = by_scanner(&path, 509);
            if pieces != ours {
                writeln!(wrong, "{name}: other cells in other blocks")?;
            }
        }
    }
    assert_eq!((scanned > 300, streamed), (true, Vec::new()), "sheets left to calamine");
    assert_eq!(wrong, "");
    Ok(())
}

const TYPES: &str = r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>"#;
const RELATIONS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const BOOK: &str = r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
const PARTS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#;
const STYLES: &str = r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd"/></numFmts><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="2"/></cellXfs></styleSheet>"#;

/// A workbook of one sheet of this XML.
fn workbook(sheet: &str, strings: &str) -> Fallible<tempfile::NamedTempFile> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let parts = [
        ("[Content_Types].xml", TYPES),
        ("_rels/.rels", RELATIONS),
        ("xl/workbook.xml", BOOK),
        ("xl/_rels/workbook.xml.rels", PARTS),
        ("xl/worksheets/sheet1.xml", sheet),
        ("xl/sharedStrings.xml", strings),
        ("xl/styles.xml", STYLES),
    ];
    for (name, xml) in parts {
        zip.start_file(name, SimpleFileOptions::default())?;
        zip.write_all(xml.as_bytes())?;
    }
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(&zip.finish()?.into_inner())?;
    Ok(file)
}

const STRINGS: &str = "<sst><si><t>zero</t></si><si><r><t>o</t></r><r><t>ne</t></r></si><si/></sst>";

/// What each cell of these rows is, by the scanner; and how many sheets it has left to calamine.
fn shown(rows: &str) -> Fallible<(String, u64)> {
    let file = workbook(
        &format!("<worksheet><sheetData>{rows}</sheetData></worksheet>"),
        STRINGS,
    )?;
    let (read, streamed) = by_scanner(file.path(), 7);
    let shown = match read {
        Err(error) => error,
        Ok(sheets) => sheets
            .concat()
            .iter()
            .map(|(row, column, kind, number, text, _)| {
                let value = match kind {
                    CellKind::Text | CellKind::Error => text.clone(),
                    _ => f64::from_bits(*number).to_string(),
                };
                format!("{row},{column} {} {value}", kind.word())
            })
            .collect::<Vec<_>>()
            .join("; "),
    };
    Ok((shown, streamed))
}

/// Where calamine 0.38 is wrong, the scanner is right. The parts and sections are those of ECMA-376, or of XML 1.0.
#[test]
fn what_calamine_has_wrong_is_right() -> Fallible {
    for (rows, expected) in [
        // Part 1, section 18.3.1.96 and 18.18.11: an error is a text; calamine knows seven of them and fails the read.
        (
            r#"<row r="1"><c r="A1" t="e" s="2"><v>#SPILL!</v></c><c r="B1" t="e"><v>#GETTING_DATA</v></c></row>"#,
            "1,0 error #SPILL!; 1,1 error #GETTING_DATA",
        ),
        // XML 1.0, sections 2.5 and 2.7: neither a comment nor CDATA changes what the text is.
        (
            r#"<row r="1"><c r="A1"><v><![CDATA[12]]></v></c><c r="B1"><v>1<!-- - -->2</v></c></row>"#,
            "1,0 number 12; 1,1 number 12",
        ),
        (
            r#"<row r="1"><c r="A1" t="str"><v>a<![CDATA[<b>]]></v></c></row>"#,
            "1,0 text a<b>",
        ),
        // XML 1.0, section 4.1: a reference stands for its character in a number too.
        (
            r#"<row r="1"><c r="A1"><v>1&#50;</v></c><c r="B1" t="s"><v>&#x31;</v></c></row>"#,
            "1,0 number 12; 1,1 text one",
        ),
        // XML Schema part 2, section 4.3.6: white space around numbers does not count.
        (
            r#"<row r="1"><c r="A1" t="n"><v> 12
</v></c><c r="B1" t="s"><v> 1 </v></c></row>"#,
            "1,0 number 12; 1,1 text one",
        ),
        // Part 1, section 18.3.1.4: a cell may be extended.
        (
            r#"<row r="1"><c r="A1"><v>1</v><extLst><ext uri="x"/></extLst></c></row>"#,
            "1,0 number 1",
        ),
    ] {
        assert_eq!(shown(rows)?, (expected.to_owned(), 0), "{rows}");
    }
    // Part 1, section 18.18.11: an index that is none refers to nothing; calamine takes the first string.
    for index in ["x", "-1", "1.5", "3"] {
        let (refused, _) = shown(&format!(r#"<row r="1"><c r="A1" t="s"><v>{index}</v></c></row>"#))?;
        assert!(refused.starts_with("refused"), "{index}: {refused}");
    }
    Ok(())
}

#[test]
fn what_the_scanner_leaves_goes_on_with_calamine_at_the_next_cell() -> Fallible {
    let before = r#"<row r="1"><c r="A1"><v>1</v></c><c r="B1" s="1"/><c r="C1" t="s"><v>1</v></c></row>"#;
    for (odd, expected, streamed) in [
        (r#"<row r="2"><c r="A2"><v>2</v></c></row>"#, "; 2,0 number 2", 0),
        // A number that is none reads as text.
        (
            r#"<row r="2"><c r="A2"><v>2</v></c><c r="B2"><v>x</v></c></row>"#,
            "; 2,0 number 2; 2,1 text x",
            1,
        ),
        (
            r#"<row r="2"><c r="A2" xmlns:a="b"><v>2</v></c></row>"#,
            "; 2,0 number 2",
            1,
        ),
        // Rows in any order stay in that of the file.
        (
            r#"<row r="9"><c r="A9"><v>9</v></c></row><row r="2"><c r="A2"><v>2</v></c></row>"#,
            "; 9,0 number 9; 2,0 number 2",
            0,
        ),
    ] {
        let expected = format!("1,0 number 1; 1,2 text one{expected}");
        assert_eq!(shown(&format!("{before}{odd}"))?, (expected, streamed), "{odd}");
    }
    for odd in [
        r#"<!DOCTYPE worksheet [<!ENTITY a "1">]><worksheet><sheetData><row><c><v>1</v></c></row></sheetData></worksheet>"#,
        r#"<?xml version="1.0" encoding="ISO-8859-1"?><worksheet><sheetData><row><c><v>1</v></c></row></sheetData></worksheet>"#,
    ] {
        let file = workbook(odd, STRINGS)?;
        assert_eq!(by_scanner(file.path(), BLOCK).1, 1, "{odd}");
    }
    Ok(())
}

#[test]
fn what_stands_around_cells_is_found_with_any_prefix() -> Fallible {
    let sheet = r#"<x:worksheet xmlns:x="a" xmlns:mc="b"><x:dimension ref="A1:B7"/><x:cols><x:col min="2" max="3" hidden='1'/></x:cols>
        <mc:any/><x:sheetData><x:row hidden="true"><x:c><x:f>1</x:f></x:c></x:row><x:row r="7"/><x:row><x:c r="B8" t="inlineStr"><x:is>
        <x:t>a</x:t></x:is></x:c></x:row></x:sheetData><x:mergeCells><x:mergeCell ref="A1:B2"/></x:mergeCells></x:worksheet>"#;
    let file = workbook(sheet, STRINGS)?;
    let limits = Limits::default();
    let mut book = XlsxBook::open(file.path(), preflight(file.path(), &limits)?, &limits)?;
    let info = book.sheets().first().cloned().ok_or("a sheet")?;
    let before = book.layout(&info)?;
    book.found = vec![None];
    let last_row = book.cells(&info)?.last_row();
    let cells = cells(&mut book, &info)?;
    assert_eq!((last_row, cells.len(), book.streamed()), (Some(7), 1, 0));
    assert_eq!((cells[0].0, cells[0].1, cells[0].4.as_str()), (8, 1, "a"));
    let layout = book.layout(&info)?;
    assert_eq!(before, layout);
    let told: Vec<_> = layout.oddities().into_iter().map(|it| it.examples.join(" ")).collect();
    assert_eq!(told, ["A1:B2", "1", "B C"]);
    assert_eq!(book.oddities(&info)[0].examples, ["A1"]);
    Ok(())
}

#[test]
fn texts_are_read_up_to_the_limit_wherever_blocks_end() -> Fallible {
    let of = |length: usize| {
        let text = "a&#228;".repeat(length / 2);
        format!("<worksheet><sheetData><row><c t='inlineStr'><is><t>{text}</t></is></c></row></sheetData></worksheet>")
    };
    let long = workbook(&of(200_000), STRINGS)?;
    for block in [999, 70_001, BLOCK] {
        let (read, streamed) = by_scanner(long.path(), block);
        let text = read?.concat().first().map(|cell| cell.4.chars().count());
        assert_eq!((text, streamed), (Some(200_000), 0), "blocks of {block}");
    }
    // Beyond the limit by its characters, and by its bytes before it is anywhere whole.
    for length in [1_002, 60_000] {
        let file = workbook(&of(length), STRINGS)?;
        let refused = read(file.path(), |book| {
            book.limits.text_chars = 1_000;
            book.block = 512;
        });
        let told = refused.0.err().unwrap_or_default();
        assert!(told.contains("TextChars"), "{length}: {told}");
    }
    Ok(())
}

#[test]
fn a_part_that_is_cut_off_is_damaged() -> Fallible {
    let sheet = "<worksheet><sheetData><row><c><v>1</v></c></row>";
    for xml in [sheet, "", "<worksheet>", "<worksheet/>", "\u{feff}"] {
        let file = workbook(xml, STRINGS)?;
        assert!(by_scanner(file.path(), BLOCK).0.is_err(), "{xml}");
    }
    Ok(())
}

/// One cell of a made sheet.
#[derive(Clone, Debug)]
enum Made {
    Blank,
    Number(f64),
    Truth(bool),
    Text(String),
    Error(&'static str),
    Day(u32),
}

/// How cells are written down: each picks by its place.
#[derive(Clone, Copy, Debug)]
struct Manner {
    prefix: bool,
    addresses: bool,
    chance: u64,
    block: usize,
}

impl Manner {
    /// A number below `bound` that differs from place to place.
    fn pick(&self, place: usize, bound: u64) -> u64 {
        let mut mixed = self
            .chance
            .wrapping_add((place as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed ^ (mixed >> 27)) % bound
    }

    /// A text with some of its characters as references.
    fn escaped(&self, text: &str, place: usize) -> String {
        let mut out = String::new();
        for (at, c) in text.chars().enumerate() {
            match (c, self.pick(place + at * 7, 8)) {
                ('<', _) => out.push_str("&lt;"),
                ('&', _) => out.push_str("&#38;"),
                (']', _) => out.push_str("&#x5d;"),
                ('\r', _) => out.push_str("&#13;"),
                ('_', _) => out.push_str("_x005F_"),
                (_, 0) => out.push_str(&format!("&#{};", u32::from(c))),
                (_, 1) => out.push_str(&format!("&#x{:X};", u32::from(c))),
                _ => out.push(c),
            }
        }
        out
    }

    /// The runs of a text.
    fn runs(&self, text: &str, place: usize, p: &str) -> String {
        let escaped = self.escaped(text, place);
        let preserve = r#"xml:space="preserve""#;
        match self.pick(place + 1, 4) {
            0 => format!("<{p}r><{p}rPr><{p}b/></{p}rPr><{p}t {preserve}>{escaped}</{p}t></{p}r><!-- <t> -->"),
            1 => format!("<{p}t {preserve} >{escaped}</{p}t><{p}rPh sb='0' eb='1'><{p}t>no</{p}t></{p}rPh>"),
            2 => format!("\n<{p}t\txml:space='preserve'>{escaped}<!-- ' > --></{p}t >"),
            _ => format!("<{p}t {preserve}>{escaped}</{p}t>"),
        }
    }

    fn sheet(&self, rows: &[Vec<Made>], strings: &mut Vec<String>) -> String {
        let p = if self.prefix { "x:" } else { "" };
        let mut xml = format!("<?xml version='1.0'?><!-- <sheetData> --><{p}worksheet>\n<{p}sheetData>");
        for (row, cells) in rows.iter().enumerate() {
            if cells.is_empty() && self.pick(row, 2) == 0 {
                xml.push_str(&format!("<{p}row/>"));
                continue;
            }
            let number = format!(" r = '{}' spans=\"1:>\"", row + 1);
            let number = if self.addresses { number.as_str() } else { "" };
            xml.push_str(&format!("<{p}row{number}>\r\n"));
            for (column, cell) in cells.iter().enumerate() {
                let place = row * 31 + column;
                let address = format!(" r=\"{}{}\"", letters(column), row + 1);
                let address = if self.addresses { address.as_str() } else { "" };
                xml.push_str(&format!("<{p}c{address}{}", self.cell(cell, place, p, strings)));
            }
            xml.push_str(&format!("</{p}row>"));
        }
        xml.push_str(&format!("</{p}sheetData></{p}worksheet>"));
        xml
    }

    /// A cell behind its address.
    fn cell(&self, cell: &Made, place: usize, p: &str, strings: &mut Vec<String>) -> String {
        let v = |value: &str| format!("<{p}v>{value}</{p}v></{p}c>");
        match (cell, self.pick(place + 2, 4)) {
            (Made::Blank, 0) => " s=\"1\"/>".to_owned(),
            (Made::Blank, 1) => format!("></{p}c>"),
            (Made::Blank, _) => format!(" t='n'><{p}v/></{p}c >"),
            (Made::Number(number), 0) => format!(" t='n' s=\"2\">{}", v(&number.to_string())),
            (Made::Number(number), 1) => format!("><{p}f t='shared' si='0'/>{}", v(&format!("{number:e}"))),
            (Made::Number(number), 2) => format!(
                ">\n<!-- x --><{p}f a='>'><![CDATA[</c>]]></{p}f>{}",
                v(&number.to_string())
            ),
            (Made::Number(number), _) => format!(">{}", v(&number.to_string())),
            (Made::Truth(truth), 0) => format!(" t='b'>{}", v(&truth.to_string())),
            (Made::Truth(truth), _) => format!("\n t='b' >{}", v(if *truth { "1" } else { "0" })),
            (Made::Error(error), _) => format!(" t=\"e\">{}", v(error)),
            (Made::Day(day), 0) => format!(" s='1'>{}", v(&format!("{day}.0"))),
            (Made::Day(day), _) => format!(" cm='1' s='1'>{}", v(&day.to_string())),
            (Made::Text(text), 0) => format!(" t='inlineStr'><{p}is>{}</{p}is></{p}c>", self.runs(text, place, p)),
            (Made::Text(text), 1) => format!(" t=\"str\"><{p}f>x</{p}f>{}", v(&self.escaped(text, place))),
            (Made::Text(text), _) => {
                strings.push(self.runs(text, place, ""));
                format!(" t=\"s\">{}", v(&(strings.len() - 1).to_string()))
            }
        }
    }
}

fn letters(column: usize) -> String {
    crate::sheets::kind::letters(u32::try_from(column).unwrap_or(0))
}

/// What the cells of the made sheet are, known without reading it.
fn expected(rows: &[Vec<Made>]) -> Vec<(u32, u32, CellKind, u64, String)> {
    let mut all = Vec::new();
    for (row, cells) in (1..).zip(rows) {
        for (column, cell) in (0..).zip(cells) {
            let (kind, number, text) = match cell {
                Made::Blank => continue,
                Made::Text(text) if text.is_empty() => continue,
                Made::Number(number) => (CellKind::Number, *number, ""),
                Made::Truth(truth) => (CellKind::Boolean, f64::from(u8::from(*truth)), ""),
                Made::Text(text) => (CellKind::Text, 0.0, text.as_str()),
                Made::Error(error) => (CellKind::Error, 0.0, *error),
                Made::Day(day) => (CellKind::Date, f64::from(*day), ""),
            };
            all.push((row, column, kind, number.to_bits(), text.to_owned()));
        }
    }
    all
}

fn made() -> impl Strategy<Value = Made> {
    prop_oneof![
        1 => Just(Made::Blank),
        3 => (-1e9..1e9).prop_map(Made::Number),
        2 => (0..1_000_000_i32).prop_map(|n| Made::Number(f64::from(n))),
        1 => any::<bool>().prop_map(Made::Truth),
        4 => "[ -~äß😀\n\t\u{2028}]{0,12}".prop_map(Made::Text),
        1 => prop_oneof![Just("#N/A"), Just("#REF!"), Just("#DIV/0!")].prop_map(Made::Error),
        1 => (61..60_000_u32).prop_map(Made::Day),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_sheet_written_in_any_manner_is_read_as_it_was_meant(
        rows in prop::collection::vec(prop::collection::vec(made(), 0..6), 0..8),
        prefix in any::<bool>(),
        addresses in any::<bool>(),
        chance in any::<u64>(),
        block in prop_oneof![Just(1_usize), 2..200_usize, Just(BLOCK)],
    ) {
        let manner = Manner { prefix, addresses, chance, block };
        let mut strings = Vec::new();
        let sheet = manner.sheet(&rows, &mut strings);
        let items: String = strings.iter().map(|runs| format!("<si>{runs}</si>\n")).collect();
        let file = workbook(&sheet, &format!("<sst uniqueCount='{}'>{items}</sst>", strings.len())).map_err(|e| TestCaseError::fail(e.to_string()))?;
        let ours = by_scanner(file.path(), manner.block);
        prop_assert_eq!(ours.1, 0, "left to calamine: {}", sheet);
        let cells = ours.0.clone().map_err(TestCaseError::fail)?.concat();
        let cells: Vec<_> = cells.into_iter().map(|(row, column, kind, number, text, _)| (row, column, kind, number, text)).collect();
        prop_assert_eq!(cells, expected(&rows), "{}", sheet);
        prop_assert_eq!(difference(&ours, &by_calamine(file.path())), None, "{}", sheet);
    }

    /// Any bytes at all end, and end alike however they are cut.
    #[test]
    fn broken_markup_ends_alike_in_any_blocks(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "<row r='2'>", "<row>", "</row>", "<c>", "<c r='A1' t='s'>", "<c t=\"str\"", ">", "</c>", "<v>1</v>", "<v>", "</v>", "<v/>", "0",
            "<is>", "<t>a</t>", "</is>", "<f>", "</f>", "<!--", "-->", "<![CDATA[", "]]>", "<?", "?>", "&amp;", "&", "\"", "'", "<", "/>", " ",
        ]), 0..30),
        block in 1..40_usize,
    ) {
        let sheet = format!("<worksheet><sheetData>{}</sheetData></worksheet>", pieces.concat());
        let file = workbook(&sheet, STRINGS).map_err(|e| TestCaseError::fail(e.to_string()))?;
        prop_assert_eq!(by_scanner(file.path(), block).0, by_scanner(file.path(), BLOCK).0, "{}", sheet);
    }
}

#[test]
fn a_book_without_shared_strings_and_one_of_other_words_are_read() -> Fallible {
    let file = workbook(
        "<worksheet><sheetData><row><c t='inlineStr'><is><t>a</t></is></c></row></sheetData></worksheet>",
        "<x/>",
    )?;
    // Strings that are none are left to calamine, and so is all.
    assert_eq!(by_scanner(file.path(), BLOCK).1, by_calamine(file.path()).1);
    let mut book = Book::open(file.path(), &Default::default(), &Limits::default())?;
    assert_eq!(book.sheets().len(), 1);
    let sheet = book.sheets()[0].clone();
    assert!(book.cells(&sheet).is_err(), "calamine has no words for them");
    Ok(())
}
