//! Workbooks with coloured cells and notes, in bounded memory: rows go to a scratch file as they come, strings stand in
//! their cells.
//!
//! They look like those of [`super::workbook`]. The creation time is fixed, so that equal rows give equal bytes.

use std::path::{Path, PathBuf};

use arrow::record_batch::RecordBatch;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Formula, Workbook, Worksheet};

use super::super::kind::CellKind;
use super::super::number_format::{FormatClass, GENERAL, classify};
use super::super::view::{CellView, ColumnView};
use super::marks::{self, MOST_NOTES, Mark, Tone};
use super::names::SheetNames;
use super::rules::{self, SHEET_COLUMNS, SHEET_ROWS, WIDTH_ROWS, code_for, cut, is_no_day, suits, widest, written_as};
use super::{Compression, OutputSheet, Sink, WriteError, Written, is_injection};

/// Writes a workbook.
pub(super) struct AnnotatedSink {
    path: PathBuf,
    workbook: Workbook,
    names: SheetNames,
    sheet: Option<OutputSheet>,
    /// The next row of the current worksheet.
    row: u32,
    /// Made from the first batch of a sheet.
    formats: Vec<ColumnFormats>,
    written: Written,
    notes: u64,
}

impl AnnotatedSink {
    pub(super) fn open(compression: Compression, path: &Path, scratch: &Path) -> Result<Self, WriteError> {
        let mut workbook = Workbook::new();
        workbook.set_tempdir(scratch)?;
        workbook.set_zip_compression_level(compression.level());
        let created = ExcelDateTime::from_ymd(2000, 1, 1)?;
        workbook.set_properties(&DocProperties::new().set_creation_datetime(&created));
        // An unwritable place must show before the work, not after it.
        std::fs::File::create(path)?;
        Ok(Self {
            path: path.to_owned(),
            workbook,
            names: SheetNames::default(),
            sheet: None,
            row: 0,
            formats: Vec::new(),
            written: Written::default(),
            notes: 0,
        })
    }

    /// Begins a worksheet with the header of the current sheet.
    fn start_worksheet(&mut self, sheet: &OutputSheet) -> Result<(), WriteError> {
        let name = self.names.next(&sheet.name);
        let worksheet = self.workbook.add_worksheet_with_constant_memory()?;
        worksheet.set_name(&name)?;
        worksheet.set_freeze_panes(1, 0)?;
        let bold = Format::new().set_bold();
        for (at, column) in sheet.columns.iter().enumerate() {
            let header = cut(&column.name, &mut self.written.cut_texts);
            let format = if is_injection(header) {
                bold.clone().set_quote_prefix()
            } else {
                bold.clone()
            };
            worksheet.write_string_with_format(0, index(at), header, &format)?;
        }
        self.written.sheets.push(name);
        self.formats.clear();
        self.row = 1;
        Ok(())
    }

    /// Puts filter buttons on the header, now that the last row is known.
    fn end_worksheet(&mut self) -> Result<(), WriteError> {
        if let Some(sheet) = self.sheet.as_ref().filter(|s| !s.columns.is_empty())
            && let Some(worksheet) = self.workbook.worksheets_mut().last_mut()
        {
            worksheet.autofilter(0, 0, (self.row - 1).max(1), index(sheet.columns.len() - 1))?;
        }
        Ok(())
    }
}

impl Sink for AnnotatedSink {
    fn start_sheet(&mut self, sheet: &OutputSheet) -> Result<(), WriteError> {
        if sheet.columns.len() > SHEET_COLUMNS {
            return Err(WriteError::Columns(sheet.columns.len()));
        }
        self.end_worksheet()?;
        self.start_worksheet(sheet)?;
        self.sheet = Some(sheet.clone());
        Ok(())
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), WriteError> {
        self.write_marked(batch, &[])
    }

    fn write_marked(&mut self, batch: &RecordBatch, marks: &[Mark]) -> Result<(), WriteError> {
        let mut marks = marks.iter().peekable();
        let sheet = self
            .sheet
            .take()
            .filter(|s| s.columns.len() == batch.num_columns())
            .ok_or(WriteError::Shape)?;
        let columns = batch
            .columns()
            .iter()
            .map(ColumnView::of)
            .collect::<Result<Vec<_>, _>>()?;
        let mut from = 0;
        while from < batch.num_rows() {
            if self.row == SHEET_ROWS {
                self.sheet = Some(sheet.clone());
                self.end_worksheet()?;
                self.start_worksheet(&sheet)?;
            }
            let room = (SHEET_ROWS - self.row) as usize;
            let until = batch.num_rows().min(from + room);
            let Some(worksheet) = self.workbook.worksheets_mut().last_mut() else {
                return Err(WriteError::Shape);
            };
            if self.formats.is_empty() {
                for (at, column) in columns.iter().enumerate() {
                    self.formats
                        .push(ColumnFormats::of(worksheet, index(at), column, &sheet)?);
                }
                set_widths(worksheet, &sheet, &columns, from..until.min(from + WIDTH_ROWS))?;
            }
            for row in from..until {
                for (at, (column, formats)) in columns.iter().zip(&self.formats).enumerate() {
                    let (place, cell) = ((self.row, index(at)), column.cell(row));
                    let mark = marks.next_if(|mark| mark.row == row && mark.column == at);
                    let tone = mark.map(|mark| mark.tone);
                    put(worksheet, place, (&cell, tone), formats, &mut self.written.cut_texts)?;
                    if let Some(mark) = mark.filter(|mark| !mark.note.is_empty()) {
                        self.notes += 1;
                        if self.notes > MOST_NOTES {
                            self.written.notes_left_out += 1;
                        } else {
                            marks::put_note(worksheet, place, &mark.note)?;
                        }
                    }
                }
                self.row += 1;
            }
            from = until;
        }
        self.written.rows += batch.num_rows() as u64;
        self.sheet = Some(sheet);
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Written, WriteError> {
        if self.written.sheets.is_empty() {
            self.start_worksheet(&OutputSheet::default())?;
        }
        self.end_worksheet()?;
        self.workbook.save(&self.path)?;
        Ok(self.written)
    }
}

fn index(column: usize) -> u16 {
    u16::try_from(column).unwrap_or(u16::MAX)
}

fn put(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    (cell, tone): (&CellView<'_>, Option<Tone>),
    formats: &ColumnFormats,
    cut_texts: &mut u64,
) -> Result<(), WriteError> {
    if let Some(tone) = tone {
        return put_coloured(sheet, (row, column), (cell, tone), formats, cut_texts);
    }
    match written_as(cell) {
        CellKind::Blank => {}
        CellKind::Text => {
            let text = cut(cell.text, cut_texts);
            if is_injection(text) {
                sheet.write_string_with_format(row, column, text, &formats.quoted)?;
            } else {
                sheet.write_string(row, column, text)?;
            }
        }
        CellKind::Boolean => {
            sheet.write_boolean(row, column, cell.number != 0.0)?;
        }
        CellKind::Error => {
            // An error constant is a formula of itself; there is no other way to write one.
            sheet.write_formula(
                row,
                column,
                Formula::new(format!("={}", cell.text)).set_result(cell.text),
            )?;
        }
        CellKind::Number | CellKind::Date | CellKind::DateTime | CellKind::Time | CellKind::Duration => {
            match formats.of_cell(cell) {
                Some(format) => sheet.write_number_with_format(row, column, cell.number, format)?,
                None => sheet.write_number(row, column, cell.number)?,
            };
        }
    }
    Ok(())
}

/// The same in a colour. Such cells are few beside the others, so that their formats are made one by one.
fn put_coloured(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    (cell, tone): (&CellView<'_>, Tone),
    formats: &ColumnFormats,
    cut_texts: &mut u64,
) -> Result<(), WriteError> {
    let plain = Format::new();
    let format = marks::coloured(
        formats.of_cell(cell).or(formats.column.as_ref()).unwrap_or(&plain),
        tone,
    );
    match written_as(cell) {
        CellKind::Blank => sheet.write_blank(row, column, &format)?,
        CellKind::Text => {
            let text = cut(cell.text, cut_texts);
            let format = if is_injection(text) {
                format.set_quote_prefix()
            } else {
                format
            };
            sheet.write_string_with_format(row, column, text, &format)?
        }
        CellKind::Boolean => sheet.write_boolean_with_format(row, column, cell.number != 0.0, &format)?,
        CellKind::Error => {
            let error = Formula::new(format!("={}", cell.text)).set_result(cell.text);
            sheet.write_formula_with_format(row, column, error, &format)?
        }
        CellKind::Number | CellKind::Date | CellKind::DateTime | CellKind::Time | CellKind::Duration => {
            sheet.write_number_with_format(row, column, cell.number, &format)?
        }
    };
    Ok(())
}

/// Widths by the header and the first rows as they show.
fn set_widths(
    worksheet: &mut Worksheet,
    sheet: &OutputSheet,
    columns: &[ColumnView],
    rows: std::ops::Range<usize>,
) -> Result<(), WriteError> {
    for (at, (column, meta)) in columns.iter().zip(&sheet.columns).enumerate() {
        let width = rules::width(&meta.name, widest(column, meta, &sheet.formats, rows.clone()));
        worksheet.set_column_width(index(at), f64::from(width) + 0.7)?;
    }
    Ok(())
}

/// The formats of one column's cells, made once: looking one up by its many properties costs more than a cell.
struct ColumnFormats {
    /// Text that could run as a formula.
    quoted: Format,
    /// By the position of the cell's own format, in a mixed column, with what it is for.
    own: Vec<Option<(Format, FormatClass)>>,
    /// By kind, for cells whose own format does not suit them.
    plain: [Option<Format>; CellKind::ALL.len()],
    /// By kind, for cells without an own format.
    by_kind: [Option<Format>; CellKind::ALL.len()],
    /// The column's own, in a typed column.
    column: Option<Format>,
}

impl ColumnFormats {
    /// The formats of a column; those of a typed column go to the column itself, which spares its cells.
    fn of(worksheet: &mut Worksheet, at: u16, view: &ColumnView, sheet: &OutputSheet) -> Result<Self, WriteError> {
        let quoted = Format::new().set_quote_prefix();
        let code = sheet
            .columns
            .get(usize::from(at))
            .and_then(|c| c.format.as_deref())
            .filter(|c| *c != GENERAL);
        let kind = match view {
            ColumnView::Mixed { .. } => {
                let of_kinds =
                    |code| CellKind::ALL.map(|kind| code_for(kind, code).map(|c| Format::new().set_num_format(c)));
                let made =
                    |code: &String| (code != GENERAL).then(|| (Format::new().set_num_format(code), classify(code)));
                return Ok(Self {
                    quoted,
                    own: sheet.formats.iter().map(made).collect(),
                    plain: of_kinds(None),
                    by_kind: of_kinds(code),
                    column: None,
                });
            }
            ColumnView::Integer(_) | ColumnView::Decimal(_) => CellKind::Number,
            ColumnView::Date(_) => CellKind::Date,
            ColumnView::DateTime(_) => CellKind::DateTime,
            ColumnView::Time(_) => CellKind::Time,
            ColumnView::Blank | ColumnView::Boolean(_) | ColumnView::Text(_) => CellKind::Text,
        };
        let column = code_for(kind, code).map(|code| Format::new().set_num_format(code));
        if let Some(format) = &column {
            worksheet.set_column_format(at, format)?;
        }
        Ok(Self {
            quoted,
            own: Vec::new(),
            plain: CellKind::ALL.map(|_| None),
            by_kind: CellKind::ALL.map(|_| None),
            column,
        })
    }

    fn of_cell<'a>(&'a self, cell: &CellView<'_>) -> Option<&'a Format> {
        let of_kind =
            |formats: &'a [Option<Format>]| formats.get(usize::from(cell.kind.code())).and_then(Option::as_ref);
        match cell.format.and_then(|at| self.own.get(usize::from(at))) {
            Some(Some((format, class))) if suits(cell.kind, *class) || is_no_day(cell) => Some(format),
            Some(_) => of_kind(&self.plain),
            None => of_kind(&self.by_kind),
        }
    }
}
