//! `unpivot`: turn columns into rows.

use serde_json::{Value as Json, json};

use super::{Definition, OptionForm, OptionKind, enumerated, find_all};
use crate::recipe::columns::Column;
use crate::recipe::document::{Node, Reading};
use crate::recipe::plan::operator::Operator;
use crate::recipe::plan::unpivot::{BlankCells, UnpivotStep};
use crate::recipe::problem::Problem;
use crate::tables::ColumnKind;

/// Makes of each row one for each of some columns: the other columns, the column's name, and its cell. The rows of a row stand
/// together, in the order of the columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpivot {
    /// The columns that are turned.
    pub turn: Turn,
    /// The new column of their names.
    pub names: String,
    /// The new column of their cells.
    pub values: String,
    /// What becomes of blank cells.
    pub blanks: BlankCells,
}

/// Which columns are turned into rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// These.
    Columns(Vec<String>),
    /// All but these.
    AllBut(Vec<String>),
}

const BLANKS: &[(&str, BlankCells)] = &[("keep", BlankCells::Keep), ("leave_out", BlankCells::LeaveOut)];

impl Unpivot {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "unpivot",
        title: "Turn columns into rows",
        about: "Makes of each row one for each of the chosen columns, such as one a month, with the column's name and its cell.",
        options: &[
            OptionForm {
                name: "columns",
                title: "Columns",
                kind: OptionKind::Columns,
                required: false,
                default: None,
                about: "The columns that become rows. Either this or `keep`.",
            },
            OptionForm {
                name: "keep",
                title: "All columns but",
                kind: OptionKind::Columns,
                required: false,
                default: None,
                about: "The columns that stay as they are; all others become rows. Either this or `columns`.",
            },
            OptionForm {
                name: "names",
                title: "Names go to",
                kind: OptionKind::NewColumn,
                required: false,
                default: Some("\"column\""),
                about: "The new column that says which column a row is from.",
            },
            OptionForm {
                name: "values",
                title: "Cells go to",
                kind: OptionKind::NewColumn,
                required: false,
                default: Some("\"value\""),
                about: "The new column of the cells.",
            },
            OptionForm {
                name: "blanks",
                title: "Blank cells",
                kind: OptionKind::Choice(&["keep", "leave_out"]),
                required: false,
                default: Some("\"keep\""),
                about: "`keep`: a blank cell is a row, too; `leave_out`: it is not.",
            },
        ],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`unpivot`")?;
        let columns = options.optional_texts(reading, "columns");
        let keep = options.optional_texts(reading, "keep");
        let names = options.optional_text(reading, "names");
        let values = options.optional_text(reading, "values");
        let blanks = options.optional_choice(reading, "blanks", BLANKS).unwrap_or_default();
        let before = reading.problems.len();
        options.finish(reading, &["columns", "keep", "names", "values", "blanks"]);
        let turn = match (columns, keep) {
            (Some(columns), None) if !columns.is_empty() => Turn::Columns(columns),
            (None, Some(keep)) => Turn::AllBut(keep),
            (Some(_), Some(_)) => {
                let message = "`unpivot` has both `columns` and `keep`; one of them is enough.";
                reading.problem(node.place, path, message);
                return None;
            }
            _ => {
                if reading.problems.len() == before {
                    let message = "`unpivot` needs `columns` that become rows, or `keep` with those that do not.";
                    reading.problem(node.place, path, message);
                }
                return None;
            }
        };
        Some(Self {
            turn,
            names: names.unwrap_or_else(|| "column".into()),
            values: values.unwrap_or_else(|| "value".into()),
            blanks,
        })
    }

    pub(super) fn to_json(&self) -> Json {
        let (option, columns) = match &self.turn {
            Turn::Columns(columns) => ("columns", columns),
            Turn::AllBut(keep) => ("keep", keep),
        };
        let blanks = match self.blanks {
            BlankCells::Keep => "keep",
            BlankCells::LeaveOut => "leave_out",
        };
        json!({ option: columns, "names": self.names, "values": self.values, "blanks": blanks })
    }

    pub(super) fn label(&self) -> String {
        let columns = match &self.turn {
            Turn::Columns(columns) => enumerated(columns),
            Turn::AllBut(keep) if keep.is_empty() => "all columns".into(),
            Turn::AllBut(keep) => format!("all columns but {}", enumerated(keep)),
        };
        format!("Turn {columns} into rows with {} and {}", self.names, self.values)
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        let (keep, turned) = self.positions(columns)?;
        let mut after: Vec<Column> = keep.iter().map(|position| columns[*position].clone()).collect();
        let mut problems = Vec::new();
        let values = Column {
            format: common_format(columns, &turned),
            ..Column::made(&self.values, kind_of(columns, &turned))
        };
        for (option, made) in [
            ("names", Column::made(&self.names, ColumnKind::Text)),
            ("values", values),
        ] {
            if made.name.trim().is_empty() {
                problems.push(Problem::at(option, "The column needs a name."));
            } else if after.iter().any(|column| column.name == made.name) {
                let message = format!("There would be two columns called `{}`.", made.name);
                problems.push(Problem::at(option, message));
            }
            after.push(made);
        }
        if problems.is_empty() { Ok(after) } else { Err(problems) }
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        let (keep, turned) = self.positions(columns)?;
        Ok(Operator::step(UnpivotStep {
            kind: kind_of(columns, &turned),
            keep,
            turned,
            blanks: self.blanks,
            before: columns.to_vec(),
        }))
    }

    /// The columns that stay and those that are turned.
    fn positions(&self, columns: &[Column]) -> Result<(Vec<usize>, Vec<usize>), Vec<Problem>> {
        let others = |these: &[usize]| (0..columns.len()).filter(|it| !these.contains(it)).collect();
        let (keep, turned): (Vec<usize>, Vec<usize>) = match &self.turn {
            Turn::Columns(names) => {
                let turned = find_all(columns, names, "columns")?;
                (others(&turned), turned)
            }
            Turn::AllBut(names) => {
                let keep = find_all(columns, names, "keep")?;
                let turned = others(&keep);
                (keep, turned)
            }
        };
        if turned.is_empty() {
            return Err(vec![Problem::at("keep", "No column is left that could become rows.")]);
        }
        Ok((keep, turned))
    }
}

/// The kind that holds the cells of all of these columns.
fn kind_of(columns: &[Column], turned: &[usize]) -> ColumnKind {
    turned
        .iter()
        .map(|position| columns[*position].kind)
        .fold(ColumnKind::Blank, ColumnKind::join)
}

/// The number format of all of these columns, where they have the same one.
fn common_format(columns: &[Column], turned: &[usize]) -> Option<String> {
    let kind = kind_of(columns, turned);
    let mut formats = turned.iter().filter_map(|position| {
        let column = &columns[*position];
        (column.kind != ColumnKind::Blank).then_some((column.kind, &column.format))
    });
    let (_, first) = formats.next()?;
    let same = kind != ColumnKind::Mixed && formats.all(|(of, format)| of == kind && format == first);
    first.clone().filter(|_| same)
}
