//! The private Postgres: started without any set-up, kept alive, found again.

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use sheetmill::database::private::{Durability, PrivateError, PrivatePostgres, PrivateSettings};
use sqlx::Connection as _;

use crate::processes::{Process, postmaster_below};
use crate::wait::until;

async fn start(folder: &Path) -> PrivatePostgres {
    try_start(folder).await.expect("a private Postgres starts")
}

async fn try_start(folder: &Path) -> Result<PrivatePostgres, PrivateError> {
    let settings = PrivateSettings {
        data_dir: folder.to_owned(),
        bin: None,
        durability: Durability::Fleeting,
    };
    PrivatePostgres::start_with(&settings).await
}

async fn ask(url: &str, query: &'static str) -> Option<String> {
    let mut connection = sqlx::PgConnection::connect(url).await.ok()?;
    sqlx::query_scalar(query).fetch_one(&mut connection).await.ok()
}

fn pid(server: &PrivatePostgres) -> Pid {
    let raw = server.pid().expect("it runs");
    Pid::from_raw(raw.try_into().expect("a pid")).expect("not zero")
}

#[tokio::test]
async fn it_starts_from_nothing_and_what_was_written_is_there_the_next_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("not/there/yet");
    let server = start(&data).await;
    let first = pid(&server);
    assert!(
        ask(&server.url(), "create table kept as select 'so' as word returning 'x'")
            .await
            .is_none()
    );
    let mut connection = sqlx::PgConnection::connect(&server.url()).await.expect("it answers");
    sqlx::query("create table kept as select 'still here' as word")
        .execute(&mut connection)
        .await
        .expect("the role may create tables");
    // A connection that nobody closes must not keep it from stopping.
    server.stop().await;
    assert!(test_kill_process(first).is_err(), "the postmaster is gone");

    let before = Instant::now();
    let server = start(&data).await;
    assert_eq!(
        ask(&server.url(), "select word from kept").await.as_deref(),
        Some("still here")
    );
    assert!(
        before.elapsed() < Duration::from_secs(5),
        "ready again in {:?}",
        before.elapsed()
    );
    server.stop().await;
}

#[tokio::test]
async fn it_listens_to_no_network_and_its_role_has_no_power() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = start(folder.path()).await;
    assert_eq!(ask(&server.url(), "show listen_addresses").await.as_deref(), Some(""));
    let powers = "select concat(rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls)
                    from pg_roles where rolname = current_user";
    assert_eq!(ask(&server.url(), powers).await.as_deref(), Some("fffff"));
    assert!(
        ask(&server.url(), "select pg_read_file('postgresql.conf')")
            .await
            .is_none()
    );
    server.stop().await;
}

#[tokio::test]
async fn production_keeps_what_is_committed_through_a_power_cut() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = PrivatePostgres::start(folder.path(), None)
        .await
        .expect("a private Postgres starts");
    let synced = "select concat(current_setting('fsync'), ' ', current_setting('synchronous_commit'), ' ',
                                current_setting('full_page_writes'))";
    assert_eq!(ask(&server.url(), synced).await.as_deref(), Some("on on on"));
    server.stop().await;
}

#[tokio::test]
async fn a_second_one_on_the_same_folder_says_so_and_chores_find_the_first() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(
        PrivatePostgres::join(folder.path())
            .await
            .expect("the folder can be read"),
        None
    );
    let server = start(folder.path()).await;
    let refused = try_start(folder.path()).await.expect_err("the folder is in use");
    assert!(matches!(refused, PrivateError::Locked(_)), "{refused}");
    assert!(refused.to_string().contains("already runs on"), "{refused}");

    let url = PrivatePostgres::join(folder.path())
        .await
        .expect("the folder can be read")
        .expect("one runs");
    assert_eq!(url, server.url());
    assert_eq!(
        ask(&url, "select current_user::text").await.as_deref(),
        Some("sheetmill")
    );
    server.stop().await;
    assert_eq!(
        PrivatePostgres::join(folder.path())
            .await
            .expect("the folder can be read"),
        None
    );
}

#[tokio::test]
async fn killed_it_comes_back_by_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = start(folder.path()).await;
    let first = pid(&server);
    kill_process(first, Signal::KILL).expect("it can be killed");
    until("another postmaster answers", async || {
        let other = pid(&server) != first;
        (other && ask(&server.url(), "select 'yes'").await.is_some()).then_some(())
    })
    .await;
    server.stop().await;
}

#[tokio::test]
async fn a_stale_pid_file_is_no_obstacle() {
    let folder = tempfile::tempdir().expect("a folder");
    start(folder.path()).await.stop().await;
    // After a restart of the machine the number belongs to another process: ours, for example.
    let stale = format!("{}\n/nowhere\n0\n5432\n/nowhere\n\n0 0\nready\n", std::process::id());
    std::fs::write(folder.path().join("postgres/postmaster.pid"), stale).expect("the file can be written");
    let server = start(folder.path()).await;
    assert_eq!(ask(&server.url(), "select 'yes'").await.as_deref(), Some("yes"));
    server.stop().await;
}

#[tokio::test]
async fn a_half_made_cluster_is_made_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let half = folder.path().join("postgres.new/base");
    std::fs::create_dir_all(&half).expect("a folder");
    std::fs::write(half.join("rest"), "of an initdb that was killed").expect("a file");
    let server = start(folder.path()).await;
    assert_eq!(ask(&server.url(), "select 'yes'").await.as_deref(), Some("yes"));
    server.stop().await;
}

#[tokio::test]
async fn a_cluster_of_another_version_is_left_alone_and_named() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(folder.path().join("postgres")).expect("a folder");
    std::fs::write(folder.path().join("postgres/PG_VERSION"), "9\n").expect("a file");
    let refused = try_start(folder.path()).await.expect_err("there is no Postgres 9 here");
    assert!(refused.to_string().contains("written by Postgres 9"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_survives_the_process_that_started_it_and_is_taken_over_by_the_next() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let settings = [
        ("SHEETMILL_DATA", data.to_str().expect("a plain path").to_owned()),
        ("SHEETMILL_LISTEN", "127.0.0.1:0".to_owned()),
    ];
    let first = Process::serve(&["up"], &settings).await;
    let postmaster = postmaster_below(&data).expect("it runs");
    first.kill().await;
    let again = Process::serve(&["up"], &settings).await;
    assert_eq!(postmaster_below(&data), Some(postmaster), "the same one");
    assert!(again.interrupt().await.success());
    assert_eq!(postmaster_below(&data), None, "stopped in order");
}
