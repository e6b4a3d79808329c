//! `sheetmill recipe check`: what is wrong with a recipe, and where; `sheetmill recipe steps`: what a step does; `sheetmill
//! recipe show` and `sheetmill recipe diff`: the form that installations exchange, and what changed between two recipes.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;
use sheetmill_engine::recipe::changes;
use sheetmill_engine::recipe::document::{Problem, Recipe};
use sheetmill_engine::recipe::mapping::{Choices, map_table};
use sheetmill_engine::recipe::plan::Plan;
use sheetmill_engine::recipe::references::References as Others;
use sheetmill_engine::tables::TableMeta;
use sheetmill_engine::tables::read::Table;

use super::mill::{Mill, Share, meta};
use super::progress::Line;
use super::references::{References, reference};
use super::{End, Stop, answer, existing, finish, say, steps};

/// What can be done with recipes.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Says what is wrong with a recipe and where, by itself or for a file.
    Check {
        /// The recipe, YAML or JSON.
        recipe: PathBuf,
        /// A file whose columns the recipe is checked against.
        file: Option<PathBuf>,
        /// Another table by the name that the recipe calls it.
        #[arg(long = "with", value_name = "NAME=FILE", value_parser = reference)]
        with: Vec<(String, PathBuf)>,
    },
    /// Writes a recipe in the form that installations export and import.
    Show {
        /// The recipe, YAML or JSON.
        recipe: PathBuf,
        /// As JSON rather than YAML.
        #[arg(long)]
        json: bool,
    },
    /// Says what changed from one recipe to another, step by step.
    Diff {
        /// The recipe before.
        old: PathBuf,
        /// The recipe after.
        new: PathBuf,
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Says what the steps do, or how one of them is written, with an example.
    Steps {
        /// The step; all of them where none is named.
        name: Option<String>,
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
}

/// Works on recipes.
#[must_use]
pub fn main(command: &Command) -> ExitCode {
    match command {
        Command::Check { recipe, file, with } => finish(check(recipe, file.as_deref(), with)),
        Command::Show { recipe, json } => {
            let form = if *json { steps::Form::Json } else { steps::Form::Text };
            finish(std::future::ready(show(recipe, form)))
        }
        Command::Diff { old, new, json } => {
            let form = if *json { steps::Form::Json } else { steps::Form::Text };
            finish(std::future::ready(diff(old, new, form)))
        }
        Command::Steps { name, json } => {
            let form = if *json { steps::Form::Json } else { steps::Form::Text };
            finish(std::future::ready(steps::tell(name.as_deref(), form)))
        }
    }
}

/// Reads a recipe; what is wrong with it is the sentence of the error, a line each with file, line and column.
pub(super) fn read(path: &Path) -> Result<Recipe, Stop> {
    let text = std::fs::read_to_string(path).map_err(|cause| Stop::wrong(format!("{}: {cause}", path.display())))?;
    Recipe::parse(&text).map_err(|problems| Stop::wrong(listed(path, &problems)))
}

fn show(path: &Path, form: steps::Form) -> Result<End, Stop> {
    let recipe = read(path)?;
    answer(&match form {
        steps::Form::Json => recipe.exported_json(),
        steps::Form::Text => recipe.exported_yaml(),
    })?;
    Ok(End::Done)
}

fn diff(old: &Path, new: &Path, form: steps::Form) -> Result<End, Stop> {
    let changes = changes::between(&read(old)?, &read(new)?);
    answer(&match form {
        steps::Form::Json => format!("{:#}\n", json!(changes)),
        steps::Form::Text => changes.iter().map(|it| format!("{it}\n")).collect(),
    })?;
    if changes.is_empty() {
        say("Both do the same under the same name.");
    }
    Ok(End::Done)
}

async fn check(path: &Path, file: Option<&Path>, with: &[(String, PathBuf)]) -> Result<End, Stop> {
    let recipe = read(path)?;
    if let Some(file) = file {
        let share = Share {
            memory: 512 << 20,
            jobs: 1,
        };
        let mill = Mill::new(share)?;
        let others = References::read(with, share).await?;
        let read = mill
            .ingest(&existing(file)?, recipe.input.ingest_options(), &Line::silent())
            .await?;
        if let Some(trouble) = read.trouble {
            return Err(Stop::of(trouble));
        }
        let tables = read
            .tables
            .iter()
            .map(|folder| meta(folder))
            .collect::<Result<Vec<_>, _>>()?;
        let sheets: Vec<_> = tables
            .iter()
            .map(|table| (table.sheet.clone(), table.visibility))
            .collect();
        let chosen = recipe.input.sheets.choose(&sheets).map_err(Stop::wrong)?;
        let open = |(name, folder): (&String, &PathBuf)| {
            let table = Table::open(folder).map_err(|cause| Stop::failed(cause.to_string()))?;
            Ok((name.clone(), table))
        };
        let others = others.tables.iter().map(open).collect::<Result<_, Stop>>()?;
        let others = Others::new(others);
        let misfits = |index: usize| misfits(&recipe, &tables[index], &others);
        let problems = recipe.locate(chosen.into_iter().find_map(misfits).unwrap_or_default());
        if !problems.is_empty() {
            return Err(Stop::wrong(listed(path, &problems)));
        }
    }
    answer(&format!(
        "{}: {} steps, nothing wrong\n",
        path.display(),
        recipe.steps.len()
    ))?;
    Ok(End::Done)
}

/// What of a recipe does not fit a table.
fn misfits(recipe: &Recipe, table: &TableMeta, others: &Others) -> Option<Vec<Problem>> {
    match map_table(&recipe.input, table, &Choices::default()) {
        Err(unfit) => Some(vec![Problem::at("input.columns", unfit.sentence)]),
        Ok(None) => Plan::for_output(recipe, table, others).err(),
        Ok(Some(mapped)) => {
            mapped.issues.iter().for_each(|issue| say(&issue.sentence));
            Plan::for_output(recipe, &mapped.meta, others).err()
        }
    }
}

/// `orders.yaml:3:5: step 2: …`, the form that editors jump to.
fn listed(path: &Path, problems: &[Problem]) -> String {
    let line = |problem: &Problem| {
        let step = problem.step.map(|step| format!("step {step}: ")).unwrap_or_default();
        format!(
            "{}:{}:{}: {step}{}",
            path.display(),
            problem.line,
            problem.column,
            problem.message
        )
    };
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_told_with_the_place_that_editors_jump_to() {
        let problem = Problem {
            step: Some(2),
            line: 3,
            column: 5,
            message: "No.".to_owned(),
            ..Problem::default()
        };
        assert_eq!(listed(Path::new("a.yaml"), &[problem]), "a.yaml:3:5: step 2: No.");
    }
}
