//! Clean-up: what nobody needs goes, what somebody needs or is about to need stays; in a folder and in a real S3 store.

use std::sync::Arc;
use std::time::Duration;

use sheetmill::database::{Connection, blobs, clean_up as rows, tasks};
use sheetmill::domain::ids::{ArtifactId, FileId, IngestId, RunId, Sha256, TaskId};
use sheetmill::domain::states::{ArtifactKind, RunState, ScheduleKind, TaskState};
use sheetmill::storage::{Key, S3Settings, S3Storage, Source};
use sheetmill::worker::{Retention, WorkerSettings};
use sqlx::pool::PoolConnection;

use crate::garage;
use crate::jobs::{Jobs, READS, WRITES, Working};
use crate::postgres::TestDatabase;
use crate::processes::files_below;
use crate::schedules::run_now;
use crate::test_app::TestApp;
use crate::wait::until;

const DAY: Duration = Duration::from_secs(86_400);

impl Jobs {
    async fn conn(&self) -> PoolConnection<sqlx::Postgres> {
        self.database.pool.acquire().await.expect("a connection")
    }

    async fn cleaner(&self, retention: Retention) -> Working {
        let settings = WorkerSettings {
            retention,
            ..self.settings(READS, WRITES)
        };
        self.work(settings).await
    }

    /// One clean-up; what it says of itself.
    async fn clean_up(&self) -> String {
        let tick = run_now(&self.database.pool, self.owner, ScheduleKind::CleanUp).await;
        assert_eq!(tick.state, TaskState::Succeeded, "{:?}", tick.sentence);
        tick.said.expect("words")
    }

    async fn put(&self, key: &Key, bytes: &[u8]) {
        let path = self.folder.path().join("given");
        std::fs::write(&path, bytes).expect("a file");
        self.storage.put(key, &path, Source::Give).await.expect("stored");
    }

    async fn has(&self, key: &Key) -> bool {
        self.storage.size(key).await.expect("storage answers").is_some()
    }

    async fn blob_of(&self, file: FileId) -> Key {
        let query = format!("select encode(blob, 'hex') from files where id = '{file}'");
        let hex: String = sqlx::query_scalar(sqlx::AssertSqlSafe(query))
            .fetch_one(&mut *self.conn().await)
            .await
            .expect("a blob");
        Key::Blob(hex.parse().expect("a hash"))
    }

    /// A file whose owner removed it long ago, with a part of a table.
    async fn removed(&self, name: &str) -> (FileId, Key, Key) {
        let (file, ingest) = self.bytes(name).await;
        let part = Key::TablePart(ingest, 0, "0.parquet".to_owned());
        self.put(&part, b"part").await;
        let remove = format!("update files set deleted_at = now() - interval '8 days' where id = '{file}'");
        self.database.execute(&remove).await;
        (file, self.blob_of(file).await, part)
    }

    /// All times of blobs lie back, as if nobody had wanted them lately.
    async fn long_ago(&self) {
        self.database
            .execute("update blobs set wanted_at = wanted_at - interval '2 days'")
            .await;
    }

    /// A result of a run that ended so many days ago.
    pub async fn result(&self, days: u32) -> (RunId, Key) {
        let (file, _) = self.bytes("orders.xlsx").await;
        let run = self.start(&[file]).await;
        let key = Key::RunOutput(run, TaskId::new(), 1, "0.csv".to_owned());
        self.put(&key, b"result").await;
        let artifact = sheetmill::database::artifacts::NewArtifact {
            id: ArtifactId::new(),
            run,
            file: Some(file),
            kind: ArtifactKind::Result,
            name: "orders.csv".to_owned(),
            storage_key: key.to_string(),
            content_type: "text/csv",
            bytes: 6,
            sha256: Sha256([0; 32]),
            rows: None,
        };
        let mut conn = self.conn().await;
        sheetmill::database::artifacts::insert(&mut conn, &artifact)
            .await
            .expect("a row");
        let end = format!(
            "update tasks set state = 'cancelled', finished_at = now() where run_id = '{run}';
             update runs set state = 'succeeded', remaining = 0, finished_at = now() - interval '{days} days' where id = '{run}'"
        );
        for statement in end.split(';') {
            self.database.execute(statement).await;
        }
        (run, key)
    }
}

/// Nothing is younger than it may be.
fn at_once() -> Retention {
    Retention {
        safe_age: Duration::ZERO,
        ..Retention::default()
    }
}

/// Objects that no row knows, as dead attempts and uploads leave them.
async fn orphans(jobs: &Jobs) -> [Key; 4] {
    let orphans = [
        Key::RunOutput(RunId::new(), TaskId::new(), 1, "0.csv".to_owned()),
        Key::TableMeta(IngestId::new(), 0),
        Key::TablePart(IngestId::new(), 3, "0.parquet".to_owned()),
        Key::Blob(Sha256([7; 32])),
    ];
    for key in &orphans {
        jobs.put(key, b"nobody's").await;
    }
    orphans
}

/// A run that waits for a file which its owner has removed since; the file's bytes and a part of its table.
async fn pinned(jobs: &Jobs) -> (RunId, [Key; 2]) {
    let (file, blob, part) = jobs.removed("pinned.xlsx").await;
    let set = async |deleted_at: &str| {
        let statement = format!("update files set deleted_at = {deleted_at} where id = '{file}'");
        jobs.database.execute(&statement).await;
    };
    set("null").await;
    let run = jobs.start(&[file]).await;
    set("now() - interval '8 days'").await;
    (run, [blob, part])
}

async fn removes_what_nobody_needs(jobs: &Jobs) {
    let (kept, _) = jobs.bytes("kept.xlsx").await;
    let (gone, gone_blob, gone_part) = jobs.removed("gone.xlsx").await;
    let (run, pinned) = pinned(jobs).await;
    let orphans = orphans(jobs).await;
    jobs.long_ago().await;

    // Objects of today may be those of an upload or of an attempt that is not told of yet.
    let cleaner = jobs.cleaner(Retention::default()).await;
    let said = jobs.clean_up().await;
    assert!(
        said.starts_with("Removed 1 upload that nobody has any more: "),
        "{said}"
    );
    assert!(!jobs.has(&gone_blob).await && !jobs.has(&gone_part).await);
    assert_eq!(
        jobs.database
            .number(&format!("select count(*) from files where id = '{gone}'"))
            .await,
        0
    );
    for key in &orphans {
        assert!(jobs.has(key).await, "{key} is too young to be an orphan");
    }
    cleaner.stop().await;

    let cleaner = jobs.cleaner(at_once()).await;
    until("what no row knows is gone", async || {
        jobs.clean_up().await;
        for key in &orphans {
            if jobs.has(key).await {
                return None;
            }
        }
        Some(())
    })
    .await;
    assert_eq!(
        jobs.clean_up().await,
        "Nothing was to be removed.",
        "a second one finds nothing"
    );
    for key in pinned.iter().chain([&jobs.blob_of(kept).await]) {
        assert!(jobs.has(key).await, "{key} is needed");
    }
    ends_with_its_run(jobs, run, &pinned).await;
    cleaner.stop().await;
}

/// What only an unfinished run needs goes with its end; its history stays.
async fn ends_with_its_run(jobs: &Jobs, run: RunId, pinned: &[Key]) {
    let cancelled = sheetmill::runs::cancel(&jobs.database.pool, jobs.owner, run).await;
    assert_eq!(cancelled.expect("an answer"), RunState::Cancelled);
    jobs.clean_up().await;
    for key in pinned {
        assert!(!jobs.has(key).await, "the run has ended, and {key} is still there");
    }
    assert_eq!(jobs.run(run).await.files, 1);
}

#[tokio::test]
async fn what_nobody_needs_is_removed_from_a_folder() {
    let jobs = Jobs::new().await;
    let root = jobs.folder.path().join("storage");
    let foreign = root.join("runs/notes.txt");
    std::fs::create_dir_all(root.join("runs")).expect("a folder");
    std::fs::write(&foreign, b"not ours").expect("a file");
    std::fs::write(root.join(".unfinished/rest"), b"half").expect("a file");
    removes_what_nobody_needs(&jobs).await;
    assert!(foreign.exists(), "what has no key of ours is let be");
    assert!(!root.join(".unfinished/rest").exists());
    jobs.database.drop().await;
}

#[tokio::test]
async fn what_nobody_needs_is_removed_from_s3_and_unfinished_uploads_with_it() {
    let settings = garage::bucket().await;
    let storage = Arc::new(S3Storage::new(&settings));
    let jobs = Jobs::on(tempfile::tempdir().expect("a folder"), storage).await;
    let client = client(&settings);
    let begin = client.create_multipart_upload().bucket(&settings.bucket);
    begin.key("blobs/litter").send().await.expect("an upload in parts");
    removes_what_nobody_needs(&jobs).await;
    let left = client.list_multipart_uploads().bucket(&settings.bucket).send().await;
    assert_eq!(left.expect("Garage answers").uploads().len(), 0);
    jobs.database.drop().await;
}

fn client(settings: &S3Settings) -> aws_sdk_s3::Client {
    use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
    use secrecy::ExposeSecret as _;
    let secret = settings.secret_access_key.expose_secret();
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(settings.region.clone()))
        .credentials_provider(Credentials::new(&settings.access_key_id, secret, None, None, "test"))
        .force_path_style(true)
        .endpoint_url(settings.endpoint.clone().expect("an address"));
    aws_sdk_s3::Client::from_conf(config.build())
}

#[tokio::test]
async fn bytes_that_somebody_is_about_to_tell_of_stay_however_old_they_are() {
    let jobs = Jobs::new().await;
    // An upload died two days ago: its bytes lie in storage, and no row knows them.
    let blob = Sha256([9; 32]);
    jobs.put(&Key::Blob(blob), b"the same bytes").await;
    let place = jobs.folder.path().join("storage").join(Key::Blob(blob).to_string());
    let file = std::fs::File::options().append(true).open(&place).expect("a file");
    file.set_modified(std::time::SystemTime::now() - 2 * DAY)
        .expect("a time");
    // The same bytes come again, and are found in storage; then, before a file tells of them, clean-up comes.
    blobs::want(&mut *jobs.conn().await, &[(blob, 14)])
        .await
        .expect("a row");
    let cleaner = jobs.cleaner(Retention::default()).await;
    assert_eq!(jobs.clean_up().await, "Nothing was to be removed.");
    assert!(jobs.has(&Key::Blob(blob)).await);
    // Had nobody come for them for a day, they would go.
    jobs.long_ago().await;
    jobs.clean_up().await;
    assert!(!jobs.has(&Key::Blob(blob)).await);
    cleaner.stop().await;
    jobs.database.drop().await;
}

#[tokio::test]
async fn who_wants_bytes_that_are_being_removed_waits_and_then_finds_them_gone() {
    let jobs = Jobs::new().await;
    let (_, key, _) = jobs.removed("gone.xlsx").await;
    jobs.long_ago().await;
    let Key::Blob(blob) = key else { panic!("a blob") };
    let mut tx = jobs.database.pool.begin().await.expect("a transaction");
    let held = rows::hold(&mut tx, blob, DAY, DAY)
        .await
        .expect("an answer")
        .expect("nobody needs it");
    assert_eq!((held.bytes, held.ingests.len()), (36, 1));
    let pool = jobs.database.pool.clone();
    let wants = tokio::spawn(async move { blobs::want(&mut *pool.acquire().await?, &[(blob, 36)]).await });
    until("somebody waits for the row", async || {
        let waiting = "select count(*) from pg_locks where not granted";
        (jobs.database.number(waiting).await > 0).then_some(())
    })
    .await;
    jobs.storage.delete(&key).await.expect("gone");
    rows::forget_blob(&mut tx, blob).await.expect("forgotten");
    tx.commit().await.expect("committed");
    wants.await.expect("no panic").expect("a row");
    assert!(!jobs.has(&key).await, "so that the bytes are stored anew");
    let mut conn = jobs.conn().await;
    assert_eq!(wanted(&mut conn, blob).await, 1);
    assert!(
        rows::hold(&mut conn, blob, DAY, DAY)
            .await
            .expect("an answer")
            .is_none()
    );
    drop(conn);
    jobs.database.drop().await;
}

async fn wanted(conn: &mut Connection, blob: Sha256) -> i64 {
    sqlx::query_scalar("select count(*) from blobs where sha256 = $1 and gone_at is null")
        .bind(blob.0.as_slice())
        .fetch_one(conn)
        .await
        .expect("an answer")
}

#[tokio::test]
async fn results_and_files_go_when_their_time_is_over_and_not_before() {
    let jobs = Jobs::new().await;
    let ((old_run, old), (young_run, young)) = (jobs.result(31).await, jobs.result(29).await);
    let (expired, _) = jobs.bytes("expired.xlsx").await;
    let (kept, _) = jobs.bytes("kept.xlsx").await;
    let (read, ingest) = jobs.bytes("read.xlsx").await;
    for (file, days) in [(expired, 91), (kept, 89), (read, 91)] {
        let age = format!("update files set created_at = now() - interval '{days} days' where id = '{file}'");
        jobs.database.execute(&age).await;
    }
    jobs.database.execute("update ingests set state = 'ready'").await;
    jobs.database
        .execute(&format!("update ingests set state = 'ingesting' where id = '{ingest}'"))
        .await;
    let retention = Retention {
        files: Some(90 * DAY),
        results: Some(30 * DAY),
        ..Retention::default()
    };
    let cleaner = jobs.cleaner(retention).await;
    assert_eq!(
        jobs.clean_up().await,
        "Removed 1 file whose time was over and 1 result: 6 B."
    );
    assert!(!jobs.has(&old).await && jobs.has(&young).await);
    assert!(jobs.run(old_run).await.results_removed_at.is_some());
    assert!(jobs.run(young_run).await.results_removed_at.is_none());
    let hidden = format!("select count(*) from files where deleted_at is not null and id = '{expired}'");
    assert_eq!(jobs.database.number(&hidden).await, 1);
    assert_eq!(
        jobs.database
            .number("select count(*) from files where deleted_at is not null")
            .await,
        1
    );
    assert_eq!(
        jobs.database
            .number("select count(*) from events where kind = 'file_deleted'")
            .await,
        1
    );
    cleaner.stop().await;
    jobs.database.drop().await;
}

#[tokio::test]
async fn history_goes_but_the_last_tick_of_each_schedule() {
    let jobs = Jobs::new().await;
    let cleaner = jobs.cleaner(Retention::default()).await;
    for _ in 0..3 {
        jobs.clean_up().await;
    }
    jobs.database
        .execute("update ticks set at = at - interval '91 days'")
        .await;
    jobs.database
        .execute("update attempts set ended_at = ended_at - interval '91 days'")
        .await;
    assert_eq!(jobs.clean_up().await, "Removed 3 entries of the history.");
    assert_eq!(jobs.database.number("select count(*) from ticks").await, 1);
    cleaner.stop().await;
    jobs.database.drop().await;
}

#[tokio::test]
async fn two_clean_ups_at_once_remove_everything_once() {
    let jobs = Jobs::new().await;
    let mut gone = Vec::new();
    for number in 0..20 {
        let (_, blob, part) = jobs.removed(&format!("{number}.xlsx")).await;
        gone.extend([blob, part]);
    }
    jobs.long_ago().await;
    let (one, other) = (
        jobs.cleaner(Retention::default()).await,
        jobs.cleaner(Retention::default()).await,
    );
    make_due(&jobs.database, ScheduleKind::CleanUp, 2).await;
    let ended = until("both have ended", async || {
        let made = crate::schedules::made(&jobs.database.pool).await;
        made.iter().all(|it| it.state.is_final()).then_some(made)
    })
    .await;
    let count = |said: &str| {
        said.split_whitespace()
            .nth(1)
            .and_then(|it| it.parse::<u32>().ok())
            .unwrap_or(0)
    };
    let removed: Vec<u32> = ended.iter().filter_map(|it| it.said.as_deref()).map(count).collect();
    assert_eq!((removed.len(), removed.iter().sum::<u32>()), (2, 20), "{ended:?}");
    for key in &gone {
        assert!(!jobs.has(key).await, "{key}");
    }
    assert_eq!(jobs.database.number("select count(*) from blobs").await, 0);
    one.stop().await;
    other.stop().await;
    jobs.database.drop().await;
}

/// So many ticks of a kind are due.
pub async fn make_due(database: &TestDatabase, kind: ScheduleKind, count: u32) {
    let ticks = format!(
        "insert into ticks (id, schedule_id, at) select gen_random_uuid(), id, now() - n * interval '1 second'
         from schedules, generate_series(1, {count}) n where kind = '{kind}'"
    );
    database.execute(&ticks).await;
    let tasks = format!(
        "insert into tasks (id, kind, queue, tick_id, state, request_id)
         select gen_random_uuid(), '{kind}', 'upkeep', k.id, 'queued', gen_random_uuid() from ticks k
         where not exists (select from tasks t where t.tick_id = k.id)"
    );
    database.execute(&tasks).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_were_removed_come_back_with_the_next_upload() {
    TestApp::run(async |app| {
        let kim = app.member("kim@example.org").await;
        let path = app.folder.path().join("orders.xlsx");
        crate::orders::write(30, &path);
        let file = kim.upload(&path).await;
        kim.ready(&file).await;
        let recipe = serde_json::json!({"name": "Copy", "steps": [], "output": {"format": "csv"}});
        let run = kim.run(&recipe, &[&file]).await;
        let result = kim.ended(&run).await["artifacts"][0]["id"].clone();
        let stored = |folder: &str| files_below(&app.folder.path().join("storage").join(folder)).len();
        assert!(stored("blobs") == 1 && stored("tables") > 1);

        assert!(kim.delete(&format!("/files/{file}")).await.is_success());
        app.database
            .execute("update files set deleted_at = now() - interval '8 days'")
            .await;
        app.database
            .execute("update blobs set wanted_at = now() - interval '2 days'")
            .await;
        make_due(&app.database, ScheduleKind::CleanUp, 1).await;
        until("the bytes are gone", async || {
            let said = "select count(*) from ticks where said like 'Removed 1 upload%'";
            (app.database.number(said).await == 1).then_some(())
        })
        .await;
        assert_eq!((stored("blobs"), stored("tables")), (0, 0));

        let again = kim.upload(&path).await;
        assert_eq!(kim.ready(&again).await["tables"][0]["rows"], 30);
        assert_eq!(stored("blobs"), 1);
        let result = result.as_str().expect("an id");
        assert!(!kim.artifact(result).await.is_empty(), "results stay");
        let second = kim.run(&recipe, &[&again]).await;
        assert_eq!(kim.ended(&second).await["state"], "succeeded");
    })
    .await;
}

#[tokio::test]
async fn a_clean_up_whose_worker_dies_is_taken_over() {
    let jobs = Jobs::new().await;
    let id = crate::schedules::schedule(&jobs.database.pool, ScheduleKind::CleanUp)
        .await
        .id;
    let request = sheetmill::domain::ids::RequestId::new();
    let made = sheetmill::schedules::run_now(&jobs.database.pool, id, jobs.owner, request)
        .await
        .expect("a tick");
    let dead = sheetmill::domain::ids::BootId::new();
    let claimed = tasks::claim_upkeep(&mut *jobs.conn().await, dead, Duration::from_millis(50))
        .await
        .expect("an answer");
    assert_eq!(claimed.map(|it| it.fence.task), Some(made.task));
    let cleaner = jobs.cleaner(Retention::default()).await;
    assert_eq!(jobs.task_ended(made.task).await.state, TaskState::Succeeded);
    assert_eq!(jobs.attempts(made.task).await, ["crashed", "succeeded"]);
    assert_eq!(jobs.tickets("upkeep").await, 0, "nobody would take a ticket");
    cleaner.stop().await;
    jobs.database.drop().await;
}
