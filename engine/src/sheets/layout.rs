//! What a sheet's cells do not tell: which of them are merged, which rows and columns do not show.

use super::kind::letters;
use super::source::{EXAMPLES, Oddity, OddityKind};

/// Merged areas that are kept; more are only counted.
pub(super) const MOST_AREAS: usize = 1 << 18;
/// Stretches of hidden rows or columns that are kept.
const MOST_SPANS: usize = 1 << 20;

/// How a sheet is laid out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SheetLayout {
    /// Merged areas as the file lists them, the first 262,144.
    pub merged: Vec<Area>,
    /// How many there are.
    pub merged_count: u64,
    /// Rows that do not show.
    pub hidden_rows: Spans,
    /// Columns that do not show.
    pub hidden_columns: Spans,
}

/// A merged area: its first and its last cell, each a row and a column from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Area {
    /// Top left.
    pub first: (u32, u32),
    /// Bottom right.
    pub last: (u32, u32),
}

impl Area {
    /// An area by its A1 address, such as `B2:C5`.
    pub(super) fn parse(address: &str) -> Option<Self> {
        let (first, last) = address.split_once(':').unwrap_or((address, address));
        let (a, b) = (place(first)?, place(last)?);
        Some(Self {
            first: (a.0.min(b.0), a.1.min(b.1)),
            last: (a.0.max(b.0), a.1.max(b.1)),
        })
    }

    fn address(&self) -> String {
        let cell = |(row, column): (u32, u32)| format!("{}{}", letters(column), u64::from(row) + 1);
        format!("{}:{}", cell(self.first), cell(self.last))
    }
}

/// Row and column, from 0, of an address such as `$B$2`.
fn place(address: &str) -> Option<(u32, u32)> {
    let address = address.replace('$', "");
    let digits = address.find(|c: char| c.is_ascii_digit())?;
    let (letters, row) = address.split_at_checked(digits)?;
    let mut column = 0_u32;
    for letter in letters.bytes() {
        let value = letter
            .to_ascii_uppercase()
            .checked_sub(b'A')
            .filter(|value| *value < 26)?;
        column = column.checked_mul(26)?.checked_add(u32::from(value) + 1)?;
    }
    Some((row.parse::<u32>().ok()?.checked_sub(1)?, column.checked_sub(1)?))
}

/// Rows or columns, from 0, as stretches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spans {
    spans: Vec<(u32, u32)>,
    count: u64,
}

impl Spans {
    /// Adds a stretch, first and last.
    pub(super) fn push(&mut self, first: u32, last: u32) {
        if last < first {
            return;
        }
        self.count += u64::from(last - first) + 1;
        let end = self.spans.last_mut().map(|(_, end)| end);
        if let Some(end) = end.filter(|end| end.checked_add(1) == Some(first)) {
            *end = last;
        } else if self.spans.len() < MOST_SPANS {
            self.spans.push((first, last));
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Puts the stretches in order, so that [`Self::holds`] finds them.
    pub(super) fn sort(&mut self) {
        self.spans.sort_unstable();
    }

    /// Whether a row or column is among them; they are in order.
    pub(super) fn holds(&self, at: u32) -> bool {
        let behind = self.spans.partition_point(|(first, _)| *first <= at);
        // Stretches may overlap: an earlier one may reach further.
        self.spans
            .get(..behind)
            .unwrap_or_default()
            .iter()
            .rev()
            .take(4)
            .any(|(_, last)| at <= *last)
    }

    fn each(&self) -> impl Iterator<Item = u32> + '_ {
        self.spans.iter().flat_map(|(first, last)| *first..=*last)
    }
}

impl SheetLayout {
    /// Adds a merged area.
    pub(super) fn merge(&mut self, area: Area) {
        self.merged_count += 1;
        if self.merged.len() < MOST_AREAS {
            self.merged.push(area);
        }
    }

    /// What there is to say of it.
    #[must_use]
    pub fn oddities(&self) -> Vec<Oddity> {
        let rows = self.hidden_rows.each().map(|row| (u64::from(row) + 1).to_string());
        let all = [
            (
                OddityKind::MergedCells,
                self.merged_count,
                self.merged.iter().take(EXAMPLES).map(Area::address).collect(),
            ),
            (
                OddityKind::HiddenRows,
                self.hidden_rows.count,
                rows.take(EXAMPLES).collect(),
            ),
            (
                OddityKind::HiddenColumns,
                self.hidden_columns.count,
                self.hidden_columns.each().map(letters).take(EXAMPLES).collect(),
            ),
        ];
        let seen = all.into_iter().filter(|(_, count, _)| *count > 0);
        seen.map(|(kind, count, examples)| Oddity { kind, count, examples })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let area = |address: &str| Area::parse(address).map(|area| (area.first, area.last));
        assert_eq!(area("B2:C5"), Some(((1, 1), (4, 2))));
        assert_eq!(area("$AA$10"), Some(((9, 26), (9, 26))));
        assert_eq!(area("C5:B2"), Some(((1, 1), (4, 2))));
        for wrong in ["", "A", "1", "A0", "é1", "A1:", "A99999999999", "ZZZZZZZZZ1"] {
            assert_eq!(area(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn stretches_are_joined_and_found() {
        let mut rows = Spans::default();
        for (first, last) in [(3, 3), (4, 6), (1, 1), (9, 8)] {
            rows.push(first, last);
        }
        rows.sort();
        assert_eq!(rows.count(), 5);
        let held: Vec<u32> = (0..10).filter(|row| rows.holds(*row)).collect();
        assert_eq!(held, [1, 3, 4, 5, 6]);
    }
}
