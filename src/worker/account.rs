//! The ledger of a run: the ledgers of its files, added up.

use std::collections::BTreeMap;

use sheetmill_engine::order::Report;
use sheetmill_engine::recipe::ledger::LedgerStep;

use super::attempt::plain;

/// More lines than this are added up over all sheets: a thousand files may name ten thousand.
const LINES_AT_MOST: usize = 500;

/// The account of a run with one more file's report in it: the same step of sheets of the same name is one line.
#[must_use]
pub fn with_report(ledger: &serde_json::Value, report: &Report) -> serde_json::Value {
    let known: Vec<LedgerStep> = serde_json::from_value(ledger.clone()).unwrap_or_default();
    let steps = known
        .into_iter()
        .chain(report.ledger.iter().cloned())
        .map(|step| LedgerStep {
            label: plain(&step.label),
            sheet: plain(&step.sheet),
            ..step
        });
    let mut lines = added_up(steps);
    if lines.len() > LINES_AT_MOST {
        let everywhere = |step| LedgerStep {
            sheet: String::new(),
            ..step
        };
        lines = added_up(lines.into_iter().map(everywhere));
    }
    serde_json::to_value(lines).unwrap_or_default()
}

fn added_up(steps: impl Iterator<Item = LedgerStep>) -> Vec<LedgerStep> {
    let mut lines = BTreeMap::<(usize, String, String), LedgerStep>::new();
    for step in steps {
        match lines.get_mut(&(step.step, step.sheet.clone(), step.label.clone())) {
            Some(line) => add(line, &step),
            None => drop(lines.insert((step.step, step.sheet.clone(), step.label.clone()), step)),
        }
    }
    lines.into_values().collect()
}

fn add(line: &mut LedgerStep, step: &LedgerStep) {
    line.rows_in += step.rows_in;
    line.added += step.added;
    line.kept += step.kept;
    line.rejected += step.rejected;
    line.filtered += step.filtered;
    line.deduplicated += step.deduplicated;
    line.aggregated += step.aggregated;
    line.flagged += step.flagged;
    line.warned += step.warned;
    line.matches = match (line.matches, step.matches) {
        (Some(mut matches), Some(more)) => {
            matches.add(more);
            Some(matches)
        }
        (one, other) => one.or(other),
    };
    line.hash_in = sum_of_hashes(&line.hash_in, &step.hash_in);
    line.hash_out = sum_of_hashes(&line.hash_out, &step.hash_out);
}

/// The sum modulo 2^64 of two hashes in hex.
fn sum_of_hashes(one: &str, other: &str) -> String {
    let read = |hex: &str| u64::from_str_radix(hex, 16).unwrap_or_default();
    format!("{:016x}", read(one).wrapping_add(read(other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(sheet: &str, rows: u64, hash: &str) -> Report {
        let step = LedgerStep {
            step: 1,
            sheet: sheet.to_owned(),
            label: "Trim all columns".to_owned(),
            rows_in: rows,
            kept: rows,
            hash_in: hash.to_owned(),
            hash_out: hash.to_owned(),
            ..LedgerStep::default()
        };
        Report {
            ledger: vec![step],
            ..Report::default()
        }
    }

    fn lines(ledger: serde_json::Value) -> Vec<LedgerStep> {
        serde_json::from_value(ledger).expect("a ledger")
    }

    #[test]
    fn the_account_of_a_run_still_balances() {
        let one = with_report(&serde_json::json!([]), &report("Orders", 10, "ffffffffffffffff"));
        let both = lines(with_report(&one, &report("Orders", 5, "0000000000000002")));
        assert_eq!(both.len(), 1);
        assert_eq!(
            (both[0].rows_in, both[0].kept, both[0].hash_in.as_str()),
            (15, 15, "0000000000000001")
        );
        assert!(both[0].balances());
    }

    #[test]
    fn sheets_have_lines_of_their_own_until_there_are_too_many() {
        let mut ledger = serde_json::json!([]);
        for sheet in 0..LINES_AT_MOST {
            ledger = with_report(&ledger, &report(&format!("Sheet{sheet}"), 1, "1"));
        }
        assert_eq!(lines(ledger.clone()).len(), LINES_AT_MOST);
        let all = lines(with_report(&ledger, &report("One more", 1, "1")));
        assert_eq!((all.len(), all[0].rows_in, all[0].sheet.as_str()), (1, 501, ""));
    }
}
