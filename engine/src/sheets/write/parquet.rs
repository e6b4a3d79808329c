//! Parquet: one file per sheet, columns of their own types. A column of several kinds goes out as text, each cell in the plain
//! form that reads back.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use super::super::kind::CellKind;
use super::super::view::ColumnView;
use super::{OutputSheet, Sink, WriteError, Written};

/// Rows of a row group: what the writer holds in memory.
const GROUP_ROWS: usize = 65_536;

/// Writes one sheet.
pub(super) struct ParquetSink {
    file: Option<File>,
    sheet: Option<OutputSheet>,
    writer: Option<(ArrowWriter<File>, SchemaRef)>,
    written: Written,
}

impl ParquetSink {
    pub(super) fn open(path: &Path) -> Result<Self, WriteError> {
        Ok(Self {
            file: Some(File::create(path)?),
            sheet: None,
            writer: None,
            written: Written::default(),
        })
    }
}

impl Sink for ParquetSink {
    fn start_sheet(&mut self, sheet: &OutputSheet) -> Result<(), WriteError> {
        if self.sheet.is_some() {
            return Err(WriteError::OneSheet);
        }
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
        if let Some(file) = self.file.take() {
            // The types are known from the first batch on, which may be an empty one.
            let field =
                |(column, array): (&super::OutputColumn, &ArrayRef)| Field::new(&column.name, stored(array), true);
            let fields: Vec<Field> = sheet.columns.iter().zip(batch.columns()).map(field).collect();
            let schema = Arc::new(Schema::new(fields));
            let properties = WriterProperties::builder()
                .set_compression(Compression::SNAPPY)
                .set_max_row_group_row_count(Some(GROUP_ROWS))
                .build();
            let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties))?;
            self.writer = Some((writer, schema));
        }
        let (writer, schema) = self.writer.as_mut().ok_or(WriteError::Shape)?;
        let columns = batch
            .columns()
            .iter()
            .zip(&sheet.columns)
            .map(|(array, column)| plain(array, column.format.as_deref(), &sheet.formats))
            .collect::<Result<Vec<_>, _>>()?;
        let options = arrow::record_batch::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        writer.write(&RecordBatch::try_new_with_options(schema.clone(), columns, &options)?)?;
        self.written.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Written, WriteError> {
        let (writer, _) = self.writer.ok_or(WriteError::Shape)?;
        writer.close()?;
        Ok(self.written)
    }
}

/// The type that a column is stored as.
fn stored(array: &ArrayRef) -> DataType {
    match array.data_type() {
        DataType::Struct(_) | DataType::Null => DataType::Utf8,
        other => other.clone(),
    }
}

/// The column itself, or its cells as texts.
fn plain(array: &ArrayRef, format: Option<&str>, formats: &[String]) -> Result<ArrayRef, WriteError> {
    if stored(array) == *array.data_type() {
        return Ok(array.clone());
    }
    let view = ColumnView::of(array)?;
    let mut texts = StringBuilder::new();
    for row in 0..array.len() {
        let cell = view.cell(row);
        match cell.kind {
            CellKind::Blank => texts.append_null(),
            _ => texts.append_value(cell.plain(cell.code(format, formats))),
        }
    }
    Ok(Arc::new(texts.finish()))
}
