//! Cells that something is wrong with: coloured, with a note that says what.

use rust_xlsxwriter::{Color, Format, Note, Worksheet};

use super::WriteError;

/// Something wrong with a cell that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The cell's row in its batch.
    pub row: usize,
    /// The cell's column in its batch.
    pub column: usize,
    /// How bad it is.
    pub tone: Tone,
    /// What is wrong, for a note; empty: no note.
    pub note: String,
}

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tone {
    /// It is to be looked at.
    Odd,
    /// It is wrong.
    Bad,
}

/// Notes of a workbook. They are held in memory until it is complete, some 8 KiB each as measured, and Excel is slow with many
/// more; cells beyond are coloured all the same.
pub(super) const MOST_NOTES: u64 = 10_000;
/// Characters of a note: more do not fit on a screen.
const NOTE_CHARS: usize = 1000;
/// Pixels: what a note takes, about 32 characters a line.
const NOTE_WIDTH: u32 = 220;
const NOTE_LINE: u32 = 18;
const LINE_CHARS: usize = 32;

impl Tone {
    /// The colours that Excel itself has for bad and neutral cells.
    fn colour(self) -> Color {
        match self {
            Self::Bad => Color::RGB(0x00FF_C7CE),
            Self::Odd => Color::RGB(0x00FF_EB9C),
        }
    }
}

/// A format in the colour of a tone.
pub(super) fn coloured(format: &Format, tone: Tone) -> Format {
    format.clone().set_background_color(tone.colour())
}

/// Puts a note on a cell.
pub(super) fn put_note(sheet: &mut Worksheet, (row, column): (u32, u16), text: &str) -> Result<(), WriteError> {
    let text: String = text.chars().take(NOTE_CHARS).collect();
    let lines: usize = text.lines().map(|line| line.chars().count() / LINE_CHARS + 1).sum();
    let height = NOTE_LINE * u32::try_from(lines.clamp(2, 16)).unwrap_or(2);
    let note = Note::new(text)
        .set_author("Sheetmill")
        .add_author_prefix(false)
        .set_width(NOTE_WIDTH)
        .set_height(height);
    sheet.insert_note(row, column, &note)?;
    Ok(())
}
