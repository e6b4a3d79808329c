//! Finding Postgres' programs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::cluster::Cluster;
use super::{PrivateError, Result};

/// A folder that holds `initdb` and `postgres` of one version.
#[derive(Clone, Debug)]
pub(super) struct Programs {
    folder: PathBuf,
}

impl Programs {
    pub(super) fn initdb(&self) -> PathBuf {
        self.folder.join("initdb")
    }

    pub(super) fn postgres(&self) -> PathBuf {
        self.folder.join("postgres")
    }
}

/// The programs to use: those in `set` when given, otherwise the first that are found; for a cluster that exists, only
/// those of its version.
pub(super) async fn find(set: Option<&Path>, cluster: &Cluster) -> Result<Programs> {
    let candidates = match set {
        Some(folder) if complete(folder) => vec![folder.to_owned()],
        Some(folder) => return Err(PrivateError::NoProgramsIn(folder.to_owned())),
        None => search().await,
    };
    let Some(first) = candidates.first() else {
        return Err(PrivateError::NotInstalled);
    };
    let Some(needed) = cluster.version()? else {
        return Ok(Programs { folder: first.clone() });
    };

    let mut found = Vec::new();
    for folder in &candidates {
        match major_version(folder).await {
            Some(version) if version == needed => return Ok(Programs { folder: folder.clone() }),
            Some(version) => found.push(version),
            None => {}
        }
    }
    Err(PrivateError::OtherVersion {
        folder: cluster.folder().to_owned(),
        needed,
        found: found.join(", "),
    })
}

async fn search() -> Vec<PathBuf> {
    let mut places = Vec::new();
    if let Ok(answer) = Command::new("pg_config")
        .arg("--bindir")
        .stdin(Stdio::null())
        .output()
        .await
        && let Ok(folder) = String::from_utf8(answer.stdout)
    {
        places.push(PathBuf::from(folder.trim()));
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "not a setting: where the system keeps its programs"
    )]
    let path = std::env::var_os("PATH").unwrap_or_default();
    places.extend(std::env::split_paths(&path));
    // Debian and Ubuntu; the Postgres project's packages for Fedora; Homebrew on both kinds of Mac.
    places.extend(versions_below("/usr/lib/postgresql", ""));
    places.extend(versions_below("/usr", "pgsql-"));
    places.extend(versions_below("/opt/homebrew/opt", "postgresql@"));
    places.extend(versions_below("/usr/local/opt", "postgresql@"));

    let mut complete_ones: Vec<PathBuf> = Vec::new();
    for place in places {
        if complete(&place) && !complete_ones.contains(&place) {
            complete_ones.push(place);
        }
    }
    complete_ones
}

/// `{folder}/{prefix}{version}/bin`, the highest version first.
fn versions_below(folder: &str, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.strip_prefix(prefix)?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found.into_iter().map(|(_, folder)| folder).collect()
}

fn complete(folder: &Path) -> bool {
    folder.is_absolute() && ["initdb", "postgres"].iter().all(|name| folder.join(name).is_file())
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` is 15.
async fn major_version(folder: &Path) -> Option<String> {
    let answer = Command::new(folder.join("postgres"))
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .await
        .ok()?;
    let text = String::from_utf8(answer.stdout).ok()?;
    let version = text.split_once("PostgreSQL) ")?.1;
    Some(version.chars().take_while(char::is_ascii_digit).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_version_comes_first_and_strangers_are_left_out() {
        let root = tempfile::tempdir().expect("a folder for the test");
        for name in [
            "postgresql@9",
            "postgresql@17",
            "postgresql@15",
            "postgresql",
            "mysql@8",
        ] {
            fs::create_dir(root.path().join(name)).expect("a folder for the test");
        }
        let found = versions_below(root.path().to_str().expect("an ordinary path"), "postgresql@");
        let expected: Vec<PathBuf> = ["postgresql@17/bin", "postgresql@15/bin", "postgresql@9/bin"]
            .iter()
            .map(|it| root.path().join(it))
            .collect();
        assert_eq!(found, expected);
    }

    #[tokio::test]
    async fn a_folder_without_the_programs_is_named() {
        let root = tempfile::tempdir().expect("a folder for the test");
        let error = find(Some(root.path()), &Cluster::at(root.path()))
            .await
            .expect_err("there is nothing in it");
        assert!(
            matches!(&error, PrivateError::NoProgramsIn(folder) if folder == root.path()),
            "{error}"
        );
    }
}
