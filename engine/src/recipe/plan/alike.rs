//! What makes cells alike, where some differences of texts are not to count.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Builder, StringArray, StringBuilder, UInt8Builder};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::cells;
use super::operator::PlanError;
use crate::recipe::steps::is_blank;
use crate::sheets::CellKind;
use crate::sheets::view::ColumnView;

/// Differences of texts that do not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ignored {
    /// Capital and small letters.
    pub case: bool,
    /// Blanks, wherever they are; a text of blanks only is a blank cell.
    pub blanks: bool,
    /// Marks on letters, such as those of é and ü.
    pub accents: bool,
}

impl Ignored {
    /// Columns that are equal where cells are alike, as [`cells::likeness`] gives them for cells that are compared as they are.
    pub fn likeness(self, column: &ArrayRef) -> Result<Vec<ArrayRef>, PlanError> {
        if self == Self::default() {
            return cells::likeness(column);
        }
        if let Some(texts) = column.as_string_opt::<i32>() {
            return Ok(vec![Arc::new(self.texts(texts))]);
        }
        if column.as_struct_opt().is_none() {
            return cells::likeness(column);
        }
        let view = ColumnView::of(column)?;
        let mut kinds = UInt8Builder::with_capacity(column.len());
        let mut numbers = Float64Builder::with_capacity(column.len());
        let mut texts = StringBuilder::new();
        let mut simple = String::new();
        for row in 0..column.len() {
            let cell = view.cell(row);
            self.simplify(cell.text, &mut simple);
            let is_text = matches!(cell.kind, CellKind::Text | CellKind::Error);
            let is_filled = cell.kind != CellKind::Blank && !(is_text && simple.is_empty());
            kinds.append_option(is_filled.then(|| cell.kind.code()));
            // Minus zero is zero.
            numbers.append_option((is_filled && !is_text).then_some(cell.number + 0.0));
            texts.append_option((is_filled && is_text).then_some(&simple));
        }
        Ok(vec![
            Arc::new(kinds.finish()),
            Arc::new(numbers.finish()),
            Arc::new(texts.finish()),
        ])
    }

    fn texts(self, texts: &StringArray) -> StringArray {
        let mut simplified = StringBuilder::with_capacity(texts.len(), texts.value_data().len());
        let mut simple = String::new();
        for text in texts {
            self.simplify(text.unwrap_or_default(), &mut simple);
            let is_filled = text.is_some() && !(self.blanks && simple.is_empty());
            simplified.append_option(is_filled.then_some(&simple));
        }
        simplified.finish()
    }

    /// The text without what does not count.
    fn simplify(self, text: &str, simple: &mut String) {
        simple.clear();
        if self.accents && !text.is_ascii() {
            text.nfd()
                .filter(|c| !is_combining_mark(*c))
                .for_each(|c| self.push(c, simple));
        } else {
            text.chars().for_each(|c| self.push(c, simple));
        }
    }

    fn push(self, c: char, simple: &mut String) {
        if self.blanks && is_blank(c) {
            return;
        }
        if self.case {
            simple.extend(c.to_lowercase());
        } else {
            simple.push(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_count_is_taken_away() {
        let simple = |ignored: Ignored, text: &str| {
            let mut simple = String::new();
            ignored.simplify(text, &mut simple);
            simple
        };
        let nothing = Ignored::default();
        assert_eq!(simple(Ignored { case: true, ..nothing }, "Ärger 5"), "ärger 5");
        assert_eq!(
            simple(
                Ignored {
                    accents: true,
                    ..nothing
                },
                "Crème Brûlée"
            ),
            "Creme Brulee"
        );
        assert_eq!(
            simple(
                Ignored {
                    blanks: true,
                    ..nothing
                },
                "\u{a0}New  York\u{200b} "
            ),
            "NewYork"
        );
        let all = Ignored {
            case: true,
            blanks: true,
            accents: true,
        };
        assert_eq!(simple(all, " E\u{301}COLE"), simple(all, "école"));
    }

    #[test]
    fn texts_are_never_like_numbers() -> Result<(), PlanError> {
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("A b"), Some("ab"), Some(" "), None]));
        let ignored = Ignored {
            case: true,
            blanks: true,
            accents: false,
        };
        let mixed = crate::tables::mixed::from_typed(&texts, 0, None)?;
        for column in [texts, mixed] {
            let parts = ignored.likeness(&column)?;
            let texts = parts.last().map(|part| part.as_string::<i32>().clone());
            assert_eq!(texts, Some(StringArray::from(vec![Some("ab"), Some("ab"), None, None])));
        }
        let numbers: ArrayRef = Arc::new(arrow::array::Float64Array::from(vec![-0.0, 5.0]));
        let mixed = crate::tables::mixed::from_typed(&numbers, 0, None)?;
        let parts = ignored.likeness(&mixed)?;
        assert!(parts[2].null_count() == 2 && parts[1].as_primitive::<arrow::datatypes::Float64Type>().value(1) == 5.0);
        Ok(())
    }
}
