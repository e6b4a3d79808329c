//! Shows dates, times and spans by the first section of a format code.

use chrono::{Datelike, Timelike};

use super::super::dates::{DAY_MS, serial_ms, unix_ms};
use super::super::kind::CellKind;
use super::Token;

/// Whether the `m` at this place means minutes: right behind hours, or right before seconds.
pub(super) fn is_minute(tokens: &[Token], at: usize) -> bool {
    let unit = |t: &&Token| matches!(t, Token::Date(..) | Token::Elapsed(..));
    let before = tokens[..at].iter().rev().find(unit);
    let after = tokens.get(at + 1..).and_then(|rest| rest.iter().find(unit));
    matches!(before, Some(Token::Date('h', _) | Token::Elapsed('h', _)))
        || matches!(after, Some(Token::Date('s', _) | Token::Elapsed('s', _)))
}

/// The serial by these tokens; empty where it is no date.
pub(super) fn show(tokens: &[Token], kind: CellKind, serial: f64) -> String {
    let ms = serial_ms(serial);
    // Digits behind a point are parts of a second; without them a second is rounded.
    let decimals = decimals(tokens);
    let step = 10_i64.pow(3 - u32::try_from(decimals.min(3)).unwrap_or(3));
    let ms = if tokens.iter().any(|t| matches!(t, Token::Date('s', _))) {
        (ms + step / 2).div_euclid(step) * step
    } else {
        ms
    };
    let date = match kind {
        CellKind::Date | CellKind::DateTime => unix_ms(serial),
        _ => Some(ms.rem_euclid(DAY_MS)),
    };
    let Some(moment) = date.and_then(chrono::DateTime::from_timestamp_millis) else {
        return String::new();
    };
    let half_day = tokens.contains(&Token::HalfDay);
    let mut out = String::new();
    if ms < 0 && kind == CellKind::Duration {
        out.push('-');
    }
    let clock = Clock {
        ms: ms.unsigned_abs(),
        half_day,
    };
    let mut fraction = false;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Literal(text) => out.push_str(text),
            Token::Elapsed(unit, width) => out.push_str(&clock.elapsed(*unit, *width)),
            Token::Date('m', width) if is_minute(tokens, at) => out.push_str(&clock.part('m', *width)),
            Token::Date(unit @ ('h' | 's'), width) => out.push_str(&clock.part(*unit, *width)),
            Token::Date(unit, width) => out.push_str(&day_part(&moment, *unit, *width)),
            Token::HalfDay => out.push_str(if moment.hour() < 12 { "AM" } else { "PM" }),
            Token::Slash => out.push('/'),
            Token::Point if matches!(tokens.get(at + 1), Some(Token::Digit(_))) => {
                fraction = true;
                out.push('.');
                out.push_str(&format!("{:03}", clock.ms % 1000)[..decimals.min(3)]);
            }
            Token::Digit(_) if fraction => {}
            Token::Point => out.push('.'),
            Token::Comma => out.push(','),
            _ => {}
        }
    }
    out
}

fn decimals(tokens: &[Token]) -> usize {
    let point = tokens.iter().position(|t| *t == Token::Point);
    point.map_or(0, |at| {
        tokens[at + 1..]
            .iter()
            .take_while(|t| matches!(t, Token::Digit(_)))
            .count()
    })
}

/// The time of day, or a span of time.
struct Clock {
    ms: u64,
    half_day: bool,
}

impl Clock {
    fn part(&self, unit: char, width: usize) -> String {
        let hours = self.ms / 3_600_000 % 24;
        let value = match unit {
            'h' if self.half_day => (hours + 11) % 12 + 1,
            'h' => hours,
            'm' => self.ms / 60_000 % 60,
            _ => self.ms / 1000 % 60,
        };
        if width > 1 {
            format!("{value:02}")
        } else {
            value.to_string()
        }
    }

    fn elapsed(&self, unit: char, width: usize) -> String {
        let value = match unit {
            'h' => self.ms / 3_600_000,
            'm' => self.ms / 60_000,
            _ => self.ms / 1000,
        };
        format!("{value:0width$}")
    }
}

fn day_part(moment: &chrono::DateTime<chrono::Utc>, unit: char, width: usize) -> String {
    let pattern = match (unit, width) {
        ('y', 1 | 2) => "%y",
        ('y', _) => "%Y",
        ('m', 1) => return moment.month().to_string(),
        ('m', 2) => "%m",
        ('m', 3) => "%b",
        ('m', 4) => "%B",
        ('m', _) => return moment.format("%B").to_string().chars().take(1).collect(),
        ('d', 1) => return moment.day().to_string(),
        ('d', 2) => "%d",
        ('d', 3) => "%a",
        _ => "%A",
    };
    moment.format(pattern).to_string()
}
