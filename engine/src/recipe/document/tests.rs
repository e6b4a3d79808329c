//! The document: what is read, what is said about what cannot be, and the way back.

use super::*;
use crate::recipe::steps::Keep;

const ORDERS: &str = r#"name: Clean orders
input:
  sheets: first            # first | all | visible | [names] | {matching: "20*"}
  header: auto
steps:
  - trim: {columns: all}
  - rename: {"Order ID": id, "Date": order_date}
  - convert: {column: order_date, to: date, formats: ["%d/%m/%Y"], otherwise: reject}
  - filter: {keep: "quantity > 0 AND status <> 'cancelled'"}
  - compute: {column: total, as: "quantity * unit_price * (1 - discount)"}
  - deduplicate: {by: [id], keep: first}
  - sort: {by: [region, {column: id, order: descending}]}
  - group: {by: [region], totals: {orders: "count(*)", revenue: "sum(total)"}}
output:
  format: xlsx
  rejects: {policy: leave_out, as: list}
"#;

fn problems(text: &str) -> Vec<Problem> {
    Recipe::parse(text).expect_err("a recipe with problems")
}

#[test]
fn a_recipe_is_read_and_comes_back_the_same_from_yaml_and_json() {
    let recipe = Recipe::parse(ORDERS).expect("a recipe");
    assert_eq!(recipe.name, "Clean orders");
    assert_eq!(recipe.steps.len(), 8);
    assert!(matches!(&recipe.steps[5], Step::Deduplicate(step) if step.keep == Keep::First));
    assert_eq!(
        Recipe::parse(&recipe.to_yaml()).expect("its yaml"),
        recipe,
        "{}",
        recipe.to_yaml()
    );
    assert_eq!(Recipe::from_json(&recipe.to_json()).expect("its json"), recipe);
    assert_eq!(
        Recipe::parse(&recipe.to_json().to_string()).expect("its json as text"),
        recipe
    );
    let sent = serde_json::to_string(&recipe).expect("json");
    assert_eq!(serde_json::from_str::<Recipe>(&sent).expect("a recipe"), recipe);
}

#[test]
fn yaml_is_written_as_people_write_it() {
    let text = "name: Clean\nsteps:\n  - trim: {}\n  - filter: {keep: \"a > 0\"}\n  - rename: {\"Order ID\": id}\n";
    let recipe = Recipe::parse(text).expect("a recipe");
    assert_eq!(recipe.to_yaml(), text.replace("\"Order ID\"", "Order ID"));
    assert_eq!(Recipe::parse("steps: []").expect("a recipe").to_yaml(), "steps: []\n");
}

#[test]
fn rules_stand_one_on_a_line_and_say_only_what_they_need() {
    let text = "steps:\n  - validate:\n      - {column: id, required: true, unique: true}\n      \
                - {column: code, length: 5, pattern: \"[A-Z]+\", message: No code}\n      \
                - {column: day, type: date, min: \"2024-01-01\", length: {max: 10}, severity: warning}\n      \
                - {column: age, min: -1.5, max: \"+5\"}\n      - {unique: [code, day]}\n      - {where: \"a < b\"}\n";
    let recipe = Recipe::parse(text).expect("a recipe");
    assert_eq!(recipe.to_yaml(), text);
    assert_eq!(Recipe::from_json(&recipe.to_json()).expect("its json"), recipe);
    let long =
        Recipe::parse("steps: [{validate: {rules: [{column: id, required: yes, unique: no}]}}]").expect("a recipe");
    assert_eq!(
        long.to_yaml(),
        "steps:\n  - validate:\n      - {column: id, required: true}\n"
    );
}

#[test]
fn all_options_of_the_output_come_back() {
    let text = "steps: []\noutput: {format: csv, csv: {delimiter: \";\", encoding: utf-16le, line_end: crlf, unwritable: fail}, \
                split_by: region, split_into: files, name: \"{file}-{value}\", rejects: {policy: keep, as: list, format: xlsx}}\n";
    let recipe = Recipe::parse(text).expect("a recipe");
    assert_eq!(recipe.to_yaml(), text);
    assert_eq!(Recipe::from_json(&recipe.to_json()).expect("its json"), recipe);
    let tab = Recipe::parse("steps: []\noutput: {csv: {delimiter: \"\\t\"}}").expect("a recipe");
    assert!(tab.to_yaml().contains("delimiter: tab"), "{}", tab.to_yaml());
}

#[test]
fn how_small_workbooks_are_made_is_an_option_and_fast_goes_without_saying() {
    let of = |word: &str| Recipe::parse(&format!("steps: []\noutput: {{xlsx: {{compression: {word}}}}}"));
    let small = of("small").expect("a recipe");
    assert!(
        small.to_yaml().contains("xlsx: {compression: small}"),
        "{}",
        small.to_yaml()
    );
    assert_eq!(Recipe::from_json(&small.to_json()).expect("its json"), small);
    assert_eq!(
        of("fast").expect("a recipe"),
        Recipe::parse("steps: []").expect("a recipe")
    );
    let problems = of("balance").expect_err("no such word");
    assert!(problems[0].message.contains("`balanced`"), "{problems:?}");
}

#[test]
fn names_that_look_like_something_else_survive_the_way_through_yaml() {
    for name in [
        "yes",
        "007",
        "null",
        "a: b",
        "x#y",
        " x ",
        "Größe €",
        "-",
        "2024-01-31",
        "\"quoted\"",
        "line\nend",
        "~",
    ] {
        let document = serde_json::json!({ "name": name, "steps": [{ "select": { "columns": [name] } }] });
        let recipe = Recipe::from_json(&document).expect("a recipe");
        assert_eq!(
            Recipe::parse(&recipe.to_yaml()).expect("its yaml"),
            recipe,
            "{}",
            recipe.to_yaml()
        );
    }
}

#[test]
fn the_hash_is_of_what_the_recipe_does() {
    let hash = |text: &str| Recipe::parse(text).expect("a recipe").hash();
    assert_eq!(
        hash("name: A\nsteps: [trim]"),
        hash("{\"name\": \"B\", \"steps\": [{\"trim\": {\"columns\": \"all\"}}]}")
    );
    assert_ne!(hash("steps: [trim]"), hash("steps: [{trim: {columns: [a]}}]"));
    assert_eq!(hash("steps: []").len(), 64);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn problems_name_step_option_and_the_nearest_right_spelling() {
    for (text, line, column, step, words) in [
        (
            "steps:\n  - fitler: {keep: \"a > 0\"}",
            2,
            5,
            Some(1),
            "The step `fitler` is not known. Did you mean `filter`?",
        ),
        (
            "steps:\n  - trim\n  - sort: {bye: [a]}",
            3,
            11,
            Some(2),
            "`sort` needs `by`; is `bye` a misspelling of it?",
        ),
        (
            "steps:\n  - trim: {column: all}",
            2,
            12,
            Some(1),
            "`column` is not an option of `trim`. Did you mean `columns`?",
        ),
        (
            "steps:\n  - convert: {column: a, to: dat}",
            2,
            30,
            Some(1),
            "Did you mean `date`?",
        ),
        (
            "steps:\n  - convert: {column: a, to: date, formats: [\"%d/%m\"]}",
            2,
            45,
            Some(1),
            "day, month and year",
        ),
        (
            "steps:\n  - deduplicate: {by: [a], keep: frist}",
            2,
            34,
            Some(1),
            "Did you mean `first`?",
        ),
        (
            "steps:\n  - validate:\n      - {colum: a, required: true}",
            3,
            9,
            Some(1),
            "A rule of `validate` needs `column`",
        ),
        ("steps:\n  - validate: [{column: a}]", 2, 25, Some(1), "checks nothing"),
        (
            "steps:\n  - validate: [{column: a, length: many}]",
            2,
            36,
            Some(1),
            "is a number of characters such as 5",
        ),
        (
            "steps:\n  - validate: [{column: a, unique: true, severity: warnin}]",
            2,
            52,
            Some(1),
            "Did you mean `warning`?",
        ),
        (
            "steps:\n  - mask: {columns: [a], with: redact, salt: x}",
            2,
            46,
            Some(1),
            "`salt` of `mask` is for `with: hash`.",
        ),
        (
            "steps:\n  - mask: {columns: [a], with: hash, length: 3}",
            2,
            46,
            Some(1),
            "is a number from 8 to 64",
        ),
        ("steps:\n  - filter: {}", 2, 13, Some(1), "`filter` needs a condition"),
        (
            "steps:\n  - filter: {keep: a, drop: b}",
            2,
            13,
            Some(1),
            "both `keep` and `drop`",
        ),
        ("steps:\n  - {trim: {}, sort: {}}", 2, 5, Some(1), "A step is one name"),
        ("steps:\n  - group: {}", 2, 12, Some(1), "`group` needs columns in `by`"),
        ("stepps: []", 1, 1, None, "Did you mean `steps`?"),
        ("steps: []\noutput: {format: xlxs}", 2, 18, None, "Did you mean `xlsx`?"),
        (
            "steps: []\noutput: {rejects: {policy: leave}}",
            2,
            28,
            None,
            "`policy` of `rejects` cannot be `leave`",
        ),
        (
            "steps: []\ninput: {header: first}",
            2,
            17,
            None,
            "`header` of `input` is `auto`",
        ),
        (
            "steps: []\ninput: {sheets: frist}",
            2,
            17,
            None,
            "Did you mean `first`?",
        ),
        (
            "steps: []\noutput: {name: \"{valu}.csv\"}",
            2,
            16,
            None,
            "Did you mean `value`?",
        ),
        (
            "steps: []\noutput: {format: csv, split_by: a, split_into: sheets}",
            2,
            9,
            None,
            "is for `format: xlsx`",
        ),
        (
            "steps: []\noutput: {csv: {encoding: utf8}}",
            2,
            26,
            None,
            "Did you mean `utf-8`?",
        ),
        ("steps: trim", 1, 8, None, "expects a list"),
        ("- trim", 1, 1, None, "expects options"),
    ] {
        let problems = problems(text);
        let found = problems.iter().find(|problem| problem.message.contains(words));
        let found = found.unwrap_or_else(|| panic!("{text:?} says {problems:?}"));
        assert_eq!((found.line, found.step), (line, step), "{found:?}");
        assert_eq!(found.column, column, "{found:?}");
    }
}

#[test]
fn all_problems_are_told_at_once_in_the_order_of_the_text() {
    let problems = problems("steps:\n  - trimm\n  - sort: {by: []}\n  - compute: {colum: a}\nouput: {}");
    let lines: Vec<usize> = problems.iter().map(|problem| problem.line).collect();
    assert!(lines.is_sorted(), "{problems:?}");
    assert!(lines.len() >= 5, "{problems:?}");
}

#[test]
fn a_problem_that_is_found_later_knows_its_line() {
    let recipe = Recipe::parse(ORDERS).expect("a recipe");
    let problem = Problem::of_step(4, "filter.keep", "There is no column `quantity`.");
    let located = recipe.locate(vec![problem]);
    assert_eq!((located[0].line, located[0].column), (9, 20));
    let column = recipe.locate(vec![Problem::of_step(6, "deduplicate.by[0]", "x")]);
    assert_eq!((column[0].line, column[0].column), (11, 24));
}

#[test]
fn expected_columns_are_read_written_and_said_to_be_wrong() {
    let text = "input: {columns: [id, {name: email, also: [E-Mail, mail address], required: true}], match: 0.85, others: drop}\n\
                steps: []\n";
    let recipe = Recipe::parse(text).expect("a recipe");
    assert_eq!(recipe.input.matching, Match::Fuzzy(85));
    assert!(recipe.input.columns[1].required && recipe.input.columns[1].also.len() == 2);
    assert_eq!(Recipe::parse(&recipe.to_yaml()).expect("its yaml"), recipe);
    assert_eq!(Recipe::from_json(&recipe.to_json()).expect("its json"), recipe);
    assert_eq!(recipe.to_json()["input"]["match"], 0.85);
    for (input, words) in [
        ("columns: id", "expects a list such as [id, email]"),
        ("columns: [id, id]", "names `id` twice"),
        ("columns: [\"\"]", "a name is empty"),
        ("columns: [{name: a, alsos: [b]}]", "Did you mean `also`?"),
        ("columns: [a], match: fuzy", "Did you mean `fuzzy`?"),
        ("columns: [a], match: 0.2", "from 0.5 to 1"),
        ("others: drop", "needs `columns`"),
    ] {
        let problems = problems(&format!("input: {{{input}}}\nsteps: []\n"));
        assert!(problems[0].message.contains(words), "{input}: {problems:?}");
        assert!(problems[0].line > 0, "{input}");
    }
}

#[test]
fn an_exported_recipe_says_its_version_and_reads_as_itself() {
    let recipe =
        Recipe::parse("name: A\ninput: {sheets: all}\nsteps:\n  - trim: {columns: all}\n").expect("well-formed");
    for text in [recipe.exported_yaml(), recipe.exported_json()] {
        assert!(text.contains("version"), "{text}");
        assert_eq!(Recipe::parse(&text).expect("well-formed"), recipe, "{text}");
    }
}

#[test]
fn a_recipe_of_a_later_version_is_refused_in_one_sentence() {
    let problems = Recipe::parse("version: 2\nsteps:\n  - knead: {}\nmore: 1\n").expect_err("from the future");
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(
        problems[0].to_string(),
        "line 1, column 10: This recipe has version 2 of the form, and this Sheetmill reads versions up to 1. Update Sheetmill, or \
         export the recipe from an older one."
    );
    for wrong in ["0", "one", "-1", "[1]"] {
        let problems = Recipe::parse(&format!("version: {wrong}\nsteps: []\n")).expect_err(wrong);
        assert!(problems[0].message.starts_with("`version` is a number"), "{problems:?}");
    }
}
