//! Workbooks go in, tables come out, and come back as the same cells.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray, Time32MillisecondArray,
    TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, Int64Type};
use arrow::record_batch::RecordBatch;
use proptest::prelude::{Strategy, prop, prop_assert_eq, proptest};

use super::{CellKind, CellsOrder, IngestOrder, Message, Order, PeekOrder, Report, RowsOrder, TableFiles, execute};
use crate::sheets::view::ColumnView;
use crate::sheets::write::{OutputColumn, OutputFormat, OutputSheet, open};
use crate::sheets::{HeaderOption, Hidden, IngestOptions, Limits, Merged};
use crate::tables::ColumnKind;
use crate::tables::read::{Scan, Table};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// Parts of the smallest workbook; `sheet` is what `sheetData` holds.
fn workbook(path: &Path, sheet: &str, strings: &[&str], formats: &[&str]) -> Outcome {
    let main = "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"";
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"";
    let strings: String = strings
        .iter()
        .map(|s| format!("<si><t xml:space=\"preserve\">{s}</t></si>"))
        .collect();
    let codes: String = formats
        .iter()
        .enumerate()
        .map(|(at, code)| format!("<numFmt numFmtId=\"{}\" formatCode=\"{code}\"/>", 164 + at))
        .collect();
    let styles: String = (0..formats.len())
        .map(|at| format!("<xf numFmtId=\"{}\"/>", 164 + at))
        .collect();
    let parts = [
        ("[Content_Types].xml", "<Types/>".to_owned()),
        (
            "_rels/.rels",
            format!(
                "<Relationships {package}><Relationship Id=\"a\" Type=\"{office}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                "<workbook {main} xmlns:r=\"{office}\"><sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"b\"/></sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "<Relationships {package}><Relationship Id=\"b\" Type=\"{office}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/worksheets/sheet1.xml",
            format!("<worksheet {main}><sheetData>{sheet}</sheetData></worksheet>"),
        ),
        ("xl/sharedStrings.xml", format!("<sst {main}>{strings}</sst>")),
        (
            "xl/styles.xml",
            format!(
                "<styleSheet {main}><numFmts>{codes}</numFmts><cellXfs><xf numFmtId=\"0\"/>{styles}</cellXfs></styleSheet>"
            ),
        ),
    ];
    let mut zip = zip::ZipWriter::new(std::fs::File::create(path)?);
    for (name, content) in parts {
        zip.start_file(name, zip::write::SimpleFileOptions::default())?;
        zip.write_all(content.as_bytes())?;
    }
    zip.finish()?;
    Ok(())
}

fn ingest(path: &Path, out: &Path, header: HeaderOption) -> Vec<Message> {
    let options = IngestOptions {
        header,
        ..IngestOptions::default()
    };
    ingest_under(path, out, options)
}

fn ingest_under(path: &Path, out: &Path, options: IngestOptions) -> Vec<Message> {
    messages(Order::Ingest(IngestOrder {
        input: path.to_owned(),
        name: "book.xlsx".to_owned(),
        options,
        limits: Limits::default(),
        out: out.to_owned(),
    }))
}

fn messages(order: Order) -> Vec<Message> {
    let mut messages = Vec::new();
    execute(order, &mut |message| messages.push(message));
    messages
}

fn peek_at(path: &Path, options: IngestOptions) -> Vec<Message> {
    messages(Order::Peek(PeekOrder {
        input: path.to_owned(),
        name: "book.xlsx".to_owned(),
        options,
        limits: Limits::default(),
        position: 0,
        rows: 20,
    }))
}

fn report(messages: &[Message]) -> Outcome<Report> {
    match messages.last() {
        Some(Message::Done(report)) => Ok(report.clone()),
        other => Err(format!("not done: {other:?}").into()),
    }
}

fn code(messages: &[Message]) -> String {
    match messages.last() {
        Some(Message::Refused { code, .. }) => code.clone(),
        other => format!("{other:?}"),
    }
}

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Outcome<Self> {
        Ok(Self {
            folder: tempfile::tempdir()?,
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn window(folder: PathBuf) -> Vec<Message> {
    messages(Order::Rows(RowsOrder {
        table: TableFiles { folder },
        offset: 1,
        limit: 5,
        columns: 4,
    }))
}

#[test]
fn every_kind_of_cell_finds_its_column() -> Outcome {
    let place = Place::new()?;
    let book = place.path("book.xlsx");
    let sheet = r##"
        <row r="1"><c r="A1" t="s"><v>0</v></c></row>
        <row r="3"><c r="A3" t="s"><v>1</v></c><c r="B3" t="s"><v>2</v></c><c r="C3" t="s"><v>3</v></c><c r="E3" t="s"><v>4</v></c></row>
        <row r="4"><c r="A4" s="1"><v>7</v></c><c r="B4" s="2"><v>45322</v></c><c r="C4"><v>1</v></c><c r="E4" t="e"><v>#SPILL!</v></c></row>
        <row r="6"><c r="A6" s="1"><v>12</v></c><c r="B6" s="2"><v>45323.5</v></c><c r="C6" t="s"><v>5</v></c><c r="E6" t="b"><v>1</v></c></row>"##;
    let strings = ["Report", "zip", "day", "any", "odd", "00123"];
    workbook(&book, sheet, &strings, &["00000", "yyyy-mm-dd"])?;
    let report = report(&ingest(&book, &place.path("out"), HeaderOption::Auto))?;
    let table = report.tables.first().ok_or("no table")?;
    let columns: Vec<_> = table
        .columns
        .iter()
        .map(|c| (c.name.as_str(), c.letters.as_str(), c.kind))
        .collect();
    assert_eq!(
        columns,
        [
            ("zip", "A", ColumnKind::Integer),
            ("day", "B", ColumnKind::DateTime),
            ("any", "C", ColumnKind::Mixed),
            ("odd", "E", ColumnKind::Mixed)
        ]
    );
    assert_eq!((table.header, table.rows), (Some((3, 3)), 2));
    assert_eq!(table.columns[0].format.as_deref(), Some("00000"));
    let issues: Vec<_> = table
        .issues
        .iter()
        .map(|i| (i.code.as_str(), i.count, i.examples.join(",")))
        .collect();
    let expected = [
        ("rows_above_header", 1, "A1".to_owned()),
        ("blank_columns", 1, "D".to_owned()),
        ("error_cells", 1, "E4".to_owned()),
    ];
    assert_eq!(issues, expected);

    let shown = window(place.path("out/0"));
    let Some(Message::Rows(answer)) = shown.first() else {
        return Err(format!("{shown:?}").into());
    };
    assert_eq!((answer.total, answer.rows.len(), answer.rows[0].row), (Some(2), 1, 6));
    let cells: Vec<_> = answer.rows[0].cells.iter().map(|c| (c.text.as_str(), c.kind)).collect();
    let expected = [
        ("00012", CellKind::Number),
        ("2024-02-01", CellKind::DateTime),
        ("00123", CellKind::Text),
        ("TRUE", CellKind::Boolean),
    ];
    assert_eq!(cells, expected);
    Ok(())
}

#[test]
fn cells_are_printed_as_the_terminal_promises() -> Outcome {
    let place = Place::new()?;
    let (book, out) = (place.path("book.xlsx"), place.path("cells.jsonl"));
    let sheet = r##"<row r="2"><c r="A2" t="s"><v>0</v></c><c r="B2"><v>1.5</v></c><c r="C2" t="b"><v>1</v></c>
        <c r="D2" s="1"><v>45322</v></c><c r="E2" t="e"><v>#N/A</v></c><c r="F2" s="2"><v>0.0625</v></c><c r="G2" t="e"><v>#CALC!</v></c></row>"##;
    workbook(&book, sheet, &["te&amp;xt"], &["d/m/yy", "[h]:mm"])?;
    let order = CellsOrder {
        input: book,
        name: "book.xlsx".to_owned(),
        sheet: None,
        limits: Limits::default(),
        out: out.clone(),
    };
    execute(Order::Cells(order), &mut |_| {});
    let expected = concat!(
        r##"{"sheet":"S","row":2,"cells":{"A":["s","te&xt"],"B":["n",1.5],"C":["b",true],"D":["d","2024-01-31T00:00:00"],"##,
        r##""E":["e","#N/A"],"F":["t","PT5400S"],"G":["e","#CALC!"]}}"##
    );
    assert_eq!(std::fs::read_to_string(out)?.trim_end(), expected);
    Ok(())
}

#[test]
fn formulas_without_a_value_and_merged_areas_are_issues() -> Outcome {
    let place = Place::new()?;
    let book = place.path("book.xlsx");
    let sheet = r#"<row r="1"><c r="A1" t="s"><v>0</v></c></row>
        <row r="2"><c r="A2"><f>1+1</f></c><c r="B2"><f>1+1</f><v>2</v></c></row>
        </sheetData><mergeCells count="1"><mergeCell ref="A1:B1"/></mergeCells><sheetData>"#;
    workbook(&book, sheet, &["x"], &[])?;
    let report = report(&ingest(&book, &place.path("out"), HeaderOption::Auto))?;
    let issues: Vec<_> = report.tables[0]
        .issues
        .iter()
        .map(|i| (i.code.as_str(), i.examples.join(",")))
        .collect();
    assert_eq!(
        issues,
        [
            ("formula_without_value", "A2".to_owned()),
            ("merged_cells", "A1:B1".to_owned())
        ]
    );
    Ok(())
}

#[test]
fn merged_areas_and_what_is_hidden_are_read_as_wanted() -> Outcome {
    let place = Place::new()?;
    let book = place.path("book.xlsx");
    let sheet = r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="s"><v>2</v></c></row>
        <row r="2"><c r="A2"><v>7</v></c><c r="B2"><v>1</v></c><c r="C2"><v>5</v></c></row>
        <row r="3" hidden="1"><c r="B3"><v>2</v></c></row><row r="4"><c r="B4"><v>3</v></c></row>
        </sheetData><mergeCells count="1"><mergeCell ref="A2:A5"/></mergeCells><sheetData>"#;
    workbook(&book, sheet, &["group", "n", "c"], &[])?;
    let options = IngestOptions {
        merged: Merged::Fill,
        hidden: Hidden::LeaveOut,
        ..IngestOptions::default()
    };
    let report = report(&ingest_under(&book, &place.path("out"), options.clone()))?;
    let [group, n, ..] = report.tables[0].columns.as_slice() else {
        return Err("no columns".into());
    };
    assert_eq!((report.rows_in, group.profile.top[0].clone()), (3, ("7".to_owned(), 3)));
    assert_eq!((n.profile.blanks, n.profile.max.as_deref()), (1, Some("3")));
    let sentences: Vec<_> = report.tables[0].issues.iter().map(|it| it.sentence.as_str()).collect();
    assert!(
        sentences
            .iter()
            .any(|it| it.contains("each of its cells holds its value")),
        "{sentences:?}"
    );
    assert!(sentences.iter().any(|it| it.contains("left out")), "{sentences:?}");
    // And so it is shown beforehand.
    let shown = |options| match peek_at(&book, options).remove(0) {
        Message::Peek(answer) => Ok((
            answer.header,
            answer.columns.join(" "),
            answer
                .rows
                .iter()
                .map(|row| format!("{}:{}", row.row, row.cells.join(",")))
                .collect::<Vec<_>>()
                .join(" "),
        )),
        other => Err(format!("{other:?}")),
    };
    let told = |header, columns: &str, rows: &str| (header, columns.to_owned(), rows.to_owned());
    assert_eq!(
        shown(options)?,
        told(Some((1, 1)), "group n c", "1:group,n,c 2:7,1,5 4:7,3 5:7")
    );
    let rows = IngestOptions {
        header: HeaderOption::Rows(2, 3),
        ..IngestOptions::default()
    };
    assert_eq!(
        shown(rows)?,
        told(Some((2, 3)), "7 1 2 5", "1:group,n,c 2:7,1,5 3:,2 4:,3")
    );
    Ok(())
}

#[test]
fn csv_is_plain_and_runs_nothing() -> Outcome {
    let place = Place::new()?;
    let path = place.path("out.csv");
    let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("=1+1"), Some("a,\"b\"\nc"), None]));
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![7, -1, 12_345]));
    let days: ArrayRef = Arc::new(Date32Array::from(vec![Some(19_753), None, Some(0)]));
    let mut sink = open(OutputFormat::Csv, &path)?;
    let column = |name: &str, format: Option<&str>| OutputColumn {
        name: name.to_owned(),
        format: format.map(str::to_owned),
    };
    let columns = vec![
        column("text", None),
        column("-zip", Some("00000")),
        column("day", Some("d/m/yy")),
    ];
    sink.start_sheet(&OutputSheet {
        name: "S".to_owned(),
        columns,
        formats: Vec::new(),
    })?;
    sink.write(&RecordBatch::try_from_iter_with_nullable([
        ("a", texts, true),
        ("b", numbers, true),
        ("c", days, true),
    ])?)?;
    assert!(sink.start_sheet(&OutputSheet::default()).is_err());
    assert_eq!(sink.finish()?.rows, 3);
    let expected = "text,'-zip,day\n'=1+1,00007,2024-01-31\n\"a,\"\"b\"\"\nc\",-00001,\n,12345,1970-01-01\n";
    assert_eq!(std::fs::read_to_string(path)?, expected);
    Ok(())
}

#[test]
fn a_sheet_that_is_full_goes_on_in_the_next_and_bytes_are_the_same_each_time() -> Outcome {
    let place = Place::new()?;
    let written = |name: &str| -> Outcome<(Vec<String>, u64, Vec<u8>)> {
        let path = place.path(name);
        let mut sink = open(OutputFormat::Xlsx, &path)?;
        let column = OutputColumn {
            name: "n".to_owned(),
            format: None,
        };
        sink.start_sheet(&OutputSheet {
            name: "Full".to_owned(),
            columns: vec![column],
            formats: Vec::new(),
        })?;
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..525_000));
        let batch = RecordBatch::try_from_iter([("n", numbers)])?;
        sink.write(&batch)?;
        sink.write(&batch)?;
        let written = sink.finish()?;
        Ok((written.sheets, written.rows, std::fs::read(path)?))
    };
    let (sheets, rows, bytes) = written("one.xlsx")?;
    assert_eq!(
        (sheets, rows),
        (vec!["Full".to_owned(), "Full (2)".to_owned()], 1_050_000)
    );
    assert!(bytes == written("two.xlsx")?.2, "the same rows gave other bytes");
    let report = report(&ingest(&place.path("one.xlsx"), &place.path("out"), HeaderOption::Auto))?;
    assert_eq!(
        report.tables.iter().map(|t| t.rows).collect::<Vec<_>>(),
        [1_048_575, 1_425]
    );
    Ok(())
}

#[test]
fn a_header_can_be_said() -> Outcome {
    let place = Place::new()?;
    let book = place.path("book.xlsx");
    let sheet = r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>
        <row r="2"><c r="A2" t="s"><v>1</v></c><c r="B2" t="s"><v>0</v></c></row>"#;
    workbook(&book, sheet, &["x", "y"], &[])?;
    let tables = |header| report(&ingest(&book, &place.path("out"), header)).map(|report| report.tables);
    let names = |tables: &[crate::tables::TableMeta]| -> Vec<String> {
        tables
            .iter()
            .flat_map(|t| t.columns.iter().map(|c| c.name.clone()))
            .collect()
    };
    let none = tables(HeaderOption::None)?;
    assert_eq!((names(&none), none[0].rows), (vec!["A".to_owned(), "B".to_owned()], 2));
    let two = tables(HeaderOption::Rows(1, 2))?;
    assert_eq!(
        (names(&two), two[0].rows),
        (vec!["x y".to_owned(), "y x".to_owned()], 0)
    );
    assert_eq!(
        code(&ingest(&book, &place.path("out"), HeaderOption::Rows(8, 9))),
        "header_not_found"
    );
    Ok(())
}

#[test]
fn kinds_that_change_late_lose_nothing() -> Outcome {
    let place = Place::new()?;
    let book = place.path("book.xlsx");
    let rows = 70_000_i64;
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
    let late: ArrayRef = Arc::new(StringArray::from_iter(
        (0..rows).map(|n| (n == rows - 1).then_some("late")),
    ));
    let mut sink = open(OutputFormat::Xlsx, &book)?;
    let column = |name: &str| OutputColumn {
        name: name.to_owned(),
        format: None,
    };
    sink.start_sheet(&OutputSheet {
        name: "S".to_owned(),
        columns: vec![column("n"), column("note")],
        formats: Vec::new(),
    })?;
    sink.write(&RecordBatch::try_from_iter_with_nullable([
        ("n", numbers, true),
        ("note", late, true),
    ])?)?;
    assert_eq!(sink.finish()?.rows, 70_000);
    let messages = ingest(&book, &place.path("out"), HeaderOption::Auto);
    let parts = messages.iter().filter(|m| matches!(m, Message::Part { .. })).count();
    let table = Table::open(&place.path("out/0"))?;
    assert_eq!((parts, table.meta().parts.len(), table.meta().rows), (2, 2, 70_000));
    let scan = Scan {
        columns: Some(vec![0, 1]),
        offset: 69_998,
        limit: Some(10),
        batch_rows: 8192,
    };
    let batches = table.read(&scan).collect::<Result<Vec<_>, _>>()?;
    let last = batches.last().ok_or("no rows")?;
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 2);
    assert_eq!(
        last.column(1).as_primitive::<Int64Type>().value(last.num_rows() - 1),
        rows - 1
    );
    assert_eq!(last.column(2).as_string::<i32>().value(last.num_rows() - 1), "late");
    Ok(())
}

#[test]
fn damaged_and_hostile_sheets_are_refused_by_name() -> Outcome {
    let place = Place::new()?;
    let refused = |name: &str, sheet: &str| -> Outcome<String> {
        let book = place.path(name);
        workbook(&book, sheet, &["x"], &[])?;
        Ok(code(&ingest(&book, &place.path("out"), HeaderOption::Auto)))
    };
    assert_eq!(
        refused(
            "rows.xlsx",
            r#"<row r="4294967295"><c r="A4294967295"><v>1</v></c></row>"#
        )?,
        "too_many_rows"
    );
    assert_eq!(
        refused("columns.xlsx", r#"<row r="1"><c r="XFE1"><v>1</v></c></row>"#)?,
        "too_many_columns"
    );
    assert_eq!(
        refused("zero.xlsx", r#"<row r="0"><c r="A0"><v>1</v></c></row>"#)?,
        "damaged"
    );
    assert_eq!(
        refused("index.xlsx", r#"<row r="1"><c r="A1" t="s"><v>99</v></c></row>"#)?,
        "damaged"
    );
    let long = format!(
        r#"<row r="1"><c r="A1" t="str"><v>{}</v></c></row>"#,
        "x".repeat((1 << 20) + 1)
    );
    assert_eq!(refused("long.xlsx", &long)?, "text_too_long");
    let huge = format!(
        r#"<row r="1"><c r="A1" t="str"><v>{}</v></c></row>"#,
        "x".repeat(40 << 20)
    );
    assert_eq!(refused("huge.xlsx", &huge)?, "text_too_long");

    let whole = std::fs::read(place.path("rows.xlsx"))?;
    std::fs::write(place.path("cut.xlsx"), &whole[..whole.len() / 2])?;
    assert_eq!(
        code(&ingest(&place.path("cut.xlsx"), &place.path("out"), HeaderOption::Auto)),
        "cut_off"
    );
    std::fs::write(place.path("empty.xlsx"), "")?;
    assert_eq!(
        code(&ingest(
            &place.path("empty.xlsx"),
            &place.path("out"),
            HeaderOption::Auto
        )),
        "empty"
    );
    Ok(())
}

/// A column of cells of one kind, blank ones among them.
fn column() -> impl Strategy<Value = ArrayRef> {
    const ROWS: usize = 40;
    fn cells<T: std::fmt::Debug + Clone>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<Option<T>>> {
        prop::collection::vec(prop::option::weighted(0.8, value), ROWS)
    }
    let text = "[ -~é😀＝]{1,12}";
    proptest::prop_oneof![
        cells(-9_007_199_254_740_992_i64..=9_007_199_254_740_992)
            .prop_map(|v| Arc::new(Int64Array::from(v)) as ArrayRef),
        cells(prop::num::f64::NORMAL.prop_map(|n| n % 1e15)).prop_map(|v| Arc::new(Float64Array::from(v)) as ArrayRef),
        cells(prop::bool::ANY).prop_map(|v| Arc::new(BooleanArray::from(v)) as ArrayRef),
        cells(-25_000_i32..2_900_000).prop_map(|v| Arc::new(Date32Array::from(v)) as ArrayRef),
        cells(-2_000_000_000_000_i64..200_000_000_000_000)
            .prop_map(|v| Arc::new(TimestampMillisecondArray::from(v)) as ArrayRef),
        cells(0_i32..86_400_000).prop_map(|v| Arc::new(Time32MillisecondArray::from(v)) as ArrayRef),
        cells(text).prop_map(|v| Arc::new(StringArray::from(v)) as ArrayRef),
    ]
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]
    #[test]
    fn what_is_written_is_read_back(columns in prop::collection::vec(column(), 1..6)) {
        let outcome = round_trip(&columns);
        prop_assert_eq!(outcome.map_err(|e| e.to_string()), Ok(()));
    }
}

fn round_trip(columns: &[ArrayRef]) -> Outcome {
    let place = Place::new()?;
    let book = place.path("book.xlsx");
    let names: Vec<String> = (0..columns.len()).map(|at| format!("name {at}")).collect();
    let output = names
        .iter()
        .map(|name| OutputColumn {
            name: name.clone(),
            format: None,
        })
        .collect();
    let batch = RecordBatch::try_from_iter_with_nullable(
        names
            .iter()
            .zip(columns)
            .map(|(name, column)| (name.as_str(), Arc::clone(column), true)),
    )?;
    let mut sink = open(OutputFormat::Xlsx, &book)?;
    sink.start_sheet(&OutputSheet {
        name: "S".to_owned(),
        columns: output,
        formats: Vec::new(),
    })?;
    sink.write(&batch)?;
    sink.finish()?;
    report(&ingest(&book, &place.path("out"), HeaderOption::Rows(1, 1)))?;
    let table = Table::open(&place.path("out/0"))?;
    let views = columns.iter().map(ColumnView::of).collect::<Result<Vec<_>, _>>()?;
    let mut seen = vec![false; batch.num_rows()];
    for read in table.read(&Scan::default()) {
        let read = read?;
        let numbers = ColumnView::of(read.column(0))?;
        for row in 0..read.num_rows() {
            // The header is row 1; rows without a cell are not there.
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a row number")]
            let source = numbers.cell(row).number as usize - 2;
            if let Some(seen) = seen.get_mut(source) {
                *seen = true;
            }
            for (at, view) in views.iter().enumerate() {
                let (written, back) = (view.cell(source), ColumnView::of(read.column(at + 1))?);
                let back = back.cell(row);
                if (written.kind, written.text) != (back.kind, back.text) || written.number != back.number {
                    return Err(format!("row {row} column {at}: {written:?} came back as {back:?}").into());
                }
            }
        }
    }
    let blank = |row: usize| views.iter().all(|view| view.cell(row).kind == CellKind::Blank);
    match (0..seen.len()).find(|row| !seen[*row] && !blank(*row)) {
        Some(row) => Err(format!("row {row} is lost").into()),
        None => Ok(()),
    }
}

#[test]
fn mixed_columns_go_out_as_they_came_in() -> Outcome {
    let place = Place::new()?;
    let book = place.path("book.xlsx");
    let sheet = r##"<row r="1"><c r="A1" t="s"><v>0</v></c></row>
        <row r="2"><c r="A2" s="1"><v>12</v></c></row><row r="3"><c r="A3" t="s"><v>1</v></c></row>
        <row r="4"><c r="A4" s="2"><v>45322</v></c></row><row r="5"><c r="A5" t="e"><v>#DIV/0!</v></c></row>
        <row r="6"><c r="A6" t="b"><v>0</v></c></row><row r="7"><c r="A7" s="3"><v>1.25</v></c></row>"##;
    workbook(&book, sheet, &["any", "=1+1"], &["00000", "dd/mm/yyyy", "[h]:mm"])?;
    let first = report(&ingest(&book, &place.path("out"), HeaderOption::Auto))?;
    let table = Table::open(&place.path("out/0"))?;
    assert_eq!(table.schema().field(1).data_type(), &ColumnKind::Mixed.arrow());
    assert!(matches!(table.schema().field(1).data_type(), DataType::Struct(_)));
    let again = place.path("again.xlsx");
    let mut sink = open(OutputFormat::Xlsx, &again)?;
    let column = OutputColumn {
        name: "any".to_owned(),
        format: table.meta().columns[0].format.clone(),
    };
    let formats = table.meta().formats.clone();
    sink.start_sheet(&OutputSheet {
        name: "S".to_owned(),
        columns: vec![column],
        formats,
    })?;
    for batch in table.read(&Scan::default()) {
        sink.write(&batch?.project(&[1])?)?;
    }
    sink.finish()?;
    let second = report(&ingest(&again, &place.path("out2"), HeaderOption::Auto))?;
    let shape = |report: &Report| {
        let table = &report.tables[0];
        (table.columns[0].kind, table.columns[0].profile.clone())
    };
    assert_eq!(shape(&first), shape(&second));
    let peek = |book: &Path| match peek_at(book, IngestOptions::default()).remove(0) {
        Message::Peek(answer) => Ok(answer.rows),
        other => Err(format!("{other:?}")),
    };
    let rows = peek(&again)?;
    assert_eq!(rows, peek(&book)?);
    assert_eq!(rows[1].cells, ["00012"]);
    Ok(())
}
