//! Cells as the options want them: merged areas filled, what is hidden left out.

use std::collections::VecDeque;

use super::kind::CellKind;
use super::layout::{Area, MOST_AREAS, SheetLayout, Spans};
use super::refusal::{Refusal, TooMuch};
use super::source::{Cell, Cells, Used};
use super::{Hidden, IngestOptions, Limits, Merged, ReadError};

/// Cells under options that change them.
struct Arranged<'a> {
    cells: Box<dyn Cells + 'a>,
    /// Merged areas that are still to come, in row order.
    coming: VecDeque<Area>,
    /// Those that the current row is in, with the value of their first cell.
    active: Vec<(Area, Held)>,
    /// The cells of the current row, and the first one of the next row that has any.
    row: VecDeque<Held>,
    next: Option<Held>,
    /// The row that was given out last, from 1.
    last_row: u32,
    given: Held,
    begun: bool,
    /// What is left out.
    rows: Spans,
    columns: Spans,
    limits: Limits,
    used: Used,
}

/// A cell of its own.
#[derive(Clone, Debug, Default)]
struct Held {
    row: u32,
    column: u32,
    kind: CellKind,
    number: f64,
    text: String,
    format: u16,
}

impl Held {
    fn of(cell: &Cell<'_>) -> Self {
        Self {
            row: cell.row,
            column: cell.column,
            kind: cell.kind,
            number: cell.number,
            text: cell.text.to_owned(),
            format: cell.format,
        }
    }

    fn cell(&self) -> Cell<'_> {
        Cell {
            row: self.row,
            column: self.column,
            kind: self.kind,
            number: self.number,
            text: &self.text,
            format: self.format,
        }
    }
}

/// The cells as the options want them; as they are where that is the same.
///
/// # Errors
/// When there are more merged areas than can be filled.
pub(super) fn arranged<'a>(
    cells: Box<dyn Cells + 'a>,
    mut layout: SheetLayout,
    options: &IngestOptions,
    limits: &Limits,
) -> Result<Box<dyn Cells + 'a>, ReadError> {
    if options.merged == Merged::Keep {
        layout.merged.clear();
    } else if layout.merged_count > layout.merged.len() as u64 {
        return Err(Refusal::TooMuch(TooMuch::MergedAreas(MOST_AREAS as u64)).into());
    }
    if options.hidden == Hidden::Read {
        (layout.hidden_rows, layout.hidden_columns) = (Spans::default(), Spans::default());
    }
    if layout.merged.is_empty() && layout.hidden_rows.count() == 0 && layout.hidden_columns.count() == 0 {
        return Ok(cells);
    }
    layout.merged.sort_unstable();
    layout.hidden_rows.sort();
    layout.hidden_columns.sort();
    Ok(Box::new(Arranged {
        cells,
        coming: layout.merged.into(),
        active: Vec::new(),
        row: VecDeque::new(),
        next: None,
        last_row: 0,
        given: Held::default(),
        begun: false,
        rows: layout.hidden_rows,
        columns: layout.hidden_columns,
        limits: limits.clone(),
        used: Used::default(),
    }))
}

impl Arranged<'_> {
    fn read(&mut self) -> Result<Option<Held>, ReadError> {
        Ok(self.cells.next()?.map(|cell| Held::of(&cell)))
    }

    /// Reads the cells of the next row that has any, or is in a merged area; false at the end.
    fn next_row(&mut self) -> Result<bool, ReadError> {
        if !self.begun {
            self.begun = true;
            self.next = self.read()?;
        }
        let after = self.last_row;
        // The row after this one is `after + 1`, which is `after` counted from 0.
        self.active.retain(|(area, _)| area.last.0 >= after);
        let continued = (!self.active.is_empty()).then_some(after + 1);
        let Some(row) = self
            .next
            .as_ref()
            .map(|cell| cell.row)
            .into_iter()
            .chain(continued)
            .min()
        else {
            return Ok(false);
        };
        while self.next.as_ref().is_some_and(|cell| cell.row == row) {
            let next = self.read()?;
            self.row.extend(std::mem::replace(&mut self.next, next));
        }
        self.row.make_contiguous().sort_by_key(|cell| cell.column);
        self.begin_areas(row);
        if !self.active.is_empty() {
            self.fill(row)?;
        }
        // A file whose rows go back keeps its order: areas are filled downwards only.
        self.last_row = row.max(after);
        Ok(true)
    }

    /// Takes up the areas that begin in this row or above it; those without a value need no filling.
    fn begin_areas(&mut self, row: u32) {
        while let Some(area) = self.coming.pop_front_if(|area| area.first.0 < row) {
            let found = self.row.binary_search_by_key(&area.first.1, |cell| cell.column);
            let first = found.ok().and_then(|at| self.row.get(at));
            if let Some(first) = first.filter(|cell| cell.row == area.first.0 + 1) {
                self.active.push((area, first.clone()));
            }
        }
    }

    /// Adds what merged areas put into a row. Where areas overlap, the first one counts.
    fn fill(&mut self, row: u32) -> Result<(), ReadError> {
        let mut filled = vec![false; self.limits.columns as usize];
        for cell in &self.row {
            if let Some(filled) = filled.get_mut(cell.column as usize) {
                *filled = true;
            }
        }
        let mut added = Vec::new();
        for (area, value) in &self.active {
            for column in area.first.1..=area.last.1.min(self.limits.columns.saturating_sub(1)) {
                // What is passed over counts too: it bounds the time.
                self.used.take(&self.limits, row, column, &value.text)?;
                let Some(filled) = filled.get_mut(column as usize).filter(|filled| !**filled) else {
                    continue;
                };
                *filled = true;
                added.push(Held {
                    row,
                    column,
                    ..value.clone()
                });
            }
        }
        self.row.extend(added);
        self.row.make_contiguous().sort_by_key(|cell| cell.column);
        Ok(())
    }
}

impl Cells for Arranged<'_> {
    fn next(&mut self) -> Result<Option<Cell<'_>>, ReadError> {
        loop {
            let Some(cell) = self.row.pop_front() else {
                if self.next_row()? {
                    continue;
                }
                return Ok(None);
            };
            if self.rows.holds(cell.row.saturating_sub(1)) || self.columns.holds(cell.column) {
                continue;
            }
            self.given = cell;
            return Ok(Some(self.given.cell()));
        }
    }

    fn formats(&self) -> &[String] {
        self.cells.formats()
    }

    fn last_row(&self) -> Option<u32> {
        self.cells.last_row()
    }

    fn bytes(&self) -> (u64, u64) {
        self.cells.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cells made up: row and column from 1, and a text.
    struct Made(VecDeque<Held>, Held);

    impl Cells for Made {
        fn next(&mut self) -> Result<Option<Cell<'_>>, ReadError> {
            let Some(cell) = self.0.pop_front() else {
                return Ok(None);
            };
            self.1 = cell;
            Ok(Some(self.1.cell()))
        }

        fn formats(&self) -> &[String] {
            &[]
        }

        fn last_row(&self) -> Option<u32> {
            None
        }

        fn bytes(&self) -> (u64, u64) {
            (0, 0)
        }
    }

    fn shown(cells: &[(u32, u32, &str)], areas: &[&str], hidden: (&[u32], &[u32])) -> String {
        let held = |(row, column, text): &(u32, u32, &str)| Held {
            row: *row,
            column: *column - 1,
            kind: CellKind::Text,
            text: (*text).to_owned(),
            ..Held::default()
        };
        let mut layout = SheetLayout::default();
        areas
            .iter()
            .filter_map(|area| Area::parse(area))
            .for_each(|area| layout.merge(area));
        hidden
            .0
            .iter()
            .for_each(|row| layout.hidden_rows.push(row - 1, row - 1));
        hidden
            .1
            .iter()
            .for_each(|column| layout.hidden_columns.push(column - 1, column - 1));
        let made = Box::new(Made(cells.iter().map(held).collect(), Held::default()));
        let options = IngestOptions {
            merged: Merged::Fill,
            hidden: Hidden::LeaveOut,
            ..IngestOptions::default()
        };
        let mut cells = arranged(made, layout, &options, &Limits::default()).expect("areas");
        let mut all = Vec::new();
        while let Some(cell) = cells.next().expect("no limit") {
            all.push(format!(
                "{}{}={}",
                super::super::kind::letters(cell.column),
                cell.row,
                cell.text
            ));
        }
        all.join(" ")
    }

    #[test]
    fn merged_areas_are_filled_down_and_to_the_right() {
        let cells = [(1, 1, "a"), (1, 4, "d"), (2, 4, "x"), (5, 1, "z")];
        assert_eq!(shown(&cells, &[], (&[], &[])), "A1=a D1=d D2=x A5=z");
        assert_eq!(
            shown(&cells, &["A1:B3"], (&[], &[])),
            "A1=a B1=a D1=d A2=a B2=a D2=x A3=a B3=a A5=z"
        );
        // What is there stays, and an area without a value is left alone.
        assert_eq!(
            shown(&cells, &["D1:E2", "B3:C4"], (&[], &[])),
            "A1=a D1=d E1=d D2=x E2=d A5=z"
        );
        // The end of the sheet is no end of an area, and of two areas the first counts.
        assert_eq!(
            shown(&cells, &["A5:B6", "B5:C5"], (&[], &[])),
            "A1=a D1=d D2=x A5=z B5=z A6=z B6=z"
        );
    }

    #[test]
    fn what_is_hidden_is_left_out_after_it_was_filled() {
        let cells = [(1, 1, "a"), (1, 2, "b"), (3, 1, "c")];
        assert_eq!(shown(&cells, &["A1:A2"], (&[1], &[2])), "A2=a A3=c");
        assert_eq!(shown(&cells, &[], (&[1, 3], &[])), "");
    }

    #[test]
    fn a_sheet_that_is_one_merged_area_ends_at_the_limit() {
        let mut layout = SheetLayout::default();
        layout.merge(Area::parse("A1:XFD1048576").expect("an area"));
        let made = Box::new(Made(
            VecDeque::from([Held {
                row: 1,
                kind: CellKind::Number,
                ..Held::default()
            }]),
            Held::default(),
        ));
        let options = IngestOptions {
            merged: Merged::Fill,
            ..IngestOptions::default()
        };
        let limits = Limits {
            cells: 100_000,
            ..Limits::default()
        };
        let mut cells = arranged(made, layout, &options, &limits).expect("areas");
        let end = loop {
            match cells.next() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it ended"),
                Err(error) => break error,
            }
        };
        assert!(
            matches!(end, ReadError::Refused(Refusal::TooMuch(TooMuch::Cells(_)))),
            "{end}"
        );
    }
}
