//! An S3 store: AWS, Garage, MinIO, Ceph, R2, … Limits on every wait; large objects in parts.

use std::io;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
};
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata as _, SdkError};
use aws_sdk_s3::operation::head_object::HeadObjectError;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream as Body;
use chrono::{DateTime, Utc};
use futures_util::{StreamExt as _, TryStreamExt as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;

use super::{Batches, ByteRange, ByteStream, Download, Error, Found, Key, Result, Source, Storage};

mod multipart;

/// How to reach the store.
#[derive(Clone, Debug)]
pub struct S3Settings {
    /// Its address; `None` for AWS, which is found by region.
    pub endpoint: Option<String>,
    /// The address that browsers reach it by, for downloads past us; `None`: downloads go through us.
    pub public_endpoint: Option<String>,
    /// The region that requests are signed for.
    pub region: String,
    /// The bucket; it must exist.
    pub bucket: String,
    /// Who we are …
    pub access_key_id: String,
    /// … and the proof.
    pub secret_access_key: SecretString,
    /// Whether the bucket is named in the path or in the host.
    pub addressing: Addressing,
    /// When checksums are added and checked.
    pub checksums: ChecksumMode,
    /// Waits, for a test to shorten.
    pub timeouts: Timeouts,
}

/// Where the bucket's name stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addressing {
    /// `https://host/bucket/key`: what most self-hosted stores want.
    Path,
    /// `https://bucket.host/key`: what AWS wants.
    Host,
}

/// When checksums are added to requests and checked in answers. Over plain http the vendor's client signs them in a way
/// that not every store reads as AWS does: Garage 2.5 answers "Invalid payload signature".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChecksumMode {
    /// Wherever the store's protocol has them.
    Supported,
    /// Only where an operation demands it: for stores that do not know the newer checksums.
    Required,
}

impl ChecksumMode {
    /// What works with the store behind an address (`None`: AWS).
    #[must_use]
    pub fn for_endpoint(endpoint: Option<&str>) -> Self {
        match endpoint {
            Some(endpoint) if endpoint.starts_with("http:") => Self::Required,
            _ => Self::Supported,
        }
    }
}

/// How long to wait for the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For the first byte of an answer, and between two reads of a body.
    pub read: Duration,
    /// For one attempt at an operation, without the body of its answer.
    pub attempt: Duration,
}

impl Default for Timeouts {
    /// A store in the same network connects in milliseconds. A part of 8 MiB passes a slow line (2.5 Mbit/s) in 30 s.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            read: Duration::from_secs(30),
            attempt: Duration::from_secs(60),
        }
    }
}

/// What stands for itself in an address.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Attempts at one operation: the store's own advice; what fails for longer is tried again by the task.
const ATTEMPTS: u32 = 3;

/// Objects in a bucket.
#[derive(Clone, Debug)]
pub struct S3Storage {
    client: Client,
    /// Signs addresses for browsers.
    public: Option<Client>,
    bucket: String,
    read: Duration,
}

impl S3Storage {
    /// Prepares a client; nothing is sent yet.
    #[must_use]
    pub fn new(settings: &S3Settings) -> Self {
        Self {
            client: client(settings, settings.endpoint.as_deref()),
            public: settings
                .public_endpoint
                .as_deref()
                .map(|endpoint| client(settings, Some(endpoint))),
            bucket: settings.bucket.clone(),
            read: settings.timeouts.read,
        }
    }

    async fn object(&self, key: &Key, range: Option<ByteRange>) -> Result<(Body, Option<u64>)> {
        let range = range.map(|it| format!("bytes={}-{}", it.start, (it.start + it.length).saturating_sub(1)));
        let answer = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key.path()?)
            .set_range(range)
            .send()
            .await;
        match answer {
            Ok(object) => Ok((object.body, object.content_length.and_then(|it| u64::try_from(it).ok()))),
            Err(error) if error.as_service_error().is_some_and(|it| it.is_no_such_key()) => {
                Err(Error::Missing(key.to_string()))
            }
            Err(error) => Err(unavailable(&error)),
        }
    }

    async fn put_whole(&self, key: &Key, path: &Path) -> Result<()> {
        let body = Body::from_path(path)
            .await
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        let request = self.client.put_object().bucket(&self.bucket).key(key.path()?);
        request
            .content_type(key.content_type())
            .body(body)
            .send()
            .await
            .map_err(|error| unavailable(&error))?;
        Ok(())
    }
}

#[async_trait]
impl Storage for S3Storage {
    async fn put(&self, key: &Key, path: &Path, source: Source) -> Result<()> {
        let bytes = tokio::fs::metadata(path)
            .await
            .map_err(|error| local(path, &error))?
            .len();
        if bytes <= multipart::WHOLE_BELOW {
            self.put_whole(key, path).await?;
        } else {
            multipart::put(&self.client, &self.bucket, key, path, bytes).await?;
        }
        if source == Source::Give {
            tokio::fs::remove_file(path)
                .await
                .map_err(|error| local(path, &error))?;
        }
        Ok(())
    }

    async fn copy(&self, from: &Key, to: &Key) -> Result<()> {
        // The bucket and the path of the key, encoded as in an address.
        let path = utf8_percent_encode(&from.path()?, PATH).to_string();
        let source = format!("{}/{path}", self.bucket);
        let request = self.client.copy_object().bucket(&self.bucket).key(to.path()?);
        match request.copy_source(source).send().await {
            Ok(_copied) => Ok(()),
            Err(error) if error.code() == Some("NoSuchKey") => Err(Error::Missing(from.to_string())),
            Err(error) => Err(unavailable(&error)),
        }
    }

    async fn get(&self, key: &Key, range: Option<ByteRange>) -> Result<ByteStream> {
        if range.is_some_and(|it| it.length == 0) {
            return Ok(futures_util::stream::empty().boxed());
        }
        let (body, _length) = self.object(key, range).await?;
        Ok(stream(body, key.to_string(), self.read))
    }

    async fn fetch(&self, key: &Key, path: &Path) -> Result<()> {
        let (body, length) = self.object(key, None).await?;
        let written = async {
            let mut file = tokio::fs::File::create(path)
                .await
                .map_err(|error| local(path, &error))?;
            let mut bytes = 0;
            let mut body = stream(body, key.to_string(), self.read);
            while let Some(chunk) = body.try_next().await? {
                bytes += chunk.len() as u64;
                file.write_all(&chunk).await.map_err(|error| local(path, &error))?;
            }
            file.flush().await.map_err(|error| local(path, &error))?;
            match length {
                Some(length) if length != bytes => {
                    Err(Error::Unavailable(format!("{key}: {bytes} of {length} bytes came")))
                }
                _ => Ok(()),
            }
        }
        .await;
        if written.is_err() {
            // Half an object is worth nothing, and on a full disk it is in the way.
            tokio::fs::remove_file(path).await.ok();
        }
        written
    }

    async fn size(&self, key: &Key) -> Result<Option<u64>> {
        match self
            .client
            .head_object()
            .bucket(&self.bucket)
            .key(key.path()?)
            .send()
            .await
        {
            Ok(found) => Ok(Some(
                found
                    .content_length
                    .and_then(|it| u64::try_from(it).ok())
                    .unwrap_or_default(),
            )),
            Err(error) if error.as_service_error().is_some_and(HeadObjectError::is_not_found) => Ok(None),
            Err(error) => Err(unavailable(&error)),
        }
    }

    async fn delete(&self, key: &Key) -> Result<()> {
        let request = self.client.delete_object().bucket(&self.bucket).key(key.path()?);
        request.send().await.map_err(|error| unavailable(&error))?;
        Ok(())
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>> {
        let mut pages = self
            .client
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(prefix)
            .into_paginator()
            .send();
        let mut paths = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| unavailable(&error))?;
            paths.extend(page.contents.unwrap_or_default().into_iter().filter_map(|it| it.key));
        }
        Ok(paths)
    }

    fn older(&self, prefix: &str, before: DateTime<Utc>) -> Batches {
        let request = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let pages = request.into_paginator().send();
        // A page at a time, and a page at most in memory.
        futures_util::stream::try_unfold(pages, move |mut pages| async move {
            let Some(page) = pages.next().await else {
                return Ok(None);
            };
            let page = page.map_err(|error| unavailable(&error))?;
            let old = page.contents.unwrap_or_default().into_iter().filter_map(|it| {
                let written = it.last_modified?.secs();
                let bytes = it.size.and_then(|it| u64::try_from(it).ok()).unwrap_or_default();
                (written < before.timestamp()).then_some(Found { path: it.key?, bytes })
            });
            Ok(Some((old.collect(), pages)))
        })
        .boxed()
    }

    async fn link(&self, key: &Key, download: &Download<'_>) -> Result<Option<String>> {
        let Some(public) = &self.public else { return Ok(None) };
        let valid =
            PresigningConfig::expires_in(download.valid).map_err(|error| Error::Unavailable(error.to_string()))?;
        let request = public.get_object().bucket(&self.bucket).key(key.path()?);
        let request = request
            .response_content_type(download.content_type)
            .response_content_disposition(download.disposition);
        let signed = request.presigned(valid).await.map_err(|error| unavailable(&error))?;
        Ok(Some(signed.uri().to_owned()))
    }

    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64> {
        multipart::abort_older(&self.client, &self.bucket, before).await
    }

    async fn check(&self) -> Result<()> {
        self.client
            .head_bucket()
            .bucket(&self.bucket)
            .send()
            .await
            .map_err(|error| unavailable(&error))?;
        Ok(())
    }
}

fn client(settings: &S3Settings, endpoint: Option<&str>) -> Client {
    let Timeouts { connect, read, attempt } = settings.timeouts;
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(connect)
        .read_timeout(read)
        .operation_attempt_timeout(attempt);
    let (requests, answers) = match settings.checksums {
        ChecksumMode::Supported => (
            RequestChecksumCalculation::WhenSupported,
            ResponseChecksumValidation::WhenSupported,
        ),
        ChecksumMode::Required => (
            RequestChecksumCalculation::WhenRequired,
            ResponseChecksumValidation::WhenRequired,
        ),
    };
    let secret = settings.secret_access_key.expose_secret();
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(settings.region.clone()))
        .credentials_provider(Credentials::new(
            &settings.access_key_id,
            secret,
            None,
            None,
            "settings",
        ))
        .force_path_style(settings.addressing == Addressing::Path)
        .timeout_config(timeouts.build())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .request_checksum_calculation(requests)
        .response_checksum_validation(answers);
    let config = match endpoint {
        Some(endpoint) => config.endpoint_url(endpoint),
        None => config,
    };
    Client::from_conf(config.build())
}

fn stream(body: Body, name: String, read: Duration) -> ByteStream {
    let next = move |(mut body, name): (Body, String)| async move {
        match timeout(read, body.next()).await {
            Ok(Some(Ok(bytes))) => Ok(Some((bytes, (body, name)))),
            Ok(Some(Err(error))) => Err(Error::Unavailable(format!("{name}: {error}"))),
            Ok(None) => Ok(None),
            Err(_elapsed) => Err(Error::Unavailable(format!("{name}: the store stopped sending"))),
        }
    };
    futures_util::stream::try_unfold((body, name), next).boxed()
}

fn unavailable<E: std::error::Error + Send + Sync + 'static, R: std::fmt::Debug + Send + Sync + 'static>(
    error: &SdkError<E, R>,
) -> Error {
    Error::Unavailable(DisplayErrorContext(error).to_string())
}

fn local(path: &Path, error: &io::Error) -> Error {
    Error::Unavailable(format!("{}: {error}", path.display()))
}
