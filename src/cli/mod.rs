//! What the terminal sees: the engine without server and database. Results go to `--out`, machine answers to stdout,
//! progress and sentences to stderr.
//!
//! ```text
//! FILE ──▶ limited child: ingest ──▶ tables in a folder that is gone afterwards ──▶ limited child: process ──▶ --out
//! ```

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub mod cells;
mod columns;
pub mod convert;
pub mod inspect;
mod mill;
mod outputs;
mod progress;
pub mod recipe;
mod references;
mod report;
pub mod run;
mod steps;
mod together;

/// How a command ends. Programs rely on the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Done.
    Done,
    /// The run failed.
    Failed,
    /// The command or the recipe is wrong.
    Wrong,
    /// An input was refused.
    Refused,
    /// Rows were rejected and the recipe wants to fail on that.
    Rejected,
    /// Ctrl-C, as shells tell it.
    Interrupted,
}

impl From<End> for ExitCode {
    fn from(end: End) -> Self {
        Self::from(match end {
            End::Done => 0,
            End::Failed => 1,
            End::Wrong => 2,
            End::Refused => 3,
            End::Rejected => 4,
            End::Interrupted => 130,
        })
    }
}

/// Why a command cannot begin or go on: a sentence, and how the command ends.
#[derive(Debug, thiserror::Error)]
#[error("{sentence}")]
struct Stop {
    end: End,
    sentence: String,
}

impl Stop {
    /// The command or the recipe is wrong.
    fn wrong(sentence: impl Into<String>) -> Self {
        Self {
            end: End::Wrong,
            sentence: sentence.into(),
        }
    }

    /// It is right and did not work.
    fn failed(sentence: impl Into<String>) -> Self {
        Self {
            end: End::Failed,
            sentence: sentence.into(),
        }
    }

    /// An input was refused, or could not be read for another reason.
    fn of(trouble: mill::Trouble) -> Self {
        let end = match trouble.kind {
            mill::TroubleKind::Refused => End::Refused,
            _ => End::Failed,
        };
        Self {
            end,
            sentence: trouble.sentence,
        }
    }

    /// A file operation did not work.
    fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |cause| Self::failed(format!("{}: {cause}", path.display()))
    }
}

/// Runs a command to its end, or until Ctrl-C; whatever it made on the way is removed as its values are dropped.
fn finish(command: impl Future<Output = Result<End, Stop>>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(cause) => {
            say(&format!("threads cannot be started: {cause}"));
            return End::Failed.into();
        }
    };
    let ended = runtime.block_on(async {
        tokio::select! {
            ended = command => ended,
            Ok(()) = tokio::signal::ctrl_c() => Ok(End::Interrupted),
        }
    });
    match ended {
        Ok(end) => end.into(),
        Err(stop) => {
            say(&stop.sentence);
            stop.end.into()
        }
    }
}

/// Tells a person something.
fn say(sentence: &str) {
    // Without anybody to hear it the exit code still tells.
    let _gone = writeln!(std::io::stderr(), "{sentence}");
}

/// Answers a program. Whoever reads only the first lines closes the pipe: that is no failure.
fn answer(text: &str) -> Result<(), Stop> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(cause) if cause.kind() != std::io::ErrorKind::BrokenPipe => Err(Stop::failed(format!("stdout: {cause}"))),
        _ => Ok(()),
    }
}

/// The path of an existing file, as a child will open it.
fn existing(path: &Path) -> Result<PathBuf, Stop> {
    let whole = path
        .canonicalize()
        .map_err(|cause| Stop::wrong(format!("{}: {cause}", path.display())))?;
    if whole.is_file() {
        Ok(whole)
    } else {
        Err(Stop::wrong(format!("{} is not a file", path.display())))
    }
}

/// A file's name for people.
fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}
