//! Watches one child process: its memory, its time, and whether it shall stop. Only the guard waits for the process, so
//! that a signal never reaches another one with the same number.

use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child as Process, ChildStdin};
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;

/// Why the guard ended a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// It did not: the child ended by itself.
    Itself,
    /// It was told to.
    Told,
    /// Too much memory.
    Memory,
    /// Too much time.
    Time,
}

/// What is left of the process.
#[derive(Debug)]
pub(super) struct Remains {
    pub(super) status: Option<ExitStatus>,
    pub(super) cause: Cause,
}

/// When the present order has to be done; `None`: no order.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Times {
    pub(super) soft: Option<Instant>,
    pub(super) hard: Option<Instant>,
}

/// What the guard holds of a child.
pub(super) struct Guard {
    pub(super) process: Process,
    pub(super) stdin: Arc<Mutex<Option<ChildStdin>>>,
    pub(super) stop: CancellationToken,
    pub(super) times: watch::Receiver<Times>,
    pub(super) memory: u64,
    pub(super) polite: Duration,
    pub(super) peak: Arc<AtomicU64>,
}

/// How often memory is looked at: a child cannot fill much more than 100 MB in between, and its own limit stands besides.
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl Guard {
    /// Until the process has ended, one way or another.
    pub(super) async fn watch(mut self) -> Remains {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut cause = Cause::Itself;
        let mut kill_at: Option<Instant> = None;
        loop {
            let times = *self.times.borrow_and_update();
            let asked = kill_at.is_some();
            tokio::select! {
                status = self.process.wait() => return Remains { status: status.ok(), cause },
                _ = looks.tick() => {
                    if self.over_memory() {
                        cause = Cause::Memory;
                        self.kill();
                    }
                }
                () = self.stop.cancelled(), if !asked => {
                    cause = Cause::Told;
                    kill_at = Some(self.ask().await);
                }
                () = until(times.soft), if !asked => {
                    cause = Cause::Time;
                    kill_at = Some(self.ask().await);
                }
                () = until(times.hard) => {
                    cause = if cause == Cause::Itself { Cause::Time } else { cause };
                    self.kill();
                    return Remains { status: self.process.wait().await.ok(), cause };
                }
                () = until(kill_at) => {
                    self.kill();
                    return Remains { status: self.process.wait().await.ok(), cause };
                }
                changed = self.times.changed(), if !asked => {
                    // Whoever gave the orders is gone.
                    if changed.is_err() {
                        cause = Cause::Told;
                        kill_at = Some(self.ask().await);
                    }
                }
            }
        }
    }

    /// Closes the child's stdin, which asks it to exit; answers when patience ends.
    async fn ask(&self) -> Instant {
        drop(self.stdin.lock().await.take());
        Instant::now() + self.polite
    }

    fn kill(&self) {
        let pid = self
            .process
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        if let Some(pid) = pid
            && let Err(error) = kill_process_group(pid, Signal::KILL)
        {
            tracing::warn!(%error, "a child could not be killed");
        }
    }

    /// Whether its own pages outgrew the limit. Pages shared with the program's file are not its own.
    fn over_memory(&self) -> bool {
        let own = self.process.id().and_then(own_memory).unwrap_or_default();
        self.peak.fetch_max(own, Ordering::Relaxed);
        own > self.memory
    }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

/// Bytes of anonymous memory that a process holds, where the machine tells (`/proc/PID/status`, see proc(5)).
pub(super) fn own_memory(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    line.trim()
        .strip_suffix("kB")?
        .trim()
        .parse::<u64>()
        .ok()
        .map(|it| it * 1024)
}
