//! What a file is, by its first bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sheetmill_engine::sheets::sniff::sniff;

fuzz_target!(|bytes: &[u8]| {
    drop(sniff(bytes));
});
