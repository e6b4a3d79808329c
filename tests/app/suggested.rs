//! What the profile suggests stands on the workbook's page, and each of it leads into a recipe that begins with that step.

use reqwest::StatusCode;
use serde_json::Value;
use sheetmill::domain::states::Role;

use crate::test_app::TestApp;
use crate::visitor::Visitor;
use crate::wait::until;

/// The texts between `before` and the next quotation mark.
fn quoted<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
    text.split(before)
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_suggestion_leads_into_a_recipe_that_begins_with_it() {
    TestApp::run(async |app| {
        let kim = Visitor::signed_in(app, "kim@example.org", Role::Member).await;
        let fields = [("csrf", kim.csrf.as_str()), ("how", "try")];
        let tried = kim.post("/recipes/library/10-contact-list", &fields, &[]).await;
        let at = tried.headers["location"].to_str().expect("text").to_owned();
        let file = at
            .split("file=")
            .nth(1)
            .and_then(|it| it.split('&').next())
            .expect("a file's id");
        let left = "select count(*) from tasks where state in ('waiting', 'queued', 'running')";
        until("the sample is read", async || {
            (app.database.number(left).await == 0).then_some(())
        })
        .await;

        let page = kim.get(&format!("/files/{file}")).await.text;
        assert!(page.contains("blanks around their text"), "the sample has such cells");
        let links = quoted(&page, "href=\"/recipes/new?file=");
        let links: Vec<String> = links
            .iter()
            .filter(|it| it.contains("add="))
            .map(|it| it.replace("&amp;", "&").replace("&#38;", "&"))
            .collect();
        assert!(!links.is_empty(), "{page}");
        for link in &links {
            let builder = kim.get(&format!("/recipes/new?file={link}")).await;
            assert_eq!(builder.status, StatusCode::OK, "{link}");
            let (_, block) = builder.text.split_once("id=\"recipe\">").expect("the recipe");
            let document: Value =
                serde_json::from_str(block.split("</script>").next().unwrap_or_default()).expect("JSON");
            assert_eq!(
                document["document"]["steps"].as_array().map(Vec::len),
                Some(1),
                "{link}: {document}"
            );
        }
        assert!(links.iter().any(|it| it.contains("trim")), "{links:?}");
        let odd = kim
            .get(&format!("/recipes/new?file={file}&add=%7B%22no_such_step%22%3A1%7D"))
            .await;
        assert_eq!(odd.status, StatusCode::OK, "what is no step is not added");
    })
    .await;
}
