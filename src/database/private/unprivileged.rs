//! Who runs Postgres' programs: ourselves, or, because they refuse to run as root, the user `postgres` for root.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::geteuid;
use tokio::process::Command;

use super::{PrivateError, Result};

/// The user that takes root's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct User {
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// The program that lets the user enter a data folder below folders that are closed to it, such as `/root`.
    usher: Option<PathBuf>,
}

/// The user for this data folder; `None` when we are not root and run the programs ourselves.
pub(super) async fn user(data_dir: &Path) -> Result<Option<User>> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let (uid, gid) = (id_of("-u").await?, id_of("-g").await?);
    let usher = if data_dir.ancestors().all(|folder| may_enter(folder, uid, gid)) {
        None
    } else {
        Some(usher(data_dir)?)
    };
    Ok(Some(User { uid, gid, usher }))
}

/// A command that runs a program as the user, with an environment of its own and apart from the terminal's Ctrl-C.
pub(super) fn command(program: &Path, user: Option<&User>) -> Command {
    let mut command = match user {
        None => Command::new(program),
        Some(User { uid, gid, usher: None }) => {
            let mut command = Command::new(program);
            command.uid(*uid).gid(*gid);
            command
        }
        Some(User {
            uid,
            gid,
            usher: Some(usher),
        }) => {
            let mut command = Command::new(usher);
            command
                .arg(format!("--reuid={uid}"))
                .arg(format!("--regid={gid}"))
                .args([
                    "--clear-groups",
                    "--inh-caps=+dac_read_search",
                    "--ambient-caps=+dac_read_search",
                ])
                .arg(program);
            command
        }
    };
    command
        .env_clear()
        .env("LC_ALL", "C")
        .env("PATH", "/usr/bin:/bin")
        .current_dir("/")
        .stdin(Stdio::null())
        .process_group(0);
    command
}

async fn id_of(which: &str) -> Result<u32> {
    // `id` asks every directory that the machine knows of users; /etc/passwd would be only one of them.
    let answer = Command::new("id")
        .args([which, "postgres"])
        .stdin(Stdio::null())
        .output()
        .await;
    let text = answer
        .ok()
        .filter(|it| it.status.success())
        .and_then(|it| String::from_utf8(it.stdout).ok());
    text.and_then(|text| text.trim().parse().ok())
        .ok_or(PrivateError::NoUnprivilegedUser)
}

fn may_enter(folder: &Path, uid: u32, gid: u32) -> bool {
    let Ok(found) = fs::metadata(folder) else { return false };
    let bit = match found {
        _ if found.uid() == uid => 0o100,
        _ if found.gid() == gid => 0o010,
        _ => 0o001,
    };
    found.mode() & bit != 0
}

fn usher(data_dir: &Path) -> Result<PathBuf> {
    let places = ["/usr/bin/setpriv", "/bin/setpriv"];
    places
        .iter()
        .map(PathBuf::from)
        .find(|it| it.exists())
        .ok_or_else(|| PrivateError::CannotEnter(data_dir.to_owned()))
}
