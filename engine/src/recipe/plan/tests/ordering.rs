//! Sorting with an order of its own for texts and blanks, and finding rows that are alike in a way of its own.

use std::cmp::Ordering;
use std::collections::HashSet;

use proptest::prelude::*;

use super::{Fallible, Row, WHOLE, any_split, as_words, carry_out, columns_of, nasty_rows, same};

/// A part of a text as people order it.
#[derive(Debug)]
enum Part {
    /// Digits without zeros in front.
    Number(String),
    /// Anything else, in small letters.
    Letter(char),
}

fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut digits: Option<String> = None;
    for c in text.chars() {
        if c.is_ascii_digit() {
            digits.get_or_insert_default().push(c);
            continue;
        }
        parts.extend(digits.take().map(Part::Number));
        parts.extend(c.to_lowercase().map(Part::Letter));
    }
    parts.extend(digits.map(Part::Number));
    parts
}

fn natural(left: &str, right: &str) -> Ordering {
    let compare = |(left, right): (Part, Part)| match (left, right) {
        (Part::Letter(left), Part::Letter(right)) => left.cmp(&right),
        (Part::Letter(letter), Part::Number(_)) => letter.cmp(&'0'),
        (Part::Number(_), Part::Letter(letter)) => '0'.cmp(&letter),
        (Part::Number(left), Part::Number(right)) => {
            let (left, right) = (left.trim_start_matches('0'), right.trim_start_matches('0'));
            left.len().cmp(&right.len()).then(left.cmp(right))
        }
    };
    let (left, right) = (parts(left), parts(right));
    let lengths = left.len().cmp(&right.len());
    let first = left.into_iter().zip(right).map(compare).find(|order| order.is_ne());
    first.unwrap_or(lengths)
}

fn numbered_rows() -> impl Strategy<Value = Vec<Row>> {
    let name = proptest::option::weighted(0.9, "[aA]?[0-9]{0,3}[ bB-]?[0-9]{0,2}[zé]?");
    let row = (name, proptest::option::weighted(0.8, 0..5_i64)).prop_map(|(name, quantity)| Row {
        name: name.filter(|name| !name.is_empty()),
        quantity,
        price: None,
    });
    proptest::collection::vec(row, 0..120)
}

/// Blanks behind or in front, whichever way the others are sorted.
fn placed<T>(left: Option<T>, right: Option<T>, blanks_first: bool, compare: impl Fn(T, T) -> Ordering) -> Ordering {
    match (left, right) {
        (Some(left), Some(right)) => compare(left, right),
        (left, right) => {
            let order = left.is_none().cmp(&right.is_none());
            if blanks_first { order.reverse() } else { order }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn numbers_in_texts_sort_by_their_value(rows in numbered_rows(), split in any_split()) {
        let mut sorted = rows.clone();
        sorted.sort_by(|left, right| placed(left.name.as_deref(), right.name.as_deref(), false, natural));
        let wanted: Vec<_> = sorted.iter().map(as_words).collect();
        same(&rows, split, "steps: [{sort: {by: [{column: name, compare: natural}]}}]", &wanted)?;
        sorted.clone_from(&rows);
        sorted.sort_by(|left, right| {
            placed(left.name.as_deref(), right.name.as_deref(), true, |left, right| natural(right, left))
        });
        let wanted: Vec<_> = sorted.iter().map(as_words).collect();
        let recipe = "steps: [{sort: {by: [{column: name, order: descending, compare: natural, blanks: first}]}}]";
        same(&rows, split, recipe, &wanted)?;
    }

    #[test]
    fn letters_sort_alike_and_blanks_stand_where_they_are_wanted(rows in nasty_rows(), split in any_split()) {
        let mut sorted = rows.clone();
        let small = |left: &str, right: &str| left.to_lowercase().cmp(&right.to_lowercase());
        sorted.sort_by(|left, right| {
            placed(left.quantity, right.quantity, true, |left, right| left.cmp(&right))
                .then(placed(left.name.as_deref(), right.name.as_deref(), false, small))
        });
        let wanted: Vec<_> = sorted.iter().map(as_words).collect();
        let recipe = "steps: [{sort: {by: [{column: quantity, blanks: first}, {column: name, compare: ignore_case}]}}]";
        same(&rows, split, recipe, &wanted)?;
    }
}

#[test]
fn cells_of_several_kinds_sort_numbers_before_texts_by_their_value() -> Fallible {
    let rows = ["item 10", "12", "Item 2", "n/a", "-3"].map(|name| Row {
        name: Some(name.into()),
        quantity: None,
        price: None,
    });
    let recipe = "steps: [{convert: {column: name, to: integer, otherwise: keep}}, {fill: {columns: [quantity], value: 1}}, \
                  {sort: {by: [{column: name, compare: natural}]}}, {select: [name]}]";
    let made = carry_out(&columns_of(&rows), recipe, WHOLE)?;
    assert_eq!(made.rows.concat(), ["n:-3", "n:12", "t:Item 2", "t:item 10", "t:n/a"]);
    Ok(())
}

fn filled(row: &Row) -> usize {
    let name = !super::ordered::shows_nothing(row.name.as_deref());
    usize::from(name) + usize::from(row.quantity.is_some()) + usize::from(row.price.is_some())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_most_complete_of_rows_that_are_alike_stays(rows in nasty_rows(), split in any_split()) {
        let beats = |(other, at): (&Row, usize), (row, here): (&Row, usize)| {
            other.quantity == row.quantity
                && (filled(other) > filled(row) || (filled(other) == filled(row) && at < here))
        };
        let stays = |(here, row): &(usize, &Row)| !rows.iter().zip(0..).any(|other| beats(other, (row, *here)));
        let wanted: Vec<_> = rows.iter().enumerate().filter(stays).map(|(_, row)| as_words(row)).collect();
        let tally = same(&rows, split, "steps: [{deduplicate: {by: [quantity], keep: most_complete}}]", &wanted)?;
        prop_assert_eq!(tally.accounts[1].deduplicated.rows as usize, rows.len() - wanted.len());
    }

    #[test]
    fn what_is_ignored_does_not_tell_rows_apart(rows in nasty_rows(), split in any_split()) {
        let simple = |row: &Row| {
            let name = row.name.as_deref().unwrap_or_default();
            let name: String = name.chars().filter(|c| !c.is_whitespace() && *c != '\u{200b}').collect();
            (name.to_lowercase().replace('é', "e"), row.quantity)
        };
        let mut seen = HashSet::new();
        let firsts: Vec<_> = rows.iter().filter(|row| seen.insert(simple(row))).map(as_words).collect();
        same(&rows, split, "steps: [{deduplicate: {by: [name, quantity], ignore: [case, blanks, accents]}}]", &firsts)?;
        let mut seen = HashSet::new();
        let mut lasts: Vec<_> = rows.iter().rev()
            .filter(|row| seen.insert(row.name.as_ref().map(|name| name.to_lowercase()))).map(as_words).collect();
        lasts.reverse();
        same(&rows, split, "steps: [{deduplicate: {by: name, keep: last, ignore: case}}]", &lasts)?;
    }
}
