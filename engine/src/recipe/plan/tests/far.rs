//! Looking up on disk, against the same in memory: rows, accounts and rejects.

use super::join::{numbers, prices};
use super::*;
use crate::recipe::ledger::Account;

/// What must be the same: rows, accounts, and the list of rejects.
type Outcome = (Vec<Vec<String>>, Vec<Account>, Vec<RecordBatch>);

fn outcome(ours: &[(&str, ArrayRef)], recipe: &str, split: Split, references: &References) -> Fallible<Outcome> {
    let made = carry_out_with(ours, recipe, split, references)?;
    let mut rejects = Vec::new();
    made.tally.rejects.finish(|batch| {
        rejects.push(batch.clone());
        Ok(())
    })?;
    Ok((made.rows, made.tally.accounts, rejects))
}

const IN_MEMORY: Option<usize> = None;
const ON_DISK: Option<usize> = Some(0);

const JOINS: [&str; 8] = [
    "kind: left",
    "kind: left, several: first",
    "kind: left, several: reject",
    "kind: inner",
    "kind: right, several: reject",
    "kind: full",
    "kind: semi",
    "kind: anti",
];

/// Recipes that look up, some of them in the middle of steps that reject rows, twice, or behind steps that need all rows.
fn recipes() -> Vec<String> {
    let joins = JOINS.map(|options| format!("{{join: {{with: prices, on: [name], {options}}}}}"));
    let rule = "{validate: [{column: quantity, max: 2}, {column: name, pattern: '[^1]*'}]}";
    let mut recipes: Vec<String> = joins.to_vec();
    for join in &joins {
        recipes.push(format!("{rule}, {join}, {{filter: {{keep: quantity <> 1}}}}"));
    }
    let full = &joins[5];
    let reject = &joins[2];
    recipes.push(format!("{reject}, {{validate: [{{column: theirs, max: 1}}]}}"));
    recipes.push(format!(
        "{rule}, {reject}, {{join: {{with: prices, on: {{quantity: theirs}}, columns: [name]}}}}"
    ));
    recipes.push(format!(
        "{{sort: {{by: [quantity]}}}}, {rule}, {full}, {{number_rows: {{column: n}}}}"
    ));
    recipes.push(format!(
        "{full}, {{deduplicate: {{by: [name, theirs], keep: last}}}}, {reject}"
    ));
    for keep in ["added, changed", "added, changed, removed, same"] {
        let compare = format!("{{compare: {{with: prices, by: [name], keep: [{keep}]}}}}");
        recipes.push(format!("{{rename: {{quantity: theirs}}}}, {compare}"));
        // Nothing in front of it rejects rows: a search for equal values on disk tells of them before it begins.
        recipes.push(format!("{compare}, {{filter: {{keep: name <> 'b'}}}}"));
    }
    recipes.into_iter().map(|steps| format!("steps: [{steps}]")).collect()
}

fn table_of(rows: &[Row], quantity: &'static str) -> [(&'static str, ArrayRef); 2] {
    let (texts, numbers): (StringArray, Int64Array) = (
        rows.iter().map(|row| row.name.clone()).collect(),
        rows.iter().map(|row| row.quantity).collect(),
    );
    [("name", Arc::new(texts)), (quantity, Arc::new(numbers))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_is_looked_up_on_disk_is_what_is_found_in_memory(
        rows in nasty_rows(), others in nasty_rows(), split in any_split(), recipe in select(recipes()),
    ) {
        let fail = |error: Box<dyn std::error::Error>| TestCaseError::fail(format!("{error}: {recipe}"));
        let (_folder, references) = prices(&table_of(&others, "theirs")).map_err(fail)?;
        let ours = table_of(&rows, "quantity");
        let made = |held| outcome(&ours, &recipe, Split { held, ..split }, &references).map_err(fail);
        prop_assert_eq!(made(ON_DISK)?, made(IN_MEMORY)?, "{}", recipe);
    }
}

#[test]
fn many_rows_of_the_same_key_are_looked_up_on_disk_as_in_memory() -> Fallible {
    let key = |n: i64, of: i64| (n % 11 != 3).then_some(if n % 40 == 0 { 5 } else { n * n % of });
    // Some keys are there once.
    let theirs = (0..12_000).map(|n| if n % 17 == 1 { Some(10_000 + n) } else { key(n, 9_000) });
    let theirs: Vec<_> = theirs.collect();
    let (_folder, references) = prices(&[
        ("code", numbers(&theirs)),
        ("price", numbers(&(0..12_000).map(Some).collect::<Vec<_>>())),
    ])?;
    let ours: Vec<_> = (0..20_000)
        .map(|n| if n % 4 == 0 { Some(n) } else { key(n + 1, 7_000) })
        .collect();
    let ours = [
        ("sku", numbers(&ours)),
        ("n", numbers(&(0..20_000).map(Some).collect::<Vec<_>>())),
    ];
    let split = Split {
        part_rows: 4096,
        window_rows: 3000,
        jobs: 2,
        held: None,
    };
    for options in [
        "kind: full",
        "kind: right, several: first",
        "kind: inner, several: reject",
        "kind: anti",
    ] {
        let recipe = format!("steps: [{{join: {{with: prices, on: {{sku: code}}, {options}}}}}]");
        let made = |held| outcome(&ours, &recipe, Split { held, ..split }, &references);
        let (on_disk, in_memory) = (made(ON_DISK)?, made(IN_MEMORY)?);
        assert!(!in_memory.0.is_empty(), "{options}");
        assert!(
            on_disk == in_memory,
            "{options}: {} and {} rows",
            on_disk.0.len(),
            in_memory.0.len()
        );
    }
    Ok(())
}
