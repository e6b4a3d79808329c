//! Ends a server that all tests of this binary share, when the binary ends, however it ends: a shell waits at a pipe
//! that only this process holds.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Interrupts the process whose number is the first line of `pid_file` (and whose socket's folder may be the
/// fifth, as Postgres has it), waits for its end, and removes `folder`. Keep
/// what this answers for as long as the process lives.
pub fn watch_over(pid_file: &Path, folder: &Path) -> Child {
    let script = r#"
        cat >/dev/null
        pid=$(sed -n 1p "$1") && socket_folder=$(sed -n 5p "$1") && kill -INT "$pid"
        while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
        rm -rf "$2"
        rmdir "$socket_folder"
    "#;
    Command::new("sh")
        .args(["-c", script, "undertaker"])
        .args([pid_file, folder])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("sh starts")
}

/// A runtime that lives as long as the process: a test's own ends with the test.
pub fn forever<T: Send + 'static>(start: impl AsyncFnOnce() -> T + Send + 'static) -> T {
    let start = move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime for what tests share");
        let answer = runtime.block_on(start());
        std::mem::forget(runtime);
        answer
    };
    // A thread of its own, since the caller is inside a runtime already.
    std::thread::spawn(start).join().expect("what tests share starts")
}
