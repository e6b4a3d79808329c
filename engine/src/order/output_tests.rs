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
    let ran = process(&orders(10_050), text, 2, 64 << 20)?;
    let Message::Done(report) = ran.last() else {
        panic!("{:?}", ran.last())
    };
    let issue = report.issues.first().ok_or("it is not said")?;
    assert_eq!((issue.code.as_str(), issue.count), ("notes_left_out", 50));
    let path = ran.path(ran.output(OutputRole::Annotated).ok_or("no annotated sheet")?);
    assert_eq!(notes(&path)?.len(), 10_000);
    let rows = sheet(&path, "Orders")?;
    assert_eq!(rows[10_050][6].to_string(), "id: `10049` is more than -1");
    Ok(())
}

fn names(ran: &super::recipe_tests::Ran) -> Vec<String> {
    let name = |message: &Message| match message {
        Message::Output(output) => Some(format!("{} {}", output.name, output.rows)),
        _ => None,
    };
    ran.messages.iter().filter_map(name).collect()
}

#[test]
fn a_result_is_split_into_a_file_for_each_value_in_the_order_of_values() -> Fallible {
    let text = "name: Clean\nsteps: [{trim: {columns: all}}]\noutput: {format: csv, split_by: status}";
    let ran = process(&orders(10), text, 2, 64 << 20)?;
    assert_eq!(
        names(&ran),
        [
            "Orders 2024-clean-cancelled.csv 3",
            "Orders 2024-clean-returned.csv 2",
            "Orders 2024-clean-shipped.csv 3",
            "Orders 2024-clean-blank.csv 2"
        ]
    );
    let first = ran.text(OutputRole::Result)?;
    let ids: Vec<&str> = first
        .lines()
        .skip(1)
        .filter_map(|line| line.split(',').next())
        .collect();
    assert_eq!(ids, ["1", "5", "9"], "rows keep their order");
    let Message::Done(report) = ran.last() else {
        panic!("{:?}", ran.last())
    };
    assert_eq!(
        (report.rows_out, report.ledger.len()),
        (10, 2),
        "bringing rows together is no step"
    );
    let named = process(
        &orders(3),
        &text.replace("status}", "id, name: 'Q {value}/{recipe}.csv'}"),
        1,
        64 << 20,
    )?;
    assert_eq!(names(&named), ["Q 0_clean.csv 1", "Q 1_clean.csv 1", "Q 2_clean.csv 1"]);
    let none = process(&orders(0), text, 1, 64 << 20)?;
    assert_eq!(names(&none), ["Orders 2024-clean.csv 0"], "the header at least");
    Ok(())
}

#[test]
fn a_result_is_split_into_sheets_however_the_work_is_split() -> Fallible {
    let text = "steps: []\noutput: {split_by: status, split_into: sheets}";
    let ran = process(&orders(5000), text, 4, 1 << 20)?;
    assert_eq!(names(&ran), ["Orders 2024.xlsx 5000"]);
    let path = ran.path(ran.output(OutputRole::Result).ok_or("no result")?);
    let mut book = calamine::open_workbook_auto(&path)?;
    assert_eq!(
        book.sheet_names(),
        [" returned ".trim(), "cancelled", "shipped", "blank"]
    );
    assert_eq!(book.worksheet_range("cancelled")?.height(), 1251);
    let same = process(&orders(5000), text, 1, 512 << 20)?;
    let other = same.path(same.output(OutputRole::Result).ok_or("no result")?);
    assert!(std::fs::read(&path)? == std::fs::read(other)?, "the same bytes");
    Ok(())
}

#[test]
fn too_many_values_are_refused_and_a_missing_column_is_told() -> Fallible {
    let text = "steps: []\noutput: {format: csv, split_by: id}";
    let ran = process(&orders(1001), text, 1, 64 << 20)?;
    let Message::Failed {
        code,
        sentence,
        input_at_fault,
        ..
    } = ran.last()
    else {
        panic!("{:?}", ran.last())
    };
    assert_eq!((code.as_str(), *input_at_fault), ("too_many_parts", true));
    assert!(
        sentence.contains("more than 1000 files") && sentence.contains("`id`"),
        "{sentence}"
    );
    let ran = process(&orders(3), "steps: []\noutput: {split_by: stats}", 1, 64 << 20)?;
    assert!(matches!(ran.last(), Message::Failed { code, sentence, .. }
        if code == "recipe_does_not_fit" && sentence.contains("Did you mean `status`?")));
    Ok(())
}

#[test]
fn csv_is_written_as_the_recipe_says_and_what_it_cannot_hold_is_told() -> Fallible {
    let names: arrow::array::ArrayRef =
        std::sync::Arc::new(arrow::array::StringArray::from(vec!["Zoë €", "Łódź", "a;b"]));
    let columns = [("name", names)];
    let of = |csv: &str| {
        process(
            &columns,
            &format!("steps: []\noutput: {{format: csv, csv: {csv}}}"),
            1,
            64 << 20,
        )
    };
    let ran = of("{delimiter: ';', encoding: windows-1252, line_end: crlf}")?;
    let output = ran.output(OutputRole::Result).ok_or("no result")?;
    assert_eq!(
        (output.path.as_str(), output.name.as_str()),
        ("result-1.windows-1252.csv", "Orders 2024.csv")
    );
    assert_eq!(
        std::fs::read(ran.path(output))?,
        b"name\r\nZo\xEB \x80\r\n?\xF3d?\r\n\"a;b\"\r\n"
    );
    assert!(
        matches!(ran.last(), Message::Done(report) if report.issues[0].code == "not_in_encoding" && report.issues[0].count == 2)
    );
    let ran = of("{encoding: windows-1252, unwritable: fail}")?;
    assert!(
        matches!(ran.last(), Message::Failed { code, sentence, input_at_fault: true, .. }
        if code == "not_in_encoding" && sentence.contains("“Ł”"))
    );
    let ran = of("{encoding: utf-16le, delimiter: tab}")?;
    let bytes = std::fs::read(ran.path(ran.output(OutputRole::Result).ok_or("no result")?))?;
    assert_eq!(bytes[..2], [0xFF, 0xFE]);
    let units: Vec<u16> = bytes[2..]
        .chunks(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    assert_eq!(String::from_utf16(&units)?, "name\nZoë €\nŁódź\n\"a;b\"\n");
    let ran = of("{encoding: utf-8-bom, delimiter: pipe}")?;
    assert!(ran.text(OutputRole::Result)?.starts_with('\u{feff}'));
    Ok(())
}

#[test]
fn the_list_of_rejects_has_a_format_of_its_own() -> Fallible {
    let text = "steps: [{validate: [{column: id, max: 0}]}]\noutput: {format: jsonl, rejects: {format: xlsx}}";
    let ran = process(&orders(3), text, 1, 64 << 20)?;
    assert_eq!(names(&ran), ["Orders 2024.jsonl 1", "Orders 2024-rejects.xlsx 2"]);
    let path = ran.path(ran.output(OutputRole::Rejects).ok_or("no list")?);
    assert_eq!(sheet(&path, "Rejects")?.len(), 3);
    let plain = process(&orders(3), &text.replace(", rejects: {format: xlsx}", ""), 1, 64 << 20)?;
    assert_eq!(
        names(&plain)[1],
        "Orders 2024-rejects.csv 2",
        "jsonl is for programs, a list for people"
    );
    Ok(())
}

#[test]
fn json_lines_and_parquet_hold_typed_values() -> Fallible {
    let text = "steps:\n  - compute: {column: each, as: price / 4}\n  - convert: {column: status, to: decimal, otherwise: keep}\n\
                output: {format: jsonl}";
    let ran = process(&orders(3), text, 1, 64 << 20)?;
    let lines = ran.text(OutputRole::Result)?;
    assert_eq!(
        lines.lines().nth(2),
        Some(r#"{"id":2,"day":"2024-01-31","status":null,"quantity":2,"price":0.25,"each":0.0625}"#)
    );
    let parsed: Vec<serde_json::Value> = lines.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    assert_eq!(parsed[1]["status"], "cancelled");
    let ran = process(&orders(3), &text.replace("jsonl", "parquet"), 1, 64 << 20)?;
    let read = |ran: &super::recipe_tests::Ran| -> Fallible<Vec<arrow::array::RecordBatch>> {
        let file = std::fs::File::open(ran.path(ran.output(OutputRole::Result).ok_or("no result")?))?;
        let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file)?;
        assert_eq!(reader.schema().fields().len(), 6);
        Ok(reader.build()?.collect::<Result<_, _>>()?)
    };
    let batch = read(&ran)?.remove(0);
    let types: Vec<String> = batch
        .schema()
        .fields()
        .iter()
        .map(|it| format!("{} {}", it.name(), it.data_type()))
        .collect();
    assert_eq!(
        types,
        [
            "id Int64",
            "day Date32",
            "status Utf8",
            "quantity Int64",
            "price Float64",
            "each Float64"
        ]
    );
    assert_eq!(batch.num_rows(), 3);
    let empty = process(&orders(0), &text.replace("jsonl", "parquet"), 1, 64 << 20)?;
    assert!(read(&empty)?.is_empty(), "a file with columns and no rows");
    Ok(())
}
