//! Steps that carry something from row to row, against the same thing in plain Rust.

use std::collections::HashMap;

use proptest::prelude::*;

use super::{
    Fallible, Row, Split, WHOLE, any_split, as_words, carry_out, carry_out_plan, columns_of, make_table, nasty_rows,
    number, same, text, whole,
};
use crate::recipe::document::Recipe;
use crate::recipe::plan::Plan;
use crate::recipe::plan::chunk::Chunk;
use crate::recipe::plan::exact_sum::ExactSum;
use crate::recipe::plan::operator::{Applied, Operator, PlanError};
use crate::recipe::plan::ordered::{Detour, Order, OrderedStep, Settled, Walk};
use crate::recipe::references::References;

/// Whether a text shows nothing.
pub(super) fn shows_nothing(name: Option<&str>) -> bool {
    name.is_none_or(|name| name.chars().all(|c| c.is_whitespace() || c == '\u{200b}'))
}

/// Fills the blanks of rows from above.
fn filled_down<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<Row> {
    let (mut name, mut quantity) = (None, None);
    let fill = |row: &Row| {
        if !shows_nothing(row.name.as_deref()) {
            name.clone_from(&row.name);
        }
        quantity = row.quantity.or(quantity);
        Row {
            // Above the first filled cell a blank stays what it is.
            name: name.clone().or_else(|| row.name.clone()),
            quantity,
            price: row.price,
        }
    };
    rows.map(fill).collect()
}

fn with(row: &Row, value: String) -> Vec<String> {
    [as_words(row), vec![value]].concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn fill_takes_the_nearest_filled_cell_above_or_below(rows in nasty_rows(), split in any_split()) {
        let wanted: Vec<_> = filled_down(rows.iter()).iter().map(as_words).collect();
        same(&rows, split, "steps: [{fill: {columns: [name, quantity]}}]", &wanted)?;
        let mut wanted: Vec<_> = filled_down(rows.iter().rev()).iter().map(as_words).collect();
        wanted.reverse();
        same(&rows, split, "steps: [{fill: {columns: [quantity, name], direction: up}}]", &wanted)?;
    }

    #[test]
    fn fill_puts_a_value_into_blank_cells(rows in nasty_rows(), split in any_split()) {
        let wanted: Vec<_> = rows.iter().map(|row| {
            let name = if shows_nothing(row.name.as_deref()) { Some("0") } else { row.name.as_deref() };
            vec![text(name), whole(row.quantity.or(Some(0))), number(row.price.or(Some(0.0)))]
        }).collect();
        same(&rows, split, "steps: [{fill: {columns: [name, quantity, unit price], value: 0}}]", &wanted)?;
        let wanted: Vec<_> = rows.iter().map(|row| {
            vec![text(row.name.as_deref()), number(row.quantity.map(|it| it as f64).or(Some(0.5))), number(row.price)]
        }).collect();
        same(&rows, split, "steps: [{fill: {columns: [quantity], direction: value, value: '0.5'}}]", &wanted)?;
    }

    #[test]
    fn rows_are_numbered_over_all_or_in_each_group(rows in nasty_rows(), split in any_split()) {
        let wanted: Vec<_> = rows.iter().zip(5..).map(|(row, n)| with(row, whole(Some(n)))).collect();
        same(&rows, split, "steps: [{number_rows: {column: n, start: 5}}]", &wanted)?;
        let mut seen: HashMap<Option<String>, i64> = HashMap::new();
        let wanted: Vec<_> = rows.iter().map(|row| {
            let n = seen.entry(row.name.clone()).or_default();
            *n += 1;
            with(row, whole(Some(*n)))
        }).collect();
        same(&rows, split, "steps: [{number_rows: {column: n, by: [name]}}]", &wanted)?;
    }

    #[test]
    fn totals_run_exactly_and_blanks_add_nothing(rows in nasty_rows(), split in any_split()) {
        let mut sum = ExactSum::default();
        let wanted: Vec<_> = rows.iter().map(|row| {
            row.price.into_iter().for_each(|price| sum.add(price));
            with(row, number(Some(sum.value())))
        }).collect();
        same(&rows, split, "steps: [{running_total: {column: t, of: unit price}}]", &wanted)?;
        let mut sums: HashMap<(Option<String>, Option<i64>), ExactSum> = HashMap::new();
        let wanted: Vec<_> = rows.iter().map(|row| {
            let sum = sums.entry((row.name.clone(), row.quantity)).or_default();
            row.price.into_iter().for_each(|price| sum.add(price));
            vec![text(row.name.as_deref()), whole(row.quantity), number(Some(sum.value()))]
        }).collect();
        same(&rows, split, "steps: [{running_total: {column: unit price, of: unit price, by: [name, quantity]}}]", &wanted)?;
    }

    #[test]
    fn a_difference_needs_both_cells(rows in nasty_rows(), split in any_split()) {
        let mut above: HashMap<Option<String>, Option<i64>> = HashMap::new();
        let wanted: Vec<_> = rows.iter().map(|row| {
            let last = above.insert(row.name.clone(), row.quantity).flatten();
            with(row, number(row.quantity.zip(last).map(|(here, above)| (here - above) as f64)))
        }).collect();
        same(&rows, split, "steps: [{difference: {column: d, of: quantity, by: [name]}}]", &wanted)?;
        let mut last = None;
        let wanted: Vec<_> = rows.iter().map(|row| {
            let above = std::mem::replace(&mut last, row.price);
            with(row, number(row.price.zip(above).map(|(here, above)| here - above)))
        }).collect();
        same(&rows, split, "steps: [{difference: {column: d, of: unit price}}]", &wanted)?;
    }

    #[test]
    fn ranks_count_the_rows_before(rows in nasty_rows(), split in any_split()) {
        let greater = |row: &Row, other: &Row| other.price > row.price;
        let wanted: Vec<_> = rows.iter().map(|row| {
            let before = rows.iter().filter(|other| greater(row, other)).count() as i64;
            with(row, whole(row.price.map(|_| before + 1)))
        }).collect();
        same(&rows, split, "steps: [{rank: {column: r, of: unit price}}]", &wanted)?;
        let wanted: Vec<_> = rows.iter().map(|row| {
            let mut smaller: Vec<i64> = rows.iter()
                .filter(|other| other.name == row.name && other.quantity < row.quantity)
                .filter_map(|other| other.quantity).collect();
            smaller.sort_unstable();
            smaller.dedup();
            with(row, whole(row.quantity.map(|_| smaller.len() as i64 + 1)))
        }).collect();
        same(&rows, split, "steps: [{rank: {column: r, of: quantity, order: ascending, ties: dense, by: [name]}}]", &wanted)?;
    }

    #[test]
    fn first_and_last_rows_stay(rows in nasty_rows(), split in any_split(), wanted in 1..130_usize) {
        let all: Vec<_> = rows.iter().map(as_words).collect();
        let some = wanted.min(all.len());
        let tally = same(&rows, split, &format!("steps: [{{first: {wanted}}}]"), &all[..some])?;
        prop_assert_eq!(tally.accounts[1].filtered.rows as usize, all.len() - some);
        let tally = same(&rows, split, &format!("steps: [{{last: {{rows: {wanted}}}}}]"), &all[all.len() - some..])?;
        prop_assert_eq!(tally.accounts[1].filtered.rows as usize, all.len() - some);
    }

    #[test]
    fn a_sample_is_the_same_however_the_work_is_split(rows in nasty_rows(), split in any_split(), seed in 0..5_usize) {
        for size in ["rows: 7", "share: 25%"] {
            let recipe = format!("steps: [{{number_rows: {{column: n}}}}, {{sample: {{{size}, seed: {seed}}}}}, {{select: [n]}}]");
            let made = carry_out(&columns_of(&rows), &recipe, WHOLE).map_err(|error| TestCaseError::fail(error.to_string()))?;
            same(&rows, split, &recipe, &made.rows)?;
            let numbers: Vec<usize> = made.rows.iter().map(|row| row[0][2..].parse().expect("a number")).collect();
            prop_assert!(numbers.is_sorted_by(|one, next| one < next), "{:?}", numbers);
            if size == "rows: 7" {
                prop_assert_eq!(numbers.len(), rows.len().min(7));
            }
        }
    }

    #[test]
    fn blank_rows_go(rows in nasty_rows(), split in any_split()) {
        let nothing = |row: &Row| shows_nothing(row.name.as_deref()) && row.quantity.is_none();
        let wanted: Vec<_> = rows.iter().filter(|row| !nothing(row)).map(as_words).collect();
        same(&rows, split, "steps: [{blank_rows: {columns: [name, quantity]}}]", &wanted)?;
        let wanted: Vec<_> = rows.iter().filter(|row| !nothing(row) || row.price.is_some()).map(as_words).collect();
        same(&rows, split, "steps: [blank_rows]", &wanted)?;
    }

    #[test]
    fn many_such_steps_give_the_same_however_the_work_is_split(rows in nasty_rows(), split in any_split()) {
        let recipe = "steps: [{fill: {columns: [name], direction: up}}, {number_rows: {column: n, by: [name]}}, \
                      {filter: {keep: \"quantity <> 1\"}}, {fill: {columns: [quantity]}}, {running_total: {column: t, of: quantity, by: [n]}}, \
                      {rank: {column: r, of: t, by: [name]}}, {last: 70}, {sort: {by: [{column: name, compare: natural, blanks: first}]}}, \
                      {sample: {rows: 40}}, {difference: {column: d, of: r}}, {sample: {share: 0.5}}, {first: 15}]";
        let whole = carry_out(&columns_of(&rows), recipe, WHOLE).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let tally = same(&rows, split, recipe, &whole.rows)?;
        prop_assert_eq!(&tally.accounts, &whole.tally.accounts);
    }
}

#[test]
fn a_column_that_is_blank_for_long_is_filled_from_below_within_its_memory() -> Fallible {
    let count = 300_000_usize;
    let rows: Vec<Row> = (0..count)
        .map(|row| Row {
            name: (row % 100_000 == 99_999).then(|| format!("group {row}")),
            quantity: (row < 10).then_some(1),
            price: Some(row as f64),
        })
        .collect();
    let split = Split {
        part_rows: 200_000,
        window_rows: 10_000,
        jobs: 2,
        held: Some(1 << 20),
    };
    let recipe = "steps: [{fill: {columns: [name, quantity], direction: up}}]";
    let made = carry_out(&columns_of(&rows), recipe, split)?;
    assert_eq!(made.rows.len(), count);
    for (row, made) in made.rows.iter().enumerate() {
        let below = row / 100_000 * 100_000 + 99_999;
        assert_eq!(made[0], format!("t:group {below}"));
        assert_eq!(made[1], if row < 10 { "n:1" } else { "-" });
        assert_eq!(made[2], format!("n:{row}"));
    }
    Ok(())
}

#[test]
fn a_sample_of_many_rows_is_as_large_as_asked_and_spread_over_all() -> Fallible {
    let rows: Vec<Row> = (0..100_000)
        .map(|row| Row {
            name: None,
            quantity: Some(row),
            price: None,
        })
        .collect();
    let columns = columns_of(&rows);
    let split = Split {
        part_rows: 30_000,
        window_rows: 7_000,
        jobs: 2,
        held: None,
    };
    let quantities = |recipe: &str| -> Fallible<Vec<usize>> {
        let made = carry_out(&columns, recipe, split)?;
        Ok(made
            .rows
            .iter()
            .map(|row| row[1][2..].parse())
            .collect::<Result<_, _>>()?)
    };
    let sample = quantities("steps: [{sample: {rows: 1000}}]")?;
    assert_eq!(sample.len(), 1000);
    let early = sample.iter().filter(|quantity| **quantity < 50_000).count();
    assert!((400..600).contains(&early), "{early} of 1000 in the first half");
    assert_ne!(sample, quantities("steps: [{sample: {rows: 1000, seed: 2}}]")?);
    let share = quantities("steps: [{sample: {share: 10%}}]")?.len();
    assert!((9_500..10_500).contains(&share), "{share} of 100,000");
    Ok(())
}

/// A step that loses the first row of each chunk on its way, and says nothing.
#[derive(Debug)]
struct Leak;

/// Its walk; where it is told to, it makes a detour first.
struct LeakWalk {
    detour: bool,
}

impl OrderedStep for Leak {
    fn begin(&self) -> Result<Box<dyn Walk>, PlanError> {
        Ok(Box::new(LeakWalk { detour: false }))
    }

    fn needs(&self, wanted: &[bool], _before: usize) -> Vec<bool> {
        wanted.to_vec()
    }
}

impl Walk for LeakWalk {
    fn next(&mut self, chunk: Chunk) -> Result<Vec<Settled>, PlanError> {
        self.detour = true;
        let chunk = chunk.slice(1, chunk.rows() - 1)?;
        let applied = Applied::same_columns(chunk.columns.clone());
        Ok(vec![Settled { chunk, applied }])
    }

    fn bytes(&self) -> usize {
        if self.detour { usize::MAX } else { 0 }
    }

    fn detour(self: Box<Self>) -> Result<Detour, PlanError> {
        Ok(Detour {
            pending: Vec::new(),
            order: Order::Backward,
            walk: self,
        })
    }
}

#[test]
fn a_row_that_is_lost_on_the_way_fails_the_run() -> Fallible {
    let rows: Vec<Row> = (0..10)
        .map(|n| Row {
            name: None,
            quantity: Some(n),
            price: None,
        })
        .collect();
    let folder = tempfile::tempdir()?;
    let table = make_table(folder.path(), &columns_of(&rows), 100)?;
    let recipe = Recipe::parse("steps: [{first: 100}]").map_err(|p| format!("{p:?}"))?;
    for window_rows in [100, 4] {
        let mut plan = Plan::new(&recipe, table.meta(), 1, &References::default()).map_err(|p| format!("{p:?}"))?;
        plan.steps[0].operator = Operator::ordered(Leak);
        let split = Split { window_rows, ..WHOLE };
        let error = carry_out_plan(plan, table.clone(), folder.path(), split).err();
        assert!(error.is_some_and(|error| error.to_string().contains("does not balance")));
    }
    Ok(())
}
