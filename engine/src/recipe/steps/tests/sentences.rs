//! What steps for columns and text say: labels, what is wrong with options, and how they are written.

use super::*;

#[test]
fn labels_of_steps_for_text_are_plain_sentences() {
    for (text, label) in LABELS {
        assert_eq!(step(text).label(), *label);
    }
}

/// A step and its label.
const LABELS: &[(&str, &str)] = &[
    (
        "{trim: {columns: [name], inner: yes, lookalikes: yes, controls: yes}}",
        "Remove blanks around and inside the text of name, make odd blanks ordinary, remove control characters",
    ),
    ("{drop: [id]}", "Remove the column id"),
    (
        "{move: {columns: [day, id], to: first}}",
        "Move day and id to the front",
    ),
    ("{move: {columns: id, to: after, column: day}}", "Move id after day"),
    ("{case: {to: upper}}", "Write all columns in capitals"),
    ("{case: {columns: [], to: upper}}", "Write no columns in capitals"),
    (
        "{case: {columns: [id, name], to: title}}",
        "Begin each word of id and name with a capital",
    ),
    (
        "{pad: {columns: id, length: 5}}",
        "Fill id up to 5 characters with `0` from the left",
    ),
    (
        "{replace: {find: n/a, match: cell}}",
        "Remove cells that are `n/a` in all columns",
    ),
    (
        "{replace: {columns: name, find: a, with: b}}",
        "Replace `a` with `b` in name",
    ),
    (
        "{replace: {find: '^0+', match: regex}}",
        "Remove what matches `^0+` in all columns",
    ),
    (
        "{map: {column: name, values: {m: male}}}",
        "Exchange `m` for `male` in name",
    ),
    (
        "{map: {column: name, values: {n/a: ''}}}",
        "Exchange `n/a` for a blank in name",
    ),
    (
        "{map: {column: name, values: {'': none}}}",
        "Exchange a blank for `none` in name",
    ),
    (
        r#"{replace: {find: "\u00a0", with: " "}}"#,
        "Replace `[U+00A0]` with ` ` in all columns",
    ),
    (
        r#"{combine: {columns: [id, name], into: x, separator: "\n"}}"#,
        r"Combine id and name into x with `\n` between",
    ),
    (
        "{map: {column: name, values: {m: male, f: female}, otherwise: reject}}",
        "Exchange 2 values of name, reject rows with others",
    ),
    (
        "{split: {column: name, separator: ',', into: [a, b], extra: reject}}",
        "Split name at `,` into a and b, reject rows with more parts",
    ),
    (
        "{split: {column: name, by: widths, widths: [2, 3], into: [a, b]}}",
        "Split name after 2 and 3 characters into a and b",
    ),
    (
        "{extract: {column: name, pattern: '[0-9]+', into: number, otherwise: reject}}",
        "Take `[0-9]+` out of name into number, reject rows without it",
    ),
    (
        "{combine: {columns: [id, name], into: key, separator: '-'}}",
        "Combine id and name into key with `-` between",
    ),
    ("{normalise: {columns: name}}", "Write the characters of name as NFC"),
    (
        "{normalise: {strip_accents: yes}}",
        "Take accents away in all columns and write characters as NFC",
    ),
];

#[test]
fn what_does_not_fit_the_columns_is_said_with_step_and_option() {
    for (text, path, words) in UNFIT {
        let problem = problem(text);
        assert_eq!(problem.path, format!("steps[2].{path}"), "{problem:?}");
        assert!(problem.message.contains(words), "{problem:?}");
    }
}

/// A step, what does not fit the columns, and some of the words that say why.
const UNFIT: &[(&str, &str, &str)] = &[
    ("{drop: [dya]}", "drop.columns[0]", "Did you mean `day`?"),
    (
        "{drop: [id, name, total, day]}",
        "drop.columns",
        "at least one must stay",
    ),
    (
        "{move: {columns: [id], to: before, column: totl}}",
        "move.column",
        "Did you mean `total`?",
    ),
    (
        "{move: {columns: [id], to: before, column: id}}",
        "move.column",
        "itself one of those",
    ),
    (
        "{case: {columns: [nmae], to: upper}}",
        "case.columns[0]",
        "Did you mean `name`?",
    ),
    (
        "{pad: {columns: [id, x], length: 3}}",
        "pad.columns[1]",
        "no column `x`",
    ),
    (
        "{replace: {columns: [naem], find: a}}",
        "replace.columns[0]",
        "Did you mean `name`?",
    ),
    (
        "{map: {column: nam, values: {a: b}}}",
        "map.column",
        "Did you mean `name`?",
    ),
    (
        "{split: {column: nam, separator: x, into: [a]}}",
        "split.column",
        "Did you mean `name`?",
    ),
    (
        "{split: {column: name, separator: x, into: [a, day]}}",
        "split.into[1]",
        "a column `day` already",
    ),
    (
        "{split: {column: name, separator: x, into: [a, a]}}",
        "split.into[1]",
        "named twice",
    ),
    (
        "{split: {column: name, separator: x, into: [name]}}",
        "split.into[0]",
        "a column `name` already",
    ),
    (
        "{extract: {column: dya, pattern: x, into: a}}",
        "extract.column",
        "Did you mean `day`?",
    ),
    (
        "{extract: {column: day, pattern: x, into: ' '}}",
        "extract.into[0]",
        "needs a name",
    ),
    (
        "{combine: {columns: [id, nam], into: x}}",
        "combine.columns[1]",
        "Did you mean `name`?",
    ),
    ("{combine: {columns: [id], into: ' '}}", "combine.into", "needs a name"),
    (
        "{normalise: {columns: [nam]}}",
        "normalise.columns[0]",
        "Did you mean `name`?",
    ),
];

#[test]
fn a_text_is_not_split_into_columns_without_end() {
    let names: Vec<String> = (0..257).map(|number| format!("n{number}")).collect();
    let problem = problem(&format!(
        "{{split: {{column: name, separator: x, into: [{}]}}}}",
        names.join(", ")
    ));
    assert!(
        problem.message.contains("257 new columns; there can be 256"),
        "{problem:?}"
    );
}

#[test]
fn a_new_value_fits_a_cell_as_excel_counts() {
    let mapped = |faces: usize| {
        let values = serde_json::json!({ "a": "👧".repeat(faces) });
        Recipe::from_json(&serde_json::json!({ "steps": [{ "map": { "column": "name", "values": values } }] }))
    };
    assert!(mapped(16_383).is_ok());
    let problems = mapped(16_384).expect_err("32,768 units");
    assert_eq!(problems[0].path, "steps[0].map.values");
    assert!(problems[0].message.contains("longer than a cell"), "{problems:?}");
}

#[test]
fn problems_of_options_know_their_line() {
    let text = "steps:\n  - pad:\n      columns: id\n      length: 3\n      with: ab\n";
    let problems = Recipe::parse(text).expect_err("two characters");
    assert_eq!((problems[0].line, problems[0].step), (5, Some(1)), "{problems:?}");
}

#[test]
fn what_is_wrong_with_options_is_said_at_the_door() {
    for (text, path, words) in DOOR {
        let problems = Recipe::parse(&format!("steps: [{text}]")).expect_err(text);
        let path = format!("steps[0].{path}");
        let said = |problem: &Problem| problem.path == path && problem.message.contains(words);
        assert!(problems.iter().any(said), "{text}: {problems:?}");
    }
}

/// A step, where something is wrong with it, and some of the words that say what.
const DOOR: &[(&str, &str, &str)] = &[
    ("{trim: {iner: yes}}", "trim.iner", "Did you mean `inner`?"),
    (
        "{trim: {inner: perhaps}}",
        "trim.inner",
        "`inner` of `trim` cannot be `perhaps`",
    ),
    ("{drop: []}", "drop", "`drop` names no column"),
    ("{drop: {column: id}}", "drop.columns", "is `column` a misspelling"),
    ("{move: {columns: id}}", "move.to", "`move` needs `to`"),
    ("{move: {columns: id, to: frist}}", "move.to", "Did you mean `first`?"),
    (
        "{move: {columns: id, to: before}}",
        "move.column",
        "`move` needs `column`",
    ),
    (
        "{move: {columns: id, to: first, column: day}}",
        "move.column",
        "goes with `to: before`",
    ),
    ("{case: {columns: all}}", "case.to", "`case` needs `to`"),
    ("{case: {to: uper}}", "case.to", "Did you mean `upper`?"),
    ("{pad: {columns: id}}", "pad.length", "`pad` needs `length`"),
    (
        "{pad: {columns: id, length: 40000}}",
        "pad.length",
        "from 1 to 32767, not `40000`",
    ),
    ("{pad: {columns: id, length: [1]}}", "pad.length", "not a list"),
    ("{pad: {columns: [], length: 3}}", "pad.columns", "names no column"),
    (
        "{extract: {column: name, pattern: x, into: []}}",
        "extract.into",
        "names no column",
    ),
    (
        "{pad: {columns: id, length: 3, with: ab}}",
        "pad.with",
        "one character, not `ab`",
    ),
    (
        "{pad: {columns: id, length: 3, sied: left}}",
        "pad.sied",
        "Did you mean `side`?",
    ),
    ("{replace: {with: a}}", "replace.find", "`replace` needs `find`"),
    (
        "{replace: {find: '', with: a}}",
        "replace.find",
        "something to look for",
    ),
    (
        "{replace: {find: '(a', match: regex}}",
        "replace.find",
        "unclosed group",
    ),
    (
        "{replace: {find: '(a)', with: $2, match: regex}}",
        "replace.with",
        "the pattern has one group",
    ),
    (
        "{replace: {find: a, match: regexp}}",
        "replace.match",
        "Did you mean `regex`?",
    ),
    (
        "{replace: {find: a, ignorecase: yes}}",
        "replace.ignorecase",
        "Did you mean `ignore_case`?",
    ),
    ("{map: {column: name, values: {}}}", "map.values", "names no value"),
    (
        "{map: {column: name, values: [a]}}",
        "map.values",
        "old and new values such as",
    ),
    (
        "{map: {column: name, values: {a: [b]}}}",
        "map.values.a",
        "expects a text",
    ),
    (
        "{map: {column: name, values: {a: b}, otherwise: rejct}}",
        "map.otherwise",
        "Did you mean `reject`?",
    ),
    (
        "{split: {column: name, into: [a]}}",
        "split.separator",
        "`split` needs `separator`",
    ),
    (
        "{split: {column: name, separator: '', into: [a]}}",
        "split.separator",
        "something between the parts",
    ),
    (
        "{split: {column: name, by: regex, separator: 'x*', into: [a]}}",
        "split.separator",
        "matches nothing at all",
    ),
    (
        "{split: {column: name, by: regex, separator: '[', into: [a]}}",
        "split.separator",
        "unclosed character class",
    ),
    (
        "{split: {column: name, separator: x, widths: [1], into: [a]}}",
        "split.widths",
        "goes with `by: widths`",
    ),
    (
        "{split: {column: name, by: widths, separator: x, into: [a]}}",
        "split.separator",
        "goes with `by: delimiter`",
    ),
    (
        "{split: {column: name, by: widths, widths: [1, 0], into: [a, b]}}",
        "split.widths[1]",
        "from 1 to 32767, not `0`",
    ),
    (
        "{split: {column: name, by: widths, widths: [1], into: [a, b, c]}}",
        "split.widths",
        "1 entries for 3 new columns",
    ),
    (
        "{split: {column: name, separator: x, into: []}}",
        "split.into",
        "names no column",
    ),
    (
        "{split: {column: name, separator: x, into: [a], kep: no}}",
        "split.kep",
        "Did you mean `keep`?",
    ),
    (
        "{extract: {column: name, pattern: '(a)(b)', into: [a]}}",
        "extract.pattern",
        "2 groups for 1 new column",
    ),
    (
        "{extract: {column: name, pattern: 'a(?=b)', into: [a]}}",
        "extract.pattern",
        "look-around",
    ),
    (
        "{extract: {column: name, patern: 'a', into: [a]}}",
        "extract.pattern",
        "is `patern` a misspelling",
    ),
    (
        "{combine: {columns: [], into: a}}",
        "combine.columns",
        "names no column",
    ),
    (
        "{combine: {columns: [id], into: a, seperator: '-'}}",
        "combine.seperator",
        "Did you mean `separator`?",
    ),
    ("{normalise: {form: NFX}}", "normalise.form", "Did you mean `NFC`?"),
];

#[test]
fn a_recipe_reads_back_from_what_it_is_written_as() {
    for text in WRITTEN {
        let recipe = Recipe::parse(&format!("steps: [{text}]")).expect(text);
        let written = recipe.to_yaml();
        assert_eq!(Recipe::parse(&written).expect(&written), recipe, "{written}");
        assert_eq!(Recipe::from_json(&recipe.to_json()).expect(text), recipe, "{text}");
        let short = &text[1..text.len() - 1];
        assert!(written.contains(short), "{written} is not {text}");
    }
}

/// Steps in the shortest form in which they are written.
const WRITTEN: &[&str] = &[
    "{trim: {}}",
    "{trim: {columns: [name], lookalikes: true}}",
    "{drop: {columns: [id]}}",
    "{move: {columns: [id], to: last}}",
    "{move: {columns: [id, day], to: before, column: name}}",
    "{case: {to: title}}",
    "{pad: {columns: [id], length: 5}}",
    "{pad: {columns: [id], length: 5, with: \" \", side: right}}",
    "{replace: {find: a}}",
    "{replace: {columns: [name], find: \"(a)\", with: \"$1$$\", match: regex, ignore_case: true}}",
    "{map: {column: name, values: {m: male, \"1\": \"\", \"\": none}}}",
    "{map: {column: name, values: {a: b}, otherwise: blank}}",
    "{split: {column: name, separator: \", \", into: [a, b]}}",
    "{split: {column: name, by: regex, separator: \"\\\\s\", into: [a, b], extra: reject, keep: false}}",
    "{split: {column: name, by: widths, widths: [2, 3], into: [a, b]}}",
    "{extract: {column: name, pattern: \"(a)|(b)\", into: [a, b], otherwise: keep}}",
    "{combine: {columns: [id, name], into: key}}",
    "{combine: {columns: [id, name], into: key, separator: \"\", skip_blanks: false}}",
    "{normalise: {form: NFKD, strip_accents: true}}",
];
