//! The recipe as people write it: YAML or JSON, one schema.
//!
//! ```yaml
//! name: Clean orders
//! input: {sheets: first, header: auto}
//! steps:
//!   - trim: {columns: all}
//!   - filter: {keep: "quantity > 0"}
//! output: {format: xlsx, rejects: {policy: leave_out, as: list}}
//! ```
//!
//! A [`Recipe`] is always well-formed; whether it fits a table is another question, see `Plan`.

mod expected;
mod form;
mod input;
mod node;
mod output;
mod parts;
mod reading;
mod together;
mod yaml;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

pub use expected::{Expected, Match, Others};
pub use form::form_of;
pub use input::{Header, Input, Sheets};
pub use node::Place;
pub(crate) use node::{Entry, Node, Value};
pub use output::{ListFormat, OutputFormat, OutputOptions, PLACEHOLDERS, RejectsForm, RejectsPolicy, Split, SplitInto};
pub use parts::{INPUT, OUTPUT, PARTS, Part, PartKind, PartOption};
pub(crate) use reading::{Options, Reading};
pub use together::MOST_TOGETHER;
pub(crate) use yaml::flow;

pub use super::problem::Problem;
pub use super::steps::Step;

/// The version of the form that recipes have. Files that are exported say it; one of a later version is not read.
pub const VERSION: usize = 1;
/// More steps than any honest recipe has.
const MAX_STEPS: usize = 500;
/// Characters of a name: lists and file names show it.
const MAX_NAME: usize = 200;

/// A recipe that was read and is well-formed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "Json", into = "Json")]
pub struct Recipe {
    /// Its name for people; may be empty.
    pub name: String,
    /// Which sheets, and where their header is.
    pub input: Input,
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// What comes out.
    pub output: OutputOptions,
    /// Where each path stood in the text, for problems that are found later.
    pub places: BTreeMap<String, Place>,
}

impl PartialEq for Recipe {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.input == other.input && self.steps == other.steps && self.output == other.output
    }
}

impl Recipe {
    /// Reads YAML or JSON text. Answers everything that is wrong with it, each with line and column.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let node = Node::parse(text).map_err(|problem| vec![problem])?;
        Self::read(&node)
    }

    /// Reads a JSON value of the same schema.
    pub fn from_json(value: &Json) -> Result<Self, Vec<Problem>> {
        Self::read(&Node::from_json(value))
    }

    /// The recipe as JSON, every option written out: the form that is hashed, stored and sent.
    #[must_use]
    pub fn to_json(&self) -> Json {
        json!({
            "name": self.name,
            "input": self.input.to_json(),
            "steps": self.steps.iter().map(Step::to_json).collect::<Vec<_>>(),
            "output": self.output.to_json(),
        })
    }

    /// The names of the other tables that its steps look at, each once.
    #[must_use]
    pub fn references(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.steps.iter().flat_map(Step::references).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The recipe as people write it.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        yaml::write(self)
    }

    /// The text form as a file that other installations read, with the version of the form.
    #[must_use]
    pub fn exported_yaml(&self) -> String {
        format!("version: {VERSION}\n{}", self.to_yaml())
    }

    /// The JSON form as such a file.
    #[must_use]
    pub fn exported_json(&self) -> String {
        let mut object = serde_json::Map::new();
        object.insert("version".to_owned(), json!(VERSION));
        if let Json::Object(parts) = self.to_json() {
            object.extend(parts);
        }
        format!("{:#}\n", Json::Object(object))
    }

    /// The sha256 of what the recipe does, in hex: its name does not count.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut value = self.to_json();
        if let Some(object) = value.as_object_mut() {
            object.remove("name");
        }
        Sha256::digest(value.to_string().as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// Adds line and column to problems that were found after reading, by their paths.
    #[must_use]
    pub fn locate(&self, mut problems: Vec<Problem>) -> Vec<Problem> {
        for problem in &mut problems {
            let mut path = problem.path.as_str();
            while problem.line == 0 && !path.is_empty() {
                if let Some(place) = self.places.get(path) {
                    (problem.line, problem.column) = (place.line, place.column);
                }
                path = path.rfind(['.', '[']).map_or("", |end| &path[..end]);
            }
        }
        problems
    }

    fn read(node: &Node) -> Result<Self, Vec<Problem>> {
        let mut reading = Reading::default();
        let recipe = Self::read_parts(node, &mut reading);
        let mut problems = std::mem::take(&mut reading.problems);
        match recipe {
            Some(recipe) if problems.is_empty() => Ok(Self {
                places: reading.places,
                ..recipe
            }),
            _ => {
                problems.sort_by_key(|problem| (problem.line, problem.column));
                Err(problems)
            }
        }
    }

    fn read_parts(node: &Node, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, "", "")?;
        if let Some(node) = options.take("version")
            && !is_of_our_version(node, reading)
        {
            return None;
        }
        let name = options.optional_text(reading, "name").unwrap_or_default();
        if name.chars().count() > MAX_NAME {
            let place = reading.places.get("name").copied().unwrap_or_default();
            let message = format!("`name` has at most {MAX_NAME} characters.");
            reading.problem(place, "name", message);
        }
        let input = options
            .take("input")
            .and_then(|node| Input::read(node, reading))
            .unwrap_or_default();
        let steps = options
            .require(reading, "steps")
            .map(|node| read_steps(node, reading))
            .unwrap_or_default();
        let output = options
            .take("output")
            .and_then(|node| OutputOptions::read(node, reading))
            .unwrap_or_default();
        options.finish(reading, &["name", "input", "steps", "output"]);
        let recipe = Self {
            name,
            input,
            steps,
            output,
            places: BTreeMap::new(),
        };
        recipe.check_together(reading);
        Some(recipe)
    }
}

/// Whether this form of recipes is known here; what a later one means is not guessed.
fn is_of_our_version(node: &Node, reading: &mut Reading) -> bool {
    let text = node.as_text().unwrap_or_default();
    let message = match text.parse::<usize>() {
        Ok(1..=VERSION) => return true,
        Ok(version) if version > VERSION => format!(
            "This recipe has version {version} of the form, and this Sheetmill reads versions up to {VERSION}. Update \
             Sheetmill, or export the recipe from an older one."
        ),
        _ => format!("`version` is a number from 1 to {VERSION}, not `{text}`."),
    };
    reading.problem(node.place, "version", message);
    false
}

fn read_steps(node: &Node, reading: &mut Reading) -> Vec<Step> {
    reading.places.insert("steps".into(), node.place);
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        _ if node.is_null() => &[],
        _ => {
            reading.problem(
                node.place,
                "steps",
                "`steps` expects a list: a line `- name: {options}` for each step.",
            );
            &[]
        }
    };
    if items.len() > MAX_STEPS {
        reading.problem(node.place, "steps", format!("A recipe has at most {MAX_STEPS} steps."));
        return Vec::new();
    }
    let read = |(index, item)| {
        reading.step = Some(index + 1);
        Step::read(item, &format!("steps[{index}]"), reading)
    };
    let steps = items.iter().enumerate().filter_map(read).collect();
    reading.step = None;
    steps
}

impl TryFrom<Json> for Recipe {
    type Error = String;

    fn try_from(value: Json) -> Result<Self, String> {
        Self::from_json(&value)
            .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
    }
}

impl From<Recipe> for Json {
    fn from(recipe: Recipe) -> Self {
        recipe.to_json()
    }
}

#[cfg(test)]
mod tests;
