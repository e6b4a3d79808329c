//! A child from the supervisor's side.

use std::collections::VecDeque;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use sheetmill_engine::order::{Message, Order};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_util::codec::{FramedRead, LinesCodec};
use tokio_util::sync::CancellationToken;

use super::child::{GIVE_UP, Limits};
use super::guard::{Cause, Guard, Remains, Times};
use super::{Ended, Error, Outcome, SandboxSettings, Step};

/// The longest line that is read: an answer of 500 rows of 16,384 short cells fits.
const LINE_BYTES: usize = 64 << 20;
/// What is kept of stderr: its end.
const LOG_BYTES: usize = 16 << 10;
/// How long the last words of a dead child may take to arrive.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A running child. Dropping it asks it to exit, and kills it when it does not.
#[derive(Debug)]
pub struct Child {
    stdin: Arc<Mutex<Option<ChildStdin>>>,
    lines: FramedRead<ChildStdout, LinesCodec>,
    log: Arc<Mutex<VecDeque<u8>>>,
    log_task: JoinHandle<()>,
    guard: Option<JoinHandle<Remains>>,
    stop: CancellationToken,
    times: watch::Sender<Times>,
    peak: Arc<AtomicU64>,
    settings: SandboxSettings,
}

impl Child {
    /// Starts a child that works in `folder` and sees no environment but that. When `stop` is cancelled it is asked to
    /// exit, and killed when it does not, whatever the caller is waiting for.
    ///
    /// # Errors
    /// [`Error::Start`] when the program cannot be started or dies at once.
    pub async fn start(settings: &SandboxSettings, folder: &Path, stop: &CancellationToken) -> Result<Self, Error> {
        let program = settings
            .program
            .clone()
            .map_or_else(std::env::current_exe, Ok)
            .map_err(Error::Start)?;
        let mut process = Command::new(program)
            .args(&settings.arguments)
            .env_clear()
            .env("TMPDIR", folder)
            .env("TZ", "UTC")
            .env("LC_ALL", "C.UTF-8")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(Error::Start)?;
        let piped = || Error::Start(std::io::Error::other("a pipe is missing"));
        let stdin = Arc::new(Mutex::new(Some(process.stdin.take().ok_or_else(piped)?)));
        let stdout = process.stdout.take().ok_or_else(piped)?;
        let stderr = process.stderr.take().ok_or_else(piped)?;
        let (times, now) = watch::channel(Times::default());
        let (stop, peak) = (stop.child_token(), Arc::new(AtomicU64::new(0)));
        let guard = Guard {
            process,
            stdin: Arc::clone(&stdin),
            stop: stop.clone(),
            times: now,
            memory: settings.memory,
            polite: settings.polite,
            peak: Arc::clone(&peak),
        };
        let log = Arc::new(Mutex::new(VecDeque::new()));
        let child = Self {
            stdin,
            lines: FramedRead::new(stdout, LinesCodec::new_with_max_length(LINE_BYTES)),
            log_task: tokio::spawn(keep_log(stderr, Arc::clone(&log))),
            log,
            guard: Some(tokio::spawn(guard.watch())),
            stop,
            times,
            peak,
            settings: settings.clone(),
        };
        child
            .write(&serde_json::to_string(&Limits::of(settings, folder))?)
            .await
            .map_err(Error::Start)?;
        Ok(child)
    }

    /// Gives an order; its time begins now.
    ///
    /// # Errors
    /// [`Error::Order`] when the child is gone; [`Child::next`] says why.
    pub async fn order(&mut self, order: &Order) -> Result<(), Error> {
        let now = Instant::now();
        let (soft, hard) = (now + self.settings.soft_limit, now + self.settings.hard_limit);
        self.times.send_replace(Times {
            soft: Some(soft),
            hard: Some(hard),
        });
        self.write(&serde_json::to_string(order)?).await.map_err(Error::Order)
    }

    /// Nobody waits for the answer any more: the order ends soon. What [`Child::next`] tells until then is to be heard.
    ///
    /// # Errors
    /// [`Error::Order`] when the child is gone.
    pub async fn give_up(&self) -> Result<(), Error> {
        self.write(GIVE_UP).await.map_err(Error::Order)
    }

    async fn write(&self, line: &str) -> std::io::Result<()> {
        let mut stdin = self.stdin.lock().await;
        let stdin = stdin.as_mut().ok_or(std::io::ErrorKind::BrokenPipe)?;
        stdin.write_all(line.as_bytes()).await?;
        stdin.write_all(b"\n").await?;
        stdin.flush().await
    }

    /// The next thing that happens. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Step {
        let outcome = match self.lines.next().await {
            Some(Ok(line)) => match serde_json::from_str::<Message>(&line) {
                Ok(Message::Done(report)) => Outcome::Done(Box::new(report)),
                Ok(Message::Refused { code, sentence }) => Outcome::Refused { code, sentence },
                Ok(Message::Failed {
                    code,
                    sentence,
                    detail,
                    input_at_fault,
                }) => Outcome::Failed {
                    code,
                    sentence,
                    detail,
                    input_at_fault,
                },
                Ok(message) => return Step::Told(Box::new(message)),
                Err(error) => return Step::Ended(self.nonsense(&error.to_string()).await),
            },
            Some(Err(error)) => return Step::Ended(self.nonsense(&error.to_string()).await),
            None => return Step::Ended(self.gone().await),
        };
        self.times.send_replace(Times::default());
        Step::Ended(outcome)
    }

    /// Ends the child and tells what is left of it.
    pub async fn close(mut self) -> Ended {
        self.stop.cancel();
        self.remains().await;
        Ended {
            log: self.log_text().await,
            peak_memory: self.peak.load(Ordering::Relaxed),
        }
    }

    async fn nonsense(&mut self, error: &str) -> Outcome {
        self.stop.cancel();
        self.remains().await;
        Outcome::Crashed(format!("it said what is no message: {error}"))
    }

    async fn gone(&mut self) -> Outcome {
        let Some(remains) = self.remains().await else {
            return Outcome::Crashed("it was gone already".to_owned());
        };
        let log = self.log_text().await;
        match remains.cause {
            Cause::Told => Outcome::Stopped,
            Cause::Time => Outcome::TimedOut,
            Cause::Memory => Outcome::OutOfMemory(self.settings.memory),
            Cause::Itself if ran_out_of_memory(&log) => Outcome::OutOfMemory(self.settings.memory),
            Cause::Itself if used_up_cpu(remains.status) => Outcome::TimedOut,
            Cause::Itself => Outcome::Crashed(in_words(remains.status)),
        }
    }

    /// Waits for the guard; a second time there is nothing to wait for.
    async fn remains(&mut self) -> Option<Remains> {
        let remains = self.guard.take()?.await.ok();
        // Whoever inherited the pipe could keep it open for ever.
        drop(timeout(LAST_WORDS, &mut self.log_task).await);
        remains
    }

    async fn log_text(&self) -> String {
        let bytes: Vec<u8> = self.log.lock().await.iter().copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Keeps the end of what a child writes to stderr.
async fn keep_log(mut stderr: ChildStderr, log: Arc<Mutex<VecDeque<u8>>>) {
    let mut chunk = [0; 4096];
    while let Ok(count @ 1..) = stderr.read(&mut chunk).await {
        let mut log = log.lock().await;
        log.extend(&chunk[..count]);
        let excess = log.len().saturating_sub(LOG_BYTES);
        log.drain(..excess);
    }
}

/// The words of Rust's allocation error handler, and of a thread that found no memory for its stack.
fn ran_out_of_memory(log: &str) -> bool {
    log.lines().rev().take(50).any(|line| {
        (line.contains("memory allocation of") && line.contains("failed"))
            || (line.contains("failed to spawn thread") && line.contains("WouldBlock"))
    })
}

fn used_up_cpu(status: Option<ExitStatus>) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    status.and_then(|it| it.signal()) == Some(rustix::process::Signal::XCPU.as_raw())
}

fn in_words(status: Option<ExitStatus>) -> String {
    status.map_or_else(|| "how it ended is not known".to_owned(), |status| status.to_string())
}
