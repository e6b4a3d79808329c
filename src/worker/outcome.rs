//! What the end of a task means for its ingest or its run. All in the transaction that ends the task.

use std::collections::BTreeMap;

use sheetmill_engine::order::{Report, TableSummary};
use sheetmill_engine::sheets::Visibility;

use super::account::with_report;
use super::attempt::plain;
use super::settle::Error;
use super::upkeep::Done;
use crate::database::artifacts::NewArtifact;
use crate::database::run_files;
use crate::database::runs::{self, Locked};
use crate::database::tables::{self, NewTable};
use crate::database::tasks::{self, Claimed, Told, Waiting};
use crate::database::{self, Tx, artifacts as artifact_rows, ingests, reports, ticks};
use crate::domain::ids::{FileId, IngestId, RunId, TickId};
use crate::domain::states::{IngestState, RunFileState};
use crate::events::{Event, Kind, announce};
use crate::storage::Key;
use crate::{chains, queue};

/// The tables are complete: files with these bytes are ready, and what waited for them is due.
pub async fn ingest_ready(tx: &mut Tx, ingest: IngestId, summaries: &[TableSummary]) -> Result<(), Error> {
    let rows = summaries.iter().map(|it| it.rows).sum();
    ingests::finish(tx, ingest, rows).await?;
    let sheets: Vec<String> = summaries.iter().map(|it| plain(&it.sheet)).collect();
    let new: Vec<NewTable<'_>> = summaries
        .iter()
        .zip(&sheets)
        .map(|(it, sheet)| NewTable {
            position: it.position,
            sheet,
            visibility: match it.visibility {
                Visibility::Visible => "visible",
                Visibility::Hidden => "hidden",
                Visibility::VeryHidden => "very_hidden",
            },
            rows: it.rows,
            columns: it.columns,
        })
        .collect();
    tables::replace(tx, ingest, &new).await?;
    reading_ended(tx, ingest).await?;
    for (run, waiting) in by_run(tasks::waiting_for(tx, ingest).await?) {
        let Some(locked) = runs::lock(tx, run).await? else {
            continue;
        };
        for task in waiting {
            let due_in = tasks::release(tx, task.id).await?;
            queue::push_after(tx, task.kind, due_in).await?;
            announce(
                tx,
                &Event::of(locked.owner, Kind::TaskQueued)
                    .run(run)
                    .file(task.file)
                    .task(task.id),
            )
            .await?;
        }
    }
    Ok(())
}

/// There will be no tables: what waited for them ends as well. `refused` says that the file is at fault.
pub async fn ingest_given_up(tx: &mut Tx, ingest: IngestId, reason: &str, told: &Told) -> Result<(), Error> {
    let state = if is_refusal(reason) {
        IngestState::Refused
    } else {
        IngestState::Failed
    };
    ingests::give_up(tx, ingest, state, &told.code, &told.sentence, Some(told.reference.0)).await?;
    reading_ended(tx, ingest).await?;
    for (run, waiting) in by_run(tasks::waiting_for(tx, ingest).await?) {
        for task in &waiting {
            tasks::fail_waiting(tx, task.id, reason, told).await?;
        }
        let files: Vec<FileId> = waiting.iter().map(|it| it.file).collect();
        files_ended(tx, run, &files, FileEnd::Failed(reason, told, None)).await?;
    }
    Ok(())
}

/// A file of a run has its results.
pub async fn file_done(
    tx: &mut Tx,
    (run, file): (RunId, FileId),
    report: &Report,
    from: Option<RunId>,
) -> Result<(), Error> {
    files_ended(tx, run, &[file], FileEnd::Done(report, from)).await
}

/// A file of a run was refused or failed; its rows may be accounted for all the same.
pub async fn file_failed(
    tx: &mut Tx,
    (run, file): (RunId, FileId),
    reason: &str,
    told: &Told,
    account: Option<&Report>,
) -> Result<(), Error> {
    files_ended(tx, run, &[file], FileEnd::Failed(reason, told, account)).await
}

/// A file of a run was cancelled while it was worked on.
pub async fn file_cancelled(tx: &mut Tx, run: RunId, file: FileId) -> Result<(), Error> {
    files_ended(tx, run, &[file], FileEnd::Cancelled).await
}

/// Makes stored outputs visible.
pub async fn artifacts(tx: &mut Tx, claimed: &Claimed, stored: &[(Key, NewArtifact)]) -> Result<(), Error> {
    for (_, artifact) in stored {
        artifact_rows::insert(tx, artifact).await?;
        let event = Event::of_whoever(claimed.owner, Kind::ArtifactMade).run(artifact.run);
        announce(tx, &artifact.file.map_or(event, |file| event.file(file))).await?;
    }
    Ok(())
}

/// What is due by itself was done: what came of it is for admins to read.
pub async fn tick_done(tx: &mut Tx, tick: TickId, done: &Done) -> database::Result<()> {
    ticks::say(tx, tick, &done.said).await?;
    if let Some(report) = &done.report {
        reports::insert(tx, tick, report).await?;
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum FileEnd<'a> {
    Done(&'a Report, Option<RunId>),
    Failed(&'a str, &'a Told, Option<&'a Report>),
    Cancelled,
}

/// The last file to end ends the run.
async fn files_ended(tx: &mut Tx, run: RunId, files: &[FileId], end: FileEnd<'_>) -> Result<(), Error> {
    let Some(locked) = runs::lock(tx, run).await? else {
        return Ok(());
    };
    let mut ended = 0;
    let mut ledger = locked.ledger.clone();
    for file in files {
        let changed = match end {
            FileEnd::Done(report, from) => {
                ledger = with_report(&ledger, report);
                let (rows_in, rows_out) = (count(report.rows_in), count(report.rows_out));
                let columns = (!report.columns.is_empty()).then(|| told_columns(report));
                let done = run_files::Done {
                    rows: (rows_in, rows_out),
                    columns: columns.as_ref(),
                    from,
                };
                run_files::succeed(tx, run, *file, &done).await?
            }
            FileEnd::Failed(reason, told, account) => {
                if let Some(report) = account {
                    ledger = with_report(&ledger, report);
                }
                let state = if is_refusal(reason) {
                    RunFileState::Refused
                } else {
                    RunFileState::Failed
                };
                run_files::fail(tx, run, *file, state, told).await?
            }
            FileEnd::Cancelled => run_files::set_state(tx, run, *file, RunFileState::Cancelled).await?,
        };
        ended += i32::from(changed);
        announce(tx, &Event::of(locked.owner, Kind::RunFileEnded).run(run).file(*file)).await?;
    }
    end_run(tx, &locked, ended, &ledger).await
}

/// How the expected columns were found, as the database keeps it: names without what it does not take.
fn told_columns(report: &Report) -> serde_json::Value {
    let mut sheets = report.columns.clone();
    for sheet in &mut sheets {
        sheet.sheet = plain(&sheet.sheet);
        for column in &mut sheet.columns {
            column.expected = plain(&column.expected);
            column.header = column.header.as_deref().map(plain);
            column
                .nearest
                .iter_mut()
                .for_each(|near| near.header = plain(&near.header));
        }
    }
    serde_json::json!(sheets)
}

async fn end_run(tx: &mut Tx, run: &Locked, ended: i32, ledger: &serde_json::Value) -> Result<(), Error> {
    if let Some(state) = runs::end_files(tx, run, ended, ledger).await? {
        chains::run_ended(tx, run, state).await?;
    }
    Ok(())
}

async fn reading_ended(tx: &mut Tx, ingest: IngestId) -> Result<(), Error> {
    for (file, owner) in tasks::readers(tx, ingest).await? {
        announce(tx, &Event::of(owner, Kind::ReadingEnded).file(file)).await?;
    }
    Ok(())
}

/// Ordered by run, so that runs are locked in the order of ids.
fn by_run(waiting: Vec<Waiting>) -> BTreeMap<RunId, Vec<Waiting>> {
    let mut runs = BTreeMap::<RunId, Vec<Waiting>>::new();
    for task in waiting {
        runs.entry(task.run).or_default().push(task);
    }
    runs
}

/// What the file itself is at fault for, limits included.
fn is_refusal(reason: &str) -> bool {
    matches!(reason, "refused" | "out_of_memory" | "timed_out")
}

fn count(rows: u64) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
