//! A Postgres of our own, for one machine: a cluster in the data folder, reached by a unix socket only.
//!
//! ```text
//! lock on the data folder ─▶ programs found ─▶ cluster created once ─▶ postmaster started, or taken over from a crash
//!                                                     └─▶ watched: died ─▶ started again; we stop ─▶ fast shutdown
//! ```
//!
//! The postmaster outlives a `kill -9` of us; whoever holds the lock next owns it.

use std::path::{Path, PathBuf};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

mod cluster;
mod folder;
mod postmaster;
mod programs;
mod unprivileged;

use cluster::Cluster;
use folder::DataLock;
use postmaster::{Postmaster, Server};

/// Why there is no private Postgres. Whoever runs the program reads this: each is a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum PrivateError {
    /// Nothing to run.
    #[error(
        "Postgres is not installed here: install it (Debian and Ubuntu: apt-get install postgresql; Fedora: dnf install \
         postgresql-server; macOS: brew install postgresql@17), or set DATABASE_URL to one that runs elsewhere"
    )]
    NotInstalled,
    /// The folder that was set holds no Postgres.
    #[error("{0} does not hold Postgres' programs initdb and postgres")]
    NoProgramsIn(PathBuf),
    /// The cluster was made by a version that is not here.
    #[error("the data in {folder} were written by Postgres {needed}, which is not installed here (found: {found})")]
    OtherVersion {
        /// The cluster.
        folder: PathBuf,
        /// Its major version.
        needed: String,
        /// The major versions that are here.
        found: String,
    },
    /// Postgres refuses to run as root and there is nobody else.
    #[error(
        "Postgres does not run as root, and this machine has no user `postgres` to run it: create one (useradd --system \
         postgres), start sheetmill as another user, or set DATABASE_URL"
    )]
    NoUnprivilegedUser,
    /// The unprivileged user cannot enter the data folder, and there is no program that could let it.
    #[error(
        "the user `postgres`, who runs the private Postgres for root, cannot enter {0}: choose another data folder"
    )]
    CannotEnter(PathBuf),
    /// Another process works on this folder.
    #[error("sheetmill already runs on {0}: stop it first, or choose another folder with --data")]
    Locked(PathBuf),
    /// Someone else made the folder that the socket belongs into.
    #[error("{0} belongs to somebody else: remove it, it is where the private Postgres' socket belongs")]
    ForeignSocketFolder(PathBuf),
    /// A program of Postgres failed.
    #[error("Postgres' program {program} failed: {said}")]
    Program {
        /// Its name.
        program: &'static str,
        /// The end of what it printed.
        said: String,
    },
    /// It started and ended, or never became ready.
    #[error("the private Postgres did not start: {said} (its log is {log})")]
    NotReady {
        /// The end of its log.
        said: String,
        /// The whole log.
        log: PathBuf,
    },
    /// A file operation failed.
    #[error("{path}: {cause}")]
    Io {
        /// What it was about.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// It runs but refuses to work.
    #[error("the private Postgres does not answer: {0}")]
    Query(#[from] sqlx::Error),
}

impl PrivateError {
    fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |cause| Self::Io {
            path: path.to_owned(),
            cause,
        }
    }
}

/// What private Postgres functions answer.
pub type Result<T, E = PrivateError> = std::result::Result<T, E>;

/// How a private Postgres is run.
#[derive(Clone, Debug)]
pub struct PrivateSettings {
    /// The data folder; created when missing. The cluster is `postgres` below it.
    pub data_dir: PathBuf,
    /// The folder with `initdb` and `postgres`, when it should not be searched for.
    pub bin: Option<PathBuf>,
    /// Whether what is committed survives a power cut.
    pub durability: Durability,
}

/// Whether what is committed survives a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It does.
    Synced,
    /// It does not: for tests, whose data nobody misses.
    Fleeting,
}

/// A running private Postgres. Dropped, it is told to stop; [`PrivatePostgres::stop`] also waits for that.
#[derive(Debug)]
pub struct PrivatePostgres {
    socket_dir: PathBuf,
    watch: Option<JoinHandle<()>>,
    stop: CancellationToken,
    pid: postmaster::SharedPid,
    _lock: DataLock,
}

impl PrivatePostgres {
    /// Starts the private Postgres of a data folder; the first time, creates it.
    ///
    /// # Errors
    /// See [`PrivateError`].
    pub async fn start(data_dir: &Path, bin: Option<&Path>) -> Result<Self> {
        Self::start_with(&PrivateSettings {
            data_dir: data_dir.to_owned(),
            bin: bin.map(Path::to_owned),
            durability: Durability::Synced,
        })
        .await
    }

    /// As [`PrivatePostgres::start`], with all settings.
    ///
    /// # Errors
    /// See [`PrivateError`].
    pub async fn start_with(settings: &PrivateSettings) -> Result<Self> {
        let data_dir = folder::prepare(&settings.data_dir)?;
        let lock = DataLock::take(&data_dir)?;
        let cluster = Cluster::at(&data_dir);
        let programs = programs::find(settings.bin.as_deref(), &cluster).await?;
        let user = unprivileged::user(&data_dir).await?;
        let socket_dir = folder::socket_dir(&data_dir, user.as_ref())?;
        cluster
            .create_once(&programs, user.as_ref(), settings.durability)
            .await?;

        let server = Server::new(&data_dir, &cluster, programs, user, socket_dir, settings.durability);
        let postmaster = match Postmaster::take_over(&server).await {
            Some(survivor) => survivor,
            None => server.start().await?,
        };
        let socket_dir = postmaster.socket_dir.clone();
        cluster::create_database(&socket_dir).await?;

        let stop = CancellationToken::new();
        let pid = postmaster.shared_pid();
        let watch = tokio::spawn(postmaster::watch(server, postmaster, stop.clone(), pid.clone()));
        Ok(Self {
            socket_dir,
            watch: Some(watch),
            stop,
            pid,
            _lock: lock,
        })
    }

    /// The address of the private Postgres that another process runs on this data folder; `None` when none does.
    ///
    /// # Errors
    /// [`PrivateError::Io`] when the folder cannot be looked at.
    pub async fn join(data_dir: &Path) -> Result<Option<String>> {
        if !data_dir.exists() {
            return Ok(None);
        }
        let data_dir = data_dir.canonicalize().map_err(PrivateError::io(data_dir))?;
        match DataLock::take(&data_dir) {
            Ok(_free) => Ok(None),
            Err(PrivateError::Locked(_)) => {
                let socket_dir = Postmaster::wait_for_ready(&Cluster::at(&data_dir)).await?;
                Ok(Some(cluster::url(&socket_dir, cluster::ROLE, cluster::DATABASE)))
            }
            Err(other) => Err(other),
        }
    }

    /// The address of the product's database. Its role owns that database and nothing else.
    #[must_use]
    pub fn url(&self) -> String {
        cluster::url(&self.socket_dir, cluster::ROLE, cluster::DATABASE)
    }

    /// An address with all rights, for chores that the product's own role may not do.
    #[must_use]
    pub fn admin_url(&self, database: &str) -> String {
        cluster::url(&self.socket_dir, cluster::ADMIN, database)
    }

    /// The postmaster's process id now.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.pid.get()
    }

    /// Ends it in order: open transactions are rolled back, the rest is on disk.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if let Some(watch) = self.watch.take()
            && let Err(error) = watch.await
        {
            tracing::error!(%error, "the private Postgres was not stopped in order");
        }
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        self.stop.cancel();
        if self.watch.is_some() {
            self.pid.interrupt();
        }
    }
}
