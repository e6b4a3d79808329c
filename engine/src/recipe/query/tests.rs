//! What queries are refused for, in which words and where, and which columns they give.

use super::*;
use crate::tables::ColumnKind;

fn given(name: &str, columns: &[(&str, ColumnKind)], rows: Option<u64>) -> Given {
    let columns: Vec<Column> = columns.iter().map(|(name, kind)| Column::made(name, *kind)).collect();
    Given {
        name: name.to_owned(),
        rows,
        source: Arc::new(Empty(schema(&columns))),
        columns,
    }
}

fn tables() -> Vec<Given> {
    use ColumnKind::{Boolean, Date, DateTime, Decimal, Integer, Mixed, Text, Time};
    let data = [
        ("region", Text),
        ("quantity", Integer),
        ("unit price", Decimal),
        ("day", Date),
        ("at", DateTime),
        ("hour", Time),
        ("sold", Boolean),
        ("what", Mixed),
        ("Städte", Text),
    ];
    vec![
        given(DATA, &data, None),
        given(
            "prices",
            &[("sku", Text), ("price", Decimal), ("region", Text)],
            Some(5000),
        ),
        given("few", &[("rate", Decimal)], Some(3)),
    ]
}

fn fault(text: &str) -> Fault {
    match compile(text, &tables(), None) {
        Ok(query) => panic!("{text}: {:?}", query.columns),
        Err(fault) => fault,
    }
}

fn columns(text: &str) -> Vec<(String, ColumnKind)> {
    let query = compile(text, &tables(), None).unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
    query
        .columns
        .into_iter()
        .map(|column| (column.name, column.kind))
        .collect()
}

#[test]
fn what_is_no_reading_of_known_tables_is_refused_in_words() {
    for (text, words) in [
        ("", "is empty"),
        ("DELETE FROM data", "only reads"),
        ("INSERT INTO data VALUES (1)", "only reads"),
        ("UPDATE data SET quantity = 1", "only reads"),
        ("CREATE TABLE x AS SELECT 1", "only reads"),
        ("DROP TABLE data", "only reads"),
        ("COPY data TO 'x.csv'", "only reads"),
        ("SET a = 1", "only reads"),
        ("EXPLAIN SELECT 1", "only reads"),
        ("SHOW TABLES", "only reads"),
        ("SELECT 1; SELECT 2", "several queries"),
        ("SELECT * INTO x FROM data", "only reads"),
        ("WITH x AS (DELETE FROM data RETURNING *) SELECT * FROM x", "only reads"),
        ("SELECT * FROM 'x.csv'", "There is no table `x.csv`"),
        ("SELECT * FROM \"https://example.org/x.csv\"", "There is no table"),
        ("SELECT * FROM information_schema.tables", "have one part"),
        ("SELECT * FROM generate_series(1, 1000000000)", "A query reads `data`"),
        ("SELECT * FROM unnest([1, 2])", "A query reads `data`"),
        ("SELECT * FROM data TABLESAMPLE (10)", "A query reads `data`"),
        ("SELECT * FROM dta", "There is no table `dta`. Did you mean `data`?"),
        ("SELECT * FROM Data", "There is no table `Data`. Did you mean `data`?"),
        (
            "WITH RECURSIVE x AS (SELECT 1 UNION ALL SELECT * FROM x) SELECT * FROM x",
            "may never end",
        ),
        ("SELECT * FROM data FOR UPDATE", "ends with ORDER BY and LIMIT"),
        ("SELECT DISTINCT ON (region) * FROM data", "the step deduplicate"),
        ("SELECT random() FROM data", "There is no function `random`"),
        ("SELECT uuid() FROM data", "There is no function `uuid`"),
        ("SELECT now()", "There is no function `now`"),
        ("SELECT current_date", "There is no function `current_date`"),
        ("SELECT current_timestamp", "There is no function `current_timestamp`"),
        ("SELECT version()", "There is no function `version`"),
        (
            "SELECT repeat(region, 1000000) FROM data",
            "There is no function `repeat`",
        ),
        ("SELECT stddev(quantity) FROM data", "There is no function `stddev`"),
        ("SELECT array_agg(region) FROM data", "There is no function `array_agg`"),
        ("SELECT lengt(region) FROM data", "Did you mean `length`?"),
        (
            "SELECT row_number() OVER (ORDER BY region) FROM data",
            "There is no function `row_number`",
        ),
        (
            "SELECT sum(quantity) OVER (ORDER BY region) FROM data",
            "OVER is not for queries",
        ),
        ("SELECT sum(DISTINCT quantity) FROM data", "DISTINCT is for count"),
        ("SELECT $1", "has no value here"),
        ("SELECT [1, 2]", "not for queries"),
        ("SELECT at AT TIME ZONE 'UTC' FROM data", "not for queries"),
        ("SELECT CAST(quantity AS BYTEA) FROM data", "is no type here"),
        ("SELECT region FROM data WHERE region ~ 'x'", "The operator `~`"),
    ] {
        let message = fault(text).message;
        assert!(message.contains(words), "{text}: {message}");
    }
}

/// A query, words of what is said (nothing: it fits, or any do), and the place that is marked.
const MISFITS: &[(&str, &str, Option<&str>)] = &[
    ("SELECT regon FROM data", "Did you mean `region`?", Some("regon")),
    (
        "SELECT region\nFROM data\nWHERE quantty > 1",
        "Did you mean `quantity`?",
        Some("quantty"),
    ),
    ("SELECT Region FROM data", "Did you mean `region`?", Some("Region")),
    ("SELECT städte FROM data", "Did you mean `Städte`?", Some("städte")),
    (
        "SELECT data.pric FROM data",
        "no column `pric` of `data`",
        Some("data.pric"),
    ),
    ("SELECT lengt(region) FROM data", "no function", Some("lengt")),
    ("SELECT * FROM\nprizes", "Did you mean `prices`?", Some("prizes")),
    (
        "SELECT region FROM data JOIN prices ON sku = region",
        "Several tables have a column `region`",
        Some("region"),
    ),
    ("SELECT FROM WHERE", "", None),
    ("SELECT region FROM data WHERE", "ends too early", None),
    ("SELECT 'a FROM data", "A quote is opened here", Some("'")),
    ("SELECT region, region FROM data", "two columns called `region`", None),
    (
        "SELECT a.region, b.region FROM data a JOIN data b ON a.day = b.day",
        "two columns called `region`",
        None,
    ),
    (
        "SELECT region + 1 FROM data",
        "`+` needs numbers, and one side is text",
        None,
    ),
    ("SELECT sum(region) FROM data", "`sum` needs numbers, not text", None),
    ("SELECT region, sum(quantity) FROM data", "", None),
    ("SELECT at - INTERVAL '1 day' - at FROM data GROUP BY 1", "", None),
    (
        "SELECT INTERVAL '1 day' AS x FROM data",
        "would hold a length of time",
        None,
    ),
    (
        "SELECT cast('abc' AS bigint) AS x FROM data",
        "cannot be converted",
        None,
    ),
];

#[test]
fn what_does_not_fit_the_tables_is_said_with_its_place_and_the_nearest_name() {
    for (text, words, place) in MISFITS.iter().copied() {
        let Err(fault) = compile(text, &tables(), None) else {
            assert!(words.is_empty(), "{text}");
            continue;
        };
        assert!(fault.message.contains(words), "{text}: {fault:?}");
        if let Some(place) = place {
            let characters: Vec<char> = text.chars().collect();
            let (from, to) = fault.span.unwrap_or_else(|| panic!("{text}: {fault:?}"));
            let at: String = characters[from..to.min(characters.len())].iter().collect();
            assert_eq!(at, place, "{text}: {fault:?}");
        }
    }
}

#[test]
fn joins_that_compare_each_row_with_each_row_are_refused_but_for_a_few_rows() {
    for text in [
        "SELECT day FROM data, prices",
        "SELECT day FROM data CROSS JOIN prices",
        "SELECT day FROM data JOIN prices ON data.\"unit price\" < prices.price",
        "SELECT day FROM data JOIN prices ON sku = data.region OR price = data.\"unit price\"",
        "SELECT day FROM data WHERE EXISTS (SELECT 1 FROM prices WHERE price > \"unit price\")",
        "SELECT a.day FROM data a, data b WHERE a.day < b.day",
    ] {
        let message = fault(text).message;
        assert!(message.contains("compares each row with each row"), "{text}: {message}");
    }
    for text in [
        "SELECT day FROM data, prices WHERE sku = data.region AND price < \"unit price\"",
        "SELECT day, rate FROM data CROSS JOIN few",
        "SELECT day FROM data WHERE \"unit price\" > (SELECT avg(price) FROM prices)",
        "SELECT day FROM data WHERE region IN (SELECT sku FROM prices)",
        "SELECT day FROM data WHERE EXISTS (SELECT 1 FROM prices WHERE sku = data.region)",
    ] {
        columns(text);
    }
}

#[test]
fn columns_after_a_query_are_known_without_a_row() {
    use ColumnKind::{Blank, Boolean, Date, DateTime, Decimal, Integer, Text, Time};
    for (text, wanted) in [
        ("SELECT * FROM few", vec![("rate", Decimal)]),
        (
            "SELECT region, sum(\"unit price\" * quantity) AS revenue, count(*) FROM data GROUP BY region",
            vec![("region", Text), ("revenue", Decimal), ("count(*)", Integer)],
        ),
        (
            "SELECT SUM(quantity), avg(quantity), max(day), quantity / 2 FROM data GROUP BY quantity / 2",
            vec![
                ("SUM(quantity)", Integer),
                ("avg(quantity)", Decimal),
                ("max(day)", Date),
                ("quantity / 2", Decimal),
            ],
        ),
        (
            "SELECT day, at, hour, sold, what, `Städte`, NULL AS x, -quantity AS y FROM data",
            vec![
                ("day", Date),
                ("at", DateTime),
                ("hour", Time),
                ("sold", Boolean),
                ("what", Text),
                ("Städte", Text),
                ("x", Blank),
                ("y", Integer),
            ],
        ),
        (
            "SELECT day - day AS a, at - at AS b, day + 30 AS c, day + INTERVAL '1 month' AS d, substr(region, length(region) - 1) AS e FROM data",
            vec![("a", Integer), ("b", Decimal), ("c", Date), ("d", Date), ("e", Text)],
        ),
        (
            "WITH x AS (SELECT region FROM data UNION SELECT sku FROM prices) SELECT region, extract(year FROM date '2024-01-31') AS y FROM x",
            vec![("region", Text), ("y", Integer)],
        ),
    ] {
        let wanted: Vec<(String, ColumnKind)> =
            wanted.into_iter().map(|(name, kind)| (name.to_owned(), kind)).collect();
        assert_eq!(columns(text), wanted, "{text}");
    }
}

#[test]
fn only_what_is_read_is_needed_and_readings_are_counted() {
    let query = |text: &str| compile(text, &tables(), None).unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
    let once = query("SELECT region, sum(quantity) AS n FROM data GROUP BY region");
    assert_eq!((once.scans, &once.needs[..3]), (1, &[true, true, false][..]));
    assert_eq!(query("SELECT * FROM prices").scans, 0);
    assert_eq!(query("SELECT a.day FROM data a JOIN data b ON a.day = b.day").scans, 2);
    assert_eq!(
        super::tables("WITH x AS (SELECT * FROM b) SELECT * FROM x JOIN data USING (a) JOIN c USING (a)"),
        ["b", "data", "c"]
    );
    assert_eq!(super::tables("no query"), Vec::<String>::new());
}

#[test]
fn a_number_format_stays_with_a_column_that_is_handed_on() {
    let columns = vec![Column {
        format: Some("00000".to_owned()),
        ..Column::made("id", ColumnKind::Integer)
    }];
    let data = Given {
        name: DATA.to_owned(),
        rows: None,
        source: Arc::new(Empty(schema(&columns))),
        columns,
    };
    let text = "SELECT id, id AS number, count(*) AS n, cast(id AS text) AS t, id + 1 AS next FROM data GROUP BY id";
    let query = compile(text, &[data], None).unwrap_or_else(|fault| panic!("{fault:?}"));
    let formats: Vec<Option<&str>> = query.columns.iter().map(|column| column.format.as_deref()).collect();
    assert_eq!(formats, [Some("00000"), Some("00000"), None, None, None]);
}

#[test]
fn deep_and_long_queries_neither_crash_nor_pass() {
    let chain = format!("SELECT region FROM data WHERE {}", vec!["quantity=1"; 500].join(" or "));
    let parentheses = format!("SELECT {}1{}", "(".repeat(2000), ")".repeat(2000));
    let queries = format!("{}SELECT 1 AS a{}", "SELECT a FROM (".repeat(300), ") AS x".repeat(300));
    for text in [chain, parentheses, queries] {
        let message = fault(&text).message;
        assert!(message.contains("too many parts"), "{message}");
    }
    assert!(
        fault(&format!("SELECT '{}'", "a".repeat(9000)))
            .message
            .contains("too long")
    );
    columns(&format!(
        "SELECT region FROM data WHERE {}",
        vec!["quantity=1"; 60].join(" or ")
    ));
}
