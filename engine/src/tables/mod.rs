//! Columnar tables: column kinds, parts, profile.
//!
//! A table is a folder: Parquet parts and `table.json`, which is written last. A part has a column `row` (UInt32, the row
//! number as Excel shows it) and its filled columns by their sheet letters (`A`, `B`, …); names are in `table.json`, since
//! headers repeat, are empty, or hold anything. Each part stores a column at its own narrowest type; [`read::Table`] casts to
//! the resolved kind and calls columns `c0`, `c1`, … by their position in [`TableMeta::columns`].

pub mod chunk;
pub(crate) mod header;
pub mod kinds;
pub mod mixed;
mod part;
mod profile;
pub mod read;
pub mod write;

use serde::{Deserialize, Serialize};

use crate::sheets::{TextDialect, Visibility};

/// Rows of a chunk: one Parquet row group, the unit of progress.
pub const CHUNK_ROWS: usize = 65_536;

/// The file of a table's folder that says what is in it; it is written last.
pub const TABLE_FILE: &str = "table.json";

/// Metadata key of a part's column: the position in [`TableMeta::formats`] of the number format its cells have, should the
/// column be read as mixed.
pub const PART_FORMAT: &str = "sheetmill.format";

/// What all filled cells of a column are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// No filled cell at all. Arrow: Utf8, all null.
    #[default]
    Blank,
    /// Whole numbers up to 2^53. Arrow: Int64.
    Integer,
    /// Numbers. Arrow: Float64.
    Decimal,
    /// True or false. Arrow: Boolean.
    Boolean,
    /// Days. Arrow: Date32.
    Date,
    /// Days with a time, without a zone. Arrow: Timestamp(Millisecond, None).
    DateTime,
    /// Times of day. Arrow: Time32(Millisecond).
    Time,
    /// Text. Arrow: Utf8.
    Text,
    /// Cells that disagree, or errors, or spans of time. Arrow: Struct(kind UInt8, number Float64, text Utf8, format UInt16);
    /// see `tables::mixed`.
    Mixed,
}

/// What `table.json` holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TableMeta {
    /// The engine that read it.
    pub engine: String,
    /// Position in the workbook, from 0.
    pub position: u32,
    /// The sheet's name.
    pub sheet: String,
    /// Whether its tab shows.
    pub visibility: Visibility,
    /// Data rows, below the header.
    pub rows: u64,
    /// The rows that hold the header, first and last as Excel numbers them; `None`: columns are named by letters.
    pub header: Option<(u32, u32)>,
    /// The columns, in sheet order.
    pub columns: Vec<ColumnMeta>,
    /// The parts, in row order.
    pub parts: Vec<PartMeta>,
    /// Number formats that mixed cells point into; the first is `General`.
    pub formats: Vec<String>,
    /// How plain text was read; nothing of a workbook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<TextDialect>,
    /// What is odd, with counts and examples.
    pub issues: Vec<Issue>,
}

/// One column.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ColumnMeta {
    /// Its unique name: the header, or what was made of it.
    pub name: String,
    /// Its letters as Excel shows them.
    pub letters: String,
    /// What its cells are.
    pub kind: ColumnKind,
    /// The number format most of its cells have, where that is not General.
    pub format: Option<String>,
    /// What is in it.
    pub profile: Profile,
}

/// What is in a column, counted over all rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Filled cells by kind: `text`, `number`, `boolean`, `date`, `date_time`, `time`, `duration`, `error`.
    pub kinds: std::collections::BTreeMap<String, u64>,
    /// Blank cells.
    pub blanks: u64,
    /// Distinct filled values.
    pub distinct: u64,
    /// Whether `distinct` was counted rather than estimated.
    pub distinct_exact: bool,
    /// The most frequent values as shown, with counts, most frequent first.
    pub top: Vec<(String, u64)>,
    /// The least value as shown.
    pub min: Option<String>,
    /// The greatest value as shown.
    pub max: Option<String>,
    /// Counts over equal steps between least and greatest, for a small picture; empty for text.
    pub histogram: Vec<u64>,
    /// Shortest and longest text, in characters.
    pub lengths: Option<(u64, u64)>,
    /// Texts with blanks around them.
    pub padded: u64,
    /// Texts such as `00123`.
    pub zero_padded: u64,
    /// Texts with characters that look like a blank or like nothing: no-break and zero-width ones, control characters.
    #[serde(default)]
    pub odd_blanks: u64,
    /// The most frequent patterns of texts, with counts: `A` is a capital letter, `a` another one, `9` a digit.
    #[serde(default)]
    pub patterns: Vec<(String, u64)>,
    /// The first 20 rows of each of `padded`, `zero_padded` and `odd_blanks`, as Excel numbers them.
    #[serde(default)]
    pub rows: std::collections::BTreeMap<String, Vec<u32>>,
}

/// One part.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PartMeta {
    /// Its file name in the table's folder.
    pub path: String,
    /// Its rows.
    pub rows: u64,
    /// Bytes of its columns in memory, about: a window of rows is smaller where rows are large.
    #[serde(default)]
    pub bytes: u64,
}

/// Something odd in a sheet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Issue {
    /// A stable word: `formula_without_value`, `merged_cells`, `error_cells`, …
    pub code: String,
    /// One sentence.
    pub sentence: String,
    /// How often.
    pub count: u64,
    /// Up to 20 A1 addresses.
    pub examples: Vec<String>,
}

/// "1 row is …" or "1,234 rows are …".
pub(crate) fn counted(count: u64, one: &str, many: &str) -> String {
    let words = if count == 1 { one } else { many };
    format!("{} {words}", crate::sheets::number_format::show_count(count))
}
