//! The state machines, each drawn once. Postgres checks the same words (migrations), templates print them, and a test
//! walks all three.
//!
//! ```text
//! ingest   received ─▶ ingesting ─▶ ready | refused | failed
//! run      waiting ─▶ running ─▶ succeeded | failed | cancelled      (waiting | running ─▶ cancelling ─▶ cancelled)
//! file     waiting ─▶ running ─▶ succeeded | refused | failed | cancelled       (a file of a run)
//! task     waiting ─▶ queued ─▶ running ─▶ succeeded | failed | cancelled       (running ─▶ queued on retry)
//! attempt  running ─▶ succeeded | failed | crashed | timed_out | cancelled | interrupted | fenced
//! ```

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A word that is not in the closed list it should come from.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{word:?} is not one of the words for {of}")]
pub struct UnknownWord {
    /// The list.
    pub of: &'static str,
    /// What came instead.
    pub word: String,
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[allow(missing_docs, reason = "each is the word that it is written as, and the drawing above shows where it stands")]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// Every word of the list, in the order of a life.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as Postgres, JSON and templates write it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                Self::ALL.iter().copied().find(|it| it.as_str() == word)
                    .ok_or_else(|| UnknownWord { of: stringify!($name), word: word.to_owned() })
            }
        }
    )+};
}

words! {
    /// What an account may do.
    Role { Member = "member", Admin = "admin" }
    /// How far the reading of a blob has come.
    IngestState { Received = "received", Ingesting = "ingesting", Ready = "ready", Refused = "refused", Failed = "failed" }
    /// How far a run has come.
    RunState { Waiting = "waiting", Running = "running", Cancelling = "cancelling", Succeeded = "succeeded", Failed = "failed", Cancelled = "cancelled" }
    /// How far one file of a run has come.
    RunFileState { Waiting = "waiting", Running = "running", Succeeded = "succeeded", Refused = "refused", Failed = "failed", Cancelled = "cancelled" }
    /// How far a task has come.
    TaskState { Waiting = "waiting", Queued = "queued", Running = "running", Succeeded = "succeeded", Failed = "failed", Cancelled = "cancelled" }
    /// How one try at a task ended.
    AttemptState { Running = "running", Succeeded = "succeeded", Failed = "failed", Crashed = "crashed", TimedOut = "timed_out", Cancelled = "cancelled", Interrupted = "interrupted", Fenced = "fenced" }
    /// What a task is for.
    TaskKind { Ingest = "ingest", Process = "process", Assemble = "assemble", Deliver = "deliver", CleanUp = "clean_up", ActivityReport = "activity_report" }
    /// What a schedule is for.
    ScheduleKind { CleanUp = "clean_up", ActivityReport = "activity_report" }
    /// What becomes of ticks when nobody was there to make them: none of them is made up for, the last one is, or each is as far back as is sensible.
    MissedTicks { Skip = "skip", Once = "once", All = "all" }
    /// What a file made by a run is.
    ArtifactKind { Result = "result", Rejects = "rejects", Annotated = "annotated", Report = "report" }
}

impl IngestState {
    /// Whether nothing more will happen to it.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Ready | Self::Refused | Self::Failed)
    }
}

impl RunState {
    /// Whether nothing more will happen to it.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

impl RunFileState {
    /// Whether nothing more will happen to it.
    #[must_use]
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }
}

impl TaskState {
    /// Whether nothing more will happen to it, unless a person retries it.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

impl TaskKind {
    /// The queue that carries its tickets. Kinds have queues, and so concurrency, of their own.
    #[must_use]
    pub fn queue(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Process | Self::Assemble => "process",
            Self::Deliver => "deliver",
            Self::CleanUp | Self::ActivityReport => UPKEEP,
        }
    }

    /// The word for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::CleanUp => "clean-up",
            Self::ActivityReport => "activity report",
            other => other.as_str(),
        }
    }
}

/// The queue of what the house does for itself. It has no tickets: nobody waits for it, so that the workers look for it.
pub const UPKEEP: &str = "upkeep";

impl ScheduleKind {
    /// What the tasks of its ticks are.
    #[must_use]
    pub fn task(self) -> TaskKind {
        match self {
            Self::CleanUp => TaskKind::CleanUp,
            Self::ActivityReport => TaskKind::ActivityReport,
        }
    }
}
