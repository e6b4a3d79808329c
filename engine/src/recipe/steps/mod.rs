//! What a recipe can do to a table: a closed list, one file per step.
//!
//! Each file has the same parts: its options, `DEFINITION` (for forms and the guide), `read` (from the document),
//! `to_json`, `label` (one plain sentence), `check` (against the columns at that point) and `plan`. A new step is a file, its
//! `mod` line and its line in `steps!`.

mod append;
mod blank_columns;
mod blank_rows;
mod case;
mod combine;
mod compare;
mod compute;
mod convert;
mod deduplicate;
mod difference;
mod drop;
mod extract;
mod fill;
mod filter;
mod first;
mod group;
mod join;
mod last;
mod map;
mod mask;
mod r#move;
mod normalise;
mod number_rows;
mod pad;
mod pivot;
mod rank;
mod rename;
mod replace;
mod running_total;
mod sample;
mod select;
mod sort;
mod split;
mod sql;
mod trim;
mod unpivot;
mod validate;

use serde_json::Value as Json;

pub use append::OtherColumns;
pub use case::Letters;
pub use combine::Blanks;
pub use compare::Change;
pub use convert::{Otherwise, Target};
pub use deduplicate::{Groups, Ignore, Keep, Words};
pub use extract::NoMatch;
pub use fill::FillWith;
pub use filter::FilterRule;
pub use join::{JoinKind, Several};
pub use map::Unmapped;
pub use mask::Veil;
pub use r#move::Destination;
pub use normalise::{Form, Spelling};
pub use pad::Side;
pub use pivot::PivotTotal;
pub use replace::Match;
pub use sample::SampleSize;
pub use sort::{BlankPlace, Compare, Direction, SortKey};
pub use split::{By, Extra};
pub use trim::Tidy;
pub(crate) use trim::is_blank;
pub use unpivot::Turn;
pub use validate::{ColumnTest, Length, Rule, Test};

use super::columns::Column;
use super::document::{Node, Reading, Value};
use super::plan::operator::Operator;
use super::problem::{Problem, did_you_mean, listed};
use super::references::References;
use crate::tables::header::LONGEST_NAME;

/// The steps, in the order of menus: from one list, all that has to know each of them.
macro_rules! steps {
    (
        of one table { $($(#[$about:meta])* $module:ident :: $name:ident,)* }
        with other tables { $($(#[$joins_about:meta])* $joins_module:ident :: $joins:ident,)* }
    ) => {
        $(pub use $module::$name;)*
        $(pub use $joins_module::$joins;)*

        /// A step of a recipe with its options.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Step {
            $($(#[$about])* $name($name),)*
            $($(#[$joins_about])* $joins($joins),)*
        }

        /// All steps, in the order of menus.
        pub const DEFINITIONS: &[Definition] = &[$($name::DEFINITION,)* $($joins::DEFINITION,)*];

        impl Step {
            /// How forms and the guide present it.
            #[must_use]
            pub fn definition(&self) -> Definition {
                match self {
                    $(Self::$name(_) => $name::DEFINITION,)*
                    $(Self::$joins(_) => $joins::DEFINITION,)*
                }
            }

            /// What it does, in one plain sentence without a full stop.
            #[must_use]
            pub fn label(&self) -> String {
                match self {
                    $(Self::$name(step) => step.label(),)*
                    $(Self::$joins(step) => step.label(),)*
                }
            }

            fn options_json(&self) -> Json {
                match self {
                    $(Self::$name(step) => step.to_json(),)*
                    $(Self::$joins(step) => step.to_json(),)*
                }
            }

            fn check_columns(&self, columns: &[Column], references: &References) -> Result<Vec<Column>, Vec<Problem>> {
                match self {
                    $(Self::$name(step) => step.check(columns),)*
                    $(Self::$joins(step) => step.check(columns, references),)*
                }
            }

            fn plan_columns(
                &self,
                columns: &[Column],
                references: &References,
                formats: &mut Vec<String>,
            ) -> Result<Operator, Vec<Problem>> {
                match self {
                    $(Self::$name(step) => step.plan(columns),)*
                    $(Self::$joins(step) => step.plan(columns, references, formats),)*
                }
            }

            /// Reads the options of the step of this name; `None`: there is no such step.
            fn read_named(name: &str, options: &Node, path: &str, reading: &mut Reading) -> Option<Option<Self>> {
                $(if name == $name::DEFINITION.name {
                    return Some($name::read(options, path, reading).map(Self::$name));
                })*
                $(if name == $joins::DEFINITION.name {
                    return Some($joins::read(options, path, reading).map(Self::$joins));
                })*
                None
            }
        }
    };
}

steps! {
    of one table {
        /// Remove blanks around texts.
        trim::Trim,
        /// Capital and small letters.
        case::Case,
        /// Put other text in place of some.
        replace::Replace,
        /// Put a new value in place of each old one.
        map::Map,
        /// Divide a column into several.
        split::Split,
        /// Take parts out of texts.
        extract::Extract,
        /// Put several columns together.
        combine::Combine,
        /// Fill texts up to a length.
        pad::Pad,
        /// One spelling for characters that look alike.
        normalise::Normalise,
        /// Give columns other names.
        rename::Rename,
        /// Keep only some columns, in an order.
        select::Select,
        /// Remove columns.
        drop::Drop,
        /// Put columns at another place.
        r#move::Move,
        /// Give a column another type.
        convert::Convert,
        /// Fill blank cells.
        fill::Fill,
        /// Keep or drop rows by a condition.
        filter::Filter,
        /// Fill a column by a formula.
        compute::Compute,
        /// Remove blank rows.
        blank_rows::BlankRows,
        /// Remove blank columns.
        blank_columns::BlankColumns,
        /// Keep the first rows.
        first::First,
        /// Keep the last rows.
        last::Last,
        /// Keep some rows at random.
        sample::Sample,
        /// Check rows against rules.
        validate::Validate,
        /// Hide what cells hold.
        mask::Mask,
        /// Keep one of rows that are alike.
        deduplicate::Deduplicate,
        /// Put rows in order.
        sort::Sort,
        /// Give rows running numbers.
        number_rows::NumberRows,
        /// Add up a column down the rows.
        running_total::RunningTotal,
        /// Compare a column with the row above.
        difference::Difference,
        /// Give rows ranks by a column.
        rank::Rank,
        /// One row per group, with totals.
        group::Group,
        /// Turn columns into rows.
        unpivot::Unpivot,
        /// Turn rows into columns.
        pivot::Pivot,
    }
    with other tables {
        /// Look up in another table.
        join::Join,
        /// Put the rows of another table below.
        append::Append,
        /// Compare with an older table.
        compare::Comparison,
        /// Run a query.
        sql::Sql,
    }
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
    /// Some of these words, or none.
    Choices(&'static [&'static str]),
    /// A text.
    Text,
    /// An SQL query.
    Query,
    /// A whole number.
    Number,
    /// Yes or no.
    Flag,
    /// A list of texts.
    Texts,
    /// A map of text to text.
    Values,
    /// A map of column to new name; its entries are the step's options themselves.
    Renames,
    /// A list of columns with `order: ascending` or `descending`.
    SortKeys,
    /// A map of new column to an expression of totals such as `sum(total)`.
    Totals,
    /// The name of another table.
    Reference,
    /// A list of columns, or a map of our column to the other table's.
    JoinKeys,
    /// A map of the other table's column to ours.
    OtherColumns,
    /// A list of rules, each with `column` and what its cells must be, `unique: [columns]`, or `where` with a condition.
    Rules,
}

impl OptionKind {
    /// What is put in, in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Column => "A column",
            Self::Columns => "A list of columns",
            Self::ColumnsOrAll => "A list of columns, or `all`",
            Self::NewColumn => "The name of a column, new or there already",
            Self::Condition => "A condition",
            Self::Expression => "A formula",
            Self::Choice(_) => "One of these",
            Self::Choices(_) => "Some of these",
            Self::Text => "A text",
            Self::Number => "A whole number",
            Self::Flag => "`true` or `false`",
            Self::Texts => "A list of texts",
            Self::Values => "A map of old to new values",
            Self::Renames => "A map of names now to new names",
            Self::SortKeys => "A list of columns, each with its `order`",
            Self::Totals => "A map of new columns to totals such as `sum(total)`",
            Self::Reference => "The name of another table",
            Self::JoinKeys => "A list of columns, or a map of columns here to columns there",
            Self::OtherColumns => "A map of columns there to columns here",
            Self::Query => "One SELECT",
            Self::Rules => {
                "A list of rules, each about a `column` (`required`, `unique`, `type`, `min`, `max`, `length`, `pattern`, \
                 `one_of`), about columns that are `unique` together, or with a condition in `where`; and with `message` \
                 and `severity` where wanted"
            }
        }
    }

    /// The words that there are to choose from, where there are.
    #[must_use]
    pub fn choices(self) -> &'static [&'static str] {
        match self {
            Self::Choice(words) | Self::Choices(words) => words,
            _ => &[],
        }
    }
}

/// An option that has a meaning only with some choices of another one of its step: forms show it with these alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnlyWith {
    /// The step's word.
    pub step: &'static str,
    /// The option.
    pub option: &'static str,
    /// The option that is a choice.
    pub with: &'static str,
    /// The choices with which it has a meaning.
    pub words: &'static [&'static str],
}

/// All such options.
pub const ONLY_WITH: &[OnlyWith] = &[
    OnlyWith {
        step: "fill",
        option: "value",
        with: "direction",
        words: &["value"],
    },
    OnlyWith {
        step: "move",
        option: "column",
        with: "to",
        words: &["before", "after"],
    },
    OnlyWith {
        step: "split",
        option: "separator",
        with: "by",
        words: &["delimiter", "regex"],
    },
    OnlyWith {
        step: "split",
        option: "widths",
        with: "by",
        words: &["widths"],
    },
];

/// The definition of a step by its word.
#[must_use]
pub fn definition(name: &str) -> Option<&'static Definition> {
    DEFINITIONS.iter().find(|definition| definition.name == name)
}

impl Step {
    /// The names of the other tables that it looks at.
    #[must_use]
    pub fn references(&self) -> Vec<&str> {
        match self {
            Self::Join(step) => vec![&step.with],
            Self::Append(step) => step.with.as_deref().into_iter().collect(),
            Self::Comparison(step) => vec![&step.with],
            Self::Sql(step) => step.references().collect(),
            _ => Vec::new(),
        }
    }

    /// Whether it puts the rows of all files of a run together: the steps behind it are for all of them.
    #[must_use]
    pub fn appends_files(&self) -> bool {
        matches!(self, Self::Append(step) if step.with.is_none())
    }

    /// Its word in the document.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.definition().name
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
                    object.shift_remove(form.name);
                }
            }
        }
        (definition.name, options)
    }

    /// The columns after the step, or what does not fit the columns before it. `number` is the step's position from 1.
    ///
    /// It evaluates the expressions once, on a row made up: not for processes that serve.
    pub(crate) fn check(
        &self,
        number: usize,
        columns: &[Column],
        references: &References,
    ) -> Result<Vec<Column>, Vec<Problem>> {
        let checked = self.check_columns(columns, references);
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
    pub(crate) fn plan(
        &self,
        number: usize,
        columns: &[Column],
        references: &References,
        formats: &mut Vec<String>,
    ) -> Result<Operator, Vec<Problem>> {
        self.plan_columns(columns, references, formats).map_err(|problems| {
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
        let Some(step) = Self::read_named(name, options, &path, reading) else {
            let names = DEFINITIONS.iter().map(|definition| definition.name);
            let hint = did_you_mean(name, names.clone());
            let message = format!("The step `{name}` is not known.{hint} The steps are {}.", listed(names));
            reading.problem(place, &path, message);
            return None;
        };
        step
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

/// A name for a column of another table; one that is taken is named after that table.
fn fresh_name<'a>(taken: impl Iterator<Item = &'a str> + Clone, wanted: &str, table: &str) -> String {
    let mut name = wanted.to_owned();
    let mut number = 1;
    while taken.clone().any(|it| it == name) {
        name = match number {
            1 => format!("{wanted} ({table})"),
            _ => format!("{wanted} ({table} {number})"),
        };
        number += 1;
    }
    name
}

/// A problem of an option that is about the columns of another table.
fn other_problem(table: &str, option: &str, message: &str) -> Problem {
    Problem::at(option, format!("In `{table}`: {message}"))
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
