//! Writes a recipe as people write one: a step a line, options in braces, what is the default left out.

use serde_json::Value as Json;

use super::{Input, OutputOptions, Recipe, Step};

pub(super) fn write(recipe: &Recipe) -> String {
    let mut text = String::new();
    if !recipe.name.is_empty() {
        text.push_str(&format!("name: {}\n", scalar(&recipe.name)));
    }
    if recipe.input != Input::default() {
        text.push_str(&format!("input: {}\n", flow(&recipe.input.to_json())));
    }
    if recipe.steps.is_empty() {
        text.push_str("steps: []\n");
    } else {
        text.push_str("steps:\n");
    }
    for step in &recipe.steps {
        let (name, options) = step.short_json();
        match rules(&options) {
            None => text.push_str(&format!("  - {name}: {}\n", flow(&options))),
            Some(rules) => {
                text.push_str(&format!("  - {name}:\n"));
                for rule in rules {
                    text.push_str(&format!("      - {}\n", flow(rule)));
                }
            }
        }
    }
    if recipe.output != OutputOptions::default() {
        text.push_str(&format!("output: {}\n", flow(&recipe.output.to_json())));
    }
    text
}

/// The rules of a step that is nothing but a list of them: a line for each.
fn rules(options: &Json) -> Option<&Vec<Json>> {
    let options = options.as_object().filter(|options| options.len() == 1)?;
    options.get("rules")?.as_array().filter(|rules| !rules.is_empty())
}

/// A value in flow style: `{column: total, as: "a * b"}`.
pub(crate) fn flow(value: &Json) -> String {
    match value {
        Json::Object(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| format!("{}: {}", scalar(key), flow(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Json::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Json::String(text) => scalar(text),
        other => other.to_string(),
    }
}

/// A text without quotes where nothing can be misread, otherwise in double quotes (JSON's are also YAML's).
fn scalar(text: &str) -> String {
    let first = text.chars().next();
    let safe = first.is_some_and(char::is_alphabetic)
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | ' ' | '-' | '.'))
        && !text.ends_with(' ')
        && !is_reserved(text);
    if safe {
        text.to_owned()
    } else {
        Json::from(text).to_string()
    }
}

/// Words that YAML readers take for something else than text.
fn is_reserved(text: &str) -> bool {
    const WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    WORDS.contains(&text.to_lowercase().as_str())
}

impl Recipe {
    /// The sentences of its steps, in order.
    #[must_use]
    pub fn labels(&self) -> Vec<String> {
        self.steps.iter().map(Step::label).collect()
    }
}
