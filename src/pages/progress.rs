//! How far something has come, in words and as a bar.

use super::filters;
use crate::domain::progress::{Progress, Stage};

/// A progress as a page shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// The share done in thousandths; `None` where it cannot be told.
    pub share: Option<u32>,
    /// What happens now: `reading Orders, sheet 2 of 5`.
    pub doing: String,
    /// What is left: `about 40 s left`; empty where it cannot be told.
    pub left: String,
}

/// What a worker does to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Its sheets become tables.
    Reading,
    /// A recipe is applied to its tables.
    Running,
}

/// Words for a progress; `None` is work that waits for its turn.
#[must_use]
pub fn shown(progress: Option<&Progress>, work: Work) -> Shown {
    let Some(progress) = progress else {
        return Shown {
            doing: "waiting for its turn".to_owned(),
            ..Shown::default()
        };
    };
    Shown {
        share: share(progress, work),
        doing: doing(progress, work),
        left: left(progress, work),
    }
}

/// The share of all sheets, where the present one's is known: earlier ones count as done, and writing follows processing.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share is between 0 and 1"
)]
fn share(progress: &Progress, work: Work) -> Option<u32> {
    let sheets = f64::from(progress.sheets.max(1));
    let before = f64::from(progress.sheet_number.clamp(1, progress.sheets.max(1)) - 1);
    let (from, length) = match (progress.stage, work) {
        (Stage::Loading, _) => return None,
        // What is stored has been worked through; the end of the task fills the bar.
        (Stage::Uploading, _) => return Some(980),
        (Stage::Processing, Work::Reading) => (0.0, 1.0),
        (Stage::Processing, Work::Running) => (0.0, 0.5),
        (Stage::Writing, _) => (0.5, 0.5),
    };
    progress
        .share()
        .map(|it| ((before + from + it * length) / sheets * 970.0) as u32)
}

fn doing(progress: &Progress, work: Work) -> String {
    let verb = match (progress.stage, work) {
        (Stage::Loading, _) => return "getting ready".to_owned(),
        (Stage::Uploading, Work::Reading) => return "storing the tables".to_owned(),
        (Stage::Uploading, Work::Running) => return "storing the results".to_owned(),
        (Stage::Processing, Work::Reading) => "reading",
        (Stage::Processing, Work::Running) => "working on",
        (Stage::Writing, _) => "writing",
    };
    match &progress.sheet {
        Some(sheet) if progress.sheets > 1 => {
            format!("{verb} {sheet}, sheet {} of {}", progress.sheet_number, progress.sheets)
        }
        Some(sheet) => format!("{verb} {sheet}"),
        None => verb.to_owned(),
    }
}

/// From the share of the last sheet and the present speed; earlier sheets say nothing of those that follow. What a recipe
/// has worked on is written after that, at about the same speed.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "an estimate"
)]
fn left(progress: &Progress, work: Work) -> String {
    let Some(share) = progress.share().filter(|share| *share > 0.02) else {
        return String::new();
    };
    let rows_all = progress.rows as f64 / share;
    let rows_later = match (progress.stage, work) {
        (Stage::Processing, Work::Running) => rows_all,
        (Stage::Processing, Work::Reading) | (Stage::Writing, _) => 0.0,
        (Stage::Loading | Stage::Uploading, _) => return String::new(),
    };
    if progress.sheet_number < progress.sheets || progress.rows_per_second == 0 {
        return String::new();
    }
    let rows_left = rows_all - progress.rows as f64 + rows_later;
    filters::left((rows_left / progress.rows_per_second as f64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(rows: u64, rows_total: u64) -> Progress {
        Progress {
            stage: Stage::Processing,
            sheet: Some("Orders".to_owned()),
            sheet_number: 2,
            sheets: 2,
            rows,
            rows_total: Some(rows_total),
            rows_per_second: 1_000,
            ..Progress::default()
        }
    }

    #[test]
    fn a_progress_is_a_share_of_all_sheets_with_words() {
        let shown = shown(Some(&reading(500_000, 1_000_000)), Work::Reading);
        assert_eq!(shown.share, Some(727));
        assert_eq!(shown.doing, "reading Orders, sheet 2 of 2");
        assert_eq!(shown.left, "about 8 minutes left");
    }

    #[test]
    fn nothing_is_estimated_from_nothing() {
        let shown = shown(Some(&reading(0, 1_000_000)), Work::Reading);
        assert_eq!((shown.share, shown.left.as_str()), (Some(485), ""));
        assert_eq!(super::shown(None, Work::Running).doing, "waiting for its turn");
    }
}
