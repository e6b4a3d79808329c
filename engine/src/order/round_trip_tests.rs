//! What is read and written reads back as the same tables: for the corpus of real workbooks.
//!
//! What changes, and may: titles above the header and blank rows are gone, rows have new numbers, columns without a header and
//! without any cell are left out, columns that had no header have the names that were made for them, formulas are their values,
//! merged areas are single cells, errors that Excel does not have are texts, texts and truths have no number format, spans
//! of time one for spans, and a text of more than 32,767 characters, which no workbook may hold, is refused.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use arrow::array::ArrayRef;

use super::{IngestOrder, Message, Order, OutputRole, ProcessOrder, TableFiles, execute};
use crate::recipe::document::Recipe;
use crate::sheets::view::{CellView, ColumnView};
use crate::sheets::{CellKind, HeaderOption, IngestOptions, Limits};
use crate::tables::read::{Scan, Table};
use crate::tables::{ColumnKind, ColumnMeta, TableMeta};

type Fallible<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// The workbooks, beside the checkout; they are not part of it.
const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpus/files");

fn carry_out(order: Order) -> Result<Vec<Message>, String> {
    let mut messages = Vec::new();
    execute(order, &mut |message| messages.push(message));
    match messages.last() {
        Some(Message::Done(_)) => Ok(messages),
        Some(Message::Refused { code, .. } | Message::Failed { code, .. }) => Err(code.clone()),
        other => Err(format!("{other:?}")),
    }
}

fn ingest(input: &Path, out: &Path, header: HeaderOption) -> Result<Vec<PathBuf>, String> {
    let messages = carry_out(Order::Ingest(IngestOrder {
        input: input.to_owned(),
        name: "book".to_owned(),
        options: IngestOptions {
            header,
            ..IngestOptions::default()
        },
        limits: Limits::default(),
        out: out.to_owned(),
    }))?;
    let tables = messages.into_iter().filter_map(|message| match message {
        Message::Table { folder, .. } => Some(out.join(folder)),
        _ => None,
    });
    Ok(tables.collect())
}

/// Writes all tables into one workbook.
fn write(tables: &[PathBuf], folder: &Path) -> Result<PathBuf, String> {
    let make = |name: &str| {
        let path = folder.join(name);
        std::fs::create_dir_all(&path).map_err(|error| error.to_string())?;
        Ok::<_, String>(path)
    };
    let (out, scratch) = (make("out")?, make("scratch")?);
    let messages = carry_out(Order::Process(ProcessOrder {
        name: "book".to_owned(),
        tables: tables
            .iter()
            .map(|folder| TableFiles { folder: folder.clone() })
            .collect(),
        recipe: Recipe::parse("input: {sheets: all}\nsteps: []").map_err(|problems| format!("{problems:?}"))?,
        references: Default::default(),
        mapping: Default::default(),
        out: out.clone(),
        scratch,
        memory: 256 << 20,
        jobs: 1,
    }))?;
    let made = messages.iter().find_map(|message| match message {
        Message::Output(output) if output.role == OutputRole::Result => Some(out.join(&output.path)),
        _ => None,
    });
    made.ok_or_else(|| "no result".to_owned())
}

fn columns(table: &Table) -> Fallible<Vec<Vec<ArrayRef>>> {
    let mut batches = Vec::new();
    for batch in table.read(&Scan::default()) {
        batches.push(batch?.columns()[1..].to_vec());
    }
    Ok(batches)
}

/// A cell by what counts: kind, number, text, and the code of its format where it is one of several kinds.
fn told(cell: &CellView<'_>, meta: &TableMeta) -> String {
    match cell.kind {
        CellKind::Blank => String::new(),
        // What Excel has no word for comes back as a text: OpenDocument has errors such as `Err:502`.
        CellKind::Error if !cell.text.starts_with('#') => format!("text {:?}", cell.text),
        CellKind::Text | CellKind::Error => format!("{} {:?}", cell.kind.word(), cell.text),
        CellKind::Boolean | CellKind::Duration => format!("{} {}", cell.kind.word(), cell.number),
        kind => format!("{} {:?} {:?}", kind.word(), cell.number, cell.code(None, &meta.formats)),
    }
}

fn cells(table: &Table) -> Fallible<Vec<Vec<String>>> {
    let mut all = vec![Vec::new(); table.meta().columns.len()];
    for batch in columns(table)? {
        for (cells, column) in all.iter_mut().zip(&batch) {
            let view = ColumnView::of(column)?;
            cells.extend((0..column.len()).map(|row| told(&view.cell(row), table.meta())));
        }
    }
    Ok(all)
}

/// Errors that become texts make a column of several kinds one of text.
fn kind(kind: ColumnKind) -> ColumnKind {
    if kind == ColumnKind::Mixed {
        ColumnKind::Text
    } else {
        kind
    }
}

/// The first difference between two tables.
fn difference(before: &Table, after: &Table) -> Fallible<Option<String>> {
    let head = |table: &Table| -> Vec<_> {
        let format = |column: &ColumnMeta| {
            use ColumnKind::{Date, DateTime, Decimal, Integer, Time};
            let shows = matches!(column.kind, Date | DateTime | Decimal | Integer | Time);
            column.format.clone().filter(|_| shows)
        };
        let columns = table.meta().columns.iter();
        columns
            .map(|column| (column.name.clone(), kind(column.kind), format(column)))
            .collect()
    };
    let (ours, theirs) = (head(before), head(after));
    if let Some((a, b)) = ours.iter().zip(&theirs).find(|(a, b)| a != b) {
        return Ok(Some(format!("{a:?} became {b:?}")));
    }
    let size = |table: &Table| (table.meta().columns.len(), table.meta().rows);
    if size(before) != size(after) {
        return Ok(Some(format!("{:?} became {:?}", size(before), size(after))));
    }
    for (column, (a, b)) in cells(before)?.iter().zip(&cells(after)?).enumerate() {
        if let Some(row) = (0..a.len()).find(|row| a[*row] != b[*row]) {
            return Ok(Some(format!(
                "{:?}, data row {row}: {} became {}",
                ours[column].0, a[row], b[row]
            )));
        }
    }
    Ok(None)
}

/// What is wrong with a workbook's way there and back; `None` also for one that is refused.
fn round_trip(file: &Path) -> Fallible<Option<String>> {
    let folder = tempfile::tempdir()?;
    let Ok(first) = ingest(file, &folder.path().join("first"), HeaderOption::Auto) else {
        return Ok(None);
    };
    // A sheet without a column has nothing to come back.
    let mut tables = Vec::new();
    for folder in first {
        let table = Table::open(&folder)?;
        if !table.meta().columns.is_empty() {
            tables.push((folder, table));
        }
    }
    for (at, (source, before)) in tables.iter().enumerate() {
        let folder = folder.path().join(format!("again-{at}"));
        let written = match write(std::slice::from_ref(source), &folder) {
            Ok(written) => written,
            Err(code) => return Ok(Some(format!("{}: not written: {code}", before.meta().sheet))),
        };
        let again = ingest(&written, &folder.join("second"), HeaderOption::Rows(1, 1))
            .map_err(|code| format!("not read again: {code}"))?;
        let after = Table::open(again.first().ok_or("no sheet came back")?)?;
        if let Some(difference) = difference(before, &after)? {
            return Ok(Some(format!("{}: {difference}", before.meta().sheet)));
        }
    }
    Ok(None)
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) -> Fallible {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files(&path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

#[test]
fn every_workbook_of_the_corpus_comes_back_as_it_was() -> Fallible {
    if !Path::new(CORPUS).is_dir() {
        return Ok(());
    }
    let mut all = Vec::new();
    files(Path::new(CORPUS), &mut all)?;
    all.sort();
    let (left, wrong) = (Mutex::new(all), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(file) = left.lock().ok().and_then(|mut left| left.pop()) {
                    let found = round_trip(&file).unwrap_or_else(|error| Some(error.to_string()));
                    if let (Some(found), Ok(mut wrong)) = (found, wrong.lock()) {
                        let name = file.file_name().unwrap_or_default().to_string_lossy();
                        wrong.push(format!("{name}: {found}"));
                    }
                }
            });
        }
    });
    let mut wrong = wrong.into_inner()?;
    wrong.sort();
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}
