//! One list of variables: what the code reads, README.md explains and docker-compose.yml sets.

use std::collections::BTreeSet;

use super::Finding;
use super::source::text_of;

const CODE: &str = "src/settings.rs";
const README: &str = "README.md";
const COMPOSE: &str = "docker-compose.yml";
const DOCKERFILE: &str = "Dockerfile";

pub fn check() -> Vec<Finding> {
    compare(
        &text_of(CODE),
        &text_of(README),
        &[(COMPOSE, text_of(COMPOSE)), (DOCKERFILE, text_of(DOCKERFILE))],
    )
}

fn compare(code: &str, readme: &str, users: &[(&str, String)]) -> Vec<Finding> {
    let table = declared(code);
    let explained = in_table(readme);
    let mut findings = Vec::new();
    for name in table.difference(&explained) {
        findings.push(about(README, format!("the table of settings does not explain {name}")));
    }
    for name in explained.difference(&table) {
        findings.push(about(
            README,
            format!("{name} is explained, but {CODE} does not declare it"),
        ));
    }
    for name in table.iter().filter(|name| !is_read(code, name)) {
        findings.push(about(CODE, format!("{name} is declared and never read")));
    }
    for (path, text) in users {
        for name in set(text)
            .iter()
            .filter(|name| !table.contains(name.strip_suffix("_FILE").unwrap_or(name)))
        {
            findings.push(about(path, format!("{name} is set, but {CODE} does not declare it")));
        }
    }
    findings
}

fn about(path: &str, sentence: String) -> Finding {
    Finding {
        path: path.to_owned(),
        line: 1,
        sentence,
    }
}

/// The names in `variable("NAME", …)`.
fn declared(code: &str) -> BTreeSet<String> {
    let compact: String = code
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace("variable( ", "variable(");
    compact
        .split("variable(\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect()
}

/// The names that open a row of a table: `| `NAME` | …`.
fn in_table(readme: &str) -> BTreeSet<String> {
    let rows = readme.lines().filter_map(|line| line.trim().strip_prefix("| `"));
    rows.filter_map(|row| row.split('`').next())
        .filter(|name| is_variable(name))
        .map(str::to_owned)
        .collect()
}

/// Names of ours that a compose file or an image sets: `NAME: …` or `NAME=…`.
fn set(text: &str) -> BTreeSet<String> {
    let words = text.split(|it: char| !it.is_alphanumeric() && it != '_' && it != ':' && it != '=');
    let names = words.filter_map(|word| word.split_once([':', '=']).map(|(name, _)| name));
    names.filter(|name| is_variable(name)).map(str::to_owned).collect()
}

fn is_variable(name: &str) -> bool {
    name.starts_with("SHEETMILL_") || name == "DATABASE_URL"
}

/// Whether the code names it once more than to declare it.
fn is_read(code: &str, name: &str) -> bool {
    let product = code.split("#[cfg(test)]").next().unwrap_or(code);
    product.matches(&format!("\"{name}\"")).count() > 1
}

#[test]
fn differences_are_found_in_every_direction() {
    let code =
        "variable(\"SHEETMILL_A\", \"\", \"\"), variable(\n \"SHEETMILL_B\", ), environment.text(\"SHEETMILL_A\");";
    let readme = "| `SHEETMILL_A` | x |\n| `SHEETMILL_C` | y |\n";
    let compose = "  SHEETMILL_D: 1\n  SHEETMILL_A_FILE: /run/a\n".to_owned();
    let found = compare(code, readme, &[(COMPOSE, compose)]);
    let sentences: Vec<&str> = found.iter().map(|it| it.sentence.as_str()).collect();
    assert_eq!(
        sentences,
        [
            "the table of settings does not explain SHEETMILL_B",
            "SHEETMILL_C is explained, but src/settings.rs does not declare it",
            "SHEETMILL_B is declared and never read",
            "SHEETMILL_D is set, but src/settings.rs does not declare it",
        ]
    );
}
