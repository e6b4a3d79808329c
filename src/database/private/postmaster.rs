//! The postmaster: started, taken over, watched, stopped.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tokio::process::Child;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::cluster::{self, Cluster};
use super::programs::Programs;
use super::unprivileged::{self, User};
use super::{Durability, PrivateError, Result};

/// After a crash Postgres replays its log first, which takes as long as it takes; a minute is far beyond our sizes.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How long a fast shutdown may take before it becomes an immediate one, which loses nothing but costs a replay.
const STOPPED_WITHIN: Duration = Duration::from_secs(20);
/// Between two looks at something that gives no sign by itself.
const LOOK_EVERY: Duration = Duration::from_millis(25);
/// Between two tries to start a server that died.
const START_AGAIN_AFTER: Duration = Duration::from_millis(500);
/// The log starts afresh beyond this size; the one before is kept.
const LOG_BYTES: u64 = 16 << 20;

/// Everything needed to start a postmaster.
#[derive(Debug)]
pub(super) struct Server {
    cluster: Cluster,
    programs: Programs,
    user: Option<User>,
    socket_dir: PathBuf,
    durability: Durability,
    log: PathBuf,
}

/// A running postmaster.
#[derive(Debug)]
pub(super) struct Postmaster {
    pid: Pid,
    /// `None` for one that another process of ours started before it died.
    child: Option<Child>,
    pub(super) socket_dir: PathBuf,
}

impl Server {
    pub(super) fn new(
        data_dir: &Path,
        cluster: &Cluster,
        programs: Programs,
        user: Option<User>,
        socket_dir: PathBuf,
        durability: Durability,
    ) -> Self {
        Self {
            cluster: cluster.clone(),
            programs,
            user,
            socket_dir,
            durability,
            log: data_dir.join("postgres.log"),
        }
    }

    /// Starts the server and waits until it takes connections.
    pub(super) async fn start(&self) -> Result<Postmaster> {
        let deadline = Instant::now() + READY_WITHIN;
        let log = self.open_log()?;
        let mut command = unprivileged::command(&self.programs.postgres(), self.user.as_ref());
        command.arg("-D").arg(self.cluster.folder());
        for (name, value) in self.parameters() {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        command
            .stdout(log.try_clone().map_err(PrivateError::io(&self.log))?)
            .stderr(log);
        let mut child = command.spawn().map_err(PrivateError::io(&self.programs.postgres()))?;
        let Some(pid) = child.id().and_then(to_pid) else {
            return Err(self.not_ready());
        };
        let starting = Starting(Some(pid));

        while cluster::answers(&self.socket_dir).await.is_err() {
            let ended = child.try_wait().map_err(PrivateError::io(&self.log))?.is_some();
            if ended || Instant::now() > deadline {
                return Err(self.not_ready());
            }
            sleep(LOOK_EVERY).await;
        }
        starting.succeeded();
        Ok(Postmaster {
            pid,
            child: Some(child),
            socket_dir: self.socket_dir.clone(),
        })
    }

    fn parameters(&self) -> Vec<(&'static str, String)> {
        let mut parameters = vec![
            ("listen_addresses", String::new()),
            ("unix_socket_directories", self.socket_dir.display().to_string()),
            ("unix_socket_permissions", "0700".to_owned()),
            ("max_connections", "100".to_owned()),
            ("timezone", "UTC".to_owned()),
            ("log_timezone", "UTC".to_owned()),
            // One line a checkpoint would be most of the log.
            ("log_checkpoints", "off".to_owned()),
        ];
        if self.durability == Durability::Fleeting {
            for name in ["fsync", "synchronous_commit", "full_page_writes"] {
                parameters.push((name, "off".to_owned()));
            }
        }
        parameters
    }

    fn open_log(&self) -> Result<File> {
        if fs::metadata(&self.log).is_ok_and(|it| it.len() > LOG_BYTES) {
            fs::rename(&self.log, self.log.with_extension("log.1")).map_err(PrivateError::io(&self.log))?;
        }
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&self.log)
            .map_err(PrivateError::io(&self.log))
    }

    fn not_ready(&self) -> PrivateError {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let said = text
            .lines()
            .rev()
            .find(|line| line.contains("FATAL") || line.contains("ERROR"));
        let said = said
            .or_else(|| text.lines().next_back())
            .unwrap_or("it said nothing")
            .to_owned();
        PrivateError::NotReady {
            said,
            log: self.log.clone(),
        }
    }
}

/// A postmaster that is not ready yet: given up, it ends.
struct Starting(Option<Pid>);

impl Starting {
    fn succeeded(mut self) {
        self.0 = None;
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        if let Some(pid) = self.0 {
            signal(pid, Signal::INT);
        }
    }
}

impl Postmaster {
    /// Takes over a postmaster that survived the process that started it. The caller holds the data folder's lock, so
    /// nobody else uses it. One that is on its way out, or does not answer, is waited for or ended.
    pub(super) async fn take_over(server: &Server) -> Option<Self> {
        let deadline = Instant::now() + STOPPED_WITHIN;
        while let Some(survivor) = PidFile::read(&server.cluster) {
            if !survivor.is_postmaster_of(&server.cluster) {
                // Left behind by a crash of the machine or the container; its number belongs to somebody else now.
                if let Err(error) = fs::remove_file(server.cluster.folder().join("postmaster.pid")) {
                    tracing::warn!(%error, "a stale postmaster.pid could not be removed");
                }
                return None;
            }
            if let Some(socket_dir) = survivor.socket_dir
                && cluster::answers(&socket_dir).await.is_ok()
            {
                tracing::info!(
                    pid = survivor.pid.as_raw_nonzero(),
                    "took over the private Postgres of a crashed process"
                );
                return Some(Self {
                    pid: survivor.pid,
                    child: None,
                    socket_dir,
                });
            }
            if Instant::now() > deadline {
                signal(survivor.pid, Signal::QUIT);
            }
            sleep(LOOK_EVERY).await;
        }
        None
    }

    /// Waits until the postmaster that another process of ours runs takes connections; answers its socket's folder.
    pub(super) async fn wait_for_ready(cluster: &Cluster) -> Result<PathBuf> {
        let ready = async {
            loop {
                if let Some(socket_dir) = PidFile::read(cluster).and_then(|it| it.socket_dir)
                    && cluster::answers(&socket_dir).await.is_ok()
                {
                    return socket_dir;
                }
                sleep(LOOK_EVERY).await;
            }
        };
        timeout(READY_WITHIN, ready)
            .await
            .map_err(|_elapsed| PrivateError::NotReady {
                said: "sheetmill runs on this folder, but its Postgres does not answer".to_owned(),
                log: cluster.folder().with_extension("log"),
            })
    }

    pub(super) fn shared_pid(&self) -> SharedPid {
        SharedPid(Arc::new(AtomicU32::new(self.pid.as_raw_nonzero().get().unsigned_abs())))
    }

    async fn ended(&mut self) {
        if let Some(child) = &mut self.child {
            if let Err(error) = child.wait().await {
                tracing::warn!(%error, "the private Postgres cannot be waited for");
            }
            return;
        }
        while working_folder(self.pid).is_some() {
            sleep(LOOK_EVERY).await;
        }
    }

    async fn stop(&mut self) {
        for (word, limit) in [
            (Signal::INT, STOPPED_WITHIN),
            (Signal::QUIT, STOPPED_WITHIN),
            (Signal::KILL, READY_WITHIN),
        ] {
            signal(self.pid, word);
            if timeout(limit, self.ended()).await.is_ok() {
                return;
            }
            tracing::warn!(signal = ?word, "the private Postgres does not stop");
        }
    }
}

/// Keeps the server alive until told to stop, then stops it.
pub(super) async fn watch(server: Server, mut postmaster: Postmaster, stop: CancellationToken, pid: SharedPid) {
    loop {
        tokio::select! {
            () = stop.cancelled() => {
                postmaster.stop().await;
                return remove_socket_folder(&postmaster.socket_dir);
            }
            () = postmaster.ended() => tracing::error!("the private Postgres ended by itself; starting it again"),
        }
        postmaster = loop {
            let again = tokio::select! {
                () = stop.cancelled() => return remove_socket_folder(&server.socket_dir),
                again = server.start() => again,
            };
            match again {
                Ok(postmaster) => break postmaster,
                // Backends of the dead one may hold its memory for a moment.
                Err(error) => tracing::error!(%error, "the private Postgres cannot be started; trying again"),
            }
            sleep(START_AGAIN_AFTER).await;
        };
        pid.set(postmaster.pid);
        tracing::info!("the private Postgres runs again");
    }
}

/// It is outside the data folder, so nobody would miss it there.
fn remove_socket_folder(folder: &Path) {
    if let Err(error) = fs::remove_dir(folder) {
        tracing::debug!(%error, folder = %folder.display(), "the socket's folder stays");
    }
}

/// The running postmaster's process id, for whoever drops the handle without waiting.
#[derive(Clone, Debug)]
pub(super) struct SharedPid(Arc<AtomicU32>);

impl SharedPid {
    pub(super) fn get(&self) -> Option<u32> {
        Some(self.0.load(Ordering::SeqCst)).filter(|pid| *pid != 0)
    }

    pub(super) fn interrupt(&self) {
        if let Some(pid) = self.get().and_then(to_pid) {
            signal(pid, Signal::INT);
        }
    }

    fn set(&self, pid: Pid) {
        self.0
            .store(pid.as_raw_nonzero().get().unsigned_abs(), Ordering::SeqCst);
    }
}

/// What `postmaster.pid` says: process id, folder, start, port, socket folder, … one a line (miscadmin.h of Postgres).
#[derive(Debug)]
struct PidFile {
    pid: Pid,
    socket_dir: Option<PathBuf>,
}

impl PidFile {
    fn read(cluster: &Cluster) -> Option<Self> {
        let text = fs::read_to_string(cluster.folder().join("postmaster.pid")).ok()?;
        let mut lines = text.lines();
        let pid = lines.next()?.trim().parse::<u32>().ok().and_then(to_pid)?;
        let socket_dir = lines
            .nth(3)
            .map(str::trim)
            .filter(|it| !it.is_empty())
            .map(PathBuf::from);
        Some(Self { pid, socket_dir })
    }

    /// Whether the process of that number lives and stands in the cluster's folder, as a postmaster does.
    fn is_postmaster_of(&self, cluster: &Cluster) -> bool {
        working_folder(self.pid).is_some_and(|folder| folder.is_none_or(|folder| folder == cluster.folder()))
    }
}

/// Where a living process stands: the inner `None` where the system does not tell (no /proc, as on a Mac), the outer for
/// one that is gone, or dead and only waits for somebody to notice.
fn working_folder(pid: Pid) -> Option<Option<PathBuf>> {
    if test_kill_process(pid).is_err() {
        return None;
    }
    if !Path::new("/proc/self").exists() {
        return Some(None);
    }
    fs::read_link(format!("/proc/{}/cwd", pid.as_raw_nonzero()))
        .ok()
        .map(Some)
}

fn to_pid(raw: u32) -> Option<Pid> {
    i32::try_from(raw).ok().and_then(Pid::from_raw)
}

fn signal(pid: Pid, signal: Signal) {
    if let Err(error) = kill_process(pid, signal) {
        tracing::debug!(%error, "the private Postgres is gone already");
    }
}
