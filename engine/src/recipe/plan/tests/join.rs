//! Looking up in another table, against the same in plain Rust.

use arrow::array::{Date32Array, TimestampMillisecondArray};

use super::*;
use crate::sheets::view::CellView;
use crate::tables::mixed::MixedBuilder;

/// Another table with these columns, called `prices`, and the folder that holds it.
pub(super) fn prices(columns: &[(&str, ArrayRef)]) -> Fallible<(tempfile::TempDir, References)> {
    let folder = tempfile::tempdir()?;
    let table = make_table(folder.path(), columns, 3)?;
    Ok((folder, References::new(BTreeMap::from([("prices".to_owned(), table)]))))
}

pub(super) fn texts(cells: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(cells.to_vec()))
}

pub(super) fn numbers(cells: &[Option<i64>]) -> ArrayRef {
    Arc::new(Int64Array::from(cells.to_vec()))
}

pub(super) fn shown(made: &Made) -> String {
    let rows: Vec<String> = made.rows.iter().map(|row| row.join(" ")).collect();
    rows.join(" | ")
}

fn example() -> Fallible<(tempfile::TempDir, References)> {
    prices(&[
        ("code", texts(&[Some("a"), Some("b"), Some("b"), None])),
        ("price", numbers(&[Some(1), Some(2), Some(3), Some(4)])),
        ("sku", texts(&[Some("x"), None, Some("z"), None])),
    ])
}

#[test]
fn each_kind_keeps_its_rows() -> Fallible {
    let (_folder, references) = example()?;
    let ours = [
        ("sku", texts(&[Some("b"), Some("a"), None, Some("c")])),
        ("n", numbers(&[Some(1), Some(2), Some(3), Some(4)])),
    ];
    let made = |options: &str| {
        let recipe = format!("steps: [{{join: {{with: prices, on: {{sku: code}}, {options}}}}}]");
        carry_out_with(&ours, &recipe, WHOLE, &references)
    };
    let left = made("kind: left")?;
    assert_eq!(
        shown(&left),
        "t:b n:1 n:2 - | t:b n:1 n:3 t:z | t:a n:2 n:1 t:x | - n:3 - - | t:c n:4 - -"
    );
    let account = left.tally.accounts[1];
    assert_eq!((account.came.rows, account.added.rows, account.kept.rows), (4, 1, 5));
    assert_eq!(
        shown(&made("kind: inner, columns: [price]")?),
        "t:b n:1 n:2 | t:b n:1 n:3 | t:a n:2 n:1"
    );
    assert_eq!(
        shown(&made("kind: inner, columns: [price], several: first")?),
        "t:b n:1 n:2 | t:a n:2 n:1"
    );
    assert_eq!(shown(&made("kind: semi")?), "t:b n:1 | t:a n:2");
    let anti = made("kind: anti")?;
    assert_eq!(shown(&anti), "- n:3 | t:c n:4");
    assert_eq!(anti.tally.accounts[1].filtered.rows, 2);
    let rejected = made("columns: [price], several: reject")?;
    assert_eq!(shown(&rejected), "t:a n:2 n:1 | - n:3 - | t:c n:4 -");
    assert_eq!(
        (rejected.tally.accounts[1].rejected.rows, rejected.tally.rejects.rows()),
        (1, 1)
    );
    Ok(())
}

#[test]
fn names_that_are_taken_say_where_they_are_from() -> Fallible {
    let (folder, references) = example()?;
    let table = make_table(
        folder.path(),
        &[("sku", texts(&[Some("a")])), ("price", numbers(&[Some(9)]))],
        1,
    )?;
    let recipe = Recipe::parse("steps: [{join: {with: prices, on: {sku: code}}}]").map_err(|p| format!("{p:?}"))?;
    let plan = Plan::new(&recipe, table.meta(), 1, &references).map_err(|p| format!("{p:?}"))?;
    let names: Vec<_> = plan.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["sku", "price", "price (prices)", "sku (prices)"]);
    Ok(())
}

#[test]
fn what_is_missing_is_named_with_the_nearest_one() -> Fallible {
    let (folder, references) = example()?;
    let table = make_table(folder.path(), &[("sku", texts(&[Some("a")]))], 1)?;
    let problem = |options: &str| -> Fallible<String> {
        let text = format!("steps: [{{join: {{{options}}}}}]");
        let recipe = Recipe::parse(&text).map_err(|p| format!("{p:?}"))?;
        let problems = Plan::new(&recipe, table.meta(), 1, &references)
            .err()
            .unwrap_or_default();
        Ok(problems
            .iter()
            .map(|it| it.message.clone())
            .collect::<Vec<_>>()
            .join(" "))
    };
    let wrong = problem("with: price, on: [sku]")?;
    assert!(
        wrong.contains("no other table `price`. Did you mean `prices`?"),
        "{wrong}"
    );
    let wrong = problem("with: prices, on: {skus: code}")?;
    assert!(
        wrong.contains("`skus`") && wrong.contains("Did you mean `sku`?"),
        "{wrong}"
    );
    let wrong = problem("with: prices, on: {sku: cod}, columns: [prise]")?;
    assert!(
        wrong.contains("In `prices`: There is no column `cod`") && wrong.contains("`price`"),
        "{wrong}"
    );
    Ok(())
}

#[test]
fn numbers_and_texts_meet_by_what_they_show() -> Fallible {
    let mut mixed = MixedBuilder::default();
    for (kind, number, text) in [
        (CellKind::Number, 12.0, ""),
        (CellKind::Text, 0.0, "12"),
        (CellKind::Text, 0.0, "x"),
    ] {
        let cell = CellView {
            kind,
            number,
            text,
            format: Some(0),
        };
        mixed.push(&cell, 0, None);
    }
    let (_folder, references) = prices(&[("id", mixed.finish()), ("n", numbers(&[Some(1), Some(2), Some(3)]))])?;
    let recipe = "steps: [{join: {with: prices, on: [id], kind: inner}}]";
    let by_number = carry_out_with(&[("id", numbers(&[Some(12), Some(13)]))], recipe, WHOLE, &references)?;
    assert_eq!(shown(&by_number), "n:12 n:1 | n:12 n:2");
    let by_text = carry_out_with(&[("id", texts(&[Some("x"), Some("012")]))], recipe, WHOLE, &references)?;
    assert_eq!(shown(&by_text), "t:x n:3");
    let decimals: ArrayRef = Arc::new(Float64Array::from(vec![2.0, -0.0, 2.5]));
    let (_folder, references) = prices(&[("id", decimals)])?;
    let recipe = "steps: [{join: {with: prices, on: [id], kind: semi}}]";
    let whole = carry_out_with(
        &[("id", numbers(&[Some(0), Some(1), Some(2)]))],
        recipe,
        WHOLE,
        &references,
    )?;
    assert_eq!(shown(&whole), "n:0 | n:2");
    Ok(())
}

#[test]
fn a_day_meets_its_midnight() -> Fallible {
    const DAY_MS: i64 = 86_400_000;
    let moments = TimestampMillisecondArray::from(vec![Some(19_000 * DAY_MS), Some(19_000 * DAY_MS + 1000), None]);
    let (_folder, references) = prices(&[("day", Arc::new(moments)), ("n", numbers(&[Some(1), Some(2), Some(3)]))])?;
    let days: ArrayRef = Arc::new(Date32Array::from(vec![Some(19_000), Some(19_001), None]));
    let ours = [("day", days), ("id", numbers(&[Some(7), Some(8), Some(9)]))];
    let joined = carry_out_with(
        &ours,
        "steps: [{join: {with: prices, on: [day], kind: inner}}, {select: [id, n]}]",
        WHOLE,
        &references,
    )?;
    assert_eq!(shown(&joined), "n:7 n:1");
    let ours = [
        ("id", numbers(&[Some(7)])),
        ("day", Arc::new(Date32Array::from(vec![19_000])) as ArrayRef),
    ];
    let (_folder, references) = prices(&[
        ("id", numbers(&[Some(7)])),
        ("day", Arc::new(TimestampMillisecondArray::from(vec![19_000 * DAY_MS]))),
    ])?;
    let recipe = "steps: [{compare: {with: prices, by: [id], keep: [same]}}, {select: [id]}]";
    assert_eq!(shown(&carry_out_with(&ours, recipe, WHOLE, &references)?), "n:7");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn rows_join_as_in_a_plain_loop(rows in nasty_rows(), others in nasty_rows(), split in any_split(), kind in select(vec!["left", "inner"])) {
        let names = |rows: &[Row]| -> ArrayRef { Arc::new(rows.iter().map(|row| row.name.clone()).collect::<StringArray>()) };
        let quantities = |rows: &[Row]| -> ArrayRef { Arc::new(rows.iter().map(|row| row.quantity).collect::<Int64Array>()) };
        let fail = |error: Box<dyn std::error::Error>| TestCaseError::fail(error.to_string());
        let (_folder, references) = prices(&[("name", names(&others)), ("theirs", quantities(&others))]).map_err(fail)?;
        let recipe = format!("steps: [{{join: {{with: prices, on: [name], kind: {kind}}}}}]");
        let ours = [("name", names(&rows)), ("ours", quantities(&rows))];
        let made = carry_out_with(&ours, &recipe, split, &references).map_err(fail)?;
        let text = |text: &Option<String>| text.as_ref().map_or("-".to_owned(), |text| format!("t:{text}"));
        let number = |number: Option<i64>| number.map_or("-".to_owned(), |number| format!("n:{number}"));
        let mut expected = Vec::new();
        for row in &rows {
            let matches: Vec<&Row> = others.iter().filter(|other| row.name.is_some() && other.name == row.name).collect();
            if matches.is_empty() && kind == "left" {
                expected.push(vec![text(&row.name), number(row.quantity), "-".to_owned()]);
            }
            for other in matches {
                expected.push(vec![text(&row.name), number(row.quantity), number(other.quantity)]);
            }
        }
        prop_assert_eq!(made.rows, expected);
    }
}
