//! What differs between the table before and the table after: what the guide tints.

use std::collections::HashMap;

use super::{Example, Grid};

/// What differs between two tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// For each row before: what became of it.
    pub before: Vec<RowChange>,
    /// For each column after: whether it was not there before.
    pub new_columns: Vec<bool>,
    /// For each row after, for each of its cells: whether it is new or another one.
    pub after: Vec<Vec<bool>>,
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowChange {
    /// It is there after, changed or not, or went into another row.
    Stays,
    /// It was taken out.
    Gone,
    /// It was rejected.
    Rejected,
}

impl Changes {
    /// Compares an example's tables.
    #[must_use]
    pub fn of(example: &Example) -> Self {
        let (before, after) = (&example.before, &example.after);
        let mut fates = vec![RowChange::Stays; before.rows.len()];
        for row in rejected_rows(example) {
            if let Some(fate) = fates.get_mut(row) {
                *fate = RowChange::Rejected;
            }
        }
        let sources: Vec<Option<usize>> = after.columns.iter().map(|name| position(before, name)).collect();
        let new_columns: Vec<bool> = sources.iter().map(Option::is_none).collect();
        let left: Vec<usize> = (0..before.rows.len())
            .filter(|row| fates[*row] == RowChange::Stays)
            .collect();
        let new_only = || vec![new_columns.clone(); after.rows.len()];
        if new_columns.iter().all(|new| *new) {
            // Nothing can be compared: all is new, and saying so of each cell says nothing.
            let after = vec![vec![false; after.columns.len()]; after.rows.len()];
            return Self {
                before: fates,
                new_columns,
                after,
            };
        }
        let cells = if let Some(gone) = unmatched(before, after, &sources, &left) {
            for row in gone {
                fates[row] = RowChange::Gone;
            }
            new_only()
        } else if left.len() == after.rows.len() {
            let differs = |(row, cells): (usize, &Vec<String>)| {
                let is_other = |(cell, source): (&String, &Option<usize>)| {
                    source.is_none_or(|source| before.rows[left[row]][source] != *cell)
                };
                cells.iter().zip(&sources).map(is_other).collect()
            };
            after.rows.iter().enumerate().map(differs).collect()
        } else {
            new_only()
        };
        Self {
            before: fates,
            new_columns,
            after: cells,
        }
    }
}

fn position(grid: &Grid, name: &str) -> Option<usize> {
    grid.columns.iter().position(|column| column == name)
}

/// The rows before that were rejected, from 0: under a header of one row the first is row 2.
fn rejected_rows(example: &Example) -> Vec<usize> {
    let Some(rejected) = &example.rejected else {
        return Vec::new();
    };
    let (row, severity) = (position(rejected, "row"), position(rejected, "severity"));
    let is_error = |cells: &&Vec<String>| severity.is_none_or(|at| cells[at] != "warning");
    let number = |cells: &Vec<String>| cells.get(row?)?.parse::<usize>().ok()?.checked_sub(2);
    rejected.rows.iter().filter(is_error).filter_map(number).collect()
}

/// Where each row after is one of before as far as it has the same columns: the rows of before that are none of these.
fn unmatched(before: &Grid, after: &Grid, sources: &[Option<usize>], left: &[usize]) -> Option<Vec<usize>> {
    let mut waiting: HashMap<Vec<&str>, Vec<usize>> = HashMap::new();
    for row in left.iter().rev() {
        let key = sources
            .iter()
            .flatten()
            .map(|source| before.rows[*row][*source].as_str());
        waiting.entry(key.collect()).or_default().push(*row);
    }
    for cells in &after.rows {
        let key = cells.iter().zip(sources).filter(|(_, source)| source.is_some());
        let key: Vec<&str> = key.map(|(cell, _)| cell.as_str()).collect();
        waiting.get_mut(&key)?.pop()?;
    }
    let mut gone: Vec<usize> = waiting.into_values().flatten().collect();
    gone.sort_unstable();
    Some(gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(columns: &str, rows: &[&str]) -> Grid {
        let cells = |text: &str| text.split(' ').map(str::to_owned).collect();
        Grid {
            columns: cells(columns),
            rows: rows.iter().map(|row| cells(row)).collect(),
        }
    }

    fn changes(before: Grid, after: Grid, rejected: Option<Grid>) -> Changes {
        Changes::of(&Example {
            before,
            after,
            rejected,
            ..Example::default()
        })
    }

    #[test]
    fn cells_rows_and_columns_that_differ_are_found() {
        use RowChange::{Gone, Rejected, Stays};
        let changed = changes(grid("a b", &["1 x", "2 y"]), grid("a b", &["1 X", "2 y"]), None);
        assert_eq!(changed.after, [[false, true], [false, false]]);
        let filtered = changes(grid("a b", &["1 x", "2 y", "2 y"]), grid("b c", &["y 4", "x 5"]), None);
        assert_eq!(filtered.before, [Stays, Stays, Gone], "sorted, one gone");
        assert_eq!(filtered.after, [[false, true], [false, true]]);
        let rejects = grid("row value", &["3 y"]);
        let rejected = changes(grid("a b", &["1 x", "2 y"]), grid("a b", &["1 7"]), Some(rejects));
        assert_eq!(rejected.before, [Stays, Rejected]);
        assert_eq!(rejected.after, [[false, true]]);
        let warnings = grid("row severity", &["3 warning"]);
        let warned = changes(grid("a", &["1", "2"]), grid("a", &["1", "2"]), Some(warnings));
        assert_eq!(warned.before, [Stays, Stays], "a warning keeps its row");
        let other = changes(grid("a b", &["1 x", "2 y"]), grid("n", &["2"]), None);
        assert_eq!((other.before, other.after), (vec![Stays, Stays], vec![vec![false]]));
    }
}
