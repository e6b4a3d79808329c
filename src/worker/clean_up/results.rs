//! Files and results whose time is over.

use std::time::Duration;

use super::super::Context;
use super::super::attempt::Halt;
use super::{AT_ONCE, Tally};
use crate::database::{clean_up as rows, runs};
use crate::events::{Event, Kind, announce_all};
use crate::storage::Key;

/// Hides files, as if their owners had removed them; their bytes go as those of any removed file.
pub(super) async fn hide_files(context: &Context, kept: Duration, tally: &mut Tally) -> Result<(), Halt> {
    loop {
        let mut tx = context.pool.begin().await?;
        let hidden = rows::hide_expired_files(&mut tx, kept, AT_ONCE).await?;
        if hidden.is_empty() {
            return Ok(());
        }
        let events: Vec<Event> = hidden
            .iter()
            .map(|(file, owner)| Event::of(*owner, Kind::FileDeleted).file(*file))
            .collect();
        announce_all(&mut tx, &events).await?;
        tx.commit().await?;
        tally.files += hidden.len() as u64;
    }
}

/// Removes results: first their rows, so that nobody is offered what is not there.
pub(super) async fn remove(context: &Context, kept: Duration, tally: &mut Tally) -> Result<(), Halt> {
    while !tally.is_full() {
        let mut conn = context.pool.acquire().await?;
        let runs = rows::expired_runs(&mut conn, kept, AT_ONCE).await?;
        drop(conn);
        if runs.is_empty() {
            break;
        }
        for run in runs {
            let mut tx = context.pool.begin().await?;
            runs::lock(&mut tx, run).await?;
            let removed = rows::remove_artifacts(&mut tx, run).await?;
            tx.commit().await?;
            tally.results += removed.len() as u64;
            for result in removed {
                let Ok(key) = result.storage_key.parse::<Key>() else {
                    tracing::error!(key = result.storage_key, "a result has a key that is none");
                    continue;
                };
                context.storage.delete(&key).await?;
                tally.object(u64::try_from(result.bytes).unwrap_or_default());
            }
        }
    }
    Ok(())
}
