//! Uploads through the module that takes them, with real Postgres and a real folder.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use sheetmill::database::users::NewUser;
use sheetmill::database::{self, files};
use sheetmill::domain::ids::{FileId, RequestId, UserId};
use sheetmill::domain::states::{IngestState, Role};
use sheetmill::storage::{FolderStorage, Key, Storage};
use sheetmill::upload::{Error, Form, Received, Sender, UploadSettings, Uploads};
use sheetmill_engine::sheets::IngestOptions;

use crate::postgres::TestDatabase;
use crate::wait::until;

const BOUNDARY: &str = "boundary-of-this-test";

struct Scene {
    database: TestDatabase,
    folder: tempfile::TempDir,
    storage: Arc<dyn Storage>,
    uploads: Uploads,
    user: UserId,
}

impl Scene {
    async fn set() -> Self {
        Self::with(|_| ()).await
    }

    async fn with(change: impl FnOnce(&mut UploadSettings)) -> Self {
        let database = TestDatabase::fresh().await;
        let folder = tempfile::tempdir().expect("a folder");
        let storage = FolderStorage::open(&folder.path().join("storage")).expect("storage opens");
        let storage: Arc<dyn Storage> = Arc::new(storage);
        let mut settings = UploadSettings::at(folder.path().join("spool"));
        change(&mut settings);
        let uploads = Uploads::open(database.pool.clone(), Arc::clone(&storage), settings).expect("the spool opens");
        let user = add_user(&database, "ada@example.org").await;
        Self {
            database,
            folder,
            storage,
            uploads,
            user,
        }
    }

    async fn send(&self, files: &[(&str, &[u8])]) -> Result<Vec<Received>, Error> {
        let parts: Vec<Bytes> = files
            .iter()
            .map(|(name, bytes)| part("file", name, bytes))
            .chain([end()])
            .collect();
        self.send_stream(stream::iter(parts.into_iter().map(Ok))).await
    }

    async fn send_stream(
        &self,
        body: impl Stream<Item = Result<Bytes, PayloadError>> + 'static,
    ) -> Result<Vec<Received>, Error> {
        let sender = Sender {
            user: self.user,
            request: RequestId::new(),
        };
        self.uploads
            .receive(sender, &IngestOptions::default(), form(body))
            .await
    }

    async fn send_one(&self, name: &str, bytes: &[u8]) -> Received {
        let mut received = self.send(&[(name, bytes)]).await.expect("it is received");
        received.remove(0)
    }

    async fn count(&self, what: &str) -> i64 {
        self.database.number(&format!("select count(*) from {what}")).await
    }

    /// What lies in the spool besides the lock of the process.
    fn spooled(&self) -> Vec<PathBuf> {
        let spool = self.folder.path().join("spool");
        let folders = std::fs::read_dir(spool).expect("the spool is there").flatten();
        let files = folders.flat_map(|it| std::fs::read_dir(it.path()).expect("a folder").flatten());
        files.map(|it| it.path()).filter(|it| !it.ends_with("lock")).collect()
    }

    async fn nothing_came(&self) {
        assert_eq!(self.count("blobs").await, 0);
        self.nothing_is_told_of().await;
    }

    /// That somebody wanted bytes which could not be stored is known until clean-up forgets it.
    async fn nothing_is_told_of(&self) {
        for table in ["files", "ingests", "tasks", "events", "apalis.jobs"] {
            assert_eq!(self.count(table).await, 0, "{table}");
        }
        assert_eq!(self.spooled(), Vec::<PathBuf>::new());
    }
}

async fn add_user(database: &TestDatabase, email: &str) -> UserId {
    let id = UserId::new();
    let user = NewUser {
        id,
        email,
        name: "",
        role: Role::Member,
        password_hash: None,
    };
    let mut connection = database.pool.acquire().await.expect("a connection");
    database::users::insert(&mut connection, &user).await.expect("a user");
    id
}

fn form(body: impl Stream<Item = Result<Bytes, PayloadError>> + 'static) -> Form {
    let mut headers = HeaderMap::new();
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    headers.insert(CONTENT_TYPE, HeaderValue::from_str(&kind).expect("a header"));
    Form::new(&headers, body)
}

fn part(field: &str, name: &str, bytes: &[u8]) -> Bytes {
    let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\r\n");
    [head.as_bytes(), bytes, b"\r\n"].concat().into()
}

fn end() -> Bytes {
    format!("--{BOUNDARY}--\r\n").into()
}

/// Bytes that begin like a workbook; whether they are one is for the reader to find out.
fn workbook(seed: u8, length: usize) -> Vec<u8> {
    let name = b"xl/workbook.xml";
    let mut bytes = b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    bytes.extend(u16::try_from(name.len()).expect("short").to_le_bytes());
    bytes.extend([0, 0]);
    bytes.extend(name);
    bytes.resize(length.max(bytes.len()), seed);
    bytes
}

#[tokio::test]
async fn a_file_becomes_visible_with_its_task_its_ticket_and_its_events() {
    let scene = Scene::set().await;
    let bytes = workbook(1, 300_000);
    let received = scene.send_one("orders.xlsx", &bytes).await;
    let id = received.id.expect("it was taken");
    assert_eq!((received.name.as_str(), received.bytes), ("orders.xlsx", 300_000));
    assert_eq!((received.state, &received.error), (IngestState::Received, &None));

    let mut connection = scene.database.pool.acquire().await.expect("a connection");
    let file = files::find(&mut connection, scene.user, id)
        .await
        .expect("answers")
        .expect("it is there");
    assert_eq!(
        (file.name.as_str(), file.format.as_str(), file.bytes),
        ("orders.xlsx", "xlsx", 300_000)
    );
    assert_eq!(file.sha256, received.sha256);
    let stored = scene
        .storage
        .size(&Key::Blob(received.sha256))
        .await
        .expect("storage answers");
    assert_eq!(stored, Some(300_000));
    let task = "tasks where kind = 'ingest' and state = 'queued' and queue = 'ingest' and run_at <= now()";
    assert_eq!(scene.count(task).await, 1);
    assert_eq!(scene.count("apalis.jobs").await, 1);
    assert_eq!(
        scene
            .count("events where kind = 'file_received' and file_id is not null")
            .await,
        1
    );
    assert_eq!(scene.spooled(), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn the_same_bytes_again_are_another_file_of_the_same_reading() {
    let scene = Scene::set().await;
    let bytes = workbook(1, 1000);
    let first = scene.send_one("one.xlsx", &bytes).await;
    let second = scene.send_one("two.xlsx", &bytes).await;
    assert_ne!(first.id, second.id);
    assert_eq!((scene.count("files").await, scene.count("blobs").await), (2, 1));
    assert_eq!((scene.count("ingests").await, scene.count("tasks").await), (1, 1));

    scene
        .database
        .execute("update tasks set state = 'succeeded', finished_at = now()")
        .await;
    scene
        .database
        .execute("update ingests set state = 'ready', finished_at = now()")
        .await;
    let third = scene.send_one("three.xlsx", &bytes).await;
    assert_eq!(third.state, IngestState::Ready, "at once, since it was read before");
    assert_eq!(scene.count("tasks").await, 1);
}

#[tokio::test]
async fn what_failed_by_our_fault_is_tried_again_and_what_was_refused_is_not() {
    let scene = Scene::set().await;
    let bytes = workbook(1, 1000);
    scene.send_one("one.xlsx", &bytes).await;
    scene
        .database
        .execute("update tasks set state = 'failed', finished_at = now()")
        .await;
    scene
        .database
        .execute("update ingests set state = 'refused', sentence = 'no', finished_at = now()")
        .await;
    assert_eq!(scene.send_one("two.xlsx", &bytes).await.state, IngestState::Refused);
    assert_eq!(scene.count("tasks").await, 1);

    scene
        .database
        .execute("update ingests set state = 'failed', sentence = 'sorry'")
        .await;
    assert_eq!(scene.send_one("three.xlsx", &bytes).await.state, IngestState::Received);
    assert_eq!(scene.count("tasks where state = 'queued'").await, 1);
    assert_eq!(
        scene
            .count("ingests where sentence is null and finished_at is null")
            .await,
        1
    );
    scene.send_one("four.xlsx", &bytes).await;
    assert_eq!(scene.count("tasks where state = 'queued'").await, 1, "one is enough");
}

#[tokio::test]
async fn the_same_bytes_at_the_same_time_are_read_once() {
    let scene = Scene::set().await;
    let (one, other) = (workbook(1, 1000), workbook(2, 1000));
    let sends = (0..12).map(|number| {
        let mut files = [("one.xlsx", one.as_slice()), ("other.xlsx", other.as_slice())];
        if number % 2 == 0 {
            files.reverse();
        }
        let scene = &scene;
        async move { scene.send(&files).await.map(|it| it.len()) }
    });
    for sent in futures_util::future::join_all(sends).await {
        assert_eq!(sent.expect("it is received"), 2);
    }
    assert_eq!((scene.count("files").await, scene.count("ingests").await), (24, 2));
    assert_eq!(scene.count("tasks").await, 2);
}

#[tokio::test]
async fn of_many_files_each_gets_its_own_answer_in_order() {
    let scene = Scene::set().await;
    let good = workbook(1, 20_000);
    let files: [(&str, &[u8]); 4] = [
        ("good.xlsx", &good),
        ("empty.xlsx", b""),
        ("picture.xlsx", b"\x89PNG and so on"),
        ("also good.xlsx", &good),
    ];
    let received = scene.send(&files).await.expect("two are good");
    let states: Vec<IngestState> = received.iter().map(|it| it.state).collect();
    let (taken, refused) = (IngestState::Received, IngestState::Refused);
    assert_eq!(states, [taken, refused, refused, taken]);
    let codes: Vec<&str> = received
        .iter()
        .flat_map(|it| &it.error)
        .map(|it| it.code.as_str())
        .collect();
    assert_eq!(codes, ["empty", "not_a_spreadsheet"]);
    let sentence = &received[2].error.as_ref().expect("refused").sentence;
    assert!(sentence.contains("picture.xlsx"), "{sentence}");
    assert_eq!(scene.count("files").await, 2);
    assert_eq!(scene.spooled(), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn what_is_refused_leaves_nothing() {
    let scene = Scene::set().await;
    let mut large = b"%PDF-1.7".to_vec();
    large.resize(1 << 20, b' ');
    let received = scene
        .send(&[("a.xlsx", &large), ("b.xlsx", b"")])
        .await
        .expect("an answer for each");
    assert!(received.iter().all(|it| it.id.is_none() && it.error.is_some()));
    assert_eq!(received[0].bytes, 1 << 20);
    scene.nothing_came().await;
}

#[tokio::test]
async fn too_much_ends_the_request_before_the_rest_comes() {
    let scene = Scene::with(|it| it.file_bytes = 100_000).await;
    let start = part("file", "endless.xlsx", &workbook(1, 10_000));
    let endless = stream::once(async { Ok(start) }).chain(stream::repeat_with(|| Ok(Bytes::from_static(&[0; 8192]))));
    let end = scene.send_stream(endless).await;
    assert!(matches!(end, Err(Error::TooLarge { limit: 100_000 })), "{end:?}");
    scene.nothing_came().await;

    let scene = Scene::with(|it| it.request_bytes = 100_000).await;
    let half = workbook(1, 60_000);
    let end = scene.send(&[("one.xlsx", &half), ("two.xlsx", &half)]).await;
    assert!(matches!(end, Err(Error::TooLarge { limit: 100_000 })), "{end:?}");
    scene.nothing_came().await;

    let scene = Scene::with(|it| it.files = 2).await;
    let end = scene
        .send(&[("1.xlsx", &half), ("2.xlsx", &half), ("3.xlsx", &half)])
        .await;
    assert!(matches!(end, Err(Error::TooMany { limit: 2 })), "{end:?}");
    scene.nothing_came().await;
}

#[tokio::test]
async fn an_upload_that_is_cut_or_stalls_leaves_nothing() {
    let scene = Scene::with(|it| it.stall = Duration::from_millis(200)).await;
    let whole = part("file", "whole.xlsx", &workbook(1, 50_000));
    let half = part("file", "half.xlsx", &workbook(2, 50_000)).slice(..30_000);
    let cut = stream::iter([Ok(whole.clone()), Ok(half.clone()), Err(PayloadError::Incomplete(None))]);
    let end = scene.send_stream(cut).await;
    assert!(matches!(end, Err(Error::Malformed(_))), "{end:?}");
    scene.nothing_came().await;

    let silent = stream::iter([Ok(whole.clone()), Ok(half.clone())]).chain(stream::pending());
    let end = scene.send_stream(silent).await;
    assert!(matches!(end, Err(Error::Stalled(_))), "{end:?}");
    scene.nothing_came().await;

    let ticks = tokio::time::interval(Duration::from_millis(50));
    let drops = stream::unfold(ticks, |mut ticks| async {
        ticks.tick().await;
        Some((Ok(Bytes::from_static(b"x")), ticks))
    });
    let dripping = stream::iter([Ok(whole.clone()), Ok(half.clone())]).chain(drops);
    let end = scene.send_stream(Box::pin(dripping)).await;
    assert!(matches!(end, Err(Error::Stalled(_))), "{end:?}");
    scene.nothing_came().await;

    let end = scene.send_stream(stream::iter([Ok(whole), Ok(half)])).await;
    assert!(matches!(end, Err(Error::Malformed(_))), "{end:?}");
    scene.nothing_came().await;
}

#[tokio::test]
async fn fields_that_are_no_files_are_passed_over_but_not_without_end() {
    let scene = Scene::set().await;
    let field = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nx\r\n");
    let form = |count: usize| {
        [
            field.repeat(count).as_bytes(),
            &part("file", "a.xlsx", &workbook(1, 5_000)),
            &end(),
        ]
        .concat()
    };
    let received = scene.send_stream(stream::iter([Ok(form(100).into())])).await;
    assert_eq!(received.map(|files| files.len()).ok(), Some(1));
    let end = scene.send_stream(stream::iter([Ok(form(101).into())])).await;
    assert!(matches!(end, Err(Error::Malformed(_))), "{end:?}");
}

#[tokio::test]
async fn a_handler_that_is_given_up_in_the_middle_leaves_nothing() {
    let scene = Scene::set().await;
    let half = part("file", "half.xlsx", &workbook(2, 900_000)).slice(..800_000);
    let silent = stream::once(async move { Ok(half) }).chain(stream::pending());
    tokio::select! {
        end = scene.send_stream(silent) => panic!("nothing more comes, and yet: {end:?}"),
        () = until("a file is being spooled", async || (!scene.spooled().is_empty()).then_some(())) => {}
    }
    scene.nothing_came().await;
}

#[tokio::test]
async fn a_body_that_is_no_form_with_files_is_said_to_be_none() {
    let scene = Scene::set().await;
    let other = [
        part("avatar", "me.xlsx", &workbook(1, 100)),
        part("file", "", b""),
        end(),
    ];
    let end = scene.send(&[]).await;
    assert!(matches!(end, Err(Error::NoFile)), "{end:?}");
    let end = scene.send_stream(stream::iter(other.map(Ok))).await;
    assert!(matches!(end, Err(Error::NoFile)), "{end:?}");
    let end = scene
        .send_stream(stream::iter([Ok(Bytes::from_static(b"hello"))]))
        .await;
    assert!(matches!(end, Err(Error::Malformed(_))), "{end:?}");
    let sender = Sender {
        user: scene.user,
        request: RequestId::new(),
    };
    let form = Form::new(&HeaderMap::new(), stream::empty());
    let end = scene.uploads.receive(sender, &IngestOptions::default(), form).await;
    assert!(matches!(end, Err(Error::Malformed(_))), "{end:?}");
    scene.nothing_came().await;
}

#[tokio::test]
async fn harmful_names_are_shown_without_harm_and_stored_under_none() {
    let scene = Scene::set().await;
    let received = scene
        .send_one("../../etc/cron.d/x\u{202e}xslx.exe", &workbook(1, 100))
        .await;
    assert_eq!(received.name, "xxslx.exe");
    let stored = scene.storage.list("").await.expect("storage answers");
    assert_eq!(stored, [format!("blobs/{}", received.sha256)]);
}

#[tokio::test]
async fn with_storage_or_database_away_nothing_is_acknowledged_and_it_works_again_after() {
    let scene = Scene::set().await;
    let bytes = workbook(1, 1000);
    let (storage, away) = (
        scene.folder.path().join("storage/blobs"),
        scene.folder.path().join("away"),
    );
    std::fs::write(&storage, "a file where a folder should be").expect("a file");
    let end = scene.send(&[("a.xlsx", &bytes)]).await;
    assert!(matches!(end, Err(Error::Storage(_))), "{end:?}");
    scene.nothing_is_told_of().await;
    std::fs::rename(&storage, &away).expect("it moves");

    scene.database.cut_off().await;
    let end = scene.send(&[("a.xlsx", &bytes)]).await;
    assert!(
        matches!(end, Err(Error::Database(database::Error::Unavailable(_)))),
        "{end:?}"
    );
    scene.database.restore().await;
    scene.nothing_is_told_of().await;
    assert!(scene.send_one("a.xlsx", &bytes).await.id.is_some());
}

#[tokio::test]
async fn lists_show_the_owners_files_alone_newest_first_page_by_page() {
    let scene = Scene::set().await;
    let mut ids: Vec<FileId> = Vec::new();
    for number in 0..5 {
        let received = scene.send_one(&format!("{number}.xlsx"), &workbook(number, 100)).await;
        ids.push(received.id.expect("taken"));
    }
    ids.reverse();
    let mut connection = scene.database.pool.acquire().await.expect("a connection");
    let page = files::page(&mut connection, scene.user, None, 3)
        .await
        .expect("answers");
    assert_eq!(page.iter().map(|it| it.id).collect::<Vec<_>>(), ids[..3]);
    let rest = files::page(&mut connection, scene.user, Some(ids[2]), 3)
        .await
        .expect("answers");
    assert_eq!(rest.iter().map(|it| it.id).collect::<Vec<_>>(), ids[3..]);

    let stranger = add_user(&scene.database, "kim@example.org").await;
    assert!(
        files::page(&mut connection, stranger, None, 9)
            .await
            .expect("answers")
            .is_empty()
    );
    assert!(
        files::find(&mut connection, stranger, ids[0])
            .await
            .expect("answers")
            .is_none()
    );
    assert!(!scene.uploads.remove(stranger, ids[0]).await.expect("answers"));
    assert_eq!(scene.count("files where deleted_at is null").await, 5);
}

#[tokio::test]
async fn a_removed_file_is_hidden_at_once_and_its_reading_stops_when_nobody_needs_it() {
    let scene = Scene::set().await;
    let bytes = workbook(1, 100);
    let (one, two) = (
        scene.send_one("1.xlsx", &bytes).await,
        scene.send_one("2.xlsx", &bytes).await,
    );
    let (one, two) = (one.id.expect("taken"), two.id.expect("taken"));
    assert!(scene.uploads.remove(scene.user, one).await.expect("answers"));
    assert!(
        !scene.uploads.remove(scene.user, one).await.expect("answers"),
        "gone is gone"
    );
    let mut connection = scene.database.pool.acquire().await.expect("a connection");
    assert!(
        files::find(&mut connection, scene.user, one)
            .await
            .expect("answers")
            .is_none()
    );
    assert_eq!(
        scene.count("tasks where state = 'queued'").await,
        1,
        "the other file needs it"
    );
    assert!(scene.uploads.remove(scene.user, two).await.expect("answers"));
    assert_eq!(scene.count("tasks where state = 'cancelled'").await, 1);
    assert_eq!(scene.count("events where kind = 'file_deleted'").await, 2);

    assert_eq!(scene.send_one("3.xlsx", &bytes).await.state, IngestState::Received);
    assert_eq!(
        scene.count("tasks where state = 'queued'").await,
        1,
        "and now it is read again"
    );
}
