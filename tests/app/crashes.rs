//! `kill -9` of each process in the middle of the work, then started again: the work ends right, once.

use std::path::{Path, PathBuf};

use rustix::process::Signal;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::client::Client;
use crate::garage;
use crate::postgres::TestDatabase;
use crate::processes::{Process, busy_child, chore, files_below, postmaster_below, signal};

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

/// A workbook, and what the recipe must make of it.
struct Scene {
    folder: tempfile::TempDir,
    workbook: PathBuf,
    expected: Vec<u8>,
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
        }
    }

    fn settings(&self, data: &str) -> Settings {
        let data = self.folder.path().join(data);
        vec![
            ("SHEETMILL_DATA", data.to_str().expect("a plain path").to_owned()),
            ("SHEETMILL_LISTEN", "127.0.0.1:0".to_owned()),
            // Each run is to be worked on.
            ("SHEETMILL_REUSE", "0".to_owned()),
        ]
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

type Settings = Vec<(&'static str, String)>;

/// A token of a new account.
async fn token(settings: &Settings) -> String {
    chore(&["user", "add", "kim@example.org", "--admin"], settings).await;
    chore(&["user", "token", "kim@example.org"], settings).await
}

async fn start(command: &str, settings: &Settings, token: &str) -> (Process, Client) {
    let process = Process::serve(&[command], settings).await;
    let client = Client::new(process.address.as_deref().expect("an address"), token);
    (process, client)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_survives_the_death_of_each_process_of_one_machine() {
    let scene = Scene::set().await;
    let settings = scene.settings("data");
    let data = scene.folder.path().join("data");

    // `up` dies while the workbook is being read.
    let first = Process::serve(&["up"], &settings).await;
    let token = token(&settings).await;
    let client = Client::new(first.address.as_deref().expect("an address"), &token);
    let file = client.upload(&scene.workbook).await;
    busy_child(first.pid()).await;
    first.kill().await;
    let (process, client) = start("up", &settings, &token).await;
    client.ready(&file).await;

    // The child dies in the middle of a run.
    let run = client.run(&recipe(), &[&file]).await;
    signal(busy_child(process.pid()).await, Signal::KILL);
    scene.assert_ended_right(&client, &run).await;

    // `up` dies in the middle of a run.
    let run = client.run(&recipe(), &[&file]).await;
    busy_child(process.pid()).await;
    process.kill().await;
    let (process, client) = start("up", &settings, &token).await;
    scene.assert_ended_right(&client, &run).await;

    // Postgres dies in the middle of a run.
    let run = client.run(&recipe(), &[&file]).await;
    busy_child(process.pid()).await;
    signal(postmaster_below(&data).expect("a private Postgres"), Signal::KILL);
    scene.assert_ended_right(&client, &run).await;

    assert!(process.interrupt().await.success(), "Ctrl-C ends it without complaint");
    assert!(postmaster_below(&data).is_none(), "Postgres stopped with it");
    let left = files_below(&data.join("scratch"));
    assert!(left.is_empty(), "temporary files are left: {left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_survives_the_death_of_each_process_of_many_machines() {
    let scene = Scene::set().await;
    let database = TestDatabase::fresh().await;
    let bucket = garage::bucket().await;
    let on = |machine: &str| {
        let mut settings = scene.settings(machine);
        settings.extend([
            ("DATABASE_URL", database.url.clone()),
            ("SHEETMILL_DATABASE_CONNECTIONS", "8".to_owned()),
            ("SHEETMILL_REUSE", "0".to_owned()),
            ("SHEETMILL_S3_BUCKET", bucket.bucket.clone()),
            (
                "SHEETMILL_S3_ENDPOINT",
                bucket.endpoint.clone().expect("Garage's address"),
            ),
            ("SHEETMILL_S3_REGION", bucket.region.clone()),
            ("SHEETMILL_S3_ACCESS_KEY", bucket.access_key_id.clone()),
            (
                "SHEETMILL_S3_SECRET_KEY",
                bucket.secret_access_key.expose_secret().to_owned(),
            ),
        ]);
        settings
    };
    let (front, mill) = (on("front"), on("mill"));
    let token = token(&front).await;
    let (web, client) = start("serve", &front, &token).await;
    let work = Process::work(&["work"], &mill);

    // `work` dies while the workbook is being read, and is started again under its old name.
    let file = client.upload(&scene.workbook).await;
    busy_child(work.pid()).await;
    work.kill().await;
    let work = Process::work(&["work"], &mill);
    client.ready(&file).await;

    // `serve` dies in the middle of a run.
    let run = client.run(&recipe(), &[&file]).await;
    busy_child(work.pid()).await;
    web.kill().await;
    let (web, client) = start("serve", &front, &token).await;
    scene.assert_ended_right(&client, &run).await;

    // `work` dies in the middle of a run, and another machine takes over.
    let run = client.run(&recipe(), &[&file]).await;
    busy_child(work.pid()).await;
    work.kill().await;
    let work = Process::work(&["work"], &on("other mill"));
    scene.assert_ended_right(&client, &run).await;

    assert!(work.interrupt().await.success(), "Ctrl-C ends it without complaint");
    assert!(web.interrupt().await.success(), "Ctrl-C ends it without complaint");
    for machine in ["front", "other mill"] {
        let left = files_below(&scene.folder.path().join(machine).join("scratch"));
        assert!(left.is_empty(), "temporary files are left on {machine}: {left:?}");
    }
    let twice = "select count(*) from (select task_id from attempts where state = 'succeeded' \
                 group by task_id having count(*) > 1) as it";
    assert_eq!(database.number(twice).await, 0, "an attempt succeeded twice");
    database.drop().await;
}
