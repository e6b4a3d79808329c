//! The menu of a column in the builder: each of its steps works on the table as it is offered, and its form can be filled in.

use crate::browser::Browser;
use crate::first_light::{from_menu, join, upload};
use crate::processes::Process;

#[tokio::test(flavor = "multi_thread")]
async fn each_step_that_a_column_offers_works_as_it_is_offered() {
    let folder = tempfile::tempdir().expect("a folder");
    let orders = folder.path().join("orders.xlsx");
    crate::orders::write(200, &orders);
    let data = folder.path().join("data").to_str().expect("a plain path").to_owned();
    let settings = [("SHEETMILL_DATA", data), ("SHEETMILL_LISTEN", "127.0.0.1:0".to_owned())];
    let mut process = Process::serve(&["up"], &settings).await;
    let link = process.says("/welcome?link=").await;
    let address = process.address.clone().expect("an address");
    let browser = Browser::start().await;
    join(&browser, link.split_whitespace().last().expect("a link")).await;
    upload(&browser, &orders).await;
    let at = browser.page.current_url().await.expect("an address");
    let file = at.path_segments().and_then(|mut it| it.nth(1)).expect("a file's id");
    let builder = format!("{address}/recipes/new?file={file}");
    browser.page.goto(&builder).await.expect("the builder");

    for column in [3, 5] {
        let titles = titles(&browser, column).await;
        let offers = |title: &str| titles.iter().any(|it| it.starts_with(title));
        assert!(offers("Exchange values") && offers("Fill up"), "{titles:?}");
        assert_eq!(offers("Split into columns"), column == 3, "{titles:?}");
        for title in titles {
            from_menu(&browser, column, &title).await;
            counted(&browser, "After step 1:", &title).await;
            browser.click("[data-undo]").await;
            counted(&browser, "The sheet as it was read:", &title).await;
        }
    }
    fill_in(&browser).await;
    browser.close().await;
    assert!(process.interrupt().await.success());
}

/// Fields of one line, one after the other; and those that show with a choice only.
async fn fill_in(browser: &Browser) {
    from_menu(browser, 3, "Exchange values").await;
    let field = |name: &str| format!("[data-option=values] .pair:first-child [aria-label='{name}']");
    browser.fill(&field("Old value"), "north").await;
    browser.fill(&field("New value"), "up").await;
    right_at_last(browser, "After step 1:").await;
    written(browser, "north: up").await;

    from_menu(browser, 3, "Split into columns").await;
    let by = "const by = document.querySelector('[data-option=by] select'); by.value = 'widths'; by.dispatchEvent(new Event('change'));";
    browser.page.execute(by, vec![]).await.expect("a choice");
    browser.fill("[data-option=widths] input", "2").await;
    browser.fill("[data-option=into] input", "start, rest").await;
    right_at_last(browser, "After step 2:").await;
    written(browser, "by: widths").await;
    let separators = browser.page.execute(
        "return document.querySelectorAll('[data-option=separator]').length",
        vec![],
    );
    assert_eq!(
        separators.await.expect("a number"),
        0,
        "there is no separator with widths"
    );
}

/// What the menu of a column offers.
async fn titles(browser: &Browser, column: usize) -> Vec<String> {
    browser.click(&format!("#grid .colhead[data-column='{column}']")).await;
    browser.see(".columnmenu [role=menuitem]").await;
    let script = "return [...document.querySelectorAll('.columnmenu [role=menuitem]')].map((it) => it.textContent);";
    let titles = browser.page.execute(script, vec![]).await.expect("titles");
    serde_json::from_value(titles).expect("texts")
}

/// Waits until the rows of this place are counted and balance; fails when something is wrong with the step.
async fn counted(browser: &Browser, place: &str, title: &str) {
    assert_eq!(look(browser, place, true).await, "", "{title}");
}

/// The same while fields are filled in, when what stands there for a moment may be wrong.
async fn right_at_last(browser: &Browser, place: &str) {
    assert_eq!(look(browser, place, false).await, "");
}

async fn look(browser: &Browser, place: &str, strict: bool) -> serde_json::Value {
    let script = "const [place, strict, done] = arguments;
        const look = () => {
            const wrong = document.querySelector('[data-form] .wrong');
            if (wrong && strict) return done(wrong.textContent);
            const line = document.querySelector('[data-title-line]').textContent;
            const counted = line.startsWith(place) && !line.includes('first') && document.querySelector('[data-balance] .state.good');
            if (counted && !wrong) return done('');
            requestAnimationFrame(look);
        };
        look();";
    let wrong = browser
        .page
        .execute_async(script, vec![place.into(), strict.into()])
        .await;
    wrong.expect("an answer in time")
}

/// Waits until the document as text has this in it.
async fn written(browser: &Browser, part: &str) {
    let script = "const [part, done] = arguments;
        const look = () => document.querySelector('[data-yaml]').value.includes(part) ? done(true) : requestAnimationFrame(look);
        look();";
    let seen = browser.page.execute_async(script, vec![part.into()]).await;
    assert_eq!(seen.expect("an answer in time"), true, "{part}");
}
