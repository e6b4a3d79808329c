//! Process and preview orders as a whole: tables in, files and answers out.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Float64Array, Int64Array, StringArray};

use super::{
    Message, Order, OutputRole, PreviewAnswer, PreviewOrder, ProcessOrder, RowFate, RowsAnswer, TableFiles, execute,
};
use crate::recipe::document::Recipe;
use crate::recipe::mapping::Choices;
use crate::recipe::plan::cells::iso_date;
use crate::recipe::plan::tests::make_table;

pub(super) type Fallible<T = ()> = Result<T, Box<dyn std::error::Error>>;

fn recipe(text: &str) -> Recipe {
    Recipe::parse(text).unwrap_or_else(|problems| panic!("{problems:?}"))
}

pub(super) fn orders(rows: usize) -> Vec<(&'static str, ArrayRef)> {
    let numbers = 0..i64::try_from(rows).unwrap_or(0);
    let status = |n: i64| match n % 4 {
        0 => Some("shipped"),
        1 => Some("cancelled"),
        2 => None,
        _ => Some(" returned "),
    };
    vec![
        ("id", Arc::new(Int64Array::from_iter_values(numbers.clone()))),
        (
            "day",
            Arc::new(Date32Array::from_iter(numbers.clone().map(|_| iso_date("2024-01-31")))),
        ),
        ("status", Arc::new(StringArray::from_iter(numbers.clone().map(status)))),
        (
            "quantity",
            Arc::new(Int64Array::from_iter_values(numbers.clone().map(|n| n % 5))),
        ),
        (
            "price",
            Arc::new(Float64Array::from_iter_values(numbers.map(|n| n as f64 / 8.0))),
        ),
    ]
}

pub(super) struct Ran {
    pub(super) messages: Vec<Message>,
    out: PathBuf,
    _folder: tempfile::TempDir,
}

impl Ran {
    pub(super) fn last(&self) -> &Message {
        self.messages.last().unwrap_or_else(|| panic!("no message"))
    }

    pub(super) fn output(&self, role: OutputRole) -> Option<&super::Output> {
        self.messages.iter().find_map(|message| match message {
            Message::Output(output) if output.role == role => Some(output),
            _ => None,
        })
    }

    pub(super) fn path(&self, output: &super::Output) -> PathBuf {
        self.out.join(&output.path)
    }

    pub(super) fn text(&self, role: OutputRole) -> Fallible<String> {
        let output = self.output(role).ok_or("no such output")?;
        Ok(std::fs::read_to_string(self.out.join(&output.path))?)
    }
}

pub(super) fn process(columns: &[(&str, ArrayRef)], text: &str, jobs: usize, memory: u64) -> Fallible<Ran> {
    process_with(columns, text, Choices::default(), (jobs, memory))
}

pub(super) fn process_with(
    columns: &[(&str, ArrayRef)],
    text: &str,
    mapping: Choices,
    (jobs, memory): (usize, u64),
) -> Fallible<Ran> {
    let folder = tempfile::tempdir()?;
    let made = |name: &str| -> Fallible<PathBuf> {
        let path = folder.path().join(name);
        std::fs::create_dir(&path)?;
        Ok(path)
    };
    let (table, out, scratch) = (made("table")?, made("out")?, made("scratch")?);
    make_table(&table, columns, 1000)?;
    let order = ProcessOrder {
        name: "Orders 2024.xlsx".into(),
        tables: vec![TableFiles { folder: table }],
        recipe: recipe(text),
        references: Default::default(),
        mapping,
        out: out.clone(),
        scratch: scratch.clone(),
        memory,
        jobs,
    };
    let mut messages = Vec::new();
    execute(Order::Process(order), &mut |message| messages.push(message));
    assert_eq!(std::fs::read_dir(&scratch)?.count(), 0, "scratch is left clean");
    Ok(Ran {
        messages,
        out,
        _folder: folder,
    })
}

const CLEAN: &str = "name: Clean orders\nsteps:\n  - trim\n  - filter: {keep: \"status <> 'cancelled'\"}\n  \
                     - compute: {column: each, as: price / quantity}\n  - sort: {by: [{column: each, order: descending}]}\n";

#[test]
fn a_recipe_writes_what_it_kept_lists_what_it_rejected_and_accounts_for_all() -> Fallible {
    let ran = process(&orders(12), &format!("{CLEAN}output: {{format: csv}}"), 2, 64 << 20)?;
    let Message::Done(report) = ran.last() else {
        panic!("{:?}", ran.last())
    };
    assert_eq!((report.rows_in, report.rows_out, report.rejected), (12, 7, 2));
    let result = ran.text(OutputRole::Result)?;
    let lines: Vec<&str> = result.lines().collect();
    assert_eq!(lines[0], "id,day,status,quantity,price,each");
    assert_eq!(lines[1], "11,2024-01-31,returned,1,1.375,1.375");
    assert_eq!(lines.len(), 8);
    let rejects = ran.text(OutputRole::Rejects)?;
    let lines: Vec<&str> = rejects.lines().collect();
    assert_eq!(lines[0], "file,sheet,row,cell,column,value,step,rule,message,severity");
    assert_eq!(
        lines[1],
        "Orders 2024.xlsx,Orders,2,D2,quantity,0,3,division_by_zero,a division by zero,error"
    );
    assert_eq!(lines.len(), 3);
    let names: Vec<&str> = [OutputRole::Result, OutputRole::Rejects]
        .into_iter()
        .filter_map(|role| ran.output(role))
        .map(|output| output.name.as_str())
        .collect();
    assert_eq!(
        names,
        ["Orders 2024-clean-orders.csv", "Orders 2024-clean-orders-rejects.csv"]
    );
    let ledger: Vec<(u64, u64, u64, u64)> = report
        .ledger
        .iter()
        .map(|step| (step.rows_in, step.kept, step.filtered, step.rejected))
        .collect();
    assert_eq!(
        ledger,
        [
            (12, 12, 0, 0),
            (12, 12, 0, 0),
            (12, 9, 3, 0),
            (9, 7, 0, 2),
            (7, 7, 0, 0)
        ]
    );
    assert!(report.ledger.iter().all(crate::recipe::ledger::LedgerStep::balances));
    assert_eq!(report.ledger[2].label, "Keep rows where status <> 'cancelled'");
    Ok(())
}

#[test]
fn the_same_bytes_come_out_at_any_jobs_and_memory() -> Fallible {
    let text = format!("{CLEAN}  - deduplicate: {{by: [each]}}\n");
    let bytes = |jobs, memory| -> Fallible<Vec<u8>> {
        let ran = process(&orders(30_000), &text, jobs, memory)?;
        let output = ran.output(OutputRole::Result).ok_or("no result")?;
        Ok(std::fs::read(ran.out.join(&output.path))?)
    };
    let one = bytes(1, 512 << 20)?;
    assert!(one.len() > 100_000);
    assert!(one == bytes(2, 512 << 20)? && one == bytes(8, 1 << 20)?);
    Ok(())
}

#[test]
fn a_run_that_is_to_fail_on_rejects_lists_them_and_leaves_no_result() -> Fallible {
    let text = format!("{CLEAN}output: {{format: csv, rejects: {{policy: fail}}}}");
    let ran = process(&orders(12), &text, 1, 64 << 20)?;
    let Message::Failed {
        code,
        sentence,
        input_at_fault,
        ..
    } = ran.last()
    else {
        panic!("{:?}", ran.last())
    };
    assert_eq!((code.as_str(), *input_at_fault), ("rows_rejected", true));
    assert!(
        sentence.contains("Orders 2024.xlsx") && sentence.contains("2 values"),
        "{sentence}"
    );
    assert!(ran.output(OutputRole::Result).is_none());
    assert_eq!(ran.text(OutputRole::Rejects)?.lines().count(), 3);
    assert!(
        ran.messages
            .iter()
            .any(|message| matches!(message, Message::Account(report) if report.rejected == 2))
    );
    assert_eq!(std::fs::read_dir(&ran.out)?.count(), 1);
    Ok(())
}

#[test]
fn rows_that_are_kept_say_where_they_come_from_and_what_is_wrong() -> Fallible {
    let text = "steps:\n  - validate:\n      - {column: status, one_of: [shipped], message: not shipped}\n      \
                - {column: id, max: 1, severity: warning}\n  - compute: {column: each, as: price / quantity}\n  \
                - sort: {by: [{column: id, order: descending}]}\n\
                output: {format: csv, rejects: {policy: keep}}";
    let ran = process(&orders(4), text, 2, 64 << 20)?;
    let Message::Done(report) = ran.last() else {
        panic!("{:?}", ran.last())
    };
    assert_eq!(
        (report.rows_out, report.rejected, report.flagged, report.warnings),
        (4, 0, 3, 2)
    );
    let (validate, compute) = (&report.ledger[1], &report.ledger[2]);
    assert_eq!((validate.kept, validate.flagged, validate.warned), (4, 2, 2));
    assert_eq!((compute.kept, compute.flagged), (4, 1));
    let result = ran.text(OutputRole::Result)?;
    let lines: Vec<&str> = result.lines().collect();
    assert_eq!(
        lines,
        [
            "id,day,status,quantity,price,each,_row,_errors",
            "3,2024-01-31, returned ,3,0.375,0.125,5,\"status: not shipped; warning: id: `3` is more than 1\"",
            "2,2024-01-31,,2,0.25,0.125,4,warning: id: `2` is more than 1",
            "1,2024-01-31,cancelled,1,0.125,0.125,3,status: not shipped",
            "0,2024-01-31,shipped,0,0,,2,quantity: a division by zero",
        ]
    );
    assert_eq!(ran.text(OutputRole::Rejects)?.lines().count(), 6);
    Ok(())
}

#[test]
fn warnings_do_not_fail_a_run_and_are_counted_before_it() -> Fallible {
    let text = "steps: [{validate: [{column: id, max: 9, severity: warning}, {column: id, unique: true}]}]\n\
                output: {format: csv, rejects: {policy: fail}}";
    let ran = process(&orders(12), text, 1, 64 << 20)?;
    assert!(matches!(ran.last(), Message::Done(report) if report.warnings == 2 && report.rejected == 0));
    assert_eq!(ran.text(OutputRole::Result)?.lines().count(), 13);
    assert_eq!(ran.text(OutputRole::Rejects)?.lines().count(), 3);
    let folder = tempfile::tempdir()?;
    make_table(folder.path(), &orders(5000), 1000)?;
    let answer = preview(folder.path(), text, 1, 8, true)?;
    assert_eq!((answer.ledger[1].kept, answer.ledger[1].warned), (5000, 4990));
    Ok(())
}

#[test]
fn a_recipe_that_does_not_fit_fails_with_file_sheet_step_and_spelling() -> Fallible {
    let ran = process(&orders(3), "steps: [{filter: {keep: quantty > 0}}]", 1, 64 << 20)?;
    let Message::Failed {
        code,
        sentence,
        input_at_fault,
        ..
    } = ran.last()
    else {
        panic!("{:?}", ran.last())
    };
    assert_eq!((code.as_str(), *input_at_fault), ("recipe_does_not_fit", true));
    for words in [
        "“Orders 2024.xlsx”",
        "sheet “Orders”",
        "step 1",
        "Did you mean `quantity`?",
    ] {
        assert!(sentence.contains(words), "{sentence}");
    }
    let ran = process(&orders(3), "input: {sheets: [Ordrs]}\nsteps: []", 1, 64 << 20)?;
    assert!(
        matches!(ran.last(), Message::Failed { code, sentence, .. } if code == "sheet_missing" && sentence.contains("Did you mean `Orders`?"))
    );
    Ok(())
}

#[test]
fn a_recipe_may_stop_at_what_it_cannot_convert() -> Fallible {
    let text = "steps: [{convert: {column: status, to: integer, otherwise: fail}}]";
    let ran = process(&orders(3), text, 1, 64 << 20)?;
    assert!(
        matches!(ran.last(), Message::Failed { code, input_at_fault: true, sentence, .. }
        if code == "value_not_converted" && sentence.contains("`shipped` is not a whole number"))
    );
    Ok(())
}

#[test]
fn no_steps_are_a_conversion_and_no_rows_are_no_trouble() -> Fallible {
    let ran = process(&orders(0), "steps: []\noutput: {format: csv}", 1, 64 << 20)?;
    assert_eq!(ran.text(OutputRole::Result)?, "id,day,status,quantity,price\n");
    assert!(ran.output(OutputRole::Rejects).is_none());
    assert_eq!(
        ran.output(OutputRole::Result).map(|output| output.name.as_str()),
        Some("Orders 2024.csv")
    );
    Ok(())
}

fn preview(folder: &Path, text: &str, steps: usize, rows: usize, count_all: bool) -> Fallible<RowsAnswer> {
    let answer = preview_with_checks(folder, text, steps, rows, count_all)?;
    assert_eq!(answer.problems, []);
    answer.rows.ok_or_else(|| "no rows".into())
}

fn preview_with_checks(
    folder: &Path,
    text: &str,
    steps: usize,
    rows: usize,
    count_all: bool,
) -> Fallible<PreviewAnswer> {
    answer_of(folder, text, (steps, rows, count_all), Choices::default())
}

pub(super) fn preview_of(folder: &Path, text: &str, mapping: Choices) -> Fallible<PreviewAnswer> {
    answer_of(folder, text, (0, 10, false), mapping)
}

fn answer_of(
    folder: &Path,
    text: &str,
    (steps, rows, count_all): (usize, usize, bool),
    mapping: Choices,
) -> Fallible<PreviewAnswer> {
    let scratch = tempfile::tempdir()?;
    let order = PreviewOrder {
        table: TableFiles {
            folder: folder.to_owned(),
        },
        recipe: recipe(text),
        references: Default::default(),
        mapping,
        steps,
        rows,
        which: Default::default(),
        count_all,
        scratch: scratch.path().to_owned(),
        memory: 64 << 20,
    };
    let mut answer = None;
    execute(Order::Preview(order), &mut |message| match message {
        Message::Preview(it) => answer = Some(*it),
        Message::Done(_) => {}
        other => panic!("{other:?}"),
    });
    answer.ok_or_else(|| "no answer".into())
}

#[test]
fn a_preview_shows_rows_in_their_places_with_what_changed_and_who_left() -> Fallible {
    let folder = tempfile::tempdir()?;
    make_table(folder.path(), &orders(5000), 1000)?;
    let answer = preview(folder.path(), CLEAN, 3, 8, false)?;
    assert_eq!(
        answer.rows.iter().map(|row| row.row).collect::<Vec<_>>(),
        [2, 3, 4, 5, 6, 7, 8, 9]
    );
    assert_eq!((answer.total, answer.ledger.len()), (None, 0));
    let out = |row: usize| match &answer.rows[row].fate {
        RowFate::Out { step, how, .. } => Some((*step, how.as_str())),
        RowFate::Kept => None,
    };
    let fates: Vec<_> = (0..8).map(out).collect();
    let (filtered, rejected) = (Some((2, "filtered")), Some((3, "rejected")));
    assert_eq!(fates, [rejected, filtered, None, None, None, filtered, None, None]);
    let returned = &answer.rows[3];
    assert_eq!(returned.cells[2].text, "returned");
    assert!(returned.cells[2].changed && !returned.cells[0].changed && returned.cells[5].changed);
    assert!(matches!(&answer.rows[1].fate, RowFate::Out { why, .. } if why == "status <> 'cancelled' is not true"));
    assert_eq!(answer.rows[1].cells[2].text, "cancelled");
    assert_eq!(answer.rows[1].cells.len(), 6, "as many cells as columns");
    Ok(())
}

#[test]
fn a_preview_counts_all_rows_when_asked_and_sorts_over_all_of_them() -> Fallible {
    let folder = tempfile::tempdir()?;
    make_table(folder.path(), &orders(5000), 1000)?;
    let answer = preview(folder.path(), CLEAN, 3, 8, true)?;
    assert_eq!((answer.total, answer.ledger.len()), (Some(3000), 4));
    assert!(answer.ledger.iter().all(crate::recipe::ledger::LedgerStep::balances));
    let sorted = preview(folder.path(), CLEAN, 4, 3, false)?;
    let kept: Vec<u64> = sorted
        .rows
        .iter()
        .filter(|row| row.fate == RowFate::Kept)
        .map(|row| row.row)
        .collect();
    assert_eq!(
        kept,
        [4998, 4993, 4988].map(|id: u64| id),
        "the greatest of all rows first"
    );
    assert!(sorted.total.is_none());
    let counted = preview(folder.path(), CLEAN, 4, 3, true)?;
    assert_eq!((counted.total, counted.ledger.len()), (Some(3000), 5));
    assert_eq!(counted.rows, sorted.rows);
    Ok(())
}

#[test]
fn a_preview_knows_the_columns_up_to_the_first_wrong_step() -> Fallible {
    let folder = tempfile::tempdir()?;
    make_table(folder.path(), &orders(10), 1000)?;
    let text = "steps: [{rename: {status: state}}, {filter: {keep: statu = 'x'}}, {select: [id]}]";
    let shown = preview_with_checks(folder.path(), text, 1, 2, false)?;
    assert_eq!(
        (
            shown.before.len(),
            shown.before[1].as_ref().map_or("", |it| it[2].name.as_str())
        ),
        (2, "state")
    );
    assert_eq!(shown.problems.iter().map(|it| it.step).collect::<Vec<_>>(), [Some(2)]);
    assert!(shown.problems[0].message.contains("`state`"), "{:?}", shown.problems);
    assert_eq!(shown.rows.map(|it| it.rows.len()), Some(2), "the steps before it show");
    let hidden = preview_with_checks(folder.path(), text, 3, 2, false)?;
    assert!(hidden.rows.is_none() && hidden.problems == shown.problems);
    Ok(())
}

#[test]
fn rows_that_left_before_columns_were_renamed_still_show() -> Fallible {
    let folder = tempfile::tempdir()?;
    make_table(folder.path(), &orders(10), 1000)?;
    let text = "steps: [{filter: {keep: id > 0}}, {rename: {status: state}}, {select: [state, id]}]";
    let answer = preview(folder.path(), text, 3, 2, false)?;
    assert!(matches!(answer.rows[0].fate, RowFate::Out { step: 1, .. }));
    assert_eq!(
        answer.rows[0]
            .cells
            .iter()
            .map(|cell| cell.text.as_str())
            .collect::<Vec<_>>(),
        ["shipped", "0"]
    );
    Ok(())
}

#[test]
fn a_preview_of_steps_in_row_order_marks_what_they_filled_and_looks_beyond_what_is_shown() -> Fallible {
    let folder = tempfile::tempdir()?;
    make_table(folder.path(), &orders(5000), 1000)?;
    let filled = |direction: &str, rows: usize| -> Fallible<Vec<(String, bool)>> {
        let text = format!("steps: [{{fill: {{columns: [status], direction: {direction}}}}}]");
        let answer = preview(folder.path(), &text, 1, rows, false)?;
        let cells = answer.rows.iter().map(|row| &row.cells[2]);
        Ok(cells.map(|cell| (cell.text.clone(), cell.changed)).collect())
    };
    let cell = |text: &str, changed| (text.to_owned(), changed);
    let [shipped, cancelled] = [cell("shipped", false), cell("cancelled", false)];
    assert_eq!(
        filled("down", 3)?,
        [shipped.clone(), cancelled.clone(), cell("cancelled", true)]
    );
    assert_eq!(filled("up", 3)?, [shipped, cancelled, cell(" returned ", true)]);
    let text = "steps: [{number_rows: {column: n, by: [status]}}, {first: 2}]";
    let answer = preview(folder.path(), text, 2, 3, true)?;
    assert!(answer.rows[1].cells[5].changed && !answer.rows[1].cells[2].changed);
    assert!(
        matches!(&answer.rows[2].fate, RowFate::Out { step: 2, why, .. } if why == "it is not among the first rows")
    );
    assert_eq!(answer.total, Some(2));
    assert!(answer.ledger.iter().all(crate::recipe::ledger::LedgerStep::balances));
    Ok(())
}

#[test]
fn a_preview_marks_what_steps_over_all_rows_made() -> Fallible {
    let folder = tempfile::tempdir()?;
    make_table(folder.path(), &orders(5000), 1000)?;
    let changed = |answer: &RowsAnswer, row: usize| -> Vec<bool> {
        answer.rows[row].cells.iter().map(|cell| cell.changed).collect()
    };
    let text = "steps: [{trim: {columns: all}}, {rank: {column: r, of: price, by: [quantity]}}]";
    let ranked = preview(folder.path(), text, 2, 8, false)?;
    assert_eq!(
        changed(&ranked, 3),
        [false, false, true, false, false, true],
        "trimmed and ranked"
    );
    assert_eq!(changed(&ranked, 1), [false, false, false, false, false, true]);
    assert_eq!(
        ranked.rows[0].cells[5].text, "1000",
        "the smallest of the 1000 rows of its quantity"
    );
    let text = "steps: [{trim: {columns: all}}, {unpivot: {keep: [id, status], blanks: leave_out}}]";
    let turned = preview(folder.path(), text, 2, 30, false)?;
    let sources: Vec<u64> = turned.rows.iter().map(|row| row.row).take(7).collect();
    assert_eq!(sources, [2, 2, 2, 3, 3, 3, 4]);
    assert_eq!(changed(&turned, 0), [false, false, true, true]);
    assert_eq!(changed(&turned, 9), [false, true, true, true], "trimmed before");
    let text = "steps: [{pivot: {rows: [quantity], names: status, columns: [shipped], values: price}}]";
    let pivoted = preview(folder.path(), text, 1, 8, true)?;
    let kept = pivoted.rows.iter().filter(|row| row.fate == RowFate::Kept).count();
    assert_eq!((kept, pivoted.total), (5, Some(5)));
    assert!(matches!(&pivoted.rows[5].fate, RowFate::Out { how, why, .. }
        if how == "rejected" && why == "`cancelled` is not among the names that become columns"));
    assert!(pivoted.ledger.iter().all(crate::recipe::ledger::LedgerStep::balances));
    Ok(())
}
