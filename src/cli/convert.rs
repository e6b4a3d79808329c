//! `sheetmill convert`: a run with no steps, on every sheet.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use sheetmill_engine::recipe::document::{Recipe, Sheets};

use super::run::{Said, Target, apply, format_of};
use super::{Stop, finish};

/// What `convert` is told.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The file.
    file: PathBuf,
    #[command(flatten)]
    target: Target,
}

/// Writes a file in another format.
#[must_use]
pub fn main(arguments: &Arguments) -> ExitCode {
    finish(async {
        let target = &arguments.target;
        if target.format.is_none() && format_of(&target.out).is_none() {
            return Err(Stop::wrong(format!(
                "{}: name the format by the ending, or with --format",
                target.out.display()
            )));
        }
        let mut recipe = Recipe::default();
        recipe.input.sheets = Sheets::All;
        apply(recipe, std::slice::from_ref(&arguments.file), Said::default(), target).await
    })
}
