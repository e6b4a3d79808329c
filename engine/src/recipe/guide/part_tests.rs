//! Every example of what is read and what is written, carried out: parts of a recipe on a sheet, and the files that come out.

use std::path::Path;

use super::tests::{Fallible, carry_out, chosen, ingested, put_down, written};
use super::{Example, Grid, InFile, part_page};
use crate::order::{Message, Order, OutputRole, ProcessOrder, TableFiles};
use crate::recipe::document::{PARTS, Recipe};
use crate::sheets::IngestOptions;

/// The file that examples are of.
const NAME: &str = "orders.csv";

fn recipe(example: &Example) -> Fallible<Recipe> {
    let mut text = example.steps.clone();
    if !text.contains("steps:") {
        text.push_str("steps: []\n");
    }
    if !text.contains("output:") {
        text.push_str("output: {format: csv}\n");
    }
    Recipe::parse(&text).map_err(|problems| format!("{text}{problems:?}").into())
}

/// Carries out a recipe on a table as it was ingested; answers each file with what it is.
fn carried_out(
    recipe: Recipe,
    table: TableFiles,
    folder: &Path,
) -> Fallible<Vec<(String, OutputRole, std::path::PathBuf)>> {
    let (out, scratch) = (folder.join("out"), folder.join("scratch"));
    for place in [&out, &scratch] {
        std::fs::create_dir_all(place)?;
    }
    let messages = carry_out(Order::Process(ProcessOrder {
        name: NAME.to_owned(),
        tables: vec![table],
        recipe,
        mapping: Default::default(),
        references: Default::default(),
        out: out.clone(),
        scratch,
        memory: 64 << 20,
        jobs: 1,
    }))?;
    let file = |message: &Message| match message {
        Message::Output(output) => Some((output.name.clone(), output.role, out.join(&output.path))),
        _ => None,
    };
    Ok(messages.iter().filter_map(file).collect())
}

/// A file as a table; a workbook is read and written as csv first.
fn as_table(path: &Path, folder: &Path) -> Fallible<Grid> {
    if path.extension().is_some_and(|it| it == "csv") {
        return written(path);
    }
    let table = ingested(path.to_owned(), IngestOptions::default(), &folder.join("again"))?;
    let plain = Recipe::parse("steps: []\noutput: {format: csv}\n").map_err(|problems| format!("{problems:?}"))?;
    let files = carried_out(plain, table, &folder.join("plain"))?;
    written(&files.first().ok_or("no file")?.2)
}

/// What is wrong with an example; nothing where it is as shown.
fn judged(example: &Example) -> Fallible<Option<String>> {
    let folder = tempfile::tempdir()?;
    let recipe = recipe(example)?;
    let input = put_down(&example.before, &folder.path().join("before"))?;
    let options = recipe.input.ingest_options();
    let table = ingested(input, options, &folder.path().join("read"))?;
    let files = carried_out(recipe, table, folder.path())?;
    let mut made = Example::default();
    for (name, role, path) in &files {
        match role {
            OutputRole::Rejects => {
                let columns = example.rejected.as_ref().map_or(&[][..], |grid| &grid.columns);
                made.rejected = Some(chosen(&written(path)?, columns)?).filter(|grid| !grid.rows.is_empty());
            }
            OutputRole::Result if example.files.is_empty() => made.after = as_table(path, folder.path())?,
            _ => {
                let shown = example.files.iter().find(|(shown, _)| shown == name);
                let found = match shown {
                    Some((_, InFile::Text(_))) => InFile::Text(std::fs::read_to_string(path)?),
                    _ => InFile::Table(as_table(path, &folder.path().join(name))?),
                };
                made.files.push((name.clone(), found));
            }
        }
    }
    let same = made.rejected == example.rejected && made.after == example.after && made.files == example.files;
    Ok((!same).then(|| format!("{}: {made:#?}", example.title)))
}

#[test]
fn every_example_of_a_part_gives_what_the_guide_shows() -> Fallible {
    let mut wrong = Vec::new();
    for part in PARTS {
        let examples = part_page(part)
            .map_err(|error| format!("{}: {error}", part.name))?
            .examples;
        assert!(examples.len() > 2, "{}", part.name);
        for example in examples {
            assert!(example.steps.contains(&format!("{}:", part.name)), "{}", example.title);
            match judged(&example) {
                Ok(None) => {}
                Ok(Some(made)) => wrong.push(made),
                Err(error) => wrong.push(format!("{}: {error}", example.title)),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
