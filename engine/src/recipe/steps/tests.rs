//! Steps against columns: what they leave behind, what they say, and that every one is presented to forms.

use super::*;
use crate::recipe::document::Recipe;
use crate::tables::ColumnKind;

fn columns() -> Vec<Column> {
    [
        ("id", ColumnKind::Integer),
        ("name", ColumnKind::Text),
        ("total", ColumnKind::Decimal),
        ("day", ColumnKind::Date),
    ]
    .map(|(name, kind)| Column {
        letters: Some(name[..1].to_uppercase()),
        ..Column::made(name, kind)
    })
    .to_vec()
}

fn step(text: &str) -> Step {
    Recipe::parse(&format!("steps: [{text}]")).expect(text).steps.remove(0)
}

fn after(text: &str) -> Vec<(String, ColumnKind)> {
    let after = step(text).check(1, &columns(), &References::default()).expect(text);
    after.into_iter().map(|column| (column.name, column.kind)).collect()
}

fn problem(text: &str) -> Problem {
    step(text)
        .check(3, &columns(), &References::default())
        .expect_err(text)
        .remove(0)
}

#[test]
fn steps_say_which_columns_they_leave() {
    let names = |text: &str| {
        after(text)
            .into_iter()
            .map(|(name, _)| name)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(names("{rename: {id: name, name: id}}"), "name id total day");
    assert_eq!(names("{select: [day, id]}"), "day id");
    assert_eq!(names("{drop: [day, id]}"), "name total");
    assert_eq!(
        names("{move: {columns: [day], to: before, column: name}}"),
        "id day name total"
    );
    assert_eq!(after("{case: {to: upper}}")[0].1, ColumnKind::Integer);
    assert_eq!(after("{pad: {columns: id, length: 3}}")[0].1, ColumnKind::Text);
    assert_eq!(
        names("{split: {column: id, by: widths, widths: 1, into: [a, b]}}"),
        "id a b name total day"
    );
    assert_eq!(
        names("{split: {column: day, separator: '-', into: [day, m], keep: no}}"),
        "id name total day m"
    );
    assert_eq!(
        names("{extract: {column: name, pattern: x, into: a}}"),
        "id name a total day"
    );
    assert_eq!(
        names("{combine: {columns: [id, day], into: key}}"),
        "id name total day key"
    );
    assert_eq!(
        after("{combine: {columns: [id, day], into: id}}")[0].1,
        ColumnKind::Text
    );
    assert_eq!(after("{map: {column: name, values: {a: b}}}")[1].1, ColumnKind::Text);
    assert_eq!(after("{map: {column: id, values: {1: b}}}")[0].1, ColumnKind::Mixed);
    assert_eq!(
        names("{compute: {column: each, as: total / id}}"),
        "id name total day each"
    );
    assert_eq!(names("{compute: {column: id, as: id + 1}}"), "id name total day");
    assert_eq!(names("{group: {by: [name], totals: {n: count(*)}}}"), "name n");
    assert_eq!(after("{mask: {columns: [id], with: hash}}")[0].1, ColumnKind::Text);
    assert_eq!(after("{convert: {column: name, to: date}}")[1].1, ColumnKind::Date);
    assert_eq!(
        after("{convert: {column: name, to: date, otherwise: keep}}")[1].1,
        ColumnKind::Mixed
    );
    assert_eq!(after("{compute: {column: copy, as: day}}")[4].1, ColumnKind::Date);
    assert_eq!(
        after("{group: {totals: {s: sum(id), d: max(day)}}}")[1].1,
        ColumnKind::Date
    );
}

#[test]
fn problems_name_the_step_the_option_and_the_nearest_column() {
    for (text, path, words) in [
        (
            "{trim: {columns: [nam]}}",
            "steps[2].trim.columns[0]",
            "Did you mean `name`?",
        ),
        ("{rename: {Name: x}}", "steps[2].rename.Name", "Did you mean `name`?"),
        (
            "{rename: {id: name}}",
            "steps[2].rename.id",
            "two columns called `name`",
        ),
        ("{select: [id, id]}", "steps[2].select.columns[1]", "named twice"),
        (
            "{convert: {column: dy, to: date}}",
            "steps[2].convert.column",
            "Did you mean `day`?",
        ),
        (
            "{filter: {drop: totl > 0}}",
            "steps[2].filter.drop",
            "Did you mean `total`?",
        ),
        (
            "{compute: {column: x, as: name * 2}}",
            "steps[2].compute.as",
            "`name` holds text",
        ),
        (
            "{deduplicate: {by: [x]}}",
            "steps[2].deduplicate.by[0]",
            "There is no column `x`",
        ),
        (
            "{sort: {by: [{column: ids}]}}",
            "steps[2].sort.by[0]",
            "Did you mean `id`?",
        ),
        (
            "{group: {by: [name], totals: {name: count(*)}}}",
            "steps[2].group.totals.name",
            "two columns called `name`",
        ),
        (
            "{group: {by: [name], totals: {x: total}}}",
            "steps[2].group.totals.x",
            "many values in a group",
        ),
    ] {
        let problem = problem(text);
        assert_eq!((problem.path.as_str(), problem.step), (path, Some(3)), "{problem:?}");
        assert!(problem.message.contains(words), "{problem:?}");
        assert!(
            problem.message.starts_with(&format!("`{}`", step(text).name())),
            "{problem:?}"
        );
    }
}

#[test]
fn problems_of_rules_name_the_rule() {
    for (text, path, words) in [
        (
            "{validate: [{column: id, min: 2024-01-31}]}",
            "steps[2].validate.rules[0].min",
            "`id` holds whole numbers",
        ),
        (
            "{validate: [{column: id, min: 3}, {column: day, max: 5}]}",
            "steps[2].validate.rules[1].max",
            "write a date as 2024-01-31",
        ),
        (
            "{validate: [{column: name, min: 3, max: 2}]}",
            "steps[2].validate.rules[0].min",
            "nothing is right",
        ),
        (
            "{validate: [{column: name, pattern: '[a-'}]}",
            "steps[2].validate.rules[0].pattern",
            "not a regular expression",
        ),
        (
            "{validate: [{unique: [name, dy]}]}",
            "steps[2].validate.rules[0].unique",
            "Did you mean `day`?",
        ),
        (
            "{validate: [{where: totl > 0}]}",
            "steps[2].validate.rules[0].where",
            "Did you mean `total`?",
        ),
    ] {
        let problem = problem(text);
        assert_eq!((problem.path.as_str(), problem.step), (path, Some(3)), "{problem:?}");
        assert!(problem.message.contains(words), "{problem:?}");
    }
}

#[test]
fn labels_are_plain_sentences() {
    for (text, label) in [
        ("trim", "Remove blanks around the text of all columns"),
        ("{rename: {id: number}}", "Rename id to number"),
        ("{select: [id, day]}", "Keep only the columns id and day"),
        (
            "{convert: {column: day, to: text}}",
            "Convert day to text, reject rows where that fails",
        ),
        ("{filter: {keep: total > 0}}", "Keep rows where total > 0"),
        ("{compute: {column: x, as: total * 2}}", "Compute x as total * 2"),
        (
            "{sql: 'SELECT * FROM data JOIN prices USING (id)'}",
            "Run a query over data and prices",
        ),
        ("{sql: {query: SELECT 1 AS one}}", "Run a query"),
        (
            "{deduplicate: {by: [id, name]}}",
            "Keep the first of rows with equal id and name",
        ),
        (
            "{sort: {by: [name, {column: id, order: descending}]}}",
            "Sort by name, then id (greatest first)",
        ),
        (
            "{sort: {by: name, locale: fr-ca}}",
            "Sort by name, texts in the order of French (fr-CA)",
        ),
        (
            "{deduplicate: {by: name, similarity: 0.925, keep: most_complete}}",
            "Keep the most complete of rows with similar name (92.5 % or more)",
        ),
        (
            "{deduplicate: {by: [id, name], groups: mark, keep: last}}",
            "Mark the last of rows with equal id and name",
        ),
        (
            "{group: {by: [name], totals: {n: count(*)}}}",
            "One row per name with n",
        ),
        (
            "{mask: {columns: [name, id], with: last, keep: 2}}",
            "Hide name and id but for the last 2 characters",
        ),
        (
            "{validate: [{column: id, required: true}, {column: id, unique: true}, {where: total > 0}]}",
            "Check id and total > 0",
        ),
    ] {
        assert_eq!(step(text).label(), label);
    }
}

#[test]
fn problems_of_queries_name_the_option_and_the_nearest_name() {
    for (text, words) in [
        ("{sql: SELECT nam FROM data}", "Did you mean `name`?"),
        ("{sql: {query: SELECT * FROM prices}}", "a file must be chosen"),
    ] {
        let problem = problem(text);
        assert_eq!((problem.path.as_str(), problem.step), ("steps[2].sql.query", Some(3)));
        assert!(problem.message.contains(words), "{problem:?}");
    }
}

#[test]
fn a_recipe_names_the_other_tables_of_its_queries() {
    let text = "steps: [{sql: SELECT * FROM data JOIN b USING (id) JOIN a USING (id)}, {join: {with: b, on: [id]}}]";
    let recipe = Recipe::parse(text).expect(text);
    assert_eq!(recipe.references(), ["a", "b"]);
    let again = Recipe::parse(&recipe.to_yaml()).expect("its own text");
    assert_eq!(again.steps, recipe.steps);
}

#[test]
fn every_step_is_presented_to_forms_under_its_word() {
    for definition in DEFINITIONS {
        assert!(
            !definition.title.is_empty() && definition.about.ends_with('.'),
            "{}",
            definition.name
        );
        assert!(!definition.options.is_empty(), "{}", definition.name);
        assert_eq!(super::definition(definition.name), Some(definition));
    }
}

#[test]
fn options_that_need_a_choice_name_options_and_words_that_there_are() {
    for only in ONLY_WITH {
        let options = definition(only.step).expect(only.step).options;
        let find = |name: &str| options.iter().find(|form| form.name == name).expect(name);
        assert!(!find(only.option).required, "{only:?}");
        let OptionKind::Choice(words) = find(only.with).kind else {
            panic!("{only:?}: a choice")
        };
        assert!(only.words.iter().all(|word| words.contains(word)), "{only:?}");
    }
}

#[test]
fn options_of_similar_rows_and_languages_are_checked_at_the_door() {
    for (text, words) in [
        (
            "{deduplicate: {by: name, similarity: 90}}",
            "expects a number from 0.5 to 1, such as `0.9`, not `90`",
        ),
        ("{deduplicate: {by: name, similarity: NaN}}", "from 0.5 to 1"),
        ("{deduplicate: {similarity: 0.9}}", "must name columns of text"),
        (
            "{deduplicate: {by: name, words: in_order}}",
            "means nothing without `similarity`",
        ),
        (
            "{deduplicate: {by: name, similarity: 0.9, ignore: case}}",
            "means nothing beside `similarity`",
        ),
        ("{deduplicate: {by: name, group: mark}}", "Did you mean `groups`?"),
        (
            "{sort: {by: name, locale: german}}",
            "`locale` of `sort`: `german` is not a language whose order is known. Did you mean `de`?",
        ),
    ] {
        let problems = Recipe::parse(&format!("steps: [{text}]")).expect_err(text);
        assert!(problems[0].message.contains(words), "{problems:?}");
    }
    let typed = problem("{deduplicate: {by: [name, total], similarity: 0.9}}");
    assert_eq!(typed.path, "steps[2].deduplicate.by[1]");
    assert!(
        typed
            .message
            .contains("The column `total` holds numbers, and `similarity` compares texts")
    );
    let names: Vec<String> = after("{deduplicate: {by: name, groups: mark}}")
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["id", "name", "total", "day", "group", "similarity", "keep"]);
    let twice = Recipe::parse("steps: [{deduplicate: {by: name, groups: mark}}]")
        .expect("it reads")
        .steps
        .remove(0);
    let marked = twice.check(1, &columns(), &References::default()).expect("it fits");
    let problem = twice
        .check(2, &marked, &References::default())
        .expect_err("twice")
        .remove(0);
    assert!(
        problem
            .message
            .contains("adds a column `group`, and there is one already"),
        "{problem:?}"
    );
    for text in [
        "{deduplicate: {by: [name], keep: first, similarity: 0.9, words: in_order, groups: mark}}",
        "{sort: {by: [name], locale: sv}}",
    ] {
        let read = step(text);
        assert_eq!(step(&read.to_json().to_string()), read);
    }
}

mod sentences;
