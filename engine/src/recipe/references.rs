//! Other tables that a recipe calls by name.

use std::collections::BTreeMap;

use super::problem::{did_you_mean, listed};
use crate::tables::read::Table;

/// The tables by the names that the recipe gives them.
#[derive(Clone, Debug, Default)]
pub struct References {
    tables: BTreeMap<String, Table>,
    own: String,
}

impl References {
    /// These tables.
    #[must_use]
    pub fn new(tables: BTreeMap<String, Table>) -> Self {
        Self {
            tables,
            own: String::new(),
        }
    }

    /// The same for a recipe that is applied to this file, by its name for people.
    #[must_use]
    pub fn for_file(mut self, name: &str) -> Self {
        name.clone_into(&mut self.own);
        self
    }

    /// The name of the file that the recipe is applied to; empty where it is not known.
    #[must_use]
    pub fn own(&self) -> &str {
        &self.own
    }

    /// Each name with its table.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Table)> {
        self.tables.iter()
    }

    /// A table, or a sentence with the nearest name and those that are there.
    ///
    /// # Errors
    /// The sentence.
    pub fn find(&self, name: &str) -> Result<&Table, String> {
        self.tables.get(name).ok_or_else(|| {
            if name.is_empty() {
                return "Choose the other table.".to_owned();
            }
            if self.tables.is_empty() {
                return format!("There is no other table `{name}`: choose a file for it.");
            }
            let names = self.tables.keys().map(String::as_str);
            format!(
                "There is no other table `{name}`.{} The tables are {}.",
                did_you_mean(name, names.clone()),
                listed(names)
            )
        })
    }
}
