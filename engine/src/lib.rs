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

/// The version that readings are keyed by.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Of which source and libraries this engine is made, in 16 hexadecimal digits: while that is the same, equal input and recipe give
/// equal bytes.
pub const DIGEST: &str = env!("SHEETMILL_ENGINE_DIGEST");
