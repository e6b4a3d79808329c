//! `sheetmill recipe steps`: the guide at the terminal.

use serde_json::{Value, json};
use sheetmill_engine::recipe::guide::{Example, GROUPS, Grid, page};
use sheetmill_engine::recipe::problem::did_you_mean;
use sheetmill_engine::recipe::steps::{DEFINITIONS, Definition, definition};

use super::{End, Stop, answer};

/// For whom it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A person.
    Text,
    /// A program.
    Json,
}

/// Tells of one step, or of all.
pub(super) fn tell(name: Option<&str>, form: Form) -> Result<End, Stop> {
    let text = match (name, form) {
        (None, Form::Text) => all(),
        (None, Form::Json) => pretty(&DEFINITIONS.iter().map(data).collect::<Result<Value, _>>()?),
        (Some(name), form) => {
            let step = definition(name).ok_or_else(|| {
                let hint = did_you_mean(name, DEFINITIONS.iter().map(|step| step.name));
                Stop::wrong(format!("There is no step `{name}`.{hint}"))
            })?;
            match form {
                Form::Text => one(step)?,
                Form::Json => pretty(&data(step)?),
            }
        }
    };
    answer(&text)?;
    Ok(End::Done)
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

fn all() -> String {
    let mut text = String::new();
    for group in GROUPS {
        text.push_str(group.title);
        text.push('\n');
        for step in group.steps.iter().filter_map(|(name, _)| definition(name)) {
            text.push_str(&format!("  {:<15} {}\n", step.name, step.about));
        }
    }
    text
}

fn one(step: &Definition) -> Result<String, Stop> {
    let mut text = format!("{}: {}\n{}\n", step.name, step.title, step.about);
    if !step.options.is_empty() {
        text.push_str("\nOptions\n");
    }
    for form in step.options {
        let choices = form.kind.choices();
        let choices = if choices.is_empty() {
            String::new()
        } else {
            format!(": {}", choices.join(", "))
        };
        let default = match (form.required, form.default) {
            (true, _) => "; required".to_owned(),
            (false, Some(default)) => format!("; left out, it is {default}"),
            (false, None) => String::new(),
        };
        let kind = form.kind.words();
        text.push_str(&format!(
            "  {:<15} {}\n  {:<15} {kind}{choices}{default}\n",
            form.name, form.about, ""
        ));
    }
    for example in &told(step)?.examples {
        text.push_str(&format!("\n{}\n", example.title));
        if !example.about.is_empty() {
            text.push_str(&format!("{}\n", example.about));
        }
        text.push_str(&format!("\n{}", drawn(&example.before)));
        for (name, other) in &example.others {
            text.push_str(&format!("\nThe other table, {name}\n{}", drawn(other)));
        }
        text.push_str(&format!("\n{}\n{}", example.steps, drawn(&example.after)));
        if let Some(rejected) = &example.rejected {
            text.push_str(&format!("\nRejected\n{}", drawn(rejected)));
        }
    }
    Ok(text)
}

/// A table with its columns below one another.
fn drawn(grid: &Grid) -> String {
    let lines: Vec<&Vec<String>> = [&grid.columns].into_iter().chain(&grid.rows).collect();
    let width = |column: usize| {
        lines
            .iter()
            .map(|line| line[column].chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..grid.columns.len()).map(width).collect();
    let line = |cells: &[String]| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("  | {} |\n", cells.collect::<Vec<_>>().join(" | "))
    };
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    let rows = grid.rows.iter().map(|row| line(row));
    [line(&grid.columns), line(&rule)].into_iter().chain(rows).collect()
}

fn told(step: &Definition) -> Result<sheetmill_engine::recipe::guide::Page, Stop> {
    page(step).map_err(|error| Stop::failed(format!("{}: {error}", step.name)))
}

fn data(step: &Definition) -> Result<Value, Stop> {
    let options = step.options.iter().map(|form| {
        json!({
            "name": form.name,
            "title": form.title,
            "about": form.about,
            "takes": form.kind.words(),
            "choices": form.kind.choices(),
            "required": form.required,
            "default": form.default.and_then(|text| serde_json::from_str::<Value>(text).ok()),
        })
    });
    let table = |grid: &Grid| json!({ "columns": grid.columns, "rows": grid.rows });
    let example = |it: &Example| {
        json!({
            "title": it.title,
            "about": it.about,
            "before": table(&it.before),
            "others": it.others.iter().map(|(name, grid)| (name.clone(), table(grid))).collect::<serde_json::Map<_, _>>(),
            "steps": it.steps,
            "after": table(&it.after),
            "rejected": it.rejected.as_ref().map(table),
        })
    };
    Ok(json!({
        "name": step.name,
        "title": step.title,
        "about": step.about,
        "options": options.collect::<Vec<_>>(),
        "examples": told(step)?.examples.iter().map(example).collect::<Vec<_>>(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_told_with_options_and_an_example() {
        let step = definition("trim").expect("a step");
        let text = one(step).expect("told");
        assert!(text.starts_with("trim: Remove blanks around text\n"), "{text}");
        assert!(
            text.contains("left out, it is \"all\"") && text.contains("- trim: {"),
            "{text}"
        );
        assert!(text.contains("  | 1  | Acme Ltd | Gent |\n"), "{text}");
        let data = data(step).expect("told");
        assert_eq!(data["options"][0]["default"], "all");
        assert_eq!(data["examples"][0]["after"]["rows"][0][1], "Acme Ltd");
    }

    #[test]
    fn all_steps_are_listed_and_a_wrong_name_has_a_hint() {
        let text = all();
        assert!(
            DEFINITIONS
                .iter()
                .all(|step| text.contains(&format!("  {} ", step.name))),
            "{text}"
        );
        let stop = tell(Some("dedupliate"), Form::Text).expect_err("no such step");
        assert!(stop.sentence.contains("`deduplicate`"), "{}", stop.sentence);
    }
}
