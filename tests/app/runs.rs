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

async fn start_later(client: &crate::client::Client, body: Value) -> (StatusCode, Value) {
    let recipe = json!({"name": "Copy", "steps": [], "output": {"format": "csv"}});
    let mut whole = json!({"recipe": recipe});
    whole
        .as_object_mut()
        .expect("an object")
        .extend(body.as_object().expect("an object").clone());
    client.send(reqwest::Method::POST, "/runs", &[], Some(whole)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_waits_for_its_time_gets_another_one_and_begins_when_it_is_told_to() {
    TestApp::run(async |app| {
        let browser = Visitor::signed_in(app, "kim@example.org", Role::Member).await;
        let kim = app.member("kim@example.org").await;
        let stranger = app.member("eve@example.org").await;
        let file = upload_orders(app, &kim, 20).await;
        let (status, run) = start_later(&kim, json!({"files": [file], "delay_s": 7200, "priority": 10})).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{run}");
        let run = run["id"].as_str().expect("an id").to_owned();
        let path = format!("/runs/{run}");
        let waits = kim.get(&path).await.expect("the run");
        assert_eq!((&waits["state"], &waits["priority"]), (&json!("waiting"), &json!(10)));
        let ahead =
            format!("select (run_at > now() + interval '119 minutes')::int::bigint from tasks where run_id = '{run}'");
        assert_eq!(app.database.number(&ahead).await, 1);
        let page = browser.get(&path).await;
        for words in ["begins <time", "in 1 hour", "Start now", "before other runs"] {
            assert!(page.text.contains(words), "{words}: {}", page.text);
        }

        let change = |body: Value| kim.send(reqwest::Method::PATCH, &path, &[], Some(body));
        let (status, later) = change(json!({"start_at": "2030-01-01T06:00:00Z"})).await;
        assert_eq!(
            (status, &later["code"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("too_far_ahead"))
        );
        let (status, both) = change(json!({"start_at": "2026-01-01T06:00:00Z", "delay_s": 1})).await;
        assert_eq!(
            (status, &both["code"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("two_times"))
        );
        let (status, later) = change(json!({"delay_s": 86400})).await;
        assert_eq!((status, &later["state"]), (StatusCode::OK, &json!("waiting")));
        let foreign = stranger.send(reqwest::Method::PATCH, &path, &[], Some(json!({}))).await;
        assert_eq!(foreign.0, StatusCode::NOT_FOUND);

        let fields = [("csrf", browser.csrf.as_str()), ("begin", "900")];
        let changed = browser.post(&format!("{path}/start"), &fields, &[]).await;
        assert_eq!(changed.status, StatusCode::SEE_OTHER, "{}", changed.text);
        assert!(browser.get(&path).await.text.contains("in 14 minutes"));
        let now = browser.post(&format!("{path}/start"), &fields[..1], &[]).await;
        assert_eq!(now.status, StatusCode::SEE_OTHER, "{}", now.text);
        assert_eq!(kim.ended(&run).await["state"], "succeeded");
        let (status, late) = change(json!({"delay_s": 60})).await;
        assert_eq!((status, &late["code"]), (StatusCode::CONFLICT, &json!("ended")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delayed_run_begins_by_itself_and_its_key_stands_for_the_same_delay() {
    TestApp::run(async |app| {
        let kim = app.member("kim@example.org").await;
        let file = upload_orders(app, &kim, 20).await;
        let recipe = json!({"name": "Copy", "steps": [], "output": {"format": "csv"}});
        let start = async |delay: u32| {
            let body = json!({"recipe": recipe, "files": [file], "delay_s": delay});
            kim.send(
                reqwest::Method::POST,
                "/runs",
                &[("Idempotency-Key", "later")],
                Some(body),
            )
            .await
        };
        let (first, again) = (start(2).await, start(2).await);
        assert_eq!(
            (first.0, &first.1["id"]),
            (StatusCode::ACCEPTED, &again.1["id"]),
            "{}",
            again.1
        );
        assert_eq!(start(3).await.1["code"], "key_reused");
        let run = first.1["id"].as_str().expect("an id");
        assert_eq!(kim.ended(run).await["state"], "succeeded");
        let early = format!("select count(*) from tasks where run_id = '{run}' and started_at < run_at");
        assert_eq!(app.database.number(&early).await, 0, "not before its time");
    })
    .await;
}
