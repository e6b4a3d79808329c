//! What the guide says beside the definitions: the steps in groups with worked examples, and the functions of expressions.
//!
//! An example is a file `steps/examples/{step}.md` that reads well by itself. Each is carried out in a test, from a sheet
//! that is read to a file that is written, so what the guide shows is what the engine does.

mod changes;
mod example;
mod functions;
#[cfg(test)]
mod part_tests;
#[cfg(test)]
mod tests;

pub use changes::{Changes, RowChange};
pub use example::{Example, Grid, InFile, Page, PageError};
pub use functions::{FUNCTIONS, FunctionGroup, FunctionPage, Shown, TOTALS, TOTALS_OF};

use super::document::Part;
use super::steps::Definition;

/// Steps that stand together in the guide.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// What they are about.
    pub title: &'static str,
    /// Their words, each with the text of its page.
    pub steps: &'static [(&'static str, &'static str)],
}

/// The groups: a new step is its file and its word here.
macro_rules! groups {
    ($($title:literal: $($step:literal)*;)*) => {
        &[$(Group {
            title: $title,
            steps: &[$(($step, include_str!(concat!("steps/examples/", $step, ".md"))),)*],
        },)*]
    };
}

/// All groups, in the order of the guide.
pub const GROUPS: &[Group] = groups! {
    "Clean texts": "trim" "case" "replace" "map" "normalise" "pad" "mask";
    "Take apart and put together": "split" "extract" "combine" "compute" "convert" "fill";
    "Columns": "rename" "select" "drop" "move" "blank_columns";
    "Choose rows": "filter" "blank_rows" "first" "last" "sample" "deduplicate" "validate";
    "Order and numbers": "sort" "number_rows" "running_total" "difference" "rank";
    "Totals and other shapes": "group" "pivot" "unpivot";
    "Other tables": "join" "append" "compare" "sql";
};

/// The title of a step's group and the text of its page; nothing for a step that has none.
#[must_use]
pub fn text_of(step: &str) -> Option<(&'static str, &'static str)> {
    GROUPS.iter().find_map(|group| {
        let (_, text) = group.steps.iter().find(|(name, _)| *name == step)?;
        Some((group.title, *text))
    })
}

/// The texts of the pages of the parts beside the steps, by their words.
const PART_TEXTS: [(&str, &str); 2] = [
    ("input", include_str!("document/examples/input.md")),
    ("output", include_str!("document/examples/output.md")),
];

/// The page of a part of the document: what is said beside its definition.
///
/// # Errors
/// What is wrong with its text.
pub fn part_page(part: &Part) -> Result<Page, PageError> {
    let text = PART_TEXTS.iter().find(|(name, _)| *name == part.name);
    text.map_or_else(|| Ok(Page::default()), |(_, text)| Page::parse(text))
}

/// The page of a step: what is said beside its definition.
///
/// # Errors
/// What is wrong with its text. A step without one has an empty page.
pub fn page(step: &Definition) -> Result<Page, PageError> {
    text_of(step.name).map_or_else(|| Ok(Page::default()), |(_, text)| Page::parse(text))
}
