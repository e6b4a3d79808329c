//! Every step of a recipe and every kind of task has tests.

use super::source::{Source, rust_sources, text_of};
use super::{Finding, finding};

const STEPS: &str = "engine/src/recipe/steps";
const KINDS: &str = "src/domain/states.rs";

pub fn check() -> Vec<Finding> {
    let mut findings: Vec<Finding> = rust_sources(&[STEPS]).iter().flat_map(untested_step).collect();
    let tests: String = rust_sources(&["tests/app", "src/worker"])
        .iter()
        .map(|it| it.lines.join("\n"))
        .collect();
    findings.extend(untested_kinds(&text_of(KINDS), &tests));
    findings
}

fn untested_step(source: &Source) -> Vec<Finding> {
    let tested = source.path.ends_with("/mod.rs")
        || source
            .code
            .iter()
            .any(|line| line.trim() == "#[test]" || line.contains("::test]"));
    if tested {
        Vec::new()
    } else {
        vec![finding(source, 1, "a step has its tests beside it")]
    }
}

/// Kinds that no test mentions by their word or their variant.
fn untested_kinds(states: &str, tests: &str) -> Vec<Finding> {
    let Some((_, rest)) = states.split_once("TaskKind {") else {
        return vec![Finding {
            path: KINDS.to_owned(),
            line: 1,
            sentence: "the list of kinds is gone".to_owned(),
        }];
    };
    let list = rest.split('}').next().unwrap_or(rest);
    let kinds = list
        .split(',')
        .filter_map(|entry| entry.split_once('='))
        .map(|(variant, word)| (variant.trim(), word.trim()));
    kinds
        .filter(|(variant, word)| !tests.contains(word) && !tests.contains(&format!("TaskKind::{variant}")))
        .map(|(variant, _)| Finding {
            path: KINDS.to_owned(),
            line: 1,
            sentence: format!("no test names the kind `{variant}`"),
        })
        .collect()
}

#[test]
fn an_untested_step_is_found() {
    assert_eq!(
        untested_step(&Source::new("engine/src/recipe/steps/trim.rs", "fn a() {}")).len(),
        1
    );
    assert_eq!(
        untested_step(&Source::new("engine/src/recipe/steps/trim.rs", "#[test]\nfn a() {}")),
        []
    );
}

#[test]
fn an_untested_kind_is_found() {
    let found = untested_kinds(
        "TaskKind { Ingest = \"ingest\", Process = \"process\" }",
        "TaskKind::Ingest",
    );
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].sentence, "no test names the kind `Process`");
}
