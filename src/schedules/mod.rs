//! What is due by itself: a rule says when, a tick is one time of it and has one task. No process leads: whoever finds a
//! schedule due makes its ticks under its lock, and a unique key stands behind that.
//!
//! ```text
//! schedule: rule + place ─▶ next_at ≤ now ─▶ ticks (missed ones by policy) ─▶ a task each     one transaction
//! ```

mod ask;
mod day;
mod due;
mod missed;
mod rule;

pub use ask::{Change, change, pause, resume, run_now};
pub use day::Day;
pub use due::make_due;
pub use rule::{Rule, WrongRule};

use crate::database;
use crate::domain::ids::{TaskId, TickId};
use crate::domain::states::ScheduleKind;

/// Why something cannot be done with a schedule. All but the first are for people.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database's own word.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The rule is none.
    #[error(transparent)]
    Rule(#[from] WrongRule),
    /// There is no such schedule.
    #[error("There is no such schedule.")]
    NoSchedule,
    /// Nobody would know later why it is paused.
    #[error("Say in a few words why, for whoever finds it paused: at most {0} characters.")]
    NoReason(usize),
    /// Its last task has not ended.
    #[error("It is at work already. Wait until that has ended.")]
    AtWork,
}

/// What these functions answer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A tick that was made, with its task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// The tick.
    pub tick: TickId,
    /// Its task.
    pub task: TaskId,
    /// What it is for.
    pub kind: ScheduleKind,
}
