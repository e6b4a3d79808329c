//! The house rules as tests. Each finding is a file, a line and the sentence that forbids it.
//!
//! Rules read text, not types: fast, and enough. Each rule is a function over [`source::Source`]s with a test on a bad
//! snippet beside it, so that a rule which finds nothing any more is noticed.

mod deployment;
mod imports;
mod names;
mod owners;
mod prepared;
mod routes;
mod settings;
mod source;
mod steps;
mod templates;
mod wording;

use std::fmt;

use source::{Source, rust_sources};

/// One thing that is forbidden.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    line: usize,
    sentence: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.sentence)
    }
}

fn finding(source: &Source, line: usize, sentence: impl Into<String>) -> Finding {
    Finding {
        path: source.path.clone(),
        line,
        sentence: sentence.into(),
    }
}

#[track_caller]
fn none_of(findings: &[Finding]) {
    let all: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(all.is_empty(), "\n\n{}\n", all.join("\n"));
}

#[test]
fn modules_import_only_what_the_table_allows() {
    none_of(
        &rust_sources(&["src"])
            .iter()
            .flat_map(imports::check)
            .collect::<Vec<_>>(),
    );
}

#[test]
fn third_party_crates_stay_with_their_owners() {
    none_of(
        &rust_sources(&["src", "engine/src"])
            .iter()
            .flat_map(owners::check)
            .collect::<Vec<_>>(),
    );
}

#[test]
fn files_open_with_what_they_are_for() {
    none_of(
        &rust_sources(source::ALL)
            .iter()
            .flat_map(wording::opening)
            .collect::<Vec<_>>(),
    );
}

#[test]
fn leftovers_do_not_stay() {
    none_of(
        &rust_sources(source::ALL)
            .iter()
            .flat_map(wording::leftovers)
            .collect::<Vec<_>>(),
    );
}

#[test]
fn tests_wait_for_events_and_none_is_skipped() {
    none_of(
        &rust_sources(source::ALL)
            .iter()
            .flat_map(wording::skipped_or_sleeping)
            .collect::<Vec<_>>(),
    );
}

#[test]
fn names_say_what_a_thing_is() {
    none_of(
        &rust_sources(source::ALL)
            .iter()
            .flat_map(names::check)
            .collect::<Vec<_>>(),
    );
}

#[test]
fn every_file_is_compiled() {
    let folders = &["src", "tests/app", "tests/tidy", "engine/src"];
    none_of(&names::unlisted(&rust_sources(folders)));
}

#[test]
fn the_map_names_every_room() {
    none_of(&names::map("src/lib.rs", "src"));
    none_of(&names::map("engine/src/lib.rs", "engine/src"));
}

#[test]
fn settings_readme_and_compose_name_the_same_variables() {
    none_of(&settings::check());
}

#[test]
fn every_template_is_used() {
    none_of(&templates::check());
}

#[test]
fn every_handler_is_routed() {
    none_of(&routes::check());
}

#[test]
fn every_step_and_every_kind_of_task_is_tested() {
    none_of(&steps::check());
}

#[test]
fn prepared_queries_are_those_in_the_source() {
    none_of(&prepared::check());
}

#[test]
fn containers_are_as_tight_as_they_can_be() {
    none_of(&deployment::check());
}
