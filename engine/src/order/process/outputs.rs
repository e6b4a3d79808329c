//! The files that a recipe makes of the tables of a file, one after another.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema, SchemaRef};

use super::super::{Output, OutputRole, ProcessOrder};
use super::names::Names;
use crate::recipe::columns::Column;
use crate::recipe::document::{ListFormat, OutputFormat, RejectsPolicy, SplitInto};
use crate::recipe::plan::Plan;
use crate::recipe::plan::chunk::Chunk;
use crate::recipe::plan::operator::PlanError;
use crate::recipe::rejects::{HEADERS, Spool};
use crate::sheets::view::ColumnView;
use crate::sheets::write::{self, Encoding, OutputColumn, OutputSheet, Sink, WriteError, Written};
use crate::tables::read::Table;
use crate::tables::{ColumnKind, Issue, counted};

/// Names of the columns that say where a row comes from and what is wrong with it.
pub(super) const ROW: &str = "_row";
pub(super) const ERRORS: &str = "_errors";

/// Parts that a result is split into at most: lists show them all, and a workbook all its tabs.
const MOST_FILES: usize = 1000;
const MOST_SHEETS: usize = 150;
const NOTHING_OPEN: PlanError = PlanError::Internal("no output is open");

/// The files that are written.
pub(super) struct Outputs<'a> {
    order: &'a ProcessOrder,
    names: Names,
    /// Files and sheets of values so far.
    parts: usize,
    table: Option<Shape>,
    open: Option<(Box<dyn Sink>, Output)>,
    made: Vec<Output>,
    /// What writers could not do, over all files.
    losses: Losses,
}

/// What writers could not do.
#[derive(Clone, Copy, Debug, Default)]
struct Losses {
    cut_texts: u64,
    notes_left_out: u64,
    replaced: u64,
}

/// How the rows of the current table go out.
struct Shape {
    schema: SchemaRef,
    /// Whether they say where they come from and what is wrong with them.
    flagged: bool,
    sheet: OutputSheet,
    /// The position and number format of the column that the result is split by.
    split: Option<(usize, Option<String>)>,
    /// The value whose part is open.
    value: Option<String>,
    /// Whether a file or sheet of this table is open.
    begun: bool,
}

impl<'a> Outputs<'a> {
    /// Nothing is written yet.
    pub(super) fn new(order: &'a ProcessOrder) -> Self {
        Self {
            order,
            names: Names::new(order),
            parts: 0,
            table: None,
            open: None,
            made: Vec::new(),
            losses: Losses::default(),
        }
    }

    /// Begins a table, in the open workbook or in a file of its own.
    pub(super) fn start_table(&mut self, table: &Table, plan: &Plan) -> Result<(), PlanError> {
        let split = self.order.recipe.output.split.as_ref();
        self.table = Some(Shape::of(table, plan, split.map(|split| split.column.as_str())));
        if split.is_none() {
            self.begin(None)?;
        }
        Ok(())
    }

    /// Adds rows of the current table. Where the result is split, the rows of a value stand together.
    pub(super) fn write(&mut self, chunk: &Chunk) -> Result<(), PlanError> {
        let shape = self.table.as_ref().ok_or(NOTHING_OPEN)?;
        let batch = shape.batch(chunk)?;
        let Some((column, format)) = shape.split.clone() else {
            return self.put(&batch);
        };
        let view = ColumnView::of(batch.column(column))?;
        let mut from = 0;
        for row in 0..batch.num_rows() {
            let cell = view.cell(row);
            let value = cell.plain(format.as_deref());
            let same = |shape: &Shape| shape.begun && shape.value.as_deref() == Some(value.as_ref());
            if self.table.as_ref().is_some_and(same) {
                continue;
            }
            if row > from {
                self.put(&batch.slice(from, row - from))?;
            }
            self.begin(Some(&value))?;
            from = row;
        }
        self.put(&batch.slice(from, batch.num_rows() - from))
    }

    fn put(&mut self, batch: &RecordBatch) -> Result<(), PlanError> {
        let (sink, output) = self.open.as_mut().ok_or(NOTHING_OPEN)?;
        sink.write(batch)?;
        output.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// Begins the part of a value, or all of the current table.
    fn begin(&mut self, value: Option<&str>) -> Result<(), PlanError> {
        let mut shape = self.table.take().ok_or(NOTHING_OPEN)?;
        let output = &self.order.recipe.output;
        let into = output.split.as_ref().map(|split| split.into);
        if output.format != OutputFormat::Xlsx || into == Some(SplitInto::Files) {
            self.finish()?;
        }
        self.count_part(into)?;
        let in_file = value.filter(|_| into == Some(SplitInto::Files));
        if self.open.is_none() {
            self.open = Some(self.new_file(&shape.sheet.name, in_file)?);
        }
        let mut sheet = shape.sheet.clone();
        if let (Some(SplitInto::Sheets), Some(value)) = (into, value) {
            sheet.name = if value.is_empty() {
                "blank".to_owned()
            } else {
                value.to_owned()
            };
        }
        let (sink, _) = self.open.as_mut().ok_or(NOTHING_OPEN)?;
        sink.start_sheet(&sheet)?;
        (shape.value, shape.begun) = (value.map(str::to_owned), true);
        self.table = Some(shape);
        Ok(())
    }

    /// Counts one more part, up to as many as can be.
    fn count_part(&mut self, into: Option<SplitInto>) -> Result<(), PlanError> {
        let (most, what) = match into {
            None => return Ok(()),
            Some(SplitInto::Files) => (MOST_FILES, "files"),
            Some(SplitInto::Sheets) => (MOST_SHEETS, "sheets"),
        };
        self.parts += 1;
        if self.parts <= most {
            return Ok(());
        }
        let column = self
            .order
            .recipe
            .output
            .split
            .as_ref()
            .map_or("", |split| &split.column);
        let sentence = format!(
            "“{}” would become more than {most} {what}: `{column}`, by which it is split, has too many different values.",
            self.order.name
        );
        Err(WriteError::Refused {
            code: "too_many_parts",
            sentence,
        }
        .into())
    }

    fn new_file(&mut self, sheet: &str, value: Option<&str>) -> Result<(Box<dyn Sink>, Output), PlanError> {
        let format = self.order.recipe.output.format;
        let (kind, ending) = match format {
            OutputFormat::Xlsx => (write::OutputFormat::Xlsx, "xlsx"),
            OutputFormat::Csv => (write::OutputFormat::Csv, self.csv_ending()),
            OutputFormat::Parquet => (write::OutputFormat::Parquet, "parquet"),
            OutputFormat::Jsonl => (write::OutputFormat::Jsonl, "jsonl"),
        };
        let path = format!("result-{}.{ending}", self.made.len() + 1);
        let output = Output {
            name: self.names.result(sheet, value, format),
            role: OutputRole::Result,
            rows: 0,
            path,
        };
        Ok((self.sink(kind, &output.path)?, output))
    }

    /// Ends the current table.
    pub(super) fn end_table(&mut self) -> Result<(), PlanError> {
        let begun = self.table.as_ref().is_none_or(|shape| shape.begun);
        if !begun {
            self.begin(None)?;
        }
        let format = self.order.recipe.output.format;
        if let (OutputFormat::Parquet, Some(shape), Some((sink, output))) = (format, &self.table, &mut self.open)
            && output.rows == 0
        {
            // Its columns have types even where there are no rows.
            sink.write(&RecordBatch::new_empty(shape.schema.clone()))?;
        }
        self.table = None;
        if format != OutputFormat::Xlsx {
            self.finish()?;
        }
        Ok(())
    }

    /// Completes the open file.
    pub(super) fn finish(&mut self) -> Result<(), PlanError> {
        if let Some((sink, output)) = self.open.take() {
            let written = sink.finish()?;
            self.losses.add(&written);
            if written.rows != output.rows {
                return Err(PlanError::Internal(
                    "the writer wrote another number of rows than it was given",
                ));
            }
            self.made.push(output);
        }
        Ok(())
    }

    /// Leaves no result behind.
    pub(super) fn discard(&mut self) -> Result<(), PlanError> {
        let open = self.open.take().map(|(sink, output)| {
            drop(sink);
            output
        });
        for output in self.made.drain(..).chain(open) {
            let path = self.order.out.join(&output.path);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(PlanError::Io { path, error });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes the list of what rules found.
    pub(super) fn write_rejects(&mut self, spool: Spool) -> Result<(), PlanError> {
        let (kind, ending) = match self.order.recipe.output.list_format() {
            ListFormat::Xlsx => (write::OutputFormat::Xlsx, "xlsx"),
            ListFormat::Csv => (write::OutputFormat::Csv, self.csv_ending()),
        };
        let path = format!("rejects.{ending}");
        let (mut sink, rows) = (self.sink(kind, &path)?, spool.rows());
        sink.start_sheet(&list_sheet("Rejects"))?;
        spool.finish(|batch| Ok(sink.write(batch)?))?;
        let written = sink.finish()?;
        self.add_other(&path, OutputRole::Rejects, rows, &written);
        Ok(())
    }

    /// Adds a file beside the results.
    pub(super) fn add_other(&mut self, path: &str, role: OutputRole, rows: u64, written: &Written) {
        self.losses.add(written);
        self.made.push(Output {
            path: path.to_owned(),
            name: self.names.beside(path),
            role,
            rows,
        });
    }

    /// What writers could not do, in words.
    pub(super) fn issues(&self) -> Vec<Issue> {
        self.losses.issues()
    }

    /// All that was made.
    pub(super) fn into_made(self) -> Vec<Output> {
        self.made
    }

    /// The ending of csv files below `out`: it says the encoding, where that is not the usual one.
    fn csv_ending(&self) -> &'static str {
        match self.order.recipe.output.csv.encoding {
            Encoding::Utf8 | Encoding::Utf8Bom => "csv",
            Encoding::Windows1252 => "windows-1252.csv",
            Encoding::Utf16Le => "utf-16le.csv",
        }
    }

    fn sink(&self, kind: write::OutputFormat, path: &str) -> Result<Box<dyn Sink>, PlanError> {
        let path = self.order.out.join(path);
        let options = &self.order.recipe.output;
        Ok(match kind {
            write::OutputFormat::Csv => write::open_csv(options.csv, &path)?,
            write::OutputFormat::Xlsx => write::open_xlsx(options.compression, self.order.jobs, &path)?,
            other => write::open(other, &path)?,
        })
    }
}

impl Losses {
    fn add(&mut self, written: &Written) {
        self.cut_texts += written.cut_texts;
        self.notes_left_out += written.notes_left_out;
        self.replaced += written.replaced;
    }

    fn issues(self) -> Vec<Issue> {
        let issue = |code: &str, count: u64, one: &str, many: &str| {
            (count > 0).then(|| Issue {
                code: code.to_owned(),
                sentence: counted(count, one, many),
                count,
                examples: Vec::new(),
            })
        };
        let cut = issue(
            "cut_texts",
            self.cut_texts,
            "text was cut to the 32,767 characters that a cell of a workbook holds.",
            "texts were cut to the 32,767 characters that a cell of a workbook holds.",
        );
        let notes = issue(
            "notes_left_out",
            self.notes_left_out,
            "cell is coloured without a note, since a workbook with many more notes does not open; `_errors` has them all.",
            "cells are coloured without a note, since a workbook with many more notes does not open; `_errors` has them all.",
        );
        let replaced = issue(
            "not_in_encoding",
            self.replaced,
            "character is not in the encoding of the csv; `?` stands for it.",
            "characters are not in the encoding of the csv; `?` stands for each.",
        );
        [cut, notes, replaced].into_iter().flatten().collect()
    }
}

/// A sheet with the columns of the list of rejects.
pub(super) fn list_sheet(name: &str) -> OutputSheet {
    let column = |name: &&str| OutputColumn {
        name: (*name).to_owned(),
        format: None,
    };
    OutputSheet {
        name: name.to_owned(),
        columns: HEADERS.iter().map(column).collect(),
        formats: Vec::new(),
    }
}

impl Shape {
    fn of(table: &Table, plan: &Plan, split_by: Option<&str>) -> Self {
        let flagged = plan.policy == RejectsPolicy::Keep;
        let mut columns = plan.columns.clone();
        if flagged {
            for (name, kind) in [(ROW, ColumnKind::Integer), (ERRORS, ColumnKind::Text)] {
                let name = fresh_name(name, &columns);
                columns.push(Column::made(&name, kind));
            }
        }
        let field = |(index, column): (usize, &Column)| Field::new(format!("c{index}"), column.kind.arrow(), true);
        let schema = Schema::new(columns.iter().enumerate().map(field).collect::<Vec<_>>());
        let column = |column: &Column| OutputColumn {
            name: column.name.clone(),
            format: column.format.clone(),
        };
        let meta = table.meta();
        let split = split_by.and_then(|name| plan.columns.iter().position(|column| column.name == name));
        Self {
            split: split.map(|at| (at, plan.columns[at].format.clone())),
            value: None,
            begun: false,
            schema: Arc::new(schema),
            flagged,
            sheet: OutputSheet {
                name: meta.sheet.clone(),
                columns: columns.iter().map(column).collect(),
                formats: plan.formats.clone(),
            },
        }
    }

    fn batch(&self, chunk: &Chunk) -> Result<RecordBatch, PlanError> {
        let options = arrow::record_batch::RecordBatchOptions::new().with_row_count(Some(chunk.rows()));
        let mut columns = chunk.columns.clone();
        if self.flagged {
            columns.push(rows_of(chunk));
            columns.push(match &chunk.flags {
                Some(flags) => Arc::new(flags.clone()),
                None => Arc::new(StringArray::new_null(chunk.rows())),
            });
        }
        Ok(RecordBatch::try_new_with_options(
            self.schema.clone(),
            columns,
            &options,
        )?)
    }
}

/// The rows that rows come from; nothing where there is no single one.
fn rows_of(chunk: &Chunk) -> ArrayRef {
    let row = |row: &u32| (*row > 0).then(|| i64::from(*row));
    let rows: Int64Array = chunk.sources.values().iter().map(row).collect();
    Arc::new(rows)
}

/// The name, or one like it that no column has: a workbook that comes back with notes has such columns already.
pub(super) fn fresh_name(name: &str, columns: &[Column]) -> String {
    let is_taken = |name: &str| columns.iter().any(|column| column.name == name);
    let numbered = (2..).map(|number| format!("{name} {number}"));
    std::iter::once(name.to_owned())
        .chain(numbered)
        .find(|name| !is_taken(name))
        .unwrap_or_default()
}
