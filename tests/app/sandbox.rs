//! Children that misbehave in every way we know, and the supervisor that has seen it all.

use std::time::{Duration, Instant};

use sheetmill::sandbox::{self, Child, Ended, Outcome, SandboxSettings, Step};
use sheetmill_engine::order::{CellsOrder, Order};
use sheetmill_engine::sheets::Limits;
use tokio_util::sync::CancellationToken;

use crate::jobs::script;

fn order() -> Order {
    Order::Cells(CellsOrder {
        input: "in".into(),
        name: "a".to_owned(),
        sheet: None,
        limits: Limits::default(),
        out: "out".into(),
    })
}

async fn outcome(settings: &SandboxSettings) -> (Outcome, Ended) {
    let folder = tempfile::tempdir().expect("a folder");
    sandbox::carry_out(settings, folder.path(), &order(), |_| {})
        .await
        .expect("it starts")
}

#[tokio::test]
async fn a_child_that_prints_garbage_has_crashed() {
    let (outcome, _) = outcome(&script("read a; read b; echo 'not json'; while :; do :; done")).await;
    assert!(
        matches!(outcome, Outcome::Crashed(ref how) if how.contains("no message")),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_line_without_end_is_cut_off() {
    let (outcome, _) = outcome(&script("read a; read b; while :; do printf '%0100000d' 0; done")).await;
    assert!(matches!(outcome, Outcome::Crashed(_)), "{outcome:?}");
}

#[tokio::test]
async fn a_signal_is_a_crash_and_the_last_words_are_kept() {
    let (outcome, ended) = outcome(&script("read a; read b; echo 'my last words' >&2; kill -SEGV $$")).await;
    assert!(
        matches!(outcome, Outcome::Crashed(ref how) if how.contains("signal: 11")),
        "{outcome:?}"
    );
    assert_eq!(ended.log, "my last words\n");
}

#[tokio::test]
async fn an_allocation_that_failed_is_out_of_memory() {
    let words = "echo 'memory allocation of 4294967296 bytes failed' >&2; kill -ABRT $$";
    let (outcome, _) = outcome(&script(&format!("read a; read b; {words}"))).await;
    assert_eq!(outcome, Outcome::OutOfMemory(SandboxSettings::default().memory));
}

#[tokio::test]
async fn a_child_that_grows_is_killed_and_its_peak_is_known() {
    let settings = SandboxSettings {
        memory: 32 << 20,
        ..script("read a; read b; x=0123456789; while :; do x=$x$x; done")
    };
    let (outcome, ended) = outcome(&settings).await;
    assert_eq!(outcome, Outcome::OutOfMemory(32 << 20));
    assert!(ended.peak_memory > 32 << 20, "{ended:?}");
}

#[tokio::test]
async fn a_child_that_never_ends_is_asked_and_then_killed() {
    let limits = |script| SandboxSettings {
        soft_limit: Duration::from_millis(200),
        hard_limit: Duration::from_millis(600),
        ..script
    };
    let began = Instant::now();
    assert_eq!(
        outcome(&limits(script("read a; read b; while :; do :; done"))).await.0,
        Outcome::TimedOut
    );
    assert_eq!(
        outcome(&limits(script("read a; read b; read end; exit 0"))).await.0,
        Outcome::TimedOut
    );
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_stopped_child_is_gone_with_its_whole_group_however_deaf_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let stop = CancellationToken::new();
    let deaf = script("sleep 1000 & echo $! > grandchild; read a; read b; while :; do :; done");
    let mut child = Child::start(&deaf, folder.path(), &stop).await.expect("it starts");
    child.order(&order()).await.expect("it takes the order");
    let grandchild = crate::wait::until("the grandchild's number", async || {
        let text = std::fs::read_to_string(folder.path().join("grandchild")).ok()?;
        text.trim().parse::<u32>().ok()
    })
    .await;
    stop.cancel();
    let began = Instant::now();
    assert!(matches!(child.next().await, Step::Ended(Outcome::Stopped)));
    assert!(began.elapsed() < Duration::from_secs(2));
    crate::wait::until("the grandchild is gone", async || {
        let state = std::fs::read_to_string(format!("/proc/{grandchild}/stat")).unwrap_or_default();
        (state.is_empty() || state.contains(") Z ")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_child_sees_nothing_of_our_environment() {
    let folder = tempfile::tempdir().expect("a folder");
    let prints = script("read a; read b; env > seen; exit 3");
    let (outcome, _) = sandbox::carry_out(&prints, folder.path(), &order(), |_| {})
        .await
        .expect("it starts");
    assert!(
        matches!(outcome, Outcome::Crashed(ref how) if how.contains("exit status: 3")),
        "{outcome:?}"
    );
    let seen = std::fs::read_to_string(folder.path().join("seen")).expect("what it saw");
    let names: Vec<&str> = seen.lines().filter_map(|line| line.split('=').next()).collect();
    let allowed = ["TMPDIR", "TZ", "LC_ALL", "PWD", "OLDPWD", "SHLVL", "_", "PATH"];
    assert!(names.iter().all(|it| allowed.contains(it)), "{seen}");
    assert!(names.contains(&"TMPDIR"));
}

#[tokio::test]
async fn a_warm_child_takes_one_order_after_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let done = r#"{"message":"done","rows_in":0,"rows_out":0,"rejected":0,"ledger":[],"seconds":{}}"#;
    let warm = script(&format!("read a; while read b; do echo '{done}'; done"));
    let mut child = Child::start(&warm, folder.path(), &CancellationToken::new())
        .await
        .expect("it starts");
    for _ in 0..3 {
        child.order(&order()).await.expect("it takes the order");
        assert!(matches!(child.next().await, Step::Ended(Outcome::Done(_))));
    }
    let ended = child.close().await;
    assert_eq!(ended.log, "");
}

#[tokio::test]
async fn a_child_whose_order_is_given_up_ends_it_and_takes_the_next_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let failed = r#"{"message":"failed","code":"given_up","sentence":"","detail":"","input_at_fault":true}"#;
    let done = r#"{"message":"done","rows_in":0,"rows_out":0,"rejected":0,"ledger":[],"seconds":{}}"#;
    let waits =
        format!("read a; read b; read c; [ \"$c\" = 'give up' ] && echo '{failed}'; read d; echo '{done}'; read e");
    let mut child = Child::start(&script(&waits), folder.path(), &CancellationToken::new())
        .await
        .expect("it starts");
    child.order(&order()).await.expect("it takes the order");
    child.give_up().await.expect("it hears");
    assert!(matches!(child.next().await, Step::Ended(Outcome::Failed { code, .. }) if code == "given_up"));
    child.order(&order()).await.expect("it takes another");
    assert!(matches!(child.next().await, Step::Ended(Outcome::Done(_))));
    child.close().await;
}
