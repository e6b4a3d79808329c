//! Every template is rendered by a page or used by another template.

use super::Finding;
use super::source::{files, rust_sources, text_of};

const FOLDER: &str = "templates";

pub fn check() -> Vec<Finding> {
    let templates: Vec<(String, String)> = files(&[FOLDER], "html")
        .into_iter()
        .map(|path| (path.trim_start_matches("templates/").to_owned(), text_of(&path)))
        .collect();
    let pages: Vec<String> = rust_sources(&["src/pages", "src/api"])
        .iter()
        .map(|it| it.lines.join("\n"))
        .collect();
    unused(&templates, &pages)
}

fn unused(templates: &[(String, String)], pages: &[String]) -> Vec<Finding> {
    let is_used = |name: &str| {
        let quoted = format!("\"{name}\"");
        pages.iter().any(|page| page.contains(&quoted))
            || templates
                .iter()
                .any(|(other, text)| other != name && text.contains(&quoted))
    };
    templates
        .iter()
        .filter(|(name, _)| !is_used(name))
        .map(|(name, _)| Finding {
            path: format!("{FOLDER}/{name}"),
            line: 1,
            sentence: "no page renders this template and no template uses it".to_owned(),
        })
        .collect()
}

#[test]
fn an_unused_template_is_found() {
    let template = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let templates = [
        template("home.html", "{% extends \"_layout.html\" %}"),
        template("_layout.html", ""),
        template("old.html", "{% include \"old.html\" %}"),
    ];
    let found = unused(&templates, &["#[template(path = \"home.html\")]".to_owned()]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].path, "templates/old.html");
}
