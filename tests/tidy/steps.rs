//! Every step of a recipe and every kind of task has tests.

use super::source::{Source, rust_sources, text_of};
use super::{Finding, finding};

const STEPS: &str = "engine/src/recipe/steps";
const KINDS: &str = "src/domain/states.rs";

pub fn check() -> Vec<Finding> {
    let of = |folders: &[&str]| -> String {
        rust_sources(folders)
            .iter()
            .filter(|it| is_test(it))
            .map(|it| it.lines.join("\n"))
            .collect()
    };
    let mut findings = untested_steps(&rust_sources(&[STEPS]), &of(&["engine/src", "engine/tests"]));
    let jobs: Vec<String> = rust_sources(&["src/worker"]).iter().map(|it| it.path.clone()).collect();
    findings.extend(untested_kinds(&text_of(KINDS), &jobs, &of(&["tests/app", "src"])));
    findings
}

/// Whether a file holds tests: such files are read whole, for what they say stands in quotes.
fn is_test(source: &Source) -> bool {
    source.path.starts_with("tests/") || source.tests_from < source.code.len()
}

/// Steps whose name no test writes as a recipe does: `filter: …` or `"filter"`.
fn untested_steps(steps: &[Source], tests: &str) -> Vec<Finding> {
    let word = |source: &Source| {
        source
            .path
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .trim_end_matches(".rs")
            .to_owned()
    };
    let is_tested = |word: &str| tests.contains(&format!("{word}: ")) || tests.contains(&format!("\"{word}\""));
    steps
        .iter()
        .filter(|step| !step.path.contains("/tests/") && !matches!(word(step).as_str(), "mod" | "tests"))
        .filter(|step| !is_tested(&word(step)))
        .map(|step| finding(step, 1, "no test has a recipe with this step"))
        .collect()
}

/// Kinds that the worker has a job for, and that no test mentions by their word or their variant.
fn untested_kinds(states: &str, jobs: &[String], tests: &str) -> Vec<Finding> {
    let about = |sentence: String| Finding {
        path: KINDS.to_owned(),
        line: 1,
        sentence,
    };
    let Some((_, rest)) = states.split_once("TaskKind {") else {
        return vec![about("the list of kinds is gone".to_owned())];
    };
    let list = rest.split('}').next().unwrap_or(rest);
    let kinds = list
        .split(',')
        .filter_map(|entry| entry.split_once('='))
        .map(|(variant, word)| (variant.trim(), word.trim()));
    kinds
        .filter(|(_, word)| {
            jobs.iter()
                .any(|job| job.ends_with(&format!("/{}.rs", word.trim_matches('"'))))
        })
        .filter(|(variant, word)| !tests.contains(word) && !tests.contains(&format!("TaskKind::{variant}")))
        .map(|(variant, _)| about(format!("no test names the kind `{variant}`")))
        .collect()
}

#[test]
fn an_untested_step_is_found() {
    let step = [Source::new("engine/src/recipe/steps/trim.rs", "fn a() {}")];
    assert_eq!(untested_steps(&step, "filter: {keep: a}").len(), 1);
    assert_eq!(untested_steps(&step, "- trim: {columns: all}"), []);
    let tests = [Source::new("engine/src/recipe/steps/tests/labels.rs", "fn a() {}")];
    assert_eq!(untested_steps(&tests, ""), []);
}

#[test]
fn an_untested_kind_is_found() {
    let states = "TaskKind { Ingest = \"ingest\", Process = \"process\", Deliver = \"deliver\" }";
    let jobs = ["src/worker/ingest.rs".to_owned(), "src/worker/process.rs".to_owned()];
    let found = untested_kinds(states, &jobs, "TaskKind::Ingest");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].sentence, "no test names the kind `Process`");
}
