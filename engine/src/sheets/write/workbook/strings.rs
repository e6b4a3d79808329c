//! Texts that repeat stand once, in a list that cells point into; others stand in their cells.
//!
//! Columns whose texts hardly repeat leave the list alone, and it takes no more texts when it is full: memory does not grow
//! with rows. Both depend on the texts alone, in their order.

use std::collections::HashMap;

use super::super::super::kind::CellKind;
use super::super::super::view::ColumnView;
use super::super::rules::written_as;
use super::text::{has_white_ends, put_text};

/// Stands for the position of a text that is in its cell.
pub(super) const IN_CELL: u32 = u32::MAX;
/// What the list may take: bytes of its XML, and some for each text.
const MOST: usize = 16 << 20;
const EACH: usize = 64;
/// Bytes of a text that is looked for in the list.
const LONGEST: usize = 256;
/// Texts of a column between two looks at how many were new. As many as leave a column alone whose texts come from some
/// 80,000 at random.
const LOOK: u64 = 16_384;

/// The list.
#[derive(Default)]
pub(super) struct SharedStrings {
    positions: HashMap<Box<str>, u32>,
    xml: Vec<u8>,
    /// Cells that point into it.
    cells: u64,
}

/// How much the texts of a column repeat.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Repeats {
    seen: u64,
    new: u64,
    hardly: bool,
}

impl SharedStrings {
    /// The positions of a column's texts, by row; nothing: all stand in their cells.
    pub(super) fn positions(&mut self, column: &ColumnView, rows: usize, repeats: &mut Repeats) -> Vec<u32> {
        let text_at = |row: usize| -> &str {
            let cell = column.cell(row);
            if written_as(&cell) == CellKind::Text {
                cell.text
            } else {
                ""
            }
        };
        if repeats.hardly || !matches!(column, ColumnView::Text(_) | ColumnView::Mixed { .. }) {
            return Vec::new();
        }
        let mut positions = Vec::with_capacity(rows);
        for row in 0..rows {
            let text = text_at(row);
            positions.push(if text.is_empty() || text.len() > LONGEST || repeats.hardly {
                IN_CELL
            } else {
                self.position(text, repeats)
            });
        }
        positions
    }

    fn position(&mut self, text: &str, repeats: &mut Repeats) -> u32 {
        let known = self.positions.get(text).copied();
        repeats.seen += 1;
        repeats.new += u64::from(known.is_none());
        if repeats.seen.is_multiple_of(LOOK) {
            // Nine of ten were never seen before.
            repeats.hardly = repeats.new * 10 > repeats.seen * 9;
        }
        match known {
            Some(position) => {
                self.cells += 1;
                position
            }
            None => self.add(text),
        }
    }

    fn add(&mut self, text: &str) -> u32 {
        if self.xml.len() + text.len() + self.positions.len() * EACH > MOST {
            return IN_CELL;
        }
        let Ok(position) = u32::try_from(self.positions.len()) else {
            return IN_CELL;
        };
        self.positions.insert(text.into(), position);
        self.cells += 1;
        let begin: &[u8] = if has_white_ends(text) {
            b"<si><t xml:space=\"preserve\">"
        } else {
            b"<si><t>"
        };
        self.xml.extend_from_slice(begin);
        put_text(text, &mut self.xml);
        self.xml.extend_from_slice(b"</t></si>");
        position
    }

    /// How many texts there are, how many cells point to them, and the texts as XML.
    pub(super) fn into_parts(self) -> (usize, u64, Vec<u8>) {
        (self.positions.len(), self.cells, self.xml)
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::StringArray;

    use super::*;

    fn column(texts: impl IntoIterator<Item = String>) -> (ColumnView, usize) {
        let texts: StringArray = texts.into_iter().map(Some).collect();
        let rows = arrow::array::Array::len(&texts);
        (ColumnView::Text(texts), rows)
    }

    #[test]
    fn texts_that_repeat_stand_once() {
        let (view, rows) = column(["a", "b", "a", "", " b", "a"].map(str::to_owned));
        let (mut strings, mut repeats) = (SharedStrings::default(), Repeats::default());
        assert_eq!(strings.positions(&view, rows, &mut repeats), [0, 1, 0, IN_CELL, 2, 0]);
        let (texts, cells, xml) = strings.into_parts();
        assert_eq!((texts, cells), (3, 5));
        assert_eq!(
            String::from_utf8_lossy(&xml),
            r#"<si><t>a</t></si><si><t>b</t></si><si><t xml:space="preserve"> b</t></si>"#
        );
    }

    #[test]
    fn a_column_whose_texts_hardly_repeat_leaves_the_list_alone_at_one_row_however_it_is_cut() {
        let whole = column((0..40_000).map(|n| n.to_string()));
        let (mut strings, mut repeats) = (SharedStrings::default(), Repeats::default());
        let at_once = strings.positions(&whole.0, whole.1, &mut repeats);
        assert!(repeats.hardly);
        assert_eq!(strings.into_parts().0 as u64, LOOK);
        let (mut strings, mut repeats) = (SharedStrings::default(), Repeats::default());
        let mut in_parts = Vec::new();
        for from in (0..40_000).step_by(777) {
            let part = column((from..(from + 777).min(40_000)).map(|n| n.to_string()));
            let mut positions = strings.positions(&part.0, part.1, &mut repeats);
            positions.resize(part.1, IN_CELL);
            in_parts.extend(positions);
        }
        assert_eq!(in_parts, at_once);
    }

    #[test]
    fn a_full_list_takes_no_more_and_still_knows_its_own() {
        let many = column((0..400_000).map(|n| format!("{}", n % 200_000)));
        let (mut strings, mut repeats) = (
            SharedStrings::default(),
            Repeats {
                seen: 1 << 40,
                ..Repeats::default()
            },
        );
        let positions = strings.positions(&many.0, many.1, &mut repeats);
        assert_eq!(positions[0], 0);
        assert_eq!(positions[200_000], 0);
        assert_eq!((positions[199_999], positions[399_999]), (IN_CELL, IN_CELL));
        assert!(strings.into_parts().2.len() < MOST);
    }
}
