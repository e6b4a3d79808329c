//! The corpus of real workbooks through the real product: what becomes of each is written down, file by file.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use reqwest::StatusCode;
use serde_json::Value;

use crate::client::Client;
use crate::processes::{Process, chore, resident_mib};

/// What became of each file when it was last looked at. `UPDATE_CORPUS=1` writes it anew, for a person to read the difference.
const OUTCOMES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/outcomes.tsv");
/// The workbooks, beside the checkout; they are not part of it.
const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus/files");

#[tokio::test(flavor = "multi_thread")]
async fn every_workbook_of_the_corpus_has_the_outcome_that_is_written_down() {
    let root = PathBuf::from(FILES);
    if !root.is_dir() {
        println!("no corpus beside the checkout: nothing to compare");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data").to_str().expect("a plain path").to_owned();
    let settings = [("SHEETMILL_DATA", data), ("SHEETMILL_LISTEN", "127.0.0.1:0".to_owned())];
    let process = Process::serve(&["up"], &settings).await;
    chore(&["user", "add", "kim@example.org", "--admin"], &settings).await;
    let token = chore(&["user", "token", "kim@example.org"], &settings).await;
    let client = Client::new(&process.address.clone().expect("an address"), &token);

    let mut sent = Vec::new();
    for path in files(&root) {
        let name = path
            .strip_prefix(&root)
            .expect("below the root")
            .to_string_lossy()
            .into_owned();
        let (status, answer) = client
            .upload_bytes(&name, std::fs::read(&path).expect("its bytes"))
            .await;
        let id = answer[0]["id"].as_str().map(str::to_owned);
        assert_eq!(id.is_some(), status == StatusCode::ACCEPTED, "{name}: {answer}");
        sent.push((name, id.ok_or(answer)));
    }
    assert!(sent.len() > 800, "the corpus is there whole: {} files", sent.len());
    let mut found = String::new();
    for (name, id) in sent {
        let outcome = match id {
            Ok(id) => outcome(&client.until(&format!("/files/{id}"), is_settled).await),
            Err(answer) => format!("door {}", answer[0]["error"]["code"].as_str().unwrap_or("?")),
        };
        writeln!(found, "{name}\t{outcome}").expect("a string takes it");
    }
    assert!(resident_mib(process.pid()) < 300, "the server stays small");
    assert!(process.interrupt().await.success());
    compare(&found);
}

fn is_settled(file: &Value) -> bool {
    ["ready", "refused", "failed"].contains(&file["state"].as_str().unwrap_or_default())
}

/// `ready` with the size, the kinds of columns and the issues of each sheet, or the code of why not.
fn outcome(file: &Value) -> String {
    let state = file["state"].as_str().unwrap_or_default();
    if state != "ready" {
        return format!("{state} {}", file["error"]["code"].as_str().unwrap_or("?"));
    }
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let letter = |column: &Value| match column["type"].as_str().unwrap_or_default() {
        "date_time" => 'D',
        "time" => 'T',
        kind => kind.chars().next().unwrap_or('?'),
    };
    let table = |table: &Value| {
        let columns: String = list(&table["columns"]).iter().map(letter).collect();
        let issue = |it: &Value| format!(" {}:{}", it["code"].as_str().unwrap_or("?"), it["count"]);
        let issues: String = list(&table["issues"]).iter().map(issue).collect();
        format!("{}x{}{issues}", table["rows"], shortened(&columns))
    };
    format!(
        "ready {}",
        list(&file["tables"]).iter().map(table).collect::<Vec<_>>().join(" | ")
    )
}

/// Runs of the same letter with their length.
fn shortened(columns: &str) -> String {
    let mut runs: Vec<(char, usize)> = Vec::new();
    for letter in columns.chars() {
        match runs.last_mut() {
            Some((last, count)) if *last == letter => *count += 1,
            _ => runs.push((letter, 1)),
        }
    }
    let run = |(letter, count): (char, usize)| {
        if count == 1 {
            letter.to_string()
        } else {
            format!("{letter}{count}")
        }
    };
    runs.into_iter().map(run).collect()
}

fn compare(found: &str) {
    if std::env::var_os("UPDATE_CORPUS").is_some() {
        std::fs::write(OUTCOMES, found).expect("it can be written");
        return;
    }
    let known = std::fs::read_to_string(OUTCOMES).expect("what is written down");
    let (known, found): (Vec<&str>, Vec<&str>) = (known.lines().collect(), found.lines().collect());
    let lost: Vec<_> = known.iter().filter(|line| !found.contains(line)).collect();
    let new: Vec<_> = found.iter().filter(|line| !known.contains(line)).collect();
    assert!(
        lost.is_empty() && new.is_empty(),
        "{} outcomes are others now; UPDATE_CORPUS=1 writes them down\nbefore: {lost:#?}\nnow: {new:#?}",
        new.len().max(lost.len())
    );
}

/// All files below a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<PathBuf> = entries.map(|it| it.expect("an entry").path()).collect();
    paths.sort();
    let below = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    paths.into_iter().flat_map(below).collect()
}
