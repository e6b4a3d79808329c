//! Every handler is on the screen of routes: one that is not is dead, or worse, was forgotten.

use super::source::{Source, rust_sources};
use super::{Finding, finding};

pub fn check() -> Vec<Finding> {
    ["src/pages", "src/api"]
        .iter()
        .flat_map(|folder| unrouted(&rust_sources(&[folder])))
        .collect()
}

/// Handlers are the visible async functions that answer with actix' or the front's own answer; a route names one by
/// `to(path::handler)`.
fn unrouted(sources: &[Source]) -> Vec<Finding> {
    let all: String = sources
        .iter()
        .map(|source| source.product().map(|(_, line)| line).collect::<Vec<_>>().join("\n"))
        .collect();
    let compact: String = all.split_whitespace().collect();
    let mut findings = Vec::new();
    for source in sources {
        for (line, name) in handlers(source) {
            let routed = compact.contains(&format!("::{name})")) || compact.contains(&format!("to({name})"));
            let called = compact.contains(&format!("{name}(")) && compact.matches(&format!("{name}(")).count() > 1;
            if !routed && !called {
                findings.push(finding(source, line, format!("no route leads to the handler `{name}`")));
            }
        }
    }
    findings
}

fn handlers(source: &Source) -> Vec<(usize, String)> {
    let starts = source.product().filter_map(|(line, code)| {
        let code = code.trim();
        let after = [
            "pub(super) async fn ",
            "pub(crate) async fn ",
            "pub async fn ",
            "pub(in crate::pages) async fn ",
        ]
        .iter()
        .find_map(|start| code.strip_prefix(start))?;
        let end = after.find(['(', '<'])?;
        Some((line, after[..end].to_owned()))
    });
    starts.collect()
}

#[test]
fn a_handler_without_a_route_is_found() {
    let handlers = Source::new(
        "src/api/files.rs",
        "pub(super) async fn list() -> X {}\npub(super) async fn lost() -> X {}\n",
    );
    let routes = Source::new("src/api/mod.rs", "fn routes() { web::get().to(files::list); }\n");
    let found = unrouted(&[handlers, routes]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].sentence, "no route leads to the handler `lost`");
}
