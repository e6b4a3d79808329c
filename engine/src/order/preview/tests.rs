//! Previews of rows that are not the first ones, and what a process keeps between them.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};

use crate::order::recipe_tests::{Fallible, orders, process};
use crate::order::{
    AnswerRow, Message, Order, PreviewOrder, PreviewRows, RowFate, RowsAnswer, TableFiles, Warmth, execute_warm,
};
use crate::recipe::document::Recipe;
use crate::recipe::plan::tests::make_table;

const BY_ROW: &str = "trim, {filter: {keep: \"status <> 'cancelled'\"}}, {compute: {column: each, as: price / quantity}}, \
                      {validate: [{column: id, max: 600, severity: warning}]}";

fn steps(more: &str) -> String {
    format!("steps: [{BY_ROW}{more}]")
}

/// The messages of one preview of up to so many rows.
fn messages(
    warmth: &mut Warmth,
    folder: &Path,
    text: &str,
    show: PreviewRows,
    (rows, count_all): (usize, bool),
) -> Vec<Message> {
    let scratch = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let recipe = Recipe::parse(text).unwrap_or_else(|problems| panic!("{problems:?}"));
    let order = PreviewOrder {
        table: TableFiles {
            folder: folder.to_owned(),
        },
        steps: recipe.steps.len(),
        recipe,
        references: Default::default(),
        mapping: Default::default(),
        rows,
        show,
        count_all,
        scratch: scratch.path().to_owned(),
        memory: 64 << 20,
    };
    let mut messages = Vec::new();
    execute_warm(Order::Preview(order), warmth, &mut |message| messages.push(message));
    messages
}

fn preview_by(
    warmth: &mut Warmth,
    folder: &Path,
    text: &str,
    show: PreviewRows,
    how: (usize, bool),
) -> Fallible<RowsAnswer> {
    let messages = messages(warmth, folder, text, show, how);
    let answer = messages.iter().find_map(|message| match message {
        Message::Preview(answer) => answer.rows.clone(),
        _ => None,
    });
    answer.ok_or_else(|| format!("{messages:?}").into())
}

fn preview(folder: &Path, text: &str, show: PreviewRows, how: (usize, bool)) -> Fallible<RowsAnswer> {
    preview_by(&mut Warmth::default(), folder, text, show, how)
}

fn is_wrong(row: &&AnswerRow) -> bool {
    matches!(&row.fate, RowFate::Out { how, .. } if how == "rejected") || !row.findings.is_empty()
}

#[test]
fn random_rows_become_what_they_become_among_all_rows_and_are_the_same_for_a_seed() -> Fallible {
    let folder = tempfile::tempdir()?;
    make_table(folder.path(), &orders(900), 100)?;
    for more in [
        "",
        ", {running_total: {column: so far, of: each}}",
        ", {deduplicate: {by: [quantity, status], keep: first}}",
    ] {
        let text = steps(more);
        let all = preview(folder.path(), &text, PreviewRows::First, (1000, false))?;
        assert_eq!(all.rows.len(), 900);
        let random = |seed| preview(folder.path(), &text, PreviewRows::Random { seed }, (60, true));
        let (one, other) = (random(1)?, random(2)?);
        assert!(one.rows.len() >= 40, "{} rows{more}", one.rows.len());
        assert_ne!(one.rows, other.rows);
        assert_eq!(one, random(1)?);
        for row in one.rows.iter().chain(&other.rows) {
            assert!(all.rows.contains(row), "{row:?}{more}");
        }
        assert!(
            one.rows.is_sorted_by_key(|row| row.row),
            "in the order of the sheet{more}"
        );
        let beyond = one.rows.iter().filter(|row| row.row > 450).count();
        assert!(
            (one.rows.len() / 4..one.rows.len()).contains(&beyond),
            "of the whole sheet{more}"
        );
        let counted = preview(folder.path(), &text, PreviewRows::First, (10, true))?;
        assert_eq!((one.total, &one.ledger), (counted.total, &counted.ledger));
    }
    Ok(())
}

#[test]
fn random_rows_of_a_sorted_table_are_any_of_them() -> Fallible {
    let folder = tempfile::tempdir()?;
    make_table(folder.path(), &orders(3000), 1000)?;
    let text = steps(", {sort: {by: [{column: each, order: descending}]}}");
    let answer = preview(folder.path(), &text, PreviewRows::Random { seed: 3 }, (50, true))?;
    let kept: Vec<&AnswerRow> = answer.rows.iter().filter(|row| row.fate == RowFate::Kept).collect();
    assert_eq!(kept.len(), 50);
    let each = |row: &AnswerRow| row.cells[5].text.parse::<f64>();
    let each = kept.iter().map(|row| each(row)).collect::<Result<Vec<_>, _>>()?;
    assert!(each.is_sorted_by(|one, next| one >= next), "{each:?}");
    assert!(answer.rows.len() > 55, "some that were taken out too");
    Ok(())
}

#[test]
fn rows_with_which_something_is_wrong_are_found_in_order_whatever_the_steps_need() -> Fallible {
    let folder = tempfile::tempdir()?;
    make_table(folder.path(), &orders(900), 100)?;
    for more in ["", ", {number_rows: {column: n}}", ", {sort: {by: [id]}}"] {
        let text = steps(more);
        let all = preview(folder.path(), &text, PreviewRows::First, (1000, false))?;
        let mut wrong: Vec<&AnswerRow> = all.rows.iter().filter(is_wrong).collect();
        wrong.sort_by_key(|row| row.row);
        assert!(
            wrong
                .iter()
                .any(|row| row.findings.iter().any(|it| it.message.contains("600")))
                && wrong.len() > 200,
            "{}",
            wrong.len()
        );
        let found = preview(folder.path(), &text, PreviewRows::Wrong, (500, true))?;
        let mut sorted: Vec<&AnswerRow> = found.rows.iter().collect();
        sorted.sort_by_key(|row| row.row);
        assert_eq!(sorted, wrong, "{more}");
        let few = preview(folder.path(), &text, PreviewRows::Wrong, (7, false))?;
        assert!(
            few.rows.len() >= 7 && few.rows.iter().all(|row| is_wrong(&row)),
            "{few:?}"
        );
    }
    Ok(())
}

#[test]
fn a_row_far_down_is_found_when_all_are_counted_and_it_is_said_how_far_was_searched_before() -> Fallible {
    let folder = tempfile::tempdir()?;
    let numbers = Int64Array::from_iter_values(0..40_000);
    let names = StringArray::from_iter((0..40_000).map(|n| (n != 35_000).then_some("a")));
    let columns: [(&str, ArrayRef); 2] = [("id", Arc::new(numbers)), ("name", Arc::new(names))];
    make_table(folder.path(), &columns, 10_000)?;
    let text = "steps: [{validate: [{column: name, required: true}]}]";
    let soon = preview(folder.path(), text, PreviewRows::Wrong, (200, false))?;
    assert_eq!((soon.rows.len(), soon.searched, soon.total), (0, Some(32_768), None));
    let whole = preview(folder.path(), text, PreviewRows::Wrong, (200, true))?;
    assert_eq!((whole.rows.len(), whole.searched, whole.total), (1, None, Some(39_999)));
    assert_eq!(whole.rows[0].row, 35_002);
    assert_eq!(whole.ledger[1].rejected, 1);
    Ok(())
}

#[test]
fn counts_are_those_of_a_run_although_fewer_columns_are_read() -> Fallible {
    let table = orders(3000);
    let folder = tempfile::tempdir()?;
    make_table(folder.path(), &table, 1000)?;
    for more in [
        "",
        ", {rename: {price: cost}}, {drop: {columns: [day]}}, {sort: {by: [each]}}",
        ", {case: {columns: [status], to: upper}}, {combine: {columns: [status, id], into: both}}, {select: {columns: [id]}}",
        ", {convert: {column: status, to: integer, otherwise: reject}}",
        ", {deduplicate: {by: [status, quantity], keep: last}}, {filter: {keep: id > 2990}}",
        ", {group: {by: [status], totals: {rows: 'count(*)'}}}, {filter: {keep: rows > 3}}",
        ", {split: {column: status, separator: p, into: [one, two], extra: reject}}, {drop: {columns: [one, two]}}",
        ", {validate: [{column: quantity, unique: true}, {where: each < 9, message: much, severity: warning}]}",
        ", {unpivot: {columns: [quantity, price], names: n, values: v}}, {fill: {columns: [n], direction: down}}",
    ] {
        let text = steps(more);
        let counted = preview(folder.path(), &text, PreviewRows::First, (10, true))?;
        let ran = process(&table, &format!("{text}\noutput: {{format: csv}}"), 2, 64 << 20)?;
        let Message::Done(report) = ran.last() else {
            panic!("{:?}", ran.last())
        };
        assert_eq!(counted.ledger, report.ledger, "{more}");
        assert_eq!(counted.total, Some(report.rows_out), "{more}");
    }
    Ok(())
}

#[test]
fn rows_that_were_shown_are_not_read_again_after_an_edit() -> Fallible {
    let folder = tempfile::tempdir()?;
    make_table(folder.path(), &orders(900), 100)?;
    let mut warmth = Warmth::default();
    let ways = [PreviewRows::First, PreviewRows::Random { seed: 5 }];
    let mut shown = |text: &str| {
        ways.clone()
            .map(|which| preview_by(&mut warmth, folder.path(), text, which, (50, false)))
    };
    let edited = steps(", {filter: {keep: id % 2 = 0}}");
    let fresh = ways
        .clone()
        .map(|which| preview(folder.path(), &edited, which, (50, false)));
    assert!(shown(&steps("")).iter().all(Result::is_ok));
    for entry in std::fs::read_dir(folder.path())? {
        std::fs::remove_file(entry?.path())?;
    }
    for (kept, fresh) in shown(&edited).into_iter().zip(fresh) {
        assert_eq!(kept?, fresh?);
    }
    Ok(())
}

#[test]
fn an_order_that_nobody_waits_for_ends_and_the_next_one_is_answered() -> Fallible {
    let folder = tempfile::tempdir()?;
    make_table(folder.path(), &orders(900), 100)?;
    let mut warmth = Warmth::default();
    warmth.stop().ask();
    let ended = messages(&mut warmth, folder.path(), &steps(""), PreviewRows::First, (10, true));
    assert!(
        matches!(&ended[..], [Message::Failed { code, .. }] if code == "given_up"),
        "{ended:?}"
    );
    warmth.stop().renew();
    assert_eq!(
        preview_by(&mut warmth, folder.path(), &steps(""), PreviewRows::First, (10, true))?
            .rows
            .len(),
        10
    );
    Ok(())
}

#[test]
fn sorted_rows_that_were_shown_are_kept_for_who_counts_next_and_for_nobody_else() -> Fallible {
    let folder = tempfile::tempdir()?;
    make_table(folder.path(), &orders(900), 100)?;
    let mut warmth = Warmth::default();
    let sorted = |by: &str| steps(&format!(", {{sort: {{by: [{by}]}}}}"));
    for by in ["price", "id", "quantity"] {
        let text = sorted(by);
        let shown = preview_by(&mut warmth, folder.path(), &text, PreviewRows::First, (20, false))?;
        let counted = preview_by(&mut warmth, folder.path(), &text, PreviewRows::First, (20, true))?;
        assert_eq!(counted.rows, shown.rows, "{by}");
        assert_eq!(
            counted,
            preview(folder.path(), &text, PreviewRows::First, (20, true))?,
            "{by}"
        );
        let more = preview_by(&mut warmth, folder.path(), &text, PreviewRows::First, (30, true))?;
        assert_eq!(
            more,
            preview(folder.path(), &text, PreviewRows::First, (30, true))?,
            "{by}"
        );
    }
    Ok(())
}
