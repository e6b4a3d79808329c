//! Gives people their own sheet back: all of its rows, cells that something is wrong with in colour and with a note, and the
//! columns `_row` and `_errors`. Sheets with which nothing is wrong are left out.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, UInt32Array};
use arrow::datatypes::{DataType, Int64Type, UInt32Type};
use futures_util::StreamExt;
use tokio::runtime::Runtime;

use super::super::ProcessOrder;
use super::outputs::{ERRORS, ROW, fresh_name, list_sheet};
use crate::recipe::columns::of_table;
use crate::recipe::plan::external::{self, BatchStream, Key, SORT_ROWS};
use crate::recipe::plan::findings::{BETWEEN, sentence};
use crate::recipe::plan::operator::PlanError;
use crate::recipe::rejects::{HEADERS, Severity, Spool, schema};
use crate::sheets::write::{Mark, OutputColumn, OutputSheet, Sink, Tone};
use crate::tables::read::{Scan, Table};

/// The sheet for findings about rows that come from no single row of the sheet, such as groups.
const OTHERS: &str = "Other findings";
const LOST: PlanError = PlanError::Internal("a finding lost its columns");

/// Something that is wrong with a row.
struct Finding {
    /// The position of the sheet's column, where it is about a cell.
    column: Option<usize>,
    message: String,
    /// The message with the column's name.
    sentence: String,
    tone: Tone,
}

/// Writes a sheet with the findings about it into an open workbook; answers how many rows it has.
pub(super) fn annotate(
    order: &ProcessOrder,
    runtime: &Runtime,
    table: &Table,
    spool: Spool,
    sink: &mut dyn Sink,
) -> Result<u64, PlanError> {
    let mut findings = Findings::new(order, runtime, table, spool)?;
    sink.start_sheet(&sheet(table))?;
    let scan = Scan {
        batch_rows: SORT_ROWS,
        ..Scan::default()
    };
    for part in 0..table.meta().parts.len() {
        for batch in table.read_part(part, &scan) {
            let (batch, marks) = annotated(&batch?, &mut findings)?;
            sink.write_marked(&batch, &marks)?;
        }
    }
    let mut rest = findings.rest()?;
    if let Some(first) = rest.next().transpose()? {
        sink.start_sheet(&list_sheet(OTHERS))?;
        sink.write(&first)?;
        for batch in rest {
            sink.write(&batch?)?;
        }
    }
    Ok(table.meta().rows)
}

/// The sheet as it was read, and the columns of ours.
fn sheet(table: &Table) -> OutputSheet {
    let meta = table.meta();
    let columns = of_table(meta);
    let own = [ROW, ERRORS].map(|name| OutputColumn {
        name: fresh_name(name, &columns),
        format: None,
    });
    let read = columns.iter().map(|column| OutputColumn {
        name: column.name.clone(),
        format: column.format.clone(),
    });
    OutputSheet {
        name: meta.sheet.clone(),
        columns: read.chain(own).collect(),
        formats: meta.formats.clone(),
    }
}

/// A batch of the table with our columns behind, and what is to be coloured in it.
fn annotated(batch: &RecordBatch, findings: &mut Findings<'_>) -> Result<(RecordBatch, Vec<Mark>), PlanError> {
    let rows: &UInt32Array = batch
        .column(0)
        .as_primitive_opt::<UInt32Type>()
        .ok_or(PlanError::Internal("a part has no rows"))?;
    let width = batch.num_columns() - 1;
    let (mut marks, mut errors) = (Vec::new(), Vec::with_capacity(rows.len()));
    for (row, number) in rows.values().iter().enumerate() {
        let of_row = findings.of_row(i64::from(*number))?;
        if of_row.is_empty() {
            errors.push(None);
            continue;
        }
        marks.extend(marks_of(row, &of_row));
        let worst = of_row.iter().map(|it| it.tone).max().unwrap_or(Tone::Odd);
        marks.push(Mark {
            row,
            column: width + 1,
            tone: worst,
            note: String::new(),
        });
        let sentences: Vec<&str> = of_row.iter().map(|it| it.sentence.as_str()).collect();
        errors.push(Some(sentences.join(BETWEEN)));
    }
    let numbers: Int64Array = rows.values().iter().map(|row| Some(i64::from(*row))).collect();
    let own: [(&str, ArrayRef); 2] = [
        ("row", Arc::new(numbers)),
        ("errors", Arc::new(StringArray::from(errors))),
    ];
    let names: Vec<String> = (0..width).map(|column| format!("c{column}")).collect();
    let read = names
        .iter()
        .map(String::as_str)
        .zip(batch.columns()[1..].iter().cloned());
    let columns = read.chain(own).map(|(name, array)| (name, array, true));
    Ok((RecordBatch::try_from_iter_with_nullable(columns)?, marks))
}

/// The marks of a row, one for each cell, in the order of columns.
fn marks_of(row: usize, findings: &[Finding]) -> Vec<Mark> {
    let mut marks: Vec<Mark> = Vec::new();
    for finding in findings {
        let Some(column) = finding.column else { continue };
        match marks.iter_mut().find(|mark| mark.column == column) {
            None => marks.push(Mark {
                row,
                column,
                tone: finding.tone,
                note: finding.message.clone(),
            }),
            Some(mark) => {
                mark.tone = mark.tone.max(finding.tone);
                mark.note.push('\n');
                mark.note.push_str(&finding.message);
            }
        }
    }
    marks.sort_by_key(|mark| mark.column);
    marks
}

/// Findings in the order of the sheet's rows; those without a row come last.
struct Findings<'a> {
    runtime: &'a Runtime,
    sorted: BatchStream,
    /// The sheet's columns by their letters.
    columns: HashMap<String, usize>,
    batch: Option<RecordBatch>,
    /// The next row of the batch.
    at: usize,
}

impl<'a> Findings<'a> {
    fn new(order: &ProcessOrder, runtime: &'a Runtime, table: &Table, spool: Spool) -> Result<Self, PlanError> {
        let columns = table.meta().columns.iter().enumerate();
        let mut next = 0;
        let numbered = spool.batches()?.map(move |batch| {
            let batch = batch?;
            let batch = external::with_columns(&batch, vec![external::ordinals(&mut next, batch.num_rows())])?;
            external::compact(&batch)
        });
        let numbered = external::flattened(futures_util::stream::iter(numbered));
        let keyed = external::schema_with(&schema(), &[DataType::UInt64]);
        let position = |name: &str| HEADERS.iter().position(|header| *header == name).unwrap_or_default();
        let keys = [
            Key::ascending(position("row")),
            Key::ascending(position("step")),
            Key::ascending(HEADERS.len()),
        ];
        let memory = usize::try_from(order.memory / 4).unwrap_or(usize::MAX).max(32 << 20);
        let _entered = runtime.enter();
        Ok(Self {
            runtime,
            sorted: external::sort(numbered, keyed, &keys, memory, &order.scratch)?,
            columns: columns.map(|(at, column)| (column.letters.clone(), at)).collect(),
            batch: None,
            at: 0,
        })
    }

    /// Makes sure that there is a batch with a row to come; false: there is none.
    fn fill(&mut self) -> Result<bool, PlanError> {
        while self.batch.as_ref().is_none_or(|batch| self.at >= batch.num_rows()) {
            let Some(batch) = self.runtime.block_on(self.sorted.next()) else {
                return Ok(false);
            };
            (self.batch, self.at) = (Some(batch?), 0);
        }
        Ok(true)
    }

    /// What is wrong with a row; rows are asked for in their order.
    fn of_row(&mut self, row: i64) -> Result<Vec<Finding>, PlanError> {
        let mut found = Vec::new();
        while self.fill()? {
            let Some(batch) = &self.batch else { break };
            let rows = batch.column(2).as_primitive_opt::<Int64Type>().ok_or(LOST)?;
            if rows.is_null(self.at) || rows.value(self.at) != row {
                break;
            }
            found.push(finding(batch, self.at, &self.columns)?);
            self.at += 1;
        }
        Ok(found)
    }

    /// What is left, as lines of the list of rejects.
    fn rest(mut self) -> Result<impl Iterator<Item = Result<RecordBatch, PlanError>> + use<'a>, PlanError> {
        let columns: Vec<usize> = (0..HEADERS.len()).collect();
        Ok(std::iter::from_fn(move || match self.fill() {
            Err(error) => Some(Err(error)),
            Ok(false) => None,
            Ok(true) => {
                let batch = self.batch.take()?;
                let rest = batch.slice(self.at, batch.num_rows() - self.at);
                Some(rest.project(&columns).map_err(PlanError::from))
            }
        }))
    }
}

fn finding(batch: &RecordBatch, row: usize, columns: &HashMap<String, usize>) -> Result<Finding, PlanError> {
    let text = |name: &str| {
        let column = HEADERS.iter().position(|header| *header == name).ok_or(LOST)?;
        let texts = batch.column(column).as_string_opt::<i32>().ok_or(LOST)?;
        Ok::<_, PlanError>(texts.is_valid(row).then(|| texts.value(row)))
    };
    let severity = match text("severity")? {
        Some("warning") => Severity::Warning,
        _ => Severity::Error,
    };
    let message = text("message")?.unwrap_or_default();
    Ok(Finding {
        column: text("cell")?.and_then(|cell| {
            columns
                .get(cell.trim_end_matches(|c: char| c.is_ascii_digit()))
                .copied()
        }),
        message: message.to_owned(),
        sentence: sentence(text("column")?, message, severity),
        tone: match severity {
            Severity::Error => Tone::Bad,
            Severity::Warning => Tone::Odd,
        },
    })
}
