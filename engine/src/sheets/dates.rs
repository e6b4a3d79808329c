//! Serial numbers of the 1900 date system and what they mean (ECMA-376 part 1, section 18.17.4).
//!
//! A serial counts days, with the time of day as its fraction. Excel believes that 1900 was a leap year: serial 60 is a day
//! that never was, so it is no date here, and serials below 60 are one day off from those above. Workbooks of the 1904
//! system are moved to the 1900 system by [`DAYS_FROM_1904`] as they are read.

use super::kind::CellKind;
use super::number_format::FormatClass;

/// What a serial of the 1904 system lacks to be one of the 1900 system.
pub const DAYS_FROM_1904: f64 = 1462.0;

/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;

/// The serial of 1970-01-01.
const UNIX_DAY: i64 = 25_569;

/// One past the last serial that Excel shows, 9999-12-31.
const END: i64 = 2_958_466;

/// The serial in milliseconds, rounded: Excel itself counts no finer.
#[must_use]
pub fn serial_ms(serial: f64) -> i64 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float cast saturates, and what saturates is no date"
    )]
    let ms = (serial * 86_400_000.0).round() as i64;
    ms
}

/// Milliseconds since 1970-01-01T00:00 of a serial from 1900-01-01 on; `None` where it is no date.
#[must_use]
pub fn unix_ms(serial: f64) -> Option<i64> {
    let ms = serial_ms(serial);
    let (day, rest) = (ms.div_euclid(DAY_MS), ms.rem_euclid(DAY_MS));
    if !(1..END).contains(&day) || day == 60 {
        return None;
    }
    let shift = if day < 60 { UNIX_DAY - 1 } else { UNIX_DAY };
    Some((day - shift) * DAY_MS + rest)
}

/// Days since 1970-01-01 of a serial; its time of day is dropped.
#[must_use]
pub fn unix_day(serial: f64) -> Option<i32> {
    unix_ms(serial).and_then(|ms| i32::try_from(ms.div_euclid(DAY_MS)).ok())
}

/// The serial of milliseconds since 1970-01-01; `None` before 1900 and after 9999, which Excel cannot show.
#[must_use]
pub fn serial_of_unix_ms(ms: i64) -> Option<f64> {
    let (day, rest) = (ms.div_euclid(DAY_MS), ms.rem_euclid(DAY_MS));
    let serial = if day >= 61 - UNIX_DAY {
        day + UNIX_DAY
    } else {
        day + UNIX_DAY - 1
    };
    if !(1..END).contains(&serial) {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "days and milliseconds are far below 2^53")]
    let serial = serial as f64 + rest as f64 / 86_400_000.0;
    Some(serial)
}

/// The serial of days since 1970-01-01.
#[must_use]
pub fn serial_of_unix_day(day: i32) -> Option<f64> {
    serial_of_unix_ms(i64::from(day) * DAY_MS)
}

/// What a number is under a format of this class: a date only where Excel would show one.
///
/// Below one day there is no date in the 1900 system, so a serial there is a time of day whatever the format says.
#[must_use]
pub fn kind_of(class: FormatClass, serial: f64) -> CellKind {
    match class {
        FormatClass::Number | FormatClass::Text => CellKind::Number,
        FormatClass::Duration => CellKind::Duration,
        FormatClass::Date | FormatClass::DateTime | FormatClass::Time => {
            let ms = serial_ms(serial);
            if (0..DAY_MS).contains(&ms) {
                CellKind::Time
            } else if unix_ms(serial).is_none() {
                CellKind::Number
            } else if class == FormatClass::Date && ms % DAY_MS == 0 {
                CellKind::Date
            } else {
                CellKind::DateTime
            }
        }
    }
}

/// The serial of an ISO 8601 date, date-time or time as `t="d"` cells hold it, with its kind; `None` where it is none.
#[must_use]
pub fn parse_iso(text: &str) -> Option<(CellKind, f64)> {
    use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Timelike};
    let text = text.trim().trim_end_matches('Z');
    let midnight = NaiveTime::MIN;
    if let Ok(time) = NaiveTime::parse_from_str(text, "%H:%M:%S%.f") {
        let ms = f64::from(time.num_seconds_from_midnight()) * 1000.0 + f64::from(time.nanosecond()) / 1e6;
        return Some((CellKind::Time, ms / 86_400_000.0));
    }
    let (kind, moment) = if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        (CellKind::Date, date.and_time(midnight))
    } else {
        let moment = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok()?;
        (CellKind::DateTime, moment)
    };
    let serial = serial_of_unix_ms(moment.and_utc().timestamp_millis())?;
    Some((kind, serial))
}

/// The days of an ISO 8601 duration in hours, minutes and seconds, such as `PT12H30M00S`; a time of day where it is shorter
/// than one; `None` where it is none.
#[must_use]
pub fn parse_iso_duration(text: &str) -> Option<(CellKind, f64)> {
    let (sign, text) = text.strip_prefix('-').map_or((1.0, text), |rest| (-1.0, rest));
    let mut rest = text.strip_prefix('P')?;
    let (mut days, mut in_time) = (0.0, false);
    while !rest.is_empty() {
        if let Some(time) = rest.strip_prefix('T') {
            (rest, in_time) = (time, true);
            continue;
        }
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',')?;
        let number: f64 = rest.get(..end)?.replace(',', ".").parse().ok()?;
        let unit = rest.get(end..)?.chars().next()?;
        days += number
            * match (unit, in_time) {
                ('D', false) => 1.0,
                ('H', true) => 1.0 / 24.0,
                ('M', true) => 1.0 / 1_440.0,
                ('S', true) => 1.0 / 86_400.0,
                _ => return None,
            };
        rest = rest.get(end + unit.len_utf8()..)?;
    }
    let kind = if (0.0..1.0).contains(&(sign * days)) {
        CellKind::Time
    } else {
        CellKind::Duration
    };
    Some((kind, sign * days))
}

/// `2024-01-31T12:30:00` of milliseconds since 1970-01-01; milliseconds are cut.
#[must_use]
pub fn iso_date_time(ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(ms).map_or_else(String::new, |t| t.format("%Y-%m-%dT%H:%M:%S").to_string())
}

/// `2024-01-31` of milliseconds since 1970-01-01.
#[must_use]
pub fn iso_date(ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(ms).map_or_else(String::new, |t| t.format("%Y-%m-%d").to_string())
}

/// `12:30:00`, with milliseconds where there are some, of milliseconds since midnight.
#[must_use]
pub fn iso_time(ms: i64) -> String {
    let (hours, minutes, seconds, rest) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000);
    if rest == 0 {
        format!("{hours:02}:{minutes:02}:{seconds:02}")
    } else {
        format!("{hours:02}:{minutes:02}:{seconds:02}.{rest:03}")
    }
}

/// `PT5400S` of milliseconds.
#[must_use]
pub fn iso_duration(ms: i64) -> String {
    let sign = if ms < 0 { "-" } else { "" };
    let (seconds, rest) = (ms.unsigned_abs() / 1000, ms.unsigned_abs() % 1000);
    if rest == 0 {
        return format!("{sign}PT{seconds}S");
    }
    let fraction = format!("{rest:03}");
    format!("{sign}PT{seconds}.{}S", fraction.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert_eq, proptest};

    #[test]
    fn the_first_days_of_1900_are_those_of_excel() {
        let iso = |serial: f64| unix_ms(serial).map(iso_date);
        assert_eq!(iso(1.0).as_deref(), Some("1900-01-01"));
        assert_eq!(iso(59.0).as_deref(), Some("1900-02-28"));
        assert_eq!(iso(60.0), None, "a day that never was");
        assert_eq!(iso(61.0).as_deref(), Some("1900-03-01"));
        assert_eq!(iso(45_322.0).as_deref(), Some("2024-01-31"));
        assert_eq!(iso(2_958_465.0).as_deref(), Some("9999-12-31"));
        assert_eq!(iso(2_958_466.0), None);
        assert_eq!(iso(-1.0), None);
        assert_eq!(iso(f64::NAN), None);
    }

    #[test]
    fn a_number_is_a_date_only_where_excel_shows_one() {
        assert_eq!(kind_of(FormatClass::Date, 45_322.0), CellKind::Date);
        assert_eq!(kind_of(FormatClass::Date, 45_322.5), CellKind::DateTime);
        assert_eq!(kind_of(FormatClass::DateTime, 45_322.0), CellKind::DateTime);
        assert_eq!(kind_of(FormatClass::Date, 0.5), CellKind::Time);
        assert_eq!(
            kind_of(FormatClass::Time, 0.999_999_999_9),
            CellKind::DateTime,
            "rounds to the next day"
        );
        assert_eq!(kind_of(FormatClass::Date, 60.0), CellKind::Number);
        assert_eq!(kind_of(FormatClass::Date, -3.0), CellKind::Number);
        assert_eq!(kind_of(FormatClass::Duration, 1.5), CellKind::Duration);
    }

    #[test]
    fn iso_cells_are_read() {
        assert_eq!(parse_iso("2024-01-31"), Some((CellKind::Date, 45_322.0)));
        assert_eq!(parse_iso("2024-01-31T12:00:00Z"), Some((CellKind::DateTime, 45_322.5)));
        assert_eq!(parse_iso("06:00:00"), Some((CellKind::Time, 0.25)));
        assert_eq!(parse_iso("yesterday"), None);
        assert_eq!(parse_iso_duration("PT12H00M00S"), Some((CellKind::Time, 0.5)));
        assert_eq!(parse_iso_duration("P1DT36H"), Some((CellKind::Duration, 2.5)));
        assert_eq!(parse_iso_duration("PT"), Some((CellKind::Time, 0.0)));
        assert_eq!(parse_iso_duration("P1M"), None);
        assert_eq!(iso_duration(5_400_000), "PT5400S");
        assert_eq!(iso_duration(-1_250), "-PT1.25S");
    }

    proptest! {
        #[test]
        fn moments_survive_the_way_through_a_serial(ms in -2_208_988_800_000_i64..253_402_300_800_000) {
            prop_assert_eq!(serial_of_unix_ms(ms).and_then(unix_ms), Some(ms));
        }
    }
}
