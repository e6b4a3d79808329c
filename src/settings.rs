//! The environment -> [`Settings`], made of each module's own. Nothing else reads the environment.
//!
//! [`VARIABLES`] names every variable with its default and its reason; README.md shows the same table, and a test
//! compares them. A secret may come from a file: `NAME_FILE` holds the path.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use secrecy::SecretString;
use url::Url;

use crate::accounts::AccountSettings;
use crate::app::Halves;
use crate::database::DatabaseSettings;
use crate::preview::PreviewSettings;
use crate::sandbox;
use crate::storage::{Addressing, ChecksumMode, S3Settings, Timeouts};
use crate::telemetry::{LogFormat, TelemetrySettings};
use crate::upload::UploadSettings;
use crate::worker::{Retention, WorkerSettings};

mod environment;

pub use environment::Environment;
use environment::invalid;

/// One variable of the environment.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What holds without it, in words or as written.
    pub default: &'static str,
    /// What it is for and why the default is what it is.
    pub reason: &'static str,
}

const fn variable(name: &'static str, default: &'static str, reason: &'static str) -> Variable {
    Variable { name, default, reason }
}

/// Every variable, in the order of README.md.
pub const VARIABLES: &[Variable] = &[
    variable(
        "SHEETMILL_DATA",
        "`$XDG_DATA_HOME/sheetmill`, else `~/.local/share/sheetmill`",
        "The one folder that holds everything: the private Postgres, stored bytes, scratch space",
    ),
    variable(
        "SHEETMILL_LISTEN",
        "`127.0.0.1:8080`",
        "Address and port to listen on; port 0 takes a free one. Only this machine is served until you say otherwise",
    ),
    variable(
        "SHEETMILL_PUBLIC_URL",
        "the address listened on",
        "How people reach it. With `https` cookies are `Secure`; links and origin checks use it",
    ),
    variable(
        "SHEETMILL_LOG",
        "`info` with quiet libraries",
        "What to log, as a filter such as `info,sheetmill=debug`",
    ),
    variable(
        "SHEETMILL_LOG_FORMAT",
        "`auto`",
        "`json`, `text`, or `auto`: text on a terminal, JSON elsewhere",
    ),
    variable(
        "DATABASE_URL",
        "none: a private Postgres",
        "A Postgres 15 or newer with the hstore extension, shared by every process of an installation",
    ),
    variable(
        "SHEETMILL_POSTGRES_BIN",
        "found",
        "The folder with `initdb` and `postgres`, for the private Postgres",
    ),
    variable(
        "SHEETMILL_DATABASE_CONNECTIONS",
        "`16`",
        "Connections of one process at most. Two halves need about ten; most servers allow a hundred in all",
    ),
    variable(
        "SHEETMILL_S3_BUCKET",
        "none: a folder below the data folder",
        "The bucket that bytes are kept in; it must exist. Setting it chooses S3",
    ),
    variable(
        "SHEETMILL_S3_ENDPOINT",
        "AWS, by region",
        "The address of any other store, such as `http://garage:3900`",
    ),
    variable(
        "SHEETMILL_S3_PUBLIC_ENDPOINT",
        "none: downloads go through the web half",
        "The address by which browsers reach the store, if they do: downloads are then sent there",
    ),
    variable(
        "SHEETMILL_S3_REGION",
        "`us-east-1`",
        "The region that requests are signed for; Garage says `garage`",
    ),
    variable("SHEETMILL_S3_ACCESS_KEY", "none", "The key's id"),
    variable("SHEETMILL_S3_SECRET_KEY", "none", "The key's secret"),
    variable(
        "SHEETMILL_S3_ADDRESSING",
        "`path` with an endpoint, else `host`",
        "Whether the bucket is named in the path or in the host; most stores that are not AWS want `path`",
    ),
    variable(
        "SHEETMILL_S3_CHECKSUMS",
        "`required` over plain http, else `supported`",
        "`required` for stores that do not know the newer checksums and refuse requests that carry them",
    ),
    variable(
        "SHEETMILL_WORKER_NAME",
        "`worker`",
        "The name of this process's worker half on the admin pages; the id of its start is added",
    ),
    variable(
        "SHEETMILL_READERS",
        "`1`",
        "How many files are read at once. Each is a child with memory of its own, and reading a sheet is one thread's work",
    ),
    variable(
        "SHEETMILL_PROCESSORS",
        "`1`",
        "How many files of runs are processed at once. Each is a child with memory of its own, and uses SHEETMILL_PLAN_THREADS",
    ),
    variable(
        "SHEETMILL_PLAN_THREADS",
        "as many as the machine has",
        "Threads of one file of a run; they never change its result",
    ),
    variable(
        "SHEETMILL_CHILD_MEMORY",
        "`512MB`",
        "What a child may hold. Half a gigabyte reads, sorts and writes a million rows; more rows spill to disk",
    ),
    variable(
        "SHEETMILL_SOFT_LIMIT",
        "`540s`",
        "After so long a child is asked to stop",
    ),
    variable(
        "SHEETMILL_HARD_LIMIT",
        "`600s`",
        "After so long it is killed: ten minutes are many times what the largest sheet takes",
    ),
    variable("SHEETMILL_MAX_FILE", "`2GB`", "The largest file that is taken"),
    variable(
        "SHEETMILL_MAX_UPLOAD",
        "`8GB`",
        "The most bytes that one upload of several files may have; the spool must hold them",
    ),
    variable(
        "SHEETMILL_PREVIEWERS",
        "`2`",
        "How many children of the web half answer pages with rows and previews, each for half a minute at most",
    ),
    variable(
        "SHEETMILL_PREVIEW_CACHE",
        "`2GB`",
        "Parts of tables that the web half keeps at hand for them",
    ),
    variable(
        "SHEETMILL_MAX_INFLATED",
        "`8GB`",
        "The most bytes that a file may inflate to; an honest million rows are some 350 MB",
    ),
    variable(
        "SHEETMILL_REUSE",
        "`30d`",
        "How long after its last use a run takes over what the same recipe made of the same file before; `0` makes everything anew",
    ),
    variable(
        "SHEETMILL_STOP_GRACE",
        "`25s`",
        "How long running work may go on after a stop was asked for; less than the 30 s after which orchestrators kill",
    ),
    variable(
        "SHEETMILL_KEEP_FILES",
        "`0`: for ever",
        "How long files are kept after their upload, such as `90d`; then they go as if their owners had removed them",
    ),
    variable(
        "SHEETMILL_KEEP_RESULTS",
        "`0`: for ever",
        "How long results are kept after the end of their run, such as `30d`; the run and its account stay",
    ),
    variable(
        "SHEETMILL_KEEP_REMOVED",
        "`7d`",
        "How long the bytes of removed files stay in storage: long enough to go back to a backup of the database",
    ),
    variable(
        "SHEETMILL_KEEP_HISTORY",
        "`90d`",
        "How long logs of attempts, ticks of schedules and activity reports are kept; `0`: for ever",
    ),
];

/// Read beside [`VARIABLES`] because the system sets them, or by the build and not by the program.
const FOREIGN: [&str; 2] = ["SHEETMILL_CACHE", "SHEETMILL_BENCH_TIMES"];

/// What is wrong with the settings, in one sentence each.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A value cannot be read.
    #[error("{name}: {reason}")]
    Invalid {
        /// The variable.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nowhere to put data.
    #[error("There is no home folder to keep data in: set SHEETMILL_DATA to a folder")]
    NoDataFolder,
}

/// Everything that can be set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The data folder.
    pub data: PathBuf,
    /// Which halves run; chosen by the command.
    pub halves: Halves,
    /// The web half's own.
    pub web: WebSettings,
    /// Logs.
    pub telemetry: TelemetrySettings,
    /// Where Postgres is.
    pub database: DatabasePlace,
    /// Connections of this process at most.
    pub database_connections: u32,
    /// The S3 store; `None`: a folder below the data folder.
    pub s3: Option<S3Settings>,
    /// Accounts.
    pub accounts: AccountSettings,
    /// The worker half's own.
    pub worker: WorkerSettings,
    /// Uploads.
    pub upload: UploadSettings,
    /// Previews.
    pub preview: PreviewSettings,
}

/// Where Postgres is.
#[derive(Clone, Debug)]
pub enum DatabasePlace {
    /// A private one in the data folder, by the programs in a folder or those that are found.
    Private(Option<PathBuf>),
    /// One that runs elsewhere.
    At(SecretString),
}

/// How to answer http.
#[derive(Clone, Debug)]
pub struct WebSettings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// How people reach it; `None`: at the address listened on.
    pub public_url: Option<Url>,
}

impl Default for WebSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            public_url: None,
        }
    }
}

/// What the command line says; it wins over the environment.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--data`.
    pub data: Option<PathBuf>,
    /// `--listen`.
    pub listen: Option<SocketAddr>,
}

impl Settings {
    /// Reads the settings.
    ///
    /// # Errors
    /// The first value that cannot be read, in a sentence.
    pub fn read(environment: &Environment, overrides: Overrides) -> Result<Self, Error> {
        let data = match overrides.data {
            Some(data) => data,
            None => environment.data_folder()?,
        };
        let mut settings = Self::at(data);
        environment.parse(
            "SHEETMILL_LISTEN",
            &mut settings.web.listen,
            "write it like 127.0.0.1:8080",
        )?;
        environment.optional(
            "SHEETMILL_PUBLIC_URL",
            &mut settings.web.public_url,
            "write it like https://mill.example.org",
        )?;
        environment.text("SHEETMILL_LOG", &mut settings.telemetry.filter);
        environment.choice("SHEETMILL_LOG_FORMAT", &mut settings.telemetry.format, &LOG_FORMATS)?;
        settings.database = match environment.secret("DATABASE_URL")? {
            Some(url) => DatabasePlace::At(url),
            None => DatabasePlace::Private(environment.get("SHEETMILL_POSTGRES_BIN").map(PathBuf::from)),
        };
        environment.parse(
            "SHEETMILL_DATABASE_CONNECTIONS",
            &mut settings.database_connections,
            "write a number",
        )?;
        settings.s3 = environment.s3()?;
        environment.worker(&mut settings.worker)?;
        settings.upload.file_bytes = settings.worker.limits.file_bytes;
        settings.preview.limits = settings.worker.limits.clone();
        environment.bytes("SHEETMILL_MAX_UPLOAD", &mut settings.upload.request_bytes)?;
        environment.parse("SHEETMILL_PREVIEWERS", &mut settings.preview.children, "write a number")?;
        environment.bytes("SHEETMILL_CHILD_MEMORY", &mut settings.preview.sandbox.memory)?;
        environment.bytes("SHEETMILL_PREVIEW_CACHE", &mut settings.preview.cache_bytes)?;
        if let Some(listen) = overrides.listen {
            settings.web.listen = listen;
        }
        Ok(settings)
    }

    /// The defaults, with everything below one folder.
    #[must_use]
    pub fn at(data: PathBuf) -> Self {
        Self {
            worker: WorkerSettings::at(data.join("scratch/worker")),
            preview: PreviewSettings::at(data.join("scratch/preview")),
            upload: UploadSettings::at(data.join("scratch/spool")),
            data,
            halves: Halves::default(),
            web: WebSettings::default(),
            telemetry: TelemetrySettings::default(),
            database: DatabasePlace::Private(None),
            database_connections: DatabaseSettings::MAX_CONNECTIONS,
            s3: None,
            accounts: AccountSettings::default(),
        }
    }
}

const LOG_FORMATS: [(&str, LogFormat); 3] = [
    ("auto", LogFormat::Auto),
    ("json", LogFormat::Json),
    ("text", LogFormat::Text),
];

const ADDRESSINGS: [(&str, Addressing); 2] = [("path", Addressing::Path), ("host", Addressing::Host)];
const CHECKSUMS: [(&str, ChecksumMode); 2] = [
    ("supported", ChecksumMode::Supported),
    ("required", ChecksumMode::Required),
];

impl Environment {
    fn data_folder(&self) -> Result<PathBuf, Error> {
        let under = |name: &str, rest: &str| self.get(name).map(|folder| PathBuf::from(folder).join(rest));
        under("SHEETMILL_DATA", "")
            .or_else(|| under("XDG_DATA_HOME", "sheetmill"))
            .or_else(|| under("HOME", ".local/share/sheetmill"))
            .ok_or(Error::NoDataFolder)
    }

    /// What the worker half goes by.
    fn worker(&self, worker: &mut WorkerSettings) -> Result<(), Error> {
        self.text("SHEETMILL_WORKER_NAME", &mut worker.name);
        self.parse("SHEETMILL_READERS", &mut worker.ingest_slots, "write a number")?;
        self.parse("SHEETMILL_PROCESSORS", &mut worker.process_slots, "write a number")?;
        self.parse("SHEETMILL_PLAN_THREADS", &mut worker.plan_jobs, "write a number")?;
        for child in [&mut worker.ingest, &mut worker.process] {
            self.bytes("SHEETMILL_CHILD_MEMORY", &mut child.memory)?;
            self.span("SHEETMILL_SOFT_LIMIT", &mut child.soft_limit)?;
            self.span("SHEETMILL_HARD_LIMIT", &mut child.hard_limit)?;
        }
        worker.plan_memory = sandbox::plan_memory(worker.process.memory);
        self.bytes("SHEETMILL_MAX_FILE", &mut worker.limits.file_bytes)?;
        self.bytes("SHEETMILL_MAX_INFLATED", &mut worker.limits.inflated_bytes)?;
        self.span("SHEETMILL_REUSE", &mut worker.reuse)?;
        self.span("SHEETMILL_STOP_GRACE", &mut worker.grace)?;
        self.retention(&mut worker.retention)
    }

    fn retention(&self, retention: &mut Retention) -> Result<(), Error> {
        self.kept("SHEETMILL_KEEP_FILES", &mut retention.files)?;
        self.kept("SHEETMILL_KEEP_RESULTS", &mut retention.results)?;
        self.span("SHEETMILL_KEEP_REMOVED", &mut retention.removed)?;
        self.kept("SHEETMILL_KEEP_HISTORY", &mut retention.history)
    }

    /// The store, where a bucket is named.
    fn s3(&self) -> Result<Option<S3Settings>, Error> {
        let Some(bucket) = self.get("SHEETMILL_S3_BUCKET") else {
            return Ok(None);
        };
        let missing = |name: &str| invalid(name, "SHEETMILL_S3_BUCKET is set, so this is needed too".to_owned());
        let endpoint = self.get("SHEETMILL_S3_ENDPOINT").map(str::to_owned);
        let checksums = ChecksumMode::for_endpoint(endpoint.as_deref());
        let mut settings = S3Settings {
            addressing: if endpoint.is_some() {
                Addressing::Path
            } else {
                Addressing::Host
            },
            endpoint,
            public_endpoint: self.get("SHEETMILL_S3_PUBLIC_ENDPOINT").map(str::to_owned),
            region: self.get("SHEETMILL_S3_REGION").unwrap_or("us-east-1").to_owned(),
            bucket: bucket.to_owned(),
            access_key_id: self
                .get("SHEETMILL_S3_ACCESS_KEY")
                .ok_or_else(|| missing("SHEETMILL_S3_ACCESS_KEY"))?
                .to_owned(),
            secret_access_key: self
                .secret("SHEETMILL_S3_SECRET_KEY")?
                .ok_or_else(|| missing("SHEETMILL_S3_SECRET_KEY"))?,
            checksums,
            timeouts: Timeouts::default(),
        };
        self.choice("SHEETMILL_S3_ADDRESSING", &mut settings.addressing, &ADDRESSINGS)?;
        self.choice("SHEETMILL_S3_CHECKSUMS", &mut settings.checksums, &CHECKSUMS)?;
        Ok(Some(settings))
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn without_anything_data_goes_below_the_home_folder() {
        let environment = Environment::of(&[("HOME", "/home/ada")]);
        let settings = Settings::read(&environment, Overrides::default()).expect("defaults are valid");
        assert_eq!(settings.data, PathBuf::from("/home/ada/.local/share/sheetmill"));
        assert_eq!(settings.web.listen.to_string(), "127.0.0.1:8080");
        assert!(matches!(settings.database, DatabasePlace::Private(None)));
        assert!(settings.s3.is_none());
    }

    #[test]
    fn the_command_line_wins() {
        let environment = Environment::of(&[("SHEETMILL_DATA", "/a"), ("SHEETMILL_LISTEN", "0.0.0.0:1")]);
        let overrides = Overrides {
            data: Some("/b".into()),
            listen: "127.0.0.1:0".parse().ok(),
        };
        let settings = Settings::read(&environment, overrides).expect("valid");
        assert_eq!((settings.data, settings.web.listen.port()), (PathBuf::from("/b"), 0));
    }

    #[test]
    fn a_wrong_value_is_named_with_its_variable() {
        let environment = Environment::of(&[("HOME", "/h"), ("SHEETMILL_LOG_FORMAT", "xml")]);
        let error = Settings::read(&environment, Overrides::default()).expect_err("xml is no log format");
        assert_eq!(
            error.to_string(),
            "SHEETMILL_LOG_FORMAT: \"xml\" is not one of auto, json, text"
        );
    }

    #[test]
    fn what_is_kept_for_no_time_is_kept_for_ever() {
        let environment = Environment::of(&[
            ("HOME", "/h"),
            ("SHEETMILL_KEEP_RESULTS", "30d"),
            ("SHEETMILL_KEEP_HISTORY", "0"),
        ]);
        let settings = Settings::read(&environment, Overrides::default()).expect("valid");
        let kept = settings.worker.retention;
        let days = |days: u64| std::time::Duration::from_secs(days * 86_400);
        assert_eq!((kept.files, kept.results, kept.history), (None, Some(days(30)), None));
        assert_eq!(kept.removed, days(7));
    }

    #[test]
    fn a_misspelt_variable_is_found() {
        let environment = Environment::of(&[
            ("SHEETMILL_DTAA", "/x"),
            ("DATABASE_URL_FILE", "/run/x"),
            ("SHEETMILL_DATA", "/y"),
        ]);
        assert_eq!(environment.unknown(), ["SHEETMILL_DTAA"]);
    }

    #[test]
    fn a_secret_comes_from_a_file() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), "postgres://x\n").expect("it can be written");
        let path = file.path().to_str().expect("a plain path");
        let environment = Environment::of(&[("HOME", "/h"), ("DATABASE_URL_FILE", path)]);
        let settings = Settings::read(&environment, Overrides::default()).expect("valid");
        let url = match settings.database {
            DatabasePlace::At(url) => url,
            DatabasePlace::Private(_) => "a private one".to_owned().into(),
        };
        assert_eq!(url.expose_secret(), "postgres://x");
    }
}
