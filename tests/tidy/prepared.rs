//! `.sqlx` holds what the database said of each checked query. One too many is left over from a query that is gone; one
//! too few does not compile.

use serde_json::Value;

use super::Finding;
use super::source::{files, rust_sources, text_of};

const FOLDER: &str = ".sqlx";

pub fn check() -> Vec<Finding> {
    let prepared = files(&[FOLDER], "json")
        .into_iter()
        .map(|path| (text_of(&path), path))
        .collect::<Vec<_>>();
    let sources: String = rust_sources(&["src/database"])
        .iter()
        .map(|it| it.lines.join("\n"))
        .collect();
    left_over(&prepared, &sources)
}

fn left_over(prepared: &[(String, String)], sources: &str) -> Vec<Finding> {
    let sources = squeezed(sources);
    let mut findings = Vec::new();
    for (text, path) in prepared {
        let query = serde_json::from_str(text)
            .ok()
            .and_then(|it: Value| it["query"].as_str().map(squeezed));
        if !query.is_some_and(|query| sources.contains(&query)) {
            let sentence = "no query in src/database is this one: delete it".to_owned();
            findings.push(Finding {
                path: path.clone(),
                line: 1,
                sentence,
            });
        }
    }
    findings
}

/// Without white space and backslashes: a query may be written over several lines and with escaped quotes.
fn squeezed(text: &str) -> String {
    text.chars().filter(|it| !it.is_whitespace() && *it != '\\').collect()
}

#[test]
fn a_query_that_is_gone_is_found() {
    let prepared = |query: &str| (format!("{{\"query\": {}}}", Value::from(query)), query.to_owned());
    let sources = "query!(\n \"select id as \\\"id: FileId\\\" \\\n  from files\")";
    let found = left_over(
        &[prepared("select id as \"id: FileId\" from files"), prepared("select 1")],
        sources,
    );
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].path, "select 1");
}
