//! Columns that are found, told, tied and missed; and that the order of columns has no say.

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::recipe::document::Recipe;
use crate::tables::ColumnMeta;

fn input(text: &str) -> Input {
    let text = format!("input: {{{text}}}\nsteps: []\n");
    Recipe::parse(&text)
        .unwrap_or_else(|problems| panic!("{problems:?}"))
        .input
}

fn found(text: &str, headers: &[&str], choices: &Choices) -> Vec<(Option<String>, How)> {
    let columns = find_columns(&input(text), headers, choices).unwrap_or_else(|sentence| panic!("{sentence}"));
    columns.into_iter().map(|it| (it.header, it.how)).collect()
}

fn is(header: &str, how: How) -> (Option<String>, How) {
    (Some(header.to_owned()), how)
}

fn chosen(pairs: &[(&str, &str)]) -> Choices {
    Choices {
        chosen: pairs
            .iter()
            .map(|(header, name)| ((*header).to_owned(), (*name).to_owned()))
            .collect(),
        ..Choices::default()
    }
}

const PEOPLE: &str = "columns: [id, {name: email, also: [mail address, Elektropost]}, {name: phone}]";

#[test]
fn the_surest_way_in_which_a_header_fits_is_taken_and_told() {
    let none = Choices::default();
    assert_eq!(
        found(PEOPLE, &["Phon", "E-MAIL", "id"], &none),
        [
            is("id", How::Exact),
            is("E-MAIL", How::Normalised),
            (None, How::Missing)
        ]
    );
    assert_eq!(
        found(PEOPLE, &["Phone No.", "elektro-post", "ID"], &none),
        [
            is("ID", How::Normalised),
            is("elektro-post", How::Synonym),
            (None, How::Missing)
        ]
    );
    let fuzzy = found("columns: [customer name]", &["Custmer Name"], &none);
    assert_eq!(fuzzy, [is("Custmer Name", How::Fuzzy)]);
    // An exact name is not taken away by another column's other name.
    let synonyms = "columns: [{name: a, also: [b]}, b]";
    assert_eq!(
        found(synonyms, &["b"], &none),
        [(None, How::Missing), is("b", How::Exact)]
    );
}

#[test]
fn no_more_is_taken_than_the_recipe_allows() {
    let none = Choices::default();
    let how = |matching: &str, header: &str| {
        let text = format!("columns: [{{name: quantity, also: [amount]}}], match: {matching}");
        found(&text, &[header], &none)[0].1
    };
    assert_eq!(how("exact", "Quantity"), How::Missing);
    assert_eq!(how("normalised", "Quantity"), How::Normalised);
    assert_eq!(how("normalised", "amount"), How::Missing);
    assert_eq!(how("synonym", "Amount"), How::Synonym);
    assert_eq!(how("synonym", "quantitiy"), How::Missing);
    assert_eq!(how("fuzzy", "quantitiy"), How::Fuzzy);
    assert_eq!(how("0.99", "quantitiy"), How::Missing);
}

#[test]
fn what_is_below_the_threshold_is_offered_and_not_taken() -> Result<(), String> {
    let columns = find_columns(
        &input("columns: [phone]"),
        &["Phones 2", "Telephone", "City"],
        &Choices::default(),
    )?;
    assert_eq!((columns[0].header.as_deref(), columns[0].how), (None, How::Missing));
    let near: Vec<&str> = columns[0].nearest.iter().map(|near| near.header.as_str()).collect();
    assert_eq!(near, ["Phones 2", "Telephone"]);
    assert!(!columns[0].is_sure());
    Ok(())
}

#[test]
fn of_two_headers_that_fit_equally_well_none_is_guessed() -> Result<(), String> {
    let columns = find_columns(&input("columns: [email]"), &["e_mail", "E-Mail"], &Choices::default())?;
    assert_eq!((columns[0].header.as_deref(), columns[0].how), (None, How::Tied));
    let tied: Vec<&str> = columns[0].nearest.iter().map(|near| near.header.as_str()).collect();
    assert_eq!(tied, ["E-Mail", "e_mail"]);
    // Nor of two columns that one header fits.
    let both = "columns: [{name: a, also: [x]}, {name: b, also: [x]}]";
    assert_eq!(
        found(both, &["X"], &Choices::default()),
        [(None, How::Tied), (None, How::Tied)]
    );
    Ok(())
}

#[test]
fn what_was_said_by_hand_wins_and_what_was_said_before_comes_before_likeness() {
    let by_hand = chosen(&[("Contact", "email"), ("nowhere", "phone")]);
    assert_eq!(
        found(PEOPLE, &["id", "email", "Contact"], &by_hand),
        [is("id", How::Exact), is("Contact", How::Chosen), (None, How::Missing)]
    );
    let remembered = Choices {
        remembered: BTreeMap::from([
            ("contact".to_owned(), "phone".to_owned()),
            ("email".to_owned(), "phone".to_owned()),
        ]),
        ..Choices::default()
    };
    assert_eq!(
        found(PEOPLE, &["id", "E-mail", "CONTACT", "phones"], &remembered),
        [
            is("id", How::Exact),
            is("E-mail", How::Normalised),
            is("CONTACT", How::Remembered)
        ]
    );
    let headers = ["id", "E-mail", "phones", "Home"];
    let of_layout = |header: Option<&str>| Choices {
        layouts: BTreeMap::from([(
            layout(["PHONES", "e mail", "home", "Id"]),
            BTreeMap::from([("phone".to_owned(), header.map(str::to_owned))]),
        )]),
        ..Choices::default()
    };
    assert_eq!(found(PEOPLE, &headers, &of_layout(None))[2], (None, How::Absent));
    assert_eq!(
        found(PEOPLE, &headers, &of_layout(Some("Home")))[2],
        is("Home", How::Chosen)
    );
    // On sheets of another layout that says nothing.
    assert_eq!(
        found(PEOPLE, &["id", "email", "Home", "phone"], &of_layout(Some("Home")))[2],
        is("phone", How::Exact)
    );
}

#[test]
fn two_headers_chosen_for_one_column_are_refused() {
    let sentence = find_columns(&input(PEOPLE), &["a", "b"], &chosen(&[("a", "id"), ("b", "id")])).expect_err("both");
    assert_eq!(sentence, "Both `a` and `b` are chosen for `id`. Choose one of them.");
}

fn table(names: &[&str]) -> TableMeta {
    let letters = ["A", "B", "C", "D", "E"];
    let column = |(name, letters): (&&str, &str)| ColumnMeta {
        name: (*name).to_owned(),
        letters: letters.to_owned(),
        ..ColumnMeta::default()
    };
    TableMeta {
        sheet: "People".to_owned(),
        columns: names.iter().zip(letters).map(column).collect(),
        ..TableMeta::default()
    }
}

fn names(mapped: &Mapped) -> Vec<(&str, &str)> {
    let columns = mapped.meta.columns.iter();
    columns.map(|it| (it.name.as_str(), it.letters.as_str())).collect()
}

#[test]
fn columns_stay_in_place_and_only_names_change() -> Result<(), Box<dyn std::error::Error>> {
    let unfit = |unfit: Unfit| unfit.sentence;
    let sheet = table(&["City", "E-Mail", "ID"]);
    let mapped = map_table(&input(PEOPLE), &sheet, &Choices::default())
        .map_err(unfit)?
        .ok_or("no columns")?;
    assert_eq!(
        names(&mapped),
        [("City", "A"), ("email", "B"), ("id", "C"), ("phone", "")]
    );
    assert_eq!(mapped.issues.len(), 1);
    assert_eq!(
        mapped.issues[0].sentence,
        "Sheet “People” has no column `phone`; it is blank."
    );
    let dropped = map_table(&input(&format!("{PEOPLE}, others: drop")), &sheet, &Choices::default());
    let dropped = dropped.map_err(unfit)?.ok_or("no columns")?;
    assert_eq!(names(&dropped), [("email", "B"), ("id", "C"), ("phone", "")]);
    // A column that has the name of an expected one and is not it gets another name, and that is told.
    let other = map_table(
        &input("columns: [email]"),
        &table(&["email", "email 2", "Mail"]),
        &chosen(&[("Mail", "email")]),
    );
    let other = other.map_err(unfit)?.ok_or("no columns")?;
    assert_eq!(names(&other), [("email 3", "A"), ("email 2", "B"), ("email", "C")]);
    assert_eq!(other.issues[0].code, "column_renamed");
    Ok(())
}

#[test]
fn a_required_column_that_is_not_there_is_named_with_the_nearest_headers() {
    let input = input("columns: [{name: email, required: true}, {name: zip, required: true}]");
    let unfit = map_table(&input, &table(&["Emails of", "City"]), &Choices::default()).expect_err("missing");
    assert!(
        unfit
            .sentence
            .starts_with("No column is `email`, which the recipe requires. The nearest: `Emails of` ("),
        "{}",
        unfit.sentence
    );
    assert!(
        unfit
            .sentence
            .ends_with("No column is `zip`, which the recipe requires. The columns are `Emails of`, `City`."),
        "{}",
        unfit.sentence
    );
    assert_eq!(unfit.columns.columns.len(), 2);
}

const WORDS: [&str; 16] = [
    "email",
    "E-Mail",
    "e mail",
    "emails",
    "emial",
    "mail",
    "Mail",
    "order id",
    "OrderID",
    "order_id",
    "order ids",
    "phone",
    "Phone",
    "phones",
    "phone no",
    "telephone",
];

fn some_expected() -> impl Strategy<Value = Vec<Expected>> {
    let names = subsequence(WORDS.to_vec(), 0..6).prop_shuffle();
    let also = proptest::collection::vec(proptest::collection::vec(select(WORDS.to_vec()), 0..3), 6);
    (names, also).prop_map(|(names, also)| {
        let column = |(name, also): (&str, Vec<&str>)| Expected {
            name: name.to_owned(),
            also: also.into_iter().map(str::to_owned).collect(),
            required: false,
        };
        names.into_iter().zip(also).map(column).collect()
    })
}

fn some_input() -> impl Strategy<Value = Input> {
    let matching = prop_oneof![
        Just(Match::Exact),
        Just(Match::Normalised),
        Just(Match::Synonym),
        (50_u8..=100).prop_map(Match::Fuzzy)
    ];
    (some_expected(), matching).prop_map(|(columns, matching)| Input {
        columns,
        matching,
        ..Input::default()
    })
}

fn some_choices() -> impl Strategy<Value = Choices> {
    let pairs = || proptest::collection::btree_map(select(WORDS.to_vec()), select(WORDS.to_vec()), 0..2);
    let owned = |pairs: BTreeMap<&str, &str>| {
        pairs
            .into_iter()
            .map(|(one, other)| (normalised(one), other.to_owned()))
            .collect()
    };
    (pairs(), pairs()).prop_map(move |(chosen, remembered)| Choices {
        chosen: owned(chosen),
        remembered: owned(remembered),
        ..Choices::default()
    })
}

proptest! {
    #[test]
    fn a_header_is_one_column_at_most_and_the_order_of_columns_has_no_say(
        input in some_input(),
        headers in subsequence(WORDS.to_vec(), 0..12),
        shuffled in any::<prop::sample::Index>(),
        choices in some_choices(),
    ) {
        let found = find_columns(&input, &headers, &choices);
        let taken = |found: &[ColumnMatch]| found.iter().filter_map(|it| it.header.clone()).collect::<Vec<_>>();
        if let Ok(found) = &found {
            let headers_taken = taken(found);
            prop_assert_eq!(headers_taken.iter().collect::<HashSet<_>>().len(), headers_taken.len());
            prop_assert!(headers_taken.iter().all(|it| headers.contains(&it.as_str())));
            if let Match::Fuzzy(hundredths) = input.matching {
                let least = f64::from(hundredths) / 100.0;
                prop_assert!(found.iter().all(|it| it.how != How::Fuzzy || it.score.is_some_and(|score| score + 1e-9 >= least)));
            } else {
                prop_assert!(found.iter().all(|it| it.how != How::Fuzzy));
            }
        }
        // Turned around by any number of places and reversed: other orders, the same answer.
        let mut other = headers.clone();
        if !other.is_empty() {
            let by = shuffled.index(other.len());
            other.rotate_left(by);
            other.reverse();
        }
        let mut turned = input.clone();
        turned.columns.reverse();
        prop_assert_eq!(&find_columns(&input, &other, &choices).is_ok(), &found.is_ok());
        if let (Ok(found), Ok(other), Ok(mut turned)) =
            (found, find_columns(&input, &other, &choices), find_columns(&turned, &headers, &choices))
        {
            prop_assert_eq!(&found, &other);
            turned.reverse();
            prop_assert_eq!(&found, &turned);
        }
    }
}

#[test]
fn thousands_of_columns_are_compared_in_bounded_time() -> Result<(), String> {
    let names: Vec<String> = (0..16_384)
        .map(|number| format!("column {} of many", "x".repeat(number % 40)))
        .collect();
    let headers: Vec<&str> = names.iter().map(String::as_str).collect();
    let expected = (0..500)
        .map(|number| format!("expected column {number}"))
        .collect::<Vec<_>>();
    let input = input(&format!("columns: [{}]", expected.join(", ")));
    let columns = find_columns(&input, &headers, &Choices::default())?;
    assert!(columns.iter().all(|it| it.how == How::Missing));
    Ok(())
}
