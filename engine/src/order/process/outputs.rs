//! The files that a recipe makes of the tables of a file, one after another.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema, SchemaRef};

use super::super::{Output, OutputRole, ProcessOrder};
use super::names::Names;
use crate::recipe::columns::Column;
use crate::recipe::document::{OutputFormat, RejectsPolicy};
use crate::recipe::plan::Plan;
use crate::recipe::plan::chunk::Chunk;
use crate::recipe::plan::operator::PlanError;
use crate::recipe::rejects::{HEADERS, Spool};
use crate::sheets::write::{self, OutputColumn, OutputSheet, Sink, Written};
use crate::tables::read::Table;
use crate::tables::{ColumnKind, Issue, counted};

/// Names of the columns that say where a row comes from and what is wrong with it.
pub(super) const ROW: &str = "_row";
pub(super) const ERRORS: &str = "_errors";

/// The files that are written.
pub(super) struct Outputs<'a> {
    order: &'a ProcessOrder,
    names: Names,
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
}

/// How the rows of the current table go out.
struct Shape {
    schema: SchemaRef,
    /// Whether they say where they come from and what is wrong with them.
    flagged: bool,
    sheet: OutputSheet,
}

impl<'a> Outputs<'a> {
    /// Nothing is written yet.
    pub(super) fn new(order: &'a ProcessOrder) -> Self {
        Self {
            order,
            names: Names::new(order),
            table: None,
            open: None,
            made: Vec::new(),
            losses: Losses::default(),
        }
    }

    /// Begins a table, in the open workbook or in a file of its own.
    pub(super) fn start_table(&mut self, table: &Table, plan: &Plan) -> Result<(), PlanError> {
        let shape = Shape::of(table, plan);
        if self.open.is_none() {
            let format = self.order.recipe.output.format;
            let path = format!("result-{}.{}", self.made.len() + 1, format.word());
            let sink = self.sink(&path)?;
            let name = self.names.result(&shape.sheet.name, format);
            self.open = Some((
                sink,
                Output {
                    path,
                    name,
                    role: OutputRole::Result,
                    rows: 0,
                },
            ));
        }
        if let Some((sink, _)) = &mut self.open {
            sink.start_sheet(&shape.sheet)?;
        }
        self.table = Some(shape);
        Ok(())
    }

    /// Adds rows of the current table.
    pub(super) fn write(&mut self, chunk: &Chunk) -> Result<(), PlanError> {
        let (Some((sink, output)), Some(shape)) = (&mut self.open, &self.table) else {
            return Err(PlanError::Internal("no output is open"));
        };
        let batch = shape.batch(chunk)?;
        sink.write(&batch)?;
        output.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// Ends the current table.
    pub(super) fn end_table(&mut self) -> Result<(), PlanError> {
        self.table = None;
        if self.order.recipe.output.format == OutputFormat::Csv {
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
        let format = self.order.recipe.output.format;
        let path = format!("rejects.{}", format.word());
        let (mut sink, rows) = (self.sink(&path)?, spool.rows());
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

    fn sink(&self, path: &str) -> Result<Box<dyn Sink>, PlanError> {
        let format = match self.order.recipe.output.format {
            OutputFormat::Xlsx => write::OutputFormat::Xlsx,
            OutputFormat::Csv => write::OutputFormat::Csv,
        };
        Ok(write::open(format, &self.order.out.join(path), &self.order.scratch)?)
    }
}

impl Losses {
    fn add(&mut self, written: &Written) {
        self.cut_texts += written.cut_texts;
        self.notes_left_out += written.notes_left_out;
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
        cut.into_iter().chain(notes).collect()
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
    fn of(table: &Table, plan: &Plan) -> Self {
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
        Self {
            schema: Arc::new(schema),
            flagged,
            sheet: OutputSheet {
                name: meta.sheet.clone(),
                columns: columns.iter().map(column).collect(),
                formats: meta.formats.clone(),
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
