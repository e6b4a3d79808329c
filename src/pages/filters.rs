//! How numbers and times are written for people. askama finds its filters by this module's name.

use askama::{Result, Values};
use chrono::{DateTime, SecondsFormat, Utc};

/// Whole numbers that a filter takes, by value or by reference.
pub trait Whole {
    /// The number.
    fn whole(&self) -> i128;
}

macro_rules! whole {
    ($($number:ty),+) => {$(
        impl Whole for $number {
            fn whole(&self) -> i128 {
                *self as i128
            }
        }
    )+};
}

whole!(i32, i64, u32, u64, usize);

impl<T: Whole> Whole for &T {
    fn whole(&self) -> i128 {
        (**self).whole()
    }
}

/// `1048576` as `1,048,576`.
#[askama::filter_fn]
pub fn count(number: impl Whole, _: &dyn Values) -> Result<String> {
    Ok(grouped(number.whole()))
}

/// `1 row`, `1,048,576 rows`.
#[askama::filter_fn]
pub fn several(number: impl Whole, _: &dyn Values, one: &str, many: &str) -> Result<String> {
    let number = number.whole();
    Ok(format!("{} {}", grouped(number), if number == 1 { one } else { many }))
}

/// The word alone, for a number that stands beside it: `row`, `rows`.
#[askama::filter_fn]
pub fn noun<'a>(number: impl Whole, _: &dyn Values, one: &'a str, many: &'a str) -> Result<&'a str> {
    Ok(if number.whole() == 1 { one } else { many })
}

/// `53 MB`.
#[askama::filter_fn]
pub fn bytes(number: impl Whole, _: &dyn Values) -> Result<String> {
    Ok(size(number.whole()))
}

/// `2 minutes ago`.
#[askama::filter_fn]
pub fn ago(at: &DateTime<Utc>, _: &dyn Values, now: &DateTime<Utc>) -> Result<String> {
    Ok(since((*now - *at).num_seconds()))
}

/// `in 12 minutes`.
#[askama::filter_fn]
pub fn ahead(at: &DateTime<Utc>, _: &dyn Values, now: &DateTime<Utc>) -> Result<String> {
    Ok(until((*at - *now).num_seconds()))
}

/// For a `datetime` attribute.
#[askama::filter_fn]
pub fn iso(at: &DateTime<Utc>, _: &dyn Values) -> Result<String> {
    Ok(at.to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// The exact time in UTC, until a script knows the reader's zone.
#[askama::filter_fn]
pub fn exact(at: &DateTime<Utc>, _: &dyn Values) -> Result<String> {
    Ok(at.format("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// A sentence as HTML, in which what stands between backticks is code; for `|safe`.
#[askama::filter_fn]
pub fn prose(sentence: &str, _: &dyn Values) -> Result<String> {
    let escaped = sentence.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let part = |(index, part): (usize, &str)| match index % 2 {
        0 => part.to_owned(),
        _ => format!("<code>{part}</code>"),
    };
    Ok(escaped.split('`').enumerate().map(part).collect())
}

/// The part of a file's name that gives way when there is no room.
#[askama::filter_fn]
pub fn name_start(name: &str, _: &dyn Values) -> Result<String> {
    Ok(cut(name).0.to_owned())
}

/// The end of a file's name, which always stays.
#[askama::filter_fn]
pub fn name_end(name: &str, _: &dyn Values) -> Result<String> {
    Ok(cut(name).1.to_owned())
}

/// How many characters of a name's end always stay: the ending and a little of what often tells files apart.
const KEPT: usize = 10;

fn cut(name: &str) -> (&str, &str) {
    let length = name.chars().count();
    let at = if length <= 2 * KEPT { length } else { length - KEPT };
    let at = name.char_indices().nth(at).map_or(name.len(), |(index, _)| index);
    name.split_at(at)
}

/// A number with commas between its thousands.
#[must_use]
pub fn grouped(number: i128) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        text.push('−');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes in the unit that leaves one to three digits, by powers of 1024 as file managers count.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "at most one decimal is shown")]
pub fn size(bytes: i128) -> String {
    let mut amount = bytes as f64;
    for unit in ["bytes", "KB", "MB", "GB"] {
        if amount < 1000.0 {
            return match unit {
                "bytes" => format!("{bytes} bytes"),
                _ if amount < 9.95 => format!("{amount:.1} {unit}"),
                _ => format!("{amount:.0} {unit}"),
            };
        }
        amount /= 1024.0;
    }
    format!("{amount:.1} TB")
}

/// How long ago, in words, from seconds.
#[must_use]
pub fn since(seconds: i64) -> String {
    let (number, unit) = match seconds {
        ..5 => return "just now".to_owned(),
        5..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        86_400..5_184_000 => (seconds / 86_400, "day"),
        _ => (seconds / 2_592_000, "month"),
    };
    format!("{number} {unit}{} ago", if number == 1 { "" } else { "s" })
}

/// How long until then, in words, from seconds; `times.js` says the same.
#[must_use]
pub fn until(seconds: i64) -> String {
    let (number, unit) = match seconds {
        ..1 => return "now".to_owned(),
        1..60 => return "in less than a minute".to_owned(),
        60..3_600 => (seconds / 60, "minute"),
        3_600..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("in {number} {unit}{}", if number == 1 { "" } else { "s" })
}

/// A span of time, short: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "one decimal below ten seconds")]
pub fn span(millis: i64) -> String {
    let seconds = millis / 1000;
    match seconds {
        ..10 => format!("{:.1} s", millis.max(0) as f64 / 1000.0),
        10..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// What is left, as vague as it is: `about 40 s left`, `about 2 minutes left`.
#[must_use]
pub fn left(seconds: u64) -> String {
    match seconds {
        0..2 => "almost done".to_owned(),
        2..10 => "a few seconds left".to_owned(),
        10..100 => format!("about {} s left", seconds.div_ceil(10) * 10),
        100..5_400 => format!("about {} minutes left", (seconds + 30) / 60),
        _ => format!("about {} hours left", (seconds + 1_800) / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_048_576), "1,048,576");
        assert_eq!(grouped(-87_596), "−87,596");
    }

    #[test]
    fn sizes_have_at_most_three_digits() {
        assert_eq!(size(0), "0 bytes");
        assert_eq!(size(1_536), "1.5 KB");
        assert_eq!(size(53 << 20), "53 MB");
        assert_eq!(size(1_023 << 20), "1.0 GB");
    }

    #[test]
    fn times_are_told_in_the_largest_unit() {
        assert_eq!(since(-3), "just now");
        assert_eq!(since(61), "1 minute ago");
        assert_eq!(until(-3), "now");
        assert_eq!(until(119), "in 1 minute");
        assert_eq!(until(90_000), "in 25 hours");
        assert_eq!(until(200_000), "in 2 days");
        assert_eq!(since(7_300), "2 hours ago");
        assert_eq!(span(412), "0.4 s");
        assert_eq!(span(200_000), "3 min 20 s");
        assert_eq!(left(38), "about 40 s left");
        assert_eq!(left(121), "about 2 minutes left");
    }

    #[test]
    fn a_long_name_keeps_its_end() {
        assert_eq!(cut("orders.xlsx"), ("orders.xlsx", ""));
        assert_eq!(
            cut("sales figures of the north 2026-11.xlsx"),
            ("sales figures of the north 20", "26-11.xlsx")
        );
        assert_eq!(cut("überlanger Name der Bestellungen Süd.xlsx").1, "n Süd.xlsx");
    }
}
