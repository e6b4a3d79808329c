//! What stands in every file, and what stands in none.

use super::source::Source;
use super::{Finding, finding};

pub fn opening(source: &Source) -> Vec<Finding> {
    let opens = source.lines.first().is_some_and(|line| line.starts_with("//! "));
    if opens {
        Vec::new()
    } else {
        vec![finding(source, 1, "a file opens with `//!` and says what it is for")]
    }
}

pub fn leftovers(source: &Source) -> Vec<Finding> {
    // Spelt apart, for this file is read too.
    let words = [["TO", "DO"], ["FIX", "ME"], ["XX", "X"], ["HA", "CK"]].map(|halves| halves.concat());
    let mut findings = Vec::new();
    for (index, line) in source.lines.iter().enumerate() {
        for word in words.iter().filter(|word| has_word(line, word)) {
            findings.push(finding(
                source,
                index + 1,
                format!("`{word}`: finish it or say what holds now"),
            ));
        }
    }
    findings
}

/// Where tests may let time pass, and why.
const MAY_SLEEP: &[(&str, &str)] = &[(
    "tests/app/wait.rs",
    "the one pause of all tests: between two looks, never as a signal",
)];

pub fn skipped_or_sleeping(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, code) in source.all() {
        if code.contains(&["#[", "ignore"].concat()) {
            findings.push(finding(source, line, "a skipped test shows nothing"));
        }
        let in_test = source.path.starts_with("tests/") || source.path.contains("/tests/") || line > source.tests_from;
        let excepted = MAY_SLEEP.iter().any(|(path, _why)| *path == source.path);
        if in_test && !excepted && (has_word(code, "sleep") || code.contains("sleep(")) {
            findings.push(finding(
                source,
                line,
                "a test waits for an event, never for time to pass",
            ));
        }
    }
    findings
}

fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let beside = |it: char| it.is_alphanumeric() || it == '_';
        !line[..at].ends_with(beside) && !line[at + word.len()..].starts_with(beside)
    })
}

#[test]
fn a_file_without_an_opening_is_found() {
    assert_eq!(opening(&Source::new("src/x.rs", "use std::io;\n")).len(), 1);
    assert_eq!(opening(&Source::new("src/x.rs", "")).len(), 1);
    assert_eq!(opening(&Source::new("src/x.rs", "//! What it is.\n")), []);
}

#[test]
fn leftovers_are_found_as_whole_words() {
    let left = ["// TO", "DO: later\n"].concat();
    assert_eq!(leftovers(&Source::new("src/x.rs", &left)).len(), 1);
    assert_eq!(leftovers(&Source::new("src/x.rs", "let XXXL = 3; // a HACKSAW\n")), []);
}

#[test]
fn skipped_and_sleeping_tests_are_found() {
    let skipped = ["#[", "ignore]\nfn a() {}\n"].concat();
    assert_eq!(skipped_or_sleeping(&Source::new("tests/app/x.rs", &skipped)).len(), 1);
    let sleeping = "tokio::time::sleep(SECOND).await;\n";
    assert_eq!(skipped_or_sleeping(&Source::new("tests/app/x.rs", sleeping)).len(), 1);
    assert_eq!(skipped_or_sleeping(&Source::new("src/worker/x.rs", sleeping)), []);
    let unit = format!("fn a() {{}}\n#[cfg(test)]\nmod tests {{\n{sleeping}}}\n");
    assert_eq!(skipped_or_sleeping(&Source::new("src/worker/x.rs", &unit)).len(), 1);
}
