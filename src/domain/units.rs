//! Sizes and spans of time as people write them: `512MB`, `30s`, `2h`.

use std::time::Duration;

/// Bytes from `512MB`, `2 GiB`, `64k` or a bare number. Units are powers of 1024, as memory limits have them elsewhere.
///
/// # Errors
/// A sentence that says which forms are understood.
pub fn bytes(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text);
    let shift = match unit.to_ascii_lowercase().trim_end_matches("ib").trim_end_matches('b') {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return Err(format!("{text:?} is not a size: write it like 512MB or 2GB")),
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(1 << shift))
        .ok_or_else(|| format!("{text:?} is not a size: write it like 512MB or 2GB"))
}

/// A span of time from `250ms`, `30s`, `10m`, `2h`, `14d` or bare seconds.
///
/// # Errors
/// A sentence that says which forms are understood.
pub fn span(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text);
    let millis = match unit {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(format!("{text:?} is not a span of time: write it like 30s, 10m or 2h")),
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(millis))
        .map(Duration::from_millis)
        .ok_or_else(|| format!("{text:?} is not a span of time: write it like 30s, 10m or 2h"))
}

/// Bytes for people: `53.1 MB`, by powers of 1024.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
pub fn show_bytes(bytes: u64) -> String {
    let mut amount = bytes as f64;
    for unit in ["B", "KB", "MB", "GB"] {
        if amount < 1024.0 {
            return if unit == "B" {
                format!("{bytes} B")
            } else {
                format!("{amount:.1} {unit}")
            };
        }
        amount /= 1024.0;
    }
    format!("{amount:.1} TB")
}

fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|it: char| !it.is_ascii_digit()).unwrap_or(text.len());
    (&text[..end], text[end..].trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_powers_of_1024() {
        assert_eq!(bytes("512MB"), Ok(512 << 20));
        assert_eq!(bytes("2 GiB"), Ok(2 << 30));
        assert_eq!(bytes("64k"), Ok(64 << 10));
        assert_eq!(bytes("17"), Ok(17));
    }

    #[test]
    fn nonsense_and_overflow_are_named() {
        for text in ["", "MB", "-1", "1.5GB", "5 apples", "99999999999TB"] {
            assert!(bytes(text).is_err(), "{text}");
        }
        for text in ["", "s", "-1s", "3 weeks", "99999999999999999d"] {
            assert!(span(text).is_err(), "{text}");
        }
    }

    #[test]
    fn spans_are_read_with_their_unit() {
        assert_eq!(span("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(span("30"), Ok(Duration::from_secs(30)));
        assert_eq!(span("10m"), Ok(Duration::from_mins(10)));
        assert_eq!(span("14d"), Ok(Duration::from_hours(14 * 24)));
    }

    #[test]
    fn sizes_are_shown_short() {
        assert_eq!(show_bytes(999), "999 B");
        assert_eq!(show_bytes(53 << 20), "53.0 MB");
    }
}
