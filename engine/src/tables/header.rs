//! Where a table's header is, and what its columns are called.

use std::collections::{HashMap, HashSet};

use super::chunk::Chunk;
use crate::sheets::header::{ShownRow, find};
use crate::sheets::kind::letters;
use crate::sheets::{CellKind, HeaderOption, Refusal};

/// Characters of a column's name.
pub(crate) const LONGEST_NAME: usize = 255;
/// Characters of a cell that are looked at: a name is made of fewer.
const SHOWN_CHARS: usize = 1_000;

/// What was found above and in the header.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Head {
    /// Its first and its last row.
    pub(crate) header: Option<(u32, u32)>,
    /// What it says for each column.
    pub(crate) words: Vec<String>,
    /// Rows above it.
    pub(crate) above: Vec<u32>,
}

impl Head {
    /// The header among the first rows of a sheet.
    ///
    /// # Errors
    /// When it is not where it was said to be.
    pub(crate) fn find(rows: &[ShownRow], option: &HeaderOption) -> Result<Self, Refusal> {
        let range = match *option {
            HeaderOption::None => None,
            HeaderOption::Auto => {
                find(rows).and_then(|(first, last)| Some((rows.get(first)?.row, rows.get(last)?.row)))
            }
            HeaderOption::Rows(first, last) => Some((first.min(last), first.max(last))),
        };
        let in_header = |row: &&ShownRow| range.is_some_and(|(first, last)| (first..=last).contains(&row.row));
        let header: Vec<ShownRow> = rows.iter().filter(in_header).cloned().collect();
        if let Some((first, last)) = range.filter(|_| header.is_empty()) {
            return Err(Refusal::HeaderNotFound(first, last));
        }
        let width = header.iter().map(|row| row.cells.len()).max().unwrap_or(0);
        let is_above = |row: &u32| range.is_some_and(|(first, _)| *row < first);
        Ok(Self {
            header: range,
            words: words(&header, width),
            above: rows.iter().map(|row| row.row).filter(is_above).collect(),
        })
    }
}

/// A row of a chunk as it shows.
pub(crate) fn shown(chunk: &Chunk, at: usize, formats: &[String]) -> ShownRow {
    let shown = |column: &super::chunk::RawColumn| {
        let cell = column.cell(at);
        (
            cell.kind,
            cell.number,
            cell.shown(cell.code(None, formats)).chars().take(SHOWN_CHARS).collect(),
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
fn words(rows: &[ShownRow], width: usize) -> Vec<String> {
    let mut names = vec![String::new(); width];
    let mut last = vec![""; width];
    for (at, row) in rows.iter().enumerate() {
        let mut before = "";
        for (column, (name, last)) in names.iter_mut().zip(&mut last).enumerate() {
            let own = row.cells.get(column).map_or("", |(_, _, text)| text.trim());
            if !own.is_empty() {
                before = own;
            }
            let word = if at + 1 < rows.len() { before } else { own };
            // Of an area over several rows that is filled, each row says the same.
            if word.is_empty() || word == *last {
                continue;
            }
            *last = word;
            if !name.is_empty() {
                name.push(' ');
            }
            name.push_str(word);
        }
    }
    names
}

/// Unique names: white space inside is one blank, a blank name is the column's letters, a long one is cut to 255 characters,
/// and the second `total` is `total (2)`.
pub(crate) fn unique(words: Vec<String>) -> Vec<String> {
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
        let filled = rows(&[&["Region", "2023", "2023"], &["Region", "plan", "actual"]]);
        assert_eq!(words(&filled, 3), ["Region", "2023 plan", "2023 actual"]);
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
