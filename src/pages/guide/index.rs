//! `/guide`: all steps by group; `?find=` keeps those that speak of something, and a script does the same while one types.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use sheetmill_engine::recipe::guide::{GROUPS, text_of};
use sheetmill_engine::recipe::steps::{DEFINITIONS, Definition, definition};

use crate::pages::chrome::Chrome;
use crate::pages::gate::SignedIn;
use crate::pages::{PageError, Pages, filters};

/// Steps that no group has.
const OTHERS: &str = "More steps";

#[derive(Debug, Template)]
#[template(path = "guide/index.html")]
struct IndexPage {
    chrome: Chrome,
    find: String,
    groups: Vec<Group>,
}

#[derive(Debug)]
pub(super) struct Group {
    pub(super) title: &'static str,
    pub(super) steps: Vec<&'static Definition>,
}

/// What is looked for.
#[derive(Debug, Default, Deserialize)]
pub(in crate::pages) struct Look {
    #[serde(default)]
    find: String,
}

/// `GET /guide`
pub(in crate::pages) async fn show(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    look: web::Query<Look>,
) -> Result<HttpResponse, PageError> {
    let find = look.find.trim().to_owned();
    crate::pages::page(&IndexPage {
        chrome: Chrome::of(&request, &session, "guide", pages.clock.now()),
        groups: groups(&find),
        find,
    })
}

/// The groups with the steps that speak of all of these words; groups without any are left out.
pub(super) fn groups(find: &str) -> Vec<Group> {
    let words: Vec<String> = find.split_whitespace().map(str::to_lowercase).collect();
    let fits = |step: &&'static Definition| {
        let said = said(step);
        words.iter().all(|word| said.contains(word))
    };
    let group = |group: &sheetmill_engine::recipe::guide::Group| Group {
        title: group.title,
        steps: group
            .steps
            .iter()
            .filter_map(|(name, _)| definition(name))
            .filter(fits)
            .collect(),
    };
    let without = DEFINITIONS.iter().filter(|step| text_of(step.name).is_none());
    let others = Group {
        title: OTHERS,
        steps: without.filter(fits).collect(),
    };
    let groups = GROUPS.iter().map(group).chain([others]);
    groups.filter(|group| !group.steps.is_empty()).collect()
}

/// All that a step is found by, in small letters.
fn said(step: &Definition) -> String {
    let options = step
        .options
        .iter()
        .map(|option| format!("{} {}", option.title, option.about));
    let options: Vec<String> = options.collect();
    format!("{} {} {} {}", step.name, step.title, step.about, options.join(" ")).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_listed_once_and_found_by_its_words() {
        let all: usize = groups("").iter().map(|group| group.steps.len()).sum();
        assert_eq!(all, DEFINITIONS.len());
        let found = groups("Duplicates REMOVE");
        let names = found.iter().flat_map(|group| &group.steps).map(|step| step.name);
        assert!(names.collect::<Vec<_>>().contains(&"deduplicate"));
        assert!(groups("no step speaks of zebras").is_empty());
    }
}
