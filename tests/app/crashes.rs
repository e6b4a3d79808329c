//! `kill -9` of each process in the middle of the work, then started again: the work ends right, once.

use std::path::{Path, PathBuf};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::client::Client;
use crate::processes::{Process, chore, descendants, postmaster_below, signal};

/// Enough rows that each phase can be hit; the chaos target asks for a million.
fn rows() -> String {
    std::env::var("SHEETMILL_TEST_ROWS").unwrap_or_else(|_| "120000".to_owned())
}

fn recipe() -> Value {
    json!({
        "name": "Clean orders",
        "steps": [
            {"filter": {"keep": "quantity > 0 AND status <> 'cancelled'"}},
            {"compute": {"column": "total", "as": "quantity * unit_price * (1 - discount)"}},
            {"deduplicate": {"by": ["customer", "product", "order_date"], "keep": "first"}},
            {"sort": {"by": ["region", "order_id"]}}
        ],
        "output": {"format": "xlsx"}
    })
}

/// A data folder with an account, a workbook, and what the recipe must make of it.
struct Scene {
    folder: tempfile::TempDir,
    workbook: PathBuf,
    expected: Vec<u8>,
    token: String,
}

impl Scene {
    /// The expected bytes come from the terminal, which has neither server nor queue.
    async fn set() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let workbook = folder.path().join("orders.xlsx");
        crate::orders::write(rows().parse().expect("a number"), &workbook);
        let document = folder.path().join("recipe.json");
        std::fs::write(&document, recipe().to_string()).expect("a recipe");
        let out = folder.path().join("expected.xlsx");
        let path = |it: &Path| it.to_str().expect("a plain path").to_owned();
        chore(&["run", &path(&document), &path(&workbook), "--out", &path(&out)], &[]).await;
        let expected = std::fs::read(&out).expect("a result");
        Self {
            folder,
            workbook,
            expected,
            token: String::new(),
        }
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        let data = self.folder.path().join("data");
        vec![
            ("SHEETMILL_DATA", data.to_str().expect("a plain path").to_owned()),
            ("SHEETMILL_LISTEN", "127.0.0.1:0".to_owned()),
        ]
    }

    async fn up(&mut self) -> (Process, Client) {
        let process = Process::serve(&["up"], &self.settings()).await;
        if self.token.is_empty() {
            chore(&["user", "add", "kim@example.org", "--admin"], &self.settings()).await;
            self.token = chore(&["user", "token", "kim@example.org"], &self.settings()).await;
        }
        let client = Client::new(process.address.as_deref().expect("an address"), &self.token);
        (process, client)
    }

    /// The run ended well, with one result of the right bytes.
    async fn assert_ended_right(&self, client: &Client, run: &str) {
        let answer = client.ended(run).await;
        assert_eq!(answer["state"], "succeeded", "{answer}");
        let results: Vec<&Value> = answer["artifacts"]
            .as_array()
            .expect("artifacts")
            .iter()
            .filter(|it| it["kind"] == "result")
            .collect();
        assert_eq!(results.len(), 1, "{answer}");
        let bytes = client.artifact(results[0]["id"].as_str().expect("an id")).await;
        assert!(
            bytes == self.expected,
            "the result differs from what the terminal makes of the same file"
        );
    }
}

/// Whether the run's work has begun.
fn under_way(run: &Value) -> bool {
    run["progress"]["rows"].as_u64().unwrap_or_default() > 0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_survives_the_death_of_each_process() {
    let mut scene = Scene::set().await;

    // `up` dies while the workbook is being read.
    let (process, client) = scene.up().await;
    let file = client.upload(&scene.workbook).await;
    client
        .until(&format!("/files/{file}"), |it| {
            it["progress"]["rows"].as_u64().unwrap_or_default() > 0
        })
        .await;
    process.kill().await;
    let (process, client) = scene.up().await;
    client.ready(&file).await;

    // The child dies in the middle of a run.
    let run = client.run(&recipe(), &[&file]).await;
    client.until(&format!("/runs/{run}"), under_way).await;
    for child in descendants(process.pid(), " child") {
        signal(child, Signal::KILL);
    }
    scene.assert_ended_right(&client, &run).await;

    // `up` dies in the middle of a run.
    let run = client.run(&recipe(), &[&file]).await;
    client.until(&format!("/runs/{run}"), under_way).await;
    process.kill().await;
    let (process, client) = scene.up().await;
    scene.assert_ended_right(&client, &run).await;

    // Postgres dies in the middle of a run.
    let run = client.run(&recipe(), &[&file]).await;
    client.until(&format!("/runs/{run}"), under_way).await;
    let postmaster = postmaster_below(&scene.folder.path().join("data")).expect("a private Postgres");
    signal(postmaster, Signal::KILL);
    scene.assert_ended_right(&client, &run).await;

    assert!(process.interrupt().await.success(), "Ctrl-C ends it without complaint");
    assert!(
        postmaster_below(&scene.folder.path().join("data")).is_none(),
        "Postgres stopped with it"
    );
}
