//! The bad inputs of RELIABILITY section 3 that are files, one by one, through the real child at the terminal.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use serde_json::Value;

use crate::hostile::{assert_plain, make_files};

/// What became of each when it was last looked at. `UPDATE_BAD_INPUTS=1` writes it anew, for a person to read the difference.
const OUTCOMES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hostile/outcomes.tsv");
const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus/files");
/// Inputs of the corpus, each with its number.
const OF_CORPUS: &[(u32, &str)] = &[
    (11, "excelize/test__encryptSHA512.xlsx"),
    (12, "sheetjs/password_2002_40_xor.xls"),
    (13, "calamine/tests__pass_protected.xlsb"),
    (13, "calamine/tests__pass_protected.ods"),
    (24, "calamine/tests__issue_594_dos.ods"),
    (30, "phpspreadsheet/tests__data__Reader__XLS__oleloop.xls"),
    (38, "calamine/tests__strict_iso_paths.xlsx"),
    (39, "phpspreadsheet/tests__data__Reader__XLSX__utf16be.xlsx"),
    (40, "calamine/tests__table_with_absolute_paths.xlsx"),
    (60, "phpspreadsheet/tests__data__Reader__XLS__maccentraleurope.xls"),
    (66, "calamine/tests__merge_cells.xlsx"),
    (66, "calamine/tests__pivots.xlsx"),
];
/// The limit is 5 s; other tests and slower machines need room.
const TIME: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_input_has_the_outcome_that_is_written_down() {
    let folder = tempfile::tempdir().expect("a folder");
    make_files(folder.path());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hostile/make_bad_inputs.py");
    let made = Command::new("python3").arg(script).arg(folder.path()).status();
    assert!(made.expect("python3 starts").success(), "the bad inputs could be made");
    let mut files: Vec<(String, PathBuf)> = std::fs::read_dir(folder.path())
        .expect("the files")
        .flatten()
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
        .collect();
    if Path::new(CORPUS).is_dir() {
        files.extend(
            OF_CORPUS
                .iter()
                .map(|(number, file)| (format!("{number}-{file}"), Path::new(CORPUS).join(file))),
        );
    }
    files.sort();
    let scratch = folder.path().join("tmp");
    std::fs::create_dir(&scratch).expect("a folder");
    let found: Vec<(String, String, Duration)> = stream::iter(files)
        .map(|(name, path)| {
            let scratch = scratch.clone();
            async move {
                let started = Instant::now();
                let outcome = outcome(&path, &scratch).await;
                (name, outcome, started.elapsed())
            }
        })
        .buffered(2)
        .collect()
        .await;
    let mut table = String::new();
    for (name, outcome, took) in &found {
        println!("{:6.2} s {name}: {outcome}", took.as_secs_f64());
        assert!(*took < TIME, "{name} took {took:?}");
        writeln!(table, "{name}\t{outcome}").expect("a string takes it");
    }
    let left = std::fs::read_dir(&scratch).expect("the folder").count();
    assert_eq!(left, 0, "temporary files are left");
    if std::env::var_os("UPDATE_BAD_INPUTS").is_some() {
        std::fs::write(OUTCOMES, &table).expect("the table");
    }
    let known = std::fs::read_to_string(OUTCOMES).expect("the table");
    let without_corpus = |table: &str| -> Vec<String> {
        let of_corpus = |line: &str| {
            OF_CORPUS
                .iter()
                .any(|(number, file)| line.starts_with(&format!("{number}-{file}")))
        };
        table
            .lines()
            .filter(|line| Path::new(CORPUS).is_dir() || !of_corpus(line))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(without_corpus(&known), without_corpus(&table));
}

/// A code, or what was read: rows and columns of each sheet, and what is odd.
async fn outcome(path: &Path, scratch: &Path) -> String {
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_sheetmill"))
        .args(["inspect", "--json"])
        .arg(path)
        .env("TMPDIR", scratch)
        .output()
        .await
        .expect("it starts");
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    let answer: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{name}: {}", String::from_utf8_lossy(&output.stderr)));
    if let Some(code) = answer["code"].as_str() {
        let sentence = answer["sentence"].as_str().unwrap_or_default();
        assert_eq!(output.status.code(), Some(3), "{name}: {sentence}");
        assert!(sentence.contains(&name), "the sentence names the file: {sentence}");
        assert_plain(&name, sentence);
        return code.to_owned();
    }
    let sheets = answer["sheets"].as_array().expect("sheets");
    let mut told = String::new();
    for sheet in sheets.iter().take(3) {
        let columns = sheet["columns"].as_array().map_or(0, Vec::len);
        write!(told, "{}x{columns} ", sheet["rows"]).expect("a string takes it");
        for issue in sheet["issues"].as_array().into_iter().flatten() {
            write!(
                told,
                "{}={} ",
                issue["code"].as_str().unwrap_or_default(),
                issue["count"]
            )
            .expect("a string takes it");
        }
    }
    if sheets.len() > 3 {
        write!(told, "… {} sheets", sheets.len()).expect("a string takes it");
    }
    told.trim().to_owned()
}
