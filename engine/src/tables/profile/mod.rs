//! What is in a column, counted while its cells pass by; memory does not grow with rows.

mod distinct;
mod histogram;
mod texts;

use distinct::{Distinct, hash_number, hash_text};
use histogram::Histogram;
use texts::Texts;

use super::{ColumnKind, Profile};
use crate::sheets::CellKind;
use crate::sheets::view::CellView;

/// Values listed as the most frequent ones.
const TOP: usize = 10;
/// Characters of a listed text.
const SHOWN_CHARS: usize = 200;

/// Counts one column.
#[derive(Debug)]
pub(super) struct ProfileBuilder {
    kinds: [u64; CellKind::ALL.len()],
    distinct: Distinct,
    /// Least and greatest number or serial, with its kind and format.
    numbers: Option<[(f64, CellKind, u16); 2]>,
    texts: Texts,
    histogram: Histogram,
    /// Cells by number format, General left out.
    formats: Vec<(u16, u64)>,
}

impl ProfileBuilder {
    /// `room`: so many distinct values are counted exactly.
    pub(super) fn new(room: usize) -> Self {
        Self {
            kinds: [0; CellKind::ALL.len()],
            distinct: Distinct::new(room),
            numbers: None,
            texts: Texts::default(),
            histogram: Histogram::default(),
            formats: Vec::new(),
        }
    }

    /// Counts a cell of a row; blank ones need not be told.
    pub(super) fn see(&mut self, cell: &CellView<'_>, row: u32) {
        if let Some(count) = self.kinds.get_mut(usize::from(cell.kind.code())) {
            *count += 1;
        }
        let format = cell.format.unwrap_or(0);
        if format != 0 {
            match self.formats.iter_mut().find(|(known, _)| *known == format) {
                Some((_, count)) => *count += 1,
                None => self.formats.push((format, 1)),
            }
        }
        match cell.kind {
            CellKind::Blank => {}
            CellKind::Text => match self.distinct.see(hash_text(cell.kind, cell.text), cell, format) {
                Some((place, 2..)) => self.texts.see_again(cell.text, row, place),
                seen => self.texts.see(cell.text, row, seen.map(|(place, _)| place)),
            },
            CellKind::Error => {
                self.distinct.see(hash_text(cell.kind, cell.text), cell, format);
            }
            kind => {
                self.distinct.see(hash_number(kind, cell.number), cell, format);
                self.see_number(kind, cell.number, format);
            }
        }
    }

    fn see_number(&mut self, kind: CellKind, number: f64, format: u16) {
        self.histogram.see(number);
        let seen = (number, kind, format);
        let [least, greatest] = self.numbers.get_or_insert([seen, seen]);
        if number < least.0 {
            *least = seen;
        }
        if number > greatest.0 {
            *greatest = seen;
        }
    }

    /// The number format that most cells have; `None` where that is General.
    pub(super) fn format(&self) -> Option<u16> {
        let formatted: u64 = self.formats.iter().map(|(_, count)| count).sum();
        let most = self
            .formats
            .iter()
            .max_by_key(|(format, count)| (*count, std::cmp::Reverse(*format)))?;
        let filled: u64 = self.kinds.iter().sum();
        (most.1 >= filled - formatted).then_some(most.0)
    }

    /// The profile of a column of `rows` rows that turned out to be of this kind.
    pub(super) fn finish(mut self, kind: ColumnKind, rows: u64, formats: &[String]) -> Profile {
        for (text, count) in self.distinct.texts() {
            self.texts.add_pattern(text, count - 1);
        }
        let filled: u64 = self.kinds.iter().sum();
        let show = |cell: &CellView<'_>| cut(&cell.shown(cell.code(None, formats)));
        let number = |(number, kind, format): (f64, CellKind, u16)| {
            show(&CellView {
                kind,
                number,
                text: "",
                format: Some(format),
            })
        };
        let (min, max) = match (kind, self.numbers, &self.texts.ends) {
            (ColumnKind::Text, _, Some([min, max])) => (Some(cut(min)), Some(cut(max))),
            (ColumnKind::Text | ColumnKind::Mixed | ColumnKind::Blank, ..) | (_, None, _) => (None, None),
            (_, Some([min, max]), _) => (Some(number(min)), Some(number(max))),
        };
        let ordered = !matches!(
            kind,
            ColumnKind::Text | ColumnKind::Mixed | ColumnKind::Blank | ColumnKind::Boolean
        );
        let range = self.numbers.map(|[min, max]| (min.0, max.0));
        let words = CellKind::ALL
            .iter()
            .zip(self.kinds)
            .filter(|(kind, n)| **kind != CellKind::Blank && *n > 0);
        let distinct = self.distinct.count();
        Profile {
            kinds: words.map(|(kind, n)| (kind.word().to_owned(), n)).collect(),
            blanks: rows.saturating_sub(filled),
            distinct: distinct.0.min(filled),
            distinct_exact: distinct.1,
            top: self.distinct.top(TOP, show),
            min,
            max,
            histogram: range
                .filter(|_| ordered)
                .map(|(min, max)| self.histogram.finish(min, max))
                .unwrap_or_default(),
            lengths: self.texts.lengths,
            padded: self.texts.padded.count,
            zero_padded: self.texts.zero_padded.count,
            odd_blanks: self.texts.odd_blanks.count,
            patterns: self.texts.patterns(),
            rows: [
                ("padded", self.texts.padded.rows),
                ("zero_padded", self.texts.zero_padded.rows),
                ("odd_blanks", self.texts.odd_blanks.rows),
            ]
            .into_iter()
            .filter(|(_, rows)| !rows.is_empty())
            .map(|(sign, rows)| (sign.to_owned(), rows))
            .collect(),
        }
    }
}

fn cut(text: &str) -> String {
    let mut cut: String = text.chars().take(SHOWN_CHARS).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(kind: CellKind, number: f64, text: &str) -> CellView<'_> {
        CellView {
            kind,
            number,
            text,
            format: Some(0),
        }
    }

    #[test]
    fn a_text_column_is_described() {
        let mut profile = ProfileBuilder::new(100);
        for text in ["b", "a", " a", "007", "b", "ä"] {
            profile.see(&cell(CellKind::Text, 0.0, text), 2);
        }
        let profile = profile.finish(ColumnKind::Text, 8, &[]);
        assert_eq!((profile.blanks, profile.distinct, profile.distinct_exact), (2, 5, true));
        assert_eq!(profile.top.first(), Some(&("b".to_owned(), 2)));
        assert_eq!(
            (profile.min.as_deref(), profile.max.as_deref()),
            (Some(" a"), Some("ä"))
        );
        assert_eq!(
            (profile.lengths, profile.padded, profile.zero_padded),
            (Some((1, 3)), 1, 1)
        );
        assert_eq!(profile.kinds.get("text"), Some(&6));
    }

    #[test]
    fn repeated_texts_are_counted_as_often_as_they_come() {
        // With room for all, for some and for none of them.
        let profiles = [100, 2, 0].map(|room| {
            let mut profile = ProfileBuilder::new(room);
            for (row, text) in (2..).zip(["A-1", " b", "A-1", "007", " b", "B-2", "A-1", "\u{a0}"]) {
                profile.see(&cell(CellKind::Text, 0.0, text), row);
            }
            profile.finish(ColumnKind::Text, 8, &[])
        });
        for profile in &profiles {
            assert_eq!((profile.padded, profile.zero_padded, profile.odd_blanks), (3, 1, 1));
            assert_eq!(profile.rows.get("padded"), Some(&vec![3, 6, 9]));
            assert_eq!(profile.patterns, profiles[0].patterns);
        }
        assert_eq!(profiles[0].patterns[0], ("A-9".to_owned(), 4));
        assert_eq!(profiles[0].patterns[1], (" a".to_owned(), 2));
    }

    #[test]
    fn a_number_column_has_a_range_and_a_histogram_that_counts_every_row() {
        let mut profile = ProfileBuilder::new(100);
        for n in 0..1000 {
            profile.see(&cell(CellKind::Number, f64::from(n), ""), 2);
        }
        let profile = profile.finish(ColumnKind::Integer, 1000, &[]);
        assert_eq!(
            (profile.min.as_deref(), profile.max.as_deref()),
            (Some("0"), Some("999"))
        );
        assert_eq!(profile.histogram.iter().sum::<u64>(), 1000);
        assert!(
            profile.histogram.iter().all(|n| (30..=55).contains(n)),
            "{:?}",
            profile.histogram
        );
        assert!(
            !profile.distinct_exact && (950..=1050).contains(&profile.distinct),
            "{}",
            profile.distinct
        );
    }
}
