//! CSV: RFC 4180 with a line feed behind each row, UTF-8 without a mark, and no text that a spreadsheet program would run.
//! Delimiter, encoding and line end may be others.
//!
//! Semicolons and tabs are quoted as well as commas: a program that takes them for the separator must not cut a field where
//! a formula begins. (The csv crate quotes all fields, or what its own separator needs.)
//!
//! Values are plain, so that programs read them back: all digits, ISO 8601 dates. A number with a format of zeros keeps
//! them (`00123`).

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use arrow::record_batch::RecordBatch;

use super::super::kind::CellKind;
use super::super::number_format::show;
use super::super::view::{CellView, ColumnView};
use super::style::CsvStyle;
use super::{OutputSheet, Sink, WriteError, Written, csv_text};

/// Writes one sheet.
pub(super) struct CsvSink {
    file: BufWriter<File>,
    style: CsvStyle,
    /// The row that is being written, as text and as bytes.
    line: String,
    bytes: Vec<u8>,
    sheet: Option<OutputSheet>,
    written: Written,
}

impl CsvSink {
    pub(super) fn open(path: &Path, style: CsvStyle) -> Result<Self, WriteError> {
        let mut file = BufWriter::with_capacity(1 << 16, File::create(path)?);
        file.write_all(style.encoding.mark())?;
        Ok(Self {
            file,
            style,
            line: String::new(),
            bytes: Vec::new(),
            sheet: None,
            written: Written::default(),
        })
    }

    /// Writes the line, and begins a new one.
    fn end_line(&mut self) -> Result<(), WriteError> {
        self.line.push_str(self.style.line_end.signs());
        self.bytes.clear();
        self.written.replaced += self.style.encode(&self.line, &mut self.bytes)?;
        self.file.write_all(&self.bytes)?;
        self.line.clear();
        Ok(())
    }
}

impl Sink for CsvSink {
    fn start_sheet(&mut self, sheet: &OutputSheet) -> Result<(), WriteError> {
        if self.sheet.is_some() {
            return Err(WriteError::OneSheet);
        }
        let delimiter = self.style.delimiter.sign();
        for (at, column) in sheet.columns.iter().enumerate() {
            put(
                &mut self.line,
                delimiter,
                (at, sheet.columns.len()),
                &csv_text(&column.name),
            );
        }
        self.end_line()?;
        self.written.sheets.push(sheet.name.clone());
        self.sheet = Some(sheet.clone());
        Ok(())
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), WriteError> {
        let sheet = self
            .sheet
            .take()
            .filter(|s| s.columns.len() == batch.num_columns())
            .ok_or(WriteError::Shape)?;
        let columns = batch
            .columns()
            .iter()
            .map(ColumnView::of)
            .collect::<Result<Vec<_>, _>>()?;
        let delimiter = self.style.delimiter.sign();
        for row in 0..batch.num_rows() {
            for (at, (column, meta)) in columns.iter().zip(&sheet.columns).enumerate() {
                let cell = column.cell(row);
                let code = cell.code(meta.format.as_deref(), &sheet.formats);
                put(&mut self.line, delimiter, (at, columns.len()), &field(&cell, code));
            }
            self.end_line()?;
        }
        self.written.rows += batch.num_rows() as u64;
        self.sheet = Some(sheet);
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
        // A file may call any text an error.
        CellKind::Text | CellKind::Error => csv_text(cell.text),
        CellKind::Duration => show(Some("[h]:mm:ss"), cell.kind, cell.number).into(),
        _ => cell.plain(code),
    }
}

/// Writes a field of a row of so many; an empty line would be no row, so the empty field of a single column has its quotes.
fn put(line: &mut String, delimiter: char, (at, of): (usize, usize), text: &str) {
    if at > 0 {
        line.push(delimiter);
    }
    let needed = text
        .bytes()
        .any(|byte| matches!(byte, b',' | b';' | b'\t' | b'"' | b'\r' | b'\n'))
        || (delimiter == '|' && text.contains(delimiter));
    let quoted = needed || (text.is_empty() && of == 1);
    if !quoted {
        line.push_str(text);
        return;
    }
    line.push('"');
    for (at, piece) in text.split('"').enumerate() {
        if at > 0 {
            line.push_str("\"\"");
        }
        line.push_str(piece);
    }
    line.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_where_any_program_would_cut_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.csv");
        let rows: [&[&str]; 4] = [
            &["a;=1+1", "b\tc", "plain"],
            &["say \"hi\"", "a,b", "two\nlines"],
            &["", "", ""],
            &[""],
        ];
        let mut text = String::new();
        for row in rows {
            for (at, field) in row.iter().enumerate() {
                put(&mut text, ',', (at, row.len()), field);
            }
            text.push('\n');
        }
        std::fs::write(&path, &text).expect("written");
        assert_eq!(
            text,
            "\"a;=1+1\",\"b\tc\",plain\n\"say \"\"hi\"\"\",\"a,b\",\"two\nlines\"\n,,\n\"\"\n"
        );
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_path(&path)
            .expect("a reader");
        let read: Vec<Vec<String>> = reader
            .records()
            .map(|row| row.expect("a row").iter().map(str::to_owned).collect())
            .collect();
        assert_eq!(
            read,
            rows.map(|row| row.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>())
        );
    }
}
