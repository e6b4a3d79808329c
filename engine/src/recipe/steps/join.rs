//! `join`: what another table says about the same things.

use serde_json::{Value as Json, json};

use super::{Definition, OptionForm, OptionKind, enumerated, find_all, fresh_name, other_problem};
use crate::recipe::columns::{Column, find, of_table};
use crate::recipe::document::{Node, Options, Reading, Value};
use crate::recipe::plan::join::{JoinStep, KeyColumn};
use crate::recipe::plan::lookup::Lookup;
use crate::recipe::plan::operator::Operator;
use crate::recipe::plan::widen;
use crate::recipe::problem::Problem;
use crate::recipe::references::References;
use crate::tables::read::Table;

/// Looks up each row in another table: rows belong together where all the columns of `on` are alike. Whole numbers and
/// numbers are alike by value; a number and a text where the text is as the number shows. Blank cells match nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Join {
    /// The name of the other table.
    pub with: String,
    /// Pairs of columns: ours and theirs.
    pub on: Vec<(String, String)>,
    /// Which rows stay.
    pub kind: JoinKind,
    /// The columns of the other table to add; `None`: all but those of `on`.
    pub columns: Option<Vec<String>>,
    /// What several matches mean.
    pub several: Several,
}

/// Which rows stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JoinKind {
    /// All; what is added is blank where nothing matches.
    #[default]
    Left,
    /// Those with a match.
    Inner,
    /// Those with a match; rows of the other table that match nothing follow.
    Right,
    /// All; rows of the other table that match nothing follow.
    Full,
    /// Those with a match, and nothing is added.
    Semi,
    /// Those without a match.
    Anti,
}

impl JoinKind {
    /// The kinds by the words of the document.
    pub const WORDS: &[(&str, Self)] = &[
        ("left", Self::Left),
        ("inner", Self::Inner),
        ("right", Self::Right),
        ("full", Self::Full),
        ("semi", Self::Semi),
        ("anti", Self::Anti),
    ];
}

/// What several matches mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Several {
    /// A row for each of them.
    #[default]
    All,
    /// The first of them counts.
    First,
    /// The row is rejected.
    Reject,
}

impl Several {
    /// The choices by the words of the document.
    pub const WORDS: &[(&str, Self)] = &[("all", Self::All), ("first", Self::First), ("reject", Self::Reject)];
}

fn word_of<T: PartialEq>(words: &[(&'static str, T)], value: &T) -> &'static str {
    words.iter().find(|(_, it)| it == value).map_or("", |(word, _)| word)
}

impl Join {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "join",
        title: "Look up in another table",
        about: "Adds columns of another table to the rows that match, or keeps only rows with or without a match.",
        options: &[
            OptionForm {
                name: "with",
                title: "Other table",
                kind: OptionKind::Reference,
                required: true,
                default: None,
                about: "The name of the other table; a file is chosen for it when the recipe runs.",
            },
            OptionForm {
                name: "on",
                title: "Where these are alike",
                kind: OptionKind::JoinKeys,
                required: true,
                default: None,
                about: "Columns of this table, and the columns of the other one that they are compared with.",
            },
            OptionForm {
                name: "kind",
                title: "Rows that stay",
                kind: OptionKind::Choice(&["left", "inner", "right", "full", "semi", "anti"]),
                required: false,
                default: Some("\"left\""),
                about: "`left`: all of them; `inner`: those with a match; `right`: those, and below them rows of the other table that match nothing; `full`: all rows of both; `semi`: those with a match, without adding columns; `anti`: those without a match.",
            },
            OptionForm {
                name: "columns",
                title: "Columns to add",
                kind: OptionKind::Texts,
                required: false,
                default: None,
                about: "Columns of the other table; left out: all but those that are compared.",
            },
            OptionForm {
                name: "several",
                title: "Several matches",
                kind: OptionKind::Choice(&["all", "first", "reject"]),
                required: false,
                default: Some("\"all\""),
                about: "`all`: a row for each; `first`: the first one counts; `reject`: the row is rejected.",
            },
        ],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`join`")?;
        let with = options.required_text(reading, "with");
        let on = options.require(reading, "on");
        let on = on.and_then(|node| read_keys(node, &options, "on", reading));
        let kind = options.optional_choice(reading, "kind", JoinKind::WORDS);
        let columns = options.optional_texts(reading, "columns");
        let several = options.optional_choice(reading, "several", Several::WORDS);
        options.finish(reading, &["with", "on", "kind", "columns", "several"]);
        Some(Self {
            with: with?,
            on: on?,
            kind: kind.unwrap_or_default(),
            columns,
            several: several.unwrap_or_default(),
        })
    }

    pub(super) fn to_json(&self) -> Json {
        let mut object = json!({
            "with": self.with,
            "on": keys_json(&self.on),
            "kind": word_of(JoinKind::WORDS, &self.kind),
            "several": word_of(Several::WORDS, &self.several),
        });
        if let Some(columns) = &self.columns {
            object["columns"] = json!(columns);
        }
        object
    }

    pub(super) fn label(&self) -> String {
        let ours: Vec<String> = self.on.iter().map(|(ours, _)| ours.clone()).collect();
        let (by, with) = (enumerated(&ours), &self.with);
        match (self.kind, &self.columns) {
            (JoinKind::Left, Some(columns)) => format!("Look up {} in {with} by {by}", enumerated(columns)),
            (JoinKind::Left, None) => format!("Look up the columns of {with} by {by}"),
            (JoinKind::Inner, _) => format!("Keep rows that match {with} by {by}, and add its columns"),
            (JoinKind::Right, _) => format!("Keep rows that match {with} by {by}, and all rows of {with}"),
            (JoinKind::Full, _) => format!("Put rows of {with} beside those that match by {by}, and the others below"),
            (JoinKind::Semi, _) => format!("Keep rows that match {with} by {by}"),
            (JoinKind::Anti, _) => format!("Keep rows that match nothing in {with} by {by}"),
        }
    }

    pub(super) fn check(&self, columns: &[Column], references: &References) -> Result<Vec<Column>, Vec<Problem>> {
        let parts = self.parts(columns, references)?;
        Ok(self.after(columns, &parts))
    }

    /// `formats` are the number formats of the plan; those of the other table join them.
    pub(super) fn plan(
        &self,
        columns: &[Column],
        references: &References,
        formats: &mut Vec<String>,
    ) -> Result<Operator, Vec<Problem>> {
        let parts = self.parts(columns, references)?;
        let keys = match self.kind {
            JoinKind::Right | JoinKind::Full => key_columns(columns, &of_table(parts.table.meta()), &parts.on, formats),
            _ => Vec::new(),
        };
        Ok(Operator::step(JoinStep {
            lookup: Lookup::new(&self.with, parts.table, columns, (parts.on, parts.added), formats),
            kind: self.kind,
            several: self.several,
            keys,
        }))
    }

    fn parts<'a>(&self, columns: &[Column], references: &'a References) -> Result<Parts<'a>, Vec<Problem>> {
        let table = references
            .find(&self.with)
            .map_err(|sentence| vec![Problem::at("with", sentence)])?;
        let theirs = of_table(table.meta());
        let (on, mut problems) = key_pairs(columns, &theirs, &self.with, ("on", &self.on));
        let added = match &self.columns {
            _ if matches!(self.kind, JoinKind::Semi | JoinKind::Anti) => Ok(Vec::new()),
            Some(names) => find_all(&theirs, names, "columns"),
            None => Ok((0..theirs.len())
                .filter(|at| on.iter().all(|(_, their)| their != at))
                .collect()),
        };
        let added = added.unwrap_or_else(|found| {
            let of_other = |problem: Problem| other_problem(&self.with, &problem.path, &problem.message);
            problems.extend(found.into_iter().map(of_other));
            Vec::new()
        });
        if problems.is_empty() {
            Ok(Parts { table, on, added })
        } else {
            Err(problems)
        }
    }

    /// Ours, and those that are added; one whose name is taken is named after its table.
    fn after(&self, columns: &[Column], parts: &Parts<'_>) -> Vec<Column> {
        let theirs = of_table(parts.table.meta());
        let mut after = match self.kind {
            JoinKind::Right | JoinKind::Full => widened_keys(columns, &theirs, &parts.on),
            _ => columns.to_vec(),
        };
        for at in &parts.added {
            let column = &theirs[*at];
            let name = fresh_name(after.iter().map(|it| it.name.as_str()), &column.name, &self.with);
            after.push(Column {
                format: column.format.clone(),
                ..Column::made(&name, column.kind)
            });
        }
        after
    }
}

/// What the options stand for.
struct Parts<'a> {
    table: &'a Table,
    on: Vec<(usize, usize)>,
    added: Vec<usize>,
}

/// `[sku]`, or `{sku: code}`, as the option of this name.
pub(super) fn read_keys(
    node: &Node,
    options: &Options<'_>,
    option: &str,
    reading: &mut Reading,
) -> Option<Vec<(String, String)>> {
    let (path, subject) = (options.path(option), options.subject(option));
    let keys = match &node.value {
        Value::Map(entries) => {
            let read = |entry: &crate::recipe::document::Entry| {
                let theirs = reading.text(&entry.node, &format!("{path}.{}", entry.key), &subject)?;
                Some((entry.key.clone(), theirs))
            };
            entries.iter().map(read).collect::<Option<Vec<_>>>()?
        }
        _ => {
            let names = reading.texts(node, &path, &subject)?;
            names.into_iter().map(|name| (name.clone(), name)).collect()
        }
    };
    if keys.is_empty() {
        let message =
            format!("{subject} is empty: name the columns that must be alike, such as `[sku]` or `{{sku: code}}`.");
        reading.problem(node.place, &path, message);
        return None;
    }
    Some(keys)
}

/// Keys as they are written.
pub(super) fn keys_json(keys: &[(String, String)]) -> Json {
    if keys.iter().all(|(ours, theirs)| ours == theirs) {
        json!(keys.iter().map(|(ours, _)| ours).collect::<Vec<_>>())
    } else {
        keys.iter()
            .map(|(ours, theirs)| (ours.clone(), json!(theirs)))
            .collect()
    }
}

/// The positions of columns that must be alike, and what does not fit. `keys` are named by an option.
pub(super) fn key_pairs(
    columns: &[Column],
    theirs: &[Column],
    with: &str,
    (option, keys): (&str, &[(String, String)]),
) -> (Vec<(usize, usize)>, Vec<Problem>) {
    let (mut pairs, mut problems) = (Vec::with_capacity(keys.len()), Vec::new());
    for (our, their) in keys {
        match (find(columns, our), find(theirs, their)) {
            (Ok(our), Ok(their)) => pairs.push((our, their)),
            (our, their) => {
                problems.extend(our.err().map(|message| Problem::at(option, message)));
                problems.extend(their.err().map(|message| other_problem(with, option, &message)));
            }
        }
    }
    (pairs, problems)
}

/// Our columns where those of keys take in the keys of another table.
pub(super) fn widened_keys(columns: &[Column], theirs: &[Column], on: &[(usize, usize)]) -> Vec<Column> {
    let mut after = columns.to_vec();
    for (our, their) in on {
        after[*our] = widen::joined(&after[*our], &theirs[*their]);
    }
    after
}

/// The same for the plan.
pub(super) fn key_columns(
    columns: &[Column],
    theirs: &[Column],
    on: &[(usize, usize)],
    formats: &mut Vec<String>,
) -> Vec<KeyColumn> {
    let after = widened_keys(columns, theirs, on);
    let column = |(key, (ours, their)): (usize, &(usize, usize))| KeyColumn {
        ours: *ours,
        key,
        kind: after[*ours].kind,
        formats: (
            widen::place_of(columns[*ours].format.as_ref(), formats),
            widen::place_of(theirs[*their].format.as_ref(), formats),
        ),
        theirs: theirs[*their].clone(),
    };
    on.iter().enumerate().map(column).collect()
}
