//! What rules find wrong with rows, on its way to the list of rejects and to the rows themselves.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::StringArray;

use super::chunk::{Chunk, Marked};
use super::{PlannedStep, Work};
use crate::recipe::document::RejectsPolicy;
use crate::recipe::expression::Rejection;
use crate::recipe::rejects::{Reject, Severity};

/// What stands between two things that are wrong with a row.
pub(crate) const BETWEEN: &str = "; ";

/// What a step found in a chunk as lines of the list of rejects, row by row, errors before warnings. There may be several for
/// each row, so that names are shared and texts are moved.
pub(super) fn lines(
    work: &Work,
    step: &PlannedStep,
    chunk: &Chunk,
    (errors, warnings): (Vec<Rejection>, Vec<Rejection>),
) -> Vec<Reject> {
    let sheet: Arc<str> = work.table.meta().sheet.as_str().into();
    let unknown: Arc<str> = "".into();
    let joined_by_others = work.plan.adds_rows_before(step.number);
    let mut names: HashMap<usize, (Arc<str>, Option<Arc<str>>)> = HashMap::new();
    for column in errors.iter().chain(&warnings).filter_map(|found| found.column) {
        if let Some(named) = step.before.get(column) {
            let letters = named.letters.as_deref();
            names
                .entry(column)
                .or_insert_with(|| (named.name.as_str().into(), letters.map(Into::into)));
        }
    }
    let line = |found: Rejection, severity| {
        let column = found.column.and_then(|column| names.get(&column));
        let row = chunk.sources.values().get(found.position as usize);
        let row = row.copied().unwrap_or_default();
        // Such a row may be another table's: better no sheet than a wrong one.
        let is_unknown = row == 0 && joined_by_others;
        Reject {
            sheet: if is_unknown { unknown.clone() } else { sheet.clone() },
            row,
            letters: column.and_then(|(_, letters)| letters.clone()),
            column: column.map(|(name, _)| name.clone()),
            value: found.value,
            step: step.number,
            rule: found.rule,
            message: found.message,
            severity,
        }
    };
    let mut lines = Vec::with_capacity(errors.len() + warnings.len());
    let mut warnings = warnings.into_iter().peekable();
    for error in errors {
        while let Some(warning) = warnings.next_if(|warning| warning.position < error.position) {
            lines.push(line(warning, Severity::Warning));
        }
        lines.push(line(error, Severity::Error));
    }
    lines.extend(warnings.map(|warning| line(warning, Severity::Warning)));
    lines
}

/// "quantity: `n/a` is not a whole number", "warning: total looks too large"
pub(crate) fn sentence(column: Option<&str>, message: &str, severity: Severity) -> String {
    let severity = match severity {
        Severity::Error => "",
        Severity::Warning => "warning: ",
    };
    match column {
        None => format!("{severity}{message}"),
        Some(column) => format!("{severity}{column}: {message}"),
    }
}

/// The flags of a chunk's rows with what a step found added, where the recipe keeps rejected rows, and in previews.
pub(super) fn flags(
    work: &Work,
    step: &PlannedStep,
    chunk: &Chunk,
    (rejections, warnings): (&[Rejection], &[Rejection]),
) -> Option<StringArray> {
    let wanted = work.plan.policy == RejectsPolicy::Keep || work.marked == Marked::Yes;
    if !wanted || (rejections.is_empty() && warnings.is_empty()) {
        return chunk.flags.clone();
    }
    let mut texts: Vec<Option<String>> = match &chunk.flags {
        None => vec![None; chunk.rows()],
        Some(flags) => flags.iter().map(|flag| flag.map(str::to_owned)).collect(),
    };
    let errors = rejections.iter().map(|found| (found, Severity::Error));
    let warnings = warnings.iter().map(|found| (found, Severity::Warning));
    for (found, severity) in errors.chain(warnings) {
        let Some(text) = texts.get_mut(found.position as usize) else {
            continue;
        };
        let column = found.column.and_then(|column| step.before.get(column));
        let sentence = sentence(column.map(|column| column.name.as_str()), &found.message, severity);
        match text {
            None => *text = Some(sentence),
            Some(text) => {
                text.push_str(BETWEEN);
                text.push_str(&sentence);
            }
        }
    }
    Some(texts.into_iter().collect())
}

/// For each row that something is wrong with, all of it in words; in the order of rows.
pub(super) fn whys(found: &[Rejection]) -> Vec<String> {
    let mut rejections: Vec<&Rejection> = found.iter().collect();
    rejections.sort_by_key(|rejection| rejection.position);
    let of_rows = rejections.chunk_by(|one, other| one.position == other.position);
    of_rows
        .map(|of_row| {
            let messages: Vec<&str> = of_row.iter().map(|rejection| rejection.message.as_str()).collect();
            messages.join(BETWEEN)
        })
        .collect()
}

/// How many rows are among the findings.
pub(super) fn rows_of(found: &[Rejection]) -> Vec<u32> {
    let mut rows: Vec<u32> = found.iter().map(|rejection| rejection.position).collect();
    rows.sort_unstable();
    rows.dedup();
    rows
}
