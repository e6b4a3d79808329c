//! `split`, `extract`, `combine`.

use super::*;

/// What a table's rows become with new cells behind the column at `position`, or in its place.
fn with_parts(
    cells: &[Cell],
    position: usize,
    keep: bool,
    parts: impl Fn(&str) -> Option<Vec<String>>,
) -> Vec<Vec<String>> {
    let behind = position + usize::from(keep);
    let row = |(cell, row): (&Cell, Vec<String>)| {
        let here = row[position] != "-";
        let parts = parts(&if here { cell.plain() } else { String::new() })?;
        let parts = parts.iter().map(|part| text(Some(part))).collect();
        Some([row[..behind].to_vec(), parts, row[position + 1..].to_vec()].concat())
    };
    cells.iter().zip(rows_of(cells)).filter_map(row).collect()
}

/// Cuts a text before its first `find`, up to `most` times.
fn cut(text: &str, find: &str, most: usize) -> Vec<String> {
    let mut parts = vec![text.to_owned()];
    while parts.len() < most {
        let last = parts.pop().unwrap_or_default();
        let Some(at) = last.find(find) else {
            parts.push(last);
            break;
        };
        parts.extend([last[..at].to_owned(), last[at + find.len()..].to_owned()]);
    }
    parts.resize(most, String::new());
    parts
}

fn first_digits(text: &str) -> Option<String> {
    let rest = text.trim_start_matches(|c: char| !c.is_ascii_digit());
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (!digits.is_empty()).then_some(digits)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn split_loses_nothing_between_its_cuts(cells in nasty_cells(), split in any_split()) {
        for (find, position, column) in [(" ", 1, "mixed"), ("-", 3, "day"), ("1", 2, "whole"), ("ß", 0, "text"), ("\u{301}", 1, "mixed")] {
            let recipe = format!("steps: [{{split: {{column: {column}, separator: '{find}', into: [a, b, c]}}}}]");
            let wanted = with_parts(&cells, position, true, |text| Some(cut(text, find, 3)));
            prop_assert_eq!(made(&cells, split, &recipe)?.rows, wanted);
            let recipe = format!("steps: [{{split: {{column: {column}, separator: '{find}', into: [a, {column}], extra: reject, keep: no}}}}]");
            let few = |text: &str| text.matches(find).count() < 2;
            let wanted = with_parts(&cells, position, false, |text| few(text).then(|| cut(text, find, 2)));
            let rejecting = made(&cells, split, &recipe)?;
            prop_assert_eq!(rejecting.tally.rejects.rows() as usize, cells.len() - wanted.len());
            prop_assert_eq!(rejecting.rows, wanted);
        }
        let part = |text: &str, from: usize, to: usize| text.chars().skip(from).take(to - from).collect::<String>();
        let recipe = "steps: [{split: {column: mixed, by: widths, widths: [1, 3], into: [a, b, c]}}]";
        let wanted = with_parts(&cells, 1, true, |text| Some(vec![part(text, 0, 1), part(text, 1, 4), part(text, 4, usize::MAX)]));
        prop_assert_eq!(made(&cells, split, recipe)?.rows, wanted);
        let recipe = "steps: [{split: {column: mixed, by: widths, widths: [1, 3], into: [a, b], extra: reject}}]";
        let wanted = with_parts(&cells, 1, true, |text| (text.chars().count() < 5).then(|| vec![part(text, 0, 1), part(text, 1, 4)]));
        prop_assert_eq!(made(&cells, split, recipe)?.rows, wanted);
        let recipe = "steps: [{split: {column: mixed, by: regex, separator: '[,;]', into: [a, b]}}]";
        let wanted = with_parts(&cells, 1, true, |text| {
            let at = text.find([',', ';']);
            Some(at.map_or_else(|| vec![text.into(), String::new()], |at| vec![text[..at].into(), text[at + 1..].into()]))
        });
        prop_assert_eq!(made(&cells, split, recipe)?.rows, wanted);
    }

    #[test]
    fn extract_takes_the_first_match(cells in nasty_cells(), split in any_split()) {
        let run = |otherwise: &str| made(&cells, split, &format!("steps: [{{extract: {{column: mixed, pattern: '([0-9]+)', into: d{otherwise}}}}}]"));
        let found = |text: &str| first_digits(text).unwrap_or_default();
        prop_assert_eq!(run("")?.rows, with_parts(&cells, 1, true, |text| Some(vec![found(text)])));
        let kept = with_parts(&cells, 1, true, |text| Some(vec![first_digits(text).unwrap_or_else(|| text.into())]));
        prop_assert_eq!(run(", otherwise: keep")?.rows, kept);
        let wanted = with_parts(&cells, 1, true, |text| (text.is_empty() || first_digits(text).is_some()).then(|| vec![found(text)]));
        let rejecting = run(", otherwise: reject")?;
        prop_assert_eq!(rejecting.tally.rejects.rows() as usize, cells.len() - wanted.len());
        prop_assert_eq!(rejecting.rows, wanted);
    }

    #[test]
    fn combine_joins_cells_as_they_stand_in_texts(cells in nasty_cells(), split in any_split()) {
        let of_row = |cell: &Cell, row: &[String]| -> Vec<String> {
            [3, 1, 0].iter().map(|at| if row[*at] == "-" { String::new() } else { cell.plain() }).collect()
        };
        let rows = rows_of(&cells);
        let all = cells.iter().zip(&rows).map(|(cell, row)| of_row(cell, row));
        let skipping = all.clone().map(|parts| parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" "));
        let wanted: Vec<_> = rows.iter().zip(skipping).map(|(row, all)| [row.clone(), vec![text(Some(&all))]].concat()).collect();
        prop_assert_eq!(made(&cells, split, "steps: [{combine: {columns: [day, mixed, text], into: all}}]")?.rows, wanted);
        let counting = all.map(|parts| if parts.concat().is_empty() { String::new() } else { parts.join(", ") });
        let wanted: Vec<_> = rows.iter().zip(counting).map(|(row, all)| {
            vec![row[0].clone(), text(Some(&all)), row[2].clone(), row[3].clone()]
        }).collect();
        let recipe = "steps: [{combine: {columns: [day, mixed, text], into: mixed, separator: ', ', skip_blanks: no}}]";
        prop_assert_eq!(made(&cells, split, recipe)?.rows, wanted);
    }
}

#[test]
fn split_and_extract_by_example() -> Fallible {
    for (step, given, wanted) in [
        (
            "split: {column: text, separator: ', ', into: [a, b]",
            "Weiß, Özgür, Dr.",
            "Weiß|Özgür, Dr.",
        ),
        ("split: {column: text, separator: ',', into: [a, b, c]", ",x", "-|x|-"),
        (
            "split: {column: text, by: regex, separator: '\\s+', into: [a, b]",
            "a \u{a0} b c",
            "a|b c",
        ),
        (
            "split: {column: text, by: widths, widths: 2, into: [a, b]",
            "👧é1",
            "👧é|1",
        ),
        (
            "extract: {column: text, pattern: '([A-Z]+)-([0-9]+)(x)?', into: [a, b, c]",
            "no AB-12",
            "AB|12|-",
        ),
        (
            "extract: {column: text, pattern: '[0-9]{2,}', into: [a]",
            "1 23 456",
            "23",
        ),
        (
            "extract: {column: text, pattern: '(?i)(b)', into: [a], otherwise: keep",
            "xyz",
            "xyz",
        ),
    ] {
        let step = format!("{{{step}}}}}, {{drop: text}}");
        assert_eq!(one(&step, given)?, Some(wanted.into()), "{step}");
    }
    Ok(())
}

#[test]
fn rows_that_cannot_be_parted_say_why() -> Fallible {
    for (step, rule, message) in [
        (
            "split: {column: text, separator: ',', into: [a], extra: reject",
            "too_many_parts",
            "`a,b` has more than 1 part",
        ),
        (
            "extract: {column: text, pattern: '[0-9]', into: [a], otherwise: reject",
            "no_match",
            "`a,b` does not match `[0-9]`",
        ),
        (
            "map: {column: text, values: {x: y}, otherwise: reject",
            "not_mapped",
            "`a,b` is not among the values that are exchanged",
        ),
    ] {
        let column: ArrayRef = Arc::new(StringArray::from(vec!["a,b"]));
        let made = carry_out(&[("text", column)], &format!("steps: [{{{step}}}}}]"), WHOLE)?;
        assert!(made.rows.is_empty());
        let mut seen = Vec::new();
        made.tally.rejects.finish(|batch| {
            seen = batch
                .columns()
                .iter()
                .map(|column| words(column).unwrap_or_default().concat())
                .collect();
            Ok(())
        })?;
        assert_eq!(seen[2..6], ["n:2", "t:A2", "t:text", "t:a,b"]);
        assert_eq!(seen[7..9], [format!("t:{rule}"), format!("t:{message}")]);
    }
    Ok(())
}

#[test]
fn rows_that_are_rejected_and_kept_lose_nothing() -> Fallible {
    for (step, wanted) in [
        (
            "map: {column: text, values: {x: y}, otherwise: reject",
            &[["t:a,b"], ["t:y"], ["-"]][..],
        ),
        (
            "split: {column: text, separator: ',', into: [a], extra: reject, keep: no",
            &[["t:a,b"], ["t:x"], ["-"]],
        ),
    ] {
        let column: ArrayRef = Arc::new(StringArray::from(vec![Some("a,b"), Some("x"), None]));
        let recipe = format!("{{steps: [{{{step}}}}}], output: {{rejects: {{policy: keep}}}}}}");
        let made = carry_out(&[("text", column)], &recipe, WHOLE)?;
        assert_eq!(made.rows, wanted, "{step}");
        assert_eq!(made.tally.rejects.rows(), 1, "{step}");
    }
    Ok(())
}

#[test]
fn a_combination_longer_than_a_cell_is_rejected() -> Fallible {
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["a".repeat(16_383), "b".repeat(16_384)]));
    let made = carry_out(
        &[("x", texts.clone()), ("y", texts)],
        "steps: [{combine: {columns: [x, y], into: z}}]",
        WHOLE,
    )?;
    assert_eq!(made.rows.len(), 1);
    assert_eq!(made.rows[0][2].len(), "t:".len() + 32_767);
    assert_eq!(made.tally.rejects.rows(), 1);
    Ok(())
}

#[test]
fn new_columns_need_only_the_column_they_come_from() -> Fallible {
    let folder = tempfile::tempdir()?;
    let table = make_table(folder.path(), &table_of(&[]), 10)?;
    let planned = |steps: &str| -> Fallible<Plan> {
        let recipe = Recipe::parse(&format!("steps: [{steps}]")).map_err(|problems| format!("{problems:?}"))?;
        Ok(
            Plan::new(&recipe, table.meta(), recipe.steps.len(), &References::default())
                .map_err(|problems| format!("{problems:?}"))?,
        )
    };
    let split = planned("{split: {column: mixed, separator: x, into: [a, b]}}, {select: [b, day]}")?;
    assert_eq!(split.needs(4), [false, true, false, true]);
    assert_eq!(split.lineage(0), [None, Some(3)]);
    let unused = planned("{split: {column: mixed, separator: x, into: [a, b], keep: no}}, {drop: [a, b]}")?;
    assert_eq!(unused.needs(4), [true, false, true, true]);
    assert_eq!(unused.lineage(0), [Some(0), Some(2), Some(3)]);
    let rejecting = planned("{extract: {column: text, pattern: x, into: a, otherwise: reject}}, {select: [day]}")?;
    assert_eq!(rejecting.needs(4), [true, false, false, true]);
    let combined = planned("{combine: {columns: [day, whole], into: text}}, {select: [text]}")?;
    assert_eq!(combined.needs(4), [false, false, true, true]);
    assert_eq!(combined.lineage(0), [Some(0)]);
    Ok(())
}
