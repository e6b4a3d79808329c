//! JSON lines: an object a row, with the columns' names. Numbers and truths are those of JSON, dates and times are texts as
//! ISO 8601 has them, blank cells are null. A number with a format of zeros is a text that keeps them (`"00123"`).

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use arrow::record_batch::RecordBatch;

use super::super::kind::CellKind;
use super::super::number_format::show;
use super::super::view::{CellView, ColumnView};
use super::{OutputSheet, Sink, WriteError, Written};

/// Writes one sheet.
pub(super) struct JsonlSink {
    file: BufWriter<File>,
    sheet: Option<OutputSheet>,
    /// What stands before each value: `{"name":`, `,"name":`.
    names: Vec<Vec<u8>>,
    written: Written,
}

impl JsonlSink {
    pub(super) fn open(path: &Path) -> Result<Self, WriteError> {
        Ok(Self {
            file: BufWriter::with_capacity(1 << 16, File::create(path)?),
            sheet: None,
            names: Vec::new(),
            written: Written::default(),
        })
    }
}

impl Sink for JsonlSink {
    fn start_sheet(&mut self, sheet: &OutputSheet) -> Result<(), WriteError> {
        if self.sheet.is_some() {
            return Err(WriteError::OneSheet);
        }
        for (at, column) in sheet.columns.iter().enumerate() {
            let mut name = if at == 0 { b"{".to_vec() } else { b",".to_vec() };
            put_text(&mut name, &column.name)?;
            name.push(b':');
            self.names.push(name);
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
        let columns = batch
            .columns()
            .iter()
            .map(ColumnView::of)
            .collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            if columns.is_empty() {
                self.file.write_all(b"{")?;
            }
            for ((column, meta), name) in columns.iter().zip(&sheet.columns).zip(&self.names) {
                let cell = column.cell(row);
                self.file.write_all(name)?;
                put(&mut self.file, &cell, cell.code(meta.format.as_deref(), &sheet.formats))?;
            }
            self.file.write_all(b"}\n")?;
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

fn put(file: &mut impl std::io::Write, cell: &CellView<'_>, code: Option<&str>) -> Result<(), WriteError> {
    match cell.kind {
        CellKind::Blank => file.write_all(b"null")?,
        CellKind::Boolean => file.write_all(if cell.number != 0.0 { b"true" } else { b"false" })?,
        CellKind::Number => {
            let digits = cell.plain(code);
            if is_number(&digits) {
                file.write_all(digits.as_bytes())?;
            } else {
                put_text(file, &digits)?;
            }
        }
        CellKind::DateTime => put_text(file, &cell.plain(code).replacen(' ', "T", 1))?,
        CellKind::Duration => put_text(file, &show(Some("[h]:mm:ss"), cell.kind, cell.number))?,
        CellKind::Text | CellKind::Error | CellKind::Date | CellKind::Time => put_text(file, &cell.plain(code))?,
    }
    Ok(())
}

/// A text in quotes.
fn put_text(file: &mut impl std::io::Write, text: &str) -> Result<(), WriteError> {
    Ok(serde_json::to_writer(file, text).map_err(std::io::Error::from)?)
}

/// Whether digits are a number as JSON writes one: zeros in front are not allowed there.
fn is_number(digits: &str) -> bool {
    let unsigned = digits.strip_prefix('-').unwrap_or(digits);
    let padded = unsigned.starts_with('0') && unsigned.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    !padded && unsigned.starts_with(|c: char| c.is_ascii_digit()) && digits.parse::<f64>().is_ok_and(f64::is_finite)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_json_and_padded_ones_are_texts() {
        for (digits, number) in [
            ("0", true),
            ("-1.5", true),
            ("1e21", true),
            ("0.1", true),
            ("00123", false),
            ("-007", false),
            (".5", false),
        ] {
            assert_eq!(is_number(digits), number, "{digits}");
        }
    }
}
