//! Which rows a preview shows: the first ones, any, or those that fail; chosen in a real browser.

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::first_light::{from_menu, join, upload};
use crate::processes::Process;

/// Orders in the workbook; a preview shows 200.
const ROWS: u64 = 3_000;

#[tokio::test(flavor = "multi_thread")]
async fn the_builder_shows_first_rows_random_rows_and_rows_that_fail() {
    let folder = tempfile::tempdir().expect("a folder");
    let orders = folder.path().join("orders.xlsx");
    crate::orders::write(ROWS, &orders);
    let data = folder.path().join("data").to_str().expect("a plain path").to_owned();
    let settings = [("SHEETMILL_DATA", data), ("SHEETMILL_LISTEN", "127.0.0.1:0".to_owned())];
    let mut process = Process::serve(&["up"], &settings).await;
    let link = process.says("/welcome?link=").await;
    let address = process.address.clone().expect("an address");
    let browser = Browser::start().await;
    join(&browser, link.split_whitespace().last().expect("a link")).await;
    upload(&browser, &orders).await;
    let at = browser.page.current_url().await.expect("an address");
    let file = at
        .path_segments()
        .and_then(|mut it| it.nth(1))
        .expect("a file's id")
        .to_owned();
    let builder = format!("{address}/recipes/new?file={file}");
    browser.page.goto(&builder).await.expect("the builder");

    from_menu(&browser, 5, "Check it").await;
    let rule = "document.querySelector('[data-text]').click();
        const yaml = document.querySelector('[data-yaml]');
        yaml.focus();
        yaml.value = 'steps:\\n  - validate:\\n      - {column: quantity, min: 3}\\n';
        document.querySelector('[data-apply]').click();
        yaml.blur();";
    browser.page.execute(rule, vec![]).await.expect("a rule");

    let first = shown(&browser, "first").await;
    assert_eq!(
        first,
        (2..first.len() as u64 + 2).collect::<Vec<_>>(),
        "from the first row on"
    );
    let random = shown(&browser, "random").await;
    assert!(random.is_sorted() && random != first, "{random:?}");
    browser.click("[data-again]").await;
    let other = until_shown(&browser, &random).await;
    assert!(other.is_sorted() && other != first, "{other:?}");
    let failing = shown(&browser, "wrong").await;
    assert!(!failing.is_empty());
    let fates =
        "return [...document.querySelectorAll('#grid .gridrow')].every((row) => row.classList.contains('rejected'));";
    assert_eq!(browser.page.execute(fates, vec![]).await.expect("a script"), true);
    assert!(
        browser
            .see("[data-balance]")
            .await
            .text()
            .await
            .expect("words")
            .contains("All 3,000 rows counted")
    );

    newest_is_answered(&browser, &file).await;
    browser.close().await;
    assert!(process.interrupt().await.success());
}

/// Chooses which rows are shown; the numbers of those in view once all are counted.
async fn shown(browser: &Browser, which: &str) -> Vec<u64> {
    let choose = "const choice = document.querySelector('[data-show]');
        document.querySelector('[data-balance]').replaceChildren();
        choice.value = arguments[0];
        choice.dispatchEvent(new Event('change'));";
    browser
        .page
        .execute(choose, vec![which.into()])
        .await
        .expect("a choice");
    until_shown(browser, &[]).await
}

/// Waits until all rows are counted and others than these are in view.
async fn until_shown(browser: &Browser, before: &[u64]) -> Vec<u64> {
    let script = "const [before, done] = arguments;
        const look = () => {
            const numbers = [...document.querySelectorAll('#grid .gridrow')]
                .map((row) => [Number(row.getAttribute('aria-rowindex')), row.querySelector('.rownum').textContent.replaceAll(',', '')])
                .toSorted(([one], [other]) => one - other).map(([, number]) => Number(number));
            const counted = document.querySelector('[data-balance] .state.good');
            const there = numbers.length > 0 && !document.querySelector('#grid .gridrow.waiting');
            if (counted && there && JSON.stringify(numbers) !== JSON.stringify(before)) return done(numbers);
            requestAnimationFrame(look);
        };
        look();";
    let numbers = browser.page.execute_async(script, vec![json!(before)]).await;
    serde_json::from_value(numbers.expect("rows in time")).expect("numbers")
}

/// A page that asks again before the answer is there gets the answer to what it asked last.
async fn newest_is_answered(browser: &Browser, file: &str) {
    let script = "const [file, done] = arguments;
        const ask = async (steps, count) => {
            const document_ = { name: 'Two', steps: [{ sort: { by: [{ column: 'customer' }] } }, { first: { rows: 10 } }] };
            const headers = { 'X-CSRF': document.querySelector('meta[name=csrf]').content, 'Content-Type': 'application/json', Accept: 'application/json' };
            const body = JSON.stringify({ page: 'twice', file, steps, count, document: document_ });
            const answer = await fetch('/recipes/preview', { method: 'POST', headers, body });
            return [answer.status, (await answer.json()).rows?.total ?? null];
        };
        Promise.all([ask(1, true), ask(2, true)]).then(done);";
    let told = browser
        .page
        .execute_async(script, vec![file.into()])
        .await
        .expect("answers");
    let statuses: Vec<(u16, Value)> = serde_json::from_value(told).expect("statuses");
    assert!(
        statuses.iter().all(|(status, _)| matches!(status, 200 | 409)),
        "{statuses:?}"
    );
    assert!(
        statuses.iter().any(|(status, _)| *status == 200),
        "the last one is answered: {statuses:?}"
    );
}
