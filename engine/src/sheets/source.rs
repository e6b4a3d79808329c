//! The one interface that cells come through, whatever reads them.

use super::ReadError;
use super::Visibility;
use super::kind::CellKind;

/// A worksheet of a workbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetInfo {
    /// Position among the worksheets, from 0.
    pub position: u32,
    /// Its name.
    pub name: String,
    /// Whether its tab shows.
    pub visibility: Visibility,
}

/// Something odd in a sheet that its values do not tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oddity {
    /// What.
    pub kind: OddityKind,
    /// How often.
    pub count: u64,
    /// Addresses of the first ones.
    pub examples: Vec<String>,
}

/// Kinds of oddities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OddityKind {
    /// A formula that no program has computed; it reads as blank.
    FormulaWithoutValue,
    /// A merged area; only its first cell holds a value.
    MergedCells,
}

/// A filled cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell<'a> {
    /// Its row as Excel numbers it, from 1.
    pub row: u32,
    /// Its column, from 0.
    pub column: u32,
    /// What it is; never blank.
    pub kind: CellKind,
    /// The number, 0 or 1, or a serial of the 1900 system.
    pub number: f64,
    /// Text and errors as they stand.
    pub text: &'a str,
    /// Its number format: a position in [`Cells::formats`].
    pub format: u16,
}

/// Filled cells of one sheet, in the order of the file: rows as they follow each other, cells as they stand in a row.
pub trait Cells {
    /// The next filled cell.
    ///
    /// # Errors
    /// When the sheet is damaged or beyond a limit, or the disk fails.
    fn next(&mut self) -> Result<Option<Cell<'_>>, ReadError>;

    /// The number formats of the workbook; the first is `General`.
    fn formats(&self) -> &[String];

    /// The last row that the sheet says it has; it may be wrong.
    fn last_row(&self) -> Option<u32>;

    /// Packed bytes of the sheet that were read, and all of them.
    fn bytes(&self) -> (u64, u64);
}
