//! What just happened: a closed list of facts, announced in the transaction that makes them true.
//!
//! An event is a hint; who hears it looks at the database. Events are stored and told on one channel; progress is told on
//! another and never stored.

use serde::{Deserialize, Serialize};

use crate::database::events::{EVENTS, NewEvent, PROGRESS, insert, insert_all, notify, notify_all};
use crate::database::{Connection, Result};
use crate::domain::ids::{FileId, RunId, TaskId, UserId};
use crate::domain::progress::Progress;

mod bus;
mod seats;

pub use bus::{Bus, Heard};
pub use seats::{Seat, Seats};

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)?) => {
        /// The closed list. The word is what Postgres stores and what streams call the event.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Kind {
            $($(#[$doc])* #[serde(rename = $word)] $variant),+
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
    };
}

kinds! {
    /// A file arrived; its bytes are stored and it will be read.
    FileReceived = "file_received",
    /// A worker began to read a file's bytes.
    ReadingStarted = "reading_started",
    /// The reading of a file ended: it is ready, refused or failed.
    ReadingEnded = "reading_ended",
    /// A file was removed by its owner.
    FileDeleted = "file_deleted",
    /// A recipe has a new revision.
    RecipeSaved = "recipe_saved",
    /// A run was asked for; it waits for its files or for a worker.
    RunCreated = "run_created",
    /// A run that waits has another time to begin at.
    RunPutOff = "run_put_off",
    /// The first file of a run was taken up.
    RunStarted = "run_started",
    /// Somebody cancelled a run that still has attempts running.
    RunCancelling = "run_cancelling",
    /// Failed files of a run are tried again.
    RunRetried = "run_retried",
    /// A run ended: succeeded, failed or cancelled.
    RunEnded = "run_ended",
    /// A file of a run was taken up by a worker.
    RunFileStarted = "run_file_started",
    /// A file of a run ended: succeeded, refused, failed or cancelled.
    RunFileEnded = "run_file_ended",
    /// A run made a file that can be downloaded.
    ArtifactMade = "artifact_made",
    /// A task is due or has been given a time.
    TaskQueued = "task_queued",
    /// An attempt at a task began.
    TaskStarted = "task_started",
    /// An attempt at a task did not succeed; the task is back in its queue.
    TaskRetried = "task_retried",
    /// A task ended: succeeded, failed or cancelled.
    TaskEnded = "task_ended",
    /// Somebody asked to stop a task that runs; the worker that has it will.
    CancelRequested = "cancel_requested",
    /// An admin paused a queue.
    QueuePaused = "queue_paused",
    /// An admin let a queue go on.
    QueueResumed = "queue_resumed",
    /// An admin paused a schedule.
    SchedulePaused = "schedule_paused",
    /// An admin let a schedule go on.
    ScheduleResumed = "schedule_resumed",
    /// An admin changed a schedule, or had it run at once.
    ScheduleChanged = "schedule_changed",
}

/// One event: what happened, whose it is and what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// What happened.
    pub kind: Kind,
    /// Whose pages it concerns; `None`: admins only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<UserId>,
    /// The file it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileId>,
    /// The run it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// The task it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
}

impl Event {
    /// Something of an owner's.
    #[must_use]
    pub fn of(owner: UserId, kind: Kind) -> Self {
        Self {
            kind,
            owner: Some(owner),
            file: None,
            run: None,
            task: None,
        }
    }

    /// Something of an owner's, or of the installation's own.
    #[must_use]
    pub fn of_whoever(owner: Option<UserId>, kind: Kind) -> Self {
        Self {
            owner,
            ..Self::of_admins(kind)
        }
    }

    /// Something that concerns admins only.
    #[must_use]
    pub fn of_admins(kind: Kind) -> Self {
        Self {
            kind,
            owner: None,
            file: None,
            run: None,
            task: None,
        }
    }

    /// It is about this file.
    #[must_use]
    pub fn file(self, file: FileId) -> Self {
        Self {
            file: Some(file),
            ..self
        }
    }

    /// It is about this run.
    #[must_use]
    pub fn run(self, run: RunId) -> Self {
        Self { run: Some(run), ..self }
    }

    /// It is about this task.
    #[must_use]
    pub fn task(self, task: TaskId) -> Self {
        Self {
            task: Some(task),
            ..self
        }
    }
}

/// An event as it is told: with its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announced {
    /// The event's number in the table.
    pub id: i64,
    /// The event.
    #[serde(flatten)]
    pub event: Event,
}

/// How far a running task has come, as it is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskProgress {
    /// Whose it is.
    pub owner: UserId,
    /// The task.
    pub task: TaskId,
    /// Its run; `None`: an ingest.
    pub run: Option<RunId>,
    /// The files it works on: one of a run, or all that have the ingest's bytes.
    pub files: Vec<FileId>,
    /// How far it has come.
    pub progress: Progress,
}

/// Stores an event and tells all processes of it when the transaction commits.
///
/// # Errors
/// The database's.
pub async fn announce(conn: &mut Connection, event: &Event) -> Result<()> {
    let Event {
        kind,
        owner,
        file,
        run,
        task,
    } = *event;
    let id = insert(
        &mut *conn,
        &NewEvent {
            kind: kind.as_str(),
            owner,
            file,
            run,
            task,
        },
    )
    .await?;
    notify(conn, EVENTS, &json(&Announced { id, event: *event })).await
}

/// Stores events and tells all processes of them when the transaction commits.
///
/// # Errors
/// The database's.
pub async fn announce_all(conn: &mut Connection, events: &[Event]) -> Result<()> {
    let new: Vec<NewEvent<'_>> = events
        .iter()
        .map(|event| NewEvent {
            kind: event.kind.as_str(),
            owner: event.owner,
            file: event.file,
            run: event.run,
            task: event.task,
        })
        .collect();
    let ids = insert_all(&mut *conn, &new).await?;
    let told: Vec<String> = ids
        .into_iter()
        .zip(events)
        .map(|(id, event)| json(&Announced { id, event: *event }))
        .collect();
    notify_all(conn, EVENTS, &told).await
}

/// The most files that a note of progress names; Postgres refuses payloads of 8,000 bytes.
const FILES_NAMED: usize = 50;
/// The most characters of a sheet's name that it holds; Excel allows 31.
const SHEET_CHARS: usize = 100;

/// Tells all processes how far a task has come. Nothing is stored here.
///
/// # Errors
/// The database's.
pub async fn report_progress(conn: &mut Connection, told: &TaskProgress) -> Result<()> {
    let mut told = told.clone();
    told.files.truncate(FILES_NAMED);
    told.progress.sheet = told
        .progress
        .sheet
        .map(|sheet| sheet.chars().take(SHEET_CHARS).collect());
    notify(conn, PROGRESS, &json(&told)).await
}

/// These types always have a JSON form: names, ids and numbers.
fn json(told: &impl Serialize) -> String {
    serde_json::to_string(told).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_told_by_its_word() {
        for kind in Kind::ALL {
            let told = serde_json::to_value(kind).expect("a kind is a word");
            assert_eq!(told, kind.as_str());
        }
    }

    #[test]
    fn a_note_of_progress_fits_a_notification_whatever_the_sheet_is_called() {
        let told = TaskProgress {
            owner: UserId::new(),
            task: TaskId::new(),
            run: Some(RunId::new()),
            files: (0..FILES_NAMED).map(|_| FileId::new()).collect(),
            progress: Progress {
                sheet: Some("\u{1}".repeat(SHEET_CHARS)),
                rows: u64::MAX,
                ..Progress::default()
            },
        };
        assert!(json(&told).len() < 8000);
    }

    #[test]
    fn what_is_told_is_what_is_heard() {
        let told = Announced {
            id: 7,
            event: Event::of(UserId::new(), Kind::RunEnded).run(RunId::new()),
        };
        assert_eq!(
            serde_json::from_str::<Announced>(&json(&told)).expect("it reads back"),
            told
        );
    }
}
