//! Archives: each member that can be read becomes a file of whoever uploaded the archive.

use sheetmill_engine::sheets::IngestOptions;

use super::{For, Result, ensure};
use crate::database::files::{self, NewFile};
use crate::database::{Tx, members, tasks};
use crate::domain::ids::{FileId, IngestId, Sha256, UserId};
use crate::events::{Event, Kind, announce_all};

/// A member that a worker has unpacked.
#[derive(Clone, Debug)]
pub struct NewMember {
    /// Its name for people.
    pub name: String,
    /// Its bytes.
    pub bytes: u64,
    /// Its content, which is in storage, and its format; or a stable word and a sentence for why it is not taken.
    pub content: std::result::Result<(Sha256, &'static str), (String, String)>,
}

/// Remembers the members of an archive, and gives their files to everybody who has it.
///
/// # Errors
/// The database's and the queue's; the transaction is then lost.
pub async fn unpacked(tx: &mut Tx, asks: For, ingest: IngestId, new: &[NewMember]) -> Result<()> {
    let rows: Vec<members::Member> = new.iter().map(row).collect();
    members::replace(tx, ingest, &rows).await?;
    for (file, owner) in tasks::readers(tx, ingest).await? {
        let asks = For { owner, ..asks };
        spread_rows(tx, asks, ingest, file, &rows).await?;
    }
    Ok(())
}

fn row(new: &NewMember) -> members::Member {
    let taken = new.content.as_ref().ok();
    let refused = new.content.as_ref().err();
    members::Member {
        name: new.name.clone(),
        bytes: i64::try_from(new.bytes).unwrap_or(i64::MAX),
        blob: taken.map(|(blob, _)| *blob),
        format: taken.map(|(_, format)| (*format).to_owned()),
        code: refused.map(|(code, _)| code.clone()),
        sentence: refused.map(|(_, sentence)| sentence.clone()),
    }
}

/// Gives the files of an archive that was unpacked before to somebody who has uploaded it now.
///
/// # Errors
/// The database's and the queue's; the transaction is then lost.
pub async fn spread(tx: &mut Tx, asks: For, ingest: IngestId, archive: FileId) -> Result<()> {
    let rows = members::of(tx, ingest).await?;
    spread_rows(tx, asks, ingest, archive, &rows).await
}

async fn spread_rows(
    tx: &mut Tx,
    asks: For,
    ingest: IngestId,
    archive: FileId,
    rows: &[members::Member],
) -> Result<()> {
    let options = members::options(tx, ingest).await?;
    // Options are of the engine that reads the archive's members now.
    let options: IngestOptions = serde_json::from_value(options).unwrap_or_default();
    let taken: Vec<Sha256> = rows.iter().filter_map(|it| it.blob).collect();
    let readings = ensure(tx, asks, &taken, &options).await?;
    let new: Vec<NewFile<'_>> = rows
        .iter()
        .filter_map(|row| {
            let blob = row.blob?;
            Some(NewFile {
                id: FileId::new(),
                owner: asks.owner,
                blob,
                ingest: readings.get(&blob)?.ingest,
                parent: Some(archive),
                name: &row.name,
                format: row.format.as_deref()?,
            })
        })
        .collect();
    files::insert(tx, &new).await?;
    announce_files(tx, asks.owner, &new).await
}

async fn announce_files(tx: &mut Tx, owner: UserId, files: &[NewFile<'_>]) -> Result<()> {
    let events: Vec<Event> = files
        .iter()
        .map(|file| Event::of(owner, Kind::FileReceived).file(file.id))
        .collect();
    announce_all(tx, &events).await?;
    Ok(())
}
