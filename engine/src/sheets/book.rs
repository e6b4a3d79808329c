//! A workbook, whatever its format: its content decides, never its name.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::arranged::arranged;
use super::csv::CsvBook;
use super::layout::SheetLayout;
use super::ods::OdsBook;
use super::preflight::{Kind, preflight};
use super::refusal::TooMuch;
use super::sniff::{Format, HEAD_BYTES, sniff};
use super::source::{Cells, Oddity, SheetInfo};
use super::xls::XlsBook;
use super::xlsb::XlsbBook;
use super::xlsx::XlsxBook;
use super::{HeaderOption, IngestOptions, Limits, ReadError, Refusal, TextDialect};

/// An open workbook.
pub enum Book {
    /// Office Open XML.
    Xlsx(Box<XlsxBook>),
    /// Its binary form.
    Xlsb(XlsbBook),
    /// Excel 5 to 2003.
    Xls(XlsBook),
    /// OpenDocument.
    Ods(OdsBook),
    /// Plain text.
    Csv(CsvBook),
}

impl Book {
    /// Looks what a file is, whether it can be read, and opens it.
    ///
    /// # Errors
    /// When it is refused, or the disk fails.
    pub fn open(path: &Path, options: &IngestOptions, limits: &Limits) -> Result<Self, ReadError> {
        let file = File::open(path)?;
        if file.metadata()?.len() > limits.file_bytes {
            return Err(Refusal::TooMuch(TooMuch::FileBytes(limits.file_bytes)).into());
        }
        let mut head = Vec::new();
        file.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
        match sniff(&head)? {
            Format::Ole => return Ok(Self::Xls(XlsBook::open(path, limits)?)),
            Format::Text => return Ok(Self::Csv(CsvBook::open(path, options, limits)?)),
            Format::Xlsx | Format::Xlsb | Format::Ods | Format::Zip => {}
        }
        let package = preflight(path, limits)?;
        Ok(match package.kind {
            Kind::Xlsx => Self::Xlsx(Box::new(XlsxBook::open(path, package, limits)?)),
            Kind::Xlsb => Self::Xlsb(XlsbBook::open(path, package, limits)?),
            Kind::Ods => Self::Ods(OdsBook::open(path, &package, limits)?),
        })
    }

    /// The worksheets, in order.
    #[must_use]
    pub fn sheets(&self) -> &[SheetInfo] {
        match self {
            Self::Xlsx(book) => book.sheets(),
            Self::Xlsb(book) => book.sheets(),
            Self::Xls(book) => book.sheets(),
            Self::Ods(book) => book.sheets(),
            Self::Csv(book) => book.sheets(),
        }
    }

    /// Names of sheets that hold no cells: charts, dialogs and macros.
    #[must_use]
    pub fn skipped(&self) -> &[String] {
        match self {
            Self::Xlsx(book) => book.skipped(),
            Self::Xlsb(book) => book.skipped(),
            Self::Xls(book) => book.skipped(),
            Self::Ods(_) | Self::Csv(_) => &[],
        }
    }

    /// Sheets of an xlsx workbook so far that our scanner has left to calamine.
    #[must_use]
    pub fn streamed(&self) -> u64 {
        match self {
            Self::Xlsx(book) => book.streamed(),
            _ => 0,
        }
    }

    /// Leaves all sheets of an xlsx workbook to calamine: tests and fuzzing hold our scanner against it.
    pub fn leave_to_calamine(&mut self) {
        if let Self::Xlsx(book) = self {
            book.leave_to_calamine();
        }
    }

    /// What is odd in a sheet that was read, apart from its cells' values and its layout.
    #[must_use]
    pub fn oddities(&self, sheet: &SheetInfo) -> Vec<Oddity> {
        match self {
            Self::Xlsx(book) => book.oddities(sheet),
            Self::Xlsb(_) | Self::Xls(_) | Self::Ods(_) => Vec::new(),
            Self::Csv(book) => book.oddities(),
        }
    }

    /// How a sheet is laid out. Asked before its cells are read, it may cost a pass over them.
    ///
    /// # Errors
    /// When its part is damaged.
    pub fn layout(&mut self, sheet: &SheetInfo) -> Result<SheetLayout, ReadError> {
        match self {
            Self::Xlsx(book) => book.layout(sheet),
            Self::Xlsb(book) => book.layout(sheet),
            Self::Xls(book) => Ok(book.layout(sheet)),
            Self::Ods(book) => Ok(book.layout(sheet)),
            Self::Csv(_) => Ok(SheetLayout::default()),
        }
    }

    /// How plain text was read; nothing of a workbook.
    #[must_use]
    pub fn dialect(&self) -> Option<&TextDialect> {
        match self {
            Self::Csv(book) => Some(book.dialect()),
            _ => None,
        }
    }

    /// Where the header is, if that had to be known to read it.
    #[must_use]
    pub fn header(&self) -> Option<&HeaderOption> {
        match self {
            Self::Csv(book) => Some(book.header()),
            _ => None,
        }
    }

    /// Starts to read a sheet as the options want its cells.
    ///
    /// # Errors
    /// When its part is missing or damaged.
    pub fn arranged(
        &mut self,
        sheet: &SheetInfo,
        layout: SheetLayout,
        options: &IngestOptions,
        limits: &Limits,
    ) -> Result<Box<dyn Cells + '_>, ReadError> {
        arranged(self.cells(sheet)?, layout, options, limits)
    }

    /// Starts to read a sheet.
    ///
    /// # Errors
    /// When its part is missing or damaged.
    pub fn cells(&mut self, sheet: &SheetInfo) -> Result<Box<dyn Cells + '_>, ReadError> {
        Ok(match self {
            Self::Xlsx(book) => Box::new(book.cells(sheet)?),
            Self::Xlsb(book) => Box::new(book.cells(sheet)?),
            Self::Xls(book) => Box::new(book.cells(sheet)?),
            Self::Ods(book) => Box::new(book.cells(sheet)?),
            Self::Csv(book) => Box::new(book.cells()?),
        })
    }
}
