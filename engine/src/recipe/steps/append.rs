//! `append`: the rows of another table below ours.

use serde_json::{Value as Json, json};

use super::join::read_keys;
use super::{Definition, OptionForm, OptionKind, fresh_name, other_problem};
use crate::recipe::columns::{Column, find, of_table};
use crate::recipe::document::{Node, Reading};
use crate::recipe::plan::append::{AppendStep, AppendedColumn, Cells, SourceStep};
use crate::recipe::plan::lookup::places;
use crate::recipe::plan::operator::{Operator, Unchanged};
use crate::recipe::plan::widen;
use crate::recipe::problem::Problem;
use crate::recipe::references::References;
use crate::tables::ColumnKind;
use crate::tables::read::Table;

/// Puts the rows of another table below ours, by the names of columns: first those that `columns` names, then those of the
/// same name, then those whose names differ by case and blanks around alone. Without another table: the rows of all files of
/// a run are put together, and the rows of one file stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Append {
    /// The name of the other table; `None`: all files of the run.
    pub with: Option<String>,
    /// Pairs of columns: theirs and ours.
    pub columns: Vec<(String, String)>,
    /// What becomes of their other columns.
    pub others: OtherColumns,
    /// The name of a column that says where a row is from.
    pub source: Option<String>,
}

/// What becomes of columns of the other table that we do not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OtherColumns {
    /// They are added.
    #[default]
    Keep,
    /// They are left out.
    Drop,
}

impl OtherColumns {
    /// The choices by the words of the document.
    pub const WORDS: &[(&str, Self)] = &[("keep", Self::Keep), ("drop", Self::Drop)];
}

impl Append {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "append",
        title: "Put another table below",
        about: "Puts the rows of another table, or of all files of a run, below each other, column by column of the same name.",
        options: &[
            OptionForm {
                name: "with",
                title: "Other table",
                kind: OptionKind::Reference,
                required: false,
                default: None,
                about: "The name of the other table; left out: the rows of all files of the run are put together.",
            },
            OptionForm {
                name: "columns",
                title: "Columns that go together",
                kind: OptionKind::OtherColumns,
                required: false,
                default: None,
                about: "Columns of the other table, and the columns of this one that they go into; columns of the same name need not be named.",
            },
            OptionForm {
                name: "others",
                title: "Columns that only the other table has",
                kind: OptionKind::Choice(&["keep", "drop"]),
                required: false,
                default: Some("\"keep\""),
                about: "`keep`: they are added; `drop`: they are left out.",
            },
            OptionForm {
                name: "source",
                title: "Column for where rows are from",
                kind: OptionKind::NewColumn,
                required: false,
                default: None,
                about: "A column that is filled with the name of the file or table that each row is from.",
            },
        ],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`append`")?;
        let with = options.optional_text(reading, "with");
        let columns = match options.take("columns") {
            None => Some(Vec::new()),
            Some(node) => read_keys(node, &options, "columns", reading),
        };
        let others = options.optional_choice(reading, "others", OtherColumns::WORDS);
        let source = options.optional_text(reading, "source");
        options.finish(reading, &["with", "columns", "others", "source"]);
        Some(Self {
            with,
            columns: columns?,
            others: others.unwrap_or_default(),
            source,
        })
    }

    pub(super) fn to_json(&self) -> Json {
        let others = match self.others {
            OtherColumns::Keep => "keep",
            OtherColumns::Drop => "drop",
        };
        let mut object = json!({ "others": others });
        if let Some(with) = &self.with {
            object["with"] = json!(with);
        }
        if !self.columns.is_empty() {
            let pairs = self.columns.iter();
            object["columns"] = pairs.map(|(theirs, ours)| (theirs.clone(), json!(ours))).collect();
        }
        if let Some(source) = &self.source {
            object["source"] = json!(source);
        }
        object
    }

    pub(super) fn label(&self) -> String {
        match &self.with {
            None => "Put the rows of all files together".to_owned(),
            Some(with) => format!("Put the rows of {with} below"),
        }
    }

    pub(super) fn check(&self, columns: &[Column], references: &References) -> Result<Vec<Column>, Vec<Problem>> {
        let Some(with) = &self.with else {
            let source = self.new_source(columns)?;
            let made = source.map(|name| Column::made(name, ColumnKind::Text));
            return Ok(columns.iter().cloned().chain(made).collect());
        };
        Ok(self
            .layout(with, columns, references)?
            .1
            .into_iter()
            .map(|column| column.after)
            .collect())
    }

    /// `formats` are the number formats of the plan; those of the other table join them.
    pub(super) fn plan(
        &self,
        columns: &[Column],
        references: &References,
        formats: &mut Vec<String>,
    ) -> Result<Operator, Vec<Problem>> {
        let Some(with) = &self.with else {
            return Ok(match self.new_source(columns)? {
                None => Operator::step(Unchanged),
                Some(_) => Operator::step(SourceStep {
                    file: references.own().to_owned(),
                }),
            });
        };
        let (table, layout) = self.layout(with, columns, references)?;
        let theirs = of_table(table.meta());
        let own = references.own();
        let columns = layout.into_iter().map(|Laid { after, ours, from }| {
            let cells = |at: Option<usize>, of: &[Column], formats: &mut Vec<String>| {
                at.and_then(|position| of.get(position).map(|column| (position, column)))
                    .map_or(Cells::Blank, |(position, column)| Cells::Of {
                        position,
                        column: column.clone(),
                        format: widen::place_of(column.format.as_ref(), formats),
                    })
            };
            let our_cells = match from {
                Theirs::Source if ours.is_none() && !own.is_empty() => Cells::Text(own.to_owned()),
                _ => cells(ours, columns, formats),
            };
            let their_cells = match from {
                Theirs::Nothing => Cells::Blank,
                Theirs::Column(position) => cells(Some(position), &theirs, formats),
                Theirs::Source => Cells::Text(with.clone()),
            };
            AppendedColumn {
                kind: after.kind,
                ours: our_cells,
                theirs: their_cells,
            }
        });
        Ok(Operator::step(AppendStep {
            name: with.clone(),
            table: table.clone(),
            columns: columns.collect(),
            formats: places(table, formats),
        }))
    }

    /// The column that says where rows are from, where it is not there already: a file alone has it as several have.
    fn new_source(&self, columns: &[Column]) -> Result<Option<&str>, Vec<Problem>> {
        match self.source.as_deref() {
            Some(name) if name.trim().is_empty() => Err(vec![Problem::at("source", "The column needs a name.")]),
            Some(name) if columns.iter().all(|column| column.name != name) => Ok(Some(name)),
            _ => Ok(None),
        }
    }

    /// The other table, and the columns after the step.
    fn layout<'a>(
        &self,
        with: &str,
        columns: &[Column],
        references: &'a References,
    ) -> Result<(&'a Table, Vec<Laid>), Vec<Problem>> {
        let table = references
            .find(with)
            .map_err(|sentence| vec![Problem::at("with", sentence)])?;
        let theirs = of_table(table.meta());
        let taken = self.taken(with, columns, &theirs)?;
        let lay = |(position, ours): (usize, &Column)| {
            let from = taken.iter().position(|it| *it == Some(position));
            Laid {
                after: from.map_or_else(|| ours.clone(), |from| widen::joined(ours, &theirs[from])),
                ours: Some(position),
                from: from.map_or(Theirs::Nothing, Theirs::Column),
            }
        };
        let mut layout: Vec<Laid> = columns.iter().enumerate().map(lay).collect();
        for (position, column) in theirs.iter().enumerate() {
            if taken[position].is_none() && self.others == OtherColumns::Keep {
                let name = fresh_name(layout.iter().map(|it| it.after.name.as_str()), &column.name, with);
                let format = column.format.clone();
                let after = Column {
                    format,
                    ..Column::made(&name, column.kind)
                };
                layout.push(Laid {
                    after,
                    ours: None,
                    from: Theirs::Column(position),
                });
            }
        }
        self.lay_source(&mut layout)?;
        Ok((table, layout))
    }

    /// The column that says where a row is from. One that is there already, such as that of an earlier `append`, keeps what it
    /// says of our rows.
    fn lay_source(&self, layout: &mut Vec<Laid>) -> Result<(), Vec<Problem>> {
        let Some(name) = &self.source else { return Ok(()) };
        if name.trim().is_empty() {
            return Err(vec![Problem::at("source", "The column needs a name.")]);
        }
        let texts = Column::made(name, ColumnKind::Text);
        match layout.iter_mut().find(|it| it.after.name == *name) {
            None => layout.push(Laid {
                after: texts,
                ours: None,
                from: Theirs::Source,
            }),
            Some(laid) if laid.from == Theirs::Nothing => {
                laid.after = widen::joined(&laid.after, &texts);
                laid.from = Theirs::Source;
            }
            Some(_) => {
                let message = format!("The other table has a column `{name}` already: choose another name.");
                return Err(vec![Problem::at("source", message)]);
            }
        }
        Ok(())
    }

    /// For each of their columns the one of ours that it goes into.
    fn taken(&self, with: &str, ours: &[Column], theirs: &[Column]) -> Result<Vec<Option<usize>>, Vec<Problem>> {
        let (mut taken, mut problems) = (vec![None; theirs.len()], Vec::new());
        for (their, our) in &self.columns {
            match (find(theirs, their), find(ours, our)) {
                (Ok(_), Ok(our_at)) if taken.contains(&Some(our_at)) => {
                    let message = format!("Two columns are to go into `{our}`: only one can.");
                    problems.push(Problem::at("columns", message));
                }
                (Ok(their), Ok(our)) => taken[their] = Some(our),
                (their, our) => {
                    problems.extend(their.err().map(|message| other_problem(with, "columns", &message)));
                    problems.extend(our.err().map(|message| Problem::at("columns", message)));
                }
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let alike: [fn(&str, &str) -> bool; 2] = [
            |their, our| their == our,
            |their, our| their.trim().to_lowercase() == our.trim().to_lowercase(),
        ];
        for is_alike in alike {
            for (position, their) in theirs.iter().enumerate() {
                if taken[position].is_none() {
                    let mut free = (0..ours.len()).filter(|our| !taken.contains(&Some(*our)));
                    taken[position] = free.find(|our| is_alike(&their.name, &ours[*our].name));
                }
            }
        }
        Ok(taken)
    }
}

/// A column after the step.
struct Laid {
    after: Column,
    /// Our column.
    ours: Option<usize>,
    from: Theirs,
}

/// What stands in it in rows of the other table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Theirs {
    Nothing,
    Column(usize),
    Source,
}
