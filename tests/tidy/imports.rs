//! Who may import whom: the table that keeps the rooms of `src/` apart.

use std::collections::BTreeSet;

use super::source::Source;
use super::{Finding, finding};

/// A module, what it may import of ours, and which parts of the engine.
struct Row {
    module: &'static str,
    ours: &'static [&'static str],
    engine: &'static [&'static str],
}

const fn row(module: &'static str, ours: &'static [&'static str], engine: &'static [&'static str]) -> Row {
    Row { module, ours, engine }
}

/// `sheets`, `tables` and `order` hold the words that Parquet parts, profiles and messages are told in; only the child
/// executes an order.
const TABLE: &[Row] = &[
    row("domain", &[], &[]),
    row("telemetry", &[], &[]),
    row("storage", &["domain"], &[]),
    row("database", &["domain"], &[]),
    row("sandbox", &["domain"], &["order"]),
    row("events", &["domain", "database"], &[]),
    row("queue", &["domain", "database"], &[]),
    row("readings", &["domain", "database", "queue", "events"], &["sheets"]),
    row(
        "chains",
        &["domain", "database", "queue", "events", "readings"],
        &["sheets"],
    ),
    row("schedules", &["domain", "database", "events"], &[]),
    row("accounts", &["domain", "database"], &[]),
    row(
        "upload",
        &["domain", "storage", "database", "queue", "events", "readings"],
        &["sheets"],
    ),
    row(
        "runs",
        &["domain", "database", "queue", "events", "readings", "chains"],
        &["recipe", "sheets"],
    ),
    row(
        "preview",
        &["domain", "sandbox", "storage", "database"],
        &["order", "recipe", "sheets", "tables"],
    ),
    row(
        "worker",
        &[
            "domain",
            "sandbox",
            "storage",
            "database",
            "queue",
            "events",
            "readings",
            "chains",
            "schedules",
        ],
        &["order", "recipe", "sheets", "tables"],
    ),
    row("pages", FRONT, &["order", "recipe", "sheets", "tables"]),
    row("api", FRONT, &["order", "recipe", "sheets", "tables"]),
    row("cli", &["domain", "sandbox"], &["order", "recipe", "sheets", "tables"]),
];

/// What both fronts may import; they never import one another.
const FRONT: &[&str] = &[
    "domain",
    "accounts",
    "upload",
    "runs",
    "preview",
    "storage",
    "database",
    "events",
    "readings",
    "schedules",
];

/// These compose the others, so they may import everything.
const FREE: &[&str] = &["app", "main", "settings", "lib"];

/// Engine words that everybody may say: they are names, not deeds.
const ENGINE_WORDS: &[&str] = &["DIGEST", "VERSION"];

pub fn check(source: &Source) -> Vec<Finding> {
    let module = source.module();
    if FREE.contains(&module) {
        return Vec::new();
    }
    let Some(row) = TABLE.iter().find(|row| row.module == module) else {
        return vec![finding(
            source,
            1,
            format!("the module `{module}` stands in no row of the import table"),
        )];
    };
    let mut findings = Vec::new();
    for (line, imported) in paths(source, "crate") {
        if imported != module && !row.ours.contains(&imported.as_str()) {
            findings.push(finding(source, line, format!("`{module}` may not import `{imported}`")));
        }
    }
    for (line, imported) in paths(source, "sheetmill_engine") {
        if !row.engine.contains(&imported.as_str()) && !ENGINE_WORDS.contains(&imported.as_str()) {
            findings.push(finding(
                source,
                line,
                format!("`{module}` may not import the engine's `{imported}`"),
            ));
        }
    }
    findings
}

/// The first names after `start::`, one by one where they stand in braces, each with its line.
fn paths(source: &Source, start: &str) -> BTreeSet<(usize, String)> {
    let product: Vec<&str> = source.product().map(|(_, line)| line).collect();
    let text = product.join("\n");
    let start = format!("{start}::");
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices(&start) {
        if text[..at].ends_with(|it: char| it.is_alphanumeric() || it == '_' || it == ':') {
            continue;
        }
        let line = text[..at].matches('\n').count() + 1;
        let after = &text[at + start.len()..];
        match after.strip_prefix('{') {
            Some(group) => found.extend(first_names(group).into_iter().map(|name| (line, name))),
            None => found.extend(name_at(after).map(|name| (line, name))),
        }
    }
    found
}

/// The names that open each branch of `a::{b}, c, d}`.
fn first_names(group: &str) -> Vec<String> {
    let (mut depth, mut fresh, mut names) = (0, true, Vec::new());
    for (at, it) in group.char_indices() {
        match it {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            _ if fresh && !it.is_whitespace() => {
                names.extend(name_at(&group[at..]));
                fresh = false;
            }
            _ => {}
        }
    }
    names
}

fn name_at(text: &str) -> Option<String> {
    let end = text
        .find(|it: char| !it.is_alphanumeric() && it != '_')
        .unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

#[test]
fn a_forbidden_import_is_found_in_every_form() {
    for bad in [
        "use crate::pages::x;",
        "use crate::{domain::ids, pages};",
        "use crate::{\n    domain::{a, b},\n    pages::{c},\n};",
        "fn a() { crate::pages::b(); }",
    ] {
        let found = check(&Source::new("src/storage/x.rs", bad));
        assert_eq!(found.len(), 1, "{bad}");
        assert_eq!(found[0].sentence, "`storage` may not import `pages`");
    }
}

#[test]
fn the_two_fronts_do_not_know_one_another() {
    assert_eq!(check(&Source::new("src/api/x.rs", "use crate::pages::y;")).len(), 1);
    assert_eq!(check(&Source::new("src/pages/x.rs", "use crate::api::y;")).len(), 1);
}

#[test]
fn the_engine_is_imported_part_by_part() {
    assert_eq!(
        check(&Source::new(
            "src/upload/x.rs",
            "use sheetmill_engine::recipe::document;"
        ))
        .len(),
        1
    );
    assert_eq!(
        check(&Source::new(
            "src/upload/x.rs",
            "use sheetmill_engine::{VERSION, sheets::sniff};"
        ))
        .len(),
        0
    );
}

#[test]
fn a_new_room_needs_a_row() {
    assert_eq!(check(&Source::new("src/attic/mod.rs", "")).len(), 1);
}

#[test]
fn allowed_imports_and_tests_pass() {
    let text = "use crate::domain::ids;\nuse super::x;\n#[cfg(test)]\nmod tests {\n    use crate::pages;\n}\n";
    assert_eq!(check(&Source::new("src/storage/x.rs", text)), []);
}
