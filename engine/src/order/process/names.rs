//! What outputs are called, for people.

use std::collections::BTreeMap;

use super::super::ProcessOrder;
use crate::recipe::document::OutputFormat;

/// What outputs are called, for people.
pub(super) struct Names {
    stem: String,
    several: bool,
    taken: std::cell::RefCell<BTreeMap<String, u32>>,
}

impl Names {
    /// For an order.
    pub(super) fn new(order: &ProcessOrder) -> Self {
        let last = order.name.rsplit(['/', '\\']).next().unwrap_or_default();
        let stem = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
        let (stem, slug) = (plain(stem, 100), slug(&order.recipe.name));
        let stem = if stem.is_empty() { "result".to_owned() } else { stem };
        let stem = if slug.is_empty() {
            stem
        } else {
            format!("{stem}-{slug}")
        };
        let several = order.tables.len() > 1 && order.recipe.input.sheets != crate::recipe::document::Sheets::First;
        Self {
            stem,
            several,
            taken: std::cell::RefCell::default(),
        }
    }

    /// The name of a result.
    pub(super) fn result(&self, sheet: &str, format: OutputFormat) -> String {
        let name = match format {
            OutputFormat::Csv if self.several => format!("{}-{}", self.stem, plain(sheet, 60)),
            _ => self.stem.clone(),
        };
        let mut taken = self.taken.borrow_mut();
        let times = taken
            .entry(name.to_lowercase())
            .and_modify(|times| *times += 1)
            .or_insert(1);
        if *times == 1 {
            format!("{name}.{}", format.word())
        } else {
            format!("{name}-{times}.{}", format.word())
        }
    }

    /// The name of a file beside the results, such as `rejects.csv`.
    pub(super) fn beside(&self, file: &str) -> String {
        format!("{}-{file}", self.stem)
    }
}

/// A name without what file systems do not take, and not too long.
fn plain(name: &str, length: usize) -> String {
    let safe = |c: char| {
        if c.is_control() || r#"<>:"/\|?*"#.contains(c) {
            '_'
        } else {
            c
        }
    };
    let name: String = name
        .trim_start_matches(['.', ' '])
        .chars()
        .map(safe)
        .take(length)
        .collect();
    name.trim_end_matches(['.', ' ']).to_owned()
}

/// `Clean orders!` as `clean-orders`.
fn slug(name: &str) -> String {
    let words = name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    words
        .map(str::to_lowercase)
        .collect::<Vec<_>>()
        .join("-")
        .chars()
        .take(60)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_called_after_file_and_recipe_and_never_leave_their_folder() {
        assert_eq!(plain("../../etc/passwd", 100), "_.._etc_passwd");
        assert_eq!(plain("a:b*c. ", 100), "a_b_c");
        assert_eq!(slug("Clean orders (2024)!"), "clean-orders-2024");
        assert_eq!(slug(""), "");
    }
}
