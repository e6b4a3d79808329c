//! The steps as forms present them, for the builder's script.

use serde_json::{Value, json};
use sheetmill_engine::recipe::document::{PARTS, Part, PartKind, PartOption};
use sheetmill_engine::recipe::steps::{DEFINITIONS, Definition, ONLY_WITH, OptionForm, OptionKind};

/// All steps with their options, in the order of menus.
pub(super) fn definitions() -> Value {
    let step = |step: &Definition| {
        json!({
            "name": step.name,
            "title": step.title,
            "about": step.about,
            "options": step.options.iter().map(|form| option(step, form)).collect::<Vec<_>>(),
        })
    };
    DEFINITIONS.iter().map(step).collect()
}

/// The parts beside the steps with their options, by their words.
pub(super) fn parts() -> Value {
    let part = |part: &&Part| {
        let options: Vec<Value> = part.options.iter().map(part_option).collect();
        (part.name.to_owned(), Value::Array(options))
    };
    Value::Object(PARTS.iter().map(part).collect())
}

fn part_option(option: &PartOption) -> Value {
    let choices: Vec<Value> = option
        .kind
        .choices()
        .iter()
        .map(|(word, said)| json!({ "word": word, "said": said }))
        .collect();
    let when: Vec<Value> = option
        .when
        .iter()
        .map(|(option, words)| json!({ "option": option, "words": words }))
        .collect();
    json!({
        "name": option.name,
        "title": option.title,
        "about": option.about,
        "kind": part_kind(option.kind),
        "choices": choices,
        "default": option.default.and_then(|text| serde_json::from_str::<Value>(text).ok()),
        "when": when,
    })
}

/// The name of the control in `parts.js`.
fn part_kind(kind: PartKind) -> &'static str {
    match kind {
        PartKind::Choice(_) => "choice",
        PartKind::Column => "column",
        PartKind::Text => "text",
        PartKind::Sheets => "sheets",
        PartKind::Header => "header",
        PartKind::Columns => "columns",
        PartKind::Match => "match",
    }
}

fn option(step: &Definition, form: &OptionForm) -> Value {
    let choices = if let OptionKind::Choice(words) | OptionKind::Choices(words) = form.kind {
        words
    } else {
        &[]
    };
    json!({
        "name": form.name,
        "title": form.title,
        "about": form.about,
        "required": form.required,
        "default": form.default.and_then(|text| serde_json::from_str::<Value>(text).ok()),
        "kind": kind(form.kind),
        "choices": choices,
        "when": when(step, form),
    })
}

/// The choice without which an option has no meaning.
fn when(step: &Definition, form: &OptionForm) -> Option<Value> {
    ONLY_WITH
        .iter()
        .find(|only| only.step == step.name && only.option == form.name)
        .map(|only| json!({ "option": only.with, "words": only.words }))
}

/// The name of the control in `forms.js`.
fn kind(kind: OptionKind) -> &'static str {
    match kind {
        OptionKind::Column => "column",
        OptionKind::Columns => "columns",
        OptionKind::ColumnsOrAll => "columns_or_all",
        OptionKind::NewColumn => "new_column",
        OptionKind::Condition => "condition",
        OptionKind::Expression => "expression",
        OptionKind::Choice(_) => "choice",
        OptionKind::Choices(_) => "choices",
        OptionKind::Text => "text",
        OptionKind::Query => "query",
        OptionKind::Number => "number",
        OptionKind::Flag => "flag",
        OptionKind::Texts => "texts",
        OptionKind::Values => "values",
        OptionKind::Renames => "renames",
        OptionKind::SortKeys => "sort_keys",
        OptionKind::Totals => "totals",
        OptionKind::Reference => "reference",
        OptionKind::JoinKeys => "join_keys",
        OptionKind::OtherColumns => "other_columns",
        OptionKind::Rules => "rules",
    }
}

/// JSON for a data block: what could end the block early is written as an escape.
pub(super) fn block(value: &Value) -> String {
    value
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_block_cannot_be_left() {
        let block = block(&json!({ "name": "</script><script>alert(1)</script>" }));
        assert!(!block.contains('<') && !block.contains('>'), "{block}");
        assert_eq!(
            serde_json::from_str::<Value>(&block).expect("it reads back")["name"],
            "</script><script>alert(1)</script>"
        );
    }

    #[test]
    fn every_option_names_a_control_that_the_script_has() {
        let script = include_str!("../../../assets/forms.js");
        for step in definitions().as_array().expect("a list") {
            for option in step["options"].as_array().expect("a list") {
                let kind = option["kind"].as_str().expect("a word");
                assert!(kind == "renames" || script.contains(&format!("  {kind}: (")), "{kind}");
            }
        }
    }
}
