//! Cells of two tables in one column, which is as wide as both need it and no wider.

use arrow::array::{ArrayRef, new_null_array};
use arrow::compute::cast;

use super::operator::PlanError;
use crate::recipe::columns::Column;
use crate::tables::ColumnKind;
use crate::tables::mixed::from_typed;

/// A column of ours that takes in cells of another table's.
#[must_use]
pub fn joined(ours: &Column, theirs: &Column) -> Column {
    let kind = ours.kind.join(theirs.kind);
    let format = match (kind, ours.kind) {
        // Each cell has its own.
        (ColumnKind::Mixed, _) => None,
        (_, ColumnKind::Blank) => theirs.format.clone(),
        // The format of days would hide the times of day.
        (ColumnKind::DateTime, ColumnKind::Date) => theirs.format.clone(),
        _ => ours.format.clone(),
    };
    Column {
        kind,
        format,
        ..ours.clone()
    }
}

/// Cells of a column in one of a kind that holds them; no cell changes. `format` is where the number format of `from` stands
/// in the plan's.
pub fn widened(column: &ArrayRef, from: &Column, kind: ColumnKind, format: u16) -> Result<ArrayRef, PlanError> {
    let wanted = kind.arrow();
    Ok(if *column.data_type() == wanted {
        column.clone()
    } else if from.kind == ColumnKind::Blank {
        new_null_array(&wanted, column.len())
    } else if kind == ColumnKind::Mixed {
        from_typed(column, format, from.format.as_deref())?
    } else {
        cast(column, &wanted)?
    })
}

/// Where the number format of a column stands in the plan's, which it joins if it is new there. A column without one gets the
/// place of no format: its cells are shown plainly.
pub fn place_of(format: Option<&String>, formats: &mut Vec<String>) -> u16 {
    let Some(format) = format else { return u16::MAX };
    let at = formats.iter().position(|known| known == format).unwrap_or_else(|| {
        formats.push(format.clone());
        formats.len() - 1
    });
    u16::try_from(at).unwrap_or(u16::MAX)
}
