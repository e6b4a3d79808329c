//! Reads, types, transforms and writes spreadsheets; knows nothing of users, runs, network or time.
//!
//! ```text
//! workbook ─ sheets ─▶ tables (Parquet parts + table.json) ─ recipe ─▶ kept, rejected, ledger ─ sheets ─▶ workbook
//! ```
//!
//! Everything is asked for as one [`order::Order`] on files in a scratch folder and answered by [`order::Message`]s.

pub mod order;
pub mod recipe;
pub mod sheets;
pub mod tables;

/// The version that results are keyed by: equal input, recipe and engine version give equal bytes.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
