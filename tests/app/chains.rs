//! Runs that work on the results of others.

use reqwest::Method;
use serde_json::{Value, json};
use sheetmill::domain::states::Role;
use sheetmill::runs;

use crate::client::Client;
use crate::test_app::TestApp;
use crate::visitor::Visitor;

fn recipe(name: &str, keep: &str) -> Value {
    json!({ "name": name, "steps": [{ "filter": { "keep": keep } }], "output": { "format": "csv" } })
}

async fn start(client: &Client, body: Value) -> Result<String, Value> {
    let (status, answer) = client.send(Method::POST, "/runs", &[], Some(body)).await;
    match answer["id"].as_str() {
        Some(id) if status.is_success() => Ok(id.to_owned()),
        _ => Err(answer),
    }
}

async fn follow(client: &Client, recipe: &Value, after: &[&str]) -> Result<String, Value> {
    start(client, json!({ "recipe": recipe, "after": after })).await
}

/// The text of all results of a run, in order.
async fn texts(client: &Client, run: &Value) -> Vec<String> {
    let mut texts = Vec::new();
    for artifact in run["artifacts"].as_array().expect("artifacts") {
        if artifact["kind"] == "result" {
            let bytes = client.artifact(artifact["id"].as_str().expect("an id")).await;
            let text = String::from_utf8(bytes).expect("text");
            texts.push(text.trim_start_matches('\u{feff}').replace("\r\n", "\n"));
        }
    }
    texts
}

/// Holds back the processing of files while `work` is done.
async fn held<T>(app: &TestApp, work: impl Future<Output = T>) -> T {
    app.database
        .execute("update queues set paused_at = now() where name = 'process'")
        .await;
    let done = work.await;
    runs::resume_queue(&app.database.pool, "process")
        .await
        .expect("it goes on");
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_of_runs_each_works_on_the_results_of_the_one_before() {
    TestApp::run(async |app| {
        let kim = app.member("kim@example.org").await;
        let files = [
            kim.upload_text("a.csv", "n,what\n1,a\n2,a\n3,a\n4,a\n").await,
            kim.upload_text("b.csv", "n,what\n2,b\n5,b\n").await,
        ];
        let (first, second, third) = held(app, async {
            let files: Vec<&str> = files.iter().map(String::as_str).collect();
            let first = kim.run(&recipe("Above one", "n > 1"), &files).await;
            let second = follow(&kim, &recipe("Above two", "n > 2"), &[&first])
                .await
                .expect("a run");
            let third = follow(&kim, &recipe("Not four", "n <> 4"), &[&second])
                .await
                .expect("a run");
            let waiting = kim.get(&format!("/runs/{second}")).await.expect("it is there");
            assert_eq!(
                (&waiting["state"], &waiting["after"]),
                (&json!("waiting"), &json!([first])),
                "{waiting}"
            );
            (first, second, third)
        })
        .await;
        kim.ended(&first).await;
        let second = kim.ended(&second).await;
        assert_eq!(
            texts(&kim, &second).await,
            ["n,what\n3,a\n4,a\n", "n,what\n5,b\n"],
            "{second}"
        );
        let third = kim.ended(&third).await;
        assert_eq!(texts(&kim, &third).await, ["n,what\n3,a\n", "n,what\n5,b\n"], "{third}");
        assert_eq!(third["progress"]["files"], 2);

        let late = follow(&kim, &recipe("Late", "n = 5"), &[third["id"].as_str().expect("an id")]).await;
        let late = kim.ended(&late.expect("what has ended can be followed")).await;
        assert_eq!(texts(&kim, &late).await, ["n,what\n", "n,what\n5,b\n"], "{late}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_go_on_side_by_side_and_one_works_on_what_all_of_them_made() {
    TestApp::run(async |app| {
        let kim = app.member("kim@example.org").await;
        let file = kim.upload_text("a.csv", "n\n1\n2\n3\n").await;
        for round in 0..6 {
            let (one, other, both) = held(app, async {
                let one = kim.run(&recipe(&format!("One {round}"), "n = 1"), &[&file]).await;
                let other = kim.run(&recipe(&format!("Other {round}"), "n = 3"), &[&file]).await;
                let both = follow(&kim, &recipe("Both", "n > 0"), &[&other, &one, &other])
                    .await
                    .expect("a run");
                (one, other, both)
            })
            .await;
            let ended = kim.ended(&both).await;
            assert_eq!(
                ended["after"],
                json!([other, one]),
                "in the order in which they were named, each once"
            );
            assert_eq!(texts(&kim, &ended).await, ["n\n3\n", "n\n1\n"], "{ended}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_a_run_that_does_not_end_well_ends_with_a_sentence() {
    TestApp::run(async |app| {
        let kim = app.member("kim@example.org").await;
        let file = kim.upload_text("a.csv", "n\nx\n").await;
        let strict = json!({
            "name": "Strict",
            "steps": [{ "convert": { "column": "n", "to": "integer", "otherwise": "reject" } }],
            "output": { "format": "csv", "rejects": { "policy": "fail" } }
        });
        let (first, second, third) = held(app, async {
            let first = kim.run(&strict, &[&file]).await;
            let second = follow(&kim, &recipe("Second", "n > 2"), &[&first])
                .await
                .expect("a run");
            let third = follow(&kim, &recipe("Third", "n > 2"), &[&second])
                .await
                .expect("a run");
            (first, second, third)
        })
        .await;
        assert_eq!(kim.ended(&first).await["state"], "failed");
        let said = |run: Value| {
            (
                run["state"].clone(),
                run["error"]["sentence"].as_str().unwrap_or_default().to_owned(),
            )
        };
        let (state, sentence) = said(kim.ended(&second).await);
        assert_eq!(
            (state, sentence.as_str()),
            (
                json!("failed"),
                "“Strict” failed, so that there was nothing to work on."
            )
        );
        let (state, sentence) = said(kim.ended(&third).await);
        assert_eq!(
            (state, sentence.as_str()),
            (
                json!("failed"),
                "“Second” failed, so that there was nothing to work on."
            )
        );
        let refused = follow(&kim, &recipe("Late", "n > 2"), &[&first])
            .await
            .expect_err("it has failed");
        assert_eq!(refused["code"], "cannot_follow", "{refused}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_run_takes_what_follows_with_it_and_a_follower_is_cancelled_alone() {
    TestApp::run(async |app| {
        let kim = app.member("kim@example.org").await;
        let file = kim.upload_text("a.csv", "n\n1\n").await;
        held(app, async {
            let first = kim.run(&recipe("First", "n > 0"), &[&file]).await;
            let second = follow(&kim, &recipe("Second", "n > 0"), &[&first])
                .await
                .expect("a run");
            let other = follow(&kim, &recipe("Other", "n > 0"), &[&first]).await.expect("a run");
            assert!(kim.delete(&format!("/runs/{other}")).await.is_success());
            assert_eq!(kim.ended(&other).await["state"], "cancelled");
            assert_eq!(
                kim.get(&format!("/runs/{first}")).await.expect("it is there")["state"],
                "waiting"
            );
            assert!(kim.delete(&format!("/runs/{first}")).await.is_success());
            let ended = kim.ended(&second).await;
            assert_eq!(
                ended["error"]["sentence"], "“First” was cancelled, so that there was nothing to work on.",
                "{ended}"
            );
        })
        .await;
        let left = "select count(*) from tasks where state in ('waiting', 'queued', 'running')";
        assert_eq!(app.database.number(left).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_followed_is_refused_at_the_door() {
    TestApp::run(async |app| {
        let kim = app.member("kim@example.org").await;
        let file = kim.upload_text("a.csv", "n\n1\n").await;
        let mut parquet = recipe("Columns", "n > 0");
        parquet["output"]["format"] = json!("parquet");
        let run = kim.run(&parquet, &[&file]).await;
        kim.ended(&run).await;
        let code = |refused: Result<String, Value>| refused.expect_err("it is refused")["code"].clone();
        assert_eq!(
            code(follow(&kim, &recipe("Next", "n > 0"), &[&run]).await),
            "cannot_follow"
        );
        let both = json!({ "recipe": recipe("Next", "n > 0"), "after": [run], "files": [file] });
        assert_eq!(code(start(&kim, both).await), "files_and_runs");
        let lee = app.member("lee@example.org").await;
        assert_eq!(code(follow(&lee, &recipe("Next", "n > 0"), &[&run]).await), "not_found");
        let together = json!({ "name": "All", "steps": [{ "append": {} }], "output": { "format": "csv" } });
        let csv = kim.run(&recipe("Csv", "n > 0"), &[&file]).await;
        assert_eq!(code(follow(&kim, &together, &[&csv]).await), "cannot_follow");
        kim.ended(&csv).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_run_offers_what_comes_next_and_draws_the_chain() {
    TestApp::run(async |app| {
        let browser = Visitor::signed_in(app, "kim@example.org", Role::Member).await;
        let kim = app.member("kim@example.org").await;
        let (_, saved) = kim
            .send(Method::POST, "/recipes", &[], Some(recipe("Weekly", "n > 1")))
            .await;
        let saved = saved["id"].as_str().expect("an id").to_owned();
        let file = kim.upload_text("a.csv", "n\n1\n2\n").await;
        let first = kim.run(&recipe("First", "n > 0"), &[&file]).await;
        kim.ended(&first).await;
        let page = browser.get(&format!("/runs/{first}")).await;
        assert!(
            page.text
                .contains(&format!("<option value=\"{saved}\">Weekly</option>")),
            "{}",
            page.text
        );
        assert!(!page.text.contains("Before and after"));
        let sent = browser
            .post(
                &format!("/runs/{first}/then"),
                &[("csrf", &browser.csrf), ("recipe", &saved)],
                &[],
            )
            .await;
        let to = sent
            .headers
            .get("location")
            .and_then(|it| it.to_str().ok())
            .expect("it leads to a run")
            .to_owned();
        let second = kim.ended(to.strip_prefix("/runs/").expect("a run")).await;
        assert_eq!(texts(&kim, &second).await, ["n\n2\n"]);
        let page = browser.get(&to).await;
        assert!(
            page.text.contains("Before and after") && page.text.contains(&format!("href=\"/runs/{first}\"")),
            "{}",
            page.text
        );
    })
    .await;
}
