//! Clean-up: what nobody needs any more goes, from the database and from storage.
//!
//! Rows go first and bytes afterwards, so that a clean-up that dies leaves bytes that no row knows, which the next one finds.
//! Blobs are the exception: people upload the same bytes again, so that their row is held while they are removed. What is
//! younger than [`Retention::safe_age`] is left alone whatever no row says of it: somebody may be about to write that row.
//! Two at once, and one that is cut short, do no harm.

use std::time::Duration;

use super::attempt::{Attempt, Halt};
use super::sweep::sweep_scratch;
use super::upkeep::Done;
use crate::database::{self, clean_up as rows};
use crate::domain::failure::Fault;

mod blobs;
mod orphans;
mod results;
mod tally;

use tally::Tally;

/// What is kept for how long. `None`: for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Files, from their upload.
    pub files: Option<Duration>,
    /// Results, from the end of their run.
    pub results: Option<Duration>,
    /// The bytes of what was removed.
    pub removed: Duration,
    /// Logs of attempts, ticks and reports.
    pub history: Option<Duration>,
    /// Younger bytes are left alone: nothing takes as long to be written and then told of.
    pub safe_age: Duration,
}

impl Default for Retention {
    /// What people made stays until they say otherwise.
    fn default() -> Self {
        let days = |days: u64| Duration::from_secs(days * 86_400);
        Self {
            files: None,
            results: None,
            removed: days(7),
            history: Some(days(90)),
            safe_age: days(1),
        }
    }
}

/// Rows that one statement takes.
const AT_ONCE: i64 = 500;
/// Objects that one clean-up removes at most; the next one goes on an hour later.
const OBJECTS_AT_MOST: u64 = 100_000;

/// The work of an attempt at a clean-up.
///
/// # Errors
/// Why it did not come to its end; what was removed until then is gone.
pub async fn work(attempt: &Attempt) -> Result<Done, Halt> {
    let mut tally = Tally::default();
    let worked = sweep(attempt, &mut tally).await;
    // Also of one that fails half way.
    tally.log();
    worked?;
    Ok(Done {
        said: tally.sentence(),
        report: None,
    })
}

async fn sweep(attempt: &Attempt, tally: &mut Tally) -> Result<(), Halt> {
    let context = &attempt.context;
    let retention = &context.settings.retention;
    let mut conn = context.pool.acquire().await?;
    let old = database::now(&mut conn).await? - chrono::TimeDelta::from_std(retention.safe_age).unwrap_or_default();
    drop(conn);
    if let Some(kept) = retention.files {
        results::hide_files(context, kept, tally).await?;
    }
    if let Some(kept) = retention.results {
        results::remove(context, kept, tally).await?;
    }
    if let Some(kept) = retention.history {
        forget_history(attempt, kept, tally).await?;
    }
    orphans::remove(context, old, tally).await?;
    blobs::remove(context, retention, tally).await?;
    tally.unfinished += context.storage.sweep(old).await?;
    let swept = sweep_scratch(context, &context.settings.scratch).await;
    let swept =
        swept.map_err(|error| Halt::Mishap(super::attempt::internal(Fault::Surroundings, error.to_string())))?;
    tally.scratch += u64::try_from(swept).unwrap_or_default();
    Ok(())
}

async fn forget_history(attempt: &Attempt, kept: Duration, tally: &mut Tally) -> Result<(), Halt> {
    let mut conn = attempt.context.pool.acquire().await?;
    for _ in 0..100 {
        let ticks = rows::forget_ticks(&mut conn, kept, AT_ONCE).await?;
        let attempts = rows::forget_attempts(&mut conn, kept, AT_ONCE).await?;
        tally.history += ticks + attempts;
        if ticks + attempts == 0 {
            break;
        }
    }
    Ok(())
}
