//! The product in this process, on a database and a folder of its own, as its users meet it.

use std::path::PathBuf;

use sheetmill::accounts::{AccountSettings, Accounts, PasswordSettings};
use sheetmill::app::{App, Error};
use sheetmill::domain::states::Role;
use sheetmill::settings::{DatabasePlace, Settings};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::client::Client;
use crate::postgres::TestDatabase;

/// A running product.
pub struct TestApp {
    /// Where it listens: `http://127.0.0.1:…`.
    pub address: String,
    /// Its database.
    pub database: TestDatabase,
    /// Its data folder.
    pub folder: tempfile::TempDir,
    /// The secret of the first-start link; there is no account yet.
    pub first_link: String,
    accounts: Accounts,
    shutdown: CancellationToken,
    running: JoinHandle<Result<(), Error>>,
}

impl TestApp {
    /// Starts the product, does what `test` does with it, and stops it. Fails when a task is left that has not ended, or
    /// when it does not stop in order.
    pub async fn run(test: impl AsyncFnOnce(&Self)) {
        Self::run_with(|_| (), test).await;
    }

    /// As [`TestApp::run`], with other settings.
    pub async fn run_with(change: impl FnOnce(&mut Settings), test: impl AsyncFnOnce(&Self)) {
        let app = Self::start(change).await;
        test(&app).await;
        app.finish().await;
    }

    async fn start(change: impl FnOnce(&mut Settings)) -> Self {
        let database = TestDatabase::fresh().await;
        let folder = tempfile::tempdir().expect("a data folder");
        let mut settings = Settings::at(folder.path().to_owned());
        settings.web.listen.set_port(0);
        settings.database = DatabasePlace::At(database.url.clone().into());
        settings.database_connections = 8;
        settings.accounts = quick_accounts();
        let program = PathBuf::from(env!("CARGO_BIN_EXE_sheetmill"));
        settings.worker.ingest.program = Some(program.clone());
        settings.worker.process.program = Some(program.clone());
        settings.preview.sandbox.program = Some(program);
        change(&mut settings);

        let app = App::build(settings).await.expect("the product starts");
        let address = app.address().expect("it has a web half");
        let link = app.first_start_link().expect("there is no account yet");
        let first_link = link.expose().to_owned();
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(app.run(shutdown.clone()));
        let accounts = Accounts::new(database.pool.clone(), quick_accounts()).expect("sensible settings");
        Self {
            address: format!("http://{address}"),
            database,
            folder,
            first_link,
            accounts,
            shutdown,
            running,
        }
    }

    /// A program that speaks for a member.
    pub async fn member(&self, email: &str) -> Client {
        self.person(email, Role::Member).await
    }

    /// A program that speaks for an admin.
    pub async fn admin(&self, email: &str) -> Client {
        self.person(email, Role::Admin).await
    }

    /// The secret of a link behind which somebody chooses a password.
    pub async fn invite(&self, email: &str, role: Role) -> String {
        let link = self.accounts.invite(email, role).await.expect("an address");
        link.expose().to_owned()
    }

    async fn person(&self, email: &str, role: Role) -> Client {
        self.accounts.invite(email, role).await.expect("an address");
        let token = self.accounts.make_token_for(email, None).await.expect("an account");
        Client::new(&self.address, token.secret.expose())
    }

    async fn finish(self) {
        // What the house does by itself may be due at any moment.
        let left = "select count(*) from tasks where state in ('waiting', 'queued', 'running') and tick_id is null";
        assert_eq!(
            self.database.number(left).await,
            0,
            "tasks are left that have not ended"
        );
        self.shutdown.cancel();
        let ended = self.running.await.expect("nothing in it panicked");
        ended.expect("it stops in order");
        self.database.drop().await;
    }
}

/// A password's cost is proven elsewhere; here it would only take time.
pub fn quick_accounts() -> AccountSettings {
    AccountSettings {
        passwords: PasswordSettings {
            memory_kib: 64,
            passes: 1,
            at_once: 2,
        },
        ..AccountSettings::default()
    }
}
