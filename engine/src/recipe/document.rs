//! The recipe as people write it: YAML or JSON, one schema.

use serde::{Deserialize, Serialize};

/// A recipe that was read and checked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Its name for people.
    pub name: String,
}
