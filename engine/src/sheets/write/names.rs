//! Sheet names that Excel takes.

use std::collections::HashSet;

/// UTF-16 units of a sheet's name.
const LONGEST: usize = 31;

/// Gives out names that are fit for Excel and differ from each other, whatever was asked for.
#[derive(Debug, Default)]
pub(super) struct SheetNames {
    taken: HashSet<String>,
}

impl SheetNames {
    /// The name itself where it can be, else one near it: `[ ] : * ? / \` become `_`, it is cut to 31 characters, and a
    /// second `Name` becomes `Name (2)`.
    pub(super) fn next(&mut self, wanted: &str) -> String {
        let clean: String = wanted
            .chars()
            .map(|c| {
                if c.is_control() || "[]:*?/\\".contains(c) {
                    '_'
                } else {
                    c
                }
            })
            .collect();
        let clean = clean.trim_matches('\'').trim();
        // Excel keeps “History” for itself.
        let clean = if clean.is_empty() || clean.eq_ignore_ascii_case("history") {
            "Sheet"
        } else {
            clean
        };
        let mut name = cut(clean, LONGEST);
        let mut number = 2;
        while !self.taken.insert(name.to_lowercase()) {
            let ending = format!(" ({number})");
            name = cut(clean, LONGEST - ending.len()) + &ending;
            number += 1;
        }
        name
    }
}

fn cut(name: &str, units: usize) -> String {
    let mut left = units;
    let fits = |c: &char| {
        let fits = c.len_utf16() <= left;
        left = left.saturating_sub(c.len_utf16());
        fits
    };
    let cut: String = name.chars().take_while(fits).collect();
    cut.trim_end_matches('\'').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_fit_and_unique() {
        let mut names = SheetNames::default();
        assert_eq!(names.next("Orders"), "Orders");
        assert_eq!(names.next("ORDERS"), "ORDERS (2)");
        assert_eq!(names.next("a/b:c"), "a_b_c");
        assert_eq!(names.next(""), "Sheet");
        assert_eq!(names.next("'quoted'"), "quoted");
        assert_eq!(names.next("History"), "Sheet (2)");
        assert_eq!(names.next(&"x".repeat(40)), "x".repeat(31));
        assert_eq!(names.next(&"x".repeat(40)), format!("{} (2)", "x".repeat(27)));
        assert_eq!(
            names.next(&"😀".repeat(20)),
            "😀".repeat(15),
            "counted as Excel counts, in UTF-16"
        );
    }
}
