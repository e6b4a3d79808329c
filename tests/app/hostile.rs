//! Files that were made to do harm: each gets an answer, and no server process dies of it.

use std::path::Path;
use std::process::Command;

use reqwest::StatusCode;

use crate::client::Client;
use crate::processes::{Process, chore, resident_mib};
use crate::visitor::Visitor;

/// What a sentence for people never holds.
const INTERNALS: &[&str] = &[
    "panicked", "src/", "SELECT", ".rs:", "/tmp", "thread '", "unwrap", "Error(",
];

#[tokio::test(flavor = "multi_thread")]
async fn hostile_files_get_a_sentence_and_take_nothing_down() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = folder.path().join("files");
    make_files(&files);

    let data = folder.path().join("data").to_str().expect("a plain path").to_owned();
    let settings = [("SHEETMILL_DATA", data), ("SHEETMILL_LISTEN", "127.0.0.1:0".to_owned())];
    let process = Process::serve(&["up"], &settings).await;
    chore(&["user", "add", "kim@example.org", "--admin"], &settings).await;
    let token = chore(&["user", "token", "kim@example.org"], &settings).await;
    let address = process.address.clone().expect("an address");
    let client = Client::new(&address, &token);
    guess_passwords(&address).await;

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

/// The files of `make_hostile.py`, in a folder.
pub fn make_files(folder: &Path) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hostile/make_hostile.py");
    let made = Command::new("python3").arg(script).arg(folder).status();
    assert!(
        made.expect("python3 starts").success(),
        "the hostile files could be made"
    );
}

/// Each guess takes 19 MB for a moment; kept or lost, these would be more than the server may have.
async fn guess_passwords(address: &str) {
    for account in 0..20 {
        let stranger = Visitor::at(address);
        let csrf = stranger.get("/sign-in").await.csrf().expect("the door's token");
        let email = format!("nobody-{account}@example.org");
        let fields = [
            ("csrf", csrf.as_str()),
            ("email", email.as_str()),
            ("password", "guess"),
        ];
        let answer = stranger.post("/sign-in", &fields, &[]).await;
        assert!(!answer.status.is_redirection(), "{email} is let in nowhere");
    }
}

/// A sentence for people holds nothing of our insides.
pub fn assert_plain(name: &str, answer: &str) {
    for word in INTERNALS {
        assert!(
            !answer.contains(word),
            "{name}: a sentence for people holds {word}: {answer}"
        );
    }
}
