//! A limited child process that works on a user's bytes; knows nothing of tasks.
//!
//! ```text
//! supervisor ── one line of limits, then one line per order ──▶ stdin    end of stdin: the child exits at once
//!            ── a line when nobody waits for the order any more ──▶
//!            ◀── one JSON message per line ─────────────────── stdout   long lines and odd paths are a crash
//!            ◀── the last 16 KiB ───────────────────────────── stderr   for the log of the attempt
//! ```
//!
//! The child limits itself before it reads an order (data size, CPU time, open files, file size, no core dump), and the
//! kernel keeps it from files that are not its own and from the network, where it can (`confine`); the
//! supervisor watches its resident memory and its time, and kills its whole process group. It inherits no environment, and
//! whatever it says is believed only after a look.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sheetmill_engine::order::{Message, Order, Report};
use tokio_util::sync::CancellationToken;

pub mod child;
mod confine;
mod guard;
mod made;
mod process;
pub mod scratch;

pub use confine::can_confine;
pub use made::{Made, made};
pub use process::Child;

/// What a child may take.
#[derive(Clone, Debug)]
pub struct SandboxSettings {
    /// The program; `None`: this one.
    pub program: Option<PathBuf>,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Files outside its folder that it may read.
    pub reads: Vec<PathBuf>,
    /// Bytes of memory it may hold.
    pub memory: u64,
    /// Seconds of CPU time, over all threads; `None`: no limit, for a child that takes many orders.
    pub cpu_seconds: Option<u64>,
    /// Open files.
    pub open_files: u64,
    /// Bytes of one file that it writes.
    pub file_bytes: u64,
    /// After so long it is asked to stop.
    pub soft_limit: Duration,
    /// After so long it is killed.
    pub hard_limit: Duration,
    /// How long it may take to stop when asked.
    pub polite: Duration,
}

impl Default for SandboxSettings {
    /// 512 MiB read and write a million rows with room to spare; ten minutes are many times what the largest sheet takes.
    fn default() -> Self {
        Self {
            program: None,
            arguments: vec!["child".to_owned()],
            reads: Vec::new(),
            memory: 512 << 20,
            cpu_seconds: Some(1800),
            open_files: 256,
            file_bytes: 16 << 30,
            soft_limit: Duration::from_secs(540),
            hard_limit: Duration::from_secs(600),
            polite: Duration::from_millis(1500),
        }
    }
}

/// Of a child's memory, the bytes that a plan may hold before it spills: reader, writer and batches on their way take the
/// rest.
#[must_use]
pub fn plan_memory(child: u64) -> u64 {
    child / 8 * 3
}

/// The next thing that happened while an order was carried out.
#[derive(Debug)]
pub enum Step {
    /// The child told something and goes on: `Progress`, `Part`, `Table`, `Output` or `Rows`.
    Told(Box<Message>),
    /// The order has come to its end.
    Ended(Outcome),
}

/// How an order ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// All done; the child waits for another order.
    Done(Box<Report>),
    /// The input is at fault; the child waits for another order.
    Refused {
        /// A stable word.
        code: String,
        /// The sentence for people.
        sentence: String,
    },
    /// The recipe failed on this data, or a fault of ours; the child waits for another order.
    Failed {
        /// A stable word.
        code: String,
        /// The sentence for people.
        sentence: String,
        /// The cause, for the log.
        detail: String,
        /// Whether the input or recipe is at fault.
        input_at_fault: bool,
    },
    /// The child is gone: it needed more memory than it may have, so many bytes.
    OutOfMemory(u64),
    /// The child is gone: it took longer than it may.
    TimedOut,
    /// The child is gone because it was told to stop.
    Stopped,
    /// The child is gone, for a reason in words for the log: a signal, an exit code, or that it spoke nonsense.
    Crashed(String),
}

/// What can go wrong before a child works.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program could not be started.
    #[error("the child did not start: {0}")]
    Start(#[source] std::io::Error),
    /// It did not take the order: it is gone.
    #[error("the child did not take the order: {0}")]
    Order(#[source] std::io::Error),
    /// The order has no JSON form: a path that is not UTF-8.
    #[error("the order cannot be written: {0}")]
    Form(#[from] serde_json::Error),
}

/// Runs one order in a child of its own and hands each message to `each`; for callers without other work meanwhile.
///
/// # Errors
/// When no child could be started.
pub async fn carry_out(
    settings: &SandboxSettings,
    folder: &Path,
    order: &Order,
    mut each: impl FnMut(Message),
) -> Result<(Outcome, Ended), Error> {
    let mut child = Child::start(settings, folder, &CancellationToken::new()).await?;
    child.order(order).await?;
    let outcome = loop {
        match child.next().await {
            Step::Told(message) => each(*message),
            Step::Ended(outcome) => break outcome,
        }
    };
    Ok((outcome, child.close().await))
}

/// What is left of a child.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// The end of what it wrote to stderr.
    pub log: String,
    /// The most memory it held, bytes.
    pub peak_memory: u64,
}
