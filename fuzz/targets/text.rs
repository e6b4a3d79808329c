//! Plain text: encoding, separator, quotes, types.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sheetmill_engine::sheets::sniff::{Format, sniff};

fuzz_target!(init: sheetmill_fuzz::watch_panics(), |bytes: &[u8]| {
    if sniff(bytes) == Ok(Format::Text) {
        sheetmill_fuzz::read(bytes);
    }
});
