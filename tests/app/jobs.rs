//! A worker on a real database and a real folder, with children that behave as a test tells them to.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sheetmill::database::run_files::NewRunFile;
use sheetmill::database::tasks::{self, Work};
use sheetmill::database::{blobs, files, ingests, runs as run_rows, tickets, users};
use sheetmill::domain::ids::{FileId, IngestId, RequestId, RunId, Sha256, TaskId, UserId};
use sheetmill::domain::states::{IngestState, Role, RunState, TaskKind, TaskState};
use sheetmill::events::Bus;
use sheetmill::queue::{self, ConsumeSettings};
use sheetmill::runs::{self, RecipeRef, Start};
use sheetmill::sandbox::SandboxSettings;
use sheetmill::storage::{FolderStorage, Key, Source, Storage};
use sheetmill::worker::{RetrySettings, Worker, WorkerSettings};
use sheetmill_engine::recipe::document::Recipe;
use sheetmill_engine::sheets::IngestOptions;
use tokio_util::sync::CancellationToken;

use crate::postgres::TestDatabase;
use crate::wait::until;

/// A child that reads a sheet of three rows.
pub const READS: &str = r#"
read limits; read order
mkdir -p out/0; echo part > out/0/0.parquet
echo '{"message":"part","path":"0/0.parquet"}'
echo '{"position":0,"engine":"0","sheet":"Orders","visibility":"visible","rows":3,"header":null,"columns":[],"parts":[{"path":"0.parquet","rows":3}],"formats":[],"head":[],"issues":[]}' > out/0/table.json
echo '{"message":"progress","stage":"processing","sheet":"Orders","sheet_number":1,"sheets":1,"rows":3,"rows_total":3,"bytes":1,"bytes_total":1}'
echo '{"message":"table","folder":"0","summary":{"position":0,"sheet":"Orders","visibility":"visible","rows":3,"columns":2}}'
echo '{"message":"done","rows_in":3,"rows_out":3,"rejected":0,"ledger":[],"seconds":{}}'
read rest"#;

/// A child that makes one result of two rows.
pub const WRITES: &str = r#"
read limits; read order
echo result > out/0.csv
echo '{"message":"output","path":"0.csv","name":"orders.csv","role":"result","rows":2}'
echo '{"message":"done","rows_in":3,"rows_out":2,"rejected":0,"ledger":[{"step":1,"sheet":"Orders","label":"Filter","rows_in":3,"added":0,"kept":2,"rejected":0,"filtered":1,"deduplicated":0,"aggregated":0,"hash_in":"0","hash_out":"0"}],"seconds":{}}'
read rest"#;

/// A child that finds its input at fault.
pub const REFUSES: &str = r#"
read limits; read order
echo '{"message":"refused","code":"not_a_workbook","sentence":"orders.xlsx is not a workbook."}'
read rest"#;

/// A child that dies of a signal.
pub const CRASHES: &str = "read limits; read order; kill -SEGV $$";

/// A child that says that it has begun and then hears nothing any more, not even the end of its stdin.
pub const HANGS: &str = r#"
read limits; read order
echo '{"message":"progress","stage":"processing","sheet":null,"sheet_number":0,"sheets":0,"rows":0,"rows_total":null,"bytes":0,"bytes_total":null}'
while :; do :; done"#;

/// Settings of a child that is a shell script: what a hostile or broken reader does, and nothing else.
pub fn script(script: &str) -> SandboxSettings {
    SandboxSettings {
        program: Some(PathBuf::from("/bin/sh")),
        arguments: vec!["-c".to_owned(), format!("PATH=/usr/bin:/bin; {script}")],
        polite: Duration::from_millis(300),
        ..SandboxSettings::default()
    }
}

/// A database, a storage folder and an owner.
pub struct Jobs {
    pub database: TestDatabase,
    pub storage: Arc<dyn Storage>,
    pub folder: tempfile::TempDir,
    pub owner: UserId,
}

impl Jobs {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let storage = FolderStorage::open(&folder.path().join("storage")).expect("a storage folder");
        Self::on(folder, Arc::new(storage)).await
    }

    /// As [`Jobs::new`], with bytes in another storage.
    pub async fn on(folder: tempfile::TempDir, storage: Arc<dyn Storage>) -> Self {
        let jobs = Self {
            database: TestDatabase::fresh().await,
            storage,
            folder,
            owner: UserId::new(),
        };
        jobs.user(jobs.owner).await;
        jobs
    }

    pub async fn user(&self, id: UserId) {
        let mut conn = self.database.pool.acquire().await.expect("a connection");
        let email = format!("{id}@example.org");
        let user = users::NewUser {
            id,
            email: &email,
            name: "",
            role: Role::Member,
            password_hash: None,
        };
        users::insert(&mut conn, &user).await.expect("a user");
    }

    /// Settings that find out quickly what production finds out in time.
    pub fn settings(&self, ingest: &str, process: &str) -> WorkerSettings {
        WorkerSettings {
            ingest: script(ingest),
            process: script(process),
            lease: Duration::from_secs(3),
            renew_every: Duration::from_millis(500),
            sweep_every: Duration::from_millis(200),
            grace: Duration::from_millis(200),
            consume: ConsumeSettings {
                poll: Duration::from_millis(200),
                ..ConsumeSettings::default()
            },
            retry: RetrySettings {
                pause_ours: Duration::from_millis(10),
                ..RetrySettings::default()
            },
            ..WorkerSettings::at(self.folder.path().join("scratch"))
        }
    }

    pub async fn work(&self, settings: WorkerSettings) -> Working {
        let shutdown = CancellationToken::new();
        let bus = Bus::start(&self.database.pool, shutdown.clone())
            .await
            .expect("the bus listens");
        let (pool, storage) = (self.database.pool.clone(), Arc::clone(&self.storage));
        let worker = Worker::start(settings, pool, storage, &bus, shutdown.clone())
            .await
            .expect("a worker");
        Working { worker, shutdown }
    }

    /// A file with bytes of its own, whose ingest is due.
    pub async fn file(&self, name: &str) -> (FileId, IngestId, TaskId) {
        let (file, ingest) = self.bytes(name).await;
        let task = self.task(Work::Ingest(ingest), self.owner, 0).await;
        let mut conn = self.database.pool.acquire().await.expect("a connection");
        queue::push(&mut conn, TaskKind::Ingest).await.expect("a ticket");
        (file, ingest, task)
    }

    /// A file with bytes of its own, that nobody reads.
    pub async fn bytes(&self, name: &str) -> (FileId, IngestId) {
        let mut tx = self.database.pool.begin().await.expect("a transaction");
        let id = FileId::new();
        let path = self.folder.path().join(id.to_string());
        std::fs::write(&path, id.to_string()).expect("a file");
        let blob = Sha256(<sha2::Sha256 as sha2::Digest>::digest(id.to_string()).into());
        self.storage
            .put(&Key::Blob(blob), &path, Source::Give)
            .await
            .expect("stored");
        blobs::want(&mut tx, &[(blob, 36)]).await.expect("a blob");
        let options = serde_json::to_value(IngestOptions::default()).expect("options");
        let key = ingests::IngestKey {
            engine: "1",
            options: &options,
        };
        let ingest = ingests::find_or_insert(&mut tx, &[blob], &key)
            .await
            .expect("an ingest")[0]
            .id;
        let file = files::NewFile {
            id,
            owner: self.owner,
            blob,
            ingest,
            parent: None,
            name,
            format: "xlsx",
        };
        files::insert(&mut tx, &[file]).await.expect("a file row");
        tx.commit().await.expect("committed");
        (id, ingest)
    }

    /// A due task without a ticket.
    pub async fn task(&self, work: Work, owner: UserId, priority: i32) -> TaskId {
        let mut conn = self.database.pool.acquire().await.expect("a connection");
        let (id, request) = (TaskId::new(), RequestId::new());
        let of_run = |run| tasks::NewOfRun {
            run,
            owner,
            priority,
            run_at: None,
            request,
        };
        match work {
            Work::Ingest(ingest) => tasks::insert_of_ingests(&mut conn, owner, request, &[(id, ingest)]).await,
            Work::Gather(run) => tasks::insert_gathering(&mut conn, id, &of_run(run), TaskState::Queued).await,
            Work::Tick(_) => panic!("ticks are made by their schedules"),
            Work::RunFile(run, file) => {
                let file = NewRunFile {
                    file,
                    ingest: IngestId::new(),
                    task: Some((id, TaskState::Queued)),
                };
                tasks::insert_of_run(&mut conn, &of_run(run), &[file]).await
            }
        }
        .expect("a task");
        id
    }

    pub async fn start(&self, files: &[FileId]) -> RunId {
        let start = Start {
            owner: self.owner,
            recipe: RecipeRef::Inline(Box::new(Recipe {
                name: "Clean".to_owned(),
                ..Recipe::default()
            })),
            files: files.to_vec(),
            after: Vec::new(),
            references: Default::default(),
            columns: Default::default(),
            priority: 0,
            run_at: None,
            from_scratch: false,
            idempotency_key: None,
            request: RequestId::new(),
        };
        runs::start(&self.database.pool, start).await.expect("a run").run
    }

    pub async fn run(&self, run: RunId) -> run_rows::RunRow {
        let mut conn = self.database.pool.acquire().await.expect("a connection");
        run_rows::find(&mut conn, self.owner, run)
            .await
            .expect("an answer")
            .expect("the run")
    }

    pub async fn run_ended(&self, run: RunId) -> run_rows::RunRow {
        until("the run ends", async || {
            Some(self.run(run).await).filter(|it| it.state.is_final())
        })
        .await
    }

    pub async fn run_is(&self, run: RunId, state: RunState) {
        until(state.as_str(), async || {
            (self.run(run).await.state == state).then_some(())
        })
        .await;
    }

    pub async fn task_row(&self, task: TaskId) -> tasks::TaskRow {
        let mut conn = self.database.pool.acquire().await.expect("a connection");
        tasks::find(&mut conn, task)
            .await
            .expect("an answer")
            .expect("the task")
    }

    pub async fn task_ended(&self, task: TaskId) -> tasks::TaskRow {
        until("the task ends", async || {
            Some(self.task_row(task).await).filter(|it| it.state.is_final())
        })
        .await
    }

    pub async fn task_runs(&self, task: TaskId) {
        until("a child has begun", async || {
            self.task_row(task).await.progress.map(drop)
        })
        .await;
    }

    pub async fn file_is(&self, file: FileId, state: IngestState) -> files::File {
        until(state.as_str(), async || {
            let mut conn = self.database.pool.acquire().await.expect("a connection");
            let row = files::find(&mut conn, self.owner, file)
                .await
                .expect("an answer")
                .expect("the file");
            Some(row).filter(|it| it.state == state)
        })
        .await
    }

    /// The words of a task's attempts, in order.
    pub async fn attempts(&self, task: TaskId) -> Vec<&'static str> {
        let mut conn = self.database.pool.acquire().await.expect("a connection");
        let rows = sheetmill::database::attempts::of_task(&mut conn, task)
            .await
            .expect("an answer");
        rows.iter().map(|it| it.state.as_str()).collect()
    }

    pub async fn tickets(&self, queue: &str) -> i64 {
        let mut conn = self.database.pool.acquire().await.expect("a connection");
        tickets::due(&mut conn, queue).await.expect("an answer")
    }

    /// Files that attempts left in scratch folders.
    pub fn left_over(&self) -> Vec<PathBuf> {
        let starts = std::fs::read_dir(self.folder.path().join("scratch"))
            .into_iter()
            .flatten()
            .flatten();
        let inside = starts.flat_map(|start| std::fs::read_dir(start.path()).into_iter().flatten().flatten());
        inside.map(|it| it.path()).filter(|it| it.is_dir()).collect()
    }
}

/// A running worker.
pub struct Working {
    worker: Worker,
    shutdown: CancellationToken,
}

impl Working {
    /// Stops it in peace.
    pub async fn stop(self) {
        self.shutdown.cancel();
        self.worker.stopped().await;
    }
}
