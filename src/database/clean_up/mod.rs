//! What is not needed any more, for clean-up. Whoever removes bytes of a blob holds its row meanwhile.

mod blobs;
mod history;
mod orphans;
mod results;

pub use blobs::{Held, forget_blob, hold, unneeded};
pub use history::{forget_attempts, forget_ticks};
pub use orphans::{adopt_blobs, known_artifacts, known_ingests, known_reports};
pub use results::{Expired, expired_runs, hide_expired_files, remove_artifacts};

/// A span as Postgres takes it.
fn seconds(span: std::time::Duration) -> f64 {
    // A few centuries are for ever; more are beyond its calendar.
    span.as_secs_f64().min(1e10)
}
