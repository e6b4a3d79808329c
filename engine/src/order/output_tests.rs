//! What recipes write: notes on the user's own sheet, formats, parts, names; read back by other readers.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use calamine::{Data, Reader as _};

use super::recipe_tests::{Fallible, orders, process};
use super::{Message, OutputRole};

/// The rows of a sheet as calamine reads them.
fn sheet(path: &Path, name: &str) -> Fallible<Vec<Vec<Data>>> {
    let mut book = calamine::open_workbook_auto(path)?;
    Ok(book.worksheet_range(name)?.rows().map(<[Data]>::to_vec).collect())
}

/// A file of the package.
fn part(path: &Path, name: &str) -> Fallible<String> {
    let mut text = String::new();
    let mut package = zip::ZipArchive::new(std::fs::File::open(path)?)?;
    package.by_name(name)?.read_to_string(&mut text)?;
    Ok(text)
}

/// For each cell with a note: its address and the note's text.
fn notes(path: &Path) -> Fallible<BTreeMap<String, String>> {
    let xml = part(path, "xl/comments1.xml")?;
    let notes = xml.split("<comment ").skip(1).map(|note| {
        let between = |start: &str, end: &str| {
            let rest = note.split_once(start).map_or("", |(_, rest)| rest);
            rest.split_once(end).map_or("", |(text, _)| text).to_owned()
        };
        let texts = note.split("<t").filter(|text| text.starts_with(['>', ' ']));
        let text = texts
            .last()
            .and_then(|text| text.split_once('>'))
            .map_or("", |(_, text)| text);
        (
            between("ref=\"", "\""),
            text.split_once('<').map_or("", |(text, _)| text).to_owned(),
        )
    });
    Ok(notes.collect())
}

const CHECKED: &str = "steps:\n  - rename: {quantity: pieces}\n  - sort: {by: [{column: id, order: descending}]}\n  \
    - validate:\n      - {column: pieces, min: 1}\n      - {column: pieces, max: 0, severity: warning}\n      \
    - {column: status, one_of: [shipped, cancelled]}\n      - {column: status, required: true}\n  \
    - select: [id]\n  - compute: {column: half, as: 1 / (id - 1)}\n";

#[test]
fn the_sheet_comes_back_with_colours_and_notes_on_what_is_wrong() -> Fallible {
    let text = format!("{CHECKED}output: {{rejects: {{as: annotate}}}}");
    let ran = process(&orders(6), &text, 2, 64 << 20)?;
    let Message::Done(report) = ran.last() else {
        panic!("{:?}", ran.last())
    };
    assert_eq!((report.rejected, report.warnings), (5, 4));
    assert!(ran.output(OutputRole::Rejects).is_none(), "notes stand in for the list");
    let output = ran.output(OutputRole::Annotated).ok_or("no annotated sheet")?;
    assert_eq!((output.name.as_str(), output.rows), ("Orders 2024-annotated.xlsx", 6));
    let path = ran.path(output);
    let rows = sheet(&path, "Orders")?;
    let texts = |row: usize| rows[row].iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        texts(0),
        ["id", "day", "status", "quantity", "price", "_row", "_errors"]
    );
    assert_eq!(rows.len(), 7, "all rows, also those without a fault");
    assert_eq!(texts(1)[5..], ["2", "pieces: `0` is less than 1"]);
    assert_eq!(
        texts(2)[5..],
        ["3", "warning: pieces: `1` is more than 0; a division by zero"]
    );
    assert_eq!(
        texts(3)[5..],
        ["4", "status: the cell is blank; warning: pieces: `2` is more than 0"]
    );
    assert_eq!(texts(5)[5..], ["6", "warning: pieces: `4` is more than 0"]);
    assert!(
        matches!(rows[1][1], Data::DateTime(_)),
        "a date is still one: {:?}",
        rows[1][1]
    );
    let notes = notes(&path)?;
    let places: Vec<&str> = notes.keys().map(String::as_str).collect();
    assert_eq!(places, ["C4", "C5", "D2", "D3", "D4", "D5", "D6", "D7"]);
    assert_eq!(notes["D2"], "`0` is less than 1");
    assert_eq!(notes["C4"], "the cell is blank");
    let styles = part(&path, "xl/styles.xml")?;
    assert!(
        styles.contains("FFFFC7CE") && styles.contains("FFFFEB9C"),
        "red and yellow"
    );
    let cells = part(&path, "xl/worksheets/sheet1.xml")?;
    let style = |place: &str| {
        let cell = cells.split(&format!("r=\"{place}\"")).nth(1).unwrap_or_default();
        cell.split_once('>').map_or("", |(start, _)| start).to_owned()
    };
    assert!(style("D2").contains("s=") && style("C4").contains("s="), "{cells}");
    assert_ne!(style("D2"), style("D6"), "an error and a warning differ");
    assert!(!style("E2").contains("s="), "what is right stays as it was");
    Ok(())
}

#[test]
fn findings_about_groups_have_a_sheet_of_their_own_and_a_failing_run_keeps_the_notes() -> Fallible {
    let text = "steps:\n  - validate: [{column: id, max: 3}]\n  - group: {totals: {n: count(*), s: sum(id)}}\n  \
                - validate: [{where: s > 100, message: too little}]\noutput: {rejects: {as: annotate, policy: fail}}";
    let ran = process(&orders(6), text, 1, 64 << 20)?;
    assert!(matches!(ran.last(), Message::Failed { code, .. } if code == "rows_rejected"));
    let path = ran.path(ran.output(OutputRole::Annotated).ok_or("no annotated sheet")?);
    assert_eq!(sheet(&path, "Orders")?.len(), 7);
    let others = sheet(&path, "Other findings")?;
    assert_eq!(others.len(), 2);
    assert_eq!(others[1][8].to_string(), "too little");
    assert!(ran.output(OutputRole::Result).is_none());
    let clean = process(
        &orders(6),
        "steps: [trim]\noutput: {rejects: {as: annotate}}",
        1,
        64 << 20,
    )?;
    assert!(clean.output(OutputRole::Annotated).is_none(), "nothing is wrong");
    Ok(())
}

#[test]
fn notes_have_an_end_and_colours_and_sentences_have_none() -> Fallible {
    let text = "steps: [{validate: [{column: id, max: -1}]}]\noutput: {rejects: {as: annotate}}";
    let ran = process(&orders(20_050), text, 2, 64 << 20)?;
    let Message::Done(report) = ran.last() else {
        panic!("{:?}", ran.last())
    };
    let issue = report.issues.first().ok_or("it is not said")?;
    assert_eq!((issue.code.as_str(), issue.count), ("notes_left_out", 50));
    let path = ran.path(ran.output(OutputRole::Annotated).ok_or("no annotated sheet")?);
    assert_eq!(notes(&path)?.len(), 20_000);
    let rows = sheet(&path, "Orders")?;
    assert_eq!(rows[20_050][6].to_string(), "id: `20049` is more than -1");
    Ok(())
}
