//! What previews say of rows that rules reject or warn of: counted by rule, found wherever they are, told in their cells.

use super::recipe_tests::{Fallible, orders, wrong_rows_of};
use super::{BrokenRule, PreviewRows, RowFate, RowsAnswer};
use crate::recipe::plan::tests::make_table;

const RULES: &str = "steps:\n  - trim: {columns: all}\n  - filter: {keep: \"id <> 7\"}\n  - validate:\n      - {column: status, \
                     required: true}\n      - {column: id, max: 4990}\n      - {where: \"price < 600\", message: too much, \
                     severity: warning}\n  - sort: {by: [{column: id, order: descending}]}\n";

fn table() -> Fallible<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    make_table(folder.path(), &orders(5000), 1000)?;
    Ok(folder)
}

fn numbers(answer: &RowsAnswer) -> Vec<u64> {
    answer.rows.iter().map(|row| row.row).collect()
}

fn rule(answer: &RowsAnswer, rule: &str) -> Fallible<BrokenRule> {
    let found = answer.rules.iter().find(|it| it.of.rule == rule);
    Ok(found.ok_or_else(|| format!("{rule}: {:?}", answer.rules))?.of.clone())
}

#[test]
fn broken_rules_are_counted_over_all_rows_whatever_is_shown() -> Fallible {
    let folder = table()?;
    // By hand: each fourth of 5,000 rows is blank; ids above 4,990; prices are an eighth of the id.
    let counts = [("required", 1250), ("max", 9), ("where", 200)];
    for show in [PreviewRows::First, PreviewRows::Wrong] {
        let answer = wrong_rows_of(folder.path(), RULES, 4, show)?;
        let counted = |word: &str| answer.rules.iter().find(|it| it.of.rule == word).map(|it| it.count);
        for (word, count) in counts {
            assert_eq!(counted(word), Some(count), "{word}: {:?}", answer.rules);
        }
        assert!(answer.rules.iter().all(|it| it.of.step == 3), "{:?}", answer.rules);
        assert_eq!(answer.ledger.len(), 5);
        assert!(answer.ledger.iter().all(crate::recipe::ledger::LedgerStep::balances));
    }
    Ok(())
}

#[test]
fn only_the_rows_with_mistakes_are_shown_in_the_order_of_the_sheet() -> Fallible {
    let folder = table()?;
    let wrong = wrong_rows_of(folder.path(), RULES, 4, PreviewRows::Wrong)?;
    // Rows 2, 6, … of a sheet whose first row is the header have ids 0, 4, …; blank are those of 2, 6, ….
    assert_eq!(numbers(&wrong), [4, 8, 12, 16, 20, 24, 28, 32, 36, 40]);
    assert!(
        wrong
            .rows
            .iter()
            .all(|row| matches!(&row.fate, RowFate::Out { step: 3, how, .. } if how == "rejected"))
    );
    assert_eq!(wrong.rows[0].findings[0].column.as_deref(), Some("status"));

    let great = PreviewRows::Breaking(rule(&wrong, "max")?);
    let great = wrong_rows_of(folder.path(), RULES, 4, great)?;
    assert_eq!(numbers(&great), [4993, 4994, 4995, 4996, 4997, 4998, 4999, 5000, 5001]);
    let warned = PreviewRows::Breaking(rule(&wrong, "where")?);
    let warned = wrong_rows_of(folder.path(), RULES, 4, warned)?;
    assert_eq!(numbers(&warned), (4802..4812).collect::<Vec<_>>(), "ids from 4,800 on");
    assert_eq!(warned.rows[0].fate, RowFate::Kept, "a warning takes no row out");
    let said = &warned.rows[0].findings[0];
    assert_eq!(
        (said.severity.as_str(), said.message.as_str(), said.column.as_deref()),
        ("warning", "too much", Some("price"))
    );
    Ok(())
}

#[test]
fn rows_that_the_recipe_keeps_show_with_what_is_wrong_with_them() -> Fallible {
    let folder = table()?;
    let text = format!("{RULES}output: {{rejects: {{policy: keep}}}}\n");
    let wrong = wrong_rows_of(folder.path(), &text, 4, PreviewRows::Wrong)?;
    assert_eq!(numbers(&wrong)[..3], [4, 8, 12]);
    assert!(
        wrong
            .rows
            .iter()
            .all(|row| row.fate == RowFate::Kept && !row.findings.is_empty())
    );
    Ok(())
}
