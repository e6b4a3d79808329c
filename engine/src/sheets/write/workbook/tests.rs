//! What is written reads back as it was, by calamine and by our own reader; the same bytes whatever the threads and batches.

use std::error::Error;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray, StructArray, Time32MillisecondArray,
    TimestampMillisecondArray, UInt8Array, UInt16Array,
};
use arrow::datatypes::{DataType, Field, Fields};
use calamine::{Data, Reader as _};
use proptest::prelude::*;

use super::super::super::book::Book;
use super::super::super::kind::CellKind;
use super::super::super::view::{ColumnView, MIXED_FIELDS};
use super::super::super::{IngestOptions, Limits};
use super::super::{OutputColumn, open_xlsx};
use super::*;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// A cell of a column of cells that disagree: kind, number, text, number format.
type Mixed = (CellKind, f64, String, u16);

const FORMATS: [&str; 4] = ["General", "0.00", "dd/mm/yyyy", "#,##0 \"x<&>\""];

fn mixed(cells: &[Option<Mixed>]) -> ArrayRef {
    let blank = (CellKind::Blank, 0.0, String::new(), 0);
    let all: Vec<&Mixed> = cells.iter().map(|cell| cell.as_ref().unwrap_or(&blank)).collect();
    let types = [DataType::UInt8, DataType::Float64, DataType::Utf8, DataType::UInt16];
    let fields: Fields = (MIXED_FIELDS.iter().zip(types))
        .map(|(name, kind)| Field::new(*name, kind, true))
        .collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(all.iter().map(|cell| Some(cell.0.code())).collect::<UInt8Array>()),
        Arc::new(all.iter().map(|cell| Some(cell.1)).collect::<Float64Array>()),
        Arc::new(all.iter().map(|cell| Some(cell.2.as_str())).collect::<StringArray>()),
        Arc::new(all.iter().map(|cell| Some(cell.3)).collect::<UInt16Array>()),
    ];
    let filled: Vec<bool> = cells.iter().map(Option::is_some).collect();
    Arc::new(StructArray::new(fields, columns, Some(filled.into())))
}

fn batch(columns: Vec<ArrayRef>) -> Outcome<RecordBatch> {
    let named = columns.into_iter().enumerate();
    Ok(RecordBatch::try_from_iter_with_nullable(
        named.map(|(at, column)| (format!("c{at}"), column, true)),
    )?)
}

fn sheet(name: &str, columns: usize) -> OutputSheet {
    let column = |at| OutputColumn {
        name: format!("column {at}"),
        format: (at == 1).then(|| "0.000".to_owned()),
    };
    OutputSheet {
        name: name.to_owned(),
        columns: (0..columns).map(column).collect(),
        formats: FORMATS.map(str::to_owned).into(),
    }
}

/// Writes the rows of batches as one sheet, in batches of so many rows.
fn write(path: &Path, rows: &RecordBatch, step: usize, threads: usize, compression: Compression) -> Outcome<Written> {
    let mut sink = open_xlsx(compression, threads, path)?;
    sink.start_sheet(&sheet("Rows & <more>", rows.num_columns()))?;
    for from in (0..rows.num_rows()).step_by(step) {
        sink.write(&rows.slice(from, step.min(rows.num_rows() - from)))?;
    }
    Ok(sink.finish()?)
}

/// A cell in words, by kind and value.
fn told(kind: CellKind, number: f64, text: &str) -> String {
    match kind {
        CellKind::Blank => String::new(),
        CellKind::Text | CellKind::Error => format!("{} {text:?}", kind.word()),
        // Zero has no sign to most readers.
        kind => format!("{} {:?}", kind.word(), number + 0.0),
    }
}

/// What our reader finds in the rows below the header.
fn ours(path: &Path, columns: usize, rows: usize) -> Outcome<Vec<Vec<String>>> {
    let limits = Limits::default();
    let mut book = Book::open(path, &IngestOptions::default(), &limits)?;
    let info = book.sheets().first().cloned().ok_or("no sheet")?;
    let mut cells = book.cells(&info)?;
    let mut found = vec![vec![String::new(); columns]; rows];
    while let Some(cell) = cells.next()? {
        if let Some(row) = (cell.row as usize).checked_sub(2) {
            found[row][cell.column as usize] = told(cell.kind, cell.number, cell.text);
        }
    }
    Ok(found)
}

/// What calamine finds there: kinds of numbers are as its formats say.
fn theirs(path: &Path, columns: usize, rows: usize) -> Outcome<Vec<Vec<Data>>> {
    let mut book: calamine::Xlsx<_> = calamine::open_workbook(path)?;
    let name = book.sheet_names().first().cloned().ok_or("no sheet")?;
    let range = book.worksheet_range(&name)?;
    let cell = |row: usize, column: usize| {
        let at = (u32::try_from(row + 1).ok()?, u32::try_from(column).ok()?);
        range.get_value(at).cloned()
    };
    let row = |row| {
        (0..columns)
            .map(|column| cell(row, column).unwrap_or_default())
            .collect()
    };
    Ok((0..rows).map(row).collect())
}

/// Texts that programs stumble over.
fn nasty() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-z]{1,3}",
        1 => Just(String::new()),
        2 => "\\PC{0,12}",
        2 => "[ \t\n\r\u{0}-\u{1f}<>&\"'_x0-9A-F=+@-]{0,14}",
        1 => "_x00[0-9a-f]{2}[_\u{1}\u{fffe}x]{0,2}",
        1 => Just("x".repeat(33_000)),
        1 => Just("é🦀".repeat(9_000)),
    ]
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        any::<i64>().prop_map(|n| n as f64),
        (-1000..1000).prop_map(f64::from),
        (0..100_000).prop_map(|n| f64::from(n) / 100.0),
    ]
}

fn mixed_cell() -> impl Strategy<Value = Mixed> {
    let plain = |kind, number, format| (kind, number, String::new(), format);
    prop_oneof![
        nasty().prop_map(|text| (CellKind::Text, 0.0, text, 0)),
        number().prop_map(move |n| plain(CellKind::Number, n, 1)),
        any::<bool>().prop_map(move |b| plain(CellKind::Boolean, f64::from(u8::from(b)), 0)),
        (61..2_958_000).prop_map(move |day| plain(CellKind::Date, f64::from(day), 2)),
        (0_usize..8).prop_map(|at| {
            let errors = [
                "#N/A", "#NUM!", "#REF!", "#DIV/0!", "#NULL!", "#NAME?", "#VALUE!", "Err:502",
            ];
            (CellKind::Error, 0.0, errors[at].to_owned(), 0)
        }),
    ]
}

/// A column of each kind.
fn columns() -> impl Strategy<Value = Vec<ArrayRef>> {
    use proptest::collection::vec;
    use proptest::option::of;
    (1_usize..60).prop_flat_map(|rows| {
        let first = (
            vec(of(nasty()), rows).prop_map(|it| Arc::new(StringArray::from(it)) as ArrayRef),
            vec(of(number()), rows).prop_map(|it| Arc::new(Float64Array::from(it)) as ArrayRef),
            vec(of(any::<i64>()), rows).prop_map(|it| Arc::new(Int64Array::from(it)) as ArrayRef),
            vec(of(any::<bool>()), rows).prop_map(|it| Arc::new(BooleanArray::from(it)) as ArrayRef),
        );
        let moments = -2_300_000_000_000_i64..250_000_000_000_000;
        let second = (
            vec(of(-30_000..3_000_000), rows).prop_map(|it| Arc::new(Date32Array::from(it)) as ArrayRef),
            vec(of(moments), rows).prop_map(|it| Arc::new(TimestampMillisecondArray::from(it)) as ArrayRef),
            vec(of(0..86_400_000), rows).prop_map(|it| Arc::new(Time32MillisecondArray::from(it)) as ArrayRef),
            vec(of(mixed_cell()), rows).prop_map(|it| mixed(&it)),
        );
        (first, second).prop_map(|((a, b, c, d), (e, f, g, h))| vec![a, b, c, d, e, f, g, h])
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_written_reads_back(columns in columns()) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("book.xlsx");
        let rows = batch(columns).expect("a batch");
        let written = write(&path, &rows, 17, 2, Compression::Fast).expect("written");
        let views: Vec<ColumnView> = rows.columns().iter().map(|column| ColumnView::of(column).expect("a column")).collect();
        let (width, height) = (rows.num_columns(), rows.num_rows());
        let ours = ours(&path, width, height).expect("read by us");
        let theirs = theirs(&path, width, height).expect("read by calamine");
        let mut cut_texts = 0;
        for row in 0..height {
            for (column, view) in views.iter().enumerate() {
                let cell = view.cell(row);
                let kind = super::super::rules::written_as(&cell);
                let text = super::super::rules::cut(cell.text, &mut cut_texts);
                let kind = match kind {
                    CellKind::Text if text.is_empty() => CellKind::Blank,
                    // A day or moment before 1900 or a number that is none cannot be shown.
                    CellKind::Number if !cell.number.is_finite() => CellKind::Error,
                    kind => kind,
                };
                let text = if kind == CellKind::Error && text.is_empty() { "#NUM!" } else { text };
                let found = &ours[row][column];
                let wanted = told(kind, cell.number, text);
                prop_assert_eq!(found, &wanted, "our reader, row {}, column {}", row, column);
                let same = match (&theirs[row][column], kind) {
                    (Data::Empty, CellKind::Blank) => true,
                    (Data::String(found), CellKind::Text) => found == text,
                    (Data::Bool(found), CellKind::Boolean) => *found == (cell.number != 0.0),
                    (Data::Error(found), CellKind::Error) => found.to_string() == text,
                    (Data::Float(found), CellKind::Number) => *found == cell.number,
                    (Data::Int(found), CellKind::Number) => *found as f64 == cell.number,
                    (Data::DateTime(found), _) => found.as_f64() == cell.number,
                    _ => false,
                };
                prop_assert!(same, "calamine: {:?} of {}, row {row}, column {column}", theirs[row][column], wanted);
            }
        }
        prop_assert_eq!(written.cut_texts, cut_texts);
    }
}

fn many(rows: i64) -> Outcome<RecordBatch> {
    let words = ["north", "south", " east", "=west"];
    batch(vec![
        Arc::new(Int64Array::from_iter_values(0..rows)),
        Arc::new(Float64Array::from_iter_values((0..rows).map(|n| n as f64 / 7.0))),
        Arc::new(StringArray::from_iter_values((0..rows).map(|n| words[n as usize % 4]))),
        Arc::new(StringArray::from_iter_values((0..rows).map(|n| format!("only {n}")))),
        Arc::new(Date32Array::from_iter_values((0..rows).map(|n| (n % 20_000) as i32))),
    ])
}

#[test]
fn the_same_rows_give_the_same_bytes_with_any_threads_and_batches() -> Outcome {
    let (folder, rows) = (tempfile::tempdir()?, many(30_000)?);
    let of = |step: usize, threads: usize, compression| -> Outcome<Vec<u8>> {
        let path = folder.path().join("book.xlsx");
        write(&path, &rows, step, threads, compression)?;
        Ok(std::fs::read(path)?)
    };
    let first = of(30_000, 1, Compression::Fast)?;
    for (step, threads) in [(30_000, 2), (30_000, 8), (30_000, 1), (7, 2), (4_096, 3)] {
        assert!(
            first == of(step, threads, Compression::Fast)?,
            "{step} rows, {threads} threads"
        );
    }
    let smaller = of(30_000, 2, Compression::Balanced)?.len();
    let smallest = of(30_000, 2, Compression::Small)?.len();
    assert!(
        smallest < smaller && smaller < first.len(),
        "{smallest} {smaller} {}",
        first.len()
    );
    Ok(())
}

fn part(path: &Path, name: &str) -> Outcome<String> {
    let mut text = String::new();
    ::zip::ZipArchive::new(File::open(path)?)?
        .by_name(name)?
        .read_to_string(&mut text)?;
    Ok(text)
}

#[test]
fn a_workbook_has_a_frozen_header_filters_widths_and_formats() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("book.xlsx");
    let mut sink = open_xlsx(Compression::Fast, 2, &path)?;
    sink.start_sheet(&sheet("Orders", 5))?;
    sink.write(&many(3)?)?;
    sink.start_sheet(&OutputSheet {
        name: "orders".to_owned(),
        columns: vec![OutputColumn {
            name: "=1+1".to_owned(),
            format: None,
        }],
        formats: Vec::new(),
    })?;
    let written = sink.finish()?;
    assert_eq!(written.sheets, ["Orders", "orders (2)"]);
    let first = part(&path, "xl/worksheets/sheet1.xml")?;
    for piece in [
        r#"<dimension ref="A1:E4"/>"#,
        r#"<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>"#,
        r#"<col min="2" max="2" width="11.42578125" style="2" customWidth="1"/>"#,
        r#"<row r="1"><c r="A1" s="4" t="inlineStr"><is><t>column 0</t></is></c>"#,
        r#"<row r="2"><c r="A2"><v>0</v></c><c r="B2" s="2"><v>0</v></c><c r="C2" t="s"><v>0</v></c>"#,
        r#"<c r="E4" s="3"><v>25571</v></c></row></sheetData><autoFilter ref="A1:E4"/>"#,
    ] {
        assert!(first.contains(piece), "{piece} is not in {first}");
    }
    let second = part(&path, "xl/worksheets/sheet2.xml")?;
    assert!(second.contains(r#"<row r="1"><c r="A1" s="5" t="inlineStr"><is><t>=1+1</t></is></c></row></sheetData><autoFilter ref="A1:A2"/>"#), "{second}");
    let styles = part(&path, "xl/styles.xml")?;
    assert!(
        styles
            .contains(r#"<numFmt numFmtId="164" formatCode="0.000"/><numFmt numFmtId="165" formatCode="yyyy-mm-dd"/>"#),
        "{styles}"
    );
    let workbook = part(&path, "xl/workbook.xml")?;
    assert!(
        workbook.contains("localSheetId=\"0\" hidden=\"1\">'Orders'!$A$1:$E$4<"),
        "{workbook}"
    );
    Ok(())
}

#[test]
fn a_workbook_without_sheets_rows_or_columns_opens() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("book.xlsx");
    let written = open_xlsx(Compression::Fast, 1, &path)?.finish()?;
    assert_eq!(written.sheets, ["Sheet"]);
    let mut book: calamine::Xlsx<_> = calamine::open_workbook(&path)?;
    assert!(book.worksheet_range("Sheet")?.is_empty());
    let mut sink = open_xlsx(Compression::Fast, 1, &path)?;
    let wide: Vec<ArrayRef> = (0..SHEET_COLUMNS)
        .map(|at| Arc::new(Int64Array::from_iter_values([at as i64, 1, 2])) as ArrayRef)
        .collect();
    sink.start_sheet(&sheet("Wide", SHEET_COLUMNS))?;
    sink.write(&batch(wide)?)?;
    assert!(sink.start_sheet(&sheet("Wider", SHEET_COLUMNS + 1)).is_err());
    sink.finish()?;
    let mut book: calamine::Xlsx<_> = calamine::open_workbook(&path)?;
    assert_eq!(
        book.worksheet_range("Wide")?.get_value((1, 16_383)),
        Some(&Data::Float(16_383.0))
    );
    Ok(())
}
