//! The parts of a workbook beside its sheets (ECMA-376 part 1, section 12.3, and part 2).

use super::super::super::kind::letters;
use super::text::{put, put_attribute};

/// What every part begins with.
pub(super) const DECLARATION: &[u8] = b"<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";

/// A sheet that is complete.
#[derive(Debug)]
pub(super) struct SheetEntry {
    pub(super) name: String,
    pub(super) columns: usize,
    /// Its last row, from 1.
    pub(super) last_row: u32,
}

impl SheetEntry {
    /// The letters of the last column; `None` without any.
    fn last_column(&self) -> Option<String> {
        u32::try_from(self.columns.checked_sub(1)?).ok().map(letters)
    }

    /// The cells that are there: `A1:C7`.
    pub(super) fn range(&self) -> String {
        let last = self.last_column().map(|column| format!("A1:{column}{}", self.last_row));
        last.unwrap_or_else(|| "A1".to_owned())
    }

    /// The cells under filter buttons, and these: the row of the header and one below it at least.
    pub(super) fn filtered(&self) -> Option<String> {
        self.last_column()
            .map(|column| format!("A1:{column}{}", self.last_row.max(2)))
    }
}

/// The path of a sheet, from 1.
pub(super) fn sheet_path(number: usize) -> String {
    format!("xl/worksheets/sheet{number}.xml")
}

/// Where a program finds the workbook.
pub(super) fn relations() -> Vec<u8> {
    let mut out = relationships();
    for (at, (kind, target)) in [
        (format!("{OFFICE}/officeDocument"), "xl/workbook.xml"),
        (
            format!("{PACKAGE}/relationships/metadata/core-properties"),
            "docProps/core.xml",
        ),
        (format!("{OFFICE}/extended-properties"), "docProps/app.xml"),
    ]
    .iter()
    .enumerate()
    {
        put_relation(at + 1, kind, target, &mut out);
    }
    end_relationships(out)
}

fn relationships() -> Vec<u8> {
    let mut out = DECLARATION.to_vec();
    put(
        &mut out,
        format_args!("<Relationships xmlns=\"{PACKAGE}/relationships\">"),
    );
    out
}

fn put_relation(id: usize, kind: &str, target: &str, out: &mut Vec<u8>) {
    put(
        out,
        format_args!("<Relationship Id=\"rId{id}\" Type=\"{kind}\" Target=\"{target}\"/>"),
    );
}

fn end_relationships(mut out: Vec<u8>) -> Vec<u8> {
    out.extend_from_slice(b"</Relationships>");
    out
}

/// When it was made: always the same moment, so that equal rows give equal bytes.
pub(super) fn core() -> Vec<u8> {
    let mut out = DECLARATION.to_vec();
    put(
        &mut out,
        format_args!(
            "<cp:coreProperties xmlns:cp=\"{PACKAGE}/metadata/core-properties\" xmlns:dcterms=\"http://purl.org/dc/terms/\" \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\
             <dcterms:created xsi:type=\"dcterms:W3CDTF\">2000-01-01T00:00:00Z</dcterms:created>\
             <dcterms:modified xsi:type=\"dcterms:W3CDTF\">2000-01-01T00:00:00Z</dcterms:modified></cp:coreProperties>"
        ),
    );
    out
}

/// By what it was made.
pub(super) fn app() -> Vec<u8> {
    let mut out = DECLARATION.to_vec();
    out.extend_from_slice(
        b"<Properties xmlns=\"http://schemas.openxmlformats.org/officeDocument/2006/extended-properties\">\
          <Application>Sheetmill</Application></Properties>",
    );
    out
}

/// The sheets in order, and where their filters are.
pub(super) fn workbook(sheets: &[SheetEntry]) -> Vec<u8> {
    let mut out = DECLARATION.to_vec();
    put(
        &mut out,
        format_args!(
            "<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><workbookPr/><bookViews><workbookView/></bookViews><sheets>"
        ),
    );
    for (number, sheet) in (1..).zip(sheets) {
        out.extend_from_slice(b"<sheet name=\"");
        put_attribute(&sheet.name, &mut out);
        put(&mut out, format_args!("\" sheetId=\"{number}\" r:id=\"rId{number}\"/>"));
    }
    out.extend_from_slice(b"</sheets>");
    let mut names = Vec::new();
    for (at, sheet) in sheets.iter().enumerate() {
        let Some(last) = sheet.last_column() else { continue };
        // Excel itself keeps the range of a filter under this name.
        put(
            &mut names,
            format_args!("<definedName name=\"_xlnm._FilterDatabase\" localSheetId=\"{at}\" hidden=\"1\">'"),
        );
        put_attribute(&sheet.name.replace('\'', "''"), &mut names);
        put(
            &mut names,
            format_args!("'!$A$1:${last}${}</definedName>", sheet.last_row.max(2)),
        );
    }
    if !names.is_empty() {
        out.extend_from_slice(b"<definedNames>");
        out.append(&mut names);
        out.extend_from_slice(b"</definedNames>");
    }
    out.extend_from_slice(b"</workbook>");
    out
}

/// Where the workbook finds its sheets, formats and shared strings.
pub(super) fn workbook_relations(sheets: usize) -> Vec<u8> {
    let mut out = relationships();
    for number in 1..=sheets {
        let target = format!("worksheets/sheet{number}.xml");
        put_relation(number, &format!("{OFFICE}/worksheet"), &target, &mut out);
    }
    put_relation(sheets + 1, &format!("{OFFICE}/styles"), "styles.xml", &mut out);
    put_relation(
        sheets + 2,
        &format!("{OFFICE}/sharedStrings"),
        "sharedStrings.xml",
        &mut out,
    );
    end_relationships(out)
}

/// What each part is.
pub(super) fn content_types(sheets: usize) -> Vec<u8> {
    const SHEETS: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml";
    let mut out = DECLARATION.to_vec();
    put(
        &mut out,
        format_args!(
            "<Types xmlns=\"{PACKAGE}/content-types\">\
             <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
             <Default Extension=\"xml\" ContentType=\"application/xml\"/>"
        ),
    );
    let mut part = |path: &str, kind: &str| {
        put(
            &mut out,
            format_args!("<Override PartName=\"/{path}\" ContentType=\"{kind}+xml\"/>"),
        );
    };
    part(
        "docProps/app.xml",
        "application/vnd.openxmlformats-officedocument.extended-properties",
    );
    part(
        "docProps/core.xml",
        "application/vnd.openxmlformats-package.core-properties",
    );
    part("xl/workbook.xml", &format!("{SHEETS}.sheet.main"));
    for number in 1..=sheets {
        part(&sheet_path(number), &format!("{SHEETS}.worksheet"));
    }
    part("xl/styles.xml", &format!("{SHEETS}.styles"));
    part("xl/sharedStrings.xml", &format!("{SHEETS}.sharedStrings"));
    out.extend_from_slice(b"</Types>");
    out
}

/// The beginning of the list of shared strings.
pub(super) fn begin_strings(texts: usize, cells: u64) -> Vec<u8> {
    let mut out = DECLARATION.to_vec();
    put(
        &mut out,
        format_args!("<sst xmlns=\"{MAIN}\" count=\"{cells}\" uniqueCount=\"{texts}\">"),
    );
    out
}

/// The longest beginning of a sheet.
pub(super) const SHEET_FRONT: usize = 256;

/// The beginning of a sheet, as long for any range: what it holds is known at its end.
pub(super) fn sheet_front(range: &str) -> Vec<u8> {
    let mut out = DECLARATION.to_vec();
    put(
        &mut out,
        format_args!("<worksheet xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><dimension ref=\"{range}\"/>"),
    );
    // White space between elements means nothing.
    out.resize(SHEET_FRONT, b'\n');
    out
}

/// Whether a sheet is the one that shows when a workbook is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tab {
    Shown,
    Behind,
}

/// What stands between that and the rows: a frozen header, and columns with their width in characters and their style.
pub(super) fn put_sheet_head(columns: impl ExactSizeIterator<Item = (u16, u32)>, tab: Tab, out: &mut Vec<u8>) {
    put(
        out,
        format_args!(
            "<sheetViews><sheetView{} workbookViewId=\"0\"><pane ySplit=\"1\" topLeftCell=\"A2\" activePane=\"bottomLeft\" \
             state=\"frozen\"/><selection pane=\"bottomLeft\"/></sheetView></sheetViews><sheetFormatPr defaultRowHeight=\"15\"/>",
            if tab == Tab::Shown { " tabSelected=\"1\"" } else { "" }
        ),
    );
    if columns.len() > 0 {
        out.extend_from_slice(b"<cols>");
        for (at, (width, style)) in (1..).zip(columns) {
            // A character of Calibri 11 is 7 pixels wide; 5 pixels are a margin, and 5 more leave room (section 18.3.1.13).
            let width = f64::from((u32::from(width) * 7 + 10) * 256 / 7) / 256.0;
            put(out, format_args!("<col min=\"{at}\" max=\"{at}\" width=\"{width}\""));
            if style > 0 {
                put(out, format_args!(" style=\"{style}\""));
            }
            out.extend_from_slice(b" customWidth=\"1\"/>");
        }
        out.extend_from_slice(b"</cols>");
    }
    out.extend_from_slice(b"<sheetData>");
}

/// What a sheet ends with, filter buttons among it.
pub(super) fn put_sheet_end(filtered: Option<&str>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"</sheetData>");
    if let Some(range) = filtered {
        put(out, format_args!("<autoFilter ref=\"{range}\"/>"));
    }
    out.extend_from_slice(
        b"<pageMargins left=\"0.7\" right=\"0.7\" top=\"0.75\" bottom=\"0.75\" header=\"0.3\" footer=\"0.3\"/></worksheet>",
    );
}
