//! Recipes whose first step puts the rows of all files of a run together, for files whose names are known.

use std::collections::HashSet;

use super::{Reading, Recipe, Sheets, Step};
use crate::recipe::steps::Append;

/// Files whose rows are put together at most: each is a table that the recipe reads beside the first.
pub const MOST_TOGETHER: usize = 200;
/// Characters of a table's name.
const NAME: usize = 180;

impl Recipe {
    /// Whether its first step puts the rows of all files of a run together.
    #[must_use]
    pub fn puts_files_together(&self) -> bool {
        self.steps.first().is_some_and(Step::appends_files)
    }

    /// The same for a first file and these further ones, by their names: applied to the first, with the others as tables. Each
    /// of them is appended by a step of its own, so that the account says how many rows came from it. Answers the recipe and
    /// what it calls the further files, in their order; no two files have one name.
    #[must_use]
    pub fn together(&self, first: &str, further: &[&str]) -> (Self, Vec<String>) {
        let step = self
            .steps
            .first()
            .filter(|step| step.appends_files() && !further.is_empty());
        let Some(Step::Append(append)) = step else {
            return (self.clone(), Vec::new());
        };
        let mut taken: HashSet<String> = self.references().into_iter().map(str::to_owned).collect();
        taken.insert(first.to_owned());
        let mut names = Vec::with_capacity(further.len());
        for file in further {
            let short: String = file.chars().take(NAME).collect();
            let numbered = (2..).map(|number| format!("{short} ({number})"));
            let mut free = std::iter::once(short.clone()).chain(numbered);
            let name = free.find(|name| !taken.contains(name)).unwrap_or(short);
            taken.insert(name.clone());
            names.push(name);
        }
        let step = |name: &String| {
            Step::Append(Append {
                with: Some(name.clone()),
                ..append.clone()
            })
        };
        let steps = names.iter().map(step).chain(self.steps.iter().skip(1).cloned());
        let recipe = Self {
            steps: steps.collect(),
            ..self.clone()
        };
        (recipe, names)
    }

    /// Notes what does not go with putting files together.
    pub(super) fn check_together(&self, reading: &mut Reading) {
        let Some(at) = self.steps.iter().position(Step::appends_files) else {
            return;
        };
        if at > 0 {
            let message = "`append` without another table puts the rows of all files together, and so comes first: the steps \
                           in front of it would see the first file alone. Move it to the top, or name a table in `with`.";
            reading.step = Some(at + 1);
            reading.problem_of(&format!("steps[{at}]"), message);
            reading.step = None;
        }
        if self.input.sheets != Sheets::First {
            let message = "`append` of all files takes the first sheet of each: leave `sheets` out, or say `first`.";
            reading.problem_of("input.sheets", message);
        }
        if !self.input.columns.is_empty() {
            let message = "The columns that `input` expects are looked for in the first file alone, where `append` puts all \
                           files together: name those of the others in `columns` of `append` instead.";
            reading.problem_of("input.columns", message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(text: &str) -> Result<Recipe, String> {
        Recipe::parse(text).map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn each_further_file_is_appended_by_a_name_of_its_own() -> Result<(), String> {
        let text = "steps:\n  - append: {source: file}\n  - join: {with: a.csv, on: [id]}\n";
        let (together, names) = recipe(text)?.together("c.csv", &["b.csv", "a.csv", "b.csv", "c.csv"]);
        assert_eq!(names, ["b.csv", "a.csv (2)", "b.csv (2)", "c.csv (2)"]);
        let labels = together.labels();
        assert_eq!(labels.len(), 5);
        assert_eq!(labels[1], "Put the rows of a.csv (2) below");
        assert!(!together.puts_files_together());
        assert_eq!(
            together.references(),
            ["a.csv", "a.csv (2)", "b.csv", "b.csv (2)", "c.csv (2)"]
        );
        Ok(())
    }

    #[test]
    fn alone_a_file_stays_as_it_is() -> Result<(), String> {
        let recipe = recipe("steps:\n  - append\n  - first: {rows: 1}\n")?;
        assert!(recipe.puts_files_together());
        let (together, names) = recipe.together("a.csv", &[]);
        assert!(names.is_empty());
        assert_eq!(together, recipe);
        Ok(())
    }

    #[test]
    fn files_are_put_together_first_and_by_their_first_sheets() {
        let late = recipe("steps:\n  - trim\n  - append\n").expect_err("it is not the first step");
        assert!(late.contains("Move it to the top"), "{late}");
        let sheets = recipe("input: {sheets: all}\nsteps:\n  - append\n").expect_err("it takes the first sheets");
        assert!(sheets.contains("first sheet of each"), "{sheets}");
        assert!(recipe("steps:\n  - trim\n  - append: {with: prices}\n").is_ok());
    }
}
