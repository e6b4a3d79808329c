//! `case`, `normalise`, `pad`.

use super::*;

/// Words as the guide has them: letters and digits, with marks and apostrophes behind the first of them.
fn pieces(text: &str) -> Vec<(bool, String)> {
    let mut pieces: Vec<(bool, String)> = Vec::new();
    for c in text.chars() {
        let goes_on = "'\u{301}\u{ad}\u{200d}".contains(c);
        let in_word = matches!(pieces.last(), Some((true, _)));
        let is_word = c.is_alphanumeric() || (goes_on && in_word);
        match pieces.last_mut() {
            Some((word, piece)) if *word == is_word => piece.push(c),
            _ => pieces.push((is_word, c.to_string())),
        }
    }
    pieces
}

/// Head letters of the nasty texts whose form at the head of a word is not simply their capital.
fn head(c: char) -> String {
    match c {
        'ß' => "Ss".into(),
        'ﬁ' => "Fi".into(),
        'ǆ' => "ǅ".into(),
        'ᾳ' => "ᾼ".into(),
        'ŉ' => "ʼN".into(),
        c => c.to_uppercase().collect(),
    }
}

fn with_head(word: &str) -> String {
    let first = word.chars().next().unwrap_or_default();
    // The small form of the whole word, so that a sigma knows where it stands; then its first letter gives way.
    let small = word.to_lowercase();
    let begun: String = first.to_lowercase().collect();
    format!("{}{}", head(first), &small[begun.len()..])
}

fn title(text: &str) -> String {
    pieces(text)
        .iter()
        .map(|(word, piece)| if *word { with_head(piece) } else { piece.clone() })
        .collect()
}

fn sentence(text: &str) -> String {
    let mut result = String::new();
    let mut begins = true;
    for (word, piece) in pieces(text) {
        if !word {
            let end = piece.find(['.', '!']);
            begins = begins || end.is_some_and(|end| piece[end..].contains(char::is_whitespace));
            result.push_str(&piece);
        } else if begins {
            result.push_str(&with_head(&piece));
            begins = false;
        } else {
            result.push_str(&piece.to_lowercase());
        }
    }
    result
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn case_changes_the_letters_of_texts_only(cells in nasty_cells(), split in any_split()) {
        changes_texts(&cells, split, "{case: {to: upper}}", str::to_uppercase)?;
        changes_texts(&cells, split, "{case: {columns: [mixed, text], to: lower}}", str::to_lowercase)?;
        changes_texts(&cells, split, "{case: {to: title}}", title)?;
        changes_texts(&cells, split, "{case: {to: sentence}}", sentence)?;
    }

    #[test]
    fn pad_makes_text_of_all_cells_and_none_too_short(cells in nasty_cells(), split in any_split(), length in 1..12_usize) {
        let padded = |plain: String| match plain.as_str() {
            "" => "-".to_owned(),
            plain => {
                let missing = length.saturating_sub(plain.chars().count());
                format!("t:{}{plain}", "0".repeat(missing))
            }
        };
        let only = |cell: &Cell, is: bool| padded(if is { cell.plain() } else { String::new() });
        let wanted: Vec<_> = cells.iter().map(|cell| vec![
            only(cell, matches!(cell, Cell::Text(_))),
            padded(cell.plain()),
            only(cell, matches!(cell, Cell::Number(number) if number.fract() == 0.0)),
            only(cell, matches!(cell, Cell::Day(_))),
        ]).collect();
        let made = made(&cells, split, &format!("steps: [{{pad: {{columns: [text, mixed, whole, day], length: {length}}}}}]"))?;
        prop_assert_eq!(made.rows, wanted);
        prop_assert_eq!(made.tally.rejects.rows(), 0);
    }
}

#[test]
fn case_by_example() -> Fallible {
    for (to, given, wanted) in [
        ("upper", "straße ﬁ ŉ", "STRASSE FI ʼN"),
        ("lower", "İSTANBUL ΟΔΟΣ", "i̇stanbul οδος"),
        (
            "title",
            "jean-luc o'neil DON'T 2nd x_y",
            "Jean-Luc O'neil Don't 2nd X_Y",
        ),
        ("title", "ǆ ß ΣΑΣ ΑΣ İX მარია", "ǅ Ss Σας Ας İx მარია"),
        (
            "title",
            "\u{1f80} \u{1fb7} e\u{301}A",
            "\u{1f88} Α\u{342}\u{345} E\u{301}a",
        ),
        (
            "sentence",
            " HELLO world.  it's 5 o'clock! (yes) v1.5 ΟΔΟΣ",
            " Hello world.  It's 5 o'clock! (Yes) v1.5 οδος",
        ),
        ("sentence", "a.b. c", "A.b. C"),
        (
            "title",
            "donau\u{ad}DAMPF\u{200b}schiff",
            "Donau\u{ad}dampf\u{200b}Schiff",
        ),
        ("sentence", "\u{ad}hello. wor\u{ad}LD", "\u{ad}Hello. Wor\u{ad}ld"),
    ] {
        assert_eq!(
            one(&format!("{{case: {{to: {to}}}}}"), given)?,
            Some(wanted.into()),
            "{to} {given:?}"
        );
    }
    Ok(())
}

#[test]
fn pad_by_example() -> Fallible {
    for (options, given, wanted) in [
        ("length: 5", "42", "00042"),
        ("length: 5", "ab\u{a0}cde", "ab\u{a0}cde"),
        ("length: 3, with: \"👧\"", "é", "👧👧é"),
        ("length: 4, with: ' ', side: right", "ab", "ab  "),
    ] {
        assert_eq!(
            one(&format!("{{pad: {{columns: text, {options}}}}}"), given)?,
            Some(wanted.into()),
            "{options} {given:?}"
        );
    }
    let numbers: ArrayRef = Arc::new(Float64Array::from(vec![Some(7.0), Some(-1.5), Some(1e6), None]));
    let made = carry_out(&[("n", numbers)], "steps: [{pad: {columns: n, length: 5}}]", WHOLE)?;
    assert_eq!(made.rows, [["t:00007"], ["t:0-1.5"], ["t:1000000"], ["-"]]);
    Ok(())
}

#[test]
fn a_text_that_would_be_longer_than_a_cell_is_rejected_and_never_made() -> Fallible {
    let most = 32_767;
    // Each small letter becomes two.
    assert_eq!(
        one("{case: {to: upper}}", &"ß".repeat(most / 2))?,
        Some("SS".repeat(most / 2))
    );
    assert_eq!(one("{case: {to: upper}}", &"ß".repeat(most / 2 + 1))?, None);
    // What is too long already may stay.
    assert_eq!(
        one("{case: {to: upper}}", &"a".repeat(most + 1))?,
        Some("A".repeat(most + 1))
    );
    assert_eq!(
        one("{pad: {columns: text, length: 32767}}", "a")?.map(|text| text.len()),
        Some(most)
    );
    // Excel counts units of UTF-16, of which this face has two.
    assert_eq!(one("{pad: {columns: text, length: 32767, with: \"👧\"}}", "a")?, None);
    assert_eq!(
        one("{pad: {columns: text, length: 16384, with: \"👧\"}}", "a")?.map(|text| text.chars().count()),
        Some(16_384)
    );
    Ok(())
}

#[test]
fn a_row_that_is_rejected_for_its_length_says_where() -> Fallible {
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["a".to_owned(), "ß".repeat(20_000)]));
    let recipe = "{steps: [{case: {to: upper}}, {drop: [text]}], output: {rejects: {policy: keep}}}";
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let made = carry_out(&[("text", texts), ("n", numbers)], recipe, WHOLE)?;
    assert_eq!(made.rows, [["n:1"], ["n:2"]]);
    let mut seen = Vec::new();
    made.tally.rejects.finish(|batch| {
        seen = batch
            .columns()
            .iter()
            .map(|column| words(column).unwrap_or_default().concat())
            .collect();
        Ok(())
    })?;
    assert_eq!(seen[2..5], ["n:3", "t:A3", "t:text"]);
    assert_eq!(seen[7], "t:too_long");
    assert!(seen[8].contains("32,767 characters"), "{}", seen[8]);
    Ok(())
}
