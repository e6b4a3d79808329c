//! The cluster on disk: created once, whole or not at all.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use super::programs::Programs;
use super::unprivileged::{self, User};
use super::{Durability, PrivateError, Result, folder};

/// The cluster's superuser.
pub(super) const ADMIN: &str = "postgres";
/// The product's role: owns its database, may do nothing else.
pub(super) const ROLE: &str = "sheetmill";
/// The product's database.
pub(super) const DATABASE: &str = "sheetmill";

/// The folder of a cluster.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    folder: PathBuf,
}

impl Cluster {
    pub(super) fn at(data_dir: &Path) -> Self {
        Self {
            folder: data_dir.join("postgres"),
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The major version that it was made by; `None` when there is no cluster yet.
    pub(super) fn version(&self) -> Result<Option<String>> {
        let path = self.folder.join("PG_VERSION");
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(PrivateError::Io { path, cause }),
        }
    }

    /// Creates the cluster unless it exists. It grows under another name, so that a half-made one is never used.
    pub(super) async fn create_once(
        &self,
        programs: &Programs,
        user: Option<&User>,
        durability: Durability,
    ) -> Result<()> {
        if self.version()?.is_some() {
            return Ok(());
        }
        let growing = self.folder.with_extension("new");
        if growing.exists() {
            fs::remove_dir_all(&growing).map_err(PrivateError::io(&growing))?;
        }
        DirBuilder::new()
            .mode(0o700)
            .create(&growing)
            .map_err(PrivateError::io(&growing))?;
        folder::give_to(&growing, user)?;

        let mut initdb = unprivileged::command(&programs.initdb(), user);
        initdb.arg("--pgdata").arg(&growing);
        // Nobody but the owner reaches the socket's folder, and there is no TCP.
        initdb.args(["--username", ADMIN, "--auth-local=trust", "--auth-host=reject"]);
        initdb.args(["--encoding=UTF8", "--locale=C", "--no-instructions"]);
        if durability == Durability::Fleeting {
            initdb.arg("--no-sync");
        }
        let answer = initdb.output().await.map_err(PrivateError::io(&programs.initdb()))?;
        if !answer.status.success() {
            let said = String::from_utf8_lossy(&answer.stderr).trim().to_owned();
            return Err(PrivateError::Program {
                program: "initdb",
                said,
            });
        }
        fs::rename(&growing, &self.folder).map_err(PrivateError::io(&self.folder))
    }
}

/// Creates the product's role and database in a running cluster, unless they exist.
pub(super) async fn create_database(socket_dir: &Path) -> Result<()> {
    let mut admin = options(socket_dir).connect().await?;
    let role: Option<i32> = sqlx::query_scalar("select 1 from pg_roles where rolname = $1")
        .bind(ROLE)
        .fetch_optional(&mut admin)
        .await?;
    if role.is_none() {
        sqlx::query("create role sheetmill login").execute(&mut admin).await?;
    }
    let database: Option<i32> = sqlx::query_scalar("select 1 from pg_database where datname = $1")
        .bind(DATABASE)
        .fetch_optional(&mut admin)
        .await?;
    if database.is_none() {
        sqlx::query("create database sheetmill owner sheetmill")
            .execute(&mut admin)
            .await?;
    }
    admin.close().await?;
    Ok(())
}

/// Whether the cluster behind this socket takes connections, and if not, why.
pub(super) async fn answers(socket_dir: &Path) -> Result<(), sqlx::Error> {
    options(socket_dir).connect().await?.close().await
}

fn options(socket_dir: &Path) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .socket(socket_dir)
        .username(ADMIN)
        .database("postgres")
}

/// An address for other parts of the program.
pub(super) fn url(socket_dir: &Path, role: &str, database: &str) -> String {
    let folder = url::form_urlencoded::byte_serialize(socket_dir.as_os_str().as_encoded_bytes()).collect::<String>();
    format!("postgres://{role}@localhost/{database}?host={folder}")
}
