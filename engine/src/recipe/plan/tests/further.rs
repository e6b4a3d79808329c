//! Steps that add rows of another table, against the same in plain Rust.

use super::join::{numbers, prices, shown, texts};
use super::*;

/// The names and quantities of rows, as columns of these names.
fn table_of(rows: &[Row], names: (&'static str, &'static str)) -> Vec<(&'static str, ArrayRef)> {
    let (texts, numbers): (StringArray, Int64Array) = (
        rows.iter().map(|row| row.name.clone()).collect(),
        rows.iter().map(|row| row.quantity).collect(),
    );
    vec![(names.0, Arc::new(texts)), (names.1, Arc::new(numbers))]
}

fn fail(error: Box<dyn std::error::Error>) -> TestCaseError {
    TestCaseError::fail(error.to_string())
}

#[test]
fn rows_of_the_other_table_that_match_nothing_come_last() -> Fallible {
    let (_folder, references) = prices(&[
        ("code", texts(&[Some("x"), Some("a"), None, Some("a"), Some("y")])),
        ("price", numbers(&[Some(1), Some(2), Some(3), Some(4), Some(5)])),
    ])?;
    let ours = [
        ("sku", texts(&[Some("a"), Some("c"), None])),
        ("n", numbers(&[Some(1), Some(2), Some(3)])),
    ];
    let made = |kind: &str| {
        let recipe = format!("steps: [{{join: {{with: prices, on: {{sku: code}}, kind: {kind}}}}}]");
        carry_out_with(&ours, &recipe, WHOLE, &references)
    };
    let left_over = "t:x - n:1 | - - n:3 | t:y - n:5";
    let full = made("full")?;
    assert_eq!(
        shown(&full),
        format!("t:a n:1 n:2 | t:a n:1 n:4 | t:c n:2 - | - n:3 - | {left_over}")
    );
    let account = full.tally.accounts[1];
    assert_eq!((account.came.rows, account.added.rows, account.kept.rows), (3, 4, 7));
    let matches = account.matches.ok_or("no matches")?;
    assert_eq!(
        (matches.none, matches.one, matches.several, matches.left_over),
        (2, 0, 1, Some(3))
    );
    let right = made("right")?;
    assert_eq!(shown(&right), format!("t:a n:1 n:2 | t:a n:1 n:4 | {left_over}"));
    assert_eq!(right.tally.accounts[1].filtered.rows, 2);
    for kind in [
        "left",
        "inner",
        "semi",
        "anti",
        "right, several: first",
        "right, several: reject",
    ] {
        let matches = made(kind)?.tally.accounts[1].matches.ok_or("no matches")?;
        assert_eq!(
            (matches.none, matches.several, matches.left_over),
            (2, 1, Some(3)),
            "{kind}"
        );
    }
    Ok(())
}

#[test]
fn keys_of_other_types_stay_what_they_are() -> Fallible {
    let (_folder, references) = prices(&[("id", texts(&[Some("007"), Some("7")]))])?;
    let recipe = "steps: [{join: {with: prices, on: [id], kind: full}}]";
    let made = carry_out_with(&[("id", numbers(&[Some(7), Some(8)]))], recipe, WHOLE, &references)?;
    assert_eq!(shown(&made), "n:7 | n:8 | t:007");
    let decimals: ArrayRef = Arc::new(Float64Array::from(vec![0.5, 8.0]));
    let (_folder, references) = prices(&[("id", decimals)])?;
    let made = carry_out_with(&[("id", numbers(&[Some(7), Some(8)]))], recipe, WHOLE, &references)?;
    assert_eq!(shown(&made), "n:7 | n:8 | n:0.5");
    Ok(())
}

#[test]
fn a_table_is_put_below_by_the_names_of_its_columns() -> Fallible {
    let (_folder, references) = prices(&[
        ("Price ", texts(&[Some("007")])),
        ("colour", texts(&[Some("red")])),
        ("sku", texts(&[Some("b")])),
        ("code", texts(&[Some("c")])),
    ])?;
    let ours = [
        ("sku", texts(&[Some("a")])),
        ("price", numbers(&[Some(7)])),
        ("n", numbers(&[Some(1)])),
    ];
    let made = |options: &str| -> Fallible<(String, String)> {
        let recipe = format!("steps: [{{append: {{with: prices, {options}}}}}]");
        let made = carry_out_with(&ours, &recipe, WHOLE, &references)?;
        let folder = tempfile::tempdir()?;
        let table = make_table(folder.path(), &ours, 10)?;
        let recipe = Recipe::parse(&recipe).map_err(|problems| format!("{problems:?}"))?;
        let plan = Plan::new(&recipe, table.meta(), 1, &references).map_err(|problems| format!("{problems:?}"))?;
        let names: Vec<&str> = plan.columns.iter().map(|column| column.name.as_str()).collect();
        Ok((names.join(" "), shown(&made)))
    };
    assert_eq!(
        made("others: keep")?,
        (
            "sku price n colour code".to_owned(),
            "t:a n:7 n:1 - - | t:b t:007 - t:red t:c".to_owned()
        )
    );
    assert_eq!(
        made("others: drop, source: from, columns: {code: sku}")?,
        (
            "sku price n from".to_owned(),
            "t:a n:7 n:1 - | t:c t:007 - t:prices".to_owned()
        )
    );
    Ok(())
}

#[test]
fn where_rows_are_from_is_told_by_the_names_of_file_and_table() -> Fallible {
    let (_folder, references) = prices(&[("n", numbers(&[Some(2)]))])?;
    let references = references.for_file("orders.csv");
    let step = "{append: {with: prices, source: from}}";
    let recipe = format!("steps: [{step}, {step}]");
    let made = carry_out_with(&[("n", numbers(&[Some(1)]))], &recipe, WHOLE, &references)?;
    assert_eq!(shown(&made), "n:1 t:orders.csv | n:2 t:prices | n:2 t:prices");
    Ok(())
}

#[test]
fn what_cannot_be_appended_is_said() -> Fallible {
    let (folder, references) = prices(&[("sku", texts(&[Some("b")])), ("code", texts(&[None]))])?;
    let table = make_table(
        folder.path(),
        &[("sku", texts(&[Some("a")])), ("n", numbers(&[None]))],
        1,
    )?;
    for (options, words) in [
        ("columns: {cod: sku}", "In `prices`: There is no column `cod`"),
        ("columns: {code: skuu}", "Did you mean `sku`?"),
        ("columns: {code: sku, sku: sku}", "Two columns are to go into `sku`"),
        ("source: sku", "has a column `sku` already"),
    ] {
        let recipe = format!("steps: [{{append: {{with: prices, {options}}}}}]");
        let recipe = Recipe::parse(&recipe).map_err(|problems| format!("{problems:?}"))?;
        let problems = Plan::new(&recipe, table.meta(), 1, &references).err().ok_or(options)?;
        assert!(problems[0].message.contains(words), "{problems:?}");
    }
    Ok(())
}

#[test]
fn an_older_table_says_what_changed() -> Fallible {
    let decimals: ArrayRef = Arc::new(Float64Array::from(vec![
        Some(1.0),
        Some(2.5),
        None,
        Some(4.0),
        Some(4.0),
    ]));
    let (_folder, references) = prices(&[
        ("id", texts(&[Some("a"), Some("b"), Some("c"), Some("d"), Some("d")])),
        ("price", decimals),
        ("name", texts(&[Some("x"), None, None, None, Some("z")])),
    ])?;
    let ours = [
        (
            "id",
            texts(&[Some("b"), Some("a"), None, Some("n"), Some("a"), Some("d")]),
        ),
        (
            "price",
            numbers(&[Some(3), Some(1), Some(9), Some(9), Some(1), Some(4)]),
        ),
        ("name", texts(&[Some("y"), Some("x"), None, None, Some("x"), None])),
    ];
    let made = |options: &str| {
        let recipe = format!("steps: [{{compare: {{with: prices, by: [id]{options}}}}}]");
        carry_out_with(&ours, &recipe, WHOLE, &references)
    };
    let all = made(", keep: [same, added, removed, changed]")?;
    assert_eq!(
        shown(&all),
        "t:changed t:price, name t:b n:3 n:2.5 t:y - | t:same - t:a n:1 n:1 t:x t:x | \
         t:added - - n:9 - - - | t:added - t:n n:9 - - - | t:removed - t:c - - - -"
    );
    let account = all.tally.accounts[1];
    assert_eq!(
        (account.rejected.rows, account.added.rows, account.filtered.rows),
        (2, 1, 0)
    );
    let default = made("")?;
    assert_eq!((default.rows.len(), default.tally.accounts[1].filtered.rows), (4, 1));
    assert_eq!(
        shown(&made(", columns: [name], keep: [changed]")?),
        "t:changed t:name t:b n:3 t:y -"
    );
    Ok(())
}

#[test]
fn borders_of_windows_and_threads_do_not_matter() -> Fallible {
    const ROWS: i64 = 70_000;
    let key = |at: i64| Some(at * 3 % ROWS);
    let column = |of: &dyn Fn(i64) -> Option<i64>| -> ArrayRef { Arc::new((0..ROWS).map(of).collect::<Int64Array>()) };
    let (_folder, references) = prices(&[
        ("id", column(&|at| key(at).map(|key| key + 1000))),
        ("v", column(&|at| Some(at % 5))),
    ])?;
    let ours = [("id", column(&key)), ("v", column(&|_| Some(0)))];
    for step in [
        "{join: {with: prices, on: [id], kind: full}}",
        "{append: {with: prices}}",
        "{compare: {with: prices, by: [id]}}",
    ] {
        let recipe = format!("steps: [{step}, {{filter: {{keep: \"v is null or v < 4\"}}}}]");
        let mut first: Option<Vec<Vec<String>>> = None;
        for jobs in [1, 2, 8] {
            let split = Split {
                jobs,
                window_rows: 65_536,
                held: None,
                part_rows: 1 << 20,
            };
            let made = carry_out_with(&ours, &recipe, split, &references)?;
            match &first {
                None => first = Some(made.rows),
                Some(first) => assert!(*first == made.rows, "{step} at {jobs}"),
            }
        }
        let rows = first.unwrap_or_default();
        let expected = match step.split(':').next() {
            Some("{join") => 70_000 + 1000,
            Some("{append") => 70_000 + 56_000,
            // Ours below 1000 are added, theirs beyond 69,999 removed, and of 69,000 those with 0 are the same.
            _ => rows.len(),
        };
        assert_eq!(rows.len(), expected, "{step}");
    }
    Ok(())
}

#[test]
fn who_reads_only_the_first_rows_gets_no_others_behind_them() -> Fallible {
    let (_folder, references) = prices(&[("n", numbers(&[Some(7), Some(8), Some(9)]))])?;
    let folder = tempfile::tempdir()?;
    let table = make_table(folder.path(), &[("n", numbers(&[Some(1), Some(2), Some(3)]))], 2)?;
    let recipe = Recipe::parse("steps: [{append: {with: prices}}]").map_err(|problems| format!("{problems:?}"))?;
    for (limit, wanted) in [
        (2, vec!["n:1", "n:2"]),
        (4, vec!["n:1", "n:2", "n:3", "n:7", "n:8", "n:9"]),
    ] {
        let plan = Plan::new(&recipe, table.meta(), 1, &references).map_err(|problems| format!("{problems:?}"))?;
        assert!(plan.streams());
        let resources = Resources {
            scratch: folder.path().to_owned(),
            memory: 64 << 20,
            jobs: 1,
            window_rows: 2,
            limit: Some(limit),
            first: None,
            only: None,
            held: None,
        };
        let work = Work::new(
            plan,
            table.clone(),
            resources,
            Marked::Yes,
            Spool::new("", folder.path()),
        );
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build()?;
        let chunks: Vec<Result<Chunk, PlanError>> = runtime.block_on(async { stages::run(&work).collect().await });
        let mut cells = Vec::new();
        for chunk in chunks {
            cells.extend(words(&chunk?.columns[0])?);
        }
        assert_eq!(cells, wanted);
        ledger::check(&work.take_tally(Spool::new("", folder.path())).accounts)?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn rows_of_both_tables_meet_as_in_a_plain_loop(rows in nasty_rows(), others in nasty_rows(), split in any_split(), kind in select(vec!["right", "full"])) {
        let (_folder, references) = prices(&table_of(&others, ("name", "theirs"))).map_err(fail)?;
        let recipe = format!("steps: [{{join: {{with: prices, on: [name], kind: {kind}}}}}]");
        let made = carry_out_with(&table_of(&rows, ("name", "ours")), &recipe, split, &references).map_err(fail)?;
        let mut expected = Vec::new();
        let alike = |one: &Row, other: &Row| one.name.is_some() && one.name == other.name;
        for row in &rows {
            let matches: Vec<&Row> = others.iter().filter(|other| alike(row, other)).collect();
            if matches.is_empty() && kind == "full" {
                expected.push(vec![text(row.name.as_deref()), whole(row.quantity), whole(None)]);
            }
            for other in matches {
                expected.push(vec![text(row.name.as_deref()), whole(row.quantity), whole(other.quantity)]);
            }
        }
        for other in others.iter().filter(|other| !rows.iter().any(|row| alike(row, other))) {
            expected.push(vec![text(other.name.as_deref()), whole(None), whole(other.quantity)]);
        }
        prop_assert_eq!(made.rows, expected);
    }

    #[test]
    fn tables_are_put_below_each_other_as_in_a_plain_loop(rows in nasty_rows(), others in nasty_rows(), split in any_split()) {
        let (_folder, references) = prices(&table_of(&others, ("unit price", "QUANTITY "))).map_err(fail)?;
        let made = carry_out_with(&columns_of(&rows), "steps: [{append: {with: prices}}]", split, &references).map_err(fail)?;
        let theirs = others.iter().map(|other| vec![text(None), whole(other.quantity), text(other.name.as_deref())]);
        let expected: Vec<Vec<String>> = rows.iter().map(as_words).chain(theirs).collect();
        prop_assert_eq!(made.rows, expected);
    }

    #[test]
    fn tables_compare_as_in_a_plain_loop(rows in nasty_rows(), others in nasty_rows(), split in any_split()) {
        let (_folder, references) = prices(&table_of(&others, ("name", "quantity"))).map_err(fail)?;
        let recipe = "steps: [{compare: {with: prices, by: [name], keep: [added, changed, removed, same]}}]";
        let made = carry_out_with(&table_of(&rows, ("name", "quantity")), recipe, split, &references).map_err(fail)?;
        let mut expected = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            let with_key = |of: &[Row]| of.iter().filter(|it| row.name.is_some() && it.name == row.name).cloned().collect::<Vec<_>>();
            let old = with_key(&others);
            if !with_key(&rows[..at]).is_empty() || old.len() > 1 {
                continue;
            }
            let (change, changed) = match old.first() {
                None => ("t:added", "-"),
                Some(old) if old.quantity == row.quantity => ("t:same", "-"),
                Some(_) => ("t:changed", "t:quantity"),
            };
            let old = old.first().and_then(|old| old.quantity);
            expected.push(vec![change.to_owned(), changed.to_owned(), text(row.name.as_deref()), whole(row.quantity), whole(old)]);
        }
        for other in &others {
            if other.name.is_none() || !rows.iter().any(|row| row.name == other.name) {
                expected.push(vec!["t:removed".to_owned(), "-".to_owned(), text(other.name.as_deref()), whole(None), whole(other.quantity)]);
            }
        }
        prop_assert_eq!(made.rows, expected);
    }
}
