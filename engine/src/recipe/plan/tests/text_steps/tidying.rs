//! `trim`, `drop`, `move`.

use super::*;

/// Unicode's white space, by its code points rather than by the library the product asks.
fn is_white(c: char) -> bool {
    let code = u32::from(c);
    matches!(code, 9..=13 | 32 | 0x85 | 0xa0 | 0x1680 | 0x2000..=0x200a | 0x2028 | 0x2029 | 0x202f | 0x205f | 0x3000)
}

fn is_seen_as_blank(c: char) -> bool {
    is_white(c) || "\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}".contains(c)
}

fn trimmed(text: &str) -> String {
    text.trim_matches(is_seen_as_blank).to_owned()
}

fn without_controls(text: &str) -> String {
    let unseen = |c: &char| !"\u{7}\u{ad}\u{200e}".contains(*c);
    text.chars().filter(unseen).collect()
}

fn ordinary(text: &str) -> String {
    let text: String = text
        .chars()
        .filter(|c| !"\u{200b}\u{feff}\u{2060}".contains(*c))
        .collect();
    text.replace(['\u{a0}', '\u{2009}', '\u{3000}'], " ")
}

/// Runs become one blank: split into runs of white and other characters, one by one.
fn single(text: &str) -> String {
    let mut runs: Vec<(bool, String)> = Vec::new();
    for c in text.chars() {
        match runs.last_mut() {
            Some((white, run)) if *white == is_white(c) => run.push(c),
            _ => runs.push((is_white(c), c.to_string())),
        }
    }
    let one = |(white, run): (bool, String)| match run.chars().count() {
        count if !white || count == 1 => run,
        _ if run.contains(['\n', '\r', '\u{85}']) => "\n".into(),
        _ => " ".into(),
    };
    runs.into_iter().map(one).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn trim_tidies_what_it_is_told_and_nothing_else(cells in nasty_cells(), split in any_split()) {
        changes_texts(&cells, split, "trim", trimmed)?;
        changes_texts(&cells, split, "{trim: {controls: true}}", |text| trimmed(&without_controls(text)))?;
        changes_texts(&cells, split, "{trim: {lookalikes: true}}", |text| trimmed(&ordinary(text)))?;
        changes_texts(&cells, split, "{trim: {inner: true}}", |text| trimmed(&single(&trimmed(text))))?;
        let all = "{trim: {columns: [mixed, text, day], controls: yes, lookalikes: yes, inner: yes}}";
        changes_texts(&cells, split, all, |text| trimmed(&single(&ordinary(&without_controls(text)))))?;
    }

    #[test]
    fn drop_and_move_leave_every_cell_in_its_column(cells in nasty_cells(), split in any_split()) {
        let picked = |positions: &[usize]| -> Vec<Vec<String>> {
            rows_of(&cells).iter().map(|row| positions.iter().map(|position| row[*position].clone()).collect()).collect()
        };
        for (step, positions) in [
            ("drop: [mixed, text]", &[2, 3][..]),
            ("drop: {columns: day}", &[0, 1, 2]),
            ("move: {columns: [day, text], to: first}", &[3, 0, 1, 2]),
            ("move: {columns: mixed, to: last}", &[0, 2, 3, 1]),
            ("move: {columns: [day, text], to: before, column: whole}", &[1, 3, 0, 2]),
            ("move: {columns: [text], to: after, column: whole}", &[1, 2, 0, 3]),
            ("move: {columns: [day], to: after, column: whole}", &[0, 1, 2, 3]),
        ] {
            let made = made(&cells, split, &format!("steps: [{{{step}}}]"))?;
            prop_assert_eq!(made.rows, picked(positions), "{}", step);
        }
    }
}

/// Steps after which there is nothing left for them to do.
const SETTLED: &[&str] = &[
    "trim",
    "{trim: {inner: yes}}",
    "{trim: {lookalikes: yes}}",
    "{trim: {controls: yes}}",
    "{trim: {inner: yes, lookalikes: yes, controls: yes}}",
    "{case: {to: upper}}",
    "{case: {to: lower}}",
    "{case: {to: title}}",
    "{case: {to: sentence}}",
    "{normalise: {form: NFC}}",
    "{normalise: {form: NFKD}}",
    "{normalise: {strip_accents: yes}}",
    "{normalise: {form: NFKC, strip_accents: yes}}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_second_time_changes_nothing(text in nasty_text()) {
        // The capital of this letter is two by Unicode, an apostrophe and `N`, of which only the first heads the word.
        let text = text.replace('ŉ', "n");
        for step in SETTLED {
            let run = |text: &str| one(step, text).map_err(|error| TestCaseError::fail(error.to_string()));
            let once = run(&text)?;
            let twice = run(once.as_deref().unwrap_or_default())?;
            prop_assert_eq!(&once, &twice, "{} {:?}", step, &text);
        }
    }
}

#[test]
fn trim_by_example() -> Fallible {
    for (options, given, wanted) in [
        ("", "\u{a0} a  b \u{200b}", "a  b"),
        ("inner: true", " a \u{a0} b\u{a0}c ", "a b\u{a0}c"),
        ("inner: true", "a \r\n  b\r\nc", "a\nb\nc"),
        ("lookalikes: true", "a\u{a0}\u{200b}b\u{2009}c\td", "a b c\td"),
        ("lookalikes: true, inner: true", "a\u{a0}\u{200b} b", "a b"),
        ("controls: true", "\u{200e}a\u{0}b\u{ad}c\td ", "abc\td"),
        ("lookalikes: true, controls: true", "👩\u{200d}👧", "👩\u{200d}👧"),
        ("controls: true", "\u{7} \u{7}", ""),
    ] {
        assert_eq!(
            one(&format!("{{trim: {{{options}}}}}"), given)?,
            Some(wanted.into()),
            "{options} {given:?}"
        );
    }
    Ok(())
}

#[test]
fn columns_that_are_dropped_are_not_read() -> Fallible {
    let folder = tempfile::tempdir()?;
    let table = make_table(folder.path(), &table_of(&[]), 10)?;
    let recipe = Recipe::parse("steps: [trim, {move: {columns: [day], to: first}}, {drop: [text, whole]}]")
        .map_err(|problems| format!("{problems:?}"))?;
    let plan =
        Plan::new(&recipe, table.meta(), 3, &References::default()).map_err(|problems| format!("{problems:?}"))?;
    assert_eq!(plan.needs(4), [false, true, false, true]);
    assert_eq!(plan.lineage(0), [Some(3), Some(1)]);
    Ok(())
}
