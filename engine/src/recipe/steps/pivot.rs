//! `pivot`: turn rows into columns.

use serde_json::{Value as Json, json};

use super::{Definition, Group, OptionForm, OptionKind, enumerated};
use crate::recipe::columns::{Column, find, kind_words};
use crate::recipe::document::{Node, Reading};
use crate::recipe::expression;
use crate::recipe::plan::guard::Guard;
use crate::recipe::plan::operator::Operator;
use crate::recipe::problem::Problem;
use crate::tables::ColumnKind;

/// Makes one row of all rows that are equal in some columns, with a column for each of some names: the total of the values in
/// rows of that name. The names are listed, since the columns must be known before the rows are gone through; a row with
/// another name is rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pivot {
    /// The columns that make a row.
    pub rows: Vec<String>,
    /// The column whose cells become columns.
    pub names: String,
    /// Those of its cells that do, in the order of the columns.
    pub columns: Vec<String>,
    /// The column that is totalled.
    pub values: String,
    /// How.
    pub total: PivotTotal,
}

/// How values are totalled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PivotTotal {
    /// Added up.
    #[default]
    Sum,
    /// How many there are.
    Count,
    /// Their mean.
    Average,
    /// The smallest.
    Min,
    /// The greatest.
    Max,
    /// The first.
    First,
    /// The last.
    Last,
}

const TOTALS: &[(&str, PivotTotal)] = &[
    ("sum", PivotTotal::Sum),
    ("count", PivotTotal::Count),
    ("avg", PivotTotal::Average),
    ("min", PivotTotal::Min),
    ("max", PivotTotal::Max),
    ("first", PivotTotal::First),
    ("last", PivotTotal::Last),
];

/// Columns that can be made at most.
const MOST_COLUMNS: usize = 1000;

impl Pivot {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "pivot",
        title: "Turn rows into columns",
        about: "Makes one row of all rows that are equal in the chosen columns, with a column for each name and its total.",
        options: &[
            OptionForm {
                name: "rows",
                title: "One row for each",
                kind: OptionKind::Columns,
                required: true,
                default: None,
                about: "One row for each combination of these.",
            },
            OptionForm {
                name: "names",
                title: "Names are in",
                kind: OptionKind::Column,
                required: true,
                default: None,
                about: "The column whose cells become the names of columns.",
            },
            OptionForm {
                name: "columns",
                title: "Names",
                kind: OptionKind::Texts,
                required: true,
                default: None,
                about: "The names that become columns, such as Q1, Q2, Q3, Q4; a row with another name is rejected.",
            },
            OptionForm {
                name: "values",
                title: "Values are in",
                kind: OptionKind::Column,
                required: true,
                default: None,
                about: "The column that is totalled.",
            },
            OptionForm {
                name: "total",
                title: "Total",
                kind: OptionKind::Choice(&["sum", "count", "avg", "min", "max", "first", "last"]),
                required: false,
                default: Some("\"sum\""),
                about: "What becomes of several values of the same name.",
            },
        ],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`pivot`")?;
        let rows = options.required_texts(reading, "rows");
        let names = options.required_text(reading, "names");
        let columns = options.required_texts(reading, "columns");
        let values = options.required_text(reading, "values");
        let total = options.optional_choice(reading, "total", TOTALS).unwrap_or_default();
        options.finish(reading, &["rows", "names", "columns", "values", "total"]);
        let columns = columns?;
        if columns.is_empty() || columns.len() > MOST_COLUMNS {
            let message = format!("`columns` of `pivot` lists names, at least one and at most {MOST_COLUMNS}.");
            reading.problem(node.place, &format!("{path}.columns"), message);
            return None;
        }
        Some(Self {
            rows: rows?,
            names: names?,
            columns,
            values: values?,
            total,
        })
    }

    pub(super) fn to_json(&self) -> Json {
        json!({
            "rows": self.rows,
            "names": self.names,
            "columns": self.columns,
            "values": self.values,
            "total": self.word(),
        })
    }

    fn word(&self) -> &'static str {
        TOTALS
            .iter()
            .find(|(_, total)| *total == self.total)
            .map_or("", |(word, _)| *word)
    }

    pub(super) fn label(&self) -> String {
        let total = match self.total {
            PivotTotal::Sum => "the sum",
            PivotTotal::Count => "the count",
            PivotTotal::Average => "the mean",
            PivotTotal::Min => "the smallest",
            PivotTotal::Max => "the greatest",
            PivotTotal::First => "the first",
            PivotTotal::Last => "the last",
        };
        let rows = match self.rows.is_empty() {
            true => "one row".into(),
            false => format!("one row per {}", enumerated(&self.rows)),
        };
        let (names, values) = (enumerated(&self.columns), &self.values);
        format!(
            "Turn {} into columns {names} with {total} of {values}, {rows}",
            self.names
        )
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        self.group(columns)?.check(columns).map_err(|it| self.ours(it))
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        let operator = self.group(columns)?.plan(columns).map_err(|it| self.ours(it))?;
        let names = find(columns, &self.names).map_err(|message| vec![Problem::at("names", message)])?;
        let literals = self.literals(&columns[names])?;
        let condition = format!("{} in ({})", quoted(&self.names, '"'), literals.join(", "));
        let condition =
            expression::condition(&condition, columns).map_err(|fault| vec![Problem::at("columns", fault.message)])?;
        let Operator::Group(group) = operator else {
            return Ok(operator);
        };
        Ok(Operator::Group(group.guarded(Guard {
            condition,
            column: names,
            format: columns[names].format.clone(),
            rule: "pivot",
            wanted: "among the names that become columns",
        })))
    }

    /// The same as a grouping: each column is a total of the values where the name is the column's.
    fn group(&self, columns: &[Column]) -> Result<Group, Vec<Problem>> {
        let mut problems = Vec::new();
        let names = find(columns, &self.names).map_err(|message| problems.push(Problem::at("names", message)));
        let values = find(columns, &self.values).map_err(|message| problems.push(Problem::at("values", message)));
        let (Ok(names), Ok(values)) = (names, values) else {
            return Err(problems);
        };
        self.check_values(&columns[values])?;
        let (column, value) = (quoted(&self.names, '"'), quoted(&self.values, '"'));
        let total = |(name, literal): (&String, String)| {
            let total = format!("{}(case when {column} = {literal} then {value} end)", self.word());
            (name.clone(), total)
        };
        let literals = self.literals(&columns[names])?;
        Ok(Group {
            by: self.rows.clone(),
            totals: self.columns.iter().zip(literals).map(total).collect(),
        })
    }

    /// Sums and means are of numbers.
    fn check_values(&self, values: &Column) -> Result<(), Vec<Problem>> {
        use ColumnKind::{Blank, Decimal, Integer, Mixed};
        let adds = matches!(self.total, PivotTotal::Sum | PivotTotal::Average);
        if !adds || matches!(values.kind, Blank | Decimal | Integer | Mixed) {
            return Ok(());
        }
        let message = format!(
            "The column `{}` holds {}, and `total: {}` needs numbers: put a `convert` step before, or choose another total.",
            values.name,
            kind_words(values.kind),
            self.word()
        );
        Err(vec![Problem::at("values", message)])
    }

    /// The names as they stand in an expression.
    fn literals(&self, names: &Column) -> Result<Vec<String>, Vec<Problem>> {
        let literal = |(index, name): (usize, &String)| {
            let literal = match names.kind {
                ColumnKind::Integer | ColumnKind::Decimal => {
                    let number = name.trim().parse().ok().filter(|number: &f64| number.is_finite());
                    number.map(|_| name.trim().to_owned())
                }
                ColumnKind::Boolean => Some(name.trim().to_lowercase()).filter(|it| it == "true" || it == "false"),
                _ => Some(quoted(name, '\'')),
            };
            literal.ok_or_else(|| {
                let (column, words) = (&names.name, kind_words(names.kind));
                let message = format!("`{name}` cannot be in the column `{column}`, which holds {words}.");
                Problem::at(format!("columns[{index}]"), message)
            })
        };
        let literals: Result<Vec<String>, Problem> = self.columns.iter().enumerate().map(literal).collect();
        literals.map_err(|problem| vec![problem])
    }

    /// Problems of the grouping as problems of our options.
    fn ours(&self, problems: Vec<Problem>) -> Vec<Problem> {
        let ours = |problem: Problem| {
            if let Some(index) = problem.path.strip_prefix("by") {
                return Problem::at(format!("rows{index}"), problem.message);
            }
            let name = problem.path.strip_prefix("totals.").unwrap_or_default();
            match self.columns.iter().position(|column| column == name) {
                Some(index) if problem.span.is_none() => Problem::at(format!("columns[{index}]"), problem.message),
                _ => Problem::at("values", problem.message),
            }
        };
        problems.into_iter().map(ours).collect()
    }
}

/// A text in quotes, those in it doubled.
fn quoted(text: &str, quote: char) -> String {
    let doubled = text.replace(quote, &format!("{quote}{quote}"));
    format!("{quote}{doubled}{quote}")
}
