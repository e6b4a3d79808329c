//! Runs: the list, one run live from its first row to its downloads, and what people ask of it.

pub(super) mod act;
mod ask;
mod columns;
pub(super) mod flow;
pub(super) mod list;
pub(super) mod recipe;
pub(super) mod run;
pub(super) mod view;
