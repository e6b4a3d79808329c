//! The XML of a sheet, read one thing after the other (ECMA-376 part 1, section 18.3.1.99).
//!
//! What is cut off at the end of the bytes is read again when there are more: a step keeps nothing of it.

use super::cell::{Found, cell, whole};
use super::markup::{Attribute, Markup, Names, Stop, Tag, byte_order_mark, check_encoding, renames};
use crate::sheets::kind::letters;
use crate::sheets::layout::Area;
use crate::sheets::scan;

/// Columns that a sheet may have.
const MOST_COLUMNS: u32 = 16_384;

/// How far reading has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Start,
    /// In front of the root element.
    Prolog,
    /// In front of the rows.
    Head,
    /// Between two rows.
    Rows,
    /// In a row.
    Row,
    /// Behind the rows.
    Tail,
    /// Behind all that is of interest.
    Done,
}

/// What a step has read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    /// A cell, blank ones too.
    Cell(Found),
    /// Something else.
    Passed,
}

/// A sheet that is being read.
#[derive(Debug)]
pub(super) struct Sheet {
    stage: Stage,
    names: Names,
    /// Where a cell is that does not say it.
    next: (u32, u32),
    /// The last row that the sheet says it has, from 1.
    last_row: Option<u32>,
    found: scan::Found,
}

impl Sheet {
    pub(super) fn new() -> Self {
        Self {
            stage: Stage::Start,
            names: Names::default(),
            next: (0, 0),
            last_row: None,
            found: scan::Found::default(),
        }
    }

    /// Whether the rows have been reached.
    pub(super) fn is_at_rows(&self) -> bool {
        !matches!(self.stage, Stage::Start | Stage::Prolog | Stage::Head)
    }

    /// Whether all rows are read.
    pub(super) fn is_behind_rows(&self) -> bool {
        matches!(self.stage, Stage::Tail | Stage::Done)
    }

    /// Whether nothing that follows matters.
    pub(super) fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }

    pub(super) fn last_row(&self) -> Option<u32> {
        self.last_row
    }

    /// What the cells do not tell, as far as it was read.
    pub(super) fn take_found(&mut self) -> scan::Found {
        std::mem::take(&mut self.found)
    }

    /// Reads one thing; how many bytes it had. Texts of cells are left in `text`.
    #[inline]
    pub(super) fn step(&mut self, bytes: &[u8], text: &mut String) -> Result<(Step, usize), Stop> {
        let mut markup = Markup::new(bytes);
        let mut step = Step::Passed;
        match self.stage {
            Stage::Row => {
                if let Some(found) = self.in_row(&mut markup, text)? {
                    step = Step::Cell(found);
                }
            }
            Stage::Rows => self.between_rows(&mut markup)?,
            Stage::Start => {
                let mark = byte_order_mark(bytes)?;
                self.stage = Stage::Prolog;
                return Ok((step, mark));
            }
            Stage::Prolog => self.prolog(&mut markup)?,
            Stage::Head => self.head(&mut markup)?,
            Stage::Tail => self.tail(&mut markup).or_else(|stop| match stop {
                Stop::More => Err(stop),
                Stop::Odd(_) => {
                    self.stage = Stage::Done;
                    Ok(())
                }
            })?,
            Stage::Done => {}
        }
        Ok((step, bytes.len() - markup.left().len()))
    }

    fn prolog(&mut self, markup: &mut Markup<'_>) -> Result<(), Stop> {
        markup.text()?;
        match markup.tag()? {
            Tag::Instruction(instruction) => check_encoding(instruction),
            Tag::Start(name) => {
                let names = Names::of(name, b"worksheet")?;
                if markup.attributes()? == Attribute::Empty {
                    return Err(Stop::Odd("a sheet without rows"));
                }
                (self.names, self.stage) = (names, Stage::Head);
                Ok(())
            }
            Tag::Comment => Ok(()),
            Tag::End(_) | Tag::CData(_) => Err(Stop::Odd("something in front of the sheet")),
        }
    }

    fn head(&mut self, markup: &mut Markup<'_>) -> Result<(), Stop> {
        markup.text()?;
        let name = match markup.tag()? {
            Tag::Start(name) => name,
            Tag::End(name) if self.names.own(name) == b"worksheet" => return Err(Stop::Odd("a sheet without rows")),
            _ => return Ok(()),
        };
        match self.names.own(name) {
            b"dimension" => {
                let mut area = None;
                while let Attribute::Is(key, value) = markup.attribute()? {
                    if key == b"ref" {
                        area = std::str::from_utf8(value).ok().and_then(Area::parse);
                    }
                }
                self.last_row = area.and_then(|area| area.last.0.checked_add(1)).filter(|row| *row > 1);
            }
            b"col" => self.columns(markup)?,
            b"sheetData" => {
                self.stage = match markup.attributes()? {
                    Attribute::Empty => Stage::Tail,
                    _ => Stage::Rows,
                };
            }
            _ => {
                markup.attributes()?;
            }
        }
        Ok(())
    }

    /// Notes columns that do not show.
    fn columns(&mut self, markup: &mut Markup<'_>) -> Result<(), Stop> {
        let (mut first, mut last, mut hidden) = (None, None, false);
        while let Attribute::Is(key, value) = markup.attribute()? {
            match key {
                b"min" => first = whole(value),
                b"max" => last = whole(value),
                b"hidden" => hidden = is_true(value),
                _ => {}
            }
        }
        if let (true, Some(first @ 1..), Some(last @ 1..)) = (hidden, first, last) {
            let last = last.min(MOST_COLUMNS);
            self.found.layout.hidden_columns.push(first - 1, last - 1);
        }
        Ok(())
    }

    fn between_rows(&mut self, markup: &mut Markup<'_>) -> Result<(), Stop> {
        markup.text()?;
        match markup.tag()? {
            Tag::Start(name) if self.names.own(name) == b"row" => self.row(markup),
            Tag::End(name) if self.names.own(name) == b"sheetData" => {
                self.stage = Stage::Tail;
                Ok(())
            }
            Tag::Start(_) | Tag::End(_) => Err(Stop::Odd("something else than a row")),
            Tag::CData(_) | Tag::Comment | Tag::Instruction(_) => Ok(()),
        }
    }

    fn row(&mut self, markup: &mut Markup<'_>) -> Result<(), Stop> {
        let (mut row, mut hidden) = (self.next.0, false);
        let end = loop {
            match markup.attribute()? {
                Attribute::Is(b"r", value) => {
                    let number = whole(value).and_then(|number| number.checked_sub(1));
                    row = number.ok_or(Stop::Odd("a row without a number"))?;
                }
                Attribute::Is(b"hidden", value) => hidden = is_true(value),
                Attribute::Is(other, _) if renames(other) => return Err(Stop::Odd("a namespace of its own")),
                Attribute::Is(..) => {}
                end => break end,
            }
        };
        if hidden {
            self.found.layout.hidden_rows.push(row, row);
        }
        if end == Attribute::Empty {
            self.next = (row.saturating_add(1), 0);
        } else {
            self.next.0 = row;
            self.stage = Stage::Row;
        }
        Ok(())
    }

    #[inline]
    fn in_row(&mut self, markup: &mut Markup<'_>, text: &mut String) -> Result<Option<Found>, Stop> {
        if let [b'<', b'c', left @ ..] = markup.left()
            && left.first() == Some(&b' ')
            && self.names.are_bare()
        {
            markup.go_on(left);
            return self.cell(markup, b"c", text).map(Some);
        }
        markup.text()?;
        match markup.tag()? {
            Tag::Start(name) if self.names.own(name) == b"c" => self.cell(markup, name, text).map(Some),
            Tag::End(name) if self.names.own(name) == b"row" => {
                self.next = (self.next.0.saturating_add(1), 0);
                self.stage = Stage::Rows;
                Ok(None)
            }
            Tag::Start(_) | Tag::End(_) => Err(Stop::Odd("something else than a cell")),
            Tag::CData(_) | Tag::Comment | Tag::Instruction(_) => Ok(None),
        }
    }

    #[inline]
    fn cell(&mut self, markup: &mut Markup<'_>, name: &[u8], text: &mut String) -> Result<Found, Stop> {
        let found = cell(markup, &self.names, name, self.next, text)?;
        self.next.1 = found.place.1.saturating_add(1);
        if found.without_value {
            let (row, column) = found.place;
            let address = format!("{}{}", letters(column.min(MOST_COLUMNS)), u64::from(row) + 1);
            self.found.add_without_value(address);
        }
        Ok(found)
    }

    fn tail(&mut self, markup: &mut Markup<'_>) -> Result<(), Stop> {
        markup.text()?;
        let name = match markup.tag()? {
            Tag::Start(name) => name,
            Tag::End(name) => {
                if self.names.own(name) == b"worksheet" {
                    self.stage = Stage::Done;
                }
                return Ok(());
            }
            _ => return Ok(()),
        };
        if self.names.own(name) == b"mergeCell" {
            let mut area = None;
            while let Attribute::Is(key, value) = markup.attribute()? {
                if key == b"ref" {
                    area = std::str::from_utf8(value).ok().and_then(Area::parse);
                }
            }
            if let Some(area) = area {
                self.found.layout.merge(area);
            }
        } else {
            markup.attributes()?;
        }
        Ok(())
    }
}

fn is_true(value: &[u8]) -> bool {
    matches!(value, b"1" | b"true")
}
