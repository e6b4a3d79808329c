//! What a workbook is: sniff, limits, read in chunks, write.
//!
//! In reading order: [`sniff`] tells a file by its first bytes, [`refusal`] says why one is not taken, `preflight` looks for
//! hostile insides before anything is opened, [`source`] is the one interface that cells come through ([`book`] picks what is behind
//! it by a file's content: `xlsx` scans, `xlsb` streams, `xls` and `ods` are read whole; `arranged` changes them as the options want,
//! by the sheet's [`layout`]), `values` says what calamine's values are,
//! [`kind`], [`dates`] and [`number_format`] say what a cell is and how it shows, [`view`] looks at Arrow columns as cells, and
//! [`mod@write`] makes files of them.

pub mod archive;
mod arranged;
pub mod book;
mod csv;
pub mod dates;
pub(crate) mod header;
pub mod kind;
pub mod layout;
mod listed;
pub mod number_format;
mod ods;
mod preflight;
pub mod refusal;
mod scan;
pub mod sniff;
pub mod source;
mod values;
pub mod view;
pub mod write;
mod xls;
mod xlsb;
mod xlsx;

pub use kind::CellKind;
pub use refusal::Refusal;

use serde::{Deserialize, Serialize};

/// How a blob is read. Part of the key of an ingest: other options are another ingest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IngestOptions {
    /// Where the header is.
    pub header: HeaderOption,
    /// What merged areas are.
    #[serde(skip_serializing_if = "is_default")]
    pub merged: Merged,
    /// What becomes of rows and columns that do not show.
    #[serde(skip_serializing_if = "is_default")]
    pub hidden: Hidden,
    /// How plain text is read.
    #[serde(skip_serializing_if = "is_default")]
    pub text: TextOptions,
}

impl IngestOptions {
    /// Whether cells are to be changed by how a sheet is laid out, so that this must be known before them.
    #[must_use]
    pub fn arrange(&self) -> bool {
        self.merged != Merged::Keep || self.hidden != Hidden::Read
    }

    /// These options, and where they leave something open, those that hold otherwise.
    #[must_use]
    pub fn over(&self, otherwise: &Self) -> Self {
        fn pick<T: Clone + Default + PartialEq>(wanted: &T, otherwise: &T) -> T {
            let picked = if is_default(wanted) { otherwise } else { wanted };
            picked.clone()
        }
        Self {
            header: pick(&self.header, &otherwise.header),
            merged: pick(&self.merged, &otherwise.merged),
            hidden: pick(&self.hidden, &otherwise.hidden),
            text: TextOptions {
                encoding: pick(&self.text.encoding, &otherwise.text.encoding),
                delimiter: pick(&self.text.delimiter, &otherwise.text.delimiter),
            },
        }
    }
}

/// Options that are as ever are not written out: what was read before they existed was read so.
fn is_default<T: Default + PartialEq>(option: &T) -> bool {
    *option == T::default()
}

/// What a merged area is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Merged {
    /// One cell, with blank ones beside it.
    #[default]
    Keep,
    /// As many cells of its value as it covers.
    Fill,
}

/// What becomes of rows and columns that do not show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hidden {
    /// They are read like all others.
    #[default]
    Read,
    /// They are left out.
    LeaveOut,
}

/// How plain text is read, where that is not to be found out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TextOptions {
    /// A label of the Encoding Standard, such as `windows-1252`.
    pub encoding: Option<String>,
    /// What separates fields: one ASCII character.
    pub delimiter: Option<char>,
}

/// How plain text was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextDialect {
    /// The encoding's name in the Encoding Standard.
    pub encoding: String,
    /// Whether that is sure, rather than the most likely one.
    pub sure: bool,
    /// What separates fields.
    pub delimiter: char,
}

/// Where a table's header is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeaderOption {
    /// Found by looking at the first rows.
    #[default]
    Auto,
    /// There is none: columns are named by their letters.
    None,
    /// These rows, first and last, as Excel numbers them.
    Rows(u32, u32),
}

/// What is too much. Every limit is a setting with a reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Bytes of the file itself.
    pub file_bytes: u64,
    /// Bytes of one zip entry and of all of them once inflated: an honest million rows inflate to some 350 MB.
    pub inflated_bytes: u64,
    /// Entries of the zip: real workbooks have tens.
    pub zip_entries: u64,
    /// Rows of one sheet, as Excel has them.
    pub rows: u64,
    /// Filled cells of the workbook.
    pub cells: u64,
    /// Columns of a sheet, as Excel has them.
    pub columns: u32,
    /// Characters of one cell; Excel allows 32,767.
    pub text_chars: u64,
    /// Bytes of distinct shared strings, the one thing that is held in memory whole.
    pub shared_string_bytes: u64,
    /// Bytes of a file that is read whole: xls and ods have no streaming reader.
    pub old_file_bytes: u64,
    /// Cells of such a file, the blank ones between others among them: each is held in memory.
    pub old_cells: u64,
    /// Bytes of text in all cells together: one long text may be referred to by millions of cells.
    pub cell_text_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 2 << 30,
            inflated_bytes: 8 << 30,
            zip_entries: 10_000,
            rows: 1_048_576,
            cells: 200_000_000,
            columns: 16_384,
            text_chars: 1 << 20,
            shared_string_bytes: 256 << 20,
            old_file_bytes: 64 << 20,
            old_cells: 2_000_000,
            cell_text_bytes: 2 << 30,
        }
    }
}

/// Why a workbook was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The input is at fault.
    #[error("refused: {0}")]
    Refused(#[from] Refusal),
    /// The disk is.
    #[error("cannot read: {0}")]
    Io(#[from] std::io::Error),
}

/// Whether a sheet's tab shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// It does.
    #[default]
    Visible,
    /// Hidden by the user's menu.
    Hidden,
    /// Hidden so that only a macro shows it.
    VeryHidden,
}
