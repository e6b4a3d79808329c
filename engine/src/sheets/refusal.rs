//! Why an input is not taken: a closed list, each with a stable word and one sentence for the person who gave it.

use super::Limits;

/// Why a file is refused. The sentence names the file and says what to do; the code never changes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No bytes at all.
    #[error("empty")]
    Empty,
    /// Something else than a spreadsheet; what it is, with its article.
    #[error("not a spreadsheet: {0}")]
    NotASpreadsheet(&'static str),
    /// A zip archive, where a workbook is wanted.
    #[error("a zip archive")]
    Archive,
    /// A zip archive inside another one.
    #[error("a zip archive in a zip archive")]
    NestedArchive,
    /// A zip archive without anything that can be read.
    #[error("no spreadsheet in the archive")]
    NoMembers,
    /// An HTML page under a spreadsheet's name, as many web systems export.
    #[error("an HTML page")]
    WebPage,
    /// `SpreadsheetML` 2003, one XML file.
    #[error("SpreadsheetML 2003")]
    Xml2003,
    /// A workbook of Excel 2, 3 or 4.
    #[error("too old")]
    TooOld,
    /// A line of a text is longer than any table's.
    #[error("line {0} is too long")]
    LongLine(u64),
    /// A quote in a text is not closed, and more follows than a field holds; its line.
    #[error("the quote in line {0} is not closed")]
    OpenQuote(u64),
    /// An encoding that was asked for is none.
    #[error("no encoding {0}")]
    UnknownEncoding(String),
    /// It opens only with a password.
    #[error("password")]
    Password,
    /// Its end is missing.
    #[error("cut off")]
    CutOff,
    /// Its inside contradicts itself; what was found, for the log.
    #[error("damaged: {0}")]
    Damaged(String),
    /// No worksheet inside.
    #[error("no worksheet")]
    NoSheets,
    /// The sheet that was asked for is not there.
    #[error("no sheet named {0}")]
    SheetNotFound(String),
    /// The header was said to be in rows that the sheet does not fill.
    #[error("no header in rows {0} to {1}")]
    HeaderNotFound(u32, u32),
    /// One of the limits.
    #[error("too much: {0:?}")]
    TooMuch(TooMuch),
}

/// Which limit was passed, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooMuch {
    /// Bytes of the file.
    FileBytes(u64),
    /// Bytes once unpacked.
    InflatedBytes(u64),
    /// It unpacks to far more than any honest workbook does.
    Ratio,
    /// Parts inside.
    Entries(u64),
    /// Rows of a sheet.
    Rows(u64),
    /// Columns of a sheet.
    Columns(u32),
    /// Filled cells.
    Cells(u64),
    /// Characters of one cell.
    TextChars(u64),
    /// Bytes of distinct texts.
    SharedStrings(u64),
    /// Bytes of text in all cells together.
    CellTexts(u64),
    /// Cells of a format that is read whole.
    OldCells(u64),
    /// Merged areas that are to be filled.
    MergedAreas(u64),
}

impl Refusal {
    /// A stable word for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NotASpreadsheet(_) => "not_a_spreadsheet",
            Self::Archive => "archive",
            Self::NestedArchive => "nested_archive",
            Self::NoMembers => "no_members",
            Self::WebPage => "web_page",
            Self::Xml2003 => "xml_2003",
            Self::TooOld => "too_old",
            Self::LongLine(_) => "line_too_long",
            Self::OpenQuote(_) => "open_quote",
            Self::UnknownEncoding(_) => "unknown_encoding",
            Self::Password => "password",
            Self::CutOff => "cut_off",
            Self::Damaged(_) => "damaged",
            Self::NoSheets => "no_sheets",
            Self::SheetNotFound(_) => "sheet_not_found",
            Self::HeaderNotFound(..) => "header_not_found",
            Self::TooMuch(what) => what.code(),
        }
    }

    /// One sentence that names the file and says what to do.
    #[must_use]
    pub fn sentence(&self, file: &str) -> String {
        let again = "Save it in Excel as “Excel workbook (.xlsx)” and try again.";
        match self {
            Self::Empty => format!("“{file}” is empty. Check the file where it comes from and try again."),
            Self::NotASpreadsheet(what) => {
                format!(
                    "“{file}” is {what}, not a spreadsheet. Use an Excel workbook, an OpenDocument spreadsheet or a CSV file."
                )
            }
            Self::Archive => format!("“{file}” is a zip archive. Unpack it and use its files."),
            Self::NestedArchive => {
                format!("“{file}” is an archive inside an archive. Unpack it and upload its files.")
            }
            Self::NoMembers => {
                format!(
                    "“{file}” is an archive without any spreadsheet. Put workbooks or CSV files into it and try again."
                )
            }
            Self::WebPage => format!(
                "“{file}” is a web page with a spreadsheet's name. Open it in Excel, save it as “Excel workbook (.xlsx)” and try again."
            ),
            Self::Xml2003 => format!("“{file}” is an XML spreadsheet of Excel 2003. {again}"),
            Self::LongLine(line) => format!(
                "Line {line} of “{file}” is longer than 16 MB. Check that it is a table with one row a line, and try again."
            ),
            Self::OpenQuote(line) => {
                format!("The quote in line {line} of “{file}” is not closed. Close it or take it out, and try again.")
            }
            Self::UnknownEncoding(name) => format!(
                "“{name}”, in which “{file}” was to be read, is no encoding. Choose one such as UTF-8 or windows-1252."
            ),
            Self::TooOld => format!("“{file}” is a workbook of Excel 4 or older. {again}"),
            Self::Password => {
                format!("“{file}” needs a password. Remove it in Excel (File, Info, Protect Workbook) and try again.")
            }
            Self::CutOff => {
                format!("“{file}” is cut off: its end is missing. Copy or download it once more and try again.")
            }
            Self::Damaged(_) => {
                format!("“{file}” is damaged. Open it in Excel, let Excel repair it, save it and try again.")
            }
            Self::NoSheets => {
                format!("“{file}” holds no worksheet. Use a workbook with at least one sheet of cells.")
            }
            Self::SheetNotFound(sheet) => format!("“{file}” has no sheet named “{sheet}”. Choose one of its sheets."),
            Self::HeaderNotFound(row, last) if row == last => {
                format!("“{file}” has no cells in row {row}, where its header should be. Choose another row.")
            }
            Self::HeaderNotFound(first, last) => {
                format!(
                    "“{file}” has no cells in rows {first} to {last}, where its header should be. Choose other rows."
                )
            }
            Self::TooMuch(what) => what.sentence(file),
        }
    }
}

impl TooMuch {
    fn code(self) -> &'static str {
        match self {
            Self::FileBytes(_) => "file_too_large",
            Self::InflatedBytes(_) => "unpacked_too_large",
            Self::Ratio => "unpacked_ratio",
            Self::Entries(_) => "too_many_parts",
            Self::Rows(_) => "too_many_rows",
            Self::Columns(_) => "too_many_columns",
            Self::Cells(_) => "too_many_cells",
            Self::TextChars(_) => "text_too_long",
            Self::SharedStrings(_) => "texts_too_large",
            Self::CellTexts(_) => "cell_texts_too_large",
            Self::OldCells(_) => "too_many_cells",
            Self::MergedAreas(_) => "too_many_merged_areas",
        }
    }

    fn sentence(self, file: &str) -> String {
        let grouped = |n: u64| super::number_format::show_count(n);
        let megabytes = |n: u64| grouped(n >> 20);
        match self {
            Self::FileBytes(n) => format!(
                "“{file}” is larger than {} MB. Split it and use the pieces.",
                megabytes(n)
            ),
            Self::InflatedBytes(n) => {
                format!(
                    "“{file}” unpacks to more than {} MB. Split it and use the pieces.",
                    megabytes(n)
                )
            }
            Self::Ratio => {
                format!("“{file}” unpacks to far more than a workbook should. Open it in Excel, save it and try again.")
            }
            Self::Entries(n) => format!(
                "“{file}” consists of more than {} parts. Remove its pictures and objects and try again.",
                grouped(n)
            ),
            Self::Rows(n) => format!(
                "“{file}” has a sheet with more than {} rows. Split the sheet and try again.",
                grouped(n)
            ),
            Self::Columns(n) => {
                format!(
                    "“{file}” has a sheet with more than {} columns. Split the sheet and try again.",
                    grouped(u64::from(n))
                )
            }
            Self::Cells(n) => format!(
                "“{file}” has more than {} filled cells. Split it and use the pieces.",
                grouped(n)
            ),
            Self::TextChars(n) => format!(
                "“{file}” has a cell with more than {} characters. Shorten it and try again.",
                grouped(n)
            ),
            Self::OldCells(n) => format!(
                "“{file}” has an area of more than {} cells. Save it as “Excel workbook (.xlsx)” and try again.",
                grouped(n)
            ),
            Self::MergedAreas(n) => format!(
                "A sheet of “{file}” has more than {} merged areas, too many to fill. Read it without filling them.",
                grouped(n)
            ),
            Self::CellTexts(n) => format!(
                "The cells of “{file}” hold more than {} MB of text together. Split it and use the pieces.",
                megabytes(n)
            ),
            Self::SharedStrings(n) => {
                format!(
                    "“{file}” holds more than {} MB of different texts. Split it and use the pieces.",
                    megabytes(n)
                )
            }
        }
    }
}

impl Limits {
    /// Refuses more rows than allowed; `row` as Excel numbers it.
    pub(super) fn check_address(&self, row: u32, column: u32) -> Result<(), Refusal> {
        if u64::from(row) > self.rows {
            return Err(Refusal::TooMuch(TooMuch::Rows(self.rows)));
        }
        if column >= self.columns {
            return Err(Refusal::TooMuch(TooMuch::Columns(self.columns)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_name_the_file_and_end() {
        for refusal in [
            Refusal::Empty,
            Refusal::NotASpreadsheet("a picture"),
            Refusal::Password,
            Refusal::Damaged("inner detail".to_owned()),
            Refusal::HeaderNotFound(3, 4),
            Refusal::TooMuch(TooMuch::Rows(1_048_576)),
        ] {
            let sentence = refusal.sentence("a.xlsx");
            assert!(sentence.contains("“a.xlsx”") && sentence.ends_with('.'), "{sentence}");
            assert!(!sentence.contains("inner detail"), "{sentence}");
        }
        let rows = Refusal::TooMuch(TooMuch::Rows(1_048_576)).sentence("a.xlsx");
        assert!(rows.contains("1,048,576 rows"), "{rows}");
    }
}
