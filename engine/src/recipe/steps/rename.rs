//! `rename`: give columns other names.

use serde_json::{Value as Json, json};

use super::{Definition, OptionForm, OptionKind};
use crate::recipe::columns::{Column, find};
use crate::recipe::document::{Node, Reading, Value};
use crate::recipe::plan::operator::{Operator, Unchanged};
use crate::recipe::problem::Problem;

/// Gives columns other names, all at once: `{a: b, b: a}` swaps two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    /// Old and new names.
    pub names: Vec<(String, String)>,
}

impl Rename {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "rename",
        title: "Rename columns",
        about: "Gives columns other names.",
        options: &[OptionForm {
            name: "columns",
            title: "Names",
            kind: OptionKind::Renames,
            required: true,
            default: None,
            about: "The name of each column now, and its new name.",
        }],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        reading.places.insert(path.to_owned(), node.place);
        let entries = match &node.value {
            Value::Map(entries) if !entries.is_empty() => entries,
            _ => {
                let message = "`rename` expects old and new names: `rename: {\"Order ID\": id}`.";
                reading.problem(node.place, path, message);
                return None;
            }
        };
        let mut names = Vec::with_capacity(entries.len());
        for entry in entries {
            let path = format!("{path}.{}", entry.key);
            let new = reading.text(
                &entry.node,
                &path,
                &format!("The new name of `{}` in `rename`", entry.key),
            )?;
            if new.trim().is_empty() {
                reading.problem(
                    entry.node.place,
                    &path,
                    format!("`rename`: the new name of `{}` is empty.", entry.key),
                );
                return None;
            }
            names.push((entry.key.clone(), new));
        }
        Some(Self { names })
    }

    pub(super) fn to_json(&self) -> Json {
        Json::Object(self.names.iter().map(|(old, new)| (old.clone(), json!(new))).collect())
    }

    pub(super) fn label(&self) -> String {
        match self.names.as_slice() {
            [(old, new)] => format!("Rename {old} to {new}"),
            names => format!("Rename {} columns", names.len()),
        }
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        let mut after = columns.to_vec();
        let mut problems = Vec::new();
        for (old, new) in &self.names {
            match find(columns, old) {
                Ok(position) => after[position].name.clone_from(new),
                Err(message) => problems.push(Problem::at(old.clone(), message)),
            }
        }
        for (old, new) in &self.names {
            if problems.is_empty() && after.iter().filter(|column| column.name == *new).count() > 1 {
                let message = format!("There would be two columns called `{new}`.");
                problems.push(Problem::at(old.clone(), message));
            }
        }
        if problems.is_empty() { Ok(after) } else { Err(problems) }
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        self.check(columns)?;
        // Names are not part of the rows, so nothing is left to do.
        Ok(Operator::step(Unchanged))
    }
}
