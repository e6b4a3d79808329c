//! Options and settings that changed, by the titles that forms give them.

use std::collections::VecDeque;

use serde_json::{Map, Value as Json};

use super::Edit;
use super::align::{Pair, aligned};
use crate::recipe::document::flow;
use crate::recipe::steps::{Definition, OptionKind, Step};

/// What settings are called where people choose them, and what holds where the document does not say.
const TITLES: &[(&str, &str, Option<&str>)] = &[
    ("input.sheets", "Sheets", None),
    ("input.header", "Header", None),
    ("input.merged", "Merged areas", Some("keep")),
    ("input.hidden", "Hidden rows and columns", Some("read")),
    ("input.encoding", "Encoding", None),
    ("input.delimiter", "Delimiter", None),
    ("input.columns", "Expected columns", None),
    ("input.match", "How alike names have to be", Some("fuzzy")),
    ("input.others", "Other columns", Some("keep")),
    ("output.format", "Result", None),
    ("output.xlsx.compression", "Compression of workbooks", Some("fast")),
    ("output.csv.delimiter", "Delimiter of CSV", Some(",")),
    ("output.csv.encoding", "Encoding of CSV", Some("utf-8")),
    ("output.csv.line_end", "Line end of CSV", Some("lf")),
    (
        "output.csv.unwritable",
        "Characters that CSV cannot have",
        Some("replace"),
    ),
    ("output.split_by", "One part for each value of", None),
    ("output.split_into", "Parts are", None),
    ("output.name", "Name of the file", None),
    ("output.rejects.policy", "Rejected rows", None),
    ("output.rejects.as", "They are told of", None),
    ("output.rejects.format", "Format of the list of rejected rows", None),
];

/// What changed in a part of the document, `input` or `output`.
pub(super) fn of_settings(part: &str, old: &Json, new: &Json) -> Vec<Edit> {
    let mut edits = Vec::new();
    settings(part, &old[part], &new[part], &mut edits);
    edits
}

fn settings(path: &str, old: &Json, new: &Json, edits: &mut Vec<Edit>) {
    let nothing = Map::new();
    let (old, new) = (old.as_object().unwrap_or(&nothing), new.as_object().unwrap_or(&nothing));
    for key in keys(old, new) {
        let path = format!("{path}.{key}");
        let (before, after) = (old.get(key), new.get(key));
        if before == after {
            continue;
        }
        let is_group = |value: Option<&Json>| value.is_none_or(Json::is_object);
        match TITLES.iter().find(|(known, ..)| *known == path) {
            Some((_, title, otherwise)) => {
                let otherwise = otherwise.map(Json::from);
                edit(
                    title,
                    before.or(otherwise.as_ref()),
                    after.or(otherwise.as_ref()),
                    edits,
                );
            }
            // Such as `output.csv`.
            None if is_group(before) && is_group(after) => {
                let (before, after) = (before.unwrap_or(&Json::Null), after.unwrap_or(&Json::Null));
                settings(&path, before, after, edits);
            }
            None => edit(&path, before, after, edits),
        }
    }
}

/// The options of a step by their words.
pub(super) type Options = Map<String, Json>;

/// The options of a step.
pub(super) fn options(step: &Step) -> Options {
    let json = step.to_json();
    let options = json.get(step.name()).and_then(Json::as_object);
    options.cloned().unwrap_or_default()
}

/// The options of two steps of one kind that are not the same, in the order of the form.
pub(super) fn of_options(definition: &Definition, old: &Options, new: &Options) -> Vec<Edit> {
    let mut edits = Vec::new();
    for form in definition
        .options
        .iter()
        .filter(|form| form.kind != OptionKind::Renames)
    {
        edit(form.title, old.get(form.name), new.get(form.name), &mut edits);
    }
    // What is no option by itself is a column with its new name.
    let is_known = |key: &str| definition.options.iter().any(|form| form.name == key);
    for key in keys(old, new).into_iter().filter(|key| !is_known(key)) {
        edit(key, old.get(key), new.get(key), &mut edits);
    }
    edits
}

/// How many of the options of two steps of one kind are the same, and how many there are.
pub(super) fn likeness(old: &Options, new: &Options) -> (usize, usize) {
    let keys = keys(old, new);
    let same = keys.iter().filter(|key| old.get(**key) == new.get(**key)).count();
    (same, keys.len())
}

/// The keys of both, those of the new one first.
fn keys<'a>(old: &'a Map<String, Json>, new: &'a Map<String, Json>) -> Vec<&'a str> {
    let gone = old.keys().filter(|key| !new.contains_key(*key));
    new.keys().chain(gone).map(String::as_str).collect()
}

/// Adds what changed in one option: of maps and of lists of maps, entry by entry.
fn edit(name: &str, old: Option<&Json>, new: Option<&Json>, edits: &mut Vec<Edit>) {
    match (old, new) {
        (old, new) if old == new => {}
        (Some(Json::Object(old)), Some(Json::Object(new))) => {
            for key in keys(old, new) {
                edit(&format!("{name}, {key}"), old.get(key), new.get(key), edits);
            }
        }
        (Some(Json::Array(old)), Some(Json::Array(new))) if old.iter().chain(new).any(Json::is_object) => {
            entries(name, old, new, edits);
        }
        (old, new) => edits.push(Edit {
            name: name.to_owned(),
            from: old.filter(|it| !it.is_null()).map(written),
            to: new.filter(|it| !it.is_null()).map(written),
        }),
    }
}

/// What changed in a list of rules, keys or columns.
fn entries(name: &str, old: &[Json], new: &[Json], edits: &mut Vec<Edit>) {
    let mut gone: VecDeque<String> = VecDeque::new();
    for pair in aligned(old, new) {
        match pair {
            Pair::Both(..) => told_as_gone(name, &mut gone, edits),
            Pair::Old(at) => gone.push_back(written(&old[at])),
            Pair::New(at) => edits.push(Edit {
                name: name.to_owned(),
                from: gone.pop_front(),
                to: Some(written(&new[at])),
            }),
        }
    }
    told_as_gone(name, &mut gone, edits);
}

fn told_as_gone(name: &str, gone: &mut VecDeque<String>, edits: &mut Vec<Edit>) {
    edits.extend(gone.drain(..).map(|from| Edit {
        name: name.to_owned(),
        from: Some(from),
        to: None,
    }));
}

/// A value as people read it: a text as it is, anything else as the text form writes it.
fn written(value: &Json) -> String {
    match value {
        Json::String(text) if !text.trim().is_empty() => text.clone(),
        other => flow(other),
    }
}
