//! A reader of plain xlsx files that shares no code with the product: the zip, the XML and nothing else.

use std::io::Read;

use quick_xml::Reader;
use quick_xml::events::Event;

/// The rows of a workbook's first sheet as texts, header first; numbers as they stand in the XML, blanks as "".
pub fn rows(bytes: &[u8]) -> Vec<Vec<String>> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("a zip");
    let strings = part(&mut archive, "xl/sharedStrings.xml")
        .map(|xml| texts(&xml, "si"))
        .unwrap_or_default();
    let sheet = part(&mut archive, "xl/worksheets/sheet1.xml").expect("a first sheet");
    cells(&sheet, &strings)
}

fn part(archive: &mut zip::ZipArchive<std::io::Cursor<&[u8]>>, name: &str) -> Option<String> {
    let mut text = String::new();
    archive.by_name(name).ok()?.read_to_string(&mut text).expect("UTF-8");
    Some(text)
}

/// The text inside each element called `name`.
fn texts(xml: &str, name: &str) -> Vec<String> {
    let mut reader = Reader::from_str(xml);
    let mut all = Vec::new();
    let mut text: Option<String> = None;
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Start(element) if element.name().as_ref() == name => text = Some(String::new()),
            Event::End(element) if element.name().as_ref() == name => all.extend(text.take()),
            Event::Empty(element) if element.name().as_ref() == name => all.push(String::new()),
            event => append(&event, text.as_mut()),
        }
        if reader.buffer_position() as usize >= xml.len() {
            return all;
        }
    }
}

fn append(event: &Event<'_>, text: Option<&mut String>) {
    let Some(text) = text else { return };
    match event {
        Event::Text(piece) => text.push_str(piece),
        Event::GeneralRef(entity) => text.push_str(&resolve(entity)),
        _ => {}
    }
}

fn resolve(entity: &str) -> String {
    match entity {
        "lt" => "<".to_owned(),
        "gt" => ">".to_owned(),
        "amp" => "&".to_owned(),
        "quot" => "\"".to_owned(),
        "apos" => "'".to_owned(),
        other => {
            let number = other.strip_prefix("#x").map_or_else(
                || other.trim_start_matches('#').parse().ok(),
                |hex| u32::from_str_radix(hex, 16).ok(),
            );
            number.and_then(char::from_u32).map(String::from).unwrap_or_default()
        }
    }
}

fn cells(xml: &str, strings: &[String]) -> Vec<Vec<String>> {
    let mut reader = Reader::from_str(xml);
    let mut rows: Vec<Vec<String>> = Vec::new();
    let (mut column, mut kind, mut value) = (0, String::new(), None::<String>);
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Start(element) | Event::Empty(element) if element.name().as_ref() == "row" => rows.push(Vec::new()),
            Event::Start(element) if element.name().as_ref() == "c" => {
                let attribute = |name: &str| {
                    element
                        .try_get_attribute(name)
                        .expect("attributes")
                        .map(|it| it.value.to_string())
                };
                column = attribute("r").map_or(column + 1, |address| column_of(&address));
                kind = attribute("t").unwrap_or_default();
            }
            Event::Start(element) if matches!(element.name().as_ref(), "v" | "t") => value = Some(String::new()),
            Event::End(element) if matches!(element.name().as_ref(), "v" | "t") => {
                let raw = value.take().unwrap_or_default();
                let shown = if kind == "s" {
                    strings[raw.parse::<usize>().expect("an index")].clone()
                } else {
                    raw
                };
                let row = rows.last_mut().expect("a cell stands in a row");
                row.resize(row.len().max(column), String::new());
                row[column - 1].push_str(&shown);
            }
            Event::Eof => return rows,
            event => append(&event, value.as_mut()),
        }
    }
}

fn column_of(address: &str) -> usize {
    address
        .bytes()
        .take_while(u8::is_ascii_uppercase)
        .fold(0, |sum, letter| sum * 26 + usize::from(letter - b'A') + 1)
}
