//! How far a child has come: at most once a second into the task's row and to whoever listens.

use std::time::Duration;

use sheetmill_engine::order::{Message, Stage as EngineStage};
use tokio::time::Instant;

use super::attempt::{Attempt, plain};
use super::held::Why;
use crate::database::Result;
use crate::database::tasks::{Work, write_progress};
use crate::domain::ids::FileId;
use crate::domain::progress::{Progress, Stage};
use crate::events::{TaskProgress, report_progress};

/// Between two tellings.
const EVERY: Duration = Duration::from_secs(1);

/// Relays the progress of one child.
pub struct Relay {
    files: Vec<FileId>,
    told: Option<(Instant, Progress)>,
    latest: Option<Progress>,
    read: Read,
}

/// Rows that were read or transformed: a stage counts from 0 again in each sheet, people count on.
#[derive(Debug, Default)]
struct Read {
    earlier_sheets: u64,
    sheet_number: u32,
    sheet: u64,
}

impl Read {
    fn so_far(&mut self, progress: &Progress) -> u64 {
        if progress.stage == Stage::Processing {
            if progress.sheet_number != self.sheet_number {
                self.earlier_sheets += self.sheet;
                (self.sheet_number, self.sheet) = (progress.sheet_number, 0);
            }
            self.sheet = self.sheet.max(progress.rows);
        }
        self.earlier_sheets + self.sheet
    }
}

impl Relay {
    pub fn new(files: Vec<FileId>) -> Self {
        Self {
            files,
            told: None,
            latest: None,
            read: Read::default(),
        }
    }

    /// Tells a message of progress, or keeps it when the last was told less than a second ago.
    pub async fn tell(&mut self, attempt: &Attempt, message: &Message) {
        let now = Instant::now();
        let Some(mut progress) = understood(message) else {
            return;
        };
        progress.rows_read = self.read.so_far(&progress);
        progress.rows_per_second = self
            .told
            .as_ref()
            .map_or(0, |(at, before)| speed(*at, before, now, &progress));
        if self.told.as_ref().is_some_and(|(at, _)| now - *at < EVERY) {
            self.latest = Some(progress);
            return;
        }
        self.send(attempt, progress, now).await;
    }

    /// Tells what was kept back, at the end.
    pub async fn last(&mut self, attempt: &Attempt) {
        if let Some(progress) = self.latest.take() {
            self.send(attempt, progress, Instant::now()).await;
        }
    }

    async fn send(&mut self, attempt: &Attempt, progress: Progress, now: Instant) {
        self.latest = None;
        match write(attempt, &self.files, &progress).await {
            Ok(true) => {}
            Ok(false) => attempt.holding.give_up(Why::Fenced),
            // Progress is a courtesy: the work goes on without.
            Err(error) => tracing::debug!(%error, "progress could not be told"),
        }
        self.told = Some((now, progress));
    }
}

async fn write(attempt: &Attempt, files: &[FileId], progress: &Progress) -> Result<bool> {
    let claimed = &attempt.claimed;
    let mut tx = attempt.context.pool.begin().await?;
    if !write_progress(&mut tx, claimed.fence, progress).await? {
        return Ok(false);
    }
    let run = match claimed.work {
        Work::Ingest(_) | Work::Tick(_) => None,
        Work::RunFile(run, _) | Work::Gather(run) => Some(run),
    };
    // What the house does for itself has no child, and nobody's page shows it.
    let Some(owner) = claimed.owner else {
        return Ok(true);
    };
    let task = claimed.fence.task;
    report_progress(
        &mut tx,
        &TaskProgress {
            owner,
            task,
            run,
            files: files.to_vec(),
            progress: progress.clone(),
        },
    )
    .await?;
    tx.commit().await?;
    Ok(true)
}

fn understood(message: &Message) -> Option<Progress> {
    let Message::Progress {
        stage,
        sheet,
        sheet_number,
        sheets,
        rows,
        rows_total,
        bytes,
        bytes_total,
    } = message
    else {
        return None;
    };
    Some(Progress {
        stage: match stage {
            EngineStage::Processing => Stage::Processing,
            EngineStage::Writing => Stage::Writing,
        },
        sheet: sheet.as_deref().map(plain),
        sheet_number: *sheet_number,
        sheets: *sheets,
        rows: *rows,
        rows_total: *rows_total,
        bytes: *bytes,
        bytes_total: *bytes_total,
        ..Progress::default()
    })
}

/// Rows a second since the last telling; the same as then when a new stage or sheet began.
fn speed(at: Instant, before: &Progress, now: Instant, progress: &Progress) -> u64 {
    let same = before.stage == progress.stage && before.sheet_number == progress.sheet_number;
    let millis = u64::try_from((now - at).as_millis()).unwrap_or(u64::MAX);
    match progress.rows.checked_sub(before.rows) {
        Some(rows) if same && millis > 0 => rows.saturating_mul(1000) / millis,
        _ => before.rows_per_second,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_count_on_over_stages_and_sheets() {
        let mut read = Read::default();
        let mut at = |stage, sheet_number, rows| {
            read.so_far(&Progress {
                stage,
                sheet_number,
                rows,
                ..Progress::default()
            })
        };
        let counted = [
            at(Stage::Processing, 1, 100),
            at(Stage::Processing, 1, 250),
            at(Stage::Writing, 1, 40),
            at(Stage::Processing, 2, 10),
            at(Stage::Writing, 2, 10),
        ];
        assert_eq!(counted, [100, 250, 250, 260, 260]);
    }
}
