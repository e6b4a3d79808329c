//! Rows that are nearly alike, against comparing each row with each head.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use futures_util::StreamExt;
use proptest::prelude::*;
use proptest::sample::select;
use unicode_normalization::UnicodeNormalization;

use super::{
    Fallible, Marked, Plan, Recipe, References, Resources, Split, Spool, WHOLE, Work, any_split, carry_out, stages,
};
use crate::recipe::plan::operator::PlanError;
use crate::recipe::plan::similar::{Heads, Plain, Threshold};
use crate::recipe::steps::Words;

type Person = [Option<String>; 3];

/// Names with slips: letters left out, doubled, swapped, replaced; words swapped; marks, capitals and commas.
fn people() -> impl Strategy<Value = Vec<Person>> {
    let names = select(vec![
        "Hans Müller",
        "Müller, Hans",
        "Hans Mueller",
        "HANS  MULLER",
        "Hnas Müller",
        "Anna O'Brien",
        "Ana OBrien",
        "Anna Obrine",
        "Jo",
        "J",
        "ab",
        "ba",
        "Katharina Zimmermann-Schulze",
        "Katarina Zimmerman Schulze",
        "Straße",
        "Strasse",
        "--",
    ]);
    let slip = (0..6_u8, any::<proptest::sample::Index>());
    let name = (names, proptest::collection::vec(slip, 0..3)).prop_map(|(name, slips)| {
        let mut chars: Vec<char> = name.chars().collect();
        for (kind, at) in slips {
            if chars.len() < 2 {
                break;
            }
            let at = at.index(chars.len() - 1);
            match kind {
                0 => drop(chars.remove(at)),
                1 => chars.insert(at, chars[at]),
                2 | 3 => chars.swap(at, at + 1),
                4 => chars[at] = 'x',
                _ => {}
            }
        }
        chars.into_iter().collect::<String>()
    });
    let city = proptest::option::weighted(
        0.8,
        select(vec!["Köln", "Koeln", "Kölnn", "Paris", " "]).prop_map(str::to_owned),
    );
    let email = proptest::option::weighted(0.5, Just("a@example.org".to_owned()));
    let person =
        (proptest::option::weighted(0.95, name), city, email).prop_map(|(name, city, email)| [name, city, email]);
    proptest::collection::vec(person, 0..60)
}

fn plain(text: Option<&str>, any_order: bool) -> Vec<char> {
    let letters: String = text
        .unwrap_or_default()
        .nfd()
        .filter(|c| !('\u{300}'..'\u{370}').contains(c))
        .collect();
    let letters = letters.replace('ß', "ss").replace('\'', "").to_lowercase();
    let mut words: Vec<&str> = letters
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    if any_order {
        words.sort_unstable();
    }
    words.join(" ").chars().collect()
}

fn similarity(left: &[char], right: &[char]) -> f64 {
    if left.is_empty() || right.is_empty() {
        return if left == right { 1.0 } else { 0.0 };
    }
    let (left, right): (String, String) = (left.iter().collect(), right.iter().collect());
    let longer = left.chars().count().max(right.chars().count());
    let distance = strsim::osa_distance(&left, &right);
    (longer - distance) as f64 / longer as f64
}

fn columns_of(people: &[Person]) -> Vec<(&'static str, ArrayRef)> {
    let column = |at: usize| -> ArrayRef { Arc::new(people.iter().map(|it| it[at].clone()).collect::<StringArray>()) };
    vec![("name", column(0)), ("city", column(1)), ("email", column(2))]
}

struct Model {
    group: Vec<usize>,
    kept: Vec<usize>,
    texts: Vec<Vec<Vec<char>>>,
}

impl Model {
    fn of(people: &[Person], by: usize, least: f64, any_order: bool, keep: &str) -> Self {
        let texts: Vec<Vec<Vec<char>>> = people
            .iter()
            .map(|it| it[..by].iter().map(|text| plain(text.as_deref(), any_order)).collect())
            .collect();
        let alike = |left: usize, right: usize| Self::rows_alike(&texts, left, right) >= least - 1e-9;
        let (mut heads, mut group) = (Vec::<usize>::new(), Vec::new());
        for row in 0..people.len() {
            let found = heads.iter().position(|head| alike(*head, row));
            group.push(found.unwrap_or_else(|| {
                heads.push(row);
                heads.len() - 1
            }));
        }
        let filled = |row: usize| {
            people[row]
                .iter()
                .flatten()
                .filter(|text| !text.trim().is_empty())
                .count()
        };
        let kept = (0..heads.len())
            .map(|head| {
                let rows = (0..people.len()).filter(|row| group[*row] == head);
                match keep {
                    "first" => rows.min(),
                    "last" => rows.max(),
                    _ => rows.max_by_key(|row| (filled(*row), std::cmp::Reverse(*row))),
                }
                .unwrap_or_default()
            })
            .collect();
        Self { group, kept, texts }
    }

    fn rows_alike(texts: &[Vec<Vec<char>>], left: usize, right: usize) -> f64 {
        texts[left]
            .iter()
            .zip(&texts[right])
            .map(|(left, right)| similarity(left, right))
            .fold(1.0, f64::min)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn rows_join_the_earliest_head_that_is_similar_enough(
        people in people(), split in any_split(), by in 1..3_usize, any_order in any::<bool>(),
        least in select(vec![0.5, 0.6, 0.75, 0.8, 0.85, 0.9, 1.0]), keep in select(vec!["first", "last", "most_complete"]),
    ) {
        let model = Model::of(&people, by, least, any_order, keep);
        let (names, words) = (["name", "city"][..by].join(", "), if any_order { "any_order" } else { "in_order" });
        let options = format!("by: [{names}], similarity: {least}, words: {words}, keep: {keep}");
        let made = |more: &str| carry_out(&columns_of(&people), &format!("steps: [{{deduplicate: {{{options}{more}}}}}]"), split)
            .map_err(|error| TestCaseError::fail(error.to_string()));
        let cell = |text: &Option<String>| super::text(text.as_deref());
        let rows: Vec<Vec<String>> = people.iter().map(|person| person.iter().map(cell).collect()).collect();
        let removed = made("")?;
        let stays = |row: &usize| model.kept.contains(row);
        let wanted: Vec<_> = (0..rows.len()).filter(stays).map(|row| rows[row].clone()).collect();
        prop_assert_eq!(&removed.rows, &wanted);
        prop_assert_eq!(removed.tally.accounts[1].deduplicated.rows as usize, rows.len() - wanted.len());
        let marked = made(", groups: mark")?;
        prop_assert_eq!(marked.tally.accounts[1].deduplicated.rows, 0);
        let mut numbers: Vec<usize> = Vec::new();
        for (row, marked) in marked.rows.iter().enumerate() {
            let group = model.group[row];
            let alone = model.group.iter().filter(|other| **other == group).count() == 1;
            if !alone && !numbers.contains(&group) {
                numbers.push(group);
            }
            let number = numbers.iter().position(|it| *it == group).map_or("-".into(), |at| format!("n:{}", at + 1));
            let alike = (Model::rows_alike(&model.texts, row, model.kept[group]) * 1e4).round() / 1e4;
            let alike = if alone { "-".into() } else { format!("n:{alike}") };
            let keep = format!("boolean:{}", u8::from(stays(&row)));
            prop_assert_eq!(&marked[..3], &rows[row][..]);
            prop_assert_eq!(&marked[3..], &[number, alike, keep][..]);
        }
        prop_assert_eq!(marked.rows.len(), rows.len());
    }

    #[test]
    fn equal_rows_are_marked_as_they_would_be_removed(people in people(), split in any_split()) {
        let run = |recipe: &str| carry_out(&columns_of(&people), recipe, split).map_err(|error| TestCaseError::fail(error.to_string()));
        for keep in ["first", "last", "most_complete"] {
            let removed = run(&format!("steps: [{{deduplicate: {{by: [name, city], keep: {keep}, ignore: case}}}}]"))?;
            let marked = run(&format!("steps: [{{deduplicate: {{by: [name, city], keep: {keep}, ignore: case, groups: mark}}}}]"))?;
            let kept = marked.rows.iter().filter(|row| row[5] == "boolean:1").map(|row| row[..3].to_vec());
            prop_assert_eq!(kept.collect::<Vec<_>>(), removed.rows);
            let groups: HashSet<&String> = marked.rows.iter().map(|row| &row[3]).filter(|group| *group != "-").collect();
            let numbered = (1..=groups.len()).all(|number| groups.contains(&format!("n:{number}")));
            prop_assert!(numbered);
        }
    }
}

/// Names made of syllables, some with a slip.
fn generated(rows: usize) -> Vec<Person> {
    let syllables = [
        "ba", "ken", "lo", "mir", "tas", "ul", "ves", "rin", "dor", "gal", "hem", "is", "no", "par", "que", "sch",
    ];
    let mut state = 7_u64;
    let mut next = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut people: Vec<Person> = Vec::with_capacity(rows);
    while people.len() < rows {
        let known = people.len() as u64;
        let mut name: Vec<char> = match known > 10 && next(5) == 0 {
            true => people[next(known) as usize][0]
                .clone()
                .unwrap_or_default()
                .chars()
                .collect(),
            false => {
                let mut word = |least: u64| {
                    (0..least + next(3))
                        .map(|_| syllables[next(16) as usize])
                        .collect::<String>()
                };
                format!("{} {}", word(2), word(3)).chars().collect()
            }
        };
        let at = next(name.len() as u64) as usize;
        if next(3) == 0 {
            name[at] = 'x';
        }
        people.push([Some(name.into_iter().collect()), None, None]);
    }
    people
}

#[test]
fn many_names_are_compared_in_time_and_the_same_at_any_number_of_threads() -> Fallible {
    let rows = 3000;
    let columns = columns_of(&generated(rows));
    let mut first = None;
    for jobs in [1, 2, 8] {
        let split = Split {
            part_rows: 50_000,
            window_rows: 10_000,
            jobs,
            held: Some(1000),
        };
        let made = carry_out(&columns, "steps: [{deduplicate: {by: name, similarity: 0.9}}]", split)?;
        assert!(made.rows.len() < rows);
        assert_eq!(first.get_or_insert(made.rows.clone()), &made.rows);
    }
    Ok(())
}

#[test]
fn texts_that_all_look_alike_are_refused_rather_than_compared_for_hours() -> Fallible {
    let mut heads = Heads::new(Threshold {
        least: 0.5,
        words: Words::InOrder,
    });
    heads.spend(u64::MAX / 2);
    let place = |heads: &mut Heads, text: &str| heads.place(Arc::new([Plain::new(text, Words::InOrder)]));
    assert!(matches!(place(&mut heads, "abc"), Err(PlanError::TooManyAlike)));
    let wide: Vec<Person> = (0..300_000)
        .map(|row| [Some(format!("{row:0>100}")), None, None])
        .collect();
    let refused = carry_out(
        &columns_of(&wide),
        "steps: [{deduplicate: {by: name, similarity: 1}}]",
        WHOLE,
    );
    assert!(refused.is_err_and(|error| error.to_string().contains("too many different rows")));
    Ok(())
}

#[test]
fn a_preview_says_which_row_one_is_like_and_how_much() -> Fallible {
    let folder = tempfile::tempdir()?;
    let people = ["Hans Müller", "Eve", "Mueller, Hans", "Hans Müller"].map(|name| [Some(name.to_owned()), None, None]);
    let table = super::make_table(folder.path(), &columns_of(&people), 10)?;
    let recipe = Recipe::parse("steps: [{deduplicate: {by: name, similarity: 0.9}}]").map_err(|p| format!("{p:?}"))?;
    let plan = Plan::new(&recipe, table.meta(), 1, &References::default()).map_err(|p| format!("{p:?}"))?;
    let resources = Resources {
        scratch: folder.path().into(),
        memory: 64 << 20,
        jobs: 1,
        window_rows: 100,
        limit: None,
        first: None,
        only: None,
        held: None,
    };
    let work = Work::new(plan, table, resources, Marked::Yes, Spool::new("", folder.path()));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build()?;
    let chunks: Vec<_> = runtime.block_on(async { stages::run(&work).collect().await });
    assert!(chunks.iter().all(Result::is_ok));
    let tally = work.take_tally(Spool::new("", folder.path()));
    let why: Vec<&str> = (0..2).map(|row| tally.taken[0].why(row)).collect();
    assert_eq!(why, ["like row 2 (91 %)", "like row 2 (100 %)"]);
    assert_eq!(tally.rejects.rows(), 0);
    Ok(())
}
