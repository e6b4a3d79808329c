//! The ledger of a run: the ledgers of its files, added up.

use std::collections::BTreeMap;

use sheetmill_engine::recipe::ledger::LedgerStep;

use super::attempt::plain;

/// Adds a step of a file to the steps of its run. Sheets are named while all files agree.
pub fn add(steps: &mut BTreeMap<(usize, String), LedgerStep>, step: LedgerStep) {
    let step = LedgerStep {
        label: plain(&step.label),
        sheet: plain(&step.sheet),
        ..step
    };
    let Some(sum) = steps.get_mut(&(step.step, step.label.clone())) else {
        steps.insert((step.step, step.label.clone()), step);
        return;
    };
    if sum.sheet != step.sheet {
        sum.sheet.clear();
    }
    sum.rows_in += step.rows_in;
    sum.added += step.added;
    sum.kept += step.kept;
    sum.rejected += step.rejected;
    sum.filtered += step.filtered;
    sum.deduplicated += step.deduplicated;
    sum.aggregated += step.aggregated;
    sum.hash_in = sum_of_hashes(&sum.hash_in, &step.hash_in);
    sum.hash_out = sum_of_hashes(&sum.hash_out, &step.hash_out);
}

/// The sum modulo 2^64 of two hashes in hex.
fn sum_of_hashes(one: &str, other: &str) -> String {
    let read = |hex: &str| u64::from_str_radix(hex, 16).unwrap_or_default();
    format!("{:016x}", read(one).wrapping_add(read(other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(sheet: &str, rows: u64, hash: &str) -> LedgerStep {
        LedgerStep {
            step: 1,
            sheet: sheet.to_owned(),
            label: "Trim all columns".to_owned(),
            rows_in: rows,
            kept: rows,
            hash_in: hash.to_owned(),
            hash_out: hash.to_owned(),
            ..LedgerStep::default()
        }
    }

    #[test]
    fn the_account_of_a_run_still_balances() {
        let mut steps = BTreeMap::new();
        add(&mut steps, step("Orders", 10, "ffffffffffffffff"));
        add(&mut steps, step("Orders", 5, "0000000000000002"));
        let sum = steps.values().next().expect("a step").clone();
        assert_eq!(
            (sum.rows_in, sum.kept, sum.hash_in.as_str()),
            (15, 15, "0000000000000001")
        );
        assert!(sum.balances());
        assert_eq!(sum.sheet, "Orders");
        add(&mut steps, step("Returns", 1, "0000000000000001"));
        assert_eq!(steps.len(), 1);
        assert_eq!(steps.values().next().expect("a step").sheet, "");
    }
}
