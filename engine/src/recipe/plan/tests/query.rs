//! Queries, against the same in plain Rust.

use super::*;
use arrow::array::{Date32Array, TimestampMillisecondArray};

fn texts(cells: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(cells.to_vec()))
}

fn numbers(cells: &[Option<i64>]) -> ArrayRef {
    Arc::new(Int64Array::from(cells.to_vec()))
}

fn ask_with(columns: &[(&str, ArrayRef)], query: &str, split: Split, references: &References) -> Fallible<Made> {
    let recipe = serde_json::json!({"steps": [{"sql": query}]}).to_string();
    carry_out_with(columns, &recipe, split, references)
}

fn ask(columns: &[(&str, ArrayRef)], query: &str) -> Fallible<String> {
    let made = ask_with(columns, query, WHOLE, &References::default())?;
    let rows: Vec<String> = made.rows.iter().map(|row| row.join(" ")).collect();
    Ok(rows.join(" | "))
}

fn number(number: Option<f64>) -> String {
    number.map_or_else(|| "-".into(), |number| format!("n:{}", number + 0.0))
}

fn cell(text: Option<&str>) -> String {
    text.map_or_else(|| "-".into(), |text| format!("t:{text}"))
}

/// The exact sum, whose rounding has tests of its own, in another order than that of the rows.
fn exact(numbers: &[f64]) -> f64 {
    let mut sum = crate::recipe::plan::exact_sum::ExactSum::default();
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.iter().for_each(|number| sum.add(*number));
    sum.value()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn groups_and_totals_are_those_of_plain_rust_at_any_split(rows in nasty_rows(), split in any_split()) {
        let query = "SELECT name, count(*) AS n, count(quantity) AS q, sum(quantity) AS s, sum(\"unit price\") AS p, \
                     avg(\"unit price\") AS a, min(\"unit price\") AS lo, max(name) AS hi FROM data GROUP BY name";
        let made = ask_with(&columns_of(&rows), query, split, &References::default()).expect("it goes through");
        let mut groups: BTreeMap<(bool, Option<String>), Vec<&Row>> = BTreeMap::new();
        for row in &rows {
            groups.entry((row.name.is_none(), row.name.clone())).or_default().push(row);
        }
        let wanted: Vec<Vec<String>> = groups.iter().map(|((_, name), rows)| {
            let quantities: Vec<i64> = rows.iter().filter_map(|row| row.quantity).collect();
            let prices: Vec<f64> = rows.iter().filter_map(|row| row.price).collect();
            let some = |it: f64| (!prices.is_empty()).then_some(it);
            vec![
                cell(name.as_deref()),
                number(Some(rows.len() as f64)),
                number(Some(quantities.len() as f64)),
                number((!quantities.is_empty()).then(|| quantities.iter().sum::<i64>() as f64)),
                number(some(exact(&prices))),
                number(some(exact(&prices) / prices.len() as f64)),
                number(some(prices.iter().copied().fold(f64::INFINITY, f64::min))),
                cell(name.as_deref()),
            ]
        }).collect();
        prop_assert_eq!(&made.rows, &wanted);
        let account = made.tally.accounts[1];
        prop_assert_eq!((account.came.rows, account.aggregated.rows), (rows.len() as u64, rows.len() as u64));
        prop_assert_eq!((account.added.rows, account.kept.rows), (wanted.len() as u64, wanted.len() as u64));
    }

    #[test]
    fn a_query_that_chooses_rows_keeps_their_order(rows in nasty_rows(), split in any_split()) {
        let query = "SELECT name, quantity * \"unit price\" AS total, quantity / 2 AS half FROM data WHERE name <> 'a'";
        let made = ask_with(&columns_of(&rows), query, split, &References::default()).expect("it goes through");
        let wanted: Vec<Vec<String>> = rows.iter().filter(|row| row.name.as_deref() != Some("a")).map(|row| vec![
            cell(row.name.as_deref()),
            number(row.quantity.zip(row.price).map(|(quantity, price)| quantity as f64 * price)),
            number(row.quantity.map(|quantity| quantity as f64 / 2.0)),
        ]).collect();
        prop_assert_eq!(&made.rows, &wanted);
    }

    #[test]
    fn ties_are_broken_by_the_other_columns_and_blanks_come_last(rows in nasty_rows(), split in any_split()) {
        let query = "SELECT name, quantity, \"unit price\" FROM data ORDER BY quantity DESC LIMIT 50";
        let made = ask_with(&columns_of(&rows), query, split, &References::default()).expect("it goes through");
        let mut sorted: Vec<&Row> = rows.iter().collect();
        let last = |a: bool, b: bool| a.cmp(&b);
        sorted.sort_by(|a, b| {
            last(a.quantity.is_none(), b.quantity.is_none())
                .then(b.quantity.cmp(&a.quantity))
                .then(last(a.name.is_none(), b.name.is_none()))
                .then(a.name.cmp(&b.name))
                .then(last(a.price.is_none(), b.price.is_none()))
                .then((a.price.unwrap_or(0.0) + 0.0).total_cmp(&(b.price.unwrap_or(0.0) + 0.0)))
        });
        let wanted: Vec<Vec<String>> = sorted.iter().take(50).map(|row| vec![
            cell(row.name.as_deref()), number(row.quantity.map(|it| it as f64)), number(row.price),
        ]).collect();
        prop_assert_eq!(&made.rows, &wanted);
    }

    #[test]
    fn a_join_with_itself_finds_all_pairs(rows in proptest::collection::vec((0..6_i64, 0..4_i64), 0..60), split in any_split()) {
        let keys: Vec<Option<i64>> = rows.iter().map(|(key, _)| (*key > 0).then_some(*key)).collect();
        let values: Vec<Option<i64>> = rows.iter().map(|(_, value)| Some(*value)).collect();
        let columns = [("k", numbers(&keys)), ("v", numbers(&values))];
        let query = "SELECT a.k, a.v, b.v AS w FROM data a JOIN data b ON a.k = b.k AND a.v < b.v";
        let made = ask_with(&columns, query, split, &References::default()).expect("it goes through");
        let mut wanted = Vec::new();
        for (key, value) in &rows {
            for (other, larger) in &rows {
                if key == other && *key > 0 && value < larger {
                    wanted.push((*key, *value, *larger));
                }
            }
        }
        wanted.sort_unstable();
        let wanted: Vec<Vec<String>> = wanted.iter().map(|(k, v, w)| vec![format!("n:{k}"), format!("n:{v}"), format!("n:{w}")]).collect();
        prop_assert_eq!(&made.rows, &wanted);
        prop_assert_eq!(made.tally.accounts[1].came.rows, rows.len() as u64);
    }
}

#[test]
fn arithmetic_does_not_wrap_truncate_or_stop() -> Fallible {
    let columns = [
        ("a", numbers(&[Some(7), None, Some(-7)])),
        ("z", numbers(&[Some(0), Some(1), Some(2)])),
    ];
    assert_eq!(
        ask(
            &columns,
            "SELECT a / 2 AS h, a / z AS d, a % z AS r, -a AS m, a + z AS s FROM data"
        )?,
        "n:3.5 - - n:-7 n:7 | - - - - - | n:-3.5 n:-3.5 n:-1 n:7 n:-5"
    );
    let huge = [("a", numbers(&[Some(i64::MAX), Some(1)]))];
    let error = |query: &str| ask(&huge, query).expect_err(query).to_string();
    assert!(error("SELECT a + 1 AS x FROM data").contains("is too large"));
    assert!(error("SELECT a * a AS x FROM data").contains("is too large"));
    assert!(error("SELECT -a - 2 AS x FROM data").contains("is too large"));
    assert!(error("SELECT sqrt(0 - a) AS x FROM data").contains("cannot be worked out"));
    assert!(error("SELECT sum(a) AS x FROM data").contains("too large for a whole number"));
    assert_eq!(
        ask(&huge, "SELECT sum(cast(a AS double)) AS x FROM data")?,
        format!("n:{}", 2_f64.powi(63))
    );
    assert_eq!(
        ask(&huge, "SELECT a / 0 AS x, a * 1e300 * 1e300 AS y FROM data LIMIT 1")?,
        "- -"
    );
    Ok(())
}

#[test]
fn texts_stay_texts_and_conversions_say_what_they_cannot() -> Fallible {
    let columns = [(
        "t",
        texts(&[Some("00123"), Some("NaN"), Some("-0"), Some("x"), Some(""), None]),
    )];
    assert_eq!(
        ask(&columns, "SELECT t, t || '!' AS u FROM data")?,
        "t:00123 t:00123! | t:NaN t:NaN! | t:-0 t:-0! | t:x t:x! | - t:! | - t:!"
    );
    assert_eq!(
        ask(&columns, "SELECT try_cast(t AS double) AS n FROM data")?,
        "n:123 | - | n:0 | - | - | -"
    );
    let error = ask(&columns, "SELECT cast(t AS bigint) AS n FROM data")
        .expect_err("no number")
        .to_string();
    assert!(
        error.contains("cannot be converted") && error.contains("try_cast"),
        "{error}"
    );
    Ok(())
}

#[test]
fn dates_before_1970_are_dates() -> Fallible {
    let days: ArrayRef = Arc::new(Date32Array::from(vec![Some(-25_567), Some(-1), None, Some(0)]));
    let moments: ArrayRef = Arc::new(TimestampMillisecondArray::from(vec![
        Some(-1),
        Some(0),
        None,
        Some(43_200_000),
    ]));
    let columns = [("d", days), ("m", moments)];
    assert_eq!(
        ask(
            &columns,
            "SELECT extract(year FROM d) AS y, d - date '1970-01-01' AS n, m - timestamp '1970-01-01 00:00:00' AS f FROM data WHERE d IS NOT NULL"
        )?,
        format!(
            "n:1900 n:-25567 n:{} | n:1969 n:-1 n:0 | n:1970 n:0 n:0.5",
            -1.0 / 86_400_000.0
        )
    );
    assert_eq!(
        ask(&columns, "SELECT d - 1 AS e FROM data WHERE d < date '1950-01-01'")?,
        "-",
        "before 1900"
    );
    Ok(())
}

#[test]
fn other_tables_are_joined_and_read_alone() -> Fallible {
    let folder = tempfile::tempdir()?;
    let prices = [
        ("sku", texts(&[Some("b"), Some("a"), Some("a")])),
        ("price", numbers(&[Some(3), Some(1), Some(2)])),
    ];
    let table = make_table(folder.path(), &prices, 2)?;
    let references = References::new(BTreeMap::from([("prices".to_owned(), table)]));
    let ours = [("sku", texts(&[Some("a"), None, Some("c")]))];
    let shown = |query: &str| -> Fallible<String> {
        let made = ask_with(&ours, query, WHOLE, &references)?;
        let account = made.tally.accounts[1];
        assert_eq!((account.came.rows, account.aggregated.rows), (3, 3), "{query}");
        assert_eq!(account.added.rows, made.rows.len() as u64);
        Ok(made
            .rows
            .iter()
            .map(|row| row.join(" "))
            .collect::<Vec<_>>()
            .join(" | "))
    };
    assert_eq!(
        shown("SELECT d.sku, price FROM data d LEFT JOIN prices p ON d.sku = p.sku")?,
        "t:a n:1 | t:a n:2 | t:c - | - -"
    );
    assert_eq!(shown("SELECT * FROM prices")?, "t:b n:3 | t:a n:1 | t:a n:2");
    assert_eq!(shown("SELECT sku FROM data LIMIT 1")?, "t:a");
    assert_eq!(
        shown("SELECT sku FROM data UNION SELECT sku FROM prices")?,
        "t:a | t:b | t:c | -"
    );
    assert_eq!(shown("SELECT 1 AS one")?, "n:1");
    assert_eq!(
        shown("SELECT sku FROM data WHERE sku NOT IN (SELECT sku FROM prices)")?,
        "t:c"
    );
    assert_eq!(
        shown("SELECT max(price) AS m, (SELECT count(*) FROM data) AS n FROM prices")?,
        "n:3 n:3"
    );
    Ok(())
}

/// Rows whose groups and texts are larger than the least share of memory, 32 MiB.
fn large(rows: usize) -> Vec<(&'static str, ArrayRef)> {
    let scattered = |row: usize| (row.wrapping_mul(2_654_435_761)) % rows;
    let names: StringArray = (0..rows)
        .map(|row| Some(format!("{:0>120}", scattered(row) / 2)))
        .collect();
    let prices: Float64Array = (0..rows).map(|row| Some(0.1 * (row % 1000) as f64 - 7.3)).collect();
    vec![("name", Arc::new(names)), ("price", Arc::new(prices))]
}

#[test]
fn groups_and_sorts_beyond_memory_give_the_same() -> Fallible {
    let columns = large(300_000);
    for query in [
        "SELECT name, sum(price) AS s, avg(price) AS a, count(*) AS n FROM data GROUP BY name",
        "SELECT name, price FROM data ORDER BY price",
        "SELECT DISTINCT name, price FROM data",
    ] {
        let made = |memory: u64, jobs: usize| -> Fallible<Vec<Vec<String>>> {
            let folder = tempfile::tempdir()?;
            let table = make_table(folder.path(), &columns, 50_000)?;
            let recipe = Recipe::parse(&serde_json::json!({"steps": [{"sql": query}]}).to_string())
                .map_err(|problems| format!("{problems:?}"))?;
            let plan = Plan::new(&recipe, table.meta(), 1, &References::default())
                .map_err(|problems| format!("{problems:?}"))?;
            let split = Split {
                jobs,
                window_rows: 20_000,
                ..WHOLE
            };
            Ok(carry_out_within(plan, table, folder.path(), split, memory)?.rows)
        };
        let wanted = made(2 << 30, 1)?;
        assert!(wanted.len() >= 150_000 - 1, "{query}: {}", wanted.len());
        for jobs in [1, 2, 8] {
            assert!(made(0, jobs)? == wanted, "{query} with {jobs} jobs");
        }
    }
    Ok(())
}

#[test]
fn a_join_that_does_not_fit_says_so() -> Fallible {
    let columns = large(300_000);
    let folder = tempfile::tempdir()?;
    let table = make_table(folder.path(), &columns, 50_000)?;
    let query = "SELECT a.price FROM data a JOIN data b ON a.name = b.name";
    let recipe = Recipe::parse(&serde_json::json!({"steps": [{"sql": query}]}).to_string())
        .map_err(|problems| format!("{problems:?}"))?;
    let plan =
        Plan::new(&recipe, table.meta(), 1, &References::default()).map_err(|problems| format!("{problems:?}"))?;
    let error = carry_out_within(plan, table, folder.path(), WHOLE, 0)
        .expect_err("too much")
        .to_string();
    assert!(error.contains("needs more memory than it may use"), "{error}");
    Ok(())
}
