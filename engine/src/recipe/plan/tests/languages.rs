//! Sorting in the order of a language, also of cells of several kinds, and on disk.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};

use super::{Fallible, Split, WHOLE, carry_out};

fn sorted(words: &[&str], options: &str) -> Fallible<Vec<String>> {
    let column: ArrayRef = Arc::new(StringArray::from(words.to_vec()));
    let made = carry_out(&[("word", column)], &format!("steps: [{{sort: {options}}}]"), WHOLE)?;
    let rows = made.rows.concat();
    Ok(rows
        .iter()
        .map(|word| word.trim_start_matches("t:").to_owned())
        .collect())
}

#[test]
fn words_sort_in_the_order_of_their_language() -> Fallible {
    let swedish = sorted(
        &["Öberg", "Zorn", "Ärlig", "Åberg", "adam", "Adam"],
        "{by: word, locale: sv}",
    )?;
    assert_eq!(swedish, ["adam", "Adam", "Zorn", "Åberg", "Ärlig", "Öberg"]);
    let down = sorted(
        &["Zorn", "Öberg", "Åberg"],
        "{by: [{column: word, order: descending}], locale: sv}",
    )?;
    assert_eq!(down, ["Öberg", "Åberg", "Zorn"]);
    let natural = sorted(
        &["Öl 10", "Zug 1", "öl 2", "ÖL 2"],
        "{by: [{column: word, compare: natural}], locale: de}",
    )?;
    assert_eq!(
        natural,
        ["öl 2", "ÖL 2", "Öl 10", "Zug 1"],
        "equal ones keep their order"
    );
    Ok(())
}

#[test]
fn cells_of_several_kinds_sort_numbers_before_texts_of_the_language() -> Fallible {
    let column: ArrayRef = Arc::new(StringArray::from(vec![
        Some("ñu"),
        Some("10"),
        Some("nube"),
        None,
        Some("-3"),
        Some("ojo"),
    ]));
    let recipe = "steps: [{convert: {column: word, to: integer, otherwise: keep}}, {sort: {by: word, locale: es}}]";
    let made = carry_out(&[("word", column)], recipe, WHOLE)?;
    assert_eq!(made.rows.concat(), ["n:-3", "n:10", "t:nube", "t:ñu", "t:ojo", "-"]);
    Ok(())
}

#[test]
fn a_large_sort_in_a_language_is_the_same_on_disk_and_at_any_number_of_threads() -> Fallible {
    // Heavier than the 32 MiB that a step has at least.
    let letters = ["a", "å", "ä", "ö", "z", "Z", "Å", "o"];
    let word = |row: usize| {
        format!(
            "{}{}{:0>400}",
            letters[row * 7919 % 8],
            letters[row * 104_729 % 8],
            row * 7919 % 100_003
        )
    };
    let rows = 40_000;
    let words: StringArray = (0..rows).map(|row| Some(word(row))).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![("word", Arc::new(words))];
    // The alphabet by hand: place of the letter, then the digits, then small before capital.
    let place = |c: char| {
        ["aA", "oO", "zZ", "åÅ", "äÄ", "öÖ"]
            .iter()
            .position(|both| both.contains(c))
            .unwrap_or(0)
    };
    let mut wanted: Vec<usize> = (0..rows).collect();
    wanted.sort_by_cached_key(|row| {
        let word = word(*row);
        let letters: Vec<char> = word.chars().take(2).collect();
        let digits: String = word.chars().skip(2).collect();
        let places: Vec<usize> = letters.iter().map(|c| place(*c)).collect();
        let capitals: Vec<bool> = letters.iter().map(|c| c.is_uppercase()).collect();
        (places, digits, capitals, *row)
    });
    for jobs in [1, 2, 8] {
        let split = Split {
            part_rows: 60_000,
            window_rows: 20_000,
            jobs,
            held: None,
        };
        let made = carry_out(
            &columns,
            "steps: [{sort: {by: [{column: word, order: descending}], locale: sv}}, {sort: {by: word, locale: sv}}]",
            split,
        )?;
        assert!(
            made.rows
                .iter()
                .zip(&wanted)
                .all(|(made, row)| made[0][2..] == word(*row)),
            "{jobs} jobs"
        );
        assert_eq!(made.rows.len(), rows);
    }
    Ok(())
}
