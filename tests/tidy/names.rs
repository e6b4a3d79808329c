//! Names say what a thing is; some words say nothing. And the map names every room.

use std::fs;

use super::source::{Source, root};
use super::{Finding, finding};

/// A drawer for whatever comes is where code rots.
const EMPTY_WORDS: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc", "manager"];

pub fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for part in source.path.trim_end_matches(".rs").split('/') {
        if EMPTY_WORDS.contains(&part) {
            findings.push(finding(
                source,
                1,
                format!("`{part}` says nothing: name it for what it holds"),
            ));
        }
    }
    for (line, code) in source.all() {
        for name in declared(code) {
            if let Some(word) = words_of(name)
                .into_iter()
                .find(|word| EMPTY_WORDS.contains(&word.as_str()))
            {
                findings.push(finding(
                    source,
                    line,
                    format!("`{name}`: `{word}` says nothing, name it for what it does"),
                ));
            }
        }
    }
    findings
}

/// The names of types and modules that a line declares. A function may well have something in common with another.
fn declared(code: &str) -> Vec<&str> {
    let mut words = code
        .split(|it: char| !it.is_alphanumeric() && it != '_')
        .filter(|word| !word.is_empty());
    let mut names = Vec::new();
    while let Some(word) = words.next() {
        if matches!(word, "struct" | "enum" | "trait" | "type" | "mod") {
            names.extend(words.next());
        }
    }
    names
}

/// `ConnectionManager` and `connection_manager` are both connection and manager.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = '_';
    for it in name.chars() {
        if it == '_' || (it.is_uppercase() && before.is_lowercase()) {
            words.push(String::new());
        }
        if it != '_' {
            words.last_mut().expect("there is always one").extend(it.to_lowercase());
        }
        before = it;
    }
    words
}

/// Finds rooms below `folder` that the map does not name.
pub fn map(map: &str, folder: &str) -> Vec<Finding> {
    let mut rooms: Vec<String> = fs::read_dir(root().join(folder))
        .expect("the sources are beside the test")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().trim_end_matches(".rs").to_owned())
        .filter(|room| room != "lib" && room != "main")
        .collect();
    rooms.sort();
    let source = Source::new(map, &super::source::text_of(map));
    unnamed(&source, &rooms)
}

fn unnamed(map: &Source, rooms: &[String]) -> Vec<Finding> {
    let named = |room: &String| map.code.iter().any(|line| line.trim() == format!("pub mod {room};"));
    rooms
        .iter()
        .filter(|room| !named(room))
        .map(|room| finding(map, 1, format!("the map does not name `{room}`")))
        .collect()
}

/// Finds files that no module names: they are never compiled, and nobody notices.
pub fn unlisted(sources: &[Source]) -> Vec<Finding> {
    sources
        .iter()
        .filter(|it| !is_listed(it, sources))
        .map(unlisted_file)
        .collect()
}

fn unlisted_file(source: &Source) -> Finding {
    finding(source, 1, "no module names this file, so it is never compiled")
}

fn is_listed(source: &Source, sources: &[Source]) -> bool {
    let (folder, file) = source.path.rsplit_once('/').unwrap_or(("", &source.path));
    let (name, parents) = match file.trim_end_matches(".rs") {
        "lib" | "main" => return true,
        "mod" => match folder.rsplit_once('/') {
            Some((above, name)) => (name, above),
            None => return true,
        },
        name => (name, folder),
    };
    let beside = format!("{parents}.rs");
    let parent = |it: &&Source| {
        let below = it.path.strip_prefix(parents).unwrap_or_default();
        it.path == beside || matches!(below, "/lib.rs" | "/main.rs" | "/mod.rs")
    };
    // A name that is a word of Rust too is written with `r#`.
    let declares = |code: &String| {
        let code = code.replace("mod r#", "mod ");
        code == format!("mod {name};") || code.ends_with(&format!(" mod {name};"))
    };
    sources.iter().filter(parent).any(|it| it.code.iter().any(declares))
}

#[test]
fn a_file_that_no_module_names_is_found() {
    let main = Source::new("tests/app/main.rs", "mod a;\n// mod b;\n");
    let sources = [
        main,
        Source::new("tests/app/a.rs", ""),
        Source::new("tests/app/b.rs", ""),
    ];
    assert_eq!(unlisted(&sources), [unlisted_file(&sources[2])]);
    let nested = [
        Source::new("src/lib.rs", "pub mod a;"),
        Source::new("src/a.rs", "mod b;"),
        Source::new("src/a/b.rs", ""),
        Source::new("src/c/mod.rs", ""),
    ];
    assert_eq!(unlisted(&nested), [unlisted_file(&nested[3])]);
}

#[test]
fn empty_words_are_found_in_paths_and_names() {
    assert_eq!(check(&Source::new("src/upload/util.rs", "")).len(), 1);
    assert_eq!(check(&Source::new("src/common/mod.rs", "")).len(), 1);
    for bad in [
        "struct ConnectionManager;",
        "mod misc_things;",
        "mod helpers;",
        "pub enum FileUtils {}",
    ] {
        assert_eq!(check(&Source::new("src/x.rs", bad)).len(), 1, "{bad}");
    }
}

#[test]
fn honest_names_pass() {
    assert_eq!(
        check(&Source::new(
            "src/x.rs",
            "fn in_common() {} struct Commonwealth; // a helper\n"
        )),
        []
    );
}

#[test]
fn a_room_that_the_map_leaves_out_is_found() {
    let map = Source::new("src/lib.rs", "pub mod a;\n// pub mod b;\n");
    let found = unnamed(&map, &["a".to_owned(), "b".to_owned()]);
    assert_eq!(found.len(), 1);
    assert!(found[0].sentence.contains("`b`"));
}
