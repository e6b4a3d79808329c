//! A newcomer's first hour, in a real browser: account, workbook, recipe with preview, run, download. What comes out is
//! compared cell by cell with what a plain loop over the same rows makes.

use std::path::Path;
use std::time::Duration;

use crate::browser::Browser;
use crate::memory::Watched;
use crate::processes::Process;
use crate::workbook;

/// `make million` asks for a million.
fn rows() -> u64 {
    let asked = std::env::var("SHEETMILL_TEST_ROWS").ok();
    asked.map_or(4_000, |it| it.parse().expect("a number of rows"))
}

/// So many rows take long enough that their progress can be watched.
const MANY: u64 = 500_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_workbook_goes_in_and_a_clean_one_comes_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let orders = folder.path().join("orders.xlsx");
    crate::orders::write(rows(), &orders);
    let data = folder.path().join("data").to_str().expect("a plain path").to_owned();
    let settings = [("SHEETMILL_DATA", data), ("SHEETMILL_LISTEN", "127.0.0.1:0".to_owned())];
    let mut process = Process::serve(&["up"], &settings).await;
    let link = process.says("/welcome?link=").await;
    let address = process.address.clone().expect("an address");
    let browser = Browser::start().await;
    let memory = Watched::begin(process.pid());

    join(&browser, link.split_whitespace().last().expect("a link")).await;
    upload(&browser, &orders).await;
    build(&browser, &address).await;
    browser.click("[data-run] > summary").await;
    browser.click("[data-run] button.go").await;
    watch_progress(&browser).await;

    browser.click(".downloads a").await;
    let result = workbook::rows(&browser.downloaded(".xlsx").await);
    compare(
        &result,
        &expected(&workbook::rows(&std::fs::read(&orders).expect("the orders"))),
    );

    let peaks = memory.end().await;
    println!("peak memory over {} rows: {peaks:?}", rows());
    assert!(peaks.server_mib < 200, "server and worker: {peaks:?}");
    assert!(peaks.child_mib < 512, "{peaks:?}");
    browser.close().await;
    assert!(process.interrupt().await.success());
}

pub(crate) async fn join(browser: &Browser, link: &str) {
    browser.page.goto(link).await.expect("the welcome page");
    browser.fill("#name", "Kim").await;
    browser.fill("#email", "kim@example.org").await;
    browser.fill("#password", "four words in a row").await;
    browser.click("main form button.primary").await;
    browser.see("#upload").await;
}

pub(crate) async fn upload(browser: &Browser, file: &Path) {
    let input = browser.see("#upload input[type=file]").await;
    input
        .send_keys(file.to_str().expect("a plain path"))
        .await
        .expect("a chosen file");
    // The list of recent files has it, read to the end, without a reload.
    browser.click("#recent tr[data-state=ready] a[href^='/files/']").await;
    browser.see(".gridscroll [role=row]").await;
}

async fn build(browser: &Browser, address: &str) {
    let at = browser.page.current_url().await.expect("an address");
    let file = at
        .path_segments()
        .and_then(|mut it| it.nth(1))
        .expect("a file's id")
        .to_owned();
    browser
        .page
        .goto(&format!("{address}/recipes/new?file={file}"))
        .await
        .expect("the builder");

    from_menu(browser, 5, "Keep rows where").await;
    browser
        .fill(
            "[data-form] [data-option=keep] input",
            "quantity > 0 AND status <> 'cancelled'",
        )
        .await;
    from_menu(browser, 6, "Compute").await;
    browser.fill("[data-form] [data-option=column] input", "total").await;
    browser
        .fill(
            "[data-form] [data-option=as] input",
            "quantity * unit_price * (1 - discount)",
        )
        .await;
    from_menu(browser, 3, "Sort ascending").await;

    browser.see("[data-balance] .state.good").await;
    browser.fill("[data-name]", "Clean orders").await;
    browser.click("[data-save]").await;
    browser.see("[data-run] input[name=recipe]:not([value=''])").await;

    // Opened again, the form of a step shows what was saved.
    browser.page.refresh().await.expect("the builder again");
    browser.click("[data-steps] li:last-child .label").await;
    browser.see("[data-form] .pair option[value=region]:checked").await;
    browser.see("[data-balance] .state.good").await;
}

/// Opens the menu of a column in the preview and takes the step whose title begins so.
pub(crate) async fn from_menu(browser: &Browser, column: usize, title: &str) {
    browser.click(&format!("#grid .colhead[data-column='{column}']")).await;
    browser.see(".columnmenu [role=menuitem]").await;
    let script = "for (const it of document.querySelectorAll('.columnmenu [role=menuitem]')) if (it.textContent.startsWith(arguments[0])) { it.click(); return true; } return false;";
    let found = browser
        .page
        .execute(script, vec![title.into()])
        .await
        .expect("a script");
    assert_eq!(found, true, "the menu offers {title:?}");
}

/// Rows and bar on the page only ever grow, and with many rows they are seen to.
async fn watch_progress(browser: &Browser) {
    browser.see(".runstate").await;
    let script = "const done = arguments[arguments.length - 1];
        const seen = [];
        const look = () => {
            const state = document.querySelector('.runstate');
            const figure = [...state.querySelectorAll('.figures div')].find((it) => it.textContent.startsWith('Rows'));
            if (!figure) return done(seen);
            const rows = Number(figure.querySelector('dd').textContent.replace(/[^0-9]/g, ''));
            const bar = state.querySelector('progress').value;
            if (seen.at(-1)?.[0] !== rows || seen.at(-1)?.[1] !== bar) seen.push([rows, bar]);
            requestAnimationFrame(look);
        };
        look();";
    let timeouts = fantoccini::wd::TimeoutConfiguration::new(Some(Duration::from_secs(120)), None, None);
    browser.page.update_timeouts(timeouts).await.expect("a longer time");
    let seen = browser.page.execute_async(script, vec![]).await.expect("the run ends");
    let seen: Vec<(u64, u64)> = serde_json::from_value(seen).expect("numbers");
    println!("rows and thousandths on the page: {seen:?}");
    let grows = seen.windows(2).all(|it| it[0].0 <= it[1].0 && it[0].1 <= it[1].1);
    assert!(grows, "progress on the page went back: {seen:?}");
    assert!(rows() < MANY || seen.len() > 3, "the page was not live: {seen:?}");
}

/// The same by hand: no engine, no SQL.
fn expected(orders: &[Vec<String>]) -> Vec<Vec<String>> {
    let number = |row: &[String], column: usize| row[column].parse::<f64>().expect("a number");
    let mut header = orders[0].clone();
    header.push("total".to_owned());
    let mut kept: Vec<Vec<String>> = orders[1..]
        .iter()
        .map(|row| {
            row.iter()
                .cloned()
                .chain(std::iter::repeat(String::new()))
                .take(10)
                .collect::<Vec<_>>()
        })
        .filter(|row| number(row, 5) > 0.0 && row[8] != "cancelled")
        .map(|mut row| {
            let total = number(&row, 5) * number(&row, 6) * (1.0 - number(&row, 7));
            row.push(total.to_string());
            row
        })
        .collect();
    kept.sort_by(|a, b| a[3].cmp(&b[3]));
    kept.insert(0, header);
    kept
}

fn compare(result: &[Vec<String>], expected: &[Vec<String>]) {
    assert_eq!(result.len(), expected.len(), "as many rows");
    for (at, (ours, theirs)) in result.iter().zip(expected).enumerate() {
        assert_eq!(
            ours.len(),
            theirs.len(),
            "as many cells in row {}: {ours:?} {theirs:?}",
            at + 1
        );
        for (one, other) in ours.iter().zip(theirs) {
            let equal = one == other || matches!((one.parse::<f64>(), other.parse::<f64>()), (Ok(x), Ok(y)) if x == y);
            assert!(equal, "row {}: {one:?} instead of {other:?}", at + 1);
        }
    }
}
