//! Text that a spreadsheet program would take for a formula (OWASP, CSV injection).

use std::borrow::Cow;

/// Whether a spreadsheet program could run this text: it begins with an operator or a full-width one, perhaps behind white
/// space or what does not show, which some programs drop; or with a tab or a line end.
#[must_use]
pub fn is_injection(text: &str) -> bool {
    text.starts_with(['\t', '\r', '\n', '\0'])
        || matches!(
            behind_blanks(text).chars().next(),
            Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠')
        )
}

/// The text behind what does not show.
fn behind_blanks(text: &str) -> &str {
    text.trim_start_matches(|c: char| {
        c.is_whitespace() || c.is_control() || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
    })
}

/// The text as a CSV field holds it: `'` in front of what could be run, except before what is only a number or a phone
/// number.
#[must_use]
pub fn csv_text(text: &str) -> Cow<'_, str> {
    if is_injection(text) && !is_signed_number(text) {
        format!("'{text}").into()
    } else {
        text.into()
    }
}

/// `[+-][0-9 ().-]+`
fn is_signed_number(text: &str) -> bool {
    let rest = text
        .trim_start_matches(' ')
        .strip_prefix(['+', '-'])
        .unwrap_or_default();
    !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit() || b" ().-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_run_gets_a_quote_and_numbers_do_not() {
        for (text, field) in [
            ("=1+1", "'=1+1"),
            ("@SUM(1)", "'@SUM(1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("＝1", "'＝1"),
            ("-1", "-1"),
            ("+32 (0)2 123.45-67", "+32 (0)2 123.45-67"),
            ("-1+cmd", "'-1+cmd"),
            ("+", "'+"),
            ("plain = text", "plain = text"),
            ("  =1", "'  =1"),
            ("\u{a0}=1", "'\u{a0}=1"),
            ("\u{feff}@x", "'\u{feff}@x"),
            (" -1", " -1"),
            (" plain", " plain"),
            ("", ""),
        ] {
            assert_eq!(csv_text(text), field, "{text:?}");
        }
    }
}
