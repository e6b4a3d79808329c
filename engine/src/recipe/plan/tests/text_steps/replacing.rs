//! `replace`, `map`, `normalise`.

use super::*;

/// Puts `with` in place of each `find`, looking from left to right, character by character.
fn replaced(text: &str, find: &str, with: &str, same: impl Fn(char, char) -> bool) -> String {
    let (text, find): (Vec<char>, Vec<char>) = (text.chars().collect(), find.chars().collect());
    let mut result = String::new();
    let mut at = 0;
    while at < text.len() {
        let found = text[at..].len() >= find.len() && text[at..].iter().zip(&find).all(|(a, b)| same(*a, *b));
        if found {
            result.push_str(with);
            at += find.len();
        } else {
            result.push(text[at]);
            at += 1;
        }
    }
    result
}

/// Each run of digits in brackets.
fn bracketed(text: &str) -> String {
    let mut result = String::new();
    let mut before = false;
    for c in text.chars() {
        let digit = c.is_ascii_digit();
        match (before, digit) {
            (false, true) => result.push('<'),
            (true, false) => result.push('>'),
            _ => {}
        }
        result.push(c);
        before = digit;
    }
    if before {
        result.push('>');
    }
    result
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn replace_changes_what_is_found_and_nothing_else(cells in nasty_cells(), split in any_split()) {
        let exact = |a: char, b: char| a == b;
        for (find, with) in [("a", "$1\u{a0}x"), (" ", ""), ("ß", "ss"), ("007", "7"), ("👩", "a👧"), ("\u{301}", "'")] {
            let step = format!("{{replace: {{find: '{find}', with: \"{with}\"}}}}");
            changes_texts(&cells, split, &step, |text| replaced(text, find, with, exact))?;
            let step = format!("{{replace: {{columns: [text, mixed], find: '{find}', with: \"{with}\", match: cell}}}}");
            changes_texts(&cells, split, &step, |text| if text == find { with.into() } else { text.into() })?;
        }
        let alike = |a: char, b: char| a == b || a.to_lowercase().eq(b.to_lowercase()) || a.to_uppercase().eq(b.to_uppercase());
        for (find, with) in [("b", "-"), ("STRA", "x"), ("σ", "s"), ("É", "e"), ("o'n", "$")] {
            let step = format!("{{replace: {{find: \"{find}\", with: '{with}', ignore_case: yes}}}}");
            changes_texts(&cells, split, &step, |text| replaced(text, find, with, alike))?;
        }
        let step = "{replace: {find: '([0-9]+)', with: '<$1>', match: regex}}";
        changes_texts(&cells, split, step, bracketed)?;
        let step = "{replace: {find: '(?<n>[^\\n])', with: '${n}$$', match: regex}}";
        let doubled = |text: &str| text.chars().map(|c| if c == '\n' { c.to_string() } else { format!("{c}$") }).collect();
        changes_texts(&cells, split, step, doubled)?;
    }

    #[test]
    fn map_exchanges_whole_cells(cells in nasty_cells(), split in any_split()) {
        let values = [("a", "A"), ("7", "seven"), ("007", "bond"), ("2024-01-31", "a day"), ("TRUE", ""), ("#N/A", "none"), (" ", "x"), ("", "empty")];
        let written = "{a: A, 7: seven, '007': bond, 2024-01-31: a day, 'TRUE': ~, '#N/A': none, ' ': x, '': empty}";
        let new = |cell: &Cell| values.iter().find(|(old, _)| *old == cell.plain()).map(|(_, new)| Cell::Text((*new).to_owned()));
        let mixed = |row: Vec<String>| row[1].clone();
        let keeping = cells.iter().map(|cell| new(cell).map_or_else(|| word(cell), |cell| word(&cell))).collect::<Vec<_>>();
        let run = |options: &str| made(&cells, split, &format!("steps: [{{map: {{column: mixed, values: {written}{options}}}}}]"));
        prop_assert_eq!(run("")?.rows.into_iter().map(mixed).collect::<Vec<_>>(), keeping);
        let blanked = cells.iter().map(|cell| new(cell).map_or_else(|| "-".to_owned(), |cell| word(&cell))).collect::<Vec<_>>();
        prop_assert_eq!(run(", otherwise: blank")?.rows.into_iter().map(mixed).collect::<Vec<_>>(), blanked);
        let left: Vec<_> = cells.iter().filter_map(|cell| new(cell).map(|cell| word(&cell))).collect();
        let rejecting = run(", otherwise: reject")?;
        prop_assert_eq!(rejecting.tally.rejects.rows() as usize, cells.len() - left.len());
        prop_assert_eq!(rejecting.rows.into_iter().map(mixed).collect::<Vec<_>>(), left);
        // Columns of one kind: texts stay text, others become several kinds.
        let typed = made(&cells, split, "steps: [{map: {column: text, values: {a: ~}}}, {map: {column: whole, values: {7: seven}}}]")?;
        let wanted: Vec<_> = rows_of(&cells).into_iter().map(|mut row| {
            if row[0] == "t:a" {
                row[0] = "-".into();
            }
            if row[2] == "n:7" {
                row[2] = "t:seven".into();
            }
            row
        }).collect();
        prop_assert_eq!(typed.rows, wanted);
    }

    #[test]
    fn normalise_gives_one_spelling_and_takes_accents_away(cells in nasty_cells(), split in any_split()) {
        // What there is to compose and decompose among the nasty texts, written out.
        let apart = |text: &str| text.replace('é', "e\u{301}").replace('Å', "A\u{30a}").replace('İ', "I\u{307}")
            .replace('が', "か\u{3099}").replace('ᾳ', "α\u{345}");
        let spelt = |text: &str| apart(text).replace('ﬁ', "fi").replace('ŉ', "ʼn").replace('ǆ', "dz\u{30c}")
            .replace(['\u{a0}', '\u{2009}', '\u{3000}'], " ");
        let plain = |text: &str| text.replace(['\u{301}', '\u{30a}', '\u{307}', '\u{345}', '\u{30c}'], "").replace('ø', "o");
        let whole = |text: &str| text.replace("か\u{3099}", "が");
        // Marks put their order right where two meet; such texts are left to the examples.
        let cells: Vec<Cell> = cells.into_iter().filter(|cell| {
            let text = spelt(&cell.plain());
            !text.chars().zip(text.chars().skip(1)).any(|(a, b)| is_mark(a) && is_mark(b))
        }).collect();
        changes_texts(&cells, split, "{normalise: {form: NFD}}", apart)?;
        changes_texts(&cells, split, "{normalise: {form: NFKD}}", spelt)?;
        changes_texts(&cells, split, "{normalise: {strip_accents: yes}}", |text| whole(&plain(&apart(text))))?;
        changes_texts(&cells, split, "{normalise: {form: NFKC, strip_accents: yes}}", |text| whole(&plain(&spelt(text))))?;
    }
}

fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{3099}')
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn texts_are_normalised_as_if_in_one_go(text in "[a-z\u{e0}-\u{ff}\u{300}-\u{345}\u{ac00}-\u{ac10}\u{1100}-\u{1112}\u{1161}-\u{1175}\u{3099}\u{ff76}\u{ff9e}\u{1e00}-\u{1eff}]{1,12}") {
        use unicode_normalization::UnicodeNormalization;
        for (form, wanted) in [
            ("NFC", text.nfc().collect::<String>()),
            ("NFD", text.nfd().collect()),
            ("NFKC", text.nfkc().collect()),
            ("NFKD", text.nfkd().collect()),
        ] {
            let made = one(&format!("{{normalise: {{form: {form}}}}}"), &text).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(made, Some(wanted), "{}", form);
        }
    }
}

#[test]
fn replace_by_example() -> Fallible {
    for (options, given, wanted) in [
        ("find: n/a, match: cell", "n/a", ""),
        ("find: n/a, match: cell", "n/a ", "n/a "),
        ("find: N/A, match: cell, ignore_case: yes", "n/a", ""),
        ("find: a.c, with: x", "abca.c", "abcx"),
        ("find: 'a.c', with: x, match: regex", "abca.c", "xx"),
        (
            "find: '(\\w+), (\\w+)', with: '$2 $1', match: regex",
            "Weiß, Özgür",
            "Özgür Weiß",
        ),
        ("find: '^0+', match: regex", "000120", "120"),
        ("find: 'x*', with: '-', match: regex", "axb", "-a-b-"),
        ("find: '(x)?b', with: '[$1]', match: regex", "xbb", "[x][]"),
        ("find: 'É', with: e, match: regex, ignore_case: yes", "éÉe", "eee"),
    ] {
        assert_eq!(
            one(&format!("{{replace: {{{options}}}}}"), given)?,
            Some(wanted.into()),
            "{options} {given:?}"
        );
    }
    Ok(())
}

#[test]
fn normalise_by_example() -> Fallible {
    for (options, given, wanted) in [
        ("", "e\u{301}\u{323} \u{212b} ﬁ", "\u{1eb9}\u{301} \u{c5} ﬁ"),
        ("form: NFKC", "ﬁ ① Ａ ½", "fi 1 A 1\u{2044}2"),
        (
            "strip_accents: yes",
            "Łódź Ångström naïve Øß æ Ἀθῆναι й ё",
            "Lodz Angstrom naive Oß æ Αθηναι и е",
        ),
        ("strip_accents: yes", "हिन्दी が שָׁלוֹם", "हिन्दी が שָׁלוֹם"),
        ("form: NFD, strip_accents: yes", "が", "か\u{3099}"),
    ] {
        assert_eq!(
            one(&format!("{{normalise: {{{options}}}}}"), given)?,
            Some(wanted.into()),
            "{options} {given:?}"
        );
    }
    Ok(())
}

#[test]
fn a_replacement_that_grows_without_end_is_never_made() -> Fallible {
    let long = "a".repeat(1_000_000);
    let with = "b".repeat(30_000);
    assert_eq!(one(&format!("{{replace: {{find: a, with: {with}}}}}"), &long)?, None);
    let groups = "$1".repeat(10_000);
    assert_eq!(
        one(
            &format!("{{replace: {{find: '(a+)', with: '{groups}', match: regex}}}}"),
            &long
        )?,
        None
    );
    assert_eq!(one("{normalise: {form: NFKD}}", &"\u{fdfa}".repeat(5_000))?, None);
    // A text that was too long before may become shorter, or stay as long.
    assert_eq!(
        one("{replace: {find: a, with: b}}", &long)?.map(|text| text.len()),
        Some(1_000_000)
    );
    // A pattern that makes others search for ever.
    assert_eq!(
        one(
            "{replace: {find: '(a*)*$', with: x, match: regex}}",
            &"a".repeat(100_000)
        )?
        .map(|text| text.len()),
        Some(1)
    );
    Ok(())
}
