//! Other tables that a recipe looks up in: by API and at the terminal.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::Client;
use crate::test_app::TestApp;

fn recipe() -> Value {
    json!({
        "name": "With prices",
        "steps": [{"join": {"with": "prices", "on": {"sku": "code"}, "columns": ["price"]}}],
        "output": {"format": "csv"}
    })
}

async fn uploaded(client: &Client, name: &str, text: &str) -> String {
    let (status, answer) = client.upload_bytes(name, text.as_bytes().to_vec()).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    let id = answer[0]["id"].as_str().expect("an id").to_owned();
    client.ready(&id).await;
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_looked_up_in_the_file_that_stands_for_the_name() {
    TestApp::run(async |app| {
        let (kim, lou) = (app.member("kim@example.org").await, app.member("lou@example.org").await);
        let orders = uploaded(&kim, "orders.csv", "sku,n\nb,1\na,2\nx,3\n").await;
        let prices = uploaded(&kim, "prices.csv", "code,price\na,1.5\nb,2.5\n").await;
        let theirs = uploaded(&lou, "prices.csv", "code,price\na,9\nb,9\n").await;
        let start = async |references: Value| {
            let body = json!({"recipe": recipe(), "files": [orders], "references": references});
            kim.send(Method::POST, "/runs", &[], Some(body)).await
        };
        for (references, status, code) in [
            (json!({}), StatusCode::UNPROCESSABLE_ENTITY, "missing_reference"),
            (
                json!({"prices": prices, "rates": prices}),
                StatusCode::UNPROCESSABLE_ENTITY,
                "unused_reference",
            ),
            (json!({"prices": theirs}), StatusCode::NOT_FOUND, "not_found"),
            (
                json!({"prices": {"file": prices, "sheet": 7}}),
                StatusCode::UNPROCESSABLE_ENTITY,
                "missing_reference",
            ),
        ] {
            let refused = start(references).await;
            assert_eq!(
                (refused.0, refused.1["code"].as_str()),
                (status, Some(code)),
                "{}",
                refused.1
            );
        }
        for references in [
            json!({"prices": prices}),
            json!({"prices": {"file": prices, "sheet": 0}}),
        ] {
            let started = start(references).await;
            assert_eq!(started.0, StatusCode::ACCEPTED, "{}", started.1);
            let ended = kim.ended(started.1["id"].as_str().expect("an id")).await;
            assert_eq!(ended["state"], "succeeded", "{ended}");
            let artifact = ended["artifacts"][0]["id"].as_str().expect("a result");
            let text = String::from_utf8(kim.artifact(artifact).await).expect("text");
            assert_eq!(
                text.trim_start_matches('\u{feff}').replace("\r\n", "\n"),
                "sku,n,price\nb,1,2.5\na,2,1.5\nx,3,\n"
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_over_several_files_puts_their_rows_together() {
    TestApp::run(async |app| {
        let kim = app.member("kim@example.org").await;
        let mut files = Vec::new();
        for (name, text) in [
            ("january.csv", "sku,n\na,1\nb,2\n"),
            ("february.csv", "n,sku,note\n3,c,late\n"),
            ("january.csv", "sku,n\nd,4\n"),
        ] {
            files.push(uploaded(&kim, name, text).await);
        }
        let recipe = json!({"name": "All", "steps": [{"append": {"source": "file"}}], "output": {"format": "csv"}});
        let start = async |files: &[String]| {
            kim.send(
                Method::POST,
                "/runs",
                &[],
                Some(json!({"recipe": recipe, "files": files})),
            )
            .await
        };
        let started = start(&files).await;
        assert_eq!(started.0, StatusCode::ACCEPTED, "{}", started.1);
        let ended = kim.ended(started.1["id"].as_str().expect("an id")).await;
        assert_eq!(ended["state"], "succeeded", "{ended}");
        assert_eq!(
            ended["artifacts"].as_array().map(Vec::len),
            Some(1),
            "one result of all: {ended}"
        );
        let artifact = ended["artifacts"][0]["id"].as_str().expect("a result");
        let text = String::from_utf8(kim.artifact(artifact).await).expect("text");
        assert_eq!(
            text.trim_start_matches('\u{feff}').replace("\r\n", "\n"),
            "sku,n,note,file\na,1,,january.csv\nb,2,,january.csv\nc,3,late,february.csv\nd,4,,january.csv (2)\n"
        );
    })
    .await;
}
