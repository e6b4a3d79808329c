//! The API's contract as programs rely on it.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::Client;
use crate::garage;
use crate::orders;
use crate::test_app::TestApp;
use crate::wait::until;

fn recipe() -> Value {
    json!({"name": "Positive", "steps": [{"filter": {"keep": "quantity > 0"}}], "output": {"format": "csv"}})
}

async fn uploaded(app: &TestApp, client: &Client) -> String {
    let path = app.folder.path().join("orders.xlsx");
    orders::write(50, &path);
    let file = client.upload(&path).await;
    client.ready(&file).await;
    file
}

fn assert_problem(answer: &(StatusCode, Value), status: StatusCode, code: &str) {
    assert_eq!(answer.0, status, "{}", answer.1);
    assert_eq!(answer.1["code"], code, "{}", answer.1);
    assert_eq!(answer.1["status"], status.as_u16());
    assert!(
        answer.1["detail"].as_str().is_some_and(|it| it.ends_with('.')),
        "{}",
        answer.1
    );
    assert!(answer.1["reference"].is_string(), "{}", answer.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_and_nonsense_get_problem_documents() {
    TestApp::run(async |app| {
        let (kim, lou) = (app.member("kim@example.org").await, app.member("lou@example.org").await);
        let file = uploaded(app, &kim).await;
        let nobody = Client::new(&app.address, "smt_nothing");
        let get = async |client: &Client, path: &str| client.send(Method::GET, path, &[], None).await;
        let mine = format!("/files/{file}");
        assert_problem(&get(&nobody, &mine).await, StatusCode::UNAUTHORIZED, "unauthorized");
        assert_problem(&get(&lou, &mine).await, StatusCode::NOT_FOUND, "not_found");
        assert_problem(&get(&kim, "/files/nonsense").await, StatusCode::NOT_FOUND, "not_found");
        assert_problem(&get(&kim, "/nowhere").await, StatusCode::NOT_FOUND, "not_found");
        let post =
            async |client: &Client, path: &str, body: Value| client.send(Method::POST, path, &[], Some(body)).await;
        let run = json!({"recipe": recipe(), "files": [file]});
        assert_problem(&post(&lou, "/runs", run).await, StatusCode::NOT_FOUND, "not_found");
        assert_problem(
            &post(&kim, "/runs", json!({"recipe": recipe()})).await,
            StatusCode::UNPROCESSABLE_ENTITY,
            "no_files",
        );
        let wrong = post(&kim, "/recipes", json!({"steps": [{"fitler": {}}]})).await;
        assert_problem(&wrong, StatusCode::UNPROCESSABLE_ENTITY, "recipe");
        assert_eq!(wrong.1["problems"][0]["path"], "steps[0].fitler");
        let long = post(&kim, "/recipes", json!({"name": "long".repeat(60), "steps": []})).await;
        assert_problem(&long, StatusCode::UNPROCESSABLE_ENTITY, "recipe");
        let compared = json!({"steps": [{"filter": {"keep": "status = 'a\0b'"}}]});
        let unkeepable = [
            post(&kim, "/recipes", compared.clone()).await,
            post(&kim, "/recipes", json!({"name": "a\0b", "steps": []})).await,
            post(&kim, "/runs", json!({"recipe": compared, "files": [file]})).await,
            post(
                &kim,
                "/runs",
                json!({"recipe": recipe(), "files": [file], "start_at": "-262000-01-01T00:00:00Z"}),
            )
            .await,
        ];
        for answer in &unkeepable {
            assert_problem(answer, StatusCode::UNPROCESSABLE_ENTITY, "not_keepable");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_starts_one_run_whatever_is_sent_again() {
    TestApp::run(async |app| {
        let kim = app.member("kim@example.org").await;
        let file = uploaded(app, &kim).await;
        let body = json!({"recipe": recipe(), "files": [file]});
        let start = async |body: &Value| {
            kim.send(Method::POST, "/runs", &[("Idempotency-Key", "one")], Some(body.clone()))
                .await
        };
        let (first, second) = (start(&body).await, start(&body).await);
        assert_eq!((first.0, second.0), (StatusCode::ACCEPTED, StatusCode::ACCEPTED));
        assert_eq!(first.1["id"], second.1["id"]);
        let other = json!({"recipe": recipe(), "files": [file], "priority": 1});
        assert_problem(&start(&other).await, StatusCode::UNPROCESSABLE_ENTITY, "key_reused");
        let run = first.1["id"].as_str().expect("an id");
        let ended = kim.ended(run).await;
        assert_eq!(ended["state"], "succeeded", "{ended}");
        assert_eq!(ended["progress"]["rows"], 50);
        let late = kim.send(Method::DELETE, &format!("/runs/{run}"), &[], None).await;
        assert_problem(&late, StatusCode::CONFLICT, "ended");
        assert_eq!(app.database.number("select count(*) from runs").await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_tells_to_the_end_and_does_not_ask_to_come_back() {
    TestApp::run(async |app| {
        let kim = app.member("kim@example.org").await;
        let file = uploaded(app, &kim).await;
        let (status, saved) = kim.send(Method::POST, "/recipes", &[], Some(recipe())).await;
        assert_eq!((status, &saved["revision"]), (StatusCode::CREATED, &json!(1)));
        let run = json!({"recipe": saved["id"], "files": [file]});
        let (_, run) = kim.send(Method::POST, "/runs", &[], Some(run)).await;
        let path = format!("/runs/{}/events", run["id"].as_str().expect("an id"));

        let (status, told) = kim.text(Method::GET, &path, &[]).await;
        assert_eq!(status, StatusCode::OK);
        let artifact = told
            .find("event: artifact")
            .unwrap_or_else(|| panic!("an artifact in {told}"));
        let last = told.rfind("event: state").expect("a state");
        assert!(artifact < last, "what it made comes before its end: {told}");
        assert!(told[last..].contains("\"state\":\"succeeded\""), "{told}");
        let id = told[last..]
            .lines()
            .find_map(|line| line.strip_prefix("id: "))
            .expect("an id")
            .to_owned();

        let (status, again) = kim.text(Method::GET, &path, &[("Last-Event-ID", &id)]).await;
        assert_eq!((status, again.as_str()), (StatusCode::NO_CONTENT, ""));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_artifact_comes_whole_or_in_part_under_its_name() {
    TestApp::run(async |app| {
        let kim = app.member("kim@example.org").await;
        let file = uploaded(app, &kim).await;
        let run = kim.run(&recipe(), &[&file]).await;
        let ended = kim.ended(&run).await;
        let path = format!("/artifacts/{}", ended["artifacts"][0]["id"].as_str().expect("an id"));
        let (status, whole) = kim.text(Method::GET, &path, &[]).await;
        assert_eq!(status, StatusCode::OK);
        assert!(whole.starts_with("order_id,"), "{whole}");
        let (status, part) = kim.text(Method::GET, &path, &[("Range", "bytes=6-7")]).await;
        assert_eq!((status, part.as_str()), (StatusCode::PARTIAL_CONTENT, &whole[6..8]));
        let (status, _) = kim.text(Method::GET, &path, &[("Range", "bytes=999999999-")]).await;
        assert_eq!(status, StatusCode::RANGE_NOT_SATISFIABLE);
        let lou = app.member("lou@example.org").await;
        assert_eq!(lou.text(Method::GET, &path, &[]).await.0, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_browsers_reach_the_store_an_artifact_is_a_short_lived_address_there() {
    let s3 = garage::bucket().await;
    TestApp::run_with(
        |settings| settings.s3 = Some(s3),
        async |app| {
            let kim = app.member("kim@example.org").await;
            let file = uploaded(app, &kim).await;
            let run = kim.run(&recipe(), &[&file]).await;
            let ended = kim.ended(&run).await;
            let artifact = ended["artifacts"][0]["id"].as_str().expect("an id");
            let http = reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .build();
            let url = format!("{}/api/v1/artifacts/{artifact}", app.address);
            let request = http.expect("a client").get(url).bearer_auth(kim.token());
            let answer = request.send().await.expect("an answer");
            assert_eq!(answer.status(), StatusCode::TEMPORARY_REDIRECT);
            let there = answer.headers()["location"].to_str().expect("an address").to_owned();
            assert!(there.contains("X-Amz-Expires=60"), "{there}");
            let bytes = reqwest::get(there).await.expect("the store answers");
            let name = bytes.headers()["content-disposition"]
                .to_str()
                .expect("text")
                .to_owned();
            assert!(name.starts_with("attachment;"), "{name}");
            assert!(bytes.text().await.expect("text").starts_with("order_id,"));
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_holds_ten_streams_and_no_more() {
    TestApp::run(async |app| {
        let kim = app.member("kim@example.org").await;
        let path = app.folder.path().join("orders.xlsx");
        orders::write(50, &path);
        let file = kim.upload(&path).await;
        kim.ready(&file).await;
        app.database.execute("update ingests set state = 'ingesting'").await;
        let mut open = Vec::new();
        for _ in 0..10 {
            let answer = kim.open(&format!("/files/{file}/events")).await;
            assert_eq!(answer.status(), StatusCode::OK);
            open.push(answer);
        }
        let eleventh = kim.open(&format!("/files/{file}/events")).await;
        assert_eq!(eleventh.status(), StatusCode::TOO_MANY_REQUESTS);
        assert!(eleventh.headers().contains_key("retry-after"));
        drop(open);
        until("a stream that was closed makes room", async || {
            let answer = kim.open(&format!("/files/{file}/events")).await;
            (answer.status() == StatusCode::OK).then_some(())
        })
        .await;
        app.database.execute("update ingests set state = 'ready'").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_hardened() {
    TestApp::run(async |app| {
        let kim = app.member("kim@example.org").await;
        let file = uploaded(app, &kim).await;
        let run = kim.run(&recipe(), &[&file]).await;
        let artifact = kim.ended(&run).await["artifacts"][0]["id"].clone();
        let artifact = format!("/artifacts/{}", artifact.as_str().expect("an id"));
        for path in [&format!("/files/{file}"), "/nowhere", &artifact, "/openapi.json"] {
            let answer = kim.open(path).await;
            for header in ["x-content-type-options", "content-security-policy", "cache-control"] {
                assert!(answer.headers().contains_key(header), "{path} lacks {header}");
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_read_again_in_another_way_and_runs_read_it_as_their_recipe_says() {
    TestApp::run(async |app| {
        let (kim, lou) = (app.member("kim@example.org").await, app.member("lou@example.org").await);
        let text = "Report;;\nid;name;price\n1;Zo\u{eb};1,50\n2;Ren\u{e9};2,25\n";
        let latin: Vec<u8> = text
            .chars()
            .map(|c| u8::try_from(u32::from(c)).expect("Latin-1"))
            .collect();
        let (status, answer) = kim.upload_bytes("prices.csv", latin).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        let file = answer[0]["id"].as_str().expect("an id").to_owned();
        let ready = kim.ready(&file).await;
        let table = &ready["tables"][0];
        assert_eq!(
            (&table["header"], &table["rows"]),
            (&json!([2, 2]), &json!(2)),
            "{ready}"
        );
        assert_eq!(table["columns"][2], json!({"name": "price", "type": "decimal"}));

        let put = async |client: &Client, body: Value| {
            client
                .send(Method::PUT, &format!("/files/{file}/options"), &[], Some(body))
                .await
        };
        assert_problem(
            &put(&lou, json!({"header": "none"})).await,
            StatusCode::NOT_FOUND,
            "not_found",
        );
        for wrong in [
            json!({"header": "third"}),
            json!({"header": 0}),
            json!({"delimiter": "ü"}),
        ] {
            assert_problem(
                &put(&kim, wrong).await,
                StatusCode::UNPROCESSABLE_ENTITY,
                "wrong_options",
            );
        }
        let insists = json!({"input": {"header": "none"}, "steps": [], "output": {"format": "csv"}});
        // A run reads the file as its recipe says, whatever the file's own page shows.
        let ended = kim.ended(&kim.run(&insists, &[&file]).await).await;
        assert_eq!(
            (&ended["state"], &ended["tasks"][0]["rows_in"]),
            (&json!("succeeded"), &json!(4)),
            "{ended}"
        );
        assert_eq!(kim.ready(&file).await["tables"][0]["rows"], 2);

        let again = put(&kim, json!({"header": "none", "encoding": "windows-1250"})).await;
        assert_eq!(again.0, StatusCode::ACCEPTED, "{}", again.1);
        let ready = kim.ready(&file).await;
        let table = &ready["tables"][0];
        assert_eq!((&table["header"], &table["rows"]), (&Value::Null, &json!(4)), "{ready}");
        assert_eq!(table["columns"][0]["name"], "A");
        let ended = kim.ended(&kim.run(&insists, &[&file]).await).await;
        assert_eq!(ended["state"], "succeeded", "{ended}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encoding_that_there_is_none_of_is_refused_until_another_is_said() {
    TestApp::run(async |app| {
        let kim = app.member("kim@example.org").await;
        let file = kim.upload_bytes("prices.csv", b"id,price\n1,2\n".to_vec()).await.1[0]["id"].clone();
        let file = file.as_str().expect("an id").to_owned();
        kim.ready(&file).await;
        let path = format!("/files/{file}/options");
        let put = async |client: &Client, body: Value| client.send(Method::PUT, &path, &[], Some(body)).await;
        let unknown = put(&kim, json!({"encoding": "ebcdic"})).await;
        assert_eq!(unknown.0, StatusCode::ACCEPTED, "{}", unknown.1);
        let settled = |it: &Value| ["ready", "refused"].contains(&it["state"].as_str().unwrap_or_default());
        let refused = kim.until(&format!("/files/{file}"), settled).await;
        assert_eq!(refused["error"]["code"], "unknown_encoding", "{refused}");
        assert_eq!(put(&kim, json!({})).await.0, StatusCode::ACCEPTED);
        kim.ready(&file).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_in_parts_gives_each_of_them_and_the_sheet_with_notes() {
    TestApp::run(async |app| {
        let kim = app.member("kim@example.org").await;
        let file = uploaded(app, &kim).await;
        let recipe = json!({
            "steps": [{"validate": [
                {"column": "quantity", "max": 5},
                {"column": "order_id", "unique": true},
                {"where": "unit_price < 50", "severity": "warning"}
            ]}],
            "output": {
                "format": "csv", "split_by": "region", "name": "{value}",
                "csv": {"encoding": "windows-1252"}, "rejects": {"as": "annotate"}
            }
        });
        let run = kim.run(&recipe, &[&file]).await;
        let ended = kim.ended(&run).await;
        assert_eq!(ended["state"], "succeeded", "{ended}");
        let step = &ended["ledger"][1];
        let count = |name: &str| step[name].as_u64().unwrap_or_default();
        assert!(count("rejected") > 0 && count("warned") > 0, "{step}");
        let artifacts = ended["artifacts"].as_array().cloned().unwrap_or_default();
        let named = |name: &str| artifacts.iter().find(|it| it["name"] == name);
        let notes = named("orders-annotated.xlsx").unwrap_or_else(|| panic!("{artifacts:?}"));
        let bytes = kim.artifact(notes["id"].as_str().expect("an id")).await;
        assert!(bytes.starts_with(b"PK"));
        assert!(named("South.csv").is_some(), "{artifacts:?}");
        let count = async |condition: &str| {
            app.database
                .number(&format!("select count(*) from artifacts where {condition}"))
                .await
        };
        assert_eq!(count("kind = 'annotated'").await, 1);
        assert_eq!(
            count("content_type = 'text/csv; charset=windows-1252'").await,
            artifacts.len() as i64 - 1
        );
    })
    .await;
}
