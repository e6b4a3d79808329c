//! A folder in which commands of the terminal are given. No server and no database.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tokio::process::Command;

use crate::orders;

/// A folder with a workbook, in which commands are given.
pub(crate) struct Desk(tempfile::TempDir);

/// What a command said.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) answer: String,
    pub(crate) sentences: String,
}

impl Desk {
    /// One with nothing on it.
    pub(crate) fn empty() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// One with a workbook of orders.
    pub(crate) fn with_orders(rows: u64) -> Self {
        let desk = Self::empty();
        orders::write(rows, &desk.path("orders.xlsx"));
        desk
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn recipe(&self, document: &Value) {
        std::fs::write(self.path("recipe.yaml"), document.to_string()).expect("it can be written");
    }

    pub(crate) fn report(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.path("report.json")).expect("a report")).expect("JSON")
    }

    /// Runs a command in the folder.
    pub(crate) async fn say(&self, command: &str) -> Said {
        let output = Command::new(env!("CARGO_BIN_EXE_sheetmill"))
            .args(command.split(' '))
            .current_dir(self.0.path())
            .env("TMPDIR", self.0.path())
            .output()
            .await
            .expect("it starts");
        Said {
            code: output.status.code(),
            answer: String::from_utf8(output.stdout).expect("text"),
            sentences: String::from_utf8(output.stderr).expect("text"),
        }
    }

    /// What is in the folder besides what was put there: temporary files are gone whatever happened.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.0.path())
            .expect("a folder")
            .flatten()
            .map(|it| it.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

pub(crate) fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).expect("a file")
}
