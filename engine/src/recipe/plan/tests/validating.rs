//! `validate` against the same in plain Rust: all that is wrong with a row, in the order of rows, however the work is split. And `mask`.

use std::collections::HashMap;

use super::*;

/// `row rule severity` of everything that was found.
fn found(tally: Tally) -> Fallible<Vec<String>> {
    let mut lines = Vec::new();
    tally.rejects.finish(|batch| {
        let columns = batch.columns().iter().map(words).collect::<Fallible<Vec<_>>>();
        let columns = columns.unwrap_or_default();
        let word = |column: usize, row: usize| {
            columns[column][row]
                .split_once(':')
                .map_or("", |(_, word)| word)
                .to_owned()
        };
        lines.extend((0..batch.num_rows()).map(|row| format!("{} {} {}", word(2, row), word(7, row), word(9, row))));
        Ok(())
    })?;
    Ok(lines)
}

const RULES: &str = "- {column: name, required: true, length: {max: 3}}\n      - {column: quantity, min: 0, max: 100}\n      \
                     - {column: name, unique: true}\n      - {unique: [name, unit price]}\n      \
                     - {column: name, one_of: [a, b, A, '12', n/a], severity: warning}\n      \
                     - {where: '`unit price` < 100', severity: warning}";

/// What is wrong with each row, by the rules in plain words.
fn expected(rows: &[Row]) -> Vec<Vec<&'static str>> {
    let (mut names, mut pairs) = (HashMap::new(), HashMap::new());
    rows.iter()
        .map(|row| {
            let mut wrong = Vec::new();
            let blank = row.name.as_deref().is_none_or(|name| name.trim().is_empty());
            if blank {
                wrong.push("required error");
            } else if row.name.as_deref().is_some_and(|name| name.chars().count() > 3) {
                wrong.push("length error");
            }
            match row.quantity {
                Some(quantity) if quantity < 0 => wrong.push("min error"),
                Some(quantity) if quantity > 100 => wrong.push("max error"),
                _ => {}
            }
            let name = row.name.clone().filter(|name| !name.is_empty());
            if name.is_some() && names.insert(name.clone(), ()).is_some() {
                wrong.push("unique error");
            }
            let price = row.price.map(|price| (price + 0.0).to_bits());
            if (name.is_some() || price.is_some()) && pairs.insert((name.clone(), price), ()).is_some() {
                wrong.push("unique error");
            }
            if !blank && !matches!(name.as_deref(), Some("a" | "b" | "A" | "12" | "n/a")) {
                wrong.push("one_of warning");
            }
            if row.price.is_some_and(|price| price >= 100.0) {
                wrong.push("where warning");
            }
            wrong
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn all_that_is_wrong_with_a_row_is_found(rows in nasty_rows(), split in any_split()) {
        let wrong = expected(&rows);
        let stays: Vec<_> = rows.iter().zip(&wrong)
            .filter(|(_, wrong)| !wrong.iter().any(|it| it.ends_with("error")))
            .map(|(row, _)| as_words(row)).collect();
        let listed: Vec<String> = wrong.iter().enumerate()
            .flat_map(|(row, wrong)| wrong.iter().map(move |it| format!("{} {it}", row + 2))).collect();
        let recipe = format!("steps:\n  - validate:\n      {RULES}\n");
        let tally = same(&rows, split, &recipe, &stays)?;
        let account = tally.accounts[1];
        prop_assert_eq!(account.rejected.rows as usize, rows.len() - stays.len());
        let warned = wrong.iter().filter(|wrong| !wrong.is_empty() && !wrong.iter().any(|it| it.ends_with("error")));
        prop_assert_eq!(account.warned as usize, warned.count());
        prop_assert_eq!(found(tally).map_err(|error| TestCaseError::fail(error.to_string()))?, listed);
        let keeping = format!("{recipe}output: {{rejects: {{policy: keep}}}}\n");
        let all: Vec<_> = rows.iter().map(as_words).collect();
        let tally = same(&rows, split, &keeping, &all)?;
        prop_assert_eq!(tally.accounts[1].flagged as usize, rows.len() - stays.len());
    }
}

/// The messages about one column of texts under one rule.
fn messages(texts: &[Option<&str>], rule: &str) -> Fallible<Vec<String>> {
    let array: StringArray = texts.iter().copied().collect();
    let columns: Vec<(&str, ArrayRef)> = vec![("code", Arc::new(array))];
    let recipe = format!("steps: [{{validate: [{{column: code, {rule}}}]}}]");
    let made = carry_out(&columns, &recipe, WHOLE)?;
    let mut messages = Vec::new();
    made.tally.rejects.finish(|batch| {
        let column = words(&batch.columns()[8]).unwrap_or_default();
        messages.extend(column.iter().map(|word| word[2..].to_owned()));
        Ok(())
    })?;
    Ok(messages)
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn what_is_wrong_is_said_in_words_of_spreadsheets() -> Fallible {
    let long = "x".repeat(100);
    let shown = format!("`{}…` has 100 characters, more than 80", "x".repeat(60));
    for (texts, rule, wanted) in [
        (
            vec![Some("a"), None, Some(" \u{a0}")],
            "required: true",
            vec!["the cell is blank", "the cell is blank"],
        ),
        (
            vec![Some("n/a"), Some("1.5"), Some("7")],
            "type: integer",
            vec!["`n/a` is not a whole number", "`1.5` is not a whole number"],
        ),
        (
            vec![Some("-1"), Some("2"), Some("x"), None],
            "min: 0",
            vec!["`-1` is less than 0", "`x` is not a number"],
        ),
        (
            vec![Some("2024-12-31 23:00"), Some("2025-01-01"), Some("1")],
            "max: 2024-12-31",
            vec!["`2025-01-01` is after 2024-12-31", "`1` is not a date with a time"],
        ),
        (
            vec![Some("09:00"), Some("18:30")],
            "max: '17:00'",
            vec!["`18:30` is after 17:00"],
        ),
        (
            vec![Some("ab"), Some("abc")],
            "length: 3",
            vec!["`ab` has 2 characters, not 3"],
        ),
        (
            vec![Some("é"), Some("abc")],
            "length: {min: 2}",
            vec!["`é` has 1 character, fewer than 2"],
        ),
        (vec![Some(&long)], "length: {max: 80}", vec![&shown]),
        (
            vec![Some("AB-1"), Some("AB-1 "), Some("xAB-1")],
            "pattern: '[A-Z]{2}-[0-9]'",
            vec![
                "`AB-1 ` does not match the pattern [A-Z]{2}-[0-9]",
                "`xAB-1` does not match the pattern [A-Z]{2}-[0-9]",
            ],
        ),
        (
            vec![Some("shiped"), Some("shipped")],
            "one_of: [shipped, pending]",
            vec!["`shiped` is not one of shipped, pending; perhaps shipped is meant"],
        ),
        (
            vec![Some("A"), Some("B"), Some("A"), Some("a"), Some("A")],
            "unique: true",
            vec!["`A` is already in row 2", "`A` is already in row 2"],
        ),
        (vec![Some("A"), None, None], "unique: true", vec![]),
        (vec![None], "required: true, message: Ask Ann", vec!["Ask Ann"]),
        (
            vec![Some("5"), Some("x")],
            "type: decimal, min: 9",
            vec!["`5` is less than 9", "`x` is not a number"],
        ),
    ] {
        assert_eq!(messages(&texts, rule)?, wanted, "{rule}");
    }
    Ok(())
}

#[test]
fn a_condition_names_what_it_was_given_and_lets_blanks_pass() -> Fallible {
    let rows = [
        (Some(3), Some(120.0)),
        (None, Some(1.0)),
        (Some(0), Some(5.0)),
        (Some(1), Some(5.0)),
    ];
    let rows: Vec<Row> = rows
        .into_iter()
        .map(|(quantity, price)| Row {
            name: None,
            quantity,
            price,
        })
        .collect();
    let recipe = "steps: [{validate: [{where: '`unit price` / quantity < 30', message: too dear}]}]";
    let made = carry_out(&columns_of(&rows), recipe, WHOLE)?;
    assert_eq!(made.rows.len(), 2, "{:?}", made.rows);
    let mut seen = Vec::new();
    made.tally.rejects.finish(|batch| {
        let columns: Vec<Vec<String>> = batch.columns().iter().map(|it| words(it).unwrap_or_default()).collect();
        seen.extend((0..batch.num_rows()).map(|row| [3, 5, 7, 8].map(|column| columns[column][row].clone())));
        Ok(())
    })?;
    assert_eq!(seen[0], ["-", "t:quantity 3, unit price 120", "t:where", "t:too dear"]);
    assert_eq!(
        seen[1][2..],
        ["t:where", "t:too dear"],
        "a division by zero is no answer"
    );
    Ok(())
}

#[test]
fn a_million_rejects_are_all_listed_within_bounds() -> Fallible {
    let count = 300_000_i64;
    let ids: Int64Array = (0..count).map(|row| Some(row % 1000)).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![("id", Arc::new(ids))];
    let rules = "{column: id, max: -1}, {column: id, min: 5000, severity: warning}, {column: id, unique: true}, \
                 {column: id, type: text}";
    let split = Split {
        part_rows: 100_000,
        window_rows: 65_536,
        jobs: 2,
        held: Some(10_000),
    };
    let folder = tempfile::tempdir()?;
    let table = make_table(folder.path(), &columns, split.part_rows)?;
    let recipe = Recipe::parse(&format!("steps: [{{validate: [{rules}]}}]")).map_err(|it| format!("{it:?}"))?;
    let plan = Plan::new(&recipe, table.meta(), 1, &References::default()).map_err(|it| format!("{it:?}"))?;
    let made = carry_out_plan(plan, table, folder.path(), split)?;
    let (rows, errors) = (made.tally.rejects.rows(), made.tally.rejects.errors());
    assert_eq!((rows, errors), (1_199_000, 899_000));
    let listed = found(made.tally)?;
    assert_eq!(listed.len(), 1_199_000);
    assert_eq!(listed.last().map(String::as_str), Some("300001 min warning"));
    Ok(())
}

#[test]
fn the_list_of_rejects_is_the_same_however_much_memory_there_is() -> Fallible {
    let count = 40_000_i64;
    let ids: Int64Array = (0..count).map(|row| Some(row % 20_011)).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![("id", Arc::new(ids))];
    let odd = "{validate: [{where: 'id % 7 <> 0'}]}";
    let great = "{validate: [{column: id, max: 19000}]}";
    for between in [
        "{validate: [{column: id, unique: true}]}",
        "{deduplicate: {by: [id]}}",
        "{number_rows: {column: n}}",
    ] {
        let recipe = format!("steps: [{odd}, {between}, {great}]");
        let listed = |held, window_rows, jobs| -> Fallible<Vec<String>> {
            let split = Split {
                part_rows: 10_000,
                window_rows,
                jobs,
                held,
            };
            let folder = tempfile::tempdir()?;
            let table = make_table(folder.path(), &columns, split.part_rows)?;
            let recipe = Recipe::parse(&recipe).map_err(|it| format!("{it:?}"))?;
            let plan = Plan::new(&recipe, table.meta(), 3, &References::default()).map_err(|it| format!("{it:?}"))?;
            found(carry_out_plan(plan, table, folder.path(), split)?.tally)
        };
        let wanted = listed(None, 1 << 20, 1)?;
        assert!(wanted.len() > 5_000, "{between}: {}", wanted.len());
        for (held, window_rows, jobs) in [(Some(10_000), 1 << 20, 1), (Some(10_000), 3_000, 2), (None, 1_000, 2)] {
            assert!(
                listed(held, window_rows, jobs)? == wanted,
                "{between} with {held:?} and {window_rows}"
            );
        }
    }
    Ok(())
}

#[test]
fn masked_cells_are_texts_and_blanks_stay() -> Fallible {
    let row = |name: Option<&str>, quantity| Row {
        name: name.map(str::to_owned),
        quantity,
        price: None,
    };
    let rows = [
        row(Some("Anna"), Some(12_345)),
        row(None, None),
        row(Some("Anna"), Some(7)),
    ];
    let recipe = "steps: [{mask: {columns: [name], with: hash, salt: s, length: 8}}, {mask: {columns: [quantity], with: last, keep: 2}}]";
    let made = carry_out(&columns_of(&rows), recipe, WHOLE)?;
    assert_eq!(made.rows[0][1], "t:•••45");
    assert_eq!(made.rows[1], ["-", "-", "-"]);
    assert_eq!(made.rows[2][1], "t:•");
    assert_eq!(made.rows[0][0], made.rows[2][0], "equal cells stay equal");
    assert_eq!(made.rows[0][0].len(), 10);
    let redacted = carry_out(
        &columns_of(&rows),
        "steps: [{mask: {columns: [name], with: redact}}]",
        WHOLE,
    )?;
    assert_eq!(redacted.rows[0][..2], ["t:[redacted]", "n:12345"]);
    assert_eq!(redacted.rows[1][0], "-");
    Ok(())
}
