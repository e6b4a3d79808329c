//! Which cells show nothing.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};

use super::operator::PlanError;
use crate::recipe::steps::is_blank;
use crate::sheets::CellKind;
use crate::sheets::view::ColumnView;

/// Whether each cell of a column is blank: there is nothing in it, or a text of blanks only.
pub fn blank(column: &ArrayRef) -> Result<BooleanArray, PlanError> {
    if let Some(texts) = column.as_string_opt::<i32>() {
        let blank = |text: Option<&str>| Some(text.is_none_or(|text| text.chars().all(is_blank)));
        return Ok(texts.iter().map(blank).collect());
    }
    if column.as_struct_opt().is_none() {
        return Ok(arrow::compute::is_null(column)?);
    }
    let view = ColumnView::of(column)?;
    let blank = |row| {
        let cell = view.cell(row);
        Some(match cell.kind {
            CellKind::Blank => true,
            CellKind::Text => cell.text.chars().all(is_blank),
            _ => false,
        })
    };
    Ok((0..column.len()).map(blank).collect())
}
