//! Uploaded bytes that nothing needs any more, with the tables that were read out of them.

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt as _;

use super::super::Context;
use super::super::attempt::Halt;
use super::{AT_ONCE, Retention, Tally};
use crate::database::clean_up as rows;
use crate::database::{self, Tx};
use crate::domain::ids::{IngestId, Sha256};
use crate::storage::Key;

/// Removes them one by one, each under its row's lock. Members of an archive that is gone are found in a round of their own.
pub(super) async fn remove(context: &Context, retention: &Retention, tally: &mut Tally) -> Result<(), Halt> {
    while !tally.is_full() {
        let mut conn = context.pool.acquire().await?;
        let unneeded = rows::unneeded(&mut conn, retention.safe_age, retention.removed, AT_ONCE).await?;
        drop(conn);
        let mut gone = 0;
        for blob in unneeded {
            gone += u32::from(remove_one(context, retention, blob, tally).await?);
        }
        if gone == 0 {
            break;
        }
    }
    Ok(())
}

async fn remove_one(context: &Context, retention: &Retention, blob: Sha256, tally: &mut Tally) -> Result<bool, Halt> {
    let mut tx = context.pool.begin().await?;
    let Some(held) = rows::hold(&mut tx, blob, retention.safe_age, retention.removed).await? else {
        return Ok(false);
    };
    for ingest in &held.ingests {
        remove_tables(context, &mut tx, *ingest, tally).await?;
    }
    context.storage.delete(&Key::Blob(blob)).await?;
    tally.object(u64::try_from(held.bytes).unwrap_or_default());
    rows::forget_blob(&mut tx, blob).await?;
    tx.commit().await?;
    tracing::info!(%blob, bytes = held.bytes, "clean-up: an upload that nobody has any more");
    tally.uploads += 1;
    Ok(true)
}

/// What was read out of the bytes.
async fn remove_tables(context: &Context, tx: &mut Tx, ingest: IngestId, tally: &mut Tally) -> Result<(), Halt> {
    let mut parts = context
        .storage
        .older(&format!("tables/{ingest}/"), DateTime::<Utc>::MAX_UTC);
    while let Some(batch) = parts.try_next().await? {
        for (index, found) in batch.into_iter().enumerate() {
            let Ok(key) = found.path.parse::<Key>() else { continue };
            context.storage.delete(&key).await?;
            tally.object(found.bytes);
            if index % 100 == 99 {
                // A session that says nothing for long is ended by the server.
                database::now(tx).await?;
            }
        }
    }
    Ok(())
}
