//! The shared strings of a workbook (ECMA-376 part 1, section 18.4), one behind the other in one piece of memory.

use std::ops::ControlFlow;

use super::blocks::Blocks;
use super::markup::{Attribute, Markup, Names, Stop, Tag, byte_order_mark, check_encoding};
use super::text::add_item;
use crate::sheets::ReadError;

/// All shared strings.
#[derive(Debug, Default)]
pub(super) struct SharedStrings {
    text: String,
    /// Where each one ends.
    ends: Vec<u32>,
}

/// How far into the part reading has come.
#[derive(Clone, Debug)]
enum Stage {
    Start,
    Head,
    Items(Names),
    Done,
}

impl SharedStrings {
    /// Reads the part.
    ///
    /// # Errors
    /// When it is damaged or beyond a limit. Inside, what makes it one for another reader.
    pub(super) fn read(mut blocks: Blocks) -> Result<Result<Self, Stop>, ReadError> {
        let (mut strings, mut stage) = (Self::default(), Stage::Start);
        loop {
            match strings.step(blocks.bytes(), &mut stage) {
                Ok(used) => blocks.pass(used),
                Err(Stop::More) => {
                    if blocks.more()? == ControlFlow::Break(()) {
                        return Ok(Err(Stop::Odd("shared strings that end early")));
                    }
                }
                Err(odd) => return Ok(Err(odd)),
            }
            if matches!(stage, Stage::Done) {
                blocks.drain()?;
                return Ok(Ok(strings));
            }
        }
    }

    /// Reads one thing; how many bytes it had. Nothing is kept of one that is cut off.
    fn step(&mut self, bytes: &[u8], stage: &mut Stage) -> Result<usize, Stop> {
        let mut markup = Markup::new(bytes);
        if matches!(stage, Stage::Start) {
            *stage = Stage::Head;
            return byte_order_mark(bytes).inspect_err(|_| *stage = Stage::Start);
        }
        markup.text()?;
        match markup.tag()? {
            Tag::Start(name) => self.start(name, &mut markup, stage)?,
            Tag::End(name) => match stage {
                Stage::Items(names) if names.own(name) == b"sst" => *stage = Stage::Done,
                _ => {}
            },
            Tag::Instruction(instruction) => check_encoding(instruction)?,
            Tag::CData(_) | Tag::Comment => {}
        }
        Ok(bytes.len() - markup.left().len())
    }

    fn start(&mut self, name: &[u8], markup: &mut Markup<'_>, stage: &mut Stage) -> Result<(), Stop> {
        match stage {
            Stage::Items(names) if names.own(name) == b"si" => {
                let length = self.text.len();
                let read = self.item(name, markup, names);
                if read.is_err() {
                    self.text.truncate(length);
                }
                read
            }
            Stage::Items(_) | Stage::Done => markup.pass_element(),
            Stage::Start | Stage::Head => {
                let names = Names::of(name, b"sst")?;
                *stage = match markup.attributes()? {
                    Attribute::Empty => Stage::Done,
                    _ => Stage::Items(names),
                };
                Ok(())
            }
        }
    }

    fn item(&mut self, name: &[u8], markup: &mut Markup<'_>, names: &Names) -> Result<(), Stop> {
        if markup.attributes()? == Attribute::Content {
            add_item(markup, names, name, &mut self.text)?;
        }
        let end = u32::try_from(self.text.len()).map_err(|_large| Stop::Odd("more than four gigabytes of strings"))?;
        self.ends.push(end);
        Ok(())
    }

    /// Where the string of this index stands.
    #[inline]
    pub(super) fn place(&self, index: u32) -> Option<(u32, u32)> {
        let index = index as usize;
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before));
        Some((start.copied().unwrap_or(0), end))
    }

    /// The string that stands there.
    #[inline]
    pub(super) fn at(&self, (start, end): (u32, u32)) -> &str {
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }
}
