//! The XML of an xlsx as for `sheet`: our scanner must find the cells that calamine finds.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(init: sheetmill_fuzz::watch_panics(), |bytes: &[u8]| {
    let mut parts = bytes.splitn(3, |byte| *byte == 0);
    let sheet = parts.next().unwrap_or_default();
    let (strings, styles) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    sheetmill_fuzz::compare(sheet, &sheetmill_fuzz::workbook(sheet, strings, styles));
});
