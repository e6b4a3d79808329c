//! What steps that look at rows in order say before anything is done: labels, columns, and what does not fit.

use super::Fallible;
use crate::recipe::columns::{Column, kind_words};
use crate::recipe::document::{Recipe, Step};
use crate::recipe::problem::Problem;
use crate::recipe::references::References;
use crate::tables::ColumnKind;

fn columns() -> Vec<Column> {
    [
        ("id", ColumnKind::Integer),
        ("name", ColumnKind::Text),
        ("total", ColumnKind::Decimal),
        ("day", ColumnKind::Date),
        ("note", ColumnKind::Blank),
    ]
    .map(|(name, kind)| Column::made(name, kind))
    .to_vec()
}

fn step(text: &str) -> Step {
    Recipe::parse(&format!("steps: [{text}]")).expect(text).steps.remove(0)
}

fn after(text: &str) -> String {
    let after = step(text).check(1, &columns(), &References::default()).expect(text);
    let words: Vec<String> = after
        .iter()
        .map(|column| format!("{} {}", column.name, kind_words(column.kind)))
        .collect();
    words.join(", ")
}

fn problem(text: &str) -> Problem {
    step(text)
        .check(3, &columns(), &References::default())
        .expect_err(text)
        .remove(0)
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn labels_are_plain_sentences_and_steps_come_back_from_their_json() -> Fallible {
    for (text, label) in [
        (
            "{fill: {columns: [name, day]}}",
            "Fill blanks in name and day with what stands above",
        ),
        (
            "{fill: {columns: name, direction: up}}",
            "Fill blanks in name with what stands below",
        ),
        ("{fill: {columns: [name], value: n/a}}", "Fill blanks in name with n/a"),
        ("append", "Put the rows of all files together"),
        (
            "{append: {with: old, columns: {code: id}, others: drop, source: from}}",
            "Put the rows of old below",
        ),
        (
            "{compare: {with: old, by: [id, name]}}",
            "Compare with old by id and name",
        ),
        (
            "{compare: {with: old, by: {id: code}, columns: [total], keep: [same, added]}}",
            "Compare total with old by id",
        ),
        (
            "{join: {with: prices, on: [id], kind: full}}",
            "Put rows of prices beside those that match by id, and the others below",
        ),
        ("{number_rows: {column: n}}", "Number rows in n"),
        (
            "{number_rows: {column: n, start: 0, by: [name]}}",
            "Number rows in n from 0 in each name",
        ),
        (
            "{running_total: {column: t, of: total}}",
            "Fill t with the running total of total",
        ),
        (
            "{difference: {column: d, of: day, by: [name]}}",
            "Fill d with the difference of day to the row above in each name",
        ),
        (
            "{rank: {column: r, of: total}}",
            "Fill r with the rank by total, greatest first",
        ),
        (
            "{rank: {column: r, of: total, order: ascending, ties: dense, by: [name]}}",
            "Fill r with the rank by total in each name, smallest first, no rank left out",
        ),
        ("{first: 10}", "Keep the first 10 rows"),
        ("{last: {rows: 1}}", "Keep the last row"),
        ("{sample: {rows: 100}}", "Keep 100 rows at random"),
        (
            "{sample: {share: 10%, seed: 7}}",
            "Keep about 0.1 of the rows at random",
        ),
        (
            "{deduplicate: {by: [name], keep: most_complete, ignore: [case, accents]}}",
            "Keep the most complete of rows with equal name without regard to case and accents",
        ),
        (
            "{unpivot: {columns: [id, total]}}",
            "Turn id and total into rows with column and value",
        ),
        (
            "{unpivot: {keep: [name], names: what, values: cell, blanks: leave_out}}",
            "Turn all columns but name into rows with what and cell",
        ),
        ("blank_rows", "Remove blank rows"),
        (
            "{blank_rows: {columns: [id, name]}}",
            "Remove rows that are blank in id and name",
        ),
        ("blank_columns", "Remove blank columns"),
        (
            "{sort: {by: [{column: name, compare: natural, blanks: first}, id]}}",
            "Sort by name (numbers in text by their value, blanks first), then id",
        ),
        (
            "{pivot: {rows: [name], names: day, columns: [2024-01-31, 2024-02-29], values: total}}",
            "Turn day into columns 2024-01-31 and 2024-02-29 with the sum of total, one row per name",
        ),
    ] {
        let step = step(text);
        assert_eq!(step.label(), label);
        let recipe = Recipe {
            steps: vec![step],
            ..Recipe::default()
        };
        assert_eq!(
            Recipe::from_json(&recipe.to_json()).map_err(|it| format!("{it:?}"))?,
            recipe
        );
        assert_eq!(
            Recipe::parse(&recipe.to_yaml()).map_err(|it| format!("{it:?}"))?,
            recipe
        );
    }
    Ok(())
}

#[test]
fn an_order_without_new_words_is_written_as_ever() {
    let written =
        step("{sort: {by: [name, {column: id, order: descending}, {column: day, compare: exact}]}}").to_json();
    assert_eq!(
        written.to_string(),
        "{\"sort\":{\"by\":[\"name\",{\"column\":\"id\",\"order\":\"descending\"},\"day\"]}}"
    );
}

#[test]
fn steps_say_which_columns_they_leave() {
    let kept = "id whole numbers, name text, total numbers, day dates";
    assert_eq!(after("blank_columns"), kept);
    assert_eq!(
        after("{blank_columns: {columns: [id]}}"),
        format!("{kept}, note nothing but blanks")
    );
    assert_eq!(
        after("{number_rows: {column: n}}"),
        format!("{kept}, note nothing but blanks, n whole numbers")
    );
    assert_eq!(
        after("{running_total: {column: note, of: id}}"),
        format!("{kept}, note numbers")
    );
    assert_eq!(
        after("{rank: {column: note, of: name}}"),
        format!("{kept}, note whole numbers")
    );
    assert_eq!(
        after("{fill: {columns: [note], value: x}}"),
        format!("{kept}, note text")
    );
    assert_eq!(
        after("{fill: {columns: [note], value: 2024-01-31}}"),
        format!("{kept}, note dates")
    );
    assert_eq!(
        after("{unpivot: {columns: [id, total], names: n, values: v}}"),
        "name text, day dates, note nothing but blanks, n text, v numbers"
    );
    assert_eq!(
        after("{unpivot: {keep: [day, id]}}"),
        "day dates, id whole numbers, column text, value cells of several kinds"
    );
    assert_eq!(
        after("{fill: {columns: [id], value: 0.5}}"),
        "id numbers, name text, total numbers, day dates, note nothing but blanks"
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn what_does_not_fit_the_columns_is_said_with_the_nearest_spelling() {
    for (text, path, words) in [
        ("{fill: {columns: [nam]}}", "fill.columns[0]", "Did you mean `name`?"),
        (
            "{fill: {columns: [day], value: soon}}",
            "fill.value",
            "`soon` does not fit the column `day`, which holds dates",
        ),
        (
            "{number_rows: {column: n, by: [Name]}}",
            "number_rows.by[0]",
            "Did you mean `name`?",
        ),
        ("{number_rows: {column: ' '}}", "number_rows.column", "needs a name"),
        (
            "{running_total: {column: t, of: totl}}",
            "running_total.of",
            "Did you mean `total`?",
        ),
        (
            "{running_total: {column: t, of: name}}",
            "running_total.of",
            "holds text, and numbers are needed",
        ),
        (
            "{difference: {column: t, of: name}}",
            "difference.of",
            "numbers or dates are needed",
        ),
        ("{rank: {column: r, of: Total}}", "rank.of", "Did you mean `total`?"),
        (
            "{blank_rows: {columns: [nme]}}",
            "blank_rows.columns[0]",
            "Did you mean `name`?",
        ),
        (
            "{blank_columns: {columns: [nme]}}",
            "blank_columns.columns[0]",
            "Did you mean `name`?",
        ),
        (
            "{unpivot: {columns: [totl]}}",
            "unpivot.columns[0]",
            "Did you mean `total`?",
        ),
        (
            "{unpivot: {keep: [id, name], names: name}}",
            "unpivot.names",
            "two columns called `name`",
        ),
        (
            "{unpivot: {keep: [id, name, total, day, note]}}",
            "unpivot.keep",
            "No column is left",
        ),
        (
            "{pivot: {rows: [nam], names: day, columns: [2024-01-31], values: id}}",
            "pivot.rows[0]",
            "Did you mean `name`?",
        ),
        (
            "{pivot: {rows: [id], names: nam, columns: [a], values: id}}",
            "pivot.names",
            "Did you mean `name`?",
        ),
        (
            "{pivot: {rows: [id], names: name, columns: [id], values: total}}",
            "pivot.columns[0]",
            "two columns called `id`",
        ),
        (
            "{pivot: {rows: [name], names: id, columns: [1, one], values: total}}",
            "pivot.columns[1]",
            "`one` cannot be in the column `id`, which holds whole numbers",
        ),
        (
            "{pivot: {rows: [id], names: day, columns: [2024-01-31], values: name}}",
            "pivot.values",
            "The column `name` holds text, and `total: sum` needs numbers",
        ),
    ] {
        let problem = problem(text);
        assert_eq!(problem.path, format!("steps[2].{path}"), "{problem:?}");
        assert!(problem.message.contains(words), "{problem:?}");
        assert!(
            problem.message.starts_with(&format!("`{}`", step(text).name())),
            "{problem:?}"
        );
    }
    let blank = [Column::made("a", ColumnKind::Blank)];
    let problems = step("blank_columns").check(1, &blank, &References::default());
    assert!(problems.is_err_and(|problems| problems[0].message.contains("at least one must stay")));
}

#[test]
fn what_cannot_be_meant_is_refused_at_the_door() {
    for (text, words) in [
        ("{fill: {columns: [a], direction: dwn}}", "Did you mean `down`?"),
        ("{fill: {columns: [a], direction: value}}", "needs `value`"),
        (
            "{fill: {columns: [a], direction: up, value: 1}}",
            "leave one of them out",
        ),
        ("{fill: {column: [a]}}", "is `column` a misspelling of it?"),
        (
            "{number_rows: {column: n, start: one}}",
            "`start` of `number_rows` expects a whole number",
        ),
        ("{running_totl: {column: n}}", "Did you mean `running_total`?"),
        ("{rank: {column: r, of: a, ties: dens}}", "Did you mean `dense`?"),
        ("{first: 0}", "`first` expects a whole number from 1"),
        ("{first: {row: 5}}", "is `row` a misspelling of it?"),
        ("{last: many}", "`last` expects a whole number from 1"),
        (
            "{deduplicate: {by: [a], ignore: [case, acents]}}",
            "Did you mean `accents`?",
        ),
        (
            "{deduplicate: {keep: complete}}",
            "It is one of `first`, `last`, `most_complete`.",
        ),
        ("sample", "`sample` needs `rows`, such as 100, or `share`"),
        ("{append: {with: a, others: kep}}", "Did you mean `keep`?"),
        ("{append: {columns: {}}}", "`columns` of `append` is empty"),
        ("{compare: {with: a}}", "`compare` needs `by`"),
        (
            "{compare: {with: a, by: [b], keep: [remved]}}",
            "Did you mean `removed`?",
        ),
        ("{sample: {rows: 1, share: 0.1}}", "both `rows` and `share`"),
        ("{sample: {share: 150%}}", "more than 0 and less than 1"),
        ("{blank_rows: {columns: []}}", "is an empty list"),
        ("{unpivot: {names: n}}", "needs `columns` that become rows"),
        ("{unpivot: {columns: [a], keep: [b]}}", "both `columns` and `keep`"),
        ("{unpivot: {keep: [], blanks: leaveout}}", "Did you mean `leave_out`?"),
        (
            "{sort: {by: [{column: a, compare: naturl}]}}",
            "Did you mean `natural`?",
        ),
        (
            "{sort: {by: [{column: a, blanks: middle}]}}",
            "It is one of `last`, `first`.",
        ),
        ("{pivot: {rows: [a], names: b, values: c}}", "`pivot` needs `columns`."),
        (
            "{pivot: {rows: [a], names: b, columns: [x], values: c, total: sums}}",
            "Did you mean `sum`?",
        ),
    ] {
        let problems = Recipe::parse(&format!("steps: [{text}]")).expect_err(text);
        assert!(problems[0].message.contains(words), "{text}: {problems:?}");
        assert_eq!(problems[0].step, Some(1), "{text}");
    }
}
