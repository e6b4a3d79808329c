//! How a state looks: a word, a shape, and only then a colour.

use crate::domain::states::{AttemptState, IngestState, RunFileState, RunState, TaskState};

/// A state as people see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// What it is called.
    pub word: &'static str,
    /// The name of its shape in the sprite; every tone has shapes of its own.
    pub icon: &'static str,
    /// Its colour by role: `good`, `warn`, `bad`, `busy`, `idle`.
    pub tone: &'static str,
}

/// A sheet that was read.
pub const READ: Mark = mark("read", "check", "good");
/// The sheet that is being read.
pub const READING: Mark = mark("reading", "loader-circle", "busy");
/// A sheet whose turn comes.
pub const LATER: Mark = mark("waiting", "clock", "idle");

const fn mark(word: &'static str, icon: &'static str, tone: &'static str) -> Mark {
    Mark { word, icon, tone }
}

impl From<IngestState> for Mark {
    fn from(state: IngestState) -> Self {
        match state {
            IngestState::Received => mark("waiting", "clock", "idle"),
            IngestState::Ingesting => mark("reading", "loader-circle", "busy"),
            IngestState::Ready => mark("ready", "circle-check", "good"),
            IngestState::Refused => mark("refused", "ban", "warn"),
            IngestState::Failed => mark("failed", "circle-x", "bad"),
        }
    }
}

impl From<RunState> for Mark {
    fn from(state: RunState) -> Self {
        match state {
            RunState::Waiting => mark("waiting", "clock", "idle"),
            RunState::Running => mark("running", "loader-circle", "busy"),
            RunState::Cancelling => mark("cancelling", "loader-circle", "busy"),
            RunState::Succeeded => mark("done", "circle-check", "good"),
            RunState::Failed => mark("failed", "circle-x", "bad"),
            RunState::Cancelled => mark("cancelled", "circle-stop", "idle"),
        }
    }
}

impl From<RunFileState> for Mark {
    fn from(state: RunFileState) -> Self {
        match state {
            RunFileState::Waiting => mark("waiting", "clock", "idle"),
            RunFileState::Running => mark("running", "loader-circle", "busy"),
            RunFileState::Succeeded => mark("done", "circle-check", "good"),
            RunFileState::Refused => mark("refused", "ban", "warn"),
            RunFileState::Failed => mark("failed", "circle-x", "bad"),
            RunFileState::Cancelled => mark("cancelled", "circle-stop", "idle"),
        }
    }
}

impl From<TaskState> for Mark {
    fn from(state: TaskState) -> Self {
        match state {
            TaskState::Waiting => mark("waiting", "hourglass", "idle"),
            TaskState::Queued => mark("queued", "clock", "idle"),
            TaskState::Running => mark("running", "loader-circle", "busy"),
            TaskState::Succeeded => mark("succeeded", "circle-check", "good"),
            TaskState::Failed => mark("failed", "circle-x", "bad"),
            TaskState::Cancelled => mark("cancelled", "circle-stop", "idle"),
        }
    }
}

impl From<AttemptState> for Mark {
    fn from(state: AttemptState) -> Self {
        match state {
            AttemptState::Running => mark("running", "loader-circle", "busy"),
            AttemptState::Succeeded => mark("succeeded", "circle-check", "good"),
            AttemptState::Failed => mark("failed", "circle-x", "bad"),
            AttemptState::Crashed => mark("crashed", "unplug", "bad"),
            AttemptState::TimedOut => mark("timed out", "hourglass", "warn"),
            AttemptState::Cancelled => mark("cancelled", "circle-stop", "idle"),
            AttemptState::Interrupted => mark("interrupted", "minus", "warn"),
            AttemptState::Fenced => mark("overtaken", "shuffle", "idle"),
        }
    }
}
