//! What is suggested, and what is not.

use sheetmill_engine::tables::Profile;

use super::*;

fn column(name: &str, texts: u64, change: impl FnOnce(&mut Profile)) -> ColumnMeta {
    let mut profile = Profile {
        kinds: [("text".to_owned(), texts)].into(),
        distinct: texts,
        ..Profile::default()
    };
    change(&mut profile);
    ColumnMeta {
        name: name.to_owned(),
        kind: ColumnKind::Text,
        profile,
        ..ColumnMeta::default()
    }
}

fn patterns(name: &str, texts: u64, all: &[(&str, u64)]) -> ColumnMeta {
    column(name, texts, |it| {
        it.patterns = all.iter().map(|(text, count)| ((*text).to_owned(), *count)).collect();
    })
}

fn told(columns: &[ColumnMeta], steps: &str) -> Vec<(String, usize)> {
    let recipe = Recipe::parse(&format!("steps: {steps}")).unwrap_or_else(|problems| panic!("{problems:?}"));
    of(columns, &recipe)
        .into_iter()
        .map(|it| (it.sentence, it.at))
        .collect()
}

#[test]
fn blanks_are_told_once_for_all_columns_and_go_with_a_step_that_trims_them() {
    let columns = [
        column("city", 2_000, |it| it.padded = 1_200),
        column("name", 2_000, |it| (it.padded, it.odd_blanks) = (4, 1)),
    ];
    let all = "1,204 cells have blanks around their text; 1 cell has blanks that only look like blanks: trim?";
    assert_eq!(told(&columns, "[]"), [(all.to_owned(), 0)]);
    assert_eq!(told(&columns, "[trim: {lookalikes: true}]"), []);
    assert_eq!(told(&columns, "[trim: {columns: [city]}]").len(), 1);
    assert_eq!(told(&columns, "[drop: {columns: [city, name]}]"), []);
    let later = told(&columns, "[{rename: {city: town}}, {filter: {keep: \"town <> ''\"}}]");
    assert_eq!(later[0].1, 1, "before rows are picked");
    assert_eq!(
        told(
            &columns,
            "[{rename: {city: town}}, {trim: {columns: [town, name], lookalikes: true}}]"
        ),
        []
    );
}

#[test]
fn texts_that_are_numbers_are_told_and_names_made_of_digits_are_not() {
    let number = |pattern: &str| {
        let recipe = Recipe::default();
        of(&[patterns("total", 10, &[(pattern, 9)])], &recipe)
            .into_iter()
            .map(|it| it.step)
            .next()
    };
    assert_eq!(
        number("9.999,99"),
        Some(json!({"convert": {"column": "total", "to": "decimal", "decimal": ","}}))
    );
    assert_eq!(
        number("9,99").map(|it| it["convert"]["decimal"].clone()),
        Some(json!(","))
    );
    assert_eq!(
        number("-99.9"),
        Some(json!({"convert": {"column": "total", "to": "decimal"}}))
    );
    assert_eq!(number("9.999"), None, "nobody can tell");
    assert_eq!(number("9999999999999999"), None, "longer than a number");
    assert_eq!(number("AA-99"), None);
    let zeros = column("branch", 10, |it| {
        (it.zero_padded, it.patterns) = (3, vec![("99".to_owned(), 10)]);
    });
    assert_eq!(told(&[zeros], "[]"), []);
    assert_eq!(told(&[patterns("phone", 10, &[("999999", 10)])], "[]"), []);
    assert_eq!(
        told(
            &[patterns("total", 10, &[("99.9", 10)])],
            "[convert: {column: total, to: decimal}]"
        ),
        []
    );
}

#[test]
fn dates_are_read_as_the_whole_column_says_or_both_ways_are_offered() {
    let dates = |max: &str| {
        let mut column = patterns("arrived", 10, &[("99/99/9999", 10)]);
        column.profile.max = Some(max.to_owned());
        let found = of(&[column], &Recipe::default());
        found
            .iter()
            .map(|it| it.step["convert"]["formats"][0].as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(dates("31/01/2024"), ["%d/%m/%Y"]);
    assert_eq!(dates("12/31/2024"), ["%m/%d/%Y"]);
    assert_eq!(dates("12/11/2024"), ["%d/%m/%Y", "%m/%d/%Y"]);
    let iso = of(&[patterns("d", 4, &[("9999-99-99", 4)])], &Recipe::default());
    assert_eq!(iso[0].step["convert"]["formats"], json!(["%Y-%m-%d"]));
}

#[test]
fn spellings_duplicates_and_blank_columns_are_told_with_counts() {
    let city = column("city", 30, |it| {
        it.distinct = 3;
        it.top = [("Berlin", 20), ("BERLIN", 4), ("Rome", 3)]
            .map(|(text, n)| (text.to_owned(), n))
            .to_vec();
    });
    let found = of(std::slice::from_ref(&city), &Recipe::default());
    assert_eq!(
        found[0].sentence,
        "4 cells are spelt otherwise in city, such as “BERLIN” for “Berlin”: unify?"
    );
    assert_eq!(told(&[city], "[case: {columns: [city], to: title}]"), []);
    let id = column("order", 100, |it| (it.distinct, it.distinct_exact) = (98, true));
    assert_eq!(
        told(std::slice::from_ref(&id), "[]")[0].0,
        "2 cells repeat others in order: remove duplicates?"
    );
    assert_eq!(told(&[id], "[deduplicate: {by: [order]}]"), []);
    let blank = ColumnMeta {
        name: "E".to_owned(),
        ..ColumnMeta::default()
    };
    assert_eq!(told(&[blank], "[]")[0].0, "1 column is wholly blank: remove?");
}
