//! From text to rows of fields (RFC 4180, and what programs make of it): any line end, quotes doubled inside quotes, and no
//! complaint about a quote elsewhere.

use memchr::{memchr, memchr3};

use super::text::Text;
use crate::sheets::ReadError;
use crate::sheets::refusal::Refusal;

/// Bytes of a row: one line of a gigabyte is no table.
const LONGEST_ROW: usize = 16 << 20;

/// One row.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    text: String,
    ends: Vec<usize>,
    /// The line that it begins in, from 1.
    pub(super) line: u64,
}

impl Row {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether it is an empty line.
    pub(super) fn is_blank(&self) -> bool {
        self.text.is_empty()
    }

    pub(super) fn field(&self, at: usize) -> &str {
        let start = at
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .copied()
            .unwrap_or(0);
        self.ends
            .get(at)
            .and_then(|end| self.text.get(start..*end))
            .unwrap_or_default()
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|at| self.field(at))
    }
}

/// Reads rows.
pub(super) struct Rows {
    text: Option<Text>,
    /// Text that was read and not yet taken.
    held: String,
    at: usize,
    delimiter: u8,
    line: u64,
    /// The line of a quote that was never closed.
    pub(super) open_quote: Option<u64>,
}

impl Rows {
    pub(super) fn new(text: Option<Text>, delimiter: u8) -> Self {
        Self {
            text,
            held: String::new(),
            at: 0,
            delimiter,
            line: 1,
            open_quote: None,
        }
    }

    /// Reads the rows of a text that is there already.
    pub(super) fn over(held: String, delimiter: u8) -> Self {
        Self {
            held,
            ..Self::new(None, delimiter)
        }
    }

    /// Bytes of the file that were read.
    pub(super) fn bytes(&self) -> u64 {
        self.text.as_ref().map_or(0, |text| text.bytes)
    }

    /// Whether some bytes stood for nothing.
    pub(super) fn replaced(&self) -> bool {
        self.text.as_ref().is_some_and(|text| text.replaced)
    }

    /// Leaves out a first line such as `sep=;`, which says what separates.
    pub(super) fn pass_separator_line(&mut self) -> Result<(), ReadError> {
        while self.held.len() < 16 && self.fill()? {}
        if let Some((_, length)) = separator_line(&self.held) {
            (self.at, self.line) = (length, 2);
        }
        Ok(())
    }

    /// Forgets what was taken and reads on; false at the end.
    fn fill(&mut self) -> Result<bool, ReadError> {
        self.held.drain(..self.at);
        self.at = 0;
        match &mut self.text {
            Some(text) => Ok(text.more(&mut self.held)?),
            None => Ok(false),
        }
    }

    fn peek(&mut self) -> Result<Option<u8>, ReadError> {
        while self.at >= self.held.len() {
            if !self.fill()? {
                return Ok(None);
            }
        }
        Ok(self.held.as_bytes().get(self.at).copied())
    }

    /// Takes text up to a byte that `find` looks for, or to the end; that byte stays.
    fn take_until(&mut self, row: &mut Row, find: impl Fn(&[u8]) -> Option<usize>) -> Result<(), ReadError> {
        loop {
            let rest = self.held.get(self.at..).unwrap_or_default();
            let found = find(rest.as_bytes());
            let taken = rest.get(..found.unwrap_or(rest.len())).unwrap_or_default();
            row.text.push_str(taken);
            self.at += taken.len();
            if row.text.len() > LONGEST_ROW {
                let refusal = match self.open_quote {
                    Some(line) => Refusal::OpenQuote(line),
                    None => Refusal::LongLine(row.line),
                };
                return Err(refusal.into());
            }
            if found.is_some() || !self.fill()? {
                return Ok(());
            }
        }
    }

    /// The next row; false at the end.
    pub(super) fn next(&mut self, row: &mut Row) -> Result<bool, ReadError> {
        row.text.clear();
        row.ends.clear();
        row.line = self.line;
        if self.peek()?.is_none() {
            return Ok(false);
        }
        loop {
            self.field(row)?;
            row.ends.push(row.text.len());
            match self.peek()? {
                Some(byte) if byte == self.delimiter => self.at += 1,
                Some(b'\r') => {
                    self.at += 1;
                    if self.peek()? == Some(b'\n') {
                        self.at += 1;
                    }
                    break;
                }
                Some(_) => {
                    self.at += 1;
                    break;
                }
                None => break,
            }
        }
        self.line += 1;
        Ok(true)
    }

    fn field(&mut self, row: &mut Row) -> Result<(), ReadError> {
        if self.peek()? == Some(b'"') {
            self.at += 1;
            self.quoted(row)?;
        }
        let delimiter = self.delimiter;
        self.take_until(row, |bytes| memchr3(delimiter, b'\n', b'\r', bytes))
    }

    /// The inside of quotes, up to the one that closes them.
    fn quoted(&mut self, row: &mut Row) -> Result<(), ReadError> {
        self.open_quote = Some(self.line);
        loop {
            let before = row.text.len();
            self.take_until(row, |bytes| memchr(b'"', bytes))?;
            self.line += lines(row.text.get(before..).unwrap_or_default());
            if self.peek()?.is_none() {
                return Ok(());
            }
            self.at += 1;
            if self.peek()? != Some(b'"') {
                self.open_quote = None;
                return Ok(());
            }
            self.at += 1;
            row.text.push('"');
        }
    }
}

/// Line ends in a text.
fn lines(text: &str) -> u64 {
    let feeds = memchr::memchr_iter(b'\n', text.as_bytes()).count();
    let returns = memchr::memchr_iter(b'\r', text.as_bytes()).count();
    let both = memchr::memmem::find_iter(text.as_bytes(), "\r\n").count();
    (feeds + returns - both) as u64
}

/// The separator that a first line `sep=;` names, and the line's length with its end.
pub(super) fn separator_line(text: &str) -> Option<(u8, usize)> {
    let rest = text
        .get(..4)
        .filter(|start| start.eq_ignore_ascii_case("sep="))
        .and_then(|_| text.get(4..))?;
    let separator = *rest
        .as_bytes()
        .first()
        .filter(|byte| byte.is_ascii() && !byte.is_ascii_alphanumeric())?;
    let end = rest.get(1..)?;
    let length = ["\r\n", "\n", "\r"]
        .iter()
        .find(|it| end.starts_with(**it))
        .map(|it| it.len())?;
    Some((separator, 5 + length))
}
