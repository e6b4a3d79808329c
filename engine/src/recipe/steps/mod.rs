//! What a recipe can do to a table: a closed list, one file per step.
//!
//! Each file has the same parts: its options, `DEFINITION` (for forms and the guide), `read` (from the document),
//! `to_json`, `label` (one plain sentence), `check` (against the columns at that point) and `plan`.

mod compute;
mod convert;
mod deduplicate;
mod filter;
mod group;
mod rename;
mod select;
mod sort;
mod trim;

use serde_json::Value as Json;

pub use compute::Compute;
pub use convert::{Convert, Otherwise, Target};
pub use deduplicate::{Deduplicate, Keep};
pub use filter::{Filter, FilterRule};
pub use group::Group;
pub use rename::Rename;
pub use select::Select;
pub use sort::{Direction, Sort, SortKey};
pub use trim::Trim;

use super::columns::Column;
use super::document::{Node, Reading, Value};
use super::plan::operator::Operator;
use super::problem::{Problem, did_you_mean, listed};
use crate::tables::header::LONGEST_NAME;

/// A step of a recipe with its options.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Remove blanks around texts.
    Trim(Trim),
    /// Give columns other names.
    Rename(Rename),
    /// Keep only some columns, in an order.
    Select(Select),
    /// Give a column another type.
    Convert(Convert),
    /// Keep or drop rows by a condition.
    Filter(Filter),
    /// Fill a column by a formula.
    Compute(Compute),
    /// Keep one of rows that are alike.
    Deduplicate(Deduplicate),
    /// Put rows in order.
    Sort(Sort),
    /// One row per group, with totals.
    Group(Group),
}

/// A step as forms and the guide present it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its word in the document.
    pub name: &'static str,
    /// Its name in menus: "Remove blanks".
    pub title: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// Its options, in the order of the form.
    pub options: &'static [OptionForm],
}

/// An option as forms present it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionForm {
    /// Its word in the document.
    pub name: &'static str,
    /// Its label in forms.
    pub title: &'static str,
    /// What is put in.
    pub kind: OptionKind,
    /// Whether it must be there.
    pub required: bool,
    /// What holds when it is left out, as JSON text.
    pub default: Option<&'static str>,
    /// One sentence of help.
    pub about: &'static str,
}

/// What is put into an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionKind {
    /// One of the columns.
    Column,
    /// A list of columns.
    Columns,
    /// A list of columns, or the word `all`.
    ColumnsOrAll,
    /// The name of a column, new or there already.
    NewColumn,
    /// A condition: an expression that is true or false.
    Condition,
    /// An expression.
    Expression,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A list of texts.
    Texts,
    /// A map of column to new name; its entries are the step's options themselves.
    Renames,
    /// A list of columns with `order: ascending` or `descending`.
    SortKeys,
    /// A map of new column to an expression of totals such as `sum(total)`.
    Totals,
}

/// All steps, in the order of menus.
pub const DEFINITIONS: &[Definition] = &[
    Trim::DEFINITION,
    Rename::DEFINITION,
    Select::DEFINITION,
    Convert::DEFINITION,
    Filter::DEFINITION,
    Compute::DEFINITION,
    Deduplicate::DEFINITION,
    Sort::DEFINITION,
    Group::DEFINITION,
];

/// The definition of a step by its word.
#[must_use]
pub fn definition(name: &str) -> Option<&'static Definition> {
    DEFINITIONS.iter().find(|definition| definition.name == name)
}

impl Step {
    /// Its word in the document.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.definition().name
    }

    /// How forms and the guide present it.
    #[must_use]
    pub fn definition(&self) -> Definition {
        match self {
            Self::Trim(_) => Trim::DEFINITION,
            Self::Rename(_) => Rename::DEFINITION,
            Self::Select(_) => Select::DEFINITION,
            Self::Convert(_) => Convert::DEFINITION,
            Self::Filter(_) => Filter::DEFINITION,
            Self::Compute(_) => Compute::DEFINITION,
            Self::Deduplicate(_) => Deduplicate::DEFINITION,
            Self::Sort(_) => Sort::DEFINITION,
            Self::Group(_) => Group::DEFINITION,
        }
    }

    /// What it does, in one plain sentence without a full stop.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Trim(step) => step.label(),
            Self::Rename(step) => step.label(),
            Self::Select(step) => step.label(),
            Self::Convert(step) => step.label(),
            Self::Filter(step) => step.label(),
            Self::Compute(step) => step.label(),
            Self::Deduplicate(step) => step.label(),
            Self::Sort(step) => step.label(),
            Self::Group(step) => step.label(),
        }
    }

    /// `{name: {options}}` with every option written out.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut object = serde_json::Map::new();
        object.insert(self.name().into(), self.options_json());
        Json::Object(object)
    }

    /// Name and options, without options that are as they would be anyway.
    #[must_use]
    pub fn short_json(&self) -> (&'static str, Json) {
        let definition = self.definition();
        let mut options = self.options_json();
        if let Some(object) = options.as_object_mut() {
            for form in definition.options {
                if object
                    .get(form.name)
                    .is_some_and(|value| form.default == Some(value.to_string().as_str()))
                {
                    object.remove(form.name);
                }
            }
        }
        (definition.name, options)
    }

    /// The columns after the step, or what does not fit the columns before it. `number` is the step's position from 1.
    ///
    /// It evaluates the expressions once, on a row made up: not for processes that serve.
    pub(crate) fn check(&self, number: usize, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        let checked = match self {
            Self::Trim(step) => step.check(columns),
            Self::Rename(step) => step.check(columns),
            Self::Select(step) => step.check(columns),
            Self::Convert(step) => step.check(columns),
            Self::Filter(step) => step.check(columns),
            Self::Compute(step) => step.check(columns),
            Self::Deduplicate(step) => step.check(columns),
            Self::Sort(step) => step.check(columns),
            Self::Group(step) => step.check(columns),
        };
        let checked = checked.and_then(|after| match too_long(columns, &after) {
            None => Ok(after),
            Some(problem) => Err(vec![problem]),
        });
        checked.map_err(|problems| {
            problems
                .into_iter()
                .map(|problem| self.placed(number, &problem))
                .collect()
        })
    }

    /// What carries the step out on tables with these columns; the step was checked against them.
    pub(crate) fn plan(&self, number: usize, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        let planned = match self {
            Self::Trim(step) => step.plan(columns),
            Self::Rename(step) => step.plan(columns),
            Self::Select(step) => step.plan(columns),
            Self::Convert(step) => step.plan(columns),
            Self::Filter(step) => step.plan(columns),
            Self::Compute(step) => step.plan(columns),
            Self::Deduplicate(step) => step.plan(columns),
            Self::Sort(step) => step.plan(columns),
            Self::Group(step) => step.plan(columns),
        };
        planned.map_err(|problems| {
            problems
                .into_iter()
                .map(|problem| self.placed(number, &problem))
                .collect()
        })
    }

    /// Reads `name: {options}`; a bare name is a step without options.
    pub(crate) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        reading.places.insert(path.to_owned(), node.place);
        let nothing = Node {
            place: node.place,
            value: Value::Scalar {
                text: String::new(),
                quoted: false,
            },
        };
        let (name, place, options) = match &node.value {
            Value::Map(entries) if entries.len() == 1 => (entries[0].key.as_str(), entries[0].place, &entries[0].node),
            Value::Scalar { text, .. } if !node.is_null() => (text.as_str(), node.place, &nothing),
            _ => {
                let message = "A step is one name with its options, such as `- trim: {columns: all}`; each step begins \
                               with a `-` of its own.";
                reading.problem(node.place, path, message);
                return None;
            }
        };
        let path = format!("{path}.{name}");
        match name {
            "trim" => Trim::read(options, &path, reading).map(Self::Trim),
            "rename" => Rename::read(options, &path, reading).map(Self::Rename),
            "select" => Select::read(options, &path, reading).map(Self::Select),
            "convert" => Convert::read(options, &path, reading).map(Self::Convert),
            "filter" => Filter::read(options, &path, reading).map(Self::Filter),
            "compute" => Compute::read(options, &path, reading).map(Self::Compute),
            "deduplicate" => Deduplicate::read(options, &path, reading).map(Self::Deduplicate),
            "sort" => Sort::read(options, &path, reading).map(Self::Sort),
            "group" => Group::read(options, &path, reading).map(Self::Group),
            _ => {
                let names = DEFINITIONS.iter().map(|definition| definition.name);
                let hint = did_you_mean(name, names.clone());
                let message = format!("The step `{name}` is not known.{hint} The steps are {}.", listed(names));
                reading.problem(place, &path, message);
                None
            }
        }
    }

    fn options_json(&self) -> Json {
        match self {
            Self::Trim(step) => step.to_json(),
            Self::Rename(step) => step.to_json(),
            Self::Select(step) => step.to_json(),
            Self::Convert(step) => step.to_json(),
            Self::Filter(step) => step.to_json(),
            Self::Compute(step) => step.to_json(),
            Self::Deduplicate(step) => step.to_json(),
            Self::Sort(step) => step.to_json(),
            Self::Group(step) => step.to_json(),
        }
    }

    /// A step's problem, whose path is its option's name, as a problem of the recipe.
    fn placed(&self, number: usize, problem: &Problem) -> Problem {
        let option = if problem.path.is_empty() {
            String::new()
        } else {
            format!(".{}", problem.path)
        };
        let message = format!("`{}`: {}", self.name(), problem.message);
        Problem::of_step(number, &format!("{}{option}", self.name()), message).with_span(problem.span)
    }
}

/// The positions of the named columns; every missing one is a problem of `option`.
fn find_all(columns: &[Column], names: &[String], option: &str) -> Result<Vec<usize>, Vec<Problem>> {
    let mut found = Vec::with_capacity(names.len());
    let mut problems = Vec::new();
    for (index, name) in names.iter().enumerate() {
        match super::columns::find(columns, name) {
            Ok(position) if found.contains(&position) => {
                problems.push(Problem::at(
                    format!("{option}[{index}]"),
                    format!("The column `{name}` is named twice."),
                ));
            }
            Ok(position) => found.push(position),
            Err(message) => problems.push(Problem::at(format!("{option}[{index}]"), message)),
        }
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

/// "a", "a and b", "a, b and c", "a, b and 5 more": names in a label.
fn enumerated(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] if names.len() <= 4 => format!("{} and {last}", first.join(", ")),
        _ => format!("{}, {} and {} more", names[0], names[1], names.len() - 2),
    }
}

/// What is wrong with the first new name that is longer than a column's may be.
fn too_long(before: &[Column], after: &[Column]) -> Option<Problem> {
    let new = |name: &str| before.iter().all(|column| column.name != name);
    let long = after
        .iter()
        .find(|column| column.name.chars().count() > LONGEST_NAME && new(&column.name))?;
    let start: String = long.name.chars().take(40).collect();
    let message = format!("The name `{start}…` is too long: a column's name has at most {LONGEST_NAME} characters.");
    Some(Problem::at("", message))
}

#[cfg(test)]
mod tests;
