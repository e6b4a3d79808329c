//! What is told of two recipes, against what a reader would say.

use super::*;

fn recipe(text: &str) -> Recipe {
    Recipe::parse(text).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn of_steps(steps: &[&str]) -> Recipe {
    let lines: Vec<String> = steps.iter().map(|step| format!("  - {step}")).collect();
    recipe(&format!("steps:\n{}\n", lines.join("\n")))
}

fn told(old: &Recipe, new: &Recipe) -> Vec<String> {
    between(old, new).iter().map(ToString::to_string).collect()
}

const TRIM: &str = "trim: {columns: all}";
const KEEP: &str = "filter: {keep: 'quantity > 0'}";
const SORT: &str = "sort: {by: [id]}";
const FIRST: &str = "first: {rows: 10}";

#[test]
fn the_same_recipe_has_no_changes_whatever_its_spelling() {
    let one = recipe("name: a\nsteps:\n  - trim: {columns: all}\noutput: {format: xlsx}\n");
    let other = recipe(r#"{"version": 1, "name": "a", "steps": [{"trim": {}}]}"#);
    assert_eq!(told(&one, &other), [""; 0]);
}

#[test]
fn a_step_in_front_is_added_and_the_others_are_not_told_of() {
    let (old, new) = (of_steps(&[KEEP, SORT]), of_steps(&[TRIM, KEEP, SORT]));
    assert_eq!(
        told(&old, &new),
        ["Step 1: Remove blanks around the text of all columns added"]
    );
    assert_eq!(
        told(&new, &old),
        ["Step 1: Remove blanks around the text of all columns removed"]
    );
}

#[test]
fn a_step_that_changed_its_place_is_moved_and_not_removed_and_added() {
    let old = of_steps(&[TRIM, KEEP, SORT, FIRST]);
    let new = of_steps(&[KEEP, SORT, FIRST, TRIM]);
    assert_eq!(
        told(&old, &new),
        ["Step 1, now step 4: Remove blanks around the text of all columns moved"]
    );
}

#[test]
fn changed_options_are_told_by_their_titles_with_old_and_new() {
    let old = of_steps(&[TRIM, KEEP, SORT]);
    let new = of_steps(&[TRIM, "filter: {keep: 'quantity > 10'}", SORT]);
    assert_eq!(
        told(&old, &new),
        ["Step 2: Keep rows where quantity > 10 changed; Keep rows where: quantity > 0 → quantity > 10"]
    );
}

#[test]
fn a_step_may_be_moved_and_changed() {
    let convert = "convert: {column: id, to: integer, otherwise: reject}";
    let old = of_steps(&[convert, KEEP, SORT, FIRST]);
    let new = of_steps(&[
        KEEP,
        SORT,
        FIRST,
        "convert: {column: id, to: integer, otherwise: blank}",
    ]);
    let changes = between(&old, &new);
    assert!(
        matches!(&changes[..], [Change::Changed { from: 1, to: 4, moved: true, options, .. }] if options.len() == 1),
        "{changes:?}"
    );
}

#[test]
fn of_two_steps_of_one_kind_the_one_with_the_same_column_is_the_one_that_changed() {
    let old = of_steps(&["convert: {column: a, to: date}", "convert: {column: b, to: integer}"]);
    let new = of_steps(&["convert: {column: b, to: decimal}"]);
    let changes = between(&old, &new);
    assert!(
        changes.iter().any(|it| matches!(it, Change::Changed { .. })),
        "{changes:?}"
    );
    assert_eq!(changes.len(), 2, "{changes:?}");
}

#[test]
fn rules_and_totals_are_told_one_by_one() {
    let old = of_steps(&["validate: [{column: id, required: true}, {column: status, one_of: [a, b]}]"]);
    let new = of_steps(&["validate: [{column: id, required: true}, {column: mail, required: true}]"]);
    let changes = between(&old, &new);
    let [edit] = &changes[0].edits()[..] else {
        panic!("one rule changed: {changes:?}");
    };
    assert!(edit.from.as_ref().is_some_and(|it| it.contains("status")), "{edit:?}");
    assert!(edit.to.as_ref().is_some_and(|it| it.contains("mail")), "{edit:?}");
    let old = of_steps(&["group: {by: [a], totals: {n: 'count(*)', s: 'sum(b)'}}"]);
    let new = of_steps(&["group: {by: [a], totals: {n: 'count(*)', s: 'max(b)'}}"]);
    assert!(
        told(&old, &new)[0].ends_with(", s: sum(b) → max(b)"),
        "{:?}",
        told(&old, &new)
    );
}

#[test]
fn renames_are_told_column_by_column() {
    let old = of_steps(&["rename: {a: b, c: d}"]);
    let new = of_steps(&["rename: {a: b, c: e, f: g}"]);
    assert!(
        told(&old, &new)[0].ends_with("; c: d → e, f: g is new"),
        "{:?}",
        told(&old, &new)
    );
}

#[test]
fn settings_of_input_and_output_have_the_titles_of_the_builder() {
    let old = recipe("name: a\nsteps: []\n");
    let new = recipe(
        "name: b\ninput: {sheets: [North], columns: [id]}\nsteps: []\noutput: {format: csv, csv: {delimiter: semicolon}, rejects: {policy: fail}}\n",
    );
    assert_eq!(
        told(&old, &new),
        [
            "Name renamed; a → b",
            "Input: Sheets changed; first → [North]",
            "Input: Expected columns changed; [id] is new",
            "Output: Result changed; xlsx → csv",
            "Output: Delimiter of CSV changed; , → ;",
            "Output: Rejected rows changed; leave_out → fail",
        ]
    );
}

#[test]
fn every_setting_has_a_title() {
    let old = recipe("steps: []\n");
    let new = recipe(
        "input: {sheets: all, header: 2, merged: fill, hidden: leave_out, encoding: windows-1252, delimiter: tab, columns: [id], match: exact, others: drop}\n\
         steps: []\n\
         output: {format: csv, csv: {delimiter: tab, encoding: utf-8-bom, line_end: crlf, unwritable: fail}, split_by: id, name: '{file}', \
         rejects: {policy: keep, as: annotate, format: csv}}\n",
    );
    let told = told(&old, &new);
    assert_eq!(told.len(), 9 + 11, "{told:?}");
    assert!(!told.iter().any(|it| it.contains("put.")), "{told:?}");
}

#[test]
fn lines_say_what_is_gone_before_what_is_new() {
    let (old, new) = (of_steps(&[TRIM, KEEP]), of_steps(&[TRIM, SORT]));
    let lines = lines(&old, &new).expect("short texts");
    let told: Vec<String> = lines.iter().map(|it| format!("{:?} {}", it.fate, it.text)).collect();
    assert_eq!(told[0], "Same steps:");
    assert!(told[1].starts_with("Same   - trim"), "{told:?}");
    assert!(told[2].starts_with("Removed   - filter"), "{told:?}");
    assert!(told[3].starts_with("Added   - sort"), "{told:?}");
}

#[test]
fn what_is_told_turns_the_one_sequence_into_the_other() {
    let mut state = 7_u64;
    let mut next = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("31 bits") % below
    };
    for _ in 0..500 {
        let old: Vec<usize> = (0..next(9)).map(|_| next(4)).collect();
        let new: Vec<usize> = (0..next(9)).map(|_| next(4)).collect();
        let pairs = aligned(&old, &new);
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for pair in &pairs {
            match *pair {
                Pair::Both(one, other) => {
                    assert_eq!(old[one], new[other]);
                    before.push(one);
                    after.push(other);
                }
                Pair::Old(at) => before.push(at),
                Pair::New(at) => after.push(at),
            }
        }
        assert_eq!(before, (0..old.len()).collect::<Vec<_>>(), "{old:?} {new:?}");
        assert_eq!(after, (0..new.len()).collect::<Vec<_>>(), "{old:?} {new:?}");
        let both = pairs.iter().filter(|it| matches!(it, Pair::Both(..))).count();
        assert_eq!(both, longest(&old, &new), "{old:?} {new:?}");
    }
}

/// The length of the longest common subsequence, by trying all of them.
fn longest(old: &[usize], new: &[usize]) -> usize {
    match (old.split_first(), new.split_first()) {
        (Some((one, old)), Some((other, new))) if one == other => 1 + longest(old, new),
        (Some((_, rest)), Some((_, more))) => longest(rest, new).max(longest(old, more)),
        _ => 0,
    }
}

#[test]
fn many_steps_are_compared_in_no_time() {
    let many = |from: usize| {
        let steps: Vec<String> = (from..from + 500)
            .map(|at| format!("rename: {{a{at}: b{at}}}"))
            .collect();
        of_steps(&steps.iter().map(String::as_str).collect::<Vec<_>>())
    };
    assert_eq!(between(&many(0), &many(250)).len(), 500);
}

#[test]
fn what_is_too_long_to_compare_is_gone_and_new_between_its_ends() {
    let old: Vec<usize> = (0..5_000).collect();
    let new: Vec<usize> = std::iter::once(0).chain(10_000..15_000).collect();
    let pairs = aligned(&old, &new);
    assert_eq!((pairs[0], pairs[1]), (Pair::Both(0, 0), Pair::Old(1)));
    assert_eq!((pairs.len(), pairs.last()), (10_000, Some(&Pair::New(5_000))));
}
