//! `--column HEADER=NAME`: which header is which of the columns that a recipe expects.

use sheetmill_engine::recipe::document::Recipe;
use sheetmill_engine::recipe::mapping::{Choices, normalised};
use sheetmill_engine::tables::TableMeta;

use super::{Stop, say};

/// `HEADER=NAME`. Of several `=` the last one counts: headers have them rather than names do.
pub(super) fn column(text: &str) -> Result<(String, String), String> {
    match text.rsplit_once('=') {
        Some((header, name)) if !header.is_empty() && !name.is_empty() => Ok((header.to_owned(), name.to_owned())),
        _ => Err("write it like \"E-Mail=email\"".to_owned()),
    }
}

/// The choices of a command, each for a column that the recipe expects.
pub(super) fn choices(recipe: &Recipe, columns: &[(String, String)]) -> Result<Choices, Stop> {
    let mut choices = Choices::default();
    for (header, name) in columns {
        recipe
            .input
            .expects(name)
            .map_err(|sentence| Stop::wrong(format!("--column \"{header}={name}\": {sentence}")))?;
        choices.chosen.insert(header.clone(), name.clone());
    }
    Ok(choices)
}

/// Says which of the headers no file has: they are most likely misspelt.
pub(super) fn say_unused<'a>(choices: &Choices, tables: impl Iterator<Item = &'a TableMeta>) {
    let mut unused: Vec<&String> = choices.chosen.keys().collect();
    for column in tables.flat_map(|table| &table.columns) {
        unused.retain(|header| **header != column.name && normalised(header) != normalised(&column.name));
    }
    for header in unused {
        say(&format!("--column: no file has a column `{header}`."));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_has_a_header_and_a_name() {
        let pair = |header: &str, name: &str| Ok((header.to_owned(), name.to_owned()));
        assert_eq!(column("E-Mail=email"), pair("E-Mail", "email"));
        assert_eq!(column("a=b=c"), pair("a=b", "c"));
        assert!(column("email").is_err());
        assert!(column("=email").is_err());
    }
}
