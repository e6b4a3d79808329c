//! Where a table's header is, and what its columns are called.

use std::collections::{HashMap, HashSet};

use super::chunk::Chunk;
use crate::sheets::CellKind;
use crate::sheets::header::ShownRow;
use crate::sheets::kind::letters;

/// Characters of a column's name.
pub(crate) const LONGEST_NAME: usize = 255;

/// A row of a chunk as it shows.
pub(super) fn shown(chunk: &Chunk, at: usize, formats: &[String]) -> ShownRow {
    let shown = |column: &super::chunk::RawColumn| {
        let cell = column.cell(at);
        (
            cell.kind,
            cell.number,
            cell.shown(cell.code(None, formats)).into_owned(),
        )
    };
    let mut cells: Vec<_> = chunk.columns.iter().map(shown).collect();
    let filled = cells
        .iter()
        .rposition(|(kind, ..)| *kind != CellKind::Blank)
        .map_or(0, |at| at + 1);
    cells.truncate(filled);
    ShownRow {
        row: chunk.rows.get(at).copied().unwrap_or(0),
        cells,
    }
}

/// What the header rows say for each column: one row as it is; of several, the words from top to bottom, where an upper cell
/// counts for the blank ones to its right, as merged cells do.
pub(super) fn words(rows: &[ShownRow], width: usize) -> Vec<String> {
    let mut names = vec![String::new(); width];
    for (at, row) in rows.iter().enumerate() {
        let mut before = "";
        for (column, name) in names.iter_mut().enumerate() {
            let own = row.cells.get(column).map_or("", |(_, _, text)| text.trim());
            if !own.is_empty() {
                before = own;
            }
            let word = if at + 1 < rows.len() { before } else { own };
            if !word.is_empty() {
                if !name.is_empty() {
                    name.push(' ');
                }
                name.push_str(word);
            }
        }
    }
    names
}

/// Unique names: white space inside is one blank, a blank name is the column's letters, a long one is cut to 255 characters,
/// and the second `total` is `total (2)`.
pub(super) fn unique(words: Vec<String>) -> Vec<String> {
    let mut taken = HashSet::new();
    let mut next: HashMap<String, usize> = HashMap::new();
    let mut names = Vec::with_capacity(words.len());
    for (at, word) in words.into_iter().enumerate() {
        let word = word.split_whitespace().collect::<Vec<_>>().join(" ");
        let word: String = word.chars().take(LONGEST_NAME).collect();
        let word = if word.is_empty() {
            letters(u32::try_from(at).unwrap_or(0))
        } else {
            word
        };
        let mut name = word.clone();
        while !taken.insert(name.clone()) {
            let number = next.entry(word.clone()).and_modify(|n| *n += 1).or_insert(2);
            name = format!("{word} ({number})");
        }
        names.push(name);
    }
    names
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
    fn several_header_rows_are_read_from_top_to_bottom() {
        let header = rows(&[&["", "2023", "", "2024"], &["Region", "plan", "actual", "plan"]]);
        assert_eq!(words(&header, 4), ["Region", "2023 plan", "2023 actual", "2024 plan"]);
    }

    #[test]
    fn names_are_unique_and_never_blank() {
        let words = ["total", "", "total", " unit\nprice ", "total (2)", "total"]
            .map(str::to_owned)
            .to_vec();
        assert_eq!(
            unique(words),
            ["total", "B", "total (2)", "unit price", "total (2) (2)", "total (3)"]
        );
        assert_eq!(unique(vec!["é".repeat(300)])[0].chars().count(), 255);
    }
}
