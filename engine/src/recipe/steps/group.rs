//! `group`: one row per group, with totals.

use serde_json::{Value as Json, json};

use super::{Definition, OptionForm, OptionKind, enumerated, find_all};
use crate::recipe::columns::Column;
use crate::recipe::document::{Node, Reading, Value};
use crate::recipe::expression::{self, Totals};
use crate::recipe::plan::group::GroupPlan;
use crate::recipe::plan::operator::Operator;
use crate::recipe::problem::Problem;

/// Makes one row of all rows that are equal in some columns: those columns and totals. Groups come in the order of their
/// first rows. Without columns, all rows are one group; totals of no rows at all are one row, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The columns that make a group; may be empty.
    pub by: Vec<String>,
    /// New columns and their expressions over totals.
    pub totals: Vec<(String, String)>,
}

impl Group {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "group",
        title: "Group and total",
        about: "Makes one row of all rows that are equal in the chosen columns, with counts, sums and other totals.",
        options: &[
            OptionForm {
                name: "by",
                title: "Columns",
                kind: OptionKind::Columns,
                required: false,
                default: Some("[]"),
                about: "One row for each combination of these; without any, one row for the whole table.",
            },
            OptionForm {
                name: "totals",
                title: "Totals",
                kind: OptionKind::Totals,
                required: false,
                default: Some("{}"),
                about: "New columns such as revenue: sum(total). There are count, sum, avg, min, max, median, first and last.",
            },
        ],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`group`")?;
        let by = options.optional_texts(reading, "by").unwrap_or_default();
        let totals_path = options.path("totals");
        let totals = options
            .take("totals")
            .map(|node| read_totals(node, &totals_path, reading));
        let before = reading.problems.len();
        options.finish(reading, &["by", "totals"]);
        let totals = totals.unwrap_or_else(|| Some(Vec::new()))?;
        if by.is_empty() && totals.is_empty() {
            if reading.problems.len() == before {
                let message = "`group` needs columns in `by`, or `totals`, or both.";
                reading.problem(node.place, path, message);
            }
            return None;
        }
        Some(Self { by, totals })
    }

    pub(super) fn to_json(&self) -> Json {
        let totals = self
            .totals
            .iter()
            .map(|(name, total)| (name.clone(), json!(total)))
            .collect();
        json!({ "by": self.by, "totals": Json::Object(totals) })
    }

    pub(super) fn label(&self) -> String {
        let names: Vec<String> = self.totals.iter().map(|(name, _)| name.clone()).collect();
        match (self.by.is_empty(), names.is_empty()) {
            (true, _) => format!("Total {} over all rows", enumerated(&names)),
            (false, true) => format!("One row per {}", enumerated(&self.by)),
            (false, false) => format!("One row per {} with {}", enumerated(&self.by), enumerated(&names)),
        }
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        let (by, totals) = self.parts(columns)?;
        let mut after: Vec<Column> = by.iter().map(|position| columns[*position].clone()).collect();
        let mut problems = Vec::new();
        for ((name, _), total) in self.totals.iter().zip(&totals) {
            if after.iter().any(|column| column.name == *name) {
                let message = format!("There would be two columns called `{name}`.");
                problems.push(Problem::at(format!("totals.{name}"), message));
            }
            after.push(Column {
                format: total.format(columns),
                ..Column::made(name, total.kind())
            });
        }
        if problems.is_empty() { Ok(after) } else { Err(problems) }
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        let (by, totals) = self.parts(columns)?;
        Ok(Operator::Group(GroupPlan::new(by, totals, columns)))
    }

    fn parts(&self, columns: &[Column]) -> Result<(Vec<usize>, Vec<Totals>), Vec<Problem>> {
        let by = find_all(columns, &self.by, "by")?;
        let mut totals = Vec::with_capacity(self.totals.len());
        let mut problems = Vec::new();
        for (name, text) in &self.totals {
            match expression::totals(text, columns, &by) {
                Ok(total) => totals.push(total),
                Err(fault) => {
                    problems.push(Problem::at(format!("totals.{name}"), fault.message).with_span(fault.span));
                }
            }
        }
        if problems.is_empty() {
            Ok((by, totals))
        } else {
            Err(problems)
        }
    }
}

fn read_totals(node: &Node, path: &str, reading: &mut Reading) -> Option<Vec<(String, String)>> {
    reading.places.insert(path.to_owned(), node.place);
    let entries = match &node.value {
        Value::Map(entries) => entries.as_slice(),
        _ if node.is_null() => &[],
        _ => {
            let message = "`totals` of `group` expects new columns and totals: `{revenue: \"sum(total)\"}`.";
            reading.problem(node.place, path, message);
            return None;
        }
    };
    let read = |entry: &crate::recipe::document::Entry| {
        let subject = format!("The total `{}` of `group`", entry.key);
        let text = reading.text(&entry.node, &format!("{path}.{}", entry.key), &subject)?;
        Some((entry.key.clone(), text))
    };
    entries.iter().map(read).collect()
}
