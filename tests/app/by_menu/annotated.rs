//! Mistakes before the run, in the grid, and after it, on the user's own sheet as openpyxl reads it.

use std::path::PathBuf;

use serde_json::{Value, json};
use tokio::process::Command;

use super::hand::Hand;
use super::ready::check_an_import;
use super::{begin, nothing_left, somebody};
use crate::test_app::TestApp;

const RED: &str = "FFFFC7CE";
const YELLOW: &str = "FFFFEB9C";

/// The rows of the sample that are wrong, as a person finds them: cell, colour, and a part of what is said.
const MISTAKES: [(&str, &str, &str); 6] = [
    ("D3", RED, "-5"),
    ("B4", RED, "blank"),
    ("A5", RED, "AB1004"),
    ("A6", RED, "row 3"),
    ("E7", RED, "meter"),
    ("C9", YELLOW, "the price looks too high"),
];

/// Row and column from 0 of an address with one letter.
fn place(cell: &str) -> (u64, usize) {
    let (letter, row) = cell.split_at(1);
    (row.parse().expect("a row"), usize::from(letter.as_bytes()[0] - b'A'))
}

/// The cells that the grid marks: number of the row, column, `wrong` or `odd`, what is said, in the order of the rows.
async fn marked(hand: &Hand<'_>) -> Vec<(u64, usize, String, String)> {
    hand.settled().await;
    let script = "return [...document.querySelectorAll('#grid .gridrow')]
        .sort((a, b) => a.getAttribute('aria-rowindex') - b.getAttribute('aria-rowindex'))
        .flatMap((row) => [...row.querySelectorAll('.cell.wrong[data-column], .cell.odd[data-column]')].map((cell) =>
            [Number(row.querySelector('.rownum').textContent), Number(cell.dataset.column), cell.classList.contains('odd') ? 'odd' : 'wrong', cell.title]));";
    let cells = hand.0.page.execute(script, vec![]).await.expect("a script");
    serde_json::from_value(cells).expect("cells")
}

async fn shown_rows(hand: &Hand<'_>) -> Vec<u64> {
    hand.settled().await;
    let script = "return [...document.querySelectorAll('#grid .gridrow .rownum')].map((it) => Number(it.textContent)).sort((a, b) => a - b);";
    let rows = hand.0.page.execute(script, vec![]).await.expect("a script");
    serde_json::from_value(rows).expect("numbers")
}

/// The rules that are broken, with their counts.
async fn counts(hand: &Hand<'_>) -> Vec<String> {
    let script = "return [...document.querySelectorAll('[data-rules] button')].map((it) => it.textContent);";
    let rules = hand.0.page.execute(script, vec![]).await.expect("a script");
    serde_json::from_value(rules).expect("texts")
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_show_in_their_cells_before_the_run_and_are_counted_by_rule() {
    TestApp::run(async |app| {
        let browser = somebody(app).await;
        begin(app, &browser, "b0-check-an-import", &["articles.csv"]).await;
        let hand = Hand(&browser);
        check_an_import(&hand).await;
        hand.to_top().await;
        let found = marked(&hand).await;
        for ((row, column, how, said), (cell, colour, words)) in found.iter().zip(MISTAKES) {
            assert_eq!((*row, *column), place(cell), "{found:?}");
            assert_eq!(how, if colour == RED { "wrong" } else { "odd" }, "{cell}");
            assert!(said.contains(words), "{cell}: {said}");
        }
        assert_eq!(found.len(), MISTAKES.len(), "{found:?}");
        let rules = counts(&hand).await;
        assert_eq!(rules.len(), 6, "{rules:?}");
        assert!(rules.contains(&"1 name: is blank".to_owned()), "{rules:?}");

        assert_eq!(shown_rows(&hand).await.len(), 8);
        hand.choose_in("[data-show]", "wrong").await;
        assert_eq!(
            shown_rows(&hand).await,
            [3, 4, 5, 6, 7, 9],
            "only the rows with mistakes"
        );
        hand.press("//*[@data-rules]", "1 sku: is not unique").await;
        assert_eq!(shown_rows(&hand).await, [6], "only the row that breaks this rule");
        hand.press("//*[@data-rules]", "1 sku: is not unique").await;
        assert_eq!(shown_rows(&hand).await.len(), 8, "all of them again");
        let tally = browser.see("[data-part-option='rejects.policy'] .tally").await;
        assert_eq!(tally.text().await.expect("a text"), "5 of 8 rows are left out.");
        hand.choose_in("[data-part-option='rejects.policy'] select", "keep")
            .await;
        hand.settled().await;
        let tally = browser.see("[data-part-option='rejects.policy'] .tally").await;
        assert_eq!(tally.text().await.expect("a text"), "5 of 8 rows are kept and flagged.");
        browser.close().await;
        nothing_left(app).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_annotated_workbook_has_colours_and_notes_on_the_cells_with_mistakes() {
    TestApp::run(async |app| {
        let browser = somebody(app).await;
        begin(app, &browser, "b0-check-an-import", &["articles.csv"]).await;
        let hand = Hand(&browser);
        check_an_import(&hand).await;
        hand.to_top().await;
        browser.click("[data-run] > summary").await;
        browser.click("[data-run] button.go").await;
        let annotated = "articles-clean-articles-annotated.xlsx";
        browser.click(&format!(".downloads a:has([title='{annotated}'])")).await;
        let bytes = browser.downloaded(annotated).await;
        let path = app.folder.path().join("annotated.xlsx");
        std::fs::write(&path, bytes).expect("it can be written");

        let cells = as_openpyxl_reads(&path).await;
        for (cell, colour, words) in MISTAKES {
            let found = cells
                .iter()
                .find(|it| it["cell"] == cell)
                .unwrap_or_else(|| panic!("{cell}: {cells:?}"));
            assert_eq!(found["colour"], colour, "{cell}");
            let note = found["note"].as_str().unwrap_or_default();
            assert!(note.contains(words), "{cell}: {note}");
            // Behind the others stands the row's sentence, in the same colour and without a note.
            let (row, _) = place(cell);
            let beside = cells
                .iter()
                .find(|it| it["cell"] == format!("G{row}"))
                .expect("`_errors`");
            assert_eq!((&beside["colour"], &beside["note"]), (&json!(colour), &Value::Null));
        }
        assert_eq!(
            cells.len(),
            2 * MISTAKES.len(),
            "nothing else has a colour or a note: {cells:?}"
        );
        browser.close().await;
        nothing_left(app).await;
    })
    .await;
}

/// The cells with a colour or a note, by a reader that has nothing of ours.
async fn as_openpyxl_reads(path: &std::path::Path) -> Vec<Value> {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/app/by_menu/annotated.py");
    let said = Command::new(python()).arg(script).arg(path).output().await;
    let said = said.expect("Python with openpyxl; `.ci/need readers` installs it");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let lines = String::from_utf8(said.stdout).expect("text");
    lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// The Python that `.ci/need readers` makes.
fn python() -> PathBuf {
    let given = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let home = || given("HOME").unwrap_or_default().join(".cache");
    let cache =
        given("SHEETMILL_CACHE").unwrap_or_else(|| given("XDG_CACHE_HOME").unwrap_or_else(home).join("sheetmill"));
    cache.join("readers/bin/python")
}
