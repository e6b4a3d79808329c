//! From the wire to the spool: bounded buffers, limits that end a request at once, the hash while it streams.

use actix_multipart::{Field, Multipart, MultipartError};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use sha2::{Digest as _, Sha256 as Hasher};
use sheetmill_engine::sheets::refusal::Refusal;
use sheetmill_engine::sheets::sniff::{Format, HEAD_BYTES, sniff};
use tempfile::TempPath;
use tokio::io::{AsyncWriteExt as _, BufWriter};
use tokio::time::{Instant, timeout};

use super::spool::Spool;
use super::{Error, FIELD, Result, UploadSettings};
use crate::domain::ids::Sha256;
use crate::domain::name::clean;

/// Bytes gathered before they are written.
const BUFFER: usize = 256 << 10;
/// Fields without a file that are passed over; a form of ours has one.
const OTHERS: usize = 100;
/// Bytes that come at least in the time after which a silent sender is given up: slower lines are slower than a modem, and
/// who sends a byte a second only holds a connection.
const LEAST: u64 = 32 << 10;

/// A file that came whole.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) sha256: Sha256,
    pub(super) content: Content,
}

/// What its first bytes say.
#[derive(Debug)]
pub(super) enum Content {
    /// It may be read; these are its bytes, gone when dropped.
    Kept(Format, TempPath),
    /// It may not; its bytes were passed over.
    Refused(Refusal),
}

/// Takes all files of a form.
pub(super) async fn files(mut form: Multipart, settings: &UploadSettings, spool: &Spool) -> Result<Vec<Taken>> {
    let mut meter = Meter::new(settings);
    let mut others = 0;
    let mut taken = Vec::new();
    while let Some(field) = next(&mut form, settings).await? {
        meter.file = 0;
        let given = field
            .content_disposition()
            .and_then(|it| it.get_filename())
            .map(str::to_owned);
        match given.filter(|_| field.name() == Some(FIELD)) {
            None if others == OTHERS => {
                return Err(Error::Malformed(format!("more than {OTHERS} fields that are no files")));
            }
            None => {
                others += 1;
                pass_over(field, &mut meter).await?;
            }
            Some(_) if taken.len() == settings.files => {
                return Err(Error::TooMany { limit: settings.files });
            }
            Some(given) => {
                let file = file(&given, field, &mut meter, spool).await?;
                // What a browser sends for a picker in which nothing was picked.
                if !(given.is_empty() && file.bytes == 0) {
                    taken.push(file);
                }
            }
        }
    }
    if taken.is_empty() {
        return Err(Error::NoFile);
    }
    Ok(taken)
}

async fn file(given: &str, mut field: Field, meter: &mut Meter<'_>, spool: &Spool) -> Result<Taken> {
    let (file, path) = spool.file().map_err(Error::Spool)?.into_parts();
    let mut file = BufWriter::with_capacity(BUFFER, tokio::fs::File::from_std(file));
    let mut hasher = Hasher::new();
    let mut head = Vec::new();
    let mut verdict = None;
    while let Some(chunk) = next(&mut field, meter.settings).await? {
        meter.count(&chunk)?;
        hasher.update(&chunk);
        if verdict.is_none() {
            head.extend_from_slice(&chunk[..chunk.len().min(HEAD_BYTES - head.len())]);
            if head.len() == HEAD_BYTES {
                verdict = Some(sniff(&head));
            }
        }
        if !matches!(verdict, Some(Err(_))) {
            file.write_all(&chunk).await.map_err(Error::Spool)?;
        }
    }
    let content = match verdict.unwrap_or_else(|| sniff(&head)) {
        Ok(format) => {
            file.flush().await.map_err(Error::Spool)?;
            Content::Kept(format, path)
        }
        Err(refusal) => Content::Refused(refusal),
    };
    Ok(Taken {
        name: clean(given),
        bytes: meter.file,
        sha256: Sha256(hasher.finalize().into()),
        content,
    })
}

/// Takes a file whose bytes are here.
pub(super) async fn bytes(name: &str, bytes: &[u8], spool: &Spool) -> Result<Taken> {
    let content = match sniff(&bytes[..bytes.len().min(HEAD_BYTES)]) {
        Ok(format) => {
            let (_file, path) = spool.file().map_err(Error::Spool)?.into_parts();
            tokio::fs::write(&path, bytes).await.map_err(Error::Spool)?;
            Content::Kept(format, path)
        }
        Err(refusal) => Content::Refused(refusal),
    };
    Ok(Taken {
        name: clean(name),
        bytes: bytes.len() as u64,
        sha256: Sha256(Hasher::digest(bytes).into()),
        content,
    })
}

async fn pass_over(mut field: Field, meter: &mut Meter<'_>) -> Result<()> {
    while let Some(chunk) = next(&mut field, meter.settings).await? {
        meter.count(&chunk)?;
    }
    Ok(())
}

async fn next<T>(
    stream: &mut (impl Stream<Item = Result<T, MultipartError>> + Unpin),
    settings: &UploadSettings,
) -> Result<Option<T>> {
    let came = timeout(settings.stall, stream.next())
        .await
        .map_err(|_elapsed| Error::Stalled(settings.stall))?;
    came.transpose().map_err(|error| Error::Malformed(error.to_string()))
}

/// What came so far.
struct Meter<'a> {
    settings: &'a UploadSettings,
    request: u64,
    file: u64,
    /// Since when the pace is taken, and how much had come then.
    since: Instant,
    before: u64,
}

impl<'a> Meter<'a> {
    fn new(settings: &'a UploadSettings) -> Self {
        Self {
            settings,
            request: 0,
            file: 0,
            since: Instant::now(),
            before: 0,
        }
    }

    fn count(&mut self, chunk: &Bytes) -> Result<()> {
        self.request += chunk.len() as u64;
        self.file += chunk.len() as u64;
        for (came, limit) in [
            (self.file, self.settings.file_bytes),
            (self.request, self.settings.request_bytes),
        ] {
            if came > limit {
                return Err(Error::TooLarge { limit });
            }
        }
        self.keep_pace()
    }

    fn keep_pace(&mut self) -> Result<()> {
        if self.since.elapsed() < self.settings.stall {
            return Ok(());
        }
        if self.request - self.before < LEAST {
            return Err(Error::Stalled(self.settings.stall));
        }
        (self.since, self.before) = (Instant::now(), self.request);
        Ok(())
    }
}
