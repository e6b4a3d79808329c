//! Files that were made to do harm: each gets an answer, and no server process dies of it.

use std::process::Command;

use reqwest::StatusCode;

use crate::client::Client;
use crate::processes::{Process, chore, resident_mib};

/// What a sentence for people never holds.
const INTERNALS: &[&str] = &[
    "panicked", "src/", "SELECT", ".rs:", "/tmp", "thread '", "unwrap", "Error(",
];

#[tokio::test(flavor = "multi_thread")]
async fn hostile_files_get_a_sentence_and_take_nothing_down() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = folder.path().join("files");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hostile/make_hostile.py");
    let made = Command::new("python3")
        .arg(script)
        .arg(&files)
        .status()
        .expect("python3 starts");
    assert!(made.success(), "the hostile files could be made");

    let data = folder.path().join("data").to_str().expect("a plain path").to_owned();
    let settings = [("SHEETMILL_DATA", data), ("SHEETMILL_LISTEN", "127.0.0.1:0".to_owned())];
    let process = Process::serve(&["up"], &settings).await;
    chore(&["user", "add", "kim@example.org", "--admin"], &settings).await;
    let token = chore(&["user", "token", "kim@example.org"], &settings).await;
    let client = Client::new(process.address.as_deref().expect("an address"), &token);

    let mut accepted = Vec::new();
    for entry in std::fs::read_dir(&files)
        .expect("the files")
        .map(|it| it.expect("an entry"))
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        let (status, answer) = client
            .upload_bytes(&name, std::fs::read(entry.path()).expect("its bytes"))
            .await;
        if status == StatusCode::ACCEPTED {
            accepted.push((name, answer[0]["id"].as_str().expect("an id").to_owned()));
        } else {
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{name}: {answer}");
            assert_plain(&name, &answer.to_string());
        }
    }
    assert!(accepted.len() > 20, "most are found out by the reader, not at the door");
    let ends = ["ready", "refused", "failed"];
    for (name, id) in &accepted {
        let answer = client
            .until(&format!("/files/{id}"), |it| {
                ends.contains(&it["state"].as_str().unwrap_or_default())
            })
            .await;
        assert!(name != "one_part.xlsx" || answer["state"] == "refused", "{answer}");
        if answer["state"] != "ready" {
            let error = answer["error"].to_string();
            assert!(error.contains(name.as_str()), "the sentence names the file: {answer}");
            assert_plain(name, &error);
        }
    }
    let ok = accepted
        .iter()
        .find(|(name, _)| name == "ok.xlsx")
        .expect("the good one among them");
    assert_eq!(
        client.get(&format!("/files/{}", ok.1)).await.expect("an answer")["state"],
        "ready"
    );
    assert!(
        resident_mib(process.pid()) < 300,
        "the server stays small: {} MiB",
        resident_mib(process.pid())
    );
    assert!(process.interrupt().await.success());
}

fn assert_plain(name: &str, answer: &str) {
    for word in INTERNALS {
        assert!(
            !answer.contains(word),
            "{name}: a sentence for people holds {word}: {answer}"
        );
    }
}
