//! How far it has come, on a terminal: one line a file on stderr.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use sheetmill_engine::order::{Message, Stage};

/// The lines of a command. They hide themselves where stderr is no terminal.
#[derive(Debug, Default)]
pub(super) struct Lines(MultiProgress);

/// The line of one file; gone when dropped.
#[derive(Debug)]
pub(super) struct Line(ProgressBar);

impl Lines {
    /// A line for a file.
    pub(super) fn of(&self, name: &str) -> Line {
        let bar = self.0.add(ProgressBar::new(0));
        bar.set_style(style());
        bar.set_prefix(name.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        Line(bar)
    }
}

impl Line {
    /// A line that nobody sees.
    pub(super) fn silent() -> Self {
        Self(ProgressBar::hidden())
    }

    /// Shows a report of progress.
    pub(super) fn show(&self, message: &Message) {
        let Message::Progress {
            stage,
            sheet,
            rows,
            rows_total,
            bytes,
            bytes_total,
            ..
        } = message
        else {
            return;
        };
        let doing = match stage {
            Stage::Processing => "reading",
            Stage::Writing => "writing",
        };
        let of = rows_total.map(|total| format!(" of {total}")).unwrap_or_default();
        self.0.set_message(format!(
            "{doing} {}: {rows}{of} rows",
            sheet.as_deref().unwrap_or_default()
        ));
        let (done, total) = match (rows_total, bytes_total) {
            (Some(total), _) => (*rows, *total),
            (None, Some(total)) => (*bytes, *total),
            (None, None) => return,
        };
        self.0.set_length(total);
        self.0.set_position(done.min(total));
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {prefix} [{bar:30}] {percent:>3}% {msg} ({elapsed})")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
