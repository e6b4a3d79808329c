//! Every example of the guide, from a sheet that is read to a file that is written, and that nothing is left out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::*;
use crate::order::{IngestOrder, Message, Order, OutputRole, ProcessOrder, TableFiles, execute};
use crate::recipe::document::Recipe;
use crate::recipe::expression;
use crate::recipe::steps::{DEFINITIONS, Step};
use crate::sheets::{IngestOptions, Limits};

pub(super) type Fallible<T = ()> = Result<T, Box<dyn std::error::Error>>;

pub(super) fn carry_out(order: Order) -> Fallible<Vec<Message>> {
    let mut messages = Vec::new();
    execute(order, &mut |message| messages.push(message));
    match messages.last() {
        Some(Message::Done(_)) => Ok(messages),
        other => Err(format!("{other:?}").into()),
    }
}

/// Reads a table as the product reads a sheet of it.
fn read(grid: &Grid, folder: &Path) -> Fallible<TableFiles> {
    let input = put_down(grid, folder)?;
    ingested(input, IngestOptions::default(), &folder.join("out"))
}

/// A table as a file.
pub(super) fn put_down(grid: &Grid, folder: &Path) -> Fallible<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let input = folder.join("sheet.csv");
    let mut writer = csv::Writer::from_path(&input)?;
    writer.write_record(&grid.columns)?;
    for row in &grid.rows {
        writer.write_record(row)?;
    }
    writer.flush()?;
    Ok(input)
}

/// A file as it is read.
pub(super) fn ingested(input: PathBuf, options: IngestOptions, out: &Path) -> Fallible<TableFiles> {
    let messages = carry_out(Order::Ingest(IngestOrder {
        input,
        name: "sheet.csv".to_owned(),
        options,
        limits: Limits::default(),
        out: out.to_owned(),
    }))?;
    let folder = messages.iter().find_map(|message| match message {
        Message::Table { folder, .. } => Some(out.join(folder)),
        _ => None,
    });
    Ok(TableFiles {
        folder: folder.ok_or("no table")?,
    })
}

pub(super) fn written(path: &Path) -> Fallible<Grid> {
    let mut reader = csv::Reader::from_path(path)?;
    let texts = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<_>>();
    let columns = texts(reader.headers()?);
    let rows = reader.records().map(|record| Ok(texts(&record?)));
    let rows = rows.collect::<Result<Vec<_>, csv::Error>>()?;
    let columns = columns
        .into_iter()
        .map(|name| name.trim_start_matches('\u{feff}').to_owned());
    Ok(Grid {
        columns: columns.collect(),
        rows,
    })
}

/// What comes out of an example: the result, and the rejects in the example's columns where it rejects.
fn made(example: &Example) -> Fallible<(Grid, Option<Grid>)> {
    let folder = tempfile::tempdir()?;
    let make = |name: &str| -> Fallible<PathBuf> {
        let path = folder.path().join(name);
        std::fs::create_dir(&path)?;
        Ok(path)
    };
    let steps: String = example.steps.lines().map(|line| format!("  {line}\n")).collect();
    let text = format!("steps:\n{steps}output: {{format: csv}}\n");
    let others = example.others.iter().map(|(name, grid)| {
        let files = read(grid, &folder.path().join(format!("other {name}")))?;
        Ok((name.clone(), files))
    });
    let out = make("out")?;
    let messages = carry_out(Order::Process(ProcessOrder {
        name: "sheet.csv".to_owned(),
        tables: vec![read(&example.before, &folder.path().join("before"))?],
        recipe: Recipe::parse(&text).map_err(|problems| format!("{problems:?}"))?,
        mapping: Default::default(),
        references: others.collect::<Fallible<_>>()?,
        out: out.clone(),
        scratch: make("scratch")?,
        memory: 64 << 20,
        jobs: 1,
    }))?;
    let output = |wanted: OutputRole| {
        messages.iter().find_map(|message| match message {
            Message::Output(output) if output.role == wanted => Some(out.join(&output.path)),
            _ => None,
        })
    };
    let result = written(&output(OutputRole::Result).ok_or("no result")?)?;
    let rejects = match output(OutputRole::Rejects) {
        None => None,
        Some(path) => {
            let columns = example.rejected.as_ref().map_or(&[][..], |grid| &grid.columns);
            Some(chosen(&written(&path)?, columns)?).filter(|grid| !grid.rows.is_empty())
        }
    };
    Ok((result, rejects))
}

/// Only these columns.
pub(super) fn chosen(grid: &Grid, columns: &[String]) -> Fallible<Grid> {
    let at = |name: &String| grid.columns.iter().position(|column| column == name);
    let at: Vec<usize> = columns
        .iter()
        .map(at)
        .collect::<Option<_>>()
        .ok_or("no such column of rejects")?;
    let row = |row: &Vec<String>| at.iter().map(|column| row[*column].clone()).collect();
    Ok(Grid {
        columns: columns.to_vec(),
        rows: grid.rows.iter().map(row).collect(),
    })
}

#[test]
fn every_step_has_an_example_and_a_group() {
    let missing: Vec<&str> = DEFINITIONS
        .iter()
        .map(|step| step.name)
        .filter(|name| text_of(name).is_none())
        .collect();
    assert!(
        missing.is_empty(),
        "these steps lack a file in steps/examples and a word in guide.rs: {missing:?}"
    );
    let mut listed: Vec<&str> = GROUPS
        .iter()
        .flat_map(|group| group.steps)
        .map(|(name, _)| *name)
        .collect();
    assert_eq!(
        listed.len(),
        DEFINITIONS.len(),
        "no step is listed twice, and none that is not there"
    );
    listed.sort_unstable();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/recipe/steps/examples");
    let files = std::fs::read_dir(folder).expect("a folder of examples");
    let names = files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned());
    let names: BTreeSet<String> = names.map(|name| name.trim_end_matches(".md").to_owned()).collect();
    let listed: BTreeSet<String> = listed.into_iter().map(str::to_owned).collect();
    assert_eq!(names, listed, "each file is a step's");
}

#[test]
fn every_example_gives_what_the_guide_shows() -> Fallible {
    let mut wrong = Vec::new();
    for step in DEFINITIONS {
        for example in page(step).map_err(|error| format!("{}: {error}", step.name))?.examples {
            let shown = (example.after.clone(), example.rejected.clone());
            match made(&example) {
                Ok(made) if made == shown => {}
                Ok(made) => wrong.push(format!("{}, {}: {made:#?}", step.name, example.title)),
                Err(error) => wrong.push(format!("{}, {}: {error}", step.name, example.title)),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn examples_show_their_step_and_name_others_that_are_there() -> Fallible {
    for definition in DEFINITIONS {
        let page = page(definition).map_err(|error| format!("{}: {error}", definition.name))?;
        for example in &page.examples {
            let steps: String = example.steps.lines().map(|line| format!("  {line}\n")).collect();
            let recipe = Recipe::parse(&format!("steps:\n{steps}")).map_err(|problems| format!("{problems:?}"))?;
            assert!(
                recipe.steps.iter().map(Step::name).any(|name| name == definition.name),
                "{}: {}",
                definition.name,
                example.title
            );
            assert!(
                !example.title.is_empty() && !example.before.rows.is_empty(),
                "{example:?}"
            );
        }
        for related in &page.related {
            let there = DEFINITIONS
                .iter()
                .any(|it| it.name == related && it.name != definition.name);
            assert!(there, "{}: see also {related}", definition.name);
        }
    }
    Ok(())
}

#[test]
fn every_function_is_shown() {
    let shown: BTreeSet<&str> = FUNCTIONS
        .iter()
        .flat_map(|group| group.functions)
        .map(|it| it.name)
        .collect();
    assert_eq!(shown, expression::functions::NAMES.iter().copied().collect());
    let totals: BTreeSet<&str> = TOTALS.iter().map(|it| it.name).collect();
    assert_eq!(totals, expression::total_names().iter().copied().collect());
}

/// What an expression gives in a sheet with the column `x`, as it is written.
fn given(step: &str, cells: &[&str]) -> Fallible<String> {
    let (result, rejects) = made(&Example {
        before: Grid {
            columns: vec!["id".to_owned(), "x".to_owned()],
            rows: cells
                .iter()
                .map(|cell| vec!["1".to_owned(), (*cell).to_owned()])
                .collect(),
        },
        steps: step.to_owned(),
        ..Example::default()
    })?;
    if rejects.is_some() {
        return Ok("rejected".to_owned());
    }
    let row = result.rows.first().ok_or("no row")?;
    Ok(row.last().cloned().unwrap_or_default())
}

#[test]
fn functions_give_what_the_guide_shows_under_each_of_their_names() -> Fallible {
    let mut wrong = Vec::new();
    let pages = FUNCTIONS
        .iter()
        .flat_map(|group| group.functions)
        .map(|page| (page, false));
    for (page, is_total) in pages.chain(TOTALS.iter().map(|page| (page, true))) {
        assert!(!page.shown.is_empty(), "{}", page.name);
        for (text, shown) in page.shown {
            for name in [page.name].iter().chain(page.also) {
                let text = text.replacen(&format!("{}(", page.name), &format!("{name}("), 1);
                let quoted = serde_json::to_string(&text)?;
                let made = if is_total {
                    given(&format!("- group: {{totals: {{y: {quoted}}}}}"), &TOTALS_OF)
                } else {
                    given(&format!("- compute: {{column: y, as: {quoted}}}"), &["1"])
                };
                match made {
                    Ok(made) if made == *shown => {}
                    Ok(made) => wrong.push(format!("{text} gives {made}, not {shown}")),
                    Err(error) => wrong.push(format!("{text}: {error}")),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
