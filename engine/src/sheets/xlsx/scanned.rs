//! Cells of a sheet that is scanned.

use std::ops::ControlFlow;

use super::Advanced;
use super::blocks::Blocks;
use super::cell::{Content, Found};
use super::markup::Stop;
use super::shared_strings::SharedStrings;
use super::sheet::{Sheet, Step};
use crate::sheets::ReadError;
use crate::sheets::kind::CellKind;
use crate::sheets::scan;
use crate::sheets::values::{Formats, Value};

/// A sheet that is being scanned.
#[derive(Debug)]
pub(super) struct Scanned {
    blocks: Blocks,
    sheet: Sheet,
    /// Cells read so far, blank ones too.
    passed: u64,
    /// The text of the last cell, if it is no shared string.
    text: String,
    text_of: TextOf,
}

/// Where the text of the last cell is.
#[derive(Clone, Copy, Debug)]
enum TextOf {
    Cell,
    /// A shared string.
    Shared((u32, u32)),
    /// Of a number that is none.
    Number(f64),
}

/// What comes next.
pub(super) enum Next {
    /// A filled cell.
    Cell(Advanced),
    /// Nothing.
    End,
    /// A cell that refers to a string that there is not.
    NoString,
    /// Something that is left to calamine, behind so many cells.
    Odd { passed: u64 },
}

impl Scanned {
    /// Starts to scan a sheet, up to its rows; nothing where it is to be left alone.
    ///
    /// # Errors
    /// When the part is damaged.
    pub(super) fn of(blocks: Blocks) -> Result<Option<Self>, ReadError> {
        let mut scanned = Self {
            blocks,
            sheet: Sheet::new(),
            passed: 0,
            text: String::new(),
            text_of: TextOf::Cell,
        };
        while !scanned.sheet.is_at_rows() {
            if scanned.step()?.is_err() {
                return Ok(None);
            }
        }
        Ok(Some(scanned))
    }

    pub(super) fn last_row(&self) -> Option<u32> {
        self.sheet.last_row()
    }

    /// Unpacked bytes that were read.
    pub(super) fn passed(&self) -> u64 {
        self.blocks.passed()
    }

    /// What the cells did not tell.
    pub(super) fn take_found(&mut self) -> scan::Found {
        self.sheet.take_found()
    }

    /// Reads one thing. An inner error: the sheet is left alone, or it has ended.
    #[inline]
    fn step(&mut self) -> Result<Result<Step, Ended>, ReadError> {
        loop {
            match self.sheet.step(self.blocks.bytes(), &mut self.text) {
                Ok((step, used)) => {
                    self.blocks.pass(used);
                    return Ok(Ok(step));
                }
                Err(Stop::More) => {
                    if self.blocks.more()? == ControlFlow::Break(()) {
                        let behind = self.sheet.is_behind_rows();
                        return Ok(Err(if behind { Ended::Well } else { Ended::Odd }));
                    }
                }
                Err(Stop::Odd(_)) => return Ok(Err(Ended::Odd)),
            }
        }
    }

    /// The next filled cell.
    ///
    /// # Errors
    /// When the part is damaged.
    #[inline]
    pub(super) fn advance(
        &mut self,
        formats: &Formats,
        strings: &SharedStrings,
        shift: f64,
    ) -> Result<Next, ReadError> {
        loop {
            if self.sheet.is_done() {
                self.blocks.drain()?;
                return Ok(Next::End);
            }
            let found = match self.step()? {
                Ok(Step::Cell(found)) => found,
                Ok(Step::Passed) => continue,
                Err(Ended::Well) => return Ok(Next::End),
                Err(Ended::Odd) => return Ok(Next::Odd { passed: self.passed }),
            };
            self.passed += 1;
            if found.value == Content::Blank {
                continue;
            }
            let (format, class) = formats.style(found.style);
            let Some(value) = self.value(&found, strings) else {
                return Ok(Next::NoString);
            };
            if let Some(cell) = value.classified(class, shift) {
                return Ok(Next::Cell(Advanced::of(found.place, cell, format)));
            }
            if found.value == Content::Error {
                return Ok(Next::Cell(Advanced::of(found.place, (CellKind::Error, 0.0), format)));
            }
        }
    }

    /// The value of a cell; where its text is stays known. Nothing where it is a shared string that there is not.
    #[inline]
    fn value(&mut self, found: &Found, strings: &SharedStrings) -> Option<Value<'_>> {
        self.text_of = TextOf::Cell;
        Some(match found.value {
            Content::Number(number) => {
                self.text_of = TextOf::Number(number);
                Value::Number(number)
            }
            Content::Shared(index) => {
                let place = strings.place(index?)?;
                self.text_of = TextOf::Shared(place);
                // Which text it is matters to nobody here, but for an empty one.
                Value::Text(if place.0 == place.1 { "" } else { "a shared string" })
            }
            Content::Boolean(value) => Value::Boolean(value),
            Content::Text => Value::Text(&self.text),
            Content::Iso => Value::Iso(&self.text),
            // Its text says which error.
            Content::Error | Content::Blank => Value::Blank,
        })
    }

    /// The text of the last cell, a text or an error.
    pub(super) fn text<'t>(&'t self, strings: Option<&'t SharedStrings>) -> &'t str {
        match self.text_of {
            TextOf::Cell => &self.text,
            TextOf::Shared(place) => strings.map_or("", |strings| strings.at(place)),
            TextOf::Number(number) => Value::Number(number).text(),
        }
    }
}

/// How reading ended.
enum Ended {
    Well,
    /// With something that is left to calamine.
    Odd,
}

/// Reads a sheet only for what its cells do not tell; nothing where it is to be left alone.
///
/// # Errors
/// When the part is damaged.
pub(super) fn look_through(blocks: Blocks) -> Result<Option<scan::Found>, ReadError> {
    let Some(mut scanned) = Scanned::of(blocks)? else {
        return Ok(None);
    };
    while !scanned.sheet.is_done() {
        match scanned.step()? {
            Ok(_) => {}
            Err(Ended::Well) => break,
            Err(Ended::Odd) => return Ok(None),
        }
    }
    scanned.blocks.drain()?;
    Ok(Some(scanned.take_found()))
}
