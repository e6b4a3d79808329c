//! Mixed columns: cells that disagree, each kept as what it is.
//!
//! A struct of `kind`, `number`, `text`, `format`, null where the cell is blank (see
//! [`crate::sheets::view::MIXED_FIELDS`]). `text` is filled for every cell, in a plain form that reads back: it is what
//! expressions see.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Builder, NullBufferBuilder, StringBuilder, StructArray, UInt8Builder, UInt16Builder,
};
use arrow::error::ArrowError;

use super::kinds::mixed_fields;
use crate::sheets::CellKind;
use crate::sheets::number_format::plain_with;
use crate::sheets::view::{CellView, ColumnView};

/// Collects the cells of a mixed column.
#[derive(Debug, Default)]
pub struct MixedBuilder {
    kind: UInt8Builder,
    number: Float64Builder,
    text: StringBuilder,
    format: UInt16Builder,
    filled: Vec<bool>,
}

impl MixedBuilder {
    /// Adds a cell; `code` is the number format that `format` stands for.
    pub fn push(&mut self, cell: &CellView<'_>, format: u16, code: Option<&str>) {
        self.kind.append_value(cell.kind.code());
        self.format.append_value(format);
        self.filled.push(cell.kind != CellKind::Blank);
        match cell.kind {
            CellKind::Blank => {
                self.number.append_null();
                self.text.append_null();
            }
            CellKind::Text | CellKind::Error => {
                self.number.append_null();
                self.text.append_value(cell.text);
            }
            kind => {
                self.number.append_value(cell.number);
                self.text.append_value(plain_with(code, kind, cell.number));
            }
        }
    }

    /// The column.
    #[must_use]
    pub fn finish(mut self) -> ArrayRef {
        let mut nulls = NullBufferBuilder::new(self.filled.len());
        self.filled.iter().for_each(|filled| nulls.append(*filled));
        let children: Vec<ArrayRef> = vec![
            Arc::new(self.kind.finish()),
            Arc::new(self.number.finish()),
            Arc::new(self.text.finish()),
            Arc::new(self.format.finish()),
        ];
        Arc::new(StructArray::new(mixed_fields(), children, nulls.finish()))
    }
}

/// A typed column as a mixed one, all its cells under one number format.
///
/// # Errors
/// When the column's type has no place in a table.
pub fn from_typed(column: &ArrayRef, format: u16, code: Option<&str>) -> Result<ArrayRef, ArrowError> {
    let view = ColumnView::of(column)?;
    let mut mixed = MixedBuilder::default();
    for row in 0..column.len() {
        mixed.push(&view.cell(row), format, code);
    }
    Ok(mixed.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Date32Array, StringArray};

    #[test]
    fn typed_cells_stay_what_they_are() -> Result<(), ArrowError> {
        let dates: ArrayRef = Arc::new(Date32Array::from(vec![Some(19_753), None]));
        let mixed = ColumnView::of(&from_typed(&dates, 3, None)?)?;
        let date = mixed.cell(0);
        assert_eq!(
            (date.kind, date.number, date.format),
            (CellKind::Date, 45_322.0, Some(3))
        );
        assert_eq!(mixed.cell(1).kind, CellKind::Blank);
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["00123"]));
        assert_eq!(ColumnView::of(&from_typed(&texts, 0, None)?)?.cell(0).text, "00123");
        Ok(())
    }
}
