//! What to do with a table: document, steps, plan, fate, rejects, ledger.

pub mod document;
pub mod ledger;
