//! What outputs are called, for people: after the file and the recipe, or as the recipe says.

use std::collections::HashSet;

use super::super::ProcessOrder;
use crate::recipe::document::{OutputFormat, Sheets, SplitInto};

/// Bytes of a name without its ending: file systems take 255 with it, and a number may follow.
const MOST_BYTES: usize = 180;
/// What stands for a value in a name when nothing of it is left.
const BLANK: &str = "blank";
/// Names that Windows keeps for its devices.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// Gives out names.
pub(super) struct Names {
    file: String,
    recipe: String,
    /// Whether names say the sheet, since there is a file for each.
    several: bool,
    template: Option<String>,
    taken: HashSet<String>,
}

impl Names {
    /// For an order.
    pub(super) fn new(order: &ProcessOrder) -> Self {
        let last = order.name.rsplit(['/', '\\']).next().unwrap_or_default();
        let stem = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
        let stem = plain(stem, 100);
        let output = &order.recipe.output;
        let in_files = output
            .split
            .as_ref()
            .is_some_and(|split| split.into == SplitInto::Files);
        let several = order.tables.len() > 1 && order.recipe.input.sheets != Sheets::First;
        Self {
            file: if stem.is_empty() { "result".to_owned() } else { stem },
            recipe: slug(&order.recipe.name),
            several: several && (in_files || output.format != OutputFormat::Xlsx),
            template: output.name.clone(),
            taken: HashSet::new(),
        }
    }

    /// The name of a result: of a sheet, and of a value where the result is split into files (`Some("")`: the blank one).
    pub(super) fn result(&mut self, sheet: &str, value: Option<&str>, format: OutputFormat) -> String {
        let sheet = plain(sheet, 60);
        let value = value.map(|value| match plain(value, 80) {
            name if name.is_empty() => BLANK.to_owned(),
            name => name,
        });
        let name = match &self.template {
            Some(template) => self.filled(template, &sheet, value.as_deref().unwrap_or_default()),
            None => {
                let sheet = Some(sheet).filter(|_| self.several);
                let parts = [Some(self.stem()), sheet, value];
                parts.into_iter().flatten().collect::<Vec<_>>().join("-")
            }
        };
        let ending = format!(".{}", format.word());
        let stem = name.strip_suffix(&ending).unwrap_or(&name);
        self.fresh(&plain(stem, MOST_BYTES), &ending)
    }

    /// The name of a file beside the results, such as `rejects.csv`.
    pub(super) fn beside(&mut self, file: &str) -> String {
        let (name, ending) = file.split_once('.').unwrap_or((file, ""));
        // What stands between name and ending is for us: `rejects.utf-16le.csv`.
        let ending = ending.rsplit('.').next().unwrap_or(ending);
        let stem = format!("{}-{name}", self.stem());
        self.fresh(&stem, &format!(".{ending}"))
    }

    fn stem(&self) -> String {
        if self.recipe.is_empty() {
            self.file.clone()
        } else {
            format!("{}-{}", self.file, self.recipe)
        }
    }

    /// A template with what its placeholders stand for. What is put in is not looked at again.
    fn filled(&self, template: &str, sheet: &str, value: &str) -> String {
        let mut name = String::new();
        for (at, piece) in template.split('{').enumerate() {
            let filled = piece.split_once('}').filter(|_| at > 0);
            match filled {
                None => name.push_str(piece),
                Some((placeholder, rest)) => {
                    name.push_str(match placeholder {
                        "file" => &self.file,
                        "recipe" => &self.recipe,
                        "sheet" => sheet,
                        _ => value,
                    });
                    name.push_str(rest);
                }
            }
        }
        name
    }

    /// The name, with a number behind where one like it was given out before: some file systems know no case.
    fn fresh(&mut self, stem: &str, ending: &str) -> String {
        let stem = short(stem);
        let stem = if stem.is_empty() { "result" } else { stem };
        let device = stem.split('.').next().unwrap_or(stem).to_lowercase();
        let numbered = device.starts_with("com") || device.starts_with("lpt");
        let is_device = DEVICES.contains(&device.as_str())
            || (numbered && device.len() == 4 && device.ends_with(|c: char| c.is_ascii_digit()));
        let stem = if is_device { format!("_{stem}") } else { stem.to_owned() };
        let mut name = format!("{stem}{ending}");
        let mut number = 1;
        while !self.taken.insert(name.to_lowercase()) {
            number += 1;
            name = format!("{stem}-{number}{ending}");
        }
        name
    }
}

/// A name cut to [`MOST_BYTES`].
fn short(name: &str) -> &str {
    let mut end = name.len().min(MOST_BYTES);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].trim_end_matches(['.', ' '])
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

    #[test]
    fn names_out_of_a_template_are_safe_and_differ() {
        let mut names = Names {
            file: "orders".to_owned(),
            recipe: "clean".to_owned(),
            several: false,
            template: Some("{file}/{value}.csv".to_owned()),
            taken: HashSet::new(),
        };
        let mut name = |value: &str| names.result("Sheet1", Some(value), OutputFormat::Csv);
        assert_eq!(name("North"), "orders_North.csv");
        assert_eq!(name("NORTH"), "orders_NORTH-2.csv", "some file systems know no case");
        assert_eq!(name(""), "orders_blank.csv");
        assert_eq!(name("../x"), "orders__x.csv");
        assert_eq!(name("{file}"), "orders_{file}.csv", "a value is no template");
        assert!(name(&"é".repeat(500)).len() < 200);
        names.template = Some("{value}".to_owned());
        let mut name = |value: &str| names.result("Sheet1", Some(value), OutputFormat::Csv);
        assert_eq!(name("con"), "_con.csv");
        assert_eq!(name("Lpt1.x"), "_Lpt1.x.csv");
        assert_eq!(name("console"), "console.csv");
    }
}
