//! The builder by menu only, in a real browser: ready recipes built again from nothing and run, every edit taken back and
//! made again, mistakes seen in the grid, and the annotated workbook read by another reader.

mod annotated;
mod hand;
mod ready;

use std::path::{Path, PathBuf};
use std::time::Duration;

use fantoccini::wd::TimeoutConfiguration;
use sheetmill::domain::states::Role;
use sheetmill_engine::recipe::document::Recipe;

use crate::browser::Browser;
use crate::first_light::join;
use crate::test_app::TestApp;
use crate::wait::until;
use hand::Hand;

fn shelf(place: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/library").join(place)
}

fn library(place: &str) -> Recipe {
    let text = std::fs::read_to_string(shelf(place).join("recipe.yaml")).expect("a recipe");
    Recipe::parse(&text).expect("a ready recipe is well-formed")
}

/// A browser with somebody signed in.
async fn somebody(app: &TestApp) -> Browser {
    let secret = app.invite("kim@example.org", Role::Member).await;
    let browser = Browser::start().await;
    let patient = TimeoutConfiguration::new(Some(Duration::from_secs(120)), None, None);
    browser.page.update_timeouts(patient).await.expect("a longer time");
    join(&browser, &format!("{}/welcome?link={secret}", app.address)).await;
    browser
}

/// Uploads samples and opens the builder with nothing in it on the last of them.
async fn begin(app: &TestApp, browser: &Browser, place: &str, samples: &[&str]) {
    for sample in samples {
        browser.page.goto(&app.address).await.expect("the home page");
        let input = browser.see("#upload input[type=file]").await;
        let path = shelf(place).join(sample);
        input
            .send_keys(path.to_str().expect("a plain path"))
            .await
            .expect("a chosen file");
        let read = format!("#recent tr[data-state=ready]:has([title='{sample}']) a[href^='/files/']");
        browser.click(&read).await;
        browser.see(".gridscroll [role=row]").await;
    }
    let at = browser.page.current_url().await.expect("an address");
    let file = at.path_segments().and_then(|mut it| it.nth(1)).expect("a file's id");
    let builder = format!("{}/recipes/new?file={file}", app.address);
    browser.page.goto(&builder).await.expect("the builder");
    browser.see("#grid .colhead[data-column='0']").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_edit_can_be_taken_back_to_the_start_and_made_again() {
    TestApp::run(async |app| {
        let browser = somebody(app).await;
        begin(app, &browser, "10-contact-list", &["contacts.csv"]).await;
        let hand = Hand(&browser);
        let start = (hand.text().await, hand.steps().await);
        ready::contact_list(&hand).await;
        rearranged(&hand).await;
        let end = (hand.text().await, hand.steps().await);
        assert_ne!(start, end);

        hand.to_top().await;
        let undone = hand.press_to_the_end("[data-undo]").await;
        assert!(undone > 15, "{undone}");
        assert_eq!(
            (hand.text().await, hand.steps().await),
            start,
            "nothing is left of {undone} edits"
        );
        let redone = hand.press_to_the_end("[data-redo]").await;
        assert_eq!(redone, undone);
        assert_eq!(
            (hand.text().await, hand.steps().await),
            end,
            "all of them are there again"
        );
        browser.close().await;
        nothing_left(app).await;
    })
    .await;
}

/// Duplicates, drags, moves by keys, switches off, removes.
async fn rearranged(hand: &Hand<'_>) {
    let label = |at: usize| format!("[data-steps] li[data-index='{at}'] .label");
    let titles = async || -> Vec<String> {
        let steps = hand.steps().await;
        steps
            .iter()
            .map(|it| it[1].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    hand.to_top().await;
    hand.0.click(&label(1)).await;
    hand.settled().await;
    let before = titles().await;
    hand.press("//*[@data-form]", "Duplicate").await;
    hand.settled().await;
    let doubled = titles().await;
    assert_eq!(
        (doubled.len(), &doubled[1]),
        (before.len() + 1, &doubled[2]),
        "it stands there twice"
    );

    hand.to_top().await;
    hand.drag(
        "[data-steps] li[data-index='0'] .grip",
        "[data-steps] li[data-index='3']",
    )
    .await;
    until("the step that was dragged stands where it was dropped", async || {
        (titles().await[3] == before[0]).then_some(())
    })
    .await;
    hand.settled().await;

    hand.to_top().await;
    hand.move_up(&label(3)).await;
    until("the keys moved it up", async || {
        (titles().await[2] == before[0]).then_some(())
    })
    .await;
    hand.settled().await;

    hand.to_top().await;
    hand.0.click("[data-steps] li[data-index='1'] [data-off]").await;
    let steps = hand.steps().await;
    assert_eq!(steps[1][2], false, "{steps:?}");
    assert_eq!(
        hand.recipe().await.steps.len(),
        doubled.len() - 1,
        "what is off is not in the text"
    );
    hand.0.click("[data-steps] li[data-index='5'] [data-remove]").await;
    assert_eq!(hand.steps().await.len(), doubled.len() - 1);
}

/// A run's tasks have ended.
async fn nothing_left(app: &TestApp) {
    let left = "select count(*) from tasks where state in ('waiting', 'queued', 'running')";
    until("no task is left", async || {
        (app.database.number(left).await == 0).then_some(())
    })
    .await;
}
