//! Columns that become rows and rows that become columns, against the same thing in plain Rust.

use proptest::prelude::*;

use super::ordered::shows_nothing;
use super::{Fallible, Row, WHOLE, any_split, carry_out, columns_of, nasty_rows, number, same, text, whole};
use crate::recipe::plan::exact_sum::ExactSum;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn each_row_becomes_one_for_each_column(rows in nasty_rows(), split in any_split()) {
        let wanted: Vec<_> = rows.iter().flat_map(|row| {
            let name = text(row.name.as_deref());
            [("quantity", whole(row.quantity)), ("unit price", number(row.price))]
                .map(|(column, cell)| vec![name.clone(), format!("t:{column}"), cell])
        }).collect();
        let tally = same(&rows, split, "steps: [{unpivot: {keep: name, names: n, values: v}}]", &wanted)?;
        prop_assert_eq!(tally.accounts[1].added.rows as usize, rows.len());
        prop_assert_eq!(tally.accounts[1].kept.rows as usize, 2 * rows.len());
    }

    #[test]
    fn cells_of_any_kind_stand_in_one_column_and_blanks_may_stay_away(rows in nasty_rows(), split in any_split()) {
        let wanted: Vec<_> = rows.iter().flat_map(|row| {
            let price = number(row.price);
            let name = if shows_nothing(row.name.as_deref()) { "-".to_owned() } else { text(row.name.as_deref()) };
            [("quantity", whole(row.quantity)), ("name", name)].into_iter()
                .filter(|(_, cell)| cell != "-")
                .map(move |(column, cell)| vec![price.clone(), format!("t:{column}"), cell])
        }).collect();
        let recipe = "steps: [{unpivot: {columns: [quantity, name], blanks: leave_out}}]";
        let tally = same(&rows, split, recipe, &wanted)?;
        let lost = rows.iter().filter(|row| shows_nothing(row.name.as_deref()) && row.quantity.is_none()).count();
        prop_assert_eq!(tally.accounts[1].filtered.rows as usize, lost);
    }

    #[test]
    fn what_follows_sees_the_new_rows_in_order(rows in nasty_rows(), split in any_split()) {
        let mut sorted = rows.clone();
        sorted.sort_by_key(|row| (row.quantity.is_none(), row.quantity));
        let wanted: Vec<_> = sorted.iter().flat_map(|row| [whole(row.quantity), number(row.price)])
            .zip(1..).map(|(cell, n)| vec![cell, whole(Some(n))]).collect();
        let recipe = "steps: [{sort: {by: [quantity]}}, {unpivot: {keep: [name], names: which}}, {number_rows: {column: n}}, {select: [value, n]}]";
        same(&rows, split, recipe, &wanted)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn names_become_columns_and_others_are_rejected(rows in nasty_rows(), split in any_split()) {
        const NAMES: [&str; 4] = ["a", "=1+1", "é", "it's \"x\""];
        let named = |row: &&Row| row.name.as_deref().is_some_and(|name| NAMES.contains(&name));
        let mut order: Vec<Option<i64>> = Vec::new();
        for row in rows.iter().filter(named) {
            if !order.contains(&row.quantity) {
                order.push(row.quantity);
            }
        }
        let wanted: Vec<_> = order.iter().map(|quantity| {
            let sums = NAMES.iter().map(|name| {
                let mut sum = ExactSum::default();
                let prices: Vec<f64> = rows.iter()
                    .filter(|row| row.quantity == *quantity && row.name.as_deref() == Some(*name))
                    .filter_map(|row| row.price).collect();
                prices.iter().for_each(|price| sum.add(*price));
                number((!prices.is_empty()).then(|| sum.value()))
            });
            [whole(*quantity)].into_iter().chain(sums).collect::<Vec<_>>()
        }).collect();
        let recipe = r#"steps: [{pivot: {rows: [quantity], names: name, columns: [a, "=1+1", é, "it's \"x\""], values: unit price}}]"#;
        let tally = same(&rows, split, recipe, &wanted)?;
        let rejected = rows.iter().filter(|row| !named(row)).count();
        prop_assert_eq!(tally.rejects.rows() as usize, rejected);
        prop_assert_eq!(tally.accounts[1].aggregated.rows as usize, rows.len() - rejected);
    }

    #[test]
    fn what_is_turned_into_rows_can_be_turned_back(rows in nasty_rows(), split in any_split()) {
        let wanted: Vec<_> = rows.iter().zip(1..).map(|(row, n)| {
            vec![whole(Some(n)), number(row.quantity.map(|it| it as f64)), number(row.price)]
        }).collect();
        let recipe = "steps: [{number_rows: {column: n}}, {unpivot: {columns: [quantity, unit price]}}, \
                      {pivot: {rows: [n], names: column, columns: [quantity, unit price], values: value, total: first}}]";
        same(&rows, split, recipe, &wanted)?;
    }
}

#[test]
fn a_name_that_becomes_no_column_is_said() -> Fallible {
    let rows = [(Some("Q1"), 2024), (Some("Q5"), 2024), (None, 2024), (Some("Q2"), 2025)].map(|(name, year)| Row {
        name: name.map(str::to_owned),
        quantity: Some(year),
        price: Some(1.5),
    });
    let recipe = "steps: [{pivot: {rows: [quantity], names: name, columns: [Q1, Q2], values: name, total: count}}]";
    let made = carry_out(&columns_of(&rows), recipe, WHOLE)?;
    assert_eq!(made.rows, [["n:2024", "n:1", "n:0"], ["n:2025", "n:0", "n:1"]]);
    let mut messages = Vec::new();
    made.tally.rejects.finish(|batch| {
        let column = batch.column_by_name("message").map(super::words);
        messages.extend(column.and_then(Result::ok).unwrap_or_default());
        Ok(())
    })?;
    assert_eq!(
        messages,
        [
            "t:`Q5` is not among the names that become columns",
            "t:a blank is not among the names that become columns"
        ]
    );
    let by_year = "steps: [{pivot: {rows: [], names: quantity, columns: [2024, 2025], values: unit price}}]";
    assert_eq!(
        carry_out(&columns_of(&rows), by_year, WHOLE)?.rows,
        [["n:4.5", "n:1.5"]]
    );
    Ok(())
}
