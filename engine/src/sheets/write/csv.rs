//! CSV: RFC 4180 with a line feed behind each row, UTF-8 without a mark, and no text that a spreadsheet program would run.
//!
//! Values are plain, so that programs read them back: all digits, ISO 8601 dates. A number with a format of zeros keeps
//! them (`00123`).

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use arrow::record_batch::RecordBatch;

use super::super::kind::CellKind;
use super::super::number_format::show;
use super::super::view::{CellView, ColumnView};
use super::{OutputSheet, Sink, WriteError, Written, csv_text};

/// Writes one sheet.
pub(super) struct CsvSink {
    file: csv::Writer<BufWriter<File>>,
    sheet: Option<OutputSheet>,
    written: Written,
}

impl CsvSink {
    pub(super) fn open(path: &Path) -> Result<Self, WriteError> {
        let file = csv::Writer::from_writer(BufWriter::with_capacity(1 << 16, File::create(path)?));
        Ok(Self {
            file,
            sheet: None,
            written: Written::default(),
        })
    }
}

impl Sink for CsvSink {
    fn start_sheet(&mut self, sheet: &OutputSheet) -> Result<(), WriteError> {
        if self.sheet.is_some() {
            return Err(WriteError::OneSheet);
        }
        for column in &sheet.columns {
            self.file
                .write_field(csv_text(&column.name).as_bytes())
                .map_err(as_io)?;
        }
        self.file.write_record(None::<&[u8]>).map_err(as_io)?;
        self.written.sheets.push(sheet.name.clone());
        self.sheet = Some(sheet.clone());
        Ok(())
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), WriteError> {
        let sheet = self
            .sheet
            .as_ref()
            .filter(|s| s.columns.len() == batch.num_columns())
            .ok_or(WriteError::Shape)?;
        let columns = batch
            .columns()
            .iter()
            .map(ColumnView::of)
            .collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            for (column, meta) in columns.iter().zip(&sheet.columns) {
                let cell = column.cell(row);
                let code = cell.code(meta.format.as_deref(), &sheet.formats);
                self.file.write_field(field(&cell, code).as_bytes()).map_err(as_io)?;
            }
            self.file.write_record(None::<&[u8]>).map_err(as_io)?;
        }
        self.written.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Written, WriteError> {
        let Self { mut file, written, .. } = *self;
        file.flush()?;
        Ok(written)
    }
}

fn field<'a>(cell: &CellView<'a>, code: Option<&str>) -> std::borrow::Cow<'a, str> {
    match cell.kind {
        CellKind::Text => csv_text(cell.text),
        CellKind::Duration => show(Some("[h]:mm:ss"), cell.kind, cell.number).into(),
        _ => cell.plain(code),
    }
}

fn as_io(error: csv::Error) -> std::io::Error {
    error.into()
}
