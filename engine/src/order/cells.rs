//! Prints every filled cell of a workbook, one JSON object a row, in the form of `sheetmill cells`.

use std::fs::File;
use std::io::{BufWriter, Write};

use serde_json::{Map, Value, json};

use super::execute::OrderError;
use super::{CellsOrder, Message, Report};
use crate::sheets::book::Book;
use crate::sheets::dates::{iso_date_time, iso_duration, serial_ms, unix_ms};
use crate::sheets::kind::letters;
use crate::sheets::source::{Cell, SheetInfo};
use crate::sheets::{CellKind, IngestOptions, ReadError, Refusal};

/// Writes the cells to the order's file.
pub(super) fn run(order: &CellsOrder, _say: &mut dyn FnMut(Message)) -> Result<Report, OrderError> {
    let print = || print(order);
    let printed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(print));
    printed.unwrap_or_else(|_| Err(Refusal::Damaged("the reader stumbled".to_owned()).into()))
}

fn print(order: &CellsOrder) -> Result<Report, OrderError> {
    let mut book = Book::open(&order.input, &IngestOptions::default(), &order.limits)?;
    let mut out = BufWriter::new(File::create(&order.out)?);
    let wanted = |sheet: &&SheetInfo| order.sheet.as_ref().is_none_or(|name| *name == sheet.name);
    let sheets: Vec<SheetInfo> = book.sheets().iter().filter(wanted).cloned().collect();
    if let Some(name) = order.sheet.as_ref().filter(|_| sheets.is_empty()) {
        return Err(Refusal::SheetNotFound(name.clone()).into());
    }
    let mut rows = 0;
    for sheet in sheets {
        let mut cells = book.cells(&sheet)?;
        let mut line = Line {
            sheet: &sheet.name,
            row: 0,
            cells: Map::new(),
            out: &mut out,
            rows: 0,
        };
        while let Some(cell) = cells.next()? {
            line.add(&cell)?;
        }
        line.end()?;
        rows += line.rows;
    }
    out.flush()?;
    Ok(Report {
        rows_in: rows,
        ..Report::default()
    })
}

struct Line<'a, W: Write> {
    sheet: &'a str,
    row: u32,
    cells: Map<String, Value>,
    out: &'a mut W,
    rows: u64,
}

impl<W: Write> Line<'_, W> {
    fn add(&mut self, cell: &Cell<'_>) -> Result<(), ReadError> {
        if cell.row != self.row {
            self.end()?;
            self.row = cell.row;
        }
        self.cells.insert(letters(cell.column), value(cell));
        Ok(())
    }

    fn end(&mut self) -> Result<(), ReadError> {
        if !self.cells.is_empty() {
            let cells = std::mem::take(&mut self.cells);
            let line = json!({"sheet": self.sheet, "row": self.row, "cells": cells});
            writeln!(self.out, "{line}")?;
            self.rows += 1;
        }
        Ok(())
    }
}

fn value(cell: &Cell<'_>) -> Value {
    match cell.kind {
        CellKind::Blank | CellKind::Text => json!(["s", cell.text]),
        CellKind::Number => json!(["n", cell.number]),
        CellKind::Boolean => json!(["b", cell.number != 0.0]),
        CellKind::Date | CellKind::DateTime => json!(["d", unix_ms(cell.number).map(iso_date_time)]),
        // Times are told to the second, as dates are.
        CellKind::Time => json!(["t", iso_duration(serial_ms(cell.number) / 1000 * 1000)]),
        CellKind::Duration => json!(["t", iso_duration(serial_ms(cell.number))]),
        CellKind::Error => json!(["e", cell.text]),
    }
}
