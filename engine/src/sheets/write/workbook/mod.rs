//! Plain workbooks, fast: rows become XML in blocks, which several threads write and deflate, and which are joined to one
//! stream for each sheet.
//!
//! ```text
//! batches -> pieces of rows -> blocks -> threads: XML (cells, text), deflated -> in order -> container
//!                  \-> shared strings (positions, in order)        styles, parts -> at the end -/
//! ```
//!
//! A bold frozen header with filter buttons, widths by the first rows, and every value as what it is. The same rows give the
//! same bytes, whatever batches they come in and however many threads there are: where blocks end, and which texts are
//! shared, depends on rows alone. Memory does not grow with rows.

mod cells;
mod deflate;
mod parts;
mod strings;
mod styles;
#[cfg(test)]
mod tests;
mod text;
mod worksheet;
mod zip;

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;

use super::super::view::ColumnView;
use super::names::SheetNames;
use super::rules::{SHEET_COLUMNS, SHEET_ROWS};
use super::{Compression, OutputSheet, Sink, WriteError, Written};
use cells::{Piece, put_rows};
use deflate::{Press, Presses, Work};
use parts::{SheetEntry, Tab};
use strings::{Repeats, SharedStrings};
use styles::Styles;
use worksheet::{Ending, Worksheet};
use zip::Container;

/// Bytes of shared strings in a block.
const STRINGS_BLOCK: usize = 1 << 20;

/// Writes a workbook.
pub(super) struct WorkbookSink {
    container: Container<BufWriter<File>>,
    presses: Presses,
    styles: Styles,
    strings: SharedStrings,
    names: SheetNames,
    open: Option<Worksheet>,
    /// By column of the open sheet, over all parts that it takes.
    repeats: Vec<Repeats>,
    complete: Vec<SheetEntry>,
    written: Written,
}

impl WorkbookSink {
    pub(super) fn open(compression: Compression, threads: usize, path: &Path) -> Result<Self, WriteError> {
        let file = BufWriter::new(File::create(path)?);
        let mut sink = Self {
            container: Container::new(file, 0),
            presses: Presses::start(threads, compression.level().into())?,
            styles: Styles::default(),
            strings: SharedStrings::default(),
            names: SheetNames::default(),
            open: None,
            repeats: Vec::new(),
            complete: Vec::new(),
            written: Written::default(),
        };
        // These come first for programs that know a workbook by its first bytes.
        sink.part("_rels/.rels", parts::relations())?;
        sink.part("docProps/core.xml", parts::core())?;
        Ok(sink)
    }

    /// Writes a part that is complete.
    fn part(&mut self, path: &str, xml: Vec<u8>) -> Result<(), WriteError> {
        self.container.begin(path, 0)?;
        self.put(xml)?;
        self.end_member(&[])
    }

    /// Adds content to the open member.
    fn put(&mut self, xml: Vec<u8>) -> Result<(), WriteError> {
        self.hand_in(Box::new(move |press| {
            press.text().extend_from_slice(&xml);
            0
        }))
    }

    fn hand_in(&mut self, work: Work) -> Result<(), WriteError> {
        while self.presses.is_full() {
            self.take_block()?;
        }
        Ok(self.presses.hand_in(work)?)
    }

    /// Writes the oldest block; whether there was one.
    fn take_block(&mut self) -> Result<bool, WriteError> {
        let Some(block) = self.presses.take().transpose()? else {
            return Ok(false);
        };
        self.container.add(&block)?;
        self.written.cut_texts += block.cut_texts;
        Ok(true)
    }

    fn end_member(&mut self, front: &[u8]) -> Result<(), WriteError> {
        while self.take_block()? {}
        Ok(self.container.end(front)?)
    }

    fn begin_worksheet(&mut self, sheet: Arc<OutputSheet>) -> Result<(), WriteError> {
        let name = self.names.next(&sheet.name);
        self.container
            .begin(&parts::sheet_path(self.complete.len() + 1), parts::SHEET_FRONT)?;
        self.written.sheets.push(name.clone());
        self.open = Some(Worksheet::new(name, sheet));
        Ok(())
    }

    fn end_worksheet(&mut self) -> Result<(), WriteError> {
        let Some(mut worksheet) = self.open.take() else {
            return Ok(());
        };
        self.put_waiting(&mut worksheet, Ending::Complete)?;
        let entry = SheetEntry {
            name: worksheet.name,
            columns: worksheet.sheet.columns.len(),
            last_row: worksheet.rows,
        };
        let mut end = Vec::new();
        parts::put_sheet_end(entry.filtered().as_deref(), &mut end);
        self.put(end)?;
        self.end_member(&parts::sheet_front(&entry.range()))?;
        self.complete.push(entry);
        Ok(())
    }

    /// Hands in the blocks that are full, and the last one at the end.
    fn put_waiting(&mut self, worksheet: &mut Worksheet, ending: Ending) -> Result<(), WriteError> {
        if worksheet.wants_head(ending) {
            let tab = if self.complete.is_empty() {
                Tab::Shown
            } else {
                Tab::Behind
            };
            let head = worksheet.head(&mut self.styles, tab, &mut self.written.cut_texts);
            self.put(head)?;
        }
        let Some(styles) = worksheet.styles.clone() else {
            return Ok(());
        };
        while let Some((number, pieces)) = worksheet.next_block(ending) {
            let styles = Arc::clone(&styles);
            self.hand_in(Box::new(move |press: &mut Press| {
                put_rows(number, &pieces, &styles, press)
            }))?;
        }
        Ok(())
    }

    fn put_strings(&mut self) -> Result<(), WriteError> {
        let (texts, cells, xml) = std::mem::take(&mut self.strings).into_parts();
        self.container.begin("xl/sharedStrings.xml", 0)?;
        self.put(parts::begin_strings(texts, cells))?;
        for block in xml.chunks(STRINGS_BLOCK) {
            self.put(block.to_vec())?;
        }
        self.put(b"</sst>".to_vec())?;
        self.end_member(&[])
    }
}

impl Sink for WorkbookSink {
    fn start_sheet(&mut self, sheet: &OutputSheet) -> Result<(), WriteError> {
        if sheet.columns.len() > SHEET_COLUMNS {
            return Err(WriteError::Columns(sheet.columns.len()));
        }
        self.end_worksheet()?;
        self.repeats = vec![Repeats::default(); sheet.columns.len()];
        self.begin_worksheet(Arc::new(sheet.clone()))
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), WriteError> {
        let fits = |worksheet: &Worksheet| worksheet.sheet.columns.len() == batch.num_columns();
        let sheet = self
            .open
            .as_ref()
            .filter(|open| fits(open))
            .map(|open| Arc::clone(&open.sheet));
        let sheet = sheet.ok_or(WriteError::Shape)?;
        let columns = batch
            .columns()
            .iter()
            .map(ColumnView::of)
            .collect::<Result<Vec<_>, _>>()?;
        let (rows, with) = (batch.num_rows(), columns.iter().zip(&mut self.repeats));
        let strings = with
            .map(|(column, repeats)| self.strings.positions(column, rows, repeats))
            .collect();
        let (columns, strings) = (Arc::new(columns), Arc::new(strings));
        let mut from = 0;
        while from < rows {
            if self.open.as_ref().is_none_or(|open| open.rows == SHEET_ROWS) {
                self.end_worksheet()?;
                self.begin_worksheet(Arc::clone(&sheet))?;
            }
            let Some(mut worksheet) = self.open.take() else {
                return Err(WriteError::Shape);
            };
            let room = (SHEET_ROWS - worksheet.rows) as usize;
            let until = rows.min(from + room);
            worksheet.add(Piece {
                columns: Arc::clone(&columns),
                strings: Arc::clone(&strings),
                rows: from..until,
            });
            self.put_waiting(&mut worksheet, Ending::Open)?;
            self.open = Some(worksheet);
            from = until;
        }
        self.written.rows += rows as u64;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Written, WriteError> {
        if self.written.sheets.is_empty() {
            self.start_sheet(&OutputSheet::default())?;
        }
        self.end_worksheet()?;
        self.put_strings()?;
        self.part("xl/styles.xml", self.styles.xml())?;
        let sheets = std::mem::take(&mut self.complete);
        self.part("xl/workbook.xml", parts::workbook(&sheets))?;
        self.part("xl/_rels/workbook.xml.rels", parts::workbook_relations(sheets.len()))?;
        self.part("docProps/app.xml", parts::app())?;
        self.part("[Content_Types].xml", parts::content_types(sheets.len()))?;
        self.container.finish()?;
        Ok(self.written)
    }
}
