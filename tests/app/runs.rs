//! Runs as their owners see them, through the API and the pages, with the real engine.

use reqwest::StatusCode;
use serde_json::{Value, json};
use sheetmill::domain::states::Role;

use crate::orders;
use crate::test_app::TestApp;
use crate::visitor::Visitor;

async fn upload_orders(app: &TestApp, client: &crate::client::Client, rows: u64) -> String {
    let path = app.folder.path().join(format!("orders-{rows}.xlsx"));
    orders::write(rows, &path);
    let file = client.upload(&path).await;
    client.ready(&file).await;
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipe_that_fails_on_what_it_rejects_lists_that_and_is_not_tried_again() {
    TestApp::run(async |app| {
        let browser = Visitor::signed_in(app, "kim@example.org", Role::Member).await;
        let kim = app.member("kim@example.org").await;
        let file = upload_orders(app, &kim, 50).await;
        let recipe = json!({
            "name": "Strict",
            "steps": [{"convert": {"column": "customer", "to": "integer", "otherwise": "reject"}}],
            "output": {"format": "csv", "rejects": {"policy": "fail"}}
        });
        let run = kim.run(&recipe, &[&file]).await;
        let ended = kim.ended(&run).await;
        assert_eq!(ended["state"], "failed", "{ended}");
        assert_eq!(
            ended["error"]["sentence"],
            "The recipe rejects 50 values of “orders-50.xlsx” and is to fail on that. The list says which.",
            "what is said of the only file is said of the run"
        );
        let artifacts = ended["artifacts"].as_array().expect("artifacts");
        let kinds: Vec<&Value> = artifacts.iter().map(|it| &it["kind"]).collect();
        assert_eq!(kinds, ["rejects"], "{ended}");
        let ledger = ended["ledger"].clone();

        let page = browser.get(&format!("/runs/{run}")).await;
        assert!(
            !page.text.contains("Try again"),
            "what would reject the same rows is not offered"
        );
        let again = browser
            .post(&format!("/runs/{run}/retry"), &[("csrf", &browser.csrf)], &[])
            .await;
        assert_eq!(again.status, StatusCode::CONFLICT);
        assert_eq!(kim.ended(&run).await["ledger"], ledger, "no row counts twice");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_file_among_good_ones_is_refused_by_name_and_the_others_are_done() {
    TestApp::run(async |app| {
        let kim = app.member("kim@example.org").await;
        let good = [upload_orders(app, &kim, 30).await, upload_orders(app, &kim, 40).await];
        let whole = std::fs::read(app.folder.path().join("orders-40.xlsx")).expect("the workbook");
        let cut = whole[..whole.len() / 2].to_vec();
        let (_, answer) = kim.upload_bytes("cut.xlsx", cut).await;
        let bad = answer[0]["id"].as_str().expect("an id").to_owned();
        let recipe = json!({"name": "Copy", "steps": [], "output": {"format": "csv"}});
        let run = kim.run(&recipe, &[&good[0], &bad, &good[1]]).await;
        let ended = kim.ended(&run).await;
        assert_eq!(ended["state"], "succeeded", "{ended}");
        assert_eq!(ended["artifacts"].as_array().map(Vec::len), Some(2), "{ended}");
        assert_eq!(ended["progress"]["files_refused"], 1, "{ended}");
        let tasks = ended["tasks"].as_array().expect("tasks");
        let told = tasks.iter().filter_map(|it| it["error"]["sentence"].as_str());
        let told: Vec<&str> = told.collect();
        assert!(told.len() == 1 && told[0].contains("cut.xlsx"), "{told:?}");
        assert_eq!(ended["progress"]["rows"], 70);
    })
    .await;
}
