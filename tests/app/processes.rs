//! The product as people start it: real processes that are waited for, interrupted and killed.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

use crate::wait::until;

/// How long a process may take to say that it listens, or to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// One running `sheetmill`.
pub struct Process {
    child: Child,
    /// Where it listens, `http://127.0.0.1:…`; `None` for a process without a web half.
    pub address: Option<String>,
    lines: UnboundedReceiver<String>,
}

impl Process {
    /// Starts `sheetmill` with `arguments` and the environment `settings` alone, and waits for `listening on …`.
    pub async fn serve(arguments: &[&str], settings: &[(&str, String)]) -> Self {
        let mut process = Self::work(arguments, settings);
        let line = process.says("listening on ").await;
        process.address = line.split_whitespace().last().map(str::to_owned);
        process
    }

    /// Starts a process without a web half.
    pub fn work(arguments: &[&str], settings: &[(&str, String)]) -> Self {
        let mut child = spawn(arguments, settings);
        let out = child.stdout.take().expect("stdout is piped");
        let (tell, lines) = unbounded_channel();
        // Read to the end, so that the pipe never fills.
        tokio::spawn(async move {
            let mut out = BufReader::new(out).lines();
            while let Ok(Some(line)) = out.next_line().await {
                // The test may have stopped listening.
                let _ = tell.send(line);
            }
        });
        Self {
            child,
            address: None,
            lines,
        }
    }

    /// Waits for the next line on stdout that holds `word`.
    pub async fn says(&mut self, word: &str) -> String {
        let heard = timeout(PATIENCE, async {
            while let Some(line) = self.lines.recv().await {
                if line.contains(word) {
                    return Some(line);
                }
            }
            None
        });
        heard
            .await
            .expect("it says so in time")
            .unwrap_or_else(|| panic!("it ended without saying {word:?}"))
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// `kill -9`, and waits until it is gone.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("it could be killed");
    }

    /// Ctrl-C, and waits for the end.
    pub async fn interrupt(mut self) -> ExitStatus {
        signal(self.pid(), Signal::INT);
        timeout(PATIENCE, self.child.wait())
            .await
            .expect("it ends in time")
            .expect("its end can be waited for")
    }
}

/// Runs a chore to its end and gives what it printed.
pub async fn chore(arguments: &[&str], settings: &[(&str, String)]) -> String {
    let output = timeout(PATIENCE, command(arguments, settings).output())
        .await
        .expect("it ends in time")
        .expect("it starts");
    assert!(
        output.status.success(),
        "sheetmill {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout)
        .expect("it prints text")
        .trim()
        .to_owned()
}

fn command(arguments: &[&str], settings: &[(&str, String)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sheetmill"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    command
        .env_clear()
        .env("PATH", path)
        .envs(settings.iter().map(|(name, value)| (*name, value.as_str())));
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    command
}

fn spawn(arguments: &[&str], settings: &[(&str, String)]) -> Child {
    let stderr = match std::env::var_os("SHEETMILL_TEST_LOG") {
        Some(_) => Stdio::inherit(),
        None => Stdio::null(),
    };
    command(arguments, settings)
        .stdout(Stdio::piped())
        .stderr(stderr)
        .spawn()
        .expect("sheetmill starts")
}

/// Sends a signal to a process that this test started.
pub fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).expect("a pid")).expect("not zero");
    // It may have ended by itself meanwhile; what the test waits for afterwards tells.
    let _ = kill_process(pid, signal);
}

/// The processes below `pid` whose command line contains `word`, by `/proc`.
pub fn descendants(pid: u32, word: &str) -> Vec<u32> {
    let mut found = Vec::new();
    let mut parents = vec![pid];
    while let Some(parent) = parents.pop() {
        for child in children(parent) {
            parents.push(child);
            let line = std::fs::read(format!("/proc/{child}/cmdline")).unwrap_or_default();
            if String::from_utf8_lossy(&line).replace('\0', " ").contains(word) {
                found.push(child);
            }
        }
    }
    found
}

/// Waits until a child of `pid` that reads or processes a file is in the middle of it, by the processor time that it took.
pub async fn busy_child(pid: u32) -> u32 {
    const TICKS: u64 = 10;
    until("a child works", async || {
        descendants(pid, " child").into_iter().find(|it| ticks(*it) >= TICKS)
    })
    .await
}

/// Processor time in clock ticks of 10 ms; 0 for a process that is gone.
fn ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let Some((_, rest)) = stat.rsplit_once(')') else {
        return 0;
    };
    // proc(5): the fields 14 and 15, utime and stime; the state behind the parenthesis is field 3.
    rest.split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|it| it.parse::<u64>().ok())
        .sum()
}

fn children(parent: u32) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            // The name in parentheses may hold spaces: what follows the last one is state, then the parent.
            stat.rsplit_once(')')
                .and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse::<u32>().ok())
                == Some(parent)
        })
        .collect()
}

/// Resident memory of a process in MiB, now; 0 for one that is gone.
pub fn resident_mib(pid: u32) -> u64 {
    status_mib(pid, "VmRSS:")
}

/// The most that a process ever held in MiB; 0 for one that is gone.
pub fn peak_mib(pid: u32) -> u64 {
    status_mib(pid, "VmHWM:")
}

fn status_mib(pid: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.unwrap_or_default() / 1024
}

/// The pid of the Postgres server that keeps its cluster somewhere below `folder`.
pub fn postmaster_below(folder: &Path) -> Option<u32> {
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        if let Ok(text) = std::fs::read_to_string(next.join("postmaster.pid")) {
            return text.lines().next()?.trim().parse().ok();
        }
        let Ok(entries) = std::fs::read_dir(&next) else {
            continue;
        };
        folders.extend(
            entries
                .filter_map(Result::ok)
                .filter(|it| it.file_type().is_ok_and(|kind| kind.is_dir()))
                .map(|it| it.path()),
        );
    }
    None
}

/// The files below a folder, which need not exist.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    entries
        .flat_map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => files_below(&entry.path()),
            _ => vec![entry.path()],
        })
        .collect()
}
