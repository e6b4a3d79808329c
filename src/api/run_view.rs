//! A run as programs see it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Error;
use super::error::ErrorView;
use crate::database::artifacts::{self, ArtifactRow};
use crate::database::run_files::{self, ColumnsOfFiles, RunFileRow};
use crate::database::{Connection, follows, runs};
use crate::domain::ids::{ArtifactId, FileId, RunId, TaskId, UserId};
use crate::domain::progress::{Progress, Stage};
use crate::domain::states::{RunFileState, RunState};

/// More files and artifacts than this are in the page of the run, not in one answer.
const MOST: i64 = 10_000;
/// Ways in which columns were found, in one answer.
const MOST_LAYOUTS: i64 = 100;

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct RunView {
    /// The run.
    #[schema(value_type = String, format = Uuid)]
    pub(super) id: RunId,
    /// The recipe's name.
    pub(super) name: String,
    /// `waiting`, `running`, `cancelling`, `succeeded`, `failed` or `cancelled`.
    pub(super) state: &'static str,
    /// Raised by every change.
    pub(super) version: i64,
    /// The runs whose results it works on.
    #[schema(value_type = Vec<String>)]
    pub(super) after: Vec<RunId>,
    /// It does not begin before.
    start_at: DateTime<Utc>,
    /// Higher goes first among your own runs.
    priority: i32,
    /// How far it has come, over all files.
    pub(super) progress: RunProgress,
    /// Its tasks, one per file.
    pub(super) tasks: Vec<TaskView>,
    /// The account of every row, per step.
    pub(super) ledger: Value,
    /// Where the recipe expects columns: how they were found, first what is so in most files.
    pub(super) columns: Vec<ColumnsView>,
    /// What it made.
    pub(super) artifacts: Vec<ArtifactView>,
    /// Why it failed.
    pub(super) error: Option<ErrorView>,
}

/// How far a run has come.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct RunProgress {
    /// Files in all.
    files: i64,
    /// Files that have ended, however they did.
    files_done: i64,
    /// Files that were refused.
    files_refused: i64,
    /// Files that failed.
    files_failed: i64,
    /// What the first running file does: `loading`, `processing`, `writing` or `uploading`.
    #[schema(value_type = Option<String>)]
    stage: Option<Stage>,
    /// The sheet it does that to.
    sheet: Option<String>,
    /// Rows done, over all files; of a running file those of its present stage.
    rows: u64,
    /// Rows in all of the files that run, where that is known.
    rows_total: Option<u64>,
    /// Rows a second, over all running files.
    rows_per_second: u64,
}

/// A task of a run.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct TaskView {
    /// The task.
    #[schema(value_type = Option<String>, format = Uuid)]
    id: Option<TaskId>,
    /// The file it works on.
    #[schema(value_type = String, format = Uuid)]
    file: FileId,
    /// The file's name.
    name: String,
    /// `waiting`, `running`, `succeeded`, `refused`, `failed` or `cancelled`.
    state: &'static str,
    /// Tries so far.
    attempts: i32,
    /// Rows read.
    rows_in: Option<i64>,
    /// Rows in results.
    rows_out: Option<i64>,
    /// The run whose result it took over: the same recipe had made the same of this file before.
    #[schema(value_type = Option<String>, format = Uuid)]
    reused_from: Option<RunId>,
    /// Why it has no result, or while it is tried again, why it had none last time.
    error: Option<ErrorView>,
}

/// Files of a run whose expected columns were found in the same way.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct ColumnsView {
    /// How many files.
    files: i64,
    /// The name of the first of them.
    first: String,
    /// Each sheet's expected columns: `expected`, `header`, `how`, `score` and, where none is taken, the `nearest` headers.
    sheets: Value,
}

impl From<ColumnsOfFiles> for ColumnsView {
    fn from(found: ColumnsOfFiles) -> Self {
        Self {
            files: found.files,
            first: found.first,
            sheets: found.columns,
        }
    }
}

/// Something that a run made.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct ArtifactView {
    /// The artifact.
    #[schema(value_type = String, format = Uuid)]
    id: ArtifactId,
    /// Its file name.
    name: String,
    /// `result`, `rejects`, `annotated` or `report`.
    kind: &'static str,
    /// Its size.
    bytes: i64,
    /// Its hash, in hex.
    sha256: String,
    /// Its data rows, where it has any.
    rows: Option<i64>,
    /// Where its bytes are.
    url: String,
}

impl RunView {
    /// The owner's run as it is now.
    pub(super) async fn read(connection: &mut Connection, owner: UserId, id: RunId) -> Result<Self, Error> {
        let run = runs::find(connection, owner, id).await?.ok_or(Error::NotFound("run"))?;
        let files = run_files::of_run(connection, id, 0, MOST).await?;
        let after = follows::followed(connection, id).await?;
        let made = artifacts::of_run(connection, id, MOST).await?;
        let found = run_files::columns_of_run(connection, id, MOST_LAYOUTS).await?;
        let mut progress = progress(&files);
        progress.files = run.files;
        progress.files_done = run.files - i64::from(run.remaining);
        progress.files_refused = run.refused;
        progress.files_failed = run.failed;
        Ok(Self {
            id,
            name: run.name,
            state: run.state.as_str(),
            version: run.version,
            after: after.into_iter().map(|it| it.id).collect(),
            start_at: run.run_at,
            priority: run.priority,
            progress,
            tasks: files.into_iter().map(task).collect(),
            ledger: run.ledger,
            columns: found.into_iter().map(ColumnsView::from).collect(),
            artifacts: made.into_iter().map(artifact).collect(),
            error: ErrorView::of(run.code, run.sentence, run.reference),
        })
    }

    /// Whether nothing more will happen to it.
    pub(super) fn is_over(&self) -> bool {
        self.state.parse::<RunState>().is_ok_and(RunState::is_final)
    }

    /// Whether it shows this artifact.
    pub(super) fn has(&self, artifact: &ArtifactView) -> bool {
        self.artifacts.iter().any(|it| it.id == artifact.id)
    }
}

fn progress(files: &[RunFileRow]) -> RunProgress {
    let running: Vec<Progress> = files
        .iter()
        .filter(|file| file.state == RunFileState::Running)
        .filter_map(|file| serde_json::from_value(file.progress.clone()?).ok())
        .collect();
    let done: i64 = files.iter().filter_map(|file| file.rows_in).sum();
    let totals: Option<u64> = running.iter().map(|it| it.rows_total).sum();
    RunProgress {
        files: 0,
        files_done: 0,
        files_refused: 0,
        files_failed: 0,
        stage: running.first().map(|it| it.stage),
        sheet: running.first().and_then(|it| it.sheet.clone()),
        rows: u64::try_from(done).unwrap_or_default() + running.iter().map(|it| it.rows_read).sum::<u64>(),
        rows_total: totals.filter(|_| !running.is_empty()),
        rows_per_second: running.iter().map(|it| it.rows_per_second).sum(),
    }
}

fn task(file: RunFileRow) -> TaskView {
    TaskView {
        id: file.task,
        file: file.file,
        name: file.name,
        state: file.state.as_str(),
        attempts: file.attempts.unwrap_or_default(),
        rows_in: file.rows_in,
        rows_out: file.rows_out,
        reused_from: file.reused_from,
        error: ErrorView::of(file.code, file.sentence, file.reference),
    }
}

fn artifact(row: ArtifactRow) -> ArtifactView {
    ArtifactView {
        id: row.id,
        name: row.name,
        kind: row.kind.as_str(),
        bytes: row.bytes,
        sha256: row.sha256.to_string(),
        rows: row.rows,
        url: format!("/api/v1/artifacts/{}", row.id),
    }
}
