//! Five ready recipes, built from nothing by menu, held against the library's and run: the bytes are the same.

use tokio::process::Command;

use super::hand::Hand;
use super::{begin, library, nothing_left, shelf, somebody};
use crate::browser::Browser;
use crate::test_app::TestApp;

pub(super) async fn contact_list(hand: &Hand<'_>) {
    hand.step("trim").await;
    for flag in ["inner", "lookalikes", "controls"] {
        hand.flag(flag).await;
    }
    hand.step("case").await;
    hand.tick("columns", &["first name", "last name", "city"]).await;
    hand.choose("to", "title").await;
    hand.column_step("email", "Begin words with capitals").await;
    hand.choose("to", "lower").await;
    hand.step("replace").await;
    hand.tick("columns", &["phone"]).await;
    hand.write("find", " ").await;
    hand.write("with", "").await;
    hand.column_step("email", "Check it").await;
    hand.into("[data-form] .rule [data-rule=pattern]", "[^@ ]+@[^@ ]+\\.[a-z]+")
        .await;
    hand.into("[data-form] .rule [data-rule=message]", "this is no e-mail address")
        .await;
    hand.column_step("email", "Keep one row of each value").await;
    hand.choose("keep", "most_complete").await;
    hand.column_step("last name", "Sort ascending").await;
    hand.press("//*[@data-option='by']", "Add a column").await;
    for (at, column) in ["last name", "first name"].iter().enumerate() {
        let pair = format!("[data-option=by] .pair:nth-of-type({})", at + 1);
        hand.choose_in(&format!("{pair} [aria-label=Column]"), column).await;
        hand.choose_in(&format!("{pair} [aria-label=Texts]"), "ignore_case")
            .await;
    }
}

async fn look_up_prices(hand: &Hand<'_>) {
    hand.column_step("sku", "Remove blanks around text").await;
    hand.column_step("sku", "Begin words with capitals").await;
    hand.choose("to", "upper").await;
    hand.step("join").await;
    let prices = "[data-option=with] select option";
    let script = "return [...document.querySelectorAll(arguments[0])].find((it) => it.textContent.trim() === 'prices.csv').value;";
    let place = hand
        .0
        .page
        .execute(script, vec![prices.into()])
        .await
        .expect("a script");
    hand.choose("with", place.as_str().expect("a place")).await;
    hand.settled().await;
    hand.choose_in("[data-option=on] [aria-label='Column of this table']", "sku")
        .await;
    hand.choose_in("[data-option=on] [aria-label='Column of the other table']", "code")
        .await;
    hand.choose("several", "first").await;
    hand.step("compute").await;
    hand.write("column", "total").await;
    hand.write("as", "round(quantity * price, 2)").await;
}

async fn totals_per_month(hand: &Hand<'_>) {
    hand.column_step("region", "Remove blanks around text").await;
    hand.column_step("region", "Begin words with capitals").await;
    hand.choose("to", "lower").await;
    hand.step("compute").await;
    hand.write("column", "month").await;
    hand.write("as", "substr(date, 1, 7)").await;
    hand.column_step("month", "Group by it").await;
    hand.tick("by", &["region", "month"]).await;
    let totals = [
        ("orders", "count(*)"),
        ("revenue", "round(sum(amount), 2)"),
        ("largest", "max(amount)"),
    ];
    for (at, (name, total)) in totals.iter().enumerate() {
        if at > 0 {
            hand.press("//*[@data-option='totals']", "Add a total").await;
        }
        let pair = format!("[data-option=totals] .pair:nth-of-type({})", at + 1);
        hand.into(&format!("{pair} [aria-label='New column']"), name).await;
        hand.into(&format!("{pair} [aria-label='Total']"), total).await;
    }
    hand.column_step("month", "Sort ascending").await;
    hand.press("//*[@data-option='by']", "Add a column").await;
    hand.choose_in("[data-option=by] .pair:nth-of-type(2) [aria-label=Column]", "region")
        .await;
}

pub(super) async fn check_an_import(hand: &Hand<'_>) {
    let rule = |at: usize, inner: &str| format!("[data-form] .pair.rules:nth-of-type({at}) .rule {inner}");
    let add = async || hand.press("//*[@data-option='rules']/div", "Add a rule").await;
    let more = async |at: usize| hand.0.click(&rule(at, "details.more > summary")).await;
    hand.column_step("sku", "Check it").await;
    hand.0.click(&rule(1, "label.check:nth-of-type(2) input")).await;
    hand.into(&rule(1, "[data-rule=pattern]"), "[A-Z]{2}-[0-9]{4}").await;
    add().await;
    hand.choose_in(&rule(2, "[aria-label=Column]"), "name").await;
    add().await;
    hand.choose_in(&rule(3, "[aria-label=Column]"), "stock").await;
    hand.0.click(&rule(3, "label.check:nth-of-type(1) input")).await;
    hand.into(&rule(3, "[data-rule=min]"), "0").await;
    hand.choose_in(&rule(3, "details.more .mini.wide select"), "integer")
        .await;
    add().await;
    hand.choose_in(&rule(4, "[aria-label=Column]"), "unit").await;
    hand.0.click(&rule(4, "label.check:nth-of-type(1) input")).await;
    hand.into(&rule(4, "[data-rule=one_of]"), "pcs, m, l, kg").await;
    add().await;
    hand.choose_in(&rule(5, "> [aria-label='What is checked']"), "where")
        .await;
    hand.into(&rule(5, "[data-rule=where]"), "price < 1000").await;
    hand.into(&rule(5, "[data-rule=message]"), "the price looks too high")
        .await;
    hand.choose_in(&rule(5, "> label:last-child select"), "warning").await;
    // What folded away is there when it is asked for.
    hand.to_top().await;
    more(1).await;
    hand.0.see(&rule(1, "details.more[open] [data-rule=min]")).await;
    hand.choose_in("[data-part-option='rejects.as'] select", "annotate")
        .await;
}

async fn split_by_customer(hand: &Hand<'_>) {
    hand.column_step("customer", "Remove blanks around text").await;
    hand.step("compute").await;
    hand.write("column", "total").await;
    hand.write("as", "round(quantity * price, 2)").await;
    hand.settled().await;
    hand.choose_in("[data-part-option='split_by'] select", "customer").await;
    hand.choose_in("[data-part-option='split_into'] select", "files").await;
    hand.into("[data-part-option='name'] input", "{value}").await;
}

/// Names the recipe, holds it against the library's, and runs it on what is in view.
async fn compared_and_run(app: &TestApp, hand: &Hand<'_>, place: &str) {
    let ready = library(place);
    hand.to_top().await;
    hand.0.fill("[data-name]", &ready.name).await;
    assert_eq!(hand.recipe().await, ready, "{place}");
    hand.0.click("[data-run] > summary").await;
    hand.0.click("[data-run] button.go").await;
    hand.0.see(".downloads a[href*='/artifacts/']").await;
    nothing_left(app).await;
}

/// What the command makes of the library's recipe and sample.
async fn by_command(place: &str, samples: &[&str], out: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let shelf = shelf(place);
    let mut command = Command::new(env!("CARGO_BIN_EXE_sheetmill"));
    command.arg("run").arg(shelf.join("recipe.yaml"));
    for sample in samples {
        let stem = sample.trim_end_matches(".csv");
        if library(place).references().contains(&stem) {
            command.args(["--with", &format!("{stem}={}", shelf.join(sample).display())]);
        } else {
            command.arg(shelf.join(sample));
        }
    }
    command.arg("--out").arg(folder.path().join(out));
    command
        .args(["--rejects"])
        .arg(folder.path().join("rejects.xlsx"))
        .env("TMPDIR", folder.path());
    let said = command.output().await.expect("it starts");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    folder
}

async fn downloaded(browser: &Browser, name: &str) -> Vec<u8> {
    browser.click(&format!(".downloads a:has([title='{name}'])")).await;
    browser.downloaded(name).await
}

#[tokio::test(flavor = "multi_thread")]
async fn ready_recipes_built_by_menu_are_those_of_the_library_and_give_the_same_bytes() {
    TestApp::run(async |app| {
        let browser = somebody(app).await;
        let hand = Hand(&browser);
        let one = async |place: &str, samples: &[&str], result: &str| {
            compared_and_run(app, &hand, place).await;
            let ours = downloaded(&browser, result).await;
            let folder = by_command(place, samples, "result.xlsx").await;
            let theirs = std::fs::read(folder.path().join("result.xlsx")).expect("a result");
            assert!(ours == theirs, "{place}: {} and {} bytes", ours.len(), theirs.len());
        };
        let (place, samples) = ("10-contact-list", ["contacts.csv"]);
        begin(app, &browser, place, &samples).await;
        contact_list(&hand).await;
        one(place, &samples, "contacts-clean-a-contact-list.xlsx").await;

        let (place, samples) = ("40-look-up-prices", ["prices.csv", "order lines.csv"]);
        begin(app, &browser, place, &samples).await;
        look_up_prices(&hand).await;
        one(place, &samples, "order lines-look-up-prices.xlsx").await;

        let (place, samples) = ("90-totals-per-month", ["sales.csv"]);
        begin(app, &browser, place, &samples).await;
        totals_per_month(&hand).await;
        one(place, &samples, "sales-totals-per-month-and-region.xlsx").await;

        let (place, samples) = ("b0-check-an-import", ["articles.csv"]);
        begin(app, &browser, place, &samples).await;
        check_an_import(&hand).await;
        one(place, &samples, "articles-check-an-import-file.xlsx").await;

        let (place, samples) = ("30-split-by-customer", ["invoice lines.csv"]);
        begin(app, &browser, place, &samples).await;
        split_by_customer(&hand).await;
        compared_and_run(app, &hand, place).await;
        let folder = by_command(place, &samples, "").await;
        for name in ["Alpine Sports GmbH.xlsx", "Bergmann & Söhne.xlsx", "Café Lumen.xlsx"] {
            let ours = downloaded(&browser, name).await;
            assert!(
                ours == std::fs::read(folder.path().join(name)).expect("a part"),
                "{name}"
            );
        }
        browser.close().await;
    })
    .await;
}
