//! Where rows of results come from, for each class of steps, and against a computation of our own.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use proptest::prelude::*;
use proptest::sample::select;

use super::{ResultsAnswer, ResultsOrder, TraceAnswer, TraceOrder, TracedStep};
use crate::order::{Message, Order, ProcessOrder, TableFiles, execute};
use crate::recipe::document::Recipe;
use crate::recipe::mapping::Choices;
use crate::recipe::plan::tests::make_table;

type Fallible<T = ()> = Result<T, Box<dyn std::error::Error>>;
type Columns = Vec<(&'static str, ArrayRef)>;

/// A result whose rows are asked for.
struct Made {
    order: ProcessOrder,
    folder: tempfile::TempDir,
}

fn texts(values: &[&str]) -> ArrayRef {
    let filled = |text: &&str| (!text.is_empty()).then(|| (*text).to_owned());
    Arc::new(values.iter().map(filled).collect::<StringArray>())
}

fn numbers(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

/// Rows 2 to 7.
fn orders() -> Columns {
    vec![
        ("id", numbers(&[10, 11, 12, 13, 14, 15])),
        (
            "region",
            texts(&[" north", "south", "north ", "east", "south", "north"]),
        ),
        ("amount", numbers(&[5, -1, 7, 2, 3, 9])),
    ]
}

impl Made {
    fn of(columns: &Columns, recipe: &str) -> Fallible<Self> {
        Self::with(columns, recipe, &[])
    }

    fn with(columns: &Columns, recipe: &str, others: &[(&str, Columns)]) -> Fallible<Self> {
        let folder = tempfile::tempdir()?;
        let made = |name: &str| -> Fallible<PathBuf> {
            let path = folder.path().join(name);
            std::fs::create_dir(&path)?;
            Ok(path)
        };
        let (table, scratch) = (made("table")?, made("scratch")?);
        make_table(&table, columns, 40)?;
        let mut references = BTreeMap::new();
        for (name, columns) in others {
            let folder = made(name)?;
            make_table(&folder, columns, 1000)?;
            references.insert((*name).to_owned(), TableFiles { folder });
        }
        let order = ProcessOrder {
            name: "Orders 2024.xlsx".into(),
            tables: vec![TableFiles { folder: table }],
            recipe: Recipe::parse(recipe).map_err(|problems| format!("{problems:?}"))?,
            references,
            mapping: Choices::default(),
            out: scratch.clone(),
            scratch,
            memory: 64 << 20,
            jobs: 2,
        };
        Ok(Self { order, folder })
    }

    fn ask(&self, order: Order) -> Fallible<Message> {
        let mut messages = Vec::new();
        execute(order, &mut |message| messages.push(message));
        assert_eq!(
            self.folder.path().join("scratch").read_dir()?.count(),
            0,
            "nothing is left"
        );
        match messages.pop() {
            Some(Message::Done(_)) => messages.pop().ok_or_else(|| "no answer".into()),
            Some(Message::Failed { sentence, detail, .. }) => Err(format!("{sentence} {detail}").trim().into()),
            other => Err(format!("{other:?}").into()),
        }
    }

    fn trace_of(&self, row: u64, part: Option<&str>, follow: Option<u32>) -> Fallible<TraceAnswer> {
        let order = TraceOrder {
            made_by: self.order.clone(),
            sheet: None,
            part: part.map(str::to_owned),
            row,
            follow,
        };
        match self.ask(Order::Trace(order))? {
            Message::Trace(answer) => Ok(*answer),
            other => Err(format!("{other:?}").into()),
        }
    }

    fn trace(&self, row: u64) -> Fallible<TraceAnswer> {
        self.trace_of(row, None, None)
    }

    fn results(&self, offset: u64, limit: usize) -> Fallible<ResultsAnswer> {
        let order = ResultsOrder {
            made_by: self.order.clone(),
            sheet: Some("Orders".to_owned()),
            offset,
            limit,
        };
        match self.ask(Order::Results(order))? {
            Message::Results(answer) => Ok(*answer),
            other => Err(format!("{other:?}").into()),
        }
    }
}

/// The rows that it was made of.
fn rows(answer: &TraceAnswer) -> Vec<u32> {
    answer.sources.iter().map(|source| source.row).collect()
}

/// The cells as they show.
fn cells(answer: &TraceAnswer) -> Vec<&str> {
    answer.cells.iter().map(|it| it.cell.text.as_str()).collect()
}

/// "column: before → after"
fn changes(step: &TracedStep) -> Vec<String> {
    let change = |it: &super::TracedChange| match &it.before {
        None => format!("{}: + {}", it.column, it.after.text),
        Some(before) => format!("{}: {} → {}", it.column, before.text, it.after.text),
    };
    step.changes.iter().map(change).collect()
}

fn touched(answer: &TraceAnswer) -> Vec<usize> {
    answer
        .steps
        .iter()
        .filter(|step| step.touched())
        .map(|step| step.number)
        .collect()
}

#[test]
fn a_row_of_steps_row_by_row_tells_its_cells_before_and_after() -> Fallible {
    let recipe = "steps: [trim, {filter: {keep: \"amount > 0\"}}, {rename: {amount: sum}}, {compute: {column: double, as: sum * 2}}, \
                  {drop: {columns: [id]}}]";
    let answer = Made::of(&orders(), recipe)?.trace(2)?;
    assert_eq!(cells(&answer), ["north", "7", "14"]);
    assert_eq!((rows(&answer), answer.followed), (vec![4], Some(4)));
    assert_eq!(answer.sources[0].position, 2);
    let source: Vec<&str> = answer.sources[0].cells.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(
        source,
        ["12", "north ", "7"],
        "as they were read, also what the result does not have"
    );
    assert_eq!(touched(&answer), [1, 3, 4, 5], "the filter let it through as it was");
    assert_eq!(changes(&answer.steps[0]), ["region: north  → north"]);
    assert_eq!(answer.steps[2].notes, ["`amount` is called `sum`."]);
    assert_eq!(changes(&answer.steps[3]), ["double: + 14"]);
    assert_eq!(answer.steps[4].notes, ["Left out: `id`."]);
    let addresses: Vec<_> = answer
        .cells
        .iter()
        .map(|it| (it.address.as_deref(), it.unchanged))
        .collect();
    assert_eq!(addresses, [(Some("B4"), false), (Some("C4"), true), (None, false)]);
    assert!(answer.limits.is_empty() && !answer.more_sources);
    Ok(())
}

#[test]
fn a_sort_tells_the_place_before_and_after() -> Fallible {
    let made = Made::of(&orders(), "steps: [{sort: {by: [amount]}}]")?;
    let answer = made.trace(1)?;
    assert_eq!((cells(&answer), rows(&answer)), (vec!["11", "south", "-1"], vec![3]));
    assert_eq!(
        answer.steps[0].notes,
        ["Its place changed: it was row 2 and became row 1."]
    );
    assert_eq!(
        touched(&made.trace(6)?),
        Vec::<usize>::new(),
        "it was the last one before"
    );
    Ok(())
}

#[test]
fn rows_that_carry_something_on_are_followed_too() -> Fallible {
    let columns: Columns = vec![("name", texts(&["a", "", "b", ""])), ("n", numbers(&[1, 2, 3, 4]))];
    let recipe = "steps: [{fill: {columns: [name]}}, {running_total: {of: n, column: sum}}, {last: {rows: 2}}]";
    let answer = Made::of(&columns, recipe)?.trace(2)?;
    assert_eq!((cells(&answer), rows(&answer)), (vec!["b", "4", "10"], vec![5]));
    assert_eq!(changes(&answer.steps[0]), ["name:  → b"]);
    assert_eq!(changes(&answer.steps[1]), ["sum: + 10"]);
    Ok(())
}

#[test]
fn duplicates_that_went_are_named_whichever_stays() -> Fallible {
    for (keep, row, others) in [
        ("first", 2, "3 and 5"),
        ("last", 5, "2 and 3"),
        ("most_complete", 3, "2 and 5"),
    ] {
        let columns: Columns = vec![
            ("name", texts(&["a", "a", "b", "a"])),
            ("note", texts(&["", "x", "y", ""])),
        ];
        let recipe = format!("steps: [trim, {{deduplicate: {{by: [name], keep: {keep}}}}}]");
        let made = Made::of(&columns, &recipe)?;
        let all = made.results(0, 10)?;
        let place = all
            .rows
            .iter()
            .find(|it| it.row.cells[0].text == "a")
            .map(|it| it.number);
        let answer = made.trace(place.ok_or("no such row")?)?;
        assert_eq!(rows(&answer), [row], "{keep}");
        let note = format!(
            "2 other rows were like it and taken out: rows {}.",
            others.replace(" and", ",")
        );
        assert_eq!(answer.steps[1].notes, [note], "{keep}");
    }
    Ok(())
}

#[test]
fn rows_that_are_only_similar_are_named_too() -> Fallible {
    let columns: Columns = vec![("name", texts(&["Miller Ltd", "Smith", "Miller Ltd.", "Miler Ltd"]))];
    let recipe = "steps: [{deduplicate: {by: [name], similarity: 0.8}}]";
    let answer = Made::of(&columns, recipe)?.trace(1)?;
    assert_eq!(
        answer.steps[0].notes,
        ["2 other rows were like it and taken out: rows 4, 5."]
    );
    let marked = "steps: [{deduplicate: {by: [name], similarity: 0.8, groups: mark}}]";
    let answer = Made::of(&columns, marked)?.trace(3)?;
    assert_eq!(answer.steps[0].notes, ["2 other rows are like it: rows 2, 5."]);
    Ok(())
}

const GROUPED: &str =
    "steps: [trim, {filter: {keep: \"amount > 0\"}}, {group: {by: [region], totals: {n: count(*), s: sum(amount)}}}]";

#[test]
fn a_group_names_its_rows_and_any_of_them_can_be_followed() -> Fallible {
    let made = Made::of(&orders(), GROUPED)?;
    let answer = made.trace(1)?;
    assert_eq!(cells(&answer), ["north", "3", "21"]);
    assert_eq!((rows(&answer), answer.followed), (vec![2, 4, 7], Some(2)));
    assert_eq!(answer.steps[2].notes, ["3 rows were grouped into this one."]);
    assert_eq!(changes(&answer.steps[2]), ["n: + 3", "s: + 21"]);
    assert_eq!(changes(&answer.steps[0]), ["region:  north → north"]);
    let other = made.trace_of(1, None, Some(4))?;
    assert_eq!((rows(&other), other.followed), (vec![2, 4, 7], Some(4)));
    assert_eq!(changes(&other.steps[0]), ["region: north  → north"]);
    assert_eq!(other.cells[0].address.as_deref(), Some("B4"));
    let clean = made.trace_of(1, None, Some(7))?;
    assert_eq!(touched(&clean), [3], "row 7 had no blanks");
    assert!(clean.cells[0].unchanged && clean.cells[1].address.is_none());
    assert_eq!(rows(&made.trace(2)?), [5], "a group of its own");
    assert_eq!(rows(&made.trace(3)?), [6], "the other row was filtered before");
    Ok(())
}

#[test]
fn groups_of_groups_lead_to_all_rows_and_one_group_of_all_has_them_all() -> Fallible {
    let twice = GROUPED.replace("}}]", "}}, {group: {by: [n], totals: {regions: count(*)}}}]");
    let made = Made::of(&orders(), &twice)?;
    let answer = made.trace(2)?;
    assert_eq!(cells(&answer), ["1", "2"]);
    assert_eq!(rows(&answer), [5, 6]);
    let answer = made.trace_of(2, None, Some(6))?;
    assert_eq!(answer.followed, Some(6));
    assert_eq!(changes(&answer.steps[2]), ["n: + 1", "s: + 3"]);
    let all = Made::of(&orders(), "steps: [{group: {totals: {s: sum(amount)}}}]")?;
    assert_eq!(rows(&all.trace(1)?), [2, 3, 4, 5, 6, 7]);
    Ok(())
}

#[test]
fn of_a_large_group_the_first_rows_are_listed_and_all_are_counted() -> Fallible {
    let ids: Vec<i64> = (0..500).collect();
    let kinds: Vec<&str> = ids.iter().map(|id| if id % 5 == 0 { "a" } else { "b" }).collect();
    let columns: Columns = vec![("id", numbers(&ids)), ("kind", texts(&kinds))];
    let made = Made::of(&columns, "steps: [{group: {by: [kind], totals: {n: count(*)}}}]")?;
    let answer = made.trace(2)?;
    assert_eq!(answer.steps[0].notes, ["400 rows were grouped into this one."]);
    assert_eq!((answer.sources.len(), answer.more_sources), (100, true));
    let wanted: Vec<u32> = (0..500).filter(|id| id % 5 != 0).take(100).map(|id| id + 2).collect();
    assert_eq!(rows(&answer), wanted);
    let other = made.trace(1)?;
    assert_eq!((other.sources.len(), other.more_sources), (100, false));
    Ok(())
}

fn prices() -> Vec<(&'static str, Columns)> {
    let columns: Columns = vec![
        ("region", texts(&["south", "north", "north", "west"])),
        ("price", numbers(&[1, 2, 3, 4])),
    ];
    vec![("prices", columns)]
}

#[test]
fn a_row_of_another_table_that_was_looked_up_is_named() -> Fallible {
    let made = Made::with(
        &orders(),
        "steps: [trim, {join: {with: prices, on: [region], several: first}}]",
        &prices(),
    )?;
    assert_eq!(
        made.trace(1)?.steps[1].notes,
        ["2 rows of `prices` match it; it has row 3."]
    );
    let south = made.trace(2)?;
    assert_eq!(south.steps[1].notes, ["It matched row 2 of `prices`."]);
    assert_eq!(changes(&south.steps[1]), ["price: + 1"]);
    assert_eq!(made.trace(4)?.steps[1].notes, ["No row of `prices` matches it."]);
    Ok(())
}

#[test]
fn rows_made_of_one_and_rows_of_another_table_are_told_apart() -> Fallible {
    let recipe = "steps: [trim, {join: {with: prices, on: [region], kind: full, several: all}}, {sort: {by: [price]}}]";
    let made = Made::with(&orders(), recipe, &prices())?;
    let all = made.results(0, 100)?;
    let place = |id: &str, price: &str| {
        let has = |cells: &[crate::order::AnswerCell]| cells[0].text == id && cells[3].text == price;
        all.rows.iter().find(|it| has(&it.row.cells)).map_or(0, |it| it.number)
    };
    let second = made.trace(place("12", "3"))?;
    assert_eq!(rows(&second), [4]);
    assert_eq!(
        second.steps[1].notes,
        [
            "It is number 2 of the 2 rows that were made of one.",
            "2 rows of `prices` match it; it has row 4."
        ]
    );
    assert_eq!(changes(&second.steps[0]), ["region: north  → north"]);
    let west = made.trace(place("", "4"))?;
    assert_eq!(west.sources[0].table.as_deref(), Some("prices"));
    assert_eq!((rows(&west), west.followed), (vec![5], None));
    assert_eq!(west.steps[1].notes, ["The row came in here: it is row 5 of `prices`."]);
    assert!(!west.steps[0].told && west.steps[1].told && west.steps[2].told);
    assert!(west.cells.iter().all(|it| it.address.is_none()));
    Ok(())
}

#[test]
fn appended_rows_lead_to_their_table_also_from_groups() -> Fallible {
    let recipe = "steps: [{append: {with: prices}}, trim, {group: {by: [region], totals: {n: count(*)}}}]";
    let answer = Made::with(&orders(), recipe, &prices())?.trace(1)?;
    assert_eq!(cells(&answer), ["north", "5"]);
    let sources: Vec<_> = answer.sources.iter().map(|it| (it.table.as_deref(), it.row)).collect();
    let wanted = [
        (None, 2),
        (None, 4),
        (None, 7),
        (Some("prices"), 3),
        (Some("prices"), 4),
    ];
    assert_eq!(sources, wanted);
    Ok(())
}

#[test]
fn turned_tables_lead_back_to_the_row_or_the_rows() -> Fallible {
    let columns: Columns = vec![
        ("shop", texts(&["a", "b"])),
        ("jan", numbers(&[1, 2])),
        ("feb", numbers(&[3, 4])),
    ];
    let unpivot = "{unpivot: {columns: [jan, feb], names: month, values: sold}}";
    let made = Made::of(&columns, &format!("steps: [{unpivot}]"))?;
    let answer = made.trace(3)?;
    assert_eq!((cells(&answer), rows(&answer)), (vec!["b", "jan", "2"], vec![3]));
    assert_eq!(
        answer.steps[0].notes,
        ["It is number 1 of the 2 rows that were made of one."]
    );
    let back =
        format!("steps: [{unpivot}, {{pivot: {{rows: [shop], names: month, columns: [jan, feb], values: sold}}}}]");
    let answer = Made::of(&columns, &back)?.trace(2)?;
    assert_eq!(cells(&answer), ["b", "2", "4"]);
    assert_eq!(rows(&answer), [3], "both rows of the group are of one row");
    assert_eq!(answer.steps[1].notes, ["2 rows were grouped into this one."]);
    Ok(())
}

#[test]
fn rows_are_counted_in_the_parts_of_a_split_result() -> Fallible {
    let text = "steps: [trim]\noutput: {format: xlsx, split_by: region, split_into: sheets}";
    let made = Made::of(&orders(), text)?;
    let all = made.results(0, 10)?;
    let parts = all
        .rows
        .iter()
        .map(|it| it.part.as_ref().map_or(("", 0), |part| (part.name.as_str(), part.row)));
    let wanted = [
        ("east", 1),
        ("north", 1),
        ("north", 2),
        ("north", 3),
        ("south", 1),
        ("south", 2),
    ];
    assert_eq!(parts.collect::<Vec<_>>(), wanted);
    let answer = made.trace_of(2, Some("north"), None)?;
    assert_eq!((answer.row, rows(&answer)), (3, vec![4]));
    assert_eq!(answer.part.map(|part| part.row), Some(2));
    assert_eq!(answer.steps[1].label, "Put the rows of each value of region together");
    let error = made.trace_of(4, Some("north"), None).expect_err("there are three");
    assert_eq!(
        error.to_string(),
        "There is no row 4 in the result of part “north”: it has 3 rows."
    );
    Ok(())
}

#[test]
fn behind_a_query_nothing_is_guessed() -> Fallible {
    let recipe = "steps: [trim, {sql: {query: \"SELECT region, sum(amount) AS s FROM data GROUP BY region\"}}, {compute: {column: t, as: s + 1}}]";
    let answer = Made::of(&orders(), recipe)?.trace(1)?;
    assert_eq!(
        answer.limits,
        ["What SQL made of the rows cannot be followed further back."]
    );
    assert!(answer.sources.is_empty() && answer.followed.is_none());
    let told: Vec<bool> = answer.steps.iter().map(|step| step.told).collect();
    assert_eq!(told, [false, false, true]);
    assert_eq!(changes(&answer.steps[2]).len(), 1);
    Ok(())
}

#[test]
fn a_row_that_is_not_there_is_told_in_a_sentence() -> Fallible {
    let made = Made::of(&orders(), "steps: [{filter: {keep: \"amount > 2\"}}]")?;
    let error = made.trace(5).expect_err("there are four");
    assert_eq!(
        error.to_string(),
        "There is no row 5 in the result of sheet “Orders”: it has 4 rows."
    );
    let page = made.results(2, 1)?;
    assert_eq!((page.rows.len(), page.more, page.rows[0].number), (1, true, 3));
    assert_eq!(page.rows[0].row.row, 6, "the sheet's row");
    assert!(!made.results(3, 1)?.more);
    assert!(made.results(9, 5)?.rows.is_empty());
    Ok(())
}

#[test]
fn what_is_wrong_with_a_row_that_stays_is_told_at_its_step() -> Fallible {
    let text = "steps:\n  - trim\n  - validate: [{column: amount, min: 0}]\noutput: {rejects: {policy: keep}}";
    let answer = Made::of(&orders(), text)?.trace(2)?;
    assert_eq!(
        answer.steps[1].notes,
        ["Something is wrong with it: amount: `-1` is less than 0"]
    );
    Ok(())
}

/// A row of the generated table.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    name: String,
    amount: i64,
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Trim,
    Upper,
    Double,
    Positive,
    ByName,
    ByAmount,
}

impl Act {
    fn step(self) -> &'static str {
        match self {
            Self::Trim => "{trim: {columns: [name]}}",
            Self::Upper => "{case: {columns: [name], to: upper}}",
            Self::Double => "{compute: {column: amount, as: amount * 2}}",
            Self::Positive => "{filter: {keep: \"amount > 0\"}}",
            Self::ByName => "{sort: {by: [name]}}",
            Self::ByAmount => "{sort: {by: [{column: amount, order: descending}]}}",
        }
    }

    /// The same in plain Rust, on rows with their numbers.
    fn on(self, rows: &mut Vec<(u32, Row)>) {
        match self {
            Self::Trim => rows
                .iter_mut()
                .for_each(|(_, row)| row.name = row.name.trim().to_owned()),
            Self::Upper => rows.iter_mut().for_each(|(_, row)| row.name = row.name.to_uppercase()),
            Self::Double => rows.iter_mut().for_each(|(_, row)| row.amount *= 2),
            Self::Positive => rows.retain(|(_, row)| row.amount > 0),
            Self::ByName => rows.sort_by(|(_, one), (_, other)| one.name.cmp(&other.name)),
            Self::ByAmount => rows.sort_by_key(|(_, row)| std::cmp::Reverse(row.amount)),
        }
    }
}

fn generated() -> impl Strategy<Value = (Vec<Row>, Vec<Act>)> {
    let name = select(vec!["a", " a", "B", "b ", "C", "c"]);
    let row = (name, -2..6_i64).prop_map(|(name, amount)| Row {
        name: name.to_owned(),
        amount,
    });
    let acts = select(vec![
        Act::Trim,
        Act::Upper,
        Act::Double,
        Act::Positive,
        Act::ByName,
        Act::ByAmount,
    ]);
    (
        proptest::collection::vec(row, 1..90),
        proptest::collection::vec(acts, 1..6),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn each_row_leads_to_the_row_that_gives_the_same_values((rows, acts) in generated(), pick in any::<prop::sample::Index>()) {
        let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        let amounts: Vec<i64> = rows.iter().map(|row| row.amount).collect();
        let columns: Columns = vec![("name", texts(&names)), ("amount", numbers(&amounts))];
        let steps: Vec<&str> = acts.iter().map(|act| act.step()).collect();
        let failed = |error: Box<dyn std::error::Error>| TestCaseError::fail(error.to_string());
        let made = Made::of(&columns, &format!("steps: [{}]", steps.join(", "))).map_err(failed)?;
        let mut wanted: Vec<(u32, Row)> = (2..).zip(rows).collect();
        let mut stages = vec![wanted.clone()];
        for act in &acts {
            act.on(&mut wanted);
            stages.push(wanted.clone());
        }
        prop_assume!(!wanted.is_empty());
        let row = pick.index(wanted.len());
        let (source, last) = wanted[row].clone();
        let answer = made.trace(row as u64 + 1).map_err(failed)?;
        prop_assert_eq!(super::tests::rows(&answer), vec![source]);
        prop_assert_eq!(cells(&answer), vec![last.name.clone(), last.amount.to_string()]);
        // Each step tells exactly the cells that it changed in this row, and where it stood.
        for (index, step) in answer.steps.iter().enumerate() {
            let find = |stage: &[(u32, Row)]| {
                let place = stage.iter().position(|(number, _)| *number == source);
                place.map(|place| (place, stage[place].1.clone()))
            };
            let (before, after) = (find(&stages[index]), find(&stages[index + 1]));
            let ((from, before), (to, after)) = before.zip(after).ok_or_else(|| TestCaseError::fail("it is gone"))?;
            let mut told = Vec::new();
            if before.name != after.name {
                told.push(format!("name: {} → {}", before.name, after.name));
            }
            if before.amount != after.amount {
                told.push(format!("amount: {} → {}", before.amount, after.amount));
            }
            prop_assert_eq!(changes(step), told);
            let sorts = matches!(acts[index], Act::ByName | Act::ByAmount);
            let note = format!("Its place changed: it was row {} and became row {}.", from + 1, to + 1);
            let notes: Vec<String> = (sorts && from != to).then_some(note).into_iter().collect();
            prop_assert_eq!(&step.notes, &notes);
        }
    }
}
