//! Objects in storage that no row knows: an attempt died before it was settled, an upload before it was told of, or the
//! database was brought back to an older state. Each is named in the log.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt as _;

use super::super::Context;
use super::super::attempt::Halt;
use super::Tally;
use crate::database::clean_up as rows;
use crate::database::{Connection, Result};
use crate::domain::ids::{IngestId, Sha256};
use crate::storage::{Found, Key};

/// What our keys begin with; whatever else lies in a bucket is not ours.
const PREFIXES: [&str; 4] = ["blobs/", "tables/", "runs/", "reports/"];

/// Removes those that were written before `old`.
pub(super) async fn remove(context: &Context, old: DateTime<Utc>, tally: &mut Tally) -> Result<(), Halt> {
    for prefix in PREFIXES {
        let mut batches = context.storage.older(prefix, old);
        while let Some(batch) = batches.try_next().await? {
            let keys: Vec<(Key, Found)> = batch
                .into_iter()
                .filter_map(|it| Some((it.path.parse().ok()?, it)))
                .collect();
            if keys.is_empty() {
                continue;
            }
            let mut conn = context.pool.acquire().await?;
            let orphans = unknown(&mut conn, keys).await?;
            drop(conn);
            for (key, bytes) in orphans {
                tracing::info!(%key, bytes, "clean-up: an object that no row knows");
                context.storage.delete(&key).await?;
                tally.orphans += 1;
                tally.object(bytes);
                if tally.is_full() {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// Those that no row knows. Blobs are not among them: they get rows, by which they are removed under a lock.
async fn unknown(conn: &mut Connection, found: Vec<(Key, Found)>) -> Result<Vec<(Key, u64)>> {
    let (mut blobs, mut ingests, mut results, mut reports) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (key, it) in &found {
        match key {
            Key::Blob(blob) => blobs.push((*blob, it.bytes)),
            Key::TablePart(ingest, ..) | Key::TableMeta(ingest, _) => ingests.push(*ingest),
            Key::RunOutput(..) => results.push(it.path.clone()),
            Key::Report(..) => reports.push(it.path.clone()),
        }
    }
    adopt(conn, &blobs).await?;
    let ingests: HashSet<IngestId> = rows::known_ingests(conn, &ingests).await?.into_iter().collect();
    let results: HashSet<String> = rows::known_artifacts(conn, &results).await?.into_iter().collect();
    let reports: HashSet<String> = rows::known_reports(conn, &reports).await?.into_iter().collect();
    let known = |key: &Key, path: &String| match key {
        Key::Blob(_) => true,
        Key::TablePart(ingest, ..) | Key::TableMeta(ingest, _) => ingests.contains(ingest),
        Key::RunOutput(..) => results.contains(path),
        Key::Report(..) => reports.contains(path),
    };
    Ok(found
        .into_iter()
        .filter(|(key, it)| !known(key, &it.path))
        .map(|(key, it)| (key, it.bytes))
        .collect())
}

async fn adopt(conn: &mut Connection, blobs: &[(Sha256, u64)]) -> Result<()> {
    let adopted = if blobs.is_empty() {
        0
    } else {
        rows::adopt_blobs(conn, blobs).await?
    };
    if adopted > 0 {
        tracing::info!(adopted, "clean-up: uploads in storage that no row knows");
    }
    Ok(())
}
