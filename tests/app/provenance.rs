//! Where rows of results come from: through the API, on the page, and with a click in a real browser.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sheetmill::domain::states::Role;

use crate::browser::Browser;
use crate::client::Client;
use crate::first_light::join;
use crate::test_app::TestApp;
use crate::visitor::Visitor;
use crate::wait::until;

const SALES: &str = "region,amount\n north,5\nsouth,-1\nnorth ,7\neast,2\nsouth,3\n";

async fn uploaded(client: &Client, name: &str, text: &str) -> String {
    let (status, answer) = client.upload_bytes(name, text.as_bytes().to_vec()).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    let id = answer[0]["id"].as_str().expect("an id").to_owned();
    client.ready(&id).await;
    id
}

fn cleaned() -> Value {
    json!({
        "name": "Cleaned",
        "steps": [
            {"trim": {"columns": ["region"]}},
            {"filter": {"keep": "amount > 0"}},
            {"compute": {"column": "double", "as": "amount * 2"}},
            {"sort": {"by": [{"column": "amount", "order": "descending"}]}}
        ],
        "output": {"format": "csv"}
    })
}

fn totals() -> Value {
    let mut recipe = cleaned();
    recipe["steps"] = json!([
        {"trim": {"columns": ["region"]}},
        {"group": {"by": ["region"], "totals": {"n": "count(*)", "sum": "sum(amount)"}}}
    ]);
    recipe
}

/// Runs a recipe on a file to its end.
async fn done(client: &Client, recipe: &Value, file: &str) -> String {
    let run = client.run(recipe, &[file]).await;
    let ended = client.ended(&run).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    run
}

async fn get(client: &Client, path: &str) -> (StatusCode, Value) {
    client.send(Method::GET, path, &[], None).await
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_are_told_where_a_row_comes_from_and_what_each_step_did() {
    TestApp::run(async |app| {
        let (kim, lou) = (app.member("kim@example.org").await, app.member("lou@example.org").await);
        let file = uploaded(&kim, "sales.csv", SALES).await;
        let run = done(&kim, &cleaned(), &file).await;
        let rows = format!("/runs/{run}/files/{file}/rows");

        let (status, listed) = get(&kim, &format!("{rows}?offset=1&limit=2")).await;
        assert_eq!(status, StatusCode::OK, "{listed}");
        assert_eq!(listed["columns"], json!(["region", "amount", "double"]));
        assert_eq!(
            listed["rows"],
            json!([
                {"row": 2, "part": null, "source": 2, "cells": ["north", "5", "10"]},
                {"row": 3, "part": null, "source": 6, "cells": ["south", "3", "6"]}
            ])
        );
        assert_eq!(listed["more"], true);

        let (status, told) = get(&kim, &format!("{rows}/1")).await;
        assert_eq!(status, StatusCode::OK, "{told}");
        assert_eq!((&told["file"], &told["followed"]), (&json!("sales.csv"), &json!(4)));
        assert_eq!(told["sources"][0]["row"], 4);
        assert_eq!(
            told["cells"][1],
            json!({"column": "amount", "value": "7", "address": "B4", "unchanged": true})
        );
        assert_eq!(told["cells"][0]["unchanged"], false, "a blank went");
        let steps = told["steps"].as_array().expect("steps");
        assert_eq!(
            steps[0]["changes"],
            json!([{"column": "region", "before": "north ", "after": "north"}])
        );
        assert_eq!(steps[1]["touched"], false);
        assert_eq!(
            steps[2]["changes"],
            json!([{"column": "double", "before": null, "after": "14"}])
        );
        assert_eq!(
            steps[3]["notes"],
            json!(["Its place changed: it was row 2 and became row 1."])
        );

        let (status, problem) = get(&kim, &format!("{rows}/5")).await;
        assert_eq!(
            (status, &problem["code"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("no_such_row"))
        );
        let sentence = problem["detail"].as_str().expect("a sentence");
        assert!(
            sentence.contains("no row 5") && sentence.contains("it has 4 rows"),
            "{sentence}"
        );
        let (status, problem) = get(&kim, &format!("{rows}/1?sheet=Nowhere")).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
        assert_eq!(get(&lou, &format!("{rows}/1")).await.0, StatusCode::NOT_FOUND);
        let elsewhere = uploaded(&kim, "other.csv", "a\n1\n").await;
        let other = format!("/runs/{run}/files/{elsewhere}/rows/1");
        assert_eq!(get(&kim, &other).await.0, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_files_that_were_put_together_lead_to_their_file() {
    TestApp::run(async |app| {
        let page = Visitor::signed_in(app, "kim@example.org", Role::Member).await;
        let kim = app.member("kim@example.org").await;
        let (may, june) = (
            uploaded(&kim, "may.csv", "region,amount\nnorth,1\n").await,
            uploaded(&kim, "june.csv", "region,amount\nsouth,2\nnorth,4\n").await,
        );
        let recipe = json!({"name": "All", "steps": ["append", {"group": {"by": ["region"], "totals": {"sum": "sum(amount)"}}}]});
        let run = kim.run(&recipe, &[&may, &june]).await;
        let ended = kim.ended(&run).await;
        assert_eq!(ended["state"], "succeeded", "{ended}");
        let (status, told) = get(&kim, &format!("/runs/{run}/files/{may}/rows/1")).await;
        assert_eq!(status, StatusCode::OK, "{told}");
        let sources = told["sources"].as_array().expect("sources");
        let of = |it: &Value| (it["table"].clone(), it["row"].clone());
        assert_eq!(
            sources.iter().map(of).collect::<Vec<_>>(),
            [(Value::Null, json!(2)), (json!("june.csv"), json!(3))]
        );
        let shown = page.get(&format!("/runs/{run}/files/{may}/rows?row=1")).await;
        assert!(shown.text.contains(&format!("/files/{may}?sheet=0&#38;at=0")), "{}", shown.text);
        assert!(shown.text.contains(&format!("/files/{june}?sheet=0&#38;at=1")), "{}", shown.text);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_followed_is_said_in_a_sentence() {
    TestApp::run(async |app| {
        let page = Visitor::signed_in(app, "kim@example.org", Role::Member).await;
        let kim = app.member("kim@example.org").await;
        let file = uploaded(&kim, "sales.csv", SALES).await;
        let mut strict = cleaned();
        strict["steps"] = json!([{"convert": {"column": "region", "to": "integer", "otherwise": "reject"}}]);
        strict["output"] = json!({"format": "csv", "rejects": {"policy": "fail"}});
        let failed = kim.run(&strict, &[&file]).await;
        assert_eq!(kim.ended(&failed).await["state"], "failed");
        let (status, problem) = get(&kim, &format!("/runs/{failed}/files/{file}/rows/1")).await;
        assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("no_result")));
        let overview = page.get(&format!("/runs/{failed}")).await;
        assert!(!overview.text.contains("See the rows"), "there are none");

        let run = done(&kim, &cleaned(), &file).await;
        // As a clean-up would leave it.
        let mut open = vec![app.folder.path().to_owned()];
        let mut removed = 0;
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
                let (path, is_folder) = (entry.path(), entry.file_type().is_ok_and(|it| it.is_dir()));
                if is_folder && entry.file_name() == "tables" {
                    std::fs::remove_dir_all(&path).expect("it goes");
                    removed += 1;
                } else if is_folder {
                    open.push(path);
                }
            }
        }
        assert!(removed > 0, "the tables were somewhere");
        let (status, problem) = get(&kim, &format!("/runs/{run}/files/{file}/rows/1")).await;
        assert_eq!(
            (status, &problem["code"]),
            (StatusCode::CONFLICT, &json!("no_longer_kept"))
        );
        let shown = page.get(&format!("/runs/{run}/files/{file}/rows?row=1")).await;
        assert_eq!(shown.status, StatusCode::CONFLICT);
        assert!(shown.text.contains("no longer kept"), "{}", shown.text);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_script_a_row_is_a_link_to_where_it_comes_from() {
    TestApp::run(async |app| {
        let page = Visitor::signed_in(app, "kim@example.org", Role::Member).await;
        let kim = app.member("kim@example.org").await;
        let file = uploaded(&kim, "sales.csv", SALES).await;
        let run = done(&kim, &totals(), &file).await;
        let overview = page.get(&format!("/runs/{run}")).await;
        let rows = format!("/runs/{run}/files/{file}/rows");
        assert!(overview.text.contains(&format!("href=\"{rows}\"")), "{}", overview.text);
        let listed = page.get(&rows).await;
        assert!(listed.text.contains("&#38;row=2#trace\""), "{}", listed.text);
        let shown = page.get(&format!("{rows}?row=2")).await;
        for words in [
            "2 rows were grouped into this one.",
            ">row 3</a>",
            ">row 6</a>",
            "told of row 3",
        ] {
            assert!(shown.text.contains(words), "{words}: {}", shown.text);
        }
        let followed = page.get(&format!("{rows}?row=2&follow=6")).await;
        assert!(followed.text.contains("told of row 6"), "{}", followed.text);
        let beyond = page.get(&format!("{rows}?row=9")).await;
        assert_eq!(beyond.status, StatusCode::OK);
        assert!(beyond.text.contains("it has 3 rows"), "{}", beyond.text);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_click_on_a_row_shows_its_steps_and_leads_into_the_workbook() {
    TestApp::run(async |app| {
        let kim = app.member("kim@example.org").await;
        let mut text = "id,region,amount\n".to_owned();
        for id in 0..3_000 {
            text.push_str(&format!("{id}, r{} ,{}\n", id % 7, id * 3 % 1000));
        }
        let file = uploaded(&kim, "sales.csv", &text).await;
        let recipe = json!({
            "name": "Cleaned",
            "steps": [{"trim": {"columns": ["region"]}}, {"filter": {"keep": "id >= 1000"}}, {"sort": {"by": [{"column": "id", "order": "descending"}]}}]
        });
        let run = done(&kim, &recipe, &file).await;
        let link = app.invite("kim@example.org", Role::Member).await;
        let browser = Browser::start().await;
        join(&browser, &format!("{}/welcome?link={link}", app.address)).await;
        let goto = async |path: &str| {
            let address = format!("{}{path}", app.address);
            browser.page.goto(&address).await.expect("a page");
        };
        goto(&format!("/runs/{run}")).await;
        browser.click("#run-files a[href$='/rows']").await;
        browser.click(".resultrows tbody tr:nth-child(5) td:nth-child(4)").await;
        browser.see("#trace .story").await;
        let said = async |selector: &str| browser.see(selector).await.text().await.unwrap_or_default();
        assert_eq!(said("#trace h2").await, "Row 5");
        assert!(said(".origins").await.contains("row 2,997"), "{}", said(".origins").await);
        let changes = said(".story .touched:nth-child(1) .changes").await;
        assert!(changes.contains("region") && changes.contains("r6"), "{changes}");
        let place = said(".story .touched:nth-child(3)").await;
        assert!(place.contains("it was row 1,996 and became row 5"), "{place}");
        let at = browser.page.current_url().await.expect("an address");
        assert!(at.query().is_some_and(|query| query.contains("row=5")), "{at}");

        // The same by its address, and on into the workbook's grid.
        browser.page.refresh().await.expect("the same page");
        browser.see(".resultrows tr:nth-child(5)[aria-current]").await;
        browser.click(".origins a.open").await;
        let script = "return document.querySelector('.gridrow:has(.cell.at) .rownum')?.textContent ?? null";
        let number = until("the row is in view", async || {
            let found = browser.page.execute(script, vec![]).await.ok()?;
            found.as_str().filter(|it| !it.is_empty()).map(str::to_owned)
        });
        assert_eq!(number.await, "2,997");
        browser.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_builder_the_number_of_a_row_leads_to_what_the_steps_did_to_it() {
    TestApp::run(async |app| {
        let kim = app.member("kim@example.org").await;
        let file = uploaded(&kim, "sales.csv", SALES).await;
        let (_, saved) = kim.send(Method::POST, "/recipes", &[], Some(totals())).await;
        let recipe = saved["id"].as_str().expect("an id");
        let link = app.invite("kim@example.org", Role::Member).await;
        let browser = Browser::start().await;
        join(&browser, &format!("{}/welcome?link={link}", app.address)).await;
        let builder = format!("{}/recipes/{recipe}?file={file}", app.address);
        browser.page.goto(&builder).await.expect("the builder");
        browser.see("[data-balance] .state.good").await;
        browser.click("#grid .gridrow[aria-rowindex='2'] .rownum").await;
        browser.see("#row[open] .story").await;
        let said = async |selector: &str| browser.see(selector).await.text().await.unwrap_or_default();
        let grouped = said("#row .story .touched:nth-child(2)").await;
        assert!(grouped.contains("2 rows were grouped into this one."), "{grouped}");
        browser.click("#row .origins a[data-follow='6']").await;
        browser.see("#row .origins .here a[data-follow='6']").await;
        browser.close().await;
    })
    .await;
}
