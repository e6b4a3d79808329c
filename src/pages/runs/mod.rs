//! Runs: the list, one run live from its first row to its downloads, and what people ask of it.

pub(super) mod act;
mod ask;
mod chain;
mod columns;
pub(super) mod flow;
mod later;
pub(super) mod list;
pub(super) mod recipe;
pub(super) mod rows;
pub(super) mod run;
pub(super) mod trace;
pub(super) mod view;
