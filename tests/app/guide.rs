//! The guide: every step has its page, made of the definitions of the forms, with the tables of its examples.

use reqwest::StatusCode;
use sheetmill::domain::states::Role;
use sheetmill_engine::recipe::document::PARTS;
use sheetmill_engine::recipe::guide::{self, FUNCTIONS};
use sheetmill_engine::recipe::steps::DEFINITIONS;

use crate::test_app::TestApp;
use crate::visitor::Visitor;

#[tokio::test(flavor = "multi_thread")]
async fn every_step_has_a_page_with_its_options_and_examples() {
    TestApp::run(async |app| {
        let kim = Visitor::signed_in(app, "kim@example.org", Role::Member).await;
        let index = kim.get("/guide").await.text;
        for step in DEFINITIONS {
            assert!(
                index.contains(&format!("href=\"/guide/{}\"", step.name)),
                "{}",
                step.name
            );
            let page = kim.get(&format!("/guide/{}", step.name)).await;
            assert_eq!(page.status, StatusCode::OK, "{}", step.name);
            for option in step.options {
                assert!(
                    page.text.contains(&format!("<code>{}</code>", option.name)),
                    "{}.{}",
                    step.name,
                    option.name
                );
            }
            let examples = guide::page(step).expect("a page").examples;
            let tables = examples
                .iter()
                .map(|it| 2 + it.others.len() + usize::from(it.rejected.is_some()));
            assert_eq!(
                page.text.matches("<figure").count(),
                tables.sum::<usize>(),
                "{}",
                step.name
            );
        }
        assert_eq!(kim.get("/guide/no_such_step").await.status, StatusCode::NOT_FOUND);

        let found = kim.get("/guide?find=duplicates").await.text;
        assert!(found.contains("href=\"/guide/deduplicate\"") && !found.contains("href=\"/guide/pivot\""));
        let nothing = kim.get("/guide?find=zebras%3Cb%3E").await.text;
        assert!(nothing.contains("No step speaks of that") && !nothing.contains("zebras<b>"));

        let functions = kim.get("/guide/expressions").await.text;
        for function in FUNCTIONS.iter().flat_map(|group| group.functions) {
            assert!(
                functions.contains(&format!("id=\"{}\"", function.name)),
                "{}",
                function.name
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_and_what_is_written_have_pages_with_their_options_and_examples() {
    TestApp::run(async |app| {
        let kim = Visitor::signed_in(app, "kim@example.org", Role::Member).await;
        let index = kim.get("/guide").await.text;
        for part in PARTS {
            assert!(
                index.contains(&format!("href=\"/guide/{}\"", part.name)),
                "{}",
                part.name
            );
            let page = kim.get(&format!("/guide/{}", part.name)).await;
            assert_eq!(page.status, StatusCode::OK, "{}", part.name);
            for option in part.options {
                assert!(
                    page.text.contains(&format!("<code>{}</code>", option.name)),
                    "{}",
                    option.name
                );
                for (word, said) in option.kind.choices() {
                    assert!(
                        page.text.contains(&format!("<code>{word}</code> {said}")),
                        "{word} {said}"
                    );
                }
            }
            let examples = guide::part_page(part).expect("a page").examples;
            assert!(
                page.text.matches("<figure").count() >= 2 * examples.len(),
                "{}",
                part.name
            );
        }
    })
    .await;
}
