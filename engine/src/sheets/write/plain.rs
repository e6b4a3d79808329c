//! Small tables that were not read from anywhere, such as reports, as a workbook.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::datatypes::{Field, Schema};
use arrow::record_batch::RecordBatch;

use super::{OutputColumn, OutputFormat, OutputSheet, WriteError, Written, open};

/// A column with its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlainColumn {
    /// Whole numbers, shown with their thousands set apart.
    Counts(&'static str, Vec<i64>),
    /// Texts; an empty one is a blank cell.
    Texts(&'static str, Vec<String>),
}

/// A sheet: its name, and columns of the same length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainSheet {
    /// Its name.
    pub name: String,
    /// Its columns.
    pub columns: Vec<PlainColumn>,
}

/// Writes sheets to an xlsx file; the same sheets give the same bytes.
///
/// # Errors
/// When the disk is full, or columns are not of one length.
pub fn write_plain(path: &Path, sheets: &[PlainSheet]) -> Result<Written, WriteError> {
    let mut sink = open(OutputFormat::Xlsx, path)?;
    for sheet in sheets {
        let (columns, arrays): (Vec<OutputColumn>, Vec<(&str, ArrayRef)>) = sheet.columns.iter().map(written).unzip();
        sink.start_sheet(&OutputSheet {
            name: sheet.name.clone(),
            columns,
            formats: Vec::new(),
        })?;
        let fields: Vec<Field> = arrays
            .iter()
            .map(|(name, array)| Field::new(*name, array.data_type().clone(), true))
            .collect();
        let arrays = arrays.into_iter().map(|(_, array)| array).collect();
        sink.write(&RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)?;
    }
    sink.finish()
}

fn written(column: &PlainColumn) -> (OutputColumn, (&str, ArrayRef)) {
    let (name, format, array): (_, _, ArrayRef) = match column {
        PlainColumn::Counts(name, counts) => (*name, Some("#,##0"), Arc::new(Int64Array::from(counts.clone()))),
        PlainColumn::Texts(name, texts) => {
            let texts = texts.iter().map(|it| Some(it.as_str()).filter(|it| !it.is_empty()));
            (*name, None, Arc::new(StringArray::from_iter(texts)))
        }
    };
    let column = OutputColumn {
        name: name.to_owned(),
        format: format.map(str::to_owned),
    };
    (column, (name, array))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_a_workbook_and_always_the_same_bytes() {
        let folder = tempfile::tempdir().expect("a folder");
        let sheets = [
            PlainSheet {
                name: "Owners".to_owned(),
                columns: vec![
                    PlainColumn::Texts("Owner", vec!["ada@example.org".to_owned(), "=1+1".to_owned()]),
                    PlainColumn::Counts("Rows", vec![1_048_576, 0]),
                ],
            },
            PlainSheet {
                name: "Failures".to_owned(),
                columns: vec![PlainColumn::Texts("Owner", Vec::new())],
            },
        ];
        let write = |name: &str| {
            let path = folder.path().join(name);
            let written = write_plain(&path, &sheets).expect("it can be written");
            (written, std::fs::read(path).expect("a file"))
        };
        let (written, bytes) = write("one.xlsx");
        assert_eq!((written.rows, written.sheets.len()), (2, 2));
        assert_eq!(bytes, write("two.xlsx").1);
    }

    #[test]
    fn columns_of_different_lengths_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let uneven = PlainSheet {
            name: "Uneven".to_owned(),
            columns: vec![
                PlainColumn::Counts("One", vec![1]),
                PlainColumn::Counts("Two", vec![1, 2]),
            ],
        };
        let refused = write_plain(&folder.path().join("x.xlsx"), &[uneven]);
        assert!(matches!(refused, Err(WriteError::Column(_))), "{refused:?}");
    }
}
