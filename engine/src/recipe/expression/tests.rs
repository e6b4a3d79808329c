//! Expressions on small tables, and what is said about those that are none.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray};

use super::*;
use crate::recipe::plan::cells::iso_date;
use crate::recipe::plan::chunk::Chunk;
use crate::sheets::CellKind;
use crate::sheets::view::{CellView, ColumnView};
use crate::tables::ColumnKind;
use crate::tables::mixed::MixedBuilder;

fn columns() -> Vec<Column> {
    let column = |name: &str, kind| Column::made(name, kind);
    vec![
        column("q", ColumnKind::Integer),
        column("unit price", ColumnKind::Decimal),
        column("status", ColumnKind::Text),
        column("day", ColumnKind::Date),
        column("paid", ColumnKind::Boolean),
        column("any", ColumnKind::Mixed),
        column("empty", ColumnKind::Blank),
        column("Städte", ColumnKind::Text),
    ]
}

/// Four rows; the third is blank but for zeros.
fn chunk() -> Chunk {
    let cell = |kind, number, text| CellView {
        kind,
        number,
        text,
        format: None,
    };
    let mut any = MixedBuilder::default();
    any.push(&cell(CellKind::Number, 5.0, ""), 0, None);
    any.push(&cell(CellKind::Text, 0.0, "n/a"), 0, None);
    any.push(&cell(CellKind::Blank, 0.0, ""), 0, None);
    any.push(&cell(CellKind::Text, 0.0, "7"), 0, None);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![Some(2), Some(-3), Some(0), Some(10)])),
        Arc::new(Float64Array::from(vec![Some(1.5), None, Some(0.0), Some(0.1)])),
        Arc::new(StringArray::from(vec![
            Some("shipped"),
            Some("Open"),
            None,
            Some("can't"),
        ])),
        Arc::new(Date32Array::from(vec![
            iso_date("2024-01-31"),
            iso_date("2024-03-01"),
            None,
            iso_date("1999-12-31"),
        ])),
        Arc::new(BooleanArray::from(vec![Some(true), Some(false), None, Some(true)])),
        any.finish(),
        Arc::new(StringArray::from(vec![None::<&str>; 4])),
        Arc::new(StringArray::from(vec!["Köln", "Gent", "Łódź", ""])),
    ];
    Chunk {
        columns,
        sources: vec![2, 3, 4, 5].into(),
        origins: vec![1, 2, 3, 4].into(),
        changed: None,
        flags: None,
    }
}

/// The values as texts, `-` for a blank, `!` for a row that is rejected.
fn values(text: &str) -> Vec<String> {
    let program = value(text, &columns()).unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
    let outcome = program
        .evaluate(&chunk())
        .unwrap_or_else(|error| panic!("{text}: {error}"));
    let view = ColumnView::of(&outcome.values).unwrap_or_else(|error| panic!("{text}: {error}"));
    (0..4)
        .map(|row| {
            if outcome.failures.iter().any(|failure| failure.position == row as u32) {
                return "!".to_owned();
            }
            let cell = view.cell(row);
            if cell.kind == CellKind::Blank {
                "-".to_owned()
            } else {
                cell.plain(None).into_owned()
            }
        })
        .collect()
}

fn fault(text: &str) -> Fault {
    value(text, &columns()).map(|_| ()).expect_err(text)
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn expressions_give_what_a_spreadsheet_user_expects() {
    for (text, wanted) in [
        ("q + 1", ["3", "-2", "1", "11"]),
        ("q * \"unit price\"", ["3", "-", "0", "1"]),
        ("q / 4", ["0.5", "-0.75", "0", "2.5"]),
        ("7 % q", ["1", "1", "!", "7"]),
        ("1 / q", ["0.5", "-0.3333333333333333", "!", "0.1"]),
        (
            "case when q <> 0 then 1 / q else 0 end",
            ["0.5", "-0.3333333333333333", "0", "0.1"],
        ),
        ("if(q = 0, 0, 10 / q)", ["5", "-3.3333333333333335", "0", "1"]),
        ("q <> 0 and 1 / q > 0", ["TRUE", "FALSE", "FALSE", "TRUE"]),
        ("q = 0 or 1 / q > 0", ["TRUE", "FALSE", "TRUE", "TRUE"]),
        (
            "coalesce(`unit price`, 1 / q)",
            ["1.5", "-0.3333333333333333", "0", "0.1"],
        ),
        (
            "coalesce(1 / nullif(q, 0), 9)",
            ["0.5", "-0.3333333333333333", "9", "0.1"],
        ),
        ("status <> 'shipped'", ["FALSE", "TRUE", "TRUE", "TRUE"]),
        ("status = 'shipped'", ["TRUE", "FALSE", "-", "FALSE"]),
        ("status not in ('shipped', 'Open')", ["FALSE", "FALSE", "TRUE", "TRUE"]),
        ("status in ('shipped', null)", ["TRUE", "FALSE", "TRUE", "FALSE"]),
        ("status is null", ["FALSE", "FALSE", "TRUE", "FALSE"]),
        ("status like '%p%'", ["TRUE", "TRUE", "-", "FALSE"]),
        ("status ilike 'OPEN'", ["FALSE", "TRUE", "-", "FALSE"]),
        ("q between 0 and 2", ["TRUE", "FALSE", "TRUE", "FALSE"]),
        ("not paid", ["FALSE", "TRUE", "-", "FALSE"]),
        ("status || ':' || q", ["shipped:2", "Open:-3", ":0", "can't:10"]),
        ("upper(status)", ["SHIPPED", "OPEN", "-", "CAN'T"]),
        ("length(Städte)", ["4", "4", "4", "0"]),
        ("left(Städte, 2)", ["Kö", "Ge", "Łó", "-"]),
        ("substr(status, 2, 3)", ["hip", "pen", "-", "an'"]),
        ("replace(status, 'p', 'P')", ["shiPPed", "OPen", "-", "can't"]),
        (
            "regexp_replace(status, '[a-d]', '_')",
            ["shippe_", "Open", "-", "__n't"],
        ),
        ("regexp_like(status, '^[A-Z]')", ["FALSE", "TRUE", "-", "FALSE"]),
        ("split_part(status, 'i', 1)", ["sh", "Open", "-", "can't"]),
        ("strpos(status, 'p')", ["4", "2", "-", "0"]),
        ("lpad(text(q), 4, '0')", ["0002", "00-3", "0000", "0010"]),
        ("lpad('a', \"unit price\" * 2)", ["  a", "-", "-", "-"]),
        ("rpad('a', \"unit price\" * 2) || '.'", ["a  .", ".", ".", "."]),
        ("substr('abc', \"unit price\" * 2)", ["c", "-", "abc", "abc"]),
        ("split_part('x', ',', \"unit price\")", ["x", "-", "x", "x"]),
        ("initcap('ΣΑΣ e\u{301}A o''neil')", ["Σας E\u{301}a O'Neil"; 4]),
        ("round(q / 4)", ["1", "-1", "0", "3"]),
        ("trunc(-273.15, 2)", ["-273.15"; 4]),
        ("trunc(1e308, q)", ["1E+308"; 4]),
        ("round(1.005, 2)", ["1.01", "1.01", "1.01", "1.01"]),
        ("abs(q) + floor(1.9) + ceil(0.1)", ["4", "5", "2", "12"]),
        ("sqrt(q)", ["1.4142135623730951", "!", "0", "3.1622776601683795"]),
        (
            "ln(q + 3)",
            ["1.6094379124341003", "!", "1.0986122886681098", "2.5649493574615367"],
        ),
        ("power(10, q * 100)", ["1E+200", "1E-300", "1", "!"]),
        ("1e308 * q", ["!", "!", "0", "!"]),
        ("greatest(q, 1)", ["2", "1", "1", "10"]),
        ("day + 1", ["2024-02-01", "2024-03-02", "-", "2000-01-01"]),
        ("day - date '2024-01-01'", ["30", "60", "-", "-8767"]),
        ("day >= '2024-02-01'", ["FALSE", "TRUE", "-", "FALSE"]),
        ("year(day) * 100 + month(day)", ["202401", "202403", "-", "199912"]),
        ("weekday(day)", ["3", "5", "-", "5"]),
        (
            "date_trunc('month', day)",
            ["2024-01-01", "2024-03-01", "-", "1999-12-01"],
        ),
        (
            "date_trunc('quarter', day)",
            ["2024-01-01", "2024-01-01", "-", "1999-10-01"],
        ),
        (
            "date_trunc('week', day)",
            ["2024-01-29", "2024-02-26", "-", "1999-12-27"],
        ),
        ("date_trunc('year', date '9999-12-31')", ["9999-01-01"; 4]),
        ("date(2024, 1, q)", ["2024-01-02", "!", "!", "2024-01-10"]),
        ("number(status)", ["!", "!", "-", "!"]),
        ("try_cast(status as double)", ["-", "-", "-", "-"]),
        ("any", ["5", "n/a", "-", "7"]),
        ("any + 1", ["6", "!", "-", "8"]),
        ("any = 5", ["TRUE", "FALSE", "-", "FALSE"]),
        ("any <> 'n/a'", ["TRUE", "FALSE", "TRUE", "TRUE"]),
        ("empty > 5", ["-", "-", "-", "-"]),
        ("coalesce(empty, 5) + 1", ["6", "6", "6", "6"]),
        ("- q - -1", ["-1", "4", "1", "-9"]),
        ("cast(q as text) || '%'", ["2%", "-3%", "0%", "10%"]),
    ] {
        assert_eq!(values(text), wanted, "{text}");
    }
}

#[test]
fn a_rejection_says_the_column_the_value_and_why() {
    let outcome = value("any * 2", &columns())
        .expect("an expression")
        .evaluate(&chunk())
        .expect("values");
    assert_eq!(outcome.failures.len(), 1);
    let failure = &outcome.failures[0];
    assert_eq!(
        (failure.position, failure.column, failure.value.as_str()),
        (1, Some(5), "n/a")
    );
    assert_eq!(failure.message, "`n/a` is not a number");
}

#[test]
fn faults_are_told_in_words_with_a_place() {
    for (text, span, words) in [
        ("", None, "empty"),
        ("q +", Some((3, 4)), "ends too early"),
        ("q + * 2", Some((4, 5)), "`*` is not expected here"),
        ("q 2", Some((2, 3)), "is an operator or a quote missing"),
        ("status = 'x", Some((9, 10)), "not closed"),
        ("quantiy > 0", Some((0, 7)), "There is no column `quantiy`"),
        ("Status = 'x'", Some((0, 6)), "Did you mean `status`?"),
        ("städte = 'x'", Some((0, 6)), "Did you mean `Städte`?"),
        (
            "status + 1",
            Some((0, 6)),
            "`status` holds text, and a number is needed here. Put a `convert` step before",
        ),
        ("status > 5", Some((9, 10)), "a number"),
        ("q = '5'", Some((4, 7)), "numbers have no quotes"),
        ("day > '31/01/2024'", Some((6, 18)), "write it as '2024-01-31'"),
        ("sum(q)", Some((0, 3)), "Totals belong into a `group` step"),
        ("uper(status)", Some((0, 4)), "Did you mean `upper`?"),
        ("left(status)", None, "`left` takes 2 arguments, not 1"),
        ("(select 1)", None, "query"),
        ("exists (select 1)", None, "query"),
        ("row_number() over ()", None, "over"),
        ("orders.q", Some((0, 6)), "another table"),
        ("q; drop table x", Some((1, 2)), "not a query"),
        ("regexp_like(status, '[')", None, "regular expression"),
        ("case when q then 1 end", None, "true or false is needed"),
        ("now()", None, "There is no function `now`"),
        ("random()", None, "There is no function `random`"),
        ("__row", None, "There is no column"),
        ("p", None, "There is no column"),
        ("i0", None, "There is no column"),
    ] {
        let fault = fault(text);
        assert!(fault.message.contains(words), "{text:?} says {fault:?}");
        assert!(
            !fault.message.contains("__row ") && !fault.message.contains("DataFusion"),
            "{fault:?}"
        );
        if let Some(span) = span {
            assert_eq!(fault.span.map(|span| span.0), Some(span.0), "{text:?}: {fault:?}");
        }
    }
    assert!(condition("q + 1", &columns()).is_err_and(|fault| fault.message.contains("A condition is true or false")));
}

#[test]
fn deep_and_long_expressions_do_no_harm() {
    assert!(fault(&"(".repeat(3000)).message.len() > 10);
    assert!(
        fault(&format!("q{}", " + q".repeat(900)))
            .message
            .contains("too many parts")
    );
    assert!(
        fault(&format!("q{}", "+q".repeat(1_999)))
            .message
            .contains("too many parts")
    );
    assert!(fault(&"q + ".repeat(5000)).message.contains("too long"));
    assert!(fault(&format!("{}q", "not ".repeat(900))).message.len() > 10);
}

#[test]
fn totals_may_be_combined_and_use_the_groups_columns() {
    let parts = |text: &str| totals(text, &columns(), &[2]);
    let ratio = parts("sum(q) / count(*) + sum(q)").expect("totals");
    assert_eq!(ratio.aggregates.len(), 2, "the same total is made once");
    assert!(ratio.bare().is_none());
    assert_eq!(
        parts("count(distinct any)").expect("a total").kind(),
        ColumnKind::Integer
    );
    assert_eq!(parts("max(day)").expect("a total").kind(), ColumnKind::Date);
    assert!(parts("upper(status) || max(day)").is_ok());
    assert!(parts("q").is_err_and(|fault| fault.message.contains("many values in a group")));
    assert!(parts("sum(sum(q))").is_err());
    assert!(parts("sum(status)").is_err_and(|fault| fault.message.contains("`status` holds text")));
    assert!(parts("sum(distinct q)").is_err());
    assert!(parts("sum(*)").is_err());
}
