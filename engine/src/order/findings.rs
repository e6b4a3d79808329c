//! What rules found in rows, for previews: counted by rule, and put beside the rows that are shown.

use std::collections::{BTreeSet, HashMap};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;

use super::{AnswerRow, BrokenRule, Finding, PreviewRows, RuleCount};
use crate::recipe::plan::operator::PlanError;
use crate::recipe::rejects::Spool;

/// Rules that are counted: nobody reads more of them.
const MOST_RULES: usize = 200;
/// Things that are said of one row.
const MOST_OF_ROW: usize = 20;
/// Characters of what is said; it may name a long value.
const MOST_CHARS: usize = 300;

/// One thing that a rule found.
struct Record<'a> {
    row: u32,
    column: Option<&'a str>,
    step: usize,
    rule: &'a str,
    message: &'a str,
    severity: &'a str,
}

impl Record<'_> {
    /// Rules over whole rows go by what they say: there may be several in a step.
    fn of(&self) -> BrokenRule {
        let condition = (self.rule == "where").then(|| short(self.message));
        BrokenRule {
            step: self.step,
            column: self.column.map(str::to_owned),
            rule: self.rule.to_owned(),
            severity: self.severity.to_owned(),
            condition,
        }
    }

    fn say(&self, findings: &mut Vec<Finding>) {
        if findings.len() < MOST_OF_ROW {
            findings.push(Finding {
                step: self.step,
                column: self.column.map(str::to_owned),
                severity: self.severity.to_owned(),
                message: short(self.message),
            });
        }
    }
}

/// Puts what was found beside the rows that it is about, and counts it by rule: in the order of steps, the rule that is
/// broken most in front. Answers too which rows are the first `most` that `show` asks for, by their numbers.
pub(super) fn take(
    found: Spool,
    rows: &mut [AnswerRow],
    (show, most): (&PreviewRows, usize),
) -> Result<(Vec<RuleCount>, BTreeSet<u32>), PlanError> {
    // A row of the sheet may have become several.
    let mut places: HashMap<u64, Vec<usize>> = HashMap::new();
    for (place, row) in rows.iter().enumerate().filter(|(_, row)| row.row > 0) {
        places.entry(row.row).or_default().push(place);
    }
    let (mut rules, mut known) = (Vec::new(), HashMap::new());
    let mut asked_for = BTreeSet::new();
    found.finish(|batch| {
        records(batch, |record| {
            for place in places.get(&u64::from(record.row)).into_iter().flatten() {
                record.say(&mut rows[*place].findings);
            }
            let of = record.of();
            if most > 0 && record.row > 0 && is_asked_for(show, &of) {
                asked_for.insert(record.row);
                if asked_for.len() > most {
                    asked_for.pop_last();
                }
            }
            count(&mut rules, &mut known, of, record.message);
        });
        Ok(())
    })?;
    rules.sort_by_key(|it| (it.of.step, std::cmp::Reverse(it.count)));
    Ok((rules, asked_for))
}

fn is_asked_for(show: &PreviewRows, of: &BrokenRule) -> bool {
    match show {
        PreviewRows::First | PreviewRows::Random { .. } => false,
        PreviewRows::Wrong => true,
        PreviewRows::Breaking(rule) => rule == of,
    }
}

fn count(rules: &mut Vec<RuleCount>, known: &mut HashMap<BrokenRule, usize>, of: BrokenRule, message: &str) {
    if let Some(at) = known.get(&of) {
        rules[*at].count += 1;
    } else if rules.len() < MOST_RULES {
        known.insert(of.clone(), rules.len());
        rules.push(RuleCount {
            of,
            message: short(message),
            count: 1,
        });
    }
}

/// Columns as in `recipe::rejects::HEADERS`.
fn records(batch: &RecordBatch, mut take: impl FnMut(&Record<'_>)) {
    let number = |at: usize| batch.column(at).as_primitive::<Int64Type>();
    let text = |at: usize| batch.column(at).as_string::<i32>();
    let (rows, steps) = (number(2), number(6));
    let (columns, rules, messages, severities) = (text(4), text(7), text(8), text(9));
    for at in 0..batch.num_rows() {
        take(&Record {
            row: rows
                .is_valid(at)
                .then(|| rows.value(at))
                .and_then(|row| u32::try_from(row).ok())
                .unwrap_or_default(),
            column: columns.is_valid(at).then(|| columns.value(at)),
            step: usize::try_from(steps.value(at)).unwrap_or_default(),
            rule: rules.value(at),
            message: messages.value(at),
            severity: severities.value(at),
        });
    }
}

fn short(message: &str) -> String {
    match message.char_indices().nth(MOST_CHARS) {
        None => message.to_owned(),
        Some((end, _)) => format!("{}…", &message[..end]),
    }
}
