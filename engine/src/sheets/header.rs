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

    /// Whether it holds texts, years among them, and nothing else.
    fn is_of_words(&self) -> bool {
        let year = |number: f64| number.fract() == 0.0 && (1900.0..=2100.0).contains(&number);
        self.cells.iter().all(|(kind, number, _)| match kind {
            CellKind::Blank | CellKind::Text => true,
            CellKind::Number => year(*number),
            _ => false,
        })
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

/// The header among the first rows of a sheet: the positions of its first and its last row. It is the first row that is at
/// least half as wide as the table and made of distinct texts; titles above it are narrower. Where a row of groups stands over
/// a row of names, both are the header. `None`: nothing looks like one.
pub(crate) fn find(rows: &[ShownRow]) -> Option<(usize, usize)> {
    let looked_at = &rows[..rows.len().min(LOOKED_AT)];
    let width = looked_at.iter().map(ShownRow::filled).max().unwrap_or(0);
    let is_wide = |row: &ShownRow| row.filled() * 2 >= width;
    let wide: Vec<usize> = (0..looked_at.len())
        .filter(|at| is_wide(&looked_at[*at]))
        .take(CANDIDATES)
        .collect();
    let single = wide.iter().copied().find(|at| looked_at[*at].looks_like_a_header());
    let until = single.or(wide.last().copied())?;
    // The groups may be fewer than half of the columns, so that their row alone is no candidate.
    let grouped = (0..until + 2).find(|at| looked_at.get(*at..*at + 3).is_some_and(groups_names));
    grouped.map(|at| (at, at + 1)).or(single.map(|at| (at, at)))
}

/// Whether the first of three rows has groups of columns, the second the names in them, and the third the first values.
///
/// Nothing but texts stands in the first two, each fills what the other leaves blank, and together they tell all columns
/// apart. A title over a header does not pass: the header does without it.
fn groups_names(rows: &[ShownRow]) -> bool {
    let [groups, names, values] = rows else { return false };
    // A blank row between them: they do not belong together.
    if names.row != groups.row + 1 || groups.filled() < 2 || names.filled() < 2 {
        return false;
    }
    let width = groups.cells.len().max(names.cells.len());
    let text = |row: &ShownRow, column: usize| -> String {
        let cell = row.cells.get(column).filter(|(kind, ..)| *kind != CellKind::Blank);
        cell.map(|(_, _, text)| text.trim().to_owned()).unwrap_or_default()
    };
    if !groups.is_of_words()
        || !names
            .cells
            .iter()
            .all(|(kind, ..)| matches!(kind, CellKind::Text | CellKind::Blank))
    {
        return false;
    }
    let (mut group, mut whole, mut alone) = (String::new(), HashSet::new(), HashSet::new());
    let (mut below_a_group, mut beside_groups, mut spans) = (0, 0, 0);
    for column in 0..width {
        let (upper, lower) = (text(groups, column), text(names, column));
        if upper.is_empty() && lower.is_empty() {
            return false;
        }
        match (upper.is_empty(), lower.is_empty()) {
            (false, true) => beside_groups += 1,
            (true, false) if !group.is_empty() => spans += 1,
            (false, false) => below_a_group += 1,
            _ => {}
        }
        if !upper.is_empty() {
            group = upper;
        }
        alone.insert(lower.clone());
        whole.insert((group.clone(), lower));
    }
    let is_needed = alone.len() < width && (beside_groups == 0 || below_a_group > 0);
    let has_values = values
        .cells
        .iter()
        .any(|(kind, ..)| !matches!(kind, CellKind::Text | CellKind::Blank));
    spans > 0 && is_needed && whole.len() == width && has_values && values.filled() > groups.filled()
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

    /// The rows of the header, from 1, where it is found.
    fn found(of: &[&[&str]]) -> Option<(usize, usize)> {
        find(&rows(of)).map(|(first, last)| (first + 1, last + 1))
    }

    #[test]
    fn the_header_is_below_titles_and_above_data() {
        assert_eq!(found(&[&["id", "name", "total"], &["1", "x", "2"]]), Some((1, 1)));
        let titled: [&[&str]; 4] = [
            &["Sales report"],
            &["printed", "2024"],
            &["id", "name", "total", "note"],
            &["1", "x", "2", "y"],
        ];
        assert_eq!(found(&titled[..1]), Some((1, 1)));
        assert_eq!(
            found(&[&["Sales report"], &["id", "name", "total"], &["1", "x", "2"]]),
            Some((2, 2))
        );
        assert_eq!(
            found(&[&["Region", "2023", "2024"], &["North", "1", "2"]]),
            Some((1, 1))
        );
        assert_eq!(found(&[&["1", "2", "3"], &["4", "5", "6"]]), None);
        assert_eq!(found(&[&["1", "x", "3"], &["4", "y", "6"]]), None);
        assert_eq!(find(&[]), None);
    }

    #[test]
    fn a_row_of_groups_over_a_row_of_names_is_a_header_of_two_rows() {
        let data: &[&str] = &["North", "1", "2", "3", "4"];
        assert_eq!(
            found(&[
                &["Region", "2023", "", "2024", ""],
                &["", "Sales", "Cost", "Sales", "Cost"],
                data
            ]),
            Some((1, 2))
        );
        assert_eq!(
            found(&[
                &["", "Q1", "", "Q2", ""],
                &["Region", "Sales", "Cost", "Sales", "Cost"],
                data
            ]),
            Some((1, 2)),
            "groups are fewer than half of the columns"
        );
        assert_eq!(
            found(&[
                &["Report"],
                &["", "Q1", "", "Q2", ""],
                &["Region", "Sales", "Cost", "Sales", "Cost"],
                data
            ]),
            Some((2, 3)),
            "below a title"
        );
    }

    #[test]
    fn titles_and_texts_that_only_look_like_groups_are_none() {
        let header: &[&str] = &["id", "name", "total", "note", "by"];
        let data: &[&str] = &["1", "x", "2", "y", "z"];
        assert_eq!(
            found(&[&["Report", "", "2024", "", ""], header, data]),
            Some((2, 2)),
            "the names do without it"
        );
        assert_eq!(found(&[&["Sales", "", "", "", ""], header, data]), Some((2, 2)));
        // The second row is the first of the data: its texts repeat, but nothing above them is blank.
        assert_eq!(
            found(&[&["a", "b", "c"], &["x", "x", "y"], &["x", "1", "y"]]),
            Some((1, 1))
        );
        // The first row of the data has a blank where the header has none.
        assert_eq!(
            found(&[&["a", "b", "c"], &["x", "", "x"], &["x", "1", "y"]]),
            Some((1, 1))
        );
        // Data of texts alone: nobody can tell.
        assert_eq!(
            found(&[&["a", "", "b", ""], &["x", "y", "x", "z"], &["k", "l", "m", "n"]]),
            Some((1, 1))
        );
    }
}
