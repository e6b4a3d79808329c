//! Large objects in parts: several at a time, straight from the file, and nothing left behind when it fails.

use std::path::{Path, PathBuf};

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::{ByteStream as Body, Length};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use chrono::{DateTime, Utc};
use futures_util::{StreamExt as _, TryStreamExt as _};

use super::unavailable;
use crate::storage::{Error, Key, Result};

/// Smaller objects go in one request.
pub(super) const WHOLE_BELOW: u64 = 16 << 20;
/// S3 wants at least 5 MiB; every part must pass within the time of one attempt, so they are not large.
const PART: u64 = 8 << 20;
/// S3 takes so many parts; beyond 80 GB they grow.
const MOST_PARTS: u64 = 10_000;
/// Parts on their way at once.
const AT_ONCE: usize = 4;

/// Stores a local file in parts.
pub(super) async fn put(client: &Client, bucket: &str, key: &Key, path: &Path, bytes: u64) -> Result<()> {
    let request = client
        .create_multipart_upload()
        .bucket(bucket)
        .key(key.path()?)
        .content_type(key.content_type());
    let created = request.send().await.map_err(|error| unavailable(&error))?;
    let id = created
        .upload_id
        .ok_or_else(|| Error::Unavailable(format!("{key}: the store named no upload")))?;
    let mut upload = Upload {
        client: client.clone(),
        bucket: bucket.to_owned(),
        key: key.path()?,
        id: Some(id),
    };
    let answer = upload.send(path, bytes).await;
    match answer {
        // Nothing is left to abort.
        Ok(()) => upload.id = None,
        Err(_) => upload.abort().await,
    }
    answer
}

/// Aborts uploads that were begun before an instant: their process was killed. Answers how many.
pub(super) async fn abort_older(client: &Client, bucket: &str, before: DateTime<Utc>) -> Result<u64> {
    let mut aborted = 0;
    let (mut key_marker, mut id_marker) = (None, None);
    loop {
        let request = client.list_multipart_uploads().bucket(bucket);
        let request = request.set_key_marker(key_marker).set_upload_id_marker(id_marker);
        let page = request.send().await.map_err(|error| unavailable(&error))?;
        for upload in page.uploads() {
            let (Some(key), Some(id), Some(begun)) = (upload.key(), upload.upload_id(), upload.initiated()) else {
                continue;
            };
            if begun.secs() < before.timestamp() {
                abort(client, bucket, key, id).await?;
                aborted += 1;
            }
        }
        if page.is_truncated() != Some(true) {
            return Ok(aborted);
        }
        (key_marker, id_marker) = (page.next_key_marker, page.next_upload_id_marker);
    }
}

/// An upload that is not complete. Dropped, for example because the task was cancelled, it is aborted.
struct Upload {
    client: Client,
    bucket: String,
    key: String,
    id: Option<String>,
}

impl Upload {
    async fn send(&self, path: &Path, bytes: u64) -> Result<()> {
        let size = PART.max(bytes.div_ceil(MOST_PARTS));
        let parts = futures_util::stream::iter((0..bytes.div_ceil(size)).map(|number| {
            let offset = number * size;
            self.send_part(path.to_owned(), number, offset, size.min(bytes - offset))
        }));
        let mut parts: Vec<CompletedPart> = parts.buffer_unordered(AT_ONCE).try_collect().await?;
        parts.sort_by_key(CompletedPart::part_number);

        let whole = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let request = self
            .client
            .complete_multipart_upload()
            .bucket(&self.bucket)
            .key(&self.key);
        let completed = request
            .set_upload_id(self.id.clone())
            .multipart_upload(whole)
            .send()
            .await;
        let Err(error) = completed else { return Ok(()) };
        // The answer to an earlier attempt may have been lost, and then there is no upload left to complete.
        let found = self
            .client
            .head_object()
            .bucket(&self.bucket)
            .key(&self.key)
            .send()
            .await;
        match found.ok().and_then(|it| it.content_length) {
            Some(length) if u64::try_from(length) == Ok(bytes) && is_gone(&error) => Ok(()),
            _ => Err(unavailable(&error)),
        }
    }

    async fn send_part(&self, path: PathBuf, number: u64, offset: u64, length: u64) -> Result<CompletedPart> {
        let body = Body::read_from()
            .path(path)
            .offset(offset)
            .length(Length::Exact(length))
            .build()
            .await;
        let body = body.map_err(|error| Error::Unavailable(format!("{}: {error}", self.key)))?;
        let number = i32::try_from(number + 1).unwrap_or(i32::MAX);
        let request = self
            .client
            .upload_part()
            .bucket(&self.bucket)
            .key(&self.key)
            .set_upload_id(self.id.clone());
        let part = request
            .part_number(number)
            .body(body)
            .send()
            .await
            .map_err(|error| unavailable(&error))?;
        Ok(CompletedPart::builder()
            .part_number(number)
            .set_e_tag(part.e_tag)
            .set_checksum_crc32(part.checksum_crc32)
            .set_checksum_crc64_nvme(part.checksum_crc64_nvme)
            .build())
    }

    async fn abort(&mut self) {
        if let Some(id) = self.id.take() {
            abort_or_warn(&self.client, &self.bucket, &self.key, &id).await;
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let (Some(id), Ok(runtime)) = (self.id.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        let (client, bucket, key) = (
            self.client.clone(),
            std::mem::take(&mut self.bucket),
            std::mem::take(&mut self.key),
        );
        runtime.spawn(async move { abort_or_warn(&client, &bucket, &key, &id).await });
    }
}

async fn abort_or_warn(client: &Client, bucket: &str, key: &str, id: &str) {
    if let Err(error) = abort(client, bucket, key, id).await {
        tracing::warn!(%error, key, "an upload in parts could not be aborted; the sweeper will");
    }
}

async fn abort(client: &Client, bucket: &str, key: &str, id: &str) -> Result<()> {
    let request = client.abort_multipart_upload().bucket(bucket).key(key).upload_id(id);
    request.send().await.map_err(|error| unavailable(&error))?;
    Ok(())
}

fn is_gone<E: aws_sdk_s3::error::ProvideErrorMetadata, R>(error: &aws_sdk_s3::error::SdkError<E, R>) -> bool {
    error
        .as_service_error()
        .is_some_and(|it| it.code() == Some("NoSuchUpload"))
}
