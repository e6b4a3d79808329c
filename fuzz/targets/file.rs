//! A whole file of any kind: the look beforehand, and what is behind it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(init: sheetmill_fuzz::watch_panics(), |bytes: &[u8]| {
    sheetmill_fuzz::read(bytes);
});
