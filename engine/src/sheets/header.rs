//! Where a sheet's header is, by its first rows.

use std::collections::HashSet;

use super::CellKind;

/// Rows that may be the header, from the first that is about as wide as the table.
const CANDIDATES: usize = 10;
/// Rows that are looked at.
const LOOKED_AT: usize = 60;

/// A row as it shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ShownRow {
    /// Its number.
    pub row: u32,
    /// Its cells from the first column: kind, number, and text as it shows.
    pub cells: Vec<(CellKind, f64, String)>,
}

impl ShownRow {
    fn filled(&self) -> usize {
        self.cells.iter().filter(|(kind, ..)| *kind != CellKind::Blank).count()
    }

    /// Whether this looks like a header: distinct texts, years among them.
    fn looks_like_a_header(&self) -> bool {
        let year = |number: f64| number.fract() == 0.0 && (1900.0..=2100.0).contains(&number);
        let mut names = HashSet::new();
        let (mut texts, mut years, mut others) = (0, 0, 0);
        for (kind, number, text) in &self.cells {
            match kind {
                CellKind::Blank => continue,
                CellKind::Text => texts += 1,
                CellKind::Number if year(*number) => years += 1,
                _ => others += 1,
            }
            names.insert(text.trim());
        }
        let filled = texts + years + others;
        // One cell in ten may repeat another or be something else.
        texts > 0 && others * 10 <= filled && (filled - names.len()) * 10 <= filled && texts * 4 >= filled
    }
}

/// The position of the header among the first rows of a sheet: the first row that is at least half as wide as the table and
/// made of distinct texts. Titles above it are narrower. `None`: nothing looks like one.
pub(crate) fn find(rows: &[ShownRow]) -> Option<usize> {
    let looked_at = &rows[..rows.len().min(LOOKED_AT)];
    let width = looked_at.iter().map(ShownRow::filled).max().unwrap_or(0);
    let wide = looked_at
        .iter()
        .enumerate()
        .filter(|(_, row)| row.filled() * 2 >= width);
    wide.take(CANDIDATES)
        .find(|(_, row)| row.looks_like_a_header())
        .map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Vec<ShownRow> {
        let cell = |text: &&str| match text.parse::<f64>() {
            Ok(number) => (CellKind::Number, number, (*text).to_owned()),
            Err(_) if text.is_empty() => (CellKind::Blank, 0.0, String::new()),
            Err(_) => (CellKind::Text, 0.0, (*text).to_owned()),
        };
        let row = |(at, cells): (usize, &&[&str])| ShownRow {
            row: u32::try_from(at).unwrap_or(0) + 1,
            cells: cells.iter().map(cell).collect(),
        };
        rows.iter().enumerate().map(row).collect()
    }

    #[test]
    fn the_header_is_below_titles_and_above_data() {
        assert_eq!(find(&rows(&[&["id", "name", "total"], &["1", "x", "2"]])), Some(0));
        let titled = rows(&[
            &["Sales report"],
            &["printed", "2024"],
            &["id", "name", "total", "note"],
            &["1", "x", "2", "y"],
        ]);
        assert_eq!(find(&titled[..1]), Some(0));
        assert_eq!(
            find(&rows(&[&["Sales report"], &["id", "name", "total"], &["1", "x", "2"]])),
            Some(1)
        );
        assert_eq!(
            find(&rows(&[&["Region", "2023", "2024"], &["North", "1", "2"]])),
            Some(0)
        );
        assert_eq!(find(&rows(&[&["1", "2", "3"], &["4", "5", "6"]])), None);
        assert_eq!(find(&rows(&[&["1", "x", "3"], &["4", "y", "6"]])), None);
        assert_eq!(find(&[]), None);
    }
}
