//! The words everybody shares: ids, states, progress, reasons for failure, the clock. No IO, no vendor types.

pub mod clock;
pub mod failure;
pub mod ids;
pub mod name;
pub mod progress;
pub mod states;
pub mod units;
pub mod verdict;
