//! Expressions: the formulas of recipes. SQL expressions with a spreadsheet's manners.
//!
//! * Names are case-sensitive; names with blanks or signs stand in double quotes or back-ticks.
//! * All numbers are f64. A division by zero, a text that is no number, or a result that is no number rejects its row and
//!   never fails the plan; what is not reached (the other branch of a `case`, the right of a false `and`) rejects nothing.
//! * `<>` and `not in` treat a blank as a value: `status <> 'x'` is true for a blank status. All other comparisons with a
//!   blank are neither true nor false, as in SQL.
//! * Joined to a text with `||`, a blank is an empty text.
//! * A date plus a number is a date so many days later; the difference of two dates is a number of days.
//! * Columns of several kinds are seen as text; where a number or a date is needed, as that, and a cell that is not one
//!   rejects its row.
//! * Functions come from a closed list ([`functions::NAMES`]); there are no queries, files, windows or random numbers.

pub mod functions;
mod lowering;
mod operators;
mod own;
mod parsing;
mod program;
mod term;
mod totals;

use super::columns::Column;

pub(in crate::recipe) use parsing::{Places, in_words};
pub use program::{Outcome, Program, Rejection};
pub use totals::{Aggregate, AggregateFunction, Totals};

/// What is wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// In words for people.
    pub message: String,
    /// The characters it is about, from and to (exclusive), from 0.
    pub span: Option<(usize, usize)>,
}

impl Fault {
    pub(in crate::recipe) fn new(message: impl Into<String>, span: Option<(usize, usize)>) -> Self {
        Self {
            message: message.into(),
            span,
        }
    }
}

/// Makes a condition: an expression that is true, false or neither.
pub fn condition(text: &str, columns: &[Column]) -> Result<Program, Fault> {
    on_a_deep_stack(|| condition_here(text, columns))
}

fn condition_here(text: &str, columns: &[Column]) -> Result<Program, Fault> {
    let parsed = parsing::parse(text)?;
    let mut lowering = lowering::Lowering::of_rows(&parsed, columns);
    let term = lowering.lower(&parsed.tree)?;
    if !matches!(term.kind, term::Kind::Boolean | term::Kind::Blank) {
        let message = format!(
            "A condition is true or false, such as quantity > 0; this gives {}.",
            term.kind.words()
        );
        return Err(Fault::new(message, None));
    }
    let term = lowering.as_kind(term, term::Kind::Boolean, None)?;
    Program::new(&term, lowering)
}

/// Makes a value for each row.
pub fn value(text: &str, columns: &[Column]) -> Result<Program, Fault> {
    on_a_deep_stack(|| {
        let parsed = parsing::parse(text)?;
        let mut lowering = lowering::Lowering::of_rows(&parsed, columns);
        let term = lowering.lower(&parsed.tree)?;
        Program::new(&term, lowering)
    })
}

/// The names of the totals of a `group` step, as the guide lists them.
#[must_use]
pub fn total_names() -> &'static [&'static str] {
    totals::NAMES
}

/// Makes an expression over totals such as `sum(total) / count(*)`; besides totals it may use the columns at `by`.
pub fn totals(text: &str, columns: &[Column], by: &[usize]) -> Result<Totals, Fault> {
    on_a_deep_stack(|| Totals::new(&parsing::parse(text)?, columns, by))
}

/// The parser bounds how deep parentheses and prefixes nest, not how long a chain such as `q + q + …` is, and some of what
/// walks its tree (spans, display, drop) recurses down the chain: 4.5 KiB a link without optimisation, and
/// [`parsing::MAX_CHARS`] allow 2,000 links. Threads have 2 MiB.
fn on_a_deep_stack<T>(work: impl FnOnce() -> T) -> T {
    const STACK_BYTES: usize = 32 << 20;
    stacker::grow(STACK_BYTES, work)
}

#[cfg(test)]
mod tests;
