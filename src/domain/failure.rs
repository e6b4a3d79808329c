//! Why something did not work: a code for programs, a sentence for people, and never the internal cause.

use serde::{Deserialize, Serialize};

/// What a user may know of a failure. The cause is in the log, under the reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// A stable word: `password_protected`, `reader_crashed`, `out_of_memory`, `internal`, …
    pub code: String,
    /// One sentence that names the file and says what to do.
    pub sentence: String,
    /// Whose mistake it is; only faults of ours and of the surroundings are tried again.
    pub fault: Fault,
}

/// Whose mistake a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The file or the recipe is at fault: trying again cannot help.
    Input,
    /// Storage, database or machine were away: trying again later helps.
    Surroundings,
    /// A mistake of ours.
    Ours,
}
