//! The one interface that cells come through, whatever reads them.

use super::kind::CellKind;
use super::refusal::{Refusal, TooMuch};
use super::{Limits, ReadError, Visibility};

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
    /// A row that does not show.
    HiddenRows,
    /// A column that does not show.
    HiddenColumns,
    /// A row of a text with fewer or more fields than most.
    RaggedRows,
    /// A quote in a text that is never closed.
    OpenQuote,
    /// Bytes of a text that stand for nothing in its encoding.
    UnknownBytes,
    /// A column of a text whose dates may begin with the day or with the month.
    AmbiguousDates,
}

/// Addresses kept of each kind of oddity.
pub(super) const EXAMPLES: usize = 20;

impl Oddity {
    /// Of so many as there are examples; nothing where there are none.
    pub(super) fn of(kind: OddityKind, found: impl Iterator<Item = String>) -> Option<Self> {
        let (mut count, mut examples) = (0, Vec::new());
        for example in found {
            count += 1;
            if examples.len() < EXAMPLES {
                examples.push(example);
            }
        }
        (count > 0).then_some(Self { kind, count, examples })
    }
}

/// What the sheets read so far hold; limits count the whole workbook.
#[derive(Debug, Default)]
pub(super) struct Used {
    cells: u64,
    text_bytes: u64,
}

impl Used {
    /// Counts a cell: its row from 1, its column from 0.
    pub(super) fn take(&mut self, limits: &Limits, row: u32, column: u32, text: &str) -> Result<(), Refusal> {
        limits.check_address(row, column)?;
        self.cells += 1;
        self.text_bytes += text.len() as u64;
        let most = usize::try_from(limits.text_chars).unwrap_or(usize::MAX);
        let too_much = if self.cells > limits.cells {
            TooMuch::Cells(limits.cells)
        } else if text.len() > most && text.chars().count() > most {
            TooMuch::TextChars(limits.text_chars)
        } else if self.text_bytes > limits.cell_text_bytes {
            TooMuch::CellTexts(limits.cell_text_bytes)
        } else {
            return Ok(());
        };
        Err(Refusal::TooMuch(too_much))
    }
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
