//! What changed between two recipes, as pages show it: step by step, and the text form beside it.

use askama::Template;
use sheetmill_engine::recipe::changes::{self, Change, Edit, Line, LineFate};
use sheetmill_engine::recipe::document::Recipe;

use crate::pages::{PageError, filters};

/// The list of changes and the text, to be put into a page.
#[derive(Debug, Template)]
#[template(path = "recipes/_changes.html")]
struct ChangesFragment {
    changes: Vec<ChangeView>,
    lines: Option<Vec<Line>>,
}

#[derive(Debug)]
struct ChangeView {
    word: &'static str,
    tone: &'static str,
    icon: &'static str,
    about: String,
    edits: Vec<Edit>,
}

/// The fragment; `None` where nothing changed.
pub(super) fn fragment(old: &Recipe, new: &Recipe) -> Result<Option<String>, PageError> {
    let changes = changes::between(old, new);
    if changes.is_empty() {
        return Ok(None);
    }
    let fragment = ChangesFragment {
        changes: changes.iter().map(view).collect(),
        lines: changes::lines(old, new),
    };
    Ok(Some(fragment.render()?))
}

fn view(change: &Change) -> ChangeView {
    let (tone, icon) = match change {
        Change::Added { .. } => ("good", "plus"),
        Change::Removed { .. } => ("bad", "minus"),
        Change::Moved { .. } => ("busy still", "arrow-up-down"),
        Change::Renamed { .. } | Change::Input(_) | Change::Output(_) | Change::Changed { .. } => ("warn", "pencil"),
    };
    ChangeView {
        word: change.word(),
        tone,
        icon,
        about: change.about(),
        edits: change.edits(),
    }
}
