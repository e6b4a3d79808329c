//! A file as rules see it: its lines as written, and as code alone.

use std::fs;
use std::path::{Path, PathBuf};

/// Every place that holds our Rust.
pub const ALL: &[&str] = &["src", "tests", "examples", "engine/src", "engine/examples", "fuzz"];

/// One file.
pub struct Source {
    /// Its path below the project's root.
    pub path: String,
    /// Its lines as written.
    pub lines: Vec<String>,
    /// Its lines without comments and without what stands in quotes.
    pub code: Vec<String>,
    /// The line, from 0, on which its unit tests begin.
    pub tests_from: usize,
}

impl Source {
    /// A file's text.
    pub fn new(path: &str, text: &str) -> Self {
        let code: Vec<String> = code_of(text).lines().map(str::to_owned).collect();
        let whole = path.ends_with("tests.rs") || path.contains("/tests/");
        let unit = code
            .windows(2)
            .position(|pair| pair[0].trim() == "#[cfg(test)]" && pair[1].trim_start().starts_with("mod "))
            .unwrap_or(code.len());
        let tests_from = if whole { 0 } else { unit };
        Self {
            path: path.to_owned(),
            lines: text.lines().map(str::to_owned).collect(),
            code,
            tests_from,
        }
    }

    /// Lines of code that are built into the product, with their numbers from 1.
    pub fn product(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code
            .iter()
            .take(self.tests_from)
            .enumerate()
            .map(|(index, line)| (index + 1, line.as_str()))
    }

    /// All lines of code, with their numbers from 1.
    pub fn all(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code
            .iter()
            .enumerate()
            .map(|(index, line)| (index + 1, line.as_str()))
    }

    /// The top module a file below `src/` is part of: `app` for `src/app.rs` and all below `src/app/`.
    pub fn module(&self) -> &str {
        let below = self.path.strip_prefix("engine/").unwrap_or(&self.path);
        let below = below.strip_prefix("src/").unwrap_or(below);
        let first = below.split('/').next().unwrap_or(below);
        first.strip_suffix(".rs").unwrap_or(first)
    }
}

/// The project's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file's text; empty when there is none.
pub fn text_of(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_default()
}

/// All Rust files below some folders, sorted by path.
pub fn rust_sources(folders: &[&str]) -> Vec<Source> {
    files(folders, "rs")
        .into_iter()
        .map(|path| Source::new(&path, &text_of(&path)))
        .collect()
}

/// The paths of all files with an ending below some folders, sorted.
pub fn files(folders: &[&str], ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|it| it == ending) {
                found.push(
                    path.strip_prefix(root())
                        .unwrap_or(&path)
                        .to_string_lossy()
                        .into_owned(),
                );
            }
        }
    }
    found.sort();
    found
}

/// Blanks comments and the insides of quotes, keeping lines and columns.
fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let skipped = skip(rest);
        if skipped == 0 {
            code.push(next);
            rest = &rest[next.len_utf8()..];
        } else {
            code.extend(rest[..skipped].chars().map(|it| if it == '\n' { '\n' } else { ' ' }));
            rest = &rest[skipped..];
        }
    }
    code
}

/// How many bytes of a comment, a string or a character stand at the start of `rest`.
fn skip(rest: &str) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return rest.find("*/").map_or(rest.len(), |end| end + 2);
    }
    for opening in ["r###\"", "r##\"", "r#\"", "r\""] {
        if let Some(inside) = rest.strip_prefix(opening) {
            let closing = format!("\"{}", &opening[1..opening.len() - 1]);
            return inside
                .find(&closing)
                .map_or(rest.len(), |end| opening.len() + end + closing.len());
        }
    }
    if rest.starts_with('"') {
        return quoted(rest, '"');
    }
    // 'a' and '\n' are characters, 'a is a lifetime.
    let mut chars = rest.chars();
    if chars.next() == Some('\'') && (chars.next() == Some('\\') || chars.next() == Some('\'')) {
        return quoted(rest, '\'');
    }
    0
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, it) in rest.char_indices().skip(1) {
        match it {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if it == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

#[test]
fn only_code_is_left_of_a_file() {
    let source = Source::new(
        "src/x.rs",
        "let a = \"crate::b\"; // crate::c\nlet d = 'x'; fn e<'a>() {} /* f\n*/ g\n",
    );
    assert_eq!(
        source.code.iter().map(|line| line.trim()).collect::<Vec<_>>(),
        ["let a =           ;", "let d =    ; fn e<'a>() {}", "g"]
    );
}

#[test]
fn raw_strings_end_where_they_end() {
    let source = Source::new("src/x.rs", "let a = r#\"say \"no\"\"#; b\n");
    assert!(source.code[0].ends_with("; b"));
    assert!(!source.code[0].contains("no"));
}

#[test]
fn unit_tests_are_told_from_the_product() {
    let source = Source::new("src/x/y.rs", "fn a() {}\n#[cfg(test)]\nmod tests {\n}\n");
    assert_eq!((source.product().count(), source.module()), (1, "x"));
    assert_eq!(Source::new("src/x/tests.rs", "fn a() {}\n").product().count(), 0);
}
