//! One private Postgres for all tests of this binary, started by the product's own code; a database of its own for each
//! test, copied from a template that was migrated once.

use std::process::Child;
use std::sync::OnceLock;

use sheetmill::database::private::{Durability, PrivatePostgres, PrivateSettings};
use sheetmill::database::{self, DatabaseSettings, Pool};
use sheetmill::queue;
use sqlx::Connection as _;
use uuid::Uuid;

use crate::undertaker;

struct Shared {
    server: PrivatePostgres,
    _undertaker: Child,
}

static SHARED: OnceLock<Shared> = OnceLock::new();

const TEMPLATE: &str = "template_sheetmill";

fn shared() -> &'static Shared {
    SHARED.get_or_init(|| undertaker::forever(start))
}

async fn start() -> Shared {
    let folder = tempfile::Builder::new()
        .prefix("sheetmill-tests-")
        .tempdir()
        .expect("a folder for Postgres")
        .keep();
    let settings = PrivateSettings {
        data_dir: folder.clone(),
        bin: None,
        durability: Durability::Fleeting,
    };
    let server = PrivatePostgres::start_with(&settings)
        .await
        .expect("a private Postgres starts");
    let undertaker = undertaker::watch_over(&folder.join("postgres/postmaster.pid"), &folder);

    execute(&server, &format!("create database {TEMPLATE} owner sheetmill")).await;
    let pool = connect(&server, TEMPLATE).await;
    database::migrate(&pool).await.expect("the migrations run");
    queue::set_up(&pool).await.expect("the queue's migrations run");
    pool.close().await;
    Shared {
        server,
        _undertaker: undertaker,
    }
}

/// A database of one test.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    /// Its address.
    pub url: String,
    /// Connections to it.
    pub pool: Pool,
}

impl TestDatabase {
    /// A fresh copy of the template.
    pub async fn fresh() -> Self {
        let server = &shared().server;
        let name = format!("test_{}", Uuid::now_v7().simple());
        execute(
            server,
            &format!("create database {name} template {TEMPLATE} owner sheetmill"),
        )
        .await;
        let url = address(server, &name);
        let pool = connect(server, &name).await;
        Self { name, url, pool }
    }

    /// Runs a statement past the product, to bring about what it must cope with.
    pub async fn execute(&self, statement: &str) {
        let mut connection = self.pool.acquire().await.expect("a connection");
        sqlx::query(sqlx::AssertSqlSafe(statement.to_owned()))
            .execute(&mut *connection)
            .await
            .expect("the statement runs");
    }

    /// The first column of the first row.
    pub async fn number(&self, query: &str) -> i64 {
        let mut connection = self.pool.acquire().await.expect("a connection");
        sqlx::query_scalar(sqlx::AssertSqlSafe(query.to_owned()))
            .fetch_one(&mut *connection)
            .await
            .expect("the query answers")
    }

    /// Takes the database away, as an outage would: connections break and new ones are refused.
    pub async fn cut_off(&self) {
        let server = &shared().server;
        execute(server, &format!("alter database {} allow_connections false", self.name)).await;
        let kill = format!(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{}'",
            self.name
        );
        execute(server, &kill).await;
    }

    /// Gives it back.
    pub async fn restore(&self) {
        execute(
            &shared().server,
            &format!("alter database {} allow_connections true", self.name),
        )
        .await;
    }

    /// Removes it.
    pub async fn drop(self) {
        self.pool.close().await;
        execute(&shared().server, &format!("drop database {} with (force)", self.name)).await;
    }
}

fn address(server: &PrivatePostgres, name: &str) -> String {
    server.url().replacen("/sheetmill?", &format!("/{name}?"), 1)
}

async fn connect(server: &PrivatePostgres, name: &str) -> Pool {
    let mut settings = DatabaseSettings::new(address(server, name).into());
    // Many tests at once share the hundred connections that the server has.
    settings.max_connections = 6;
    database::connect(&settings).await.expect("the test's database answers")
}

async fn execute(server: &PrivatePostgres, statement: &str) {
    let mut admin = sqlx::PgConnection::connect(&server.admin_url("postgres"))
        .await
        .expect("the private Postgres answers");
    sqlx::query(sqlx::AssertSqlSafe(statement.to_owned()))
        .execute(&mut admin)
        .await
        .expect("the statement runs");
}
