//! `validate`: check rows against rules, and say of each row all that is wrong with it.
//!
//! A step is a list of rules: of a column (`column` with `required`, `type`, `min`, `max`, `length`, `pattern`, `one_of`,
//! `unique`), of columns that must be unique together (`unique: [a, b]`), or across columns (`where`). Blank cells pass every
//! rule but `required`; a condition that is neither true nor false because of a blank passes as well.

use serde_json::{Map, Value as Json, json};

use super::{Definition, OptionForm, OptionKind, Target, enumerated};
use crate::recipe::columns::{Column, find};
use crate::recipe::document::{Node, Options, Place, Reading, Value};
use crate::recipe::plan::operator::Operator;
use crate::recipe::plan::rules::{Rules, compile};
use crate::recipe::plan::unique::UniquePlan;
use crate::recipe::problem::Problem;
use crate::recipe::rejects::Severity;

/// More rules than any honest step has.
const MAX_RULES: usize = 500;
/// Names of the options of a rule of a column, in order.
const OF_COLUMN: [&str; 11] = [
    "column", "required", "type", "min", "max", "length", "pattern", "one_of", "unique", "message", "severity",
];

/// Checks rows against rules. Rows that break one are rejected, or only listed where the rule is a warning.
#[derive(Clone, Debug, PartialEq)]
pub struct Validate {
    /// The rules, in order.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// What is checked.
    pub test: Test,
    /// What is said instead of the usual sentence.
    pub message: Option<String>,
    /// Whether a row that breaks it is rejected, or only listed.
    pub severity: Severity,
}

/// What a rule checks.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// The cells of a column.
    Column(Box<ColumnTest>),
    /// No two rows are alike in all of these columns.
    Unique(Vec<String>),
    /// A condition over the columns of a row.
    Where(String),
}

/// What the cells of a column must be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ColumnTest {
    /// The column.
    pub column: String,
    /// Whether they must be filled.
    pub required: bool,
    /// What they must be.
    pub kind: Option<Target>,
    /// The least: a number, a date as 2024-01-31, or a time as 14:30.
    pub min: Option<String>,
    /// The greatest.
    pub max: Option<String>,
    /// How many characters they have.
    pub length: Length,
    /// The regular expression that each of them matches as a whole.
    pub pattern: Option<String>,
    /// The values that are allowed; empty: all.
    pub one_of: Vec<String>,
    /// Whether no two may be alike.
    pub unique: bool,
}

/// A number of characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Length {
    /// The fewest.
    pub min: Option<usize>,
    /// The most.
    pub max: Option<usize>,
}

impl Validate {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "validate",
        title: "Check rows",
        about: "Checks rows against rules. Rows that break one are rejected, or only listed where the rule is a warning.",
        options: &[OptionForm {
            name: "rules",
            title: "Rules",
            kind: OptionKind::Rules,
            required: true,
            default: None,
            about: "Each row is checked against all rules, and everything that is wrong with it is listed. Blank cells \
                    break no rule but `required`.",
        }],
    };

    /// Reads a list of rules, or `{rules: […]}`.
    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let (list, path) = if matches!(node.value, Value::List(_)) {
            (node, path.to_owned())
        } else {
            let mut options = reading.map(node, path, "`validate`")?;
            let list = options.require(reading, "rules");
            let path = options.path("rules");
            options.finish(reading, &["rules"]);
            (list?, path)
        };
        reading.places.insert(path.clone(), list.place);
        let Value::List(items) = &list.value else {
            let message =
                "`rules` of `validate` expects a list: a line `- {column: name, required: true}` for each rule.";
            reading.problem(list.place, &path, message);
            return None;
        };
        if items.is_empty() || items.len() > MAX_RULES {
            let message = format!("`validate` has from 1 to {MAX_RULES} rules; here are {}.", items.len());
            reading.problem(list.place, &path, message);
            return None;
        }
        let read = |(index, item)| read_rule(item, &format!("{path}[{index}]"), reading);
        let rules: Vec<Option<Rule>> = items.iter().enumerate().map(read).collect();
        Some(Self {
            rules: rules.into_iter().collect::<Option<_>>()?,
        })
    }

    pub(super) fn to_json(&self) -> Json {
        json!({ "rules": self.rules.iter().map(Rule::to_json).collect::<Vec<_>>() })
    }

    pub(super) fn label(&self) -> String {
        let mut names: Vec<String> = Vec::new();
        let mut add = |name: &String| {
            if !names.contains(name) {
                names.push(name.clone());
            }
        };
        for rule in &self.rules {
            match &rule.test {
                Test::Column(test) => add(&test.column),
                Test::Unique(columns) => columns.iter().for_each(&mut add),
                Test::Where(condition) => add(condition),
            }
        }
        format!("Check {}", enumerated(&names))
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        compile(&self.rules, columns)?;
        Ok(columns.to_vec())
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        let Rules { step, sets } = compile(&self.rules, columns)?;
        Ok(if sets.is_empty() {
            Operator::step(step)
        } else {
            Operator::Unique(UniquePlan::new(sets, step))
        })
    }
}

impl Rule {
    /// The columns that must be unique, together where there are several; nothing: they need not be.
    #[must_use]
    pub fn unique(&self) -> Option<&[String]> {
        match &self.test {
            Test::Column(test) => test.unique.then_some(std::slice::from_ref(&test.column)),
            Test::Unique(columns) => Some(columns),
            Test::Where(_) => None,
        }
    }

    /// Where the columns of [`Rule::unique`] stand.
    pub(crate) fn unique_positions(&self, columns: &[Column]) -> Result<Vec<usize>, Vec<Problem>> {
        let option = if matches!(self.test, Test::Column(_)) {
            "column"
        } else {
            "unique"
        };
        let mut positions = Vec::new();
        for name in self.unique().unwrap_or_default() {
            positions.push(find(columns, name).map_err(|message| vec![Problem::at(option, message)])?);
        }
        Ok(positions)
    }

    /// What is written of it: options that are as they would be anyway are left out.
    fn to_json(&self) -> Json {
        let mut object = match &self.test {
            Test::Column(test) => test.to_json(),
            Test::Unique(columns) => Map::from_iter([("unique".to_owned(), json!(columns))]),
            Test::Where(condition) => Map::from_iter([("where".to_owned(), json!(condition))]),
        };
        if let Some(message) = &self.message {
            object.insert("message".to_owned(), json!(message));
        }
        if self.severity != Severity::Error {
            object.insert("severity".to_owned(), json!(self.severity.word()));
        }
        Json::Object(object)
    }
}

impl ColumnTest {
    fn to_json(&self) -> Map<String, Json> {
        let mut object = Map::new();
        let mut put = |name: &str, value: Option<Json>| {
            if let Some(value) = value {
                object.insert(name.to_owned(), value);
            }
        };
        let Length { min, max } = self.length;
        let length = match (min, max) {
            (None, None) => None,
            (Some(min), Some(max)) if min == max => Some(json!(min)),
            (Some(min), None) => Some(json!({ "min": min })),
            (None, Some(max)) => Some(json!({ "max": max })),
            (Some(min), Some(max)) => Some(json!({ "min": min, "max": max })),
        };
        put("column", Some(json!(self.column)));
        put("required", self.required.then(|| json!(true)));
        put("type", self.kind.map(|kind| json!(kind.word())));
        put("min", self.min.as_deref().map(as_written));
        put("max", self.max.as_deref().map(as_written));
        put("length", length);
        put("pattern", self.pattern.as_ref().map(|pattern| json!(pattern)));
        put("one_of", (!self.one_of.is_empty()).then(|| json!(self.one_of)));
        put("unique", self.unique.then(|| json!(true)));
        object
    }
}

/// A number as one, where it is written as JSON writes it, so that it needs no quotes; anything else as text.
fn as_written(bound: &str) -> Json {
    let number = serde_json::from_str::<serde_json::Number>(bound).ok();
    number
        .filter(|number| number.to_string() == bound)
        .map_or_else(|| json!(bound), Json::Number)
}

fn read_rule(node: &Node, path: &str, reading: &mut Reading) -> Option<Rule> {
    let before = reading.problems.len();
    let mut options = reading.map(node, path, "a rule of `validate`")?;
    let test = match (options.take("column"), options.take("where")) {
        (Some(column), None) => read_column(column, &mut options, reading),
        (None, Some(condition)) => reading
            .text(condition, &options.path("where"), &options.subject("where"))
            .map(Test::Where),
        (Some(_), Some(_)) => {
            let message = "A rule of `validate` has either `column` or `where`, not both; make two rules of it.";
            reading.problem(node.place, path, message);
            None
        }
        (None, None) => read_unique(node.place, path, &mut options, reading),
    };
    let message = options.optional_text(reading, "message");
    let severity = options
        .optional_choice(reading, "severity", Severity::WORDS)
        .unwrap_or_default();
    let known: &[&str] = match &test {
        Some(Test::Where(_)) => &["where", "message", "severity"],
        Some(Test::Unique(_)) => &["unique", "message", "severity"],
        _ => &OF_COLUMN,
    };
    options.finish(reading, known);
    Some(Rule {
        test: test.filter(|_| reading.problems.len() == before)?,
        message,
        severity,
    })
}

fn read_unique(place: Place, path: &str, options: &mut Options<'_>, reading: &mut Reading) -> Option<Test> {
    let Some(columns) = options.optional_texts(reading, "unique") else {
        let message = "A rule of `validate` needs `column`, `unique: [columns]` or `where`.";
        reading.problem(place, path, message);
        return None;
    };
    if columns.is_empty() {
        reading.problem(place, path, "`unique` of a rule of `validate` names no column.");
        return None;
    }
    Some(Test::Unique(columns))
}

fn read_column(column: &Node, options: &mut Options<'_>, reading: &mut Reading) -> Option<Test> {
    let place = column.place;
    let column = reading.text(column, &options.path("column"), &options.subject("column"))?;
    let test = ColumnTest {
        required: read_truth(options, reading, "required"),
        kind: options.optional_choice(reading, "type", Target::WORDS),
        min: options.optional_text(reading, "min"),
        max: options.optional_text(reading, "max"),
        length: read_length(options, reading),
        pattern: options.optional_text(reading, "pattern"),
        one_of: options.optional_texts(reading, "one_of").unwrap_or_default(),
        unique: read_truth(options, reading, "unique"),
        column,
    };
    let nothing = ColumnTest {
        column: test.column.clone(),
        ..ColumnTest::default()
    };
    if test == nothing {
        let message = format!(
            "The rule for `{}` checks nothing: it needs `required`, `type`, `min`, `max`, `length`, `pattern`, `one_of` or \
             `unique`.",
            test.column
        );
        reading.problem(place, &options.path("column"), message);
        return None;
    }
    Some(Test::Column(Box::new(test)))
}

fn read_truth(options: &mut Options<'_>, reading: &mut Reading, name: &str) -> bool {
    const WORDS: &[(&str, bool)] = &[("true", true), ("false", false), ("yes", true), ("no", false)];
    options.optional_choice(reading, name, WORDS).unwrap_or_default()
}

/// `length: 5`, or `length: {min: 1, max: 80}`.
fn read_length(options: &mut Options<'_>, reading: &mut Reading) -> Length {
    let Some(node) = options.take("length") else {
        return Length::default();
    };
    let (path, subject) = (options.path("length"), options.subject("length"));
    if matches!(node.value, Value::Map(_)) {
        let Some(mut ends) = reading.map(node, &path, &subject) else {
            return Length::default();
        };
        let mut end = |name: &str| {
            let node = ends.take(name)?;
            read_count(node, &ends.path(name), &ends.subject(name), reading)
        };
        let (min, max) = (end("min"), end("max"));
        ends.finish(reading, &["min", "max"]);
        if min.zip(max).is_some_and(|(min, max)| min > max) {
            reading.problem(node.place, &path, format!("{subject}: `min` is more than `max`."));
        }
        return Length { min, max };
    }
    let count = read_count(node, &path, &subject, reading);
    Length { min: count, max: count }
}

fn read_count(node: &Node, path: &str, subject: &str, reading: &mut Reading) -> Option<usize> {
    let text = reading.text(node, path, subject)?;
    let count = text.parse().ok();
    if count.is_none() {
        let message = format!("{subject} is a number of characters such as 5, not `{text}`.");
        reading.problem(node.place, path, message);
    }
    count
}
