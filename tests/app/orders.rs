//! The orders workbook of any size, from the generator that the benchmarks use.

use std::path::Path;
use std::process::Command;

/// Writes the workbook. Cargo builds the generator, `engine/examples/orders.rs`, beside the tests.
pub fn write(rows: u64, out: &Path) {
    let here = std::env::current_exe().expect("this test has a path");
    let folder = here
        .parent()
        .and_then(Path::parent)
        .expect("it stands in target/…/deps");
    let generator = folder.join("examples/orders");
    let status = Command::new(&generator).arg(rows.to_string()).arg(out).status();
    let status = status.unwrap_or_else(|error| {
        panic!(
            "{}: {error}; `cargo test --workspace --examples --tests` builds it",
            generator.display()
        )
    });
    assert!(status.success(), "the generator wrote {rows} rows");
}
