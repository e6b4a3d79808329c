//! `compare`: what is new, gone and changed against an older table.

use serde_json::{Value as Json, json};

use super::join::{key_columns, key_pairs, keys_json, read_keys, widened_keys};
use super::{Definition, OptionForm, OptionKind, enumerated, fresh_name, other_problem};
use crate::recipe::columns::{Column, find, of_table};
use crate::recipe::document::{Node, Reading};
use crate::recipe::plan::compare::CompareStep;
use crate::recipe::plan::lookup::Lookup;
use crate::recipe::plan::operator::Operator;
use crate::recipe::plan::unique::UniquePlan;
use crate::recipe::problem::Problem;
use crate::recipe::references::References;
use crate::tables::ColumnKind;
use crate::tables::read::Table;

/// Compares rows with those of an older table that have the same key. Keys and values are compared as `join` compares keys;
/// two blank values are equal. Of rows with the same key the first counts, the others are rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The name of the old table.
    pub with: String,
    /// Pairs of columns that make a key: ours and theirs.
    pub by: Vec<(String, String)>,
    /// The columns that are compared; `None`: all that both have but those of the key.
    pub columns: Option<Vec<String>>,
    /// Which rows stay, in the order of [`Change::WORDS`].
    pub keep: Vec<Change>,
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The old table does not have it.
    Added,
    /// Only the old table has it.
    Removed,
    /// Some of its values are others.
    Changed,
    /// All its values are equal.
    Same,
}

impl Change {
    /// The changes by the words of the document.
    pub const WORDS: &[(&str, Self)] = &[
        ("added", Self::Added),
        ("removed", Self::Removed),
        ("changed", Self::Changed),
        ("same", Self::Same),
    ];

    /// The word of the document and of the result.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
            Self::Same => "same",
        }
    }
}

impl Comparison {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "compare",
        title: "Compare with an older table",
        about: "Says of each row whether it is added, removed, changed or the same, and shows old values beside the new ones.",
        options: &[
            OptionForm {
                name: "with",
                title: "Older table",
                kind: OptionKind::Reference,
                required: true,
                default: None,
                about: "The name of the older table; a file is chosen for it when the recipe runs.",
            },
            OptionForm {
                name: "by",
                title: "Rows are the same where these are alike",
                kind: OptionKind::JoinKeys,
                required: true,
                default: None,
                about: "Columns of this table that tell its rows apart, and the columns of the older one that they are compared with.",
            },
            OptionForm {
                name: "columns",
                title: "Columns to compare",
                kind: OptionKind::Columns,
                required: false,
                default: None,
                about: "Left out: all columns that both tables have.",
            },
            OptionForm {
                name: "keep",
                title: "Rows that stay",
                kind: OptionKind::Choices(&["added", "removed", "changed", "same"]),
                required: false,
                default: Some("[\"added\",\"removed\",\"changed\"]"),
                about: "`added`: only this table has them; `removed`: only the older one; `changed`: with other values; `same`: with the same values.",
            },
        ],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`compare`")?;
        let with = options.required_text(reading, "with");
        let by = options.require(reading, "by");
        let by = by.and_then(|node| read_keys(node, &options, "by", reading));
        let columns = options.optional_texts(reading, "columns");
        let keep = options.optional_choices(reading, "keep", Change::WORDS);
        options.finish(reading, &["with", "by", "columns", "keep"]);
        let keep = keep.filter(|keep| !keep.is_empty());
        let keep = keep.unwrap_or_else(|| vec![Change::Added, Change::Removed, Change::Changed]);
        let in_order = Change::WORDS.iter().map(|(_, change)| *change);
        Some(Self {
            with: with?,
            by: by?,
            columns,
            keep: in_order.filter(|change| keep.contains(change)).collect(),
        })
    }

    pub(super) fn to_json(&self) -> Json {
        let mut object = json!({
            "with": self.with,
            "by": keys_json(&self.by),
            "keep": self.keep.iter().map(|change| change.word()).collect::<Vec<_>>(),
        });
        if let Some(columns) = &self.columns {
            object["columns"] = json!(columns);
        }
        object
    }

    pub(super) fn label(&self) -> String {
        let by: Vec<String> = self.by.iter().map(|(ours, _)| ours.clone()).collect();
        match &self.columns {
            None => format!("Compare with {} by {}", self.with, enumerated(&by)),
            Some(columns) => format!(
                "Compare {} with {} by {}",
                enumerated(columns),
                self.with,
                enumerated(&by)
            ),
        }
    }

    pub(super) fn check(&self, columns: &[Column], references: &References) -> Result<Vec<Column>, Vec<Problem>> {
        let parts = self.parts(columns, references)?;
        let theirs = of_table(parts.table.meta());
        let widened = widened_keys(columns, &theirs, &parts.by);
        let mut after: Vec<Column> = Vec::new();
        let mut names: Vec<String> = widened.iter().map(|column| column.name.clone()).collect();
        let mut made = |name: &str| {
            let name = fresh_name(names.iter().map(String::as_str), name, &self.with);
            names.push(name.clone());
            name
        };
        for name in ["change", "changed columns"] {
            after.push(Column::made(&made(name), ColumnKind::Text));
        }
        for (position, column) in widened.iter().enumerate() {
            after.push(column.clone());
            if let Some((_, their)) = parts.compared.iter().find(|(our, _)| *our == position) {
                after.push(Column {
                    format: theirs[*their].format.clone(),
                    ..Column::made(&made(&format!("{} (old)", column.name)), theirs[*their].kind)
                });
            }
        }
        Ok(after)
    }

    /// `formats` are the number formats of the plan; those of the old table join them.
    pub(super) fn plan(
        &self,
        columns: &[Column],
        references: &References,
        formats: &mut Vec<String>,
    ) -> Result<Operator, Vec<Problem>> {
        let Parts { table, by, compared } = self.parts(columns, references)?;
        let key = by.iter().map(|(ours, _)| *ours).collect();
        let (ours, held) = compared.into_iter().unzip();
        let step = CompareStep {
            keys: key_columns(columns, &of_table(table.meta()), &by, formats),
            lookup: Lookup::new(&self.with, table, columns, (by, held), formats),
            compared: ours,
            keep: self.keep.clone(),
        };
        Ok(Operator::Unique(UniquePlan::new(vec![key], step)))
    }

    fn parts<'a>(&self, columns: &[Column], references: &'a References) -> Result<Parts<'a>, Vec<Problem>> {
        let table = references
            .find(&self.with)
            .map_err(|sentence| vec![Problem::at("with", sentence)])?;
        let theirs = of_table(table.meta());
        let (by, mut problems) = key_pairs(columns, &theirs, &self.with, ("by", &self.by));
        let (is_key, is_their_key) = (
            |at: usize| by.iter().any(|(ours, _)| *ours == at),
            |at: usize| by.iter().any(|(_, theirs)| *theirs == at),
        );
        let mut compared: Vec<(usize, usize)> = Vec::new();
        match &self.columns {
            None => {
                let both = columns.iter().enumerate().filter_map(|(ours, column)| {
                    let their = theirs.iter().position(|it| it.name == column.name)?;
                    (!is_key(ours) && !is_their_key(their)).then_some((ours, their))
                });
                compared.extend(both);
            }
            Some(names) => {
                for (index, name) in names.iter().enumerate() {
                    let option = format!("columns[{index}]");
                    match (find(columns, name), find(&theirs, name)) {
                        (Ok(ours), Ok(_)) if is_key(ours) || compared.iter().any(|(it, _)| *it == ours) => {
                            let message = format!("The column `{name}` is compared already: leave it out here.");
                            problems.push(Problem::at(option, message));
                        }
                        (Ok(ours), Ok(theirs)) => compared.push((ours, theirs)),
                        (ours, theirs) => {
                            problems.extend(ours.err().map(|message| Problem::at(&option, message)));
                            problems.extend(theirs.err().map(|message| other_problem(&self.with, &option, &message)));
                        }
                    }
                }
            }
        }
        if problems.is_empty() {
            Ok(Parts { table, by, compared })
        } else {
            Err(problems)
        }
    }
}

/// What the options stand for.
struct Parts<'a> {
    table: &'a Table,
    by: Vec<(usize, usize)>,
    compared: Vec<(usize, usize)>,
}
