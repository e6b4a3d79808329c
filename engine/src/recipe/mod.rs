//! What to do with a table: document, mapping of columns, steps, plan, fate, rejects, ledger.

pub mod changes;
pub mod columns;
pub mod document;
pub mod expression;
pub mod fate;
pub mod guide;
pub mod ledger;
pub mod mapping;
pub mod plan;
pub mod problem;
mod query;
pub mod references;
pub mod rejects;
pub mod steps;
