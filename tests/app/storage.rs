//! The contract of storage, kept by the folder and by a real S3 server alike.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use futures_util::TryStreamExt as _;
use sha2::{Digest as _, Sha256 as Hasher};
use sheetmill::domain::ids::{IngestId, RunId, Sha256, TaskId};
use sheetmill::storage::{ByteRange, Download, Error, FolderStorage, Key, S3Settings, S3Storage, Source, Storage};

use crate::garage;

/// More than one request holds, and not a multiple of a part.
const LARGE: usize = (21 << 20) + 12_345;

struct Scene {
    storage: Box<dyn Storage>,
    scratch: tempfile::TempDir,
}

impl Scene {
    fn folder() -> Self {
        let scratch = tempfile::tempdir().expect("a folder");
        let storage = FolderStorage::open(&scratch.path().join("storage")).expect("the folder opens");
        Self {
            storage: Box::new(storage),
            scratch,
        }
    }

    async fn s3() -> Self {
        Self {
            storage: Box::new(S3Storage::new(&garage::bucket().await)),
            scratch: tempfile::tempdir().expect("a folder"),
        }
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.scratch.path().join(name);
        std::fs::write(&path, bytes).expect("the file can be written");
        path
    }

    async fn put(&self, key: &Key, bytes: &[u8]) {
        let path = self.file("given", bytes);
        self.storage
            .put(key, &path, Source::Give)
            .await
            .expect("the bytes are stored");
        assert!(!path.exists(), "a given file is gone");
    }

    async fn get(&self, key: &Key, range: Option<ByteRange>) -> Vec<u8> {
        let stream = self.storage.get(key, range).await.expect("the object is there");
        stream.try_collect::<Vec<_>>().await.expect("all bytes come").concat()
    }
}

fn bytes(length: usize) -> Vec<u8> {
    // Long period, so that parts put together in the wrong order are found out.
    (0_u64..)
        .flat_map(|it| Hasher::digest(it.to_le_bytes()))
        .take(length)
        .collect()
}

fn blob(bytes: &[u8]) -> Key {
    Key::Blob(Sha256(Hasher::digest(bytes).into()))
}

async fn keeps_the_contract(scene: &Scene) {
    let small = bytes(1000);
    let key = blob(&small);
    assert_eq!(scene.storage.size(&key).await.expect("storage answers"), None);
    assert!(matches!(
        scene.storage.get(&key, None).await.err(),
        Some(Error::Missing(_))
    ));
    let target = scene.scratch.path().join("fetched");
    assert!(matches!(
        scene.storage.fetch(&key, &target).await,
        Err(Error::Missing(_))
    ));
    assert!(!target.exists(), "nothing is left of a fetch that failed");

    scene.put(&key, &small).await;
    assert_eq!(scene.storage.size(&key).await.expect("storage answers"), Some(1000));
    assert_eq!(scene.get(&key, None).await, small);
    let range = |start, length| Some(ByteRange { start, length });
    assert_eq!(scene.get(&key, range(0, 10)).await, small[..10]);
    assert_eq!(scene.get(&key, range(990, 10)).await, small[990..]);
    assert_eq!(scene.get(&key, range(500, 0)).await, b"");
    scene.storage.fetch(&key, &target).await.expect("it comes");
    assert_eq!(std::fs::read(&target).expect("it is there"), small);

    keeps_given_and_kept_apart(scene).await;
    copies(scene).await;
    lists_and_deletes(scene).await;
    refuses_what_is_no_path(scene).await;
    scene.storage.check().await.expect("storage answers");
}

async fn keeps_given_and_kept_apart(scene: &Scene) {
    let key = Key::RunOutput(RunId::new(), TaskId::new(), 1, "Umsätze 2024 (neu).csv".to_owned());
    let path = scene.file("kept", b"one");
    scene
        .storage
        .put(&key, &path, Source::Keep)
        .await
        .expect("it is stored");
    assert!(path.exists(), "a kept file stays");
    std::fs::write(&path, b"changed").expect("the file can be written");
    assert_eq!(
        scene.get(&key, None).await,
        b"one",
        "what is stored does not change with it"
    );
    scene
        .storage
        .put(&key, &path, Source::Keep)
        .await
        .expect("it is stored");
    assert_eq!(scene.get(&key, None).await, b"changed", "writing again replaces");
    let empty = Key::RunOutput(RunId::new(), TaskId::new(), 1, "empty.csv".to_owned());
    scene.put(&empty, b"").await;
    assert_eq!(scene.get(&empty, None).await, b"");
}

async fn copies(scene: &Scene) {
    let key = |name: &str| Key::RunOutput(RunId::new(), TaskId::new(), 1, name.to_owned());
    let (from, to) = (key("Umsätze 100% + mehr (neu).csv"), key("copy of it?.csv"));
    let missing = scene.storage.copy(&from, &to).await;
    assert!(matches!(missing, Err(Error::Missing(_))), "{missing:?}");
    assert_eq!(scene.storage.size(&to).await.expect("storage answers"), None);
    scene.put(&from, b"one").await;
    scene.put(&to, b"what an attempt left that was cut off").await;
    for _ in 0..2 {
        scene.storage.copy(&from, &to).await.expect("it is copied");
        assert_eq!(scene.get(&to, None).await, b"one");
    }
    scene.put(&from, b"two").await;
    assert_eq!(scene.get(&to, None).await, b"one", "each has bytes of its own");
    scene.storage.delete(&from).await.expect("it goes");
    assert_eq!(scene.get(&to, None).await, b"one");
}

async fn lists_and_deletes(scene: &Scene) {
    let (one, other) = (IngestId::new(), IngestId::new());
    let keys = [
        Key::TablePart(one, 0, "0.parquet".to_owned()),
        Key::TablePart(one, 0, "1.parquet".to_owned()),
        Key::TableMeta(one, 1),
    ];
    for key in keys.iter().chain([&Key::TableMeta(other, 0)]) {
        scene.put(key, b"x").await;
    }
    let mut listed = scene
        .storage
        .list(&format!("tables/{one}/"))
        .await
        .expect("storage answers");
    listed.sort();
    assert_eq!(listed, keys.each_ref().map(ToString::to_string));
    assert_eq!(scene.storage.list("nothing/").await.expect("storage answers"), [""; 0]);
    for key in &keys {
        scene.storage.delete(key).await.expect("it goes");
        scene.storage.delete(key).await.expect("gone is fine");
    }
    assert_eq!(
        scene
            .storage
            .list(&format!("tables/{one}/"))
            .await
            .expect("storage answers"),
        [""; 0]
    );
    assert_eq!(scene.storage.list("tables/").await.expect("storage answers").len(), 1);
}

async fn refuses_what_is_no_path(scene: &Scene) {
    let path = scene.file("harmful", b"x");
    for name in ["", ".", "..", "../../../etc/passwd", "a/b", "a\0b", &"x".repeat(256)] {
        let key = Key::RunOutput(RunId::new(), TaskId::new(), 1, name.to_owned());
        let refused = scene.storage.put(&key, &path, Source::Keep).await;
        assert!(matches!(refused, Err(Error::BadKey(_))), "{name:?}: {refused:?}");
        assert!(
            matches!(scene.storage.get(&key, None).await.err(), Some(Error::BadKey(_))),
            "{name:?}"
        );
    }
}

async fn keeps_large_objects(scene: &Scene) {
    let large = bytes(LARGE);
    let key = blob(&large);
    scene.put(&key, &large).await;
    assert_eq!(
        scene.storage.size(&key).await.expect("storage answers"),
        Some(LARGE as u64)
    );
    assert!(scene.get(&key, None).await == large, "all parts are there and in order");
    let range = ByteRange {
        start: (8 << 20) - 5,
        length: 10,
    };
    assert_eq!(scene.get(&key, Some(range)).await, large[(8 << 20) - 5..(8 << 20) + 5]);
}

#[tokio::test]
async fn the_folder_keeps_the_contract() {
    let scene = Scene::folder();
    keeps_the_contract(&scene).await;
    keeps_large_objects(&scene).await;
}

#[tokio::test]
async fn s3_keeps_the_contract() {
    let scene = Scene::s3().await;
    keeps_the_contract(&scene).await;
    keeps_large_objects(&scene).await;
}

#[tokio::test]
async fn a_browser_gets_an_object_by_a_signed_address_with_its_name() {
    let scene = Scene::s3().await;
    let key = blob(b"hello");
    scene.put(&key, b"hello").await;
    let download = Download {
        disposition: "attachment; filename=\"clean.csv\"",
        content_type: "text/csv",
        valid: Duration::from_secs(60),
    };
    let link = scene.storage.link(&key, &download).await.expect("it can be signed");
    let link = link.expect("there is a public endpoint");
    let answer = reqwest::get(&link).await.expect("the store answers");
    assert_eq!(answer.headers()["content-disposition"], download.disposition);
    assert_eq!(answer.headers()["content-type"], download.content_type);
    assert_eq!(answer.text().await.expect("text"), "hello");
    let put = reqwest::Client::new()
        .put(&link)
        .body("other")
        .send()
        .await
        .expect("the store answers");
    assert!(
        put.status().is_client_error(),
        "the address reads, nothing else: {}",
        put.status()
    );
}

#[tokio::test]
async fn nothing_is_left_of_an_upload_in_parts_that_fails() {
    let scene = Scene {
        storage: Box::new(S3Storage::new(&garage::bucket_of(Some(LARGE as u64 / 2)).await)),
        scratch: tempfile::tempdir().expect("a folder"),
    };
    let path = scene.file("too large", &bytes(LARGE));
    let key = blob(b"never stored");
    let stored = scene.storage.put(&key, &path, Source::Keep).await;
    assert!(matches!(stored, Err(Error::Unavailable(_))), "{stored:?}");
    assert_eq!(scene.storage.size(&key).await.expect("storage answers"), None);
    let tomorrow = Utc::now() + TimeDelta::days(1);
    assert_eq!(
        scene.storage.sweep(tomorrow).await.expect("storage answers"),
        0,
        "the upload was aborted"
    );
}

#[tokio::test]
async fn a_store_that_is_away_is_said_to_be_away() {
    let settings = garage::bucket().await;
    let wrong_bucket = S3Settings {
        bucket: "nobody-made-it".to_owned(),
        ..settings.clone()
    };
    assert!(matches!(
        S3Storage::new(&wrong_bucket).check().await,
        Err(Error::Unavailable(_))
    ));
    // Port 9 is discard: nobody listens.
    let nobody = S3Settings {
        endpoint: Some("http://127.0.0.1:9".to_owned()),
        ..settings
    };
    assert!(matches!(
        S3Storage::new(&nobody).check().await,
        Err(Error::Unavailable(_))
    ));
}

#[tokio::test]
async fn the_folder_shows_no_half_written_file_and_sweeps_what_is_left_of_one() {
    let scene = Scene::folder();
    let root = scene.scratch.path().join("storage");
    let rest = root.join(".unfinished/rest");
    std::fs::write(&rest, b"half").expect("a file");
    assert_eq!(scene.storage.list("").await.expect("storage answers"), [""; 0]);
    assert_eq!(
        scene
            .storage
            .sweep(Utc::now() - TimeDelta::days(1))
            .await
            .expect("storage answers"),
        0
    );
    assert!(rest.exists(), "somebody may still be writing it");
    assert_eq!(
        scene
            .storage
            .sweep(Utc::now() + TimeDelta::days(1))
            .await
            .expect("storage answers"),
        1
    );
    assert!(!rest.exists());
}

#[tokio::test]
async fn a_given_file_on_another_file_system_is_moved_too() {
    let other = Path::new("/dev/shm");
    assert!(other.is_dir(), "this test needs a second file system at /dev/shm");
    let scene = Scene::folder();
    let path = tempfile::NamedTempFile::new_in(other).expect("a file").into_temp_path();
    std::fs::write(&path, b"from afar").expect("a file");
    let key = blob(b"from afar");
    scene
        .storage
        .put(&key, &path, Source::Give)
        .await
        .expect("it is stored");
    assert!(!path.exists());
    assert_eq!(scene.get(&key, None).await, b"from afar");
}
