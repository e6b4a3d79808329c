//! The child's side: limits itself, then carries out orders line by line until its stdin ends.

use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc;

use rlimit::Resource;
use serde::{Deserialize, Serialize};
use sheetmill_engine::order::{Message, Order, Warmth};

use super::SandboxSettings;
use super::confine::confine;

/// What a child limits itself to: the first line it reads.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Limits {
    /// Bytes of data (heap and anonymous mappings; limits on address space count reservations, so they are no use).
    memory: u64,
    /// Seconds of CPU time.
    cpu_seconds: Option<u64>,
    /// Open files.
    open_files: u64,
    /// Bytes of one written file.
    file_bytes: u64,
    /// The folder it works in.
    folder: PathBuf,
    /// Files outside of it that it may read.
    reads: Vec<PathBuf>,
}

impl Limits {
    pub(super) fn of(settings: &SandboxSettings, folder: &Path) -> Self {
        let SandboxSettings {
            memory,
            cpu_seconds,
            open_files,
            file_bytes,
            ..
        } = *settings;
        let (folder, reads) = (folder.to_owned(), settings.reads.clone());
        Self {
            memory,
            cpu_seconds,
            open_files,
            file_bytes,
            folder,
            reads,
        }
    }

    fn apply(&self) -> std::io::Result<()> {
        Resource::CORE.set(0, 0)?;
        Resource::DATA.set(self.memory, self.memory)?;
        Resource::NOFILE.set(self.open_files, self.open_files)?;
        Resource::FSIZE.set(self.file_bytes, self.file_bytes)?;
        if let Some(seconds) = self.cpu_seconds {
            // The soft limit tells by its own signal what happened; the hard one kills.
            Resource::CPU.set(seconds, seconds + 5)?;
        }
        for missing in confine(&self.folder, &self.reads) {
            complain(&missing);
        }
        Ok(())
    }
}

/// The exit code of a child that was told to exit, or whose worker is gone.
const LEFT: i32 = 0;
/// The exit code of a child that could not read or limit itself, or could not answer.
const UNABLE: u8 = 70;

/// The line that says that nobody waits for the order being carried out. It may come when that has ended already.
pub(super) const GIVE_UP: &str = "give up";

/// What carries out orders, one after another: the engine's `order::execute_warm`.
pub type Execute = fn(Order, &mut Warmth, &mut dyn FnMut(Message));

/// `sheetmill child`: takes orders from stdin and tells on stdout, until stdin ends.
#[must_use]
pub fn main(execute: Execute) -> ExitCode {
    match serve(execute) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::from(UNABLE)
        }
    }
}

fn serve(execute: Execute) -> std::io::Result<()> {
    die_with_the_worker();
    let mut first = String::new();
    std::io::stdin().lock().read_line(&mut first)?;
    if first.is_empty() {
        return Ok(());
    }
    serde_json::from_str::<Limits>(&first)?.apply()?;
    let (give, orders) = mpsc::channel::<String>();
    let mut warmth = Warmth::default();
    let stop = warmth.stop();
    // Reads on while an order is carried out: the end of stdin means exit, whatever is being done.
    std::thread::Builder::new().name("stdin".to_owned()).spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            if line == GIVE_UP {
                stop.ask();
                continue;
            }
            stop.renew();
            if give.send(line).is_err() {
                break;
            }
        }
        std::process::exit(LEFT);
    })?;
    for line in orders {
        carry_out(&line, &mut warmth, execute)?;
    }
    Ok(())
}

fn carry_out(line: &str, warmth: &mut Warmth, execute: Execute) -> std::io::Result<()> {
    let order: Order = serde_json::from_str(line)?;
    let mut stdout = std::io::stdout().lock();
    let mut broken = None;
    execute(order, warmth, &mut |message: Message| {
        if broken.is_none()
            && let Err(error) = tell(&mut stdout, &message)
        {
            broken = Some(error);
        }
    });
    broken.map_or(Ok(()), Err)
}

fn tell(stdout: &mut impl std::io::Write, message: &Message) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    stdout.write_all(&line)?;
    stdout.flush()
}

fn complain(text: &str) {
    // Nobody may be left to read it.
    drop(writeln!(std::io::stderr(), "{text}"));
}

/// The kernel kills the child when the worker's thread that started it ends; where it cannot, the end of stdin does.
#[cfg(target_os = "linux")]
fn die_with_the_worker() {
    if let Err(error) = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL)) {
        complain(&format!("no signal when the worker dies: {error}"));
    }
}

#[cfg(not(target_os = "linux"))]
fn die_with_the_worker() {}
