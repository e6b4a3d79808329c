//! Runs take over what the same recipe made of the same file before.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use sheetmill::domain::states::Role;

use crate::test_app::TestApp;
use crate::visitor::Visitor;

fn recipe() -> Value {
    json!({
        "name": "Amounts",
        "steps": [{"convert": {"column": "amount", "to": "integer", "otherwise": "reject"}}],
        "output": {"format": "csv"}
    })
}

/// Of which runs the files' results are, in order.
fn reused(run: &Value) -> Vec<&Value> {
    run["tasks"]
        .as_array()
        .expect("tasks")
        .iter()
        .map(|it| &it["reused_from"])
        .collect()
}

/// Names, kinds and hashes of what a run made.
fn made(run: &Value) -> Vec<(String, String, String)> {
    let text = |it: &Value, key: &str| it[key].as_str().expect("a text").to_owned();
    let artifacts = run["artifacts"].as_array().expect("artifacts");
    artifacts
        .iter()
        .map(|it| (text(it, "name"), text(it, "kind"), text(it, "sha256")))
        .collect()
}

/// Attempts that had a child.
async fn children(app: &TestApp) -> i64 {
    let sql = "select count(*) from attempts a join tasks t on t.id = a.task_id where t.kind = 'process' and a.peak_memory is not null";
    app.database.number(sql).await
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_file_that_changed_is_worked_on_again() {
    TestApp::run(async |app| {
        let kim = app.member("kim@example.org").await;
        let mut files = Vec::new();
        for number in 0..5 {
            let text = format!("sku,amount\na{number},1\nb,none\n");
            files.push(kim.upload_text(&format!("{number}.csv"), &text).await);
        }
        let all: Vec<&str> = files.iter().map(String::as_str).collect();
        let first = kim.ended(&kim.run(&recipe(), &all).await).await;
        assert_eq!(reused(&first), [&Value::Null; 5], "{first}");
        assert_eq!(children(app).await, 5);

        files[2] = kim.upload_text("2.csv", "sku,amount\nnew,7\n").await;
        let all: Vec<&str> = files.iter().map(String::as_str).collect();
        let second = kim.ended(&kim.run(&recipe(), &all).await).await;
        assert_eq!(second["state"], "succeeded", "{second}");
        let (id, none) = (first["id"].clone(), Value::Null);
        assert_eq!(reused(&second), [&id, &id, &none, &id, &id], "{second}");
        assert_eq!(children(app).await, 6, "one file, one child");
        assert_eq!(second["progress"]["rows"], 9);
        let (before, after) = (made(&first), made(&second));
        let same: Vec<_> = before.iter().filter(|it| !it.0.starts_with('2')).collect();
        let taken: Vec<_> = after.iter().filter(|it| !it.0.starts_with('2')).collect();
        assert_eq!(same, taken, "results and rejects, byte by byte");
        let account = |run: &Value, key: &str| -> i64 {
            let steps = run["ledger"].as_array().expect("a ledger");
            steps
                .iter()
                .filter(|it| it["step"] == 1)
                .filter_map(|it| it[key].as_i64())
                .sum()
        };
        assert_eq!(
            (account(&second, "rows_in"), account(&second, "rejected")),
            (9, 4),
            "{second}"
        );
        for artifact in second["artifacts"].as_array().expect("artifacts") {
            let bytes = kim.artifact(artifact["id"].as_str().expect("an id")).await;
            assert_eq!(
                i64::try_from(bytes.len()).ok(),
                artifact["bytes"].as_i64(),
                "{artifact}"
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_recipe_name_or_person_takes_nothing_over_and_from_scratch_means_that() {
    TestApp::run(async |app| {
        let kim = app.member("kim@example.org").await;
        let file = kim.upload_text("a.csv", "sku,amount\na,1\n").await;
        let first = kim.ended(&kim.run(&recipe(), &[&file]).await).await;
        let mut other = recipe();
        other["steps"][0]["convert"]["otherwise"] = json!("blank");
        assert_eq!(
            reused(&kim.ended(&kim.run(&other, &[&file]).await).await),
            [&Value::Null]
        );
        let renamed = kim.upload_text("b.csv", "sku,amount\na,1\n").await;
        assert_eq!(
            reused(&kim.ended(&kim.run(&recipe(), &[&renamed]).await).await),
            [&Value::Null]
        );
        let lee = app.member("lee@example.org").await;
        let theirs = lee.upload_text("a.csv", "sku,amount\na,1\n").await;
        assert_eq!(
            reused(&lee.ended(&lee.run(&recipe(), &[&theirs]).await).await),
            [&Value::Null]
        );
        let body = json!({ "recipe": recipe(), "files": [file], "from_scratch": true });
        let (_, started) = kim.send(Method::POST, "/runs", &[], Some(body)).await;
        let anew = kim.ended(started["id"].as_str().expect("an id")).await;
        assert_eq!(reused(&anew), [&Value::Null]);
        assert_eq!(made(&anew), made(&first), "the same bytes, made twice");
        let again = kim.ended(&kim.run(&recipe(), &[&file]).await).await;
        assert_eq!(reused(&again), [&anew["id"]], "the youngest");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_is_gone_from_storage_is_made_anew() {
    TestApp::run(async |app| {
        let kim = app.member("kim@example.org").await;
        let file = kim.upload_text("a.csv", "sku,amount\na,1\nb,x\n").await;
        let first = kim.ended(&kim.run(&recipe(), &[&file]).await).await;
        let run = first["id"].as_str().expect("an id");
        let outputs = app.folder.path().join("storage/runs").join(run);
        std::fs::remove_dir_all(&outputs).expect("its bytes are there");
        let second = kim.ended(&kim.run(&recipe(), &[&file]).await).await;
        assert_eq!(
            (second["state"].as_str(), reused(&second)),
            (Some("succeeded"), vec![&Value::Null]),
            "{second}"
        );
        assert_eq!(made(&second), made(&first));
        let folders = std::fs::read_dir(app.folder.path().join("storage/runs"))
            .expect("a folder")
            .count();
        assert_eq!(folders, 1, "no half copy is left");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_turns_it_off() {
    let off = |settings: &mut sheetmill::settings::Settings| settings.worker.reuse = Duration::ZERO;
    TestApp::run_with(off, async |app| {
        let kim = app.member("kim@example.org").await;
        let file = kim.upload_text("a.csv", "sku,amount\na,1\n").await;
        for _ in 0..2 {
            assert_eq!(
                reused(&kim.ended(&kim.run(&recipe(), &[&file]).await).await),
                [&Value::Null]
            );
        }
        assert_eq!(app.database.number("select count(*) from reusable").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_says_what_was_taken_over_and_runs_it_from_scratch() {
    TestApp::run(async |app| {
        let browser = Visitor::signed_in(app, "kim@example.org", Role::Member).await;
        let kim = app.member("kim@example.org").await;
        let file = kim.upload_text("a.csv", "sku,amount\na,1\n").await;
        let first = kim.run(&recipe(), &[&file]).await;
        kim.ended(&first).await;
        assert!(!browser.get(&format!("/runs/{first}")).await.text.contains("taken over"));
        let second = kim.run(&recipe(), &[&file]).await;
        kim.ended(&second).await;
        let page = browser.get(&format!("/runs/{second}")).await;
        assert!(
            page.text.contains("1 result was taken over from an earlier run"),
            "{}",
            page.text
        );
        assert!(
            page.text.contains(&format!("href=\"/runs/{first}\">as before")),
            "{}",
            page.text
        );
        let sent = browser
            .post(&format!("/runs/{second}/again"), &[("csrf", &browser.csrf)], &[])
            .await;
        let to = sent
            .headers
            .get("location")
            .and_then(|it| it.to_str().ok())
            .expect("it leads to a run");
        let third = to.strip_prefix("/runs/").expect("a run").to_owned();
        let third = kim.ended(&third).await;
        assert_eq!(reused(&third), [&Value::Null]);
        let lee = Visitor::signed_in(app, "lee@example.org", Role::Member).await;
        let strange = lee
            .post(&format!("/runs/{second}/again"), &[("csrf", &lee.csrf)], &[])
            .await;
        assert_eq!(strange.status.as_u16(), 404);
    })
    .await;
}
