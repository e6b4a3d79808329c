//! The flow picture of a run: its ledger, summed over files and sheets.

use std::collections::BTreeMap;

use askama::Template;
use serde_json::Value;
use sheetmill_engine::recipe::ledger::LedgerStep;

use crate::pages::{PageError, filters};

#[derive(Debug, Template)]
#[template(path = "runs/_flow.html")]
struct Flow {
    stops: Vec<Stop>,
    balanced: bool,
}

/// A station of the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stop {
    label: String,
    losses: Vec<Loss>,
    /// What is told of rows that stay.
    notes: Vec<String>,
    end: bool,
}

/// Rows that left at a station, joined there, or went on with a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Loss {
    rows: u64,
    word: &'static str,
    tone: &'static str,
}

/// The steps of a ledger as stored.
fn steps(ledger: &Value) -> Vec<LedgerStep> {
    serde_json::from_value(ledger.clone()).unwrap_or_default()
}

/// Sums over sheets and files, by step.
fn sums(ledger: &Value) -> BTreeMap<usize, LedgerStep> {
    let mut sums: BTreeMap<usize, LedgerStep> = BTreeMap::new();
    for step in steps(ledger) {
        let sum = sums.entry(step.step).or_insert_with(|| LedgerStep {
            step: step.step,
            label: step.label,
            ..LedgerStep::default()
        });
        sum.rows_in += step.rows_in;
        sum.added += step.added;
        sum.kept += step.kept;
        sum.rejected += step.rejected;
        sum.filtered += step.filtered;
        sum.deduplicated += step.deduplicated;
        sum.aggregated += step.aggregated;
        sum.flagged += step.flagged;
        sum.warned += step.warned;
        sum.matches = match (sum.matches, step.matches) {
            (Some(mut matches), Some(more)) => {
                matches.add(more);
                Some(matches)
            }
            (one, other) => one.or(other),
        };
    }
    sums
}

/// Rows that went through all steps.
pub(super) fn kept(ledger: &Value) -> Option<u64> {
    sums(ledger).into_values().next_back().map(|it| it.kept)
}

/// The picture.
pub(super) fn fragment(ledger: &Value) -> Result<String, PageError> {
    let balanced = steps(ledger).iter().all(LedgerStep::balances);
    Ok(Flow {
        stops: stops(&sums(ledger)),
        balanced,
    }
    .render()?)
}

fn stops(sums: &BTreeMap<usize, LedgerStep>) -> Vec<Stop> {
    let (Some(first), Some(last)) = (sums.values().next(), sums.values().next_back()) else {
        return Vec::new();
    };
    let read = if first.step == 0 { first.kept } else { first.rows_in };
    let mut stops = vec![Stop {
        label: format!("{} read", rows(read)),
        losses: Vec::new(),
        notes: Vec::new(),
        end: true,
    }];
    for sum in sums.values().filter(|it| it.step > 0) {
        stops.push(Stop {
            label: sum.label.clone(),
            losses: losses(sum),
            notes: sum.matches.map(|it| it.words()).unwrap_or_default(),
            end: false,
        });
    }
    stops.push(Stop {
        label: format!("{} kept", rows(last.kept)),
        losses: Vec::new(),
        notes: Vec::new(),
        end: true,
    });
    stops
}

fn losses(sum: &LedgerStep) -> Vec<Loss> {
    let all = [
        Loss {
            rows: sum.rejected,
            word: "rejected",
            tone: "bad",
        },
        Loss {
            rows: sum.filtered,
            word: "filtered",
            tone: "soft",
        },
        Loss {
            rows: sum.deduplicated,
            word: "duplicates",
            tone: "soft",
        },
        Loss {
            rows: sum.aggregated,
            word: "into groups",
            tone: "soft",
        },
        Loss {
            rows: sum.added,
            word: "added",
            tone: "soft",
        },
        Loss {
            rows: sum.flagged,
            word: "flagged",
            tone: "bad",
        },
        Loss {
            rows: sum.warned,
            word: "with a warning",
            tone: "soft",
        },
    ];
    all.into_iter().filter(|it| it.rows > 0).collect()
}

fn rows(count: u64) -> String {
    format!(
        "{} {}",
        filters::grouped(count.into()),
        if count == 1 { "row" } else { "rows" }
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sheetmill_engine::recipe::ledger::Matches;

    use super::*;

    fn ledger() -> Value {
        let step = |step: usize, label: &str, rows_in: u64, kept: u64, filtered: u64| LedgerStep {
            step,
            label: label.to_owned(),
            rows_in,
            kept,
            filtered,
            ..LedgerStep::default()
        };
        json!([
            step(0, "Read", 100, 100, 0),
            step(1, "Keep", 100, 60, 40),
            step(0, "Read", 10, 10, 0),
            step(1, "Keep", 10, 9, 1)
        ])
    }

    #[test]
    fn sheets_and_files_are_summed_by_step() {
        let stops = stops(&sums(&ledger()));
        assert_eq!(
            stops.iter().map(|it| it.label.as_str()).collect::<Vec<_>>(),
            ["110 rows read", "Keep", "69 rows kept"]
        );
        assert_eq!(
            stops[1].losses,
            [Loss {
                rows: 41,
                word: "filtered",
                tone: "soft"
            }]
        );
        assert_eq!(kept(&ledger()), Some(69));
    }

    #[test]
    fn what_was_looked_up_is_told_in_words() {
        let looked_up = |left_over| LedgerStep {
            step: 1,
            matches: Some(Matches {
                none: 38,
                one: 2,
                several: 4,
                left_over,
            }),
            ..LedgerStep::default()
        };
        let one = stops(&sums(&json!([looked_up(Some(7))])));
        assert_eq!(
            one[1].notes,
            [
                "2 rows with one match",
                "38 rows without a match",
                "4 rows with several matches",
                "7 rows of the other table without a match"
            ]
        );
        let two = stops(&sums(&json!([looked_up(Some(7)), looked_up(Some(7))])));
        assert_eq!(two[1].notes.len(), 3, "which rows neither file matched is not known");
    }

    #[test]
    fn a_run_that_has_not_begun_has_no_picture() {
        assert_eq!(fragment(&json!([])).expect("it renders").trim(), "");
        assert_eq!(kept(&json!([])), None);
    }
}
