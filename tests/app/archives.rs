//! Archives: what is in them becomes files, for everybody who has them.

use std::io::Write as _;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sheetmill::domain::states::Role;

use crate::client::Client;
use crate::test_app::TestApp;
use crate::visitor::Visitor;

fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .expect("an entry");
        zip.write_all(bytes).expect("its bytes");
    }
    zip.finish().expect("a zip").into_inner()
}

fn quarters() -> Vec<u8> {
    archive(&[
        ("2024/q1.csv", b"id,total\n1,10\n2,20\n"),
        ("2024/q2.csv", b"id;total\n3;30\n"),
        ("__MACOSX/._q1.csv", b"x"),
        ("logo.png", b"\x89PNG\r\n"),
    ])
}

async fn uploaded(client: &Client, bytes: Vec<u8>) -> String {
    let (status, answer) = client.upload_bytes("quarters.zip", bytes).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    answer[0]["id"].as_str().expect("an id").to_owned()
}

fn members(archive: &Value) -> Vec<(String, Option<String>, String)> {
    let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
    let list = archive["members"].as_array().expect("a list");
    list.iter()
        .map(|it| {
            (
                text(&it["name"]),
                it["id"].as_str().map(str::to_owned),
                text(&it["error"]["code"]),
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_members_of_an_archive_become_files_that_run_together() {
    TestApp::run(async |app| {
        let (kim, lou) = (app.member("kim@example.org").await, app.member("lou@example.org").await);
        let archive = uploaded(&kim, quarters()).await;
        let unpacked = kim.ready(&archive).await;
        assert_eq!((&unpacked["format"], &unpacked["tables"]), (&json!("zip"), &json!([])));
        let found = members(&unpacked);
        let names: Vec<_> = found
            .iter()
            .map(|(name, _, error)| (name.as_str(), error.as_str()))
            .collect();
        assert_eq!(
            names,
            [("q1.csv", ""), ("q2.csv", ""), ("logo.png", "not_a_spreadsheet")]
        );
        for (_, id, _) in &found[..2] {
            let file = kim.ready(id.as_deref().expect("a file")).await;
            assert_eq!(file["archive"], json!(archive), "{file}");
            assert_eq!(file["tables"][0]["columns"][1]["type"], "integer", "{file}");
        }
        // A run on the archive is one on its files.
        let recipe = json!({"steps": [{"filter": {"keep": "total >= 20"}}], "output": {"format": "csv"}});
        let ended = kim.ended(&kim.run(&recipe, &[&archive]).await).await;
        assert_eq!(
            (&ended["state"], ended["tasks"].as_array().map(Vec::len)),
            (&json!("succeeded"), Some(2))
        );
        assert_eq!(
            (&ended["tasks"][0]["rows_in"], &ended["tasks"][0]["rows_out"]),
            (&json!(2), &json!(1))
        );
        // It is read by its files only.
        let path = format!("/files/{archive}/options");
        let refused = kim.send(Method::PUT, &path, &[], Some(json!({"header": "none"}))).await;
        assert_eq!(
            (refused.0, &refused.1["code"]),
            (StatusCode::CONFLICT, &json!("archive"))
        );
        // Whoever brings the same archive later has its files at once, and only their own.
        let other = uploaded(&lou, quarters()).await;
        let theirs = members(&kim.ready(&archive).await);
        let own = members(&lou.ready(&other).await);
        assert_eq!(own.len(), 3);
        assert!(
            own.iter()
                .zip(&theirs)
                .take(2)
                .all(|(a, b)| a.1.is_some() && a.1 != b.1)
        );
        lou.ready(own[0].1.as_deref().expect("a file")).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_without_spreadsheets_or_cut_off_is_refused_by_name() {
    TestApp::run(async |app| {
        let kim = app.member("kim@example.org").await;
        let mut cut = quarters();
        cut.truncate(cut.len() - 40);
        let cases = [
            (archive(&[("a.png", b"\x89PNG")]), "no_members"),
            (archive(&[("inner.zip", &quarters())]), "no_members"),
            (cut, "cut_off"),
        ];
        for (bytes, code) in cases {
            let file = uploaded(&kim, bytes).await;
            let refused = kim
                .until(&format!("/files/{file}"), |it| it["state"] == "refused")
                .await;
            assert_eq!(refused["error"]["code"], code, "{refused}");
            let sentence = refused["error"]["sentence"].as_str().unwrap_or_default();
            assert!(sentence.contains("quarters.zip"), "{sentence}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_show_an_archive_and_how_a_file_would_be_read() {
    TestApp::run(async |app| {
        let visitor = Visitor::signed_in(app, "kim@example.org", Role::Member).await;
        let kim = app.member("kim@example.org").await;
        let archive = uploaded(&kim, quarters()).await;
        let unpacked = kim.ready(&archive).await;
        let page = visitor.get(&format!("/files/{archive}")).await;
        for word in ["2 files", "q1.csv", "q2.csv", "logo.png", "a picture"] {
            assert!(page.text.contains(word), "{word} in {}", page.text);
        }
        let file = members(&unpacked)[0].1.clone().expect("a file");
        kim.ready(&file).await;
        let look = async |query: &str| visitor.get(&format!("/files/{file}/peek?{query}")).await;
        let found = look("header=auto").await.text;
        assert!(
            found.contains("Header in row 1: id, total") && found.contains("separated by comma"),
            "{found}"
        );
        let none = look("header=none&delimiter=%3B").await.text;
        assert!(
            none.contains("No header: A.") && none.contains("<td>id,total</td>"),
            "{none}"
        );
        let refused = look("header=rows&first=99").await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.text);
        assert!(
            refused.text.contains("q1.csv") && refused.text.contains("in row 99"),
            "{}",
            refused.text
        );
        let form = [
            ("csrf", visitor.csrf.as_str()),
            ("header", "none"),
            ("first", "1"),
            ("last", "1"),
            ("merged", "fill"),
            ("sheet", "0"),
        ];
        let sent = visitor.post(&format!("/files/{file}/read"), &form, &[]).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
        assert_eq!(kim.ready(&file).await["tables"][0]["header"], Value::Null);
        let stranger = Visitor::signed_in(app, "lou@example.org", Role::Member).await;
        assert_eq!(
            stranger.get(&format!("/files/{file}/peek")).await.status,
            StatusCode::NOT_FOUND
        );
    })
    .await;
}
