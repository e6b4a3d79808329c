//! Texts made out of texts, cell by cell, within what a cell holds.
//!
//! Steps that change texts share this: numbers, dates, truths and errors stay what they are, also in columns of several kinds;
//! blank cells stay blank; a text that becomes nothing leaves a blank cell; a column in which nothing changes is the same
//! array. A text that a step would make longer than a cell may be is never made: its row is rejected.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringArray, StringBuilder, StructArray, UInt8Array};
use arrow::buffer::NullBuffer;
use arrow::compute::nullif;
use arrow::datatypes::UInt8Type;

use super::chunk::Chunk;
use super::operator::{Applied, ChunkStep, PlanError};
use crate::recipe::columns::Column;
use crate::recipe::expression::Rejection;
use crate::sheets::CellKind;
use crate::tables::ColumnKind;
use crate::tables::kinds::mixed_fields;
use crate::tables::mixed::from_typed;

/// Characters of a cell in Excel, counted in units of UTF-16 (Excel specifications and limits: 32,767).
pub const MOST_UNITS: usize = 32_767;
/// No text of so many units has more bytes.
const MOST_BYTES: usize = 3 * MOST_UNITS;
/// Bytes of text that a step makes for one column of a chunk. Arrow counts them in 31 bits.
const MOST_COLUMN: usize = 1 << 30;

const NO_MIXED: PlanError = PlanError::Internal("a column of several kinds is none");
const MANY_ROWS: PlanError = PlanError::Internal("a chunk has too many rows");

/// What becomes of one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed<'a> {
    /// It stays.
    Same,
    /// This part of it is left.
    Part(&'a str),
    /// It becomes what was written into the draft.
    Written,
}

/// A change of texts, each for itself.
pub trait TextChange: fmt::Debug + Send + Sync {
    /// Changes a text that is not empty. The draft is empty at first.
    fn change<'a>(&self, text: &'a str, draft: &mut Draft) -> Changed<'a>;

    /// Whether a text can become longer, so that its row may be rejected.
    fn lengthens(&self) -> bool {
        true
    }
}

/// A text that is being written and never grows beyond what a cell holds, or what it is made from.
#[derive(Debug, Default)]
pub struct Draft {
    text: String,
    most: usize,
    over: bool,
}

impl Draft {
    /// Begins anew, for a text made from one of so many bytes.
    pub fn begin(&mut self, bytes: usize) {
        self.text.clear();
        self.most = bytes.max(MOST_BYTES);
        self.over = false;
    }

    /// Adds a text; what goes too far is left away and remembered.
    pub fn push(&mut self, part: &str) {
        if self.over || self.text.len() + part.len() > self.most {
            self.over = true;
        } else {
            self.text.push_str(part);
        }
    }

    /// Adds a character.
    pub fn push_char(&mut self, c: char) {
        self.push(c.encode_utf8(&mut [0; 4]));
    }

    /// Adds a text of ASCII characters as `change` makes it, which leaves its length.
    pub fn push_ascii(&mut self, part: &str, change: fn(&mut str)) {
        let start = self.text.len();
        self.push(part);
        if let Some(pushed) = self.text.get_mut(start..) {
            change(pushed);
        }
    }

    /// Adds characters.
    pub fn extend(&mut self, chars: impl IntoIterator<Item = char>) {
        for c in chars {
            if self.over {
                return;
            }
            self.push_char(c);
        }
    }

    /// What was written so far.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether more was written than could be kept.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Whether it is longer than a cell may be and than its source was.
    #[must_use]
    pub fn is_too_long(&self, source: &str) -> bool {
        self.over || (self.text.len() > MOST_UNITS && units(&self.text) > MOST_UNITS.max(units(source)))
    }
}

/// Units of UTF-16, in which Excel counts.
#[must_use]
pub fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// A text column that is being made, within what Arrow can address.
#[derive(Debug)]
pub struct TextColumn {
    builder: StringBuilder,
    most: usize,
}

impl Default for TextColumn {
    fn default() -> Self {
        Self::within(MOST_COLUMN)
    }
}

impl TextColumn {
    /// A column of at most so many bytes of text.
    fn within(most: usize) -> Self {
        Self {
            builder: StringBuilder::default(),
            most,
        }
    }

    /// Adds a cell; an empty text is a blank cell.
    pub fn push(&mut self, text: Option<&str>) -> Result<(), PlanError> {
        let text = text.filter(|text| !text.is_empty());
        if self.builder.values_slice().len() + text.map_or(0, str::len) > self.most {
            return Err(PlanError::TooMuchText);
        }
        self.builder.append_option(text);
        Ok(())
    }

    /// The column.
    #[must_use]
    pub fn finish(mut self) -> StringArray {
        self.builder.finish()
    }
}

/// What is wrong with a row whose text would be longer than a cell may be. `column` is where the text comes from.
pub fn too_long(row: usize, column: Option<usize>, value: &str) -> Result<Rejection, PlanError> {
    Ok(Rejection {
        position: position(row)?,
        column,
        value: value.to_owned(),
        rule: "too_long",
        message: "the text would have more than 32,767 characters, which is what a cell holds".into(),
    })
}

/// A row as rejections count them.
pub fn position(row: usize) -> Result<u32, PlanError> {
    u32::try_from(row).map_err(|_error| MANY_ROWS)
}

/// A column of any kind as one of several kinds; `format` is the column's number format.
pub fn as_mixed(column: &ArrayRef, format: Option<&str>) -> Result<ArrayRef, PlanError> {
    match column.as_struct_opt() {
        Some(_) => Ok(column.clone()),
        // No position among the table's formats: cells show as the column does.
        None => Ok(from_typed(column, u16::MAX, format)?),
    }
}

/// A column of several kinds with texts in place of some cells: `new` has one for each row, an empty one for a blank cell,
/// and nothing where the cell stays.
pub fn overwritten(column: &ArrayRef, new: &[Option<&str>]) -> Result<ArrayRef, PlanError> {
    let cells = column.as_struct_opt().ok_or(NO_MIXED)?;
    let child = |name: &str| cells.column_by_name(name).ok_or(NO_MIXED);
    let kinds = child("kind")?.as_primitive_opt::<UInt8Type>().ok_or(NO_MIXED)?;
    let texts = child("text")?.as_string_opt::<i32>().ok_or(NO_MIXED)?;
    let code = |(kind, new): (&u8, &Option<&str>)| match new {
        None => *kind,
        Some("") => CellKind::Blank.code(),
        Some(_) => CellKind::Text.code(),
    };
    let codes: UInt8Array = kinds.values().iter().zip(new).map(code).collect::<Vec<_>>().into();
    let mut made = TextColumn::default();
    for (old, new) in texts.iter().zip(new) {
        made.push(new.or(old))?;
    }
    let taken: BooleanArray = new.iter().map(|new| Some(new.is_some())).collect();
    let filled = |(row, new): (usize, &Option<&str>)| new.map_or(cells.is_valid(row), |text| !text.is_empty());
    let nulls = NullBuffer::from_iter(new.iter().enumerate().map(filled));
    let children: Vec<ArrayRef> = vec![
        Arc::new(codes),
        nullif(child("number")?, &taken)?,
        Arc::new(made.finish()),
        child("format")?.clone(),
    ];
    Ok(Arc::new(StructArray::try_new(mixed_fields(), children, Some(nulls))?))
}

/// A step that changes the texts of some columns and leaves everything else as it is.
#[derive(Debug)]
pub struct TextStep<C> {
    positions: Vec<usize>,
    change: C,
}

impl<C: TextChange> TextStep<C> {
    /// Changes those of the columns at `positions` that can hold texts.
    pub fn new(columns: &[Column], positions: Vec<usize>, change: C) -> Self {
        let holds_text = |position: &usize| matches!(columns[*position].kind, ColumnKind::Text | ColumnKind::Mixed);
        Self {
            positions: positions.into_iter().filter(holds_text).collect(),
            change,
        }
    }
}

impl<C: TextChange> ChunkStep for TextStep<C> {
    fn apply(&self, chunk: &Chunk) -> Result<Applied, PlanError> {
        let mut applied = Applied::same_columns(chunk.columns.clone());
        for position in &self.positions {
            let mut work = Work {
                column: *position,
                change: &self.change,
                draft: Draft::default(),
                rejections: &mut applied.rejections,
            };
            if let Some(changed) = work.column(&chunk.columns[*position])? {
                applied.columns[*position] = changed;
            }
        }
        Ok(applied)
    }

    fn needs(&self, wanted: &[bool], _before: usize) -> Vec<bool> {
        // What becomes too long counts even where the column is not wanted any more.
        let mut needed = wanted.to_vec();
        for position in self.positions.iter().filter(|_| self.change.lengthens()) {
            needed[*position] = true;
        }
        needed
    }
}

struct Work<'a, C> {
    column: usize,
    change: &'a C,
    draft: Draft,
    rejections: &'a mut Vec<Rejection>,
}

impl<C: TextChange> Work<'_, C> {
    /// The column with its texts changed; `None`: nothing changes.
    fn column(&mut self, column: &ArrayRef) -> Result<Option<ArrayRef>, PlanError> {
        if let Some(texts) = column.as_string_opt::<i32>() {
            let changed = self.texts(texts, &|row| texts.is_valid(row))?;
            return Ok(changed.map(|texts| Arc::new(texts) as ArrayRef));
        }
        let cells = column.as_struct_opt().ok_or(NO_MIXED)?;
        let child = |name: &str| cells.column_by_name(name).cloned().ok_or(NO_MIXED);
        let (kinds, texts) = (child("kind")?, child("text")?);
        let kinds = kinds.as_primitive_opt::<UInt8Type>().ok_or(NO_MIXED)?;
        let texts = texts.as_string_opt::<i32>().ok_or(NO_MIXED)?;
        let is_text = |row: usize| cells.is_valid(row) && kinds.value(row) == CellKind::Text.code();
        let Some(changed) = self.texts(texts, &is_text)? else {
            return Ok(None);
        };
        let blanked = |row: usize| is_text(row) && changed.is_null(row);
        let nulls = NullBuffer::from_iter((0..cells.len()).map(|row| cells.is_valid(row) && !blanked(row)));
        let code = |row: usize| {
            if blanked(row) {
                CellKind::Blank.code()
            } else {
                kinds.value(row)
            }
        };
        let codes: UInt8Array = (0..cells.len()).map(code).collect::<Vec<_>>().into();
        let children: Vec<ArrayRef> = vec![Arc::new(codes), child("number")?, Arc::new(changed), child("format")?];
        Ok(Some(Arc::new(StructArray::try_new(
            mixed_fields(),
            children,
            Some(nulls),
        )?)))
    }

    /// The texts with those changed for which `is_text` holds; `None`: nothing changes.
    fn texts(
        &mut self,
        texts: &StringArray,
        is_text: &dyn Fn(usize) -> bool,
    ) -> Result<Option<StringArray>, PlanError> {
        let mut made: Option<TextColumn> = None;
        for row in 0..texts.len() {
            let text = texts.is_valid(row).then(|| texts.value(row));
            let changed = match text {
                Some(text) if !text.is_empty() && is_text(row) => self.text(row, text)?,
                _ => Changed::Same,
            };
            if changed == Changed::Same && made.is_none() {
                continue;
            }
            let column = match &mut made {
                Some(column) => column,
                None => made.insert(copied(texts, 0..row)?),
            };
            column.push(match changed {
                Changed::Same => text,
                Changed::Part(part) => Some(part),
                Changed::Written => Some(self.draft.text()),
            })?;
        }
        Ok(made.map(TextColumn::finish))
    }

    fn text<'t>(&mut self, row: usize, text: &'t str) -> Result<Changed<'t>, PlanError> {
        self.draft.begin(text.len());
        let changed = self.change.change(text, &mut self.draft);
        Ok(match changed {
            Changed::Written if self.draft.is_too_long(text) => {
                self.rejections.push(too_long(row, Some(self.column), text)?);
                Changed::Same
            }
            Changed::Written if self.draft.text() == text => Changed::Same,
            changed => changed,
        })
    }
}

fn copied(texts: &StringArray, rows: Range<usize>) -> Result<TextColumn, PlanError> {
    let mut column = TextColumn::default();
    for row in rows {
        column.push(texts.is_valid(row).then(|| texts.value(row)))?;
    }
    Ok(column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_of_too_much_text_is_an_error_and_no_panic() {
        let mut column = TextColumn::within(5);
        assert!(column.push(Some("abc")).is_ok());
        assert!(column.push(None).is_ok() && column.push(Some("")).is_ok());
        assert!(matches!(column.push(Some("abc")), Err(PlanError::TooMuchText)));
        assert!(column.push(Some("de")).is_ok());
        let column = column.finish();
        assert_eq!(column.iter().collect::<Vec<_>>(), [Some("abc"), None, None, Some("de")]);
    }

    #[test]
    fn a_draft_never_holds_more_than_a_cell_or_its_source() {
        let mut draft = Draft::default();
        draft.begin(0);
        draft.extend(std::iter::repeat_n('a', MOST_UNITS));
        assert!(!draft.is_too_long(""));
        draft.push_char('a');
        assert!(draft.is_too_long("") && !draft.is_over());
        draft.extend(std::iter::repeat('a'));
        assert!(draft.is_over() && draft.text().len() <= MOST_BYTES);
        draft.begin(1 << 20);
        draft.push(&"a".repeat(1 << 20));
        assert!(!draft.is_too_long(&"b".repeat(1 << 20)));
    }
}
