//! Texts and numbers as XML has them.

use std::io::Write as _;

/// Bytes that may have to stand as something else.
const CARE: [bool; 256] = {
    let mut care = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        care[byte] = byte != b'\t' as usize && byte != b'\n' as usize;
        byte += 1;
    }
    care[b'&' as usize] = true;
    care[b'<' as usize] = true;
    care[b'>' as usize] = true;
    care[b'_' as usize] = true;
    care[0xEF] = true;
    care
};

/// Adds a text of a cell. What XML cannot hold stands as `_x0001_` (ECMA-376 part 1, section 22.9.2.19), and so does the `_` of
/// a text that would be taken for such.
pub(super) fn put_text(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let mut done = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if !CARE[usize::from(*byte)] {
            continue;
        }
        let rest = &bytes[at..];
        let (instead, length): (&[u8], usize) = match byte {
            b'&' => (b"&amp;", 1),
            b'<' => (b"&lt;", 1),
            b'>' => (b"&gt;", 1),
            b'_' if looks_escaped(rest) => (b"_x005F_", 1),
            0xEF if rest.starts_with("\u{FFFE}".as_bytes()) => (b"_xFFFE_", 3),
            0xEF if rest.starts_with("\u{FFFF}".as_bytes()) => (b"_xFFFF_", 3),
            0x00..=0x1F => (&CONTROLS[usize::from(*byte)], 1),
            _ => continue,
        };
        out.extend_from_slice(&bytes[done..at]);
        out.extend_from_slice(instead);
        done = at + length;
    }
    out.extend_from_slice(&bytes[done..]);
}

/// The characters below the blank, escaped.
const CONTROLS: [[u8; 7]; 32] = {
    let mut controls = [*b"_x0000_"; 32];
    let mut byte = 0;
    while byte < 32 {
        controls[byte][4] = b'0' + (byte / 16) as u8;
        controls[byte][5] = b"0123456789ABCDEF"[byte % 16];
        byte += 1;
    }
    controls
};

/// Whether bytes that begin with `_` begin with `_xHHHH_`, or will, since what comes next will be escaped.
fn looks_escaped(bytes: &[u8]) -> bool {
    let Some((head, rest)) = bytes.split_first_chunk::<6>() else {
        return false;
    };
    head[1] == b'x'
        && head[2..].iter().all(u8::is_ascii_hexdigit)
        && match rest.first() {
            Some(b'_') => true,
            Some(byte @ 0x00..=0x1F) => CARE[usize::from(*byte)],
            Some(0xEF) => rest.starts_with("\u{FFFE}".as_bytes()) || rest.starts_with("\u{FFFF}".as_bytes()),
            _ => false,
        }
}

/// Whether readers could drop white space around it.
pub(super) fn has_white_ends(text: &str) -> bool {
    let bytes = text.as_bytes();
    [bytes.first(), bytes.last()]
        .into_iter()
        .flatten()
        .any(|byte| *byte <= b' ')
}

/// Adds a text as the value of an attribute; control characters are no part of names and formats, and are left out.
pub(super) fn put_attribute(text: &str, out: &mut Vec<u8>) {
    for c in text.chars() {
        match c {
            '&' => out.extend_from_slice(b"&amp;"),
            '<' => out.extend_from_slice(b"&lt;"),
            '>' => out.extend_from_slice(b"&gt;"),
            '"' => out.extend_from_slice(b"&quot;"),
            '\t' => out.extend_from_slice(b"&#9;"),
            '\n' => out.extend_from_slice(b"&#10;"),
            '\r' => out.extend_from_slice(b"&#13;"),
            '\0'..='\x1F' | '\u{FFFE}' | '\u{FFFF}' => {}
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// Adds a finite number in the shortest form that reads back as the same.
pub(super) fn put_number(number: f64, out: &mut Vec<u8>) {
    /// Whole numbers below are exact, and shorter as such.
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "looked at below")]
    let whole = number as i64;
    #[expect(clippy::cast_precision_loss, clippy::float_cmp, reason = "exact below 2^53")]
    let is_whole = number.abs() < WHOLE && whole as f64 == number && (whole != 0 || number.is_sign_positive());
    if is_whole {
        out.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
    } else {
        let mut buffer = ryu::Buffer::new();
        let text = buffer.format(number);
        out.extend_from_slice(text.strip_suffix(".0").unwrap_or(text).as_bytes());
    }
}

/// Adds what is formatted.
pub(super) fn put(out: &mut Vec<u8>, what: std::fmt::Arguments<'_>) {
    // A vector takes whatever is written.
    let _ = out.write_fmt(what);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> String {
        let mut out = Vec::new();
        put_text(text, &mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn what_xml_cannot_hold_is_escaped() {
        for (plain, escaped) in [
            ("", ""),
            ("plain ünï 🦀", "plain ünï 🦀"),
            ("a<b>&\"c'", "a&lt;b&gt;&amp;\"c'"),
            ("\t\n", "\t\n"),
            ("\r\u{1}\u{1f}\u{7f}", "_x000D__x0001__x001F_\u{7f}"),
            ("_x0041_", "_x005F_x0041_"),
            ("_x0041_x0042_", "_x005F_x0041_x005F_x0042_"),
            ("_x0041", "_x0041"),
            ("_x00zz_", "_x00zz_"),
            ("_x0041\u{1}", "_x005F_x0041_x0001_"),
            ("_x0041\n", "_x0041\n"),
            ("\u{fffd}\u{fffe}\u{ffff}", "\u{fffd}_xFFFE__xFFFF_"),
        ] {
            assert_eq!(text(plain), escaped, "{plain:?}");
        }
    }

    #[test]
    fn numbers_are_short_and_read_back() {
        for (number, written) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-42.0, "-42"),
            (0.1, "0.1"),
            (1e15, "1000000000000000"),
            (9_007_199_254_740_991.0, "9007199254740991"),
            (9_007_199_254_740_992.0, "9007199254740992"),
            (1e300, "1e300"),
            (5e-324, "5e-324"),
            (-1.5e-7, "-1.5e-7"),
        ] {
            let mut out = Vec::new();
            put_number(number, &mut out);
            let text = String::from_utf8(out).expect("text");
            assert_eq!(text, written);
            assert_eq!(text.parse::<f64>().map(f64::to_bits), Ok(number.to_bits()));
        }
    }
}
