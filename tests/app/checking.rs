//! Rules made by menu in a real browser: counted over all rows before the run, and told of on the sheet after it.

use crate::browser::Browser;
use crate::first_light::{from_menu, join, upload};
use crate::orders;
use crate::test_app::TestApp;
use crate::wait::until;

use sheetmill::domain::states::Role;

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_made_by_menu_and_counted_over_all_rows() {
    TestApp::run(async |app| {
        let path = app.folder.path().join("orders.xlsx");
        orders::write(500, &path);
        let secret = app.invite("kim@example.org", Role::Member).await;
        let browser = Browser::start().await;
        join(&browser, &format!("{}/welcome?link={secret}", app.address)).await;
        upload(&browser, &path).await;
        let at = browser.page.current_url().await.expect("an address");
        let file = at.path_segments().and_then(|mut it| it.nth(1)).expect("a file's id");
        let builder = format!("{}/recipes/new?file={file}", app.address);
        browser.page.goto(&builder).await.expect("the builder");

        check(&browser).await;
        // The form is long: what is above it may hide behind the page's head.
        let up = browser.page.execute("window.scrollTo(0, 0)", vec![]).await;
        up.expect("a script");
        browser.click("[data-save]").await;
        browser.see("[data-run] input[name=recipe]:not([value=''])").await;
        browser.click("[data-run] > summary").await;
        browser.click("[data-run] button.go").await;
        browser.see(".downloads a[href*='/artifacts/']").await;
        until("the sheet with notes is there", async || {
            let page = browser.page.source().await.ok()?;
            page.contains("orders-annotated.xlsx").then_some(())
        })
        .await;
        browser.close().await;
    })
    .await;
}

/// Makes two rules, and waits for what they will do.
async fn check(browser: &Browser) {
    from_menu(browser, 5, "Check it").await;
    browser.fill("[data-form] .rule input[data-rule=max]", "5").await;
    browser.click("[data-form] [data-option=rules] > div > button").await;
    browser
        .see("[data-form] .rule + button, [data-form] .pair.rules + .pair.rules")
        .await;
    choose(
        browser,
        "[data-form] .pair.rules:nth-of-type(2) .rule > select:first-child",
        "where",
    )
    .await;
    browser
        .fill("[data-form] .rule input[data-rule=where]", "unit_price < 50")
        .await;
    choose(
        browser,
        "[data-form] .pair.rules:nth-of-type(2) .rule > label:last-child select",
        "warning",
    )
    .await;
    choose(browser, "[data-part-option='rejects.as'] select", "annotate").await;
    until("all rows are counted", async || {
        let count = browser
            .see("[data-steps] li:last-child .count")
            .await
            .text()
            .await
            .ok()?;
        (count.contains("rejected") && count.contains("warned")).then_some(())
    })
    .await;
    browser.see("[data-balance] .state.good").await;
    let text = browser
        .see("[data-yaml]")
        .await
        .prop("value")
        .await
        .expect("a property");
    let text = text.unwrap_or_default();
    assert!(
        text.contains("      - {column: quantity, required: true, max: 5}"),
        "{text}"
    );
    assert!(
        text.contains("severity: warning") && text.contains("as: annotate"),
        "{text}"
    );
}

/// Chooses as a person does: the page hears of it.
async fn choose(browser: &Browser, selector: &str, value: &str) {
    browser.see(selector).await;
    let script = "const it = document.querySelector(arguments[0]); it.value = arguments[1]; \
                  it.dispatchEvent(new Event('change', { bubbles: true })); return it.value;";
    let chosen = browser
        .page
        .execute(script, vec![selector.into(), value.into()])
        .await
        .expect("a script");
    assert_eq!(chosen, value, "{selector}");
}
