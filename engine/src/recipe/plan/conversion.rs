//! From one cell to a value of another type.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray, Time32MillisecondArray,
    TimestampMillisecondArray,
};
use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono::{NaiveDate, NaiveDateTime};

use super::cells::{day_number, moment_number, time_number};
use crate::recipe::steps::Target;
use crate::sheets::CellKind;
use crate::sheets::dates::{serial_of_unix_day, serial_of_unix_ms, unix_day, unix_ms};
use crate::sheets::view::{CellView, ColumnView};
use crate::tables::mixed::MixedBuilder;

/// The formats that are read when a recipe names none.
const DATES: &[&str] = &["%Y-%m-%d"];
const DATE_TIMES: &[&str] = &[
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d",
];
const TIMES: &[&str] = &["%H:%M:%S%.f", "%H:%M"];
/// Whole numbers beyond it are not exact as f64, which is what spreadsheets have.
const MAX_WHOLE: f64 = 9_007_199_254_740_992.0;
/// No position in the table's formats: the cell shows as its kind does.
const NO_FORMAT: u16 = u16::MAX;

/// What stands between whole and fraction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DecimalMark {
    /// `1,234.5`
    #[default]
    Point,
    /// `1.234,5`
    Comma,
}

impl DecimalMark {
    /// The signs by the words of the document.
    pub const WORDS: &[(&str, Self)] = &[(".", Self::Point), (",", Self::Comma)];

    /// The sign.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Point => ".",
            Self::Comma => ",",
        }
    }
}

/// What became of a cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Converted {
    /// It was blank and stays so.
    Blank,
    /// It is not of the type.
    Failed,
    /// A number, also a whole one.
    Number(f64),
    /// True or false.
    Truth(bool),
    /// Days since 1970-01-01.
    Day(i32),
    /// Milliseconds since 1970-01-01.
    Moment(i64),
    /// Milliseconds since midnight.
    Time(i32),
    /// Text.
    Text(String),
}

impl Converted {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(value) => Some(value),
            _ => None,
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(value) => Some(*value),
            _ => None,
        }
    }

    fn whole(&self) -> Option<i64> {
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
        self.number().map(|number| number as i64)
    }

    fn truth(&self) -> Option<bool> {
        match self {
            Self::Truth(value) => Some(*value),
            _ => None,
        }
    }

    fn days(&self) -> Option<i32> {
        match self {
            Self::Day(value) => Some(*value),
            _ => None,
        }
    }

    fn moment(&self) -> Option<i64> {
        match self {
            Self::Moment(value) => Some(*value),
            _ => None,
        }
    }

    fn time(&self) -> Option<i32> {
        match self {
            Self::Time(value) => Some(*value),
            _ => None,
        }
    }
}

/// A date or time format that was checked.
#[derive(Clone, Debug)]
pub struct Pattern {
    items: Vec<Item<'static>>,
    needs_time: bool,
}

impl Pattern {
    /// Checks a format of strftime signs: it must be understood, and say enough for a date or a time.
    pub fn new(format: &str, target: Target) -> Result<Self, String> {
        let items = StrftimeItems::new(format)
            .parse_to_owned()
            .map_err(|_error| format!("`{format}` has a sign that is not known; %d, %m, %Y, %H, %M and %S are."))?;
        let pattern = Self {
            items,
            needs_time: target != Target::Date,
        };
        let sample = NaiveDate::from_ymd_opt(2024, 11, 23)
            .and_then(|date| date.and_hms_opt(21, 5, 7))
            .unwrap_or_default();
        let text = sample.format_with_items(pattern.items.iter()).to_string();
        let understood = match target {
            Target::Time => pattern.time(&text).is_some(),
            _ => pattern.day(&text) == day_number(sample.date()),
        };
        let missing = match target {
            Target::Time => format!("`{format}` does not say enough for a time: it needs at least %H and %M."),
            _ => format!("`{format}` does not say enough for a date: it needs day, month and year, as in %d/%m/%Y."),
        };
        if understood { Ok(pattern) } else { Err(missing) }
    }

    fn parsed(&self, text: &str) -> Option<Parsed> {
        let mut parsed = Parsed::new();
        parse(&mut parsed, text, self.items.iter()).ok().map(|()| parsed)
    }

    fn day(&self, text: &str) -> Option<i32> {
        self.parsed(text)?.to_naive_date().ok().and_then(day_number)
    }

    fn moment(&self, text: &str) -> Option<i64> {
        let parsed = self.parsed(text)?;
        let date = parsed.to_naive_date().ok()?;
        let time = parsed.to_naive_time().unwrap_or_default();
        moment_number(NaiveDateTime::new(date, time))
    }

    fn time(&self, text: &str) -> Option<i32> {
        self.parsed(text)?
            .to_naive_time()
            .ok()
            .filter(|_| self.needs_time)
            .and_then(time_number)
    }
}

/// A conversion ready to be used.
#[derive(Clone, Debug)]
pub struct Conversion {
    target: Target,
    patterns: Vec<Pattern>,
    decimal: DecimalMark,
    formats: Vec<String>,
}

impl Conversion {
    /// Makes one; formats are those of [`Pattern::new`].
    pub fn new(target: Target, formats: &[String], decimal: DecimalMark) -> Result<Self, String> {
        let usual = match target {
            Target::Date => DATES,
            Target::DateTime => DATE_TIMES,
            Target::Time => TIMES,
            _ => &[],
        };
        let patterns: Result<Vec<Pattern>, String> = if formats.is_empty() {
            usual.iter().map(|format| Pattern::new(format, target)).collect()
        } else {
            formats.iter().map(|format| Pattern::new(format, target)).collect()
        };
        Ok(Self {
            target,
            patterns: patterns?,
            decimal,
            formats: formats.to_vec(),
        })
    }

    /// What cells shall be.
    #[must_use]
    pub fn target(&self) -> Target {
        self.target
    }

    /// "a date written as %d/%m/%Y"
    #[must_use]
    pub fn wanted(&self) -> String {
        let article = self.target.article();
        if self.formats.is_empty() {
            article.into()
        } else {
            format!("{article} written as {}", self.formats.join(" or "))
        }
    }

    /// Converts a cell; `format` is the column's number format.
    #[must_use]
    pub fn convert(&self, cell: &CellView<'_>, format: Option<&str>) -> Converted {
        if cell.kind == CellKind::Blank {
            return Converted::Blank;
        }
        let converted = match self.target {
            Target::Text => Some(Converted::Text(cell.plain(format).into_owned())),
            Target::Integer => self
                .number(cell)
                .filter(|number| is_whole(*number))
                .map(Converted::Number),
            Target::Decimal => self.number(cell).map(Converted::Number),
            Target::Boolean => truth(cell).map(Converted::Truth),
            Target::Date => self.day(cell).map(Converted::Day),
            Target::DateTime => self.moment(cell).map(Converted::Moment),
            Target::Time => self.time(cell).map(Converted::Time),
        };
        converted.unwrap_or(Converted::Failed)
    }

    /// A column of the type; what failed is blank.
    #[must_use]
    pub fn typed(&self, converted: &[Converted]) -> ArrayRef {
        let cells = converted.iter();
        match self.target {
            Target::Text => Arc::new(cells.map(Converted::text).collect::<StringArray>()),
            Target::Integer => Arc::new(cells.map(Converted::whole).collect::<Int64Array>()),
            Target::Decimal => Arc::new(cells.map(Converted::number).collect::<Float64Array>()),
            Target::Boolean => Arc::new(cells.map(Converted::truth).collect::<BooleanArray>()),
            Target::Date => Arc::new(cells.map(Converted::days).collect::<Date32Array>()),
            Target::DateTime => Arc::new(cells.map(Converted::moment).collect::<TimestampMillisecondArray>()),
            Target::Time => Arc::new(cells.map(Converted::time).collect::<Time32MillisecondArray>()),
        }
    }

    /// A column of several kinds: what failed stays as it was.
    #[must_use]
    pub fn mixed(&self, view: &ColumnView, converted: &[Converted], format: Option<&str>) -> ArrayRef {
        let mut builder = MixedBuilder::default();
        for (row, value) in converted.iter().enumerate() {
            let was = view.cell(row);
            let made = |kind, number| CellView {
                kind,
                number,
                text: "",
                format: None,
            };
            let cell = match value {
                Converted::Number(number) => made(CellKind::Number, *number),
                Converted::Truth(truth) => made(CellKind::Boolean, f64::from(u8::from(*truth))),
                Converted::Day(day) => serial_of_unix_day(*day).map_or(was, |serial| made(CellKind::Date, serial)),
                Converted::Moment(ms) => serial_of_unix_ms(*ms).map_or(was, |serial| made(CellKind::DateTime, serial)),
                Converted::Time(ms) => made(CellKind::Time, f64::from(*ms) / 86_400_000.0),
                Converted::Text(text) => CellView {
                    text,
                    ..made(CellKind::Text, 0.0)
                },
                Converted::Blank | Converted::Failed => was,
            };
            let own = if *value == Converted::Failed { was.format } else { None };
            builder.push(
                &cell,
                own.unwrap_or(NO_FORMAT),
                format.filter(|_| *value == Converted::Failed),
            );
        }
        builder.finish()
    }

    fn number(&self, cell: &CellView<'_>) -> Option<f64> {
        match cell.kind {
            CellKind::Text => number_of_text(cell.text, self.decimal),
            CellKind::Error => None,
            _ => Some(cell.number),
        }
    }

    fn day(&self, cell: &CellView<'_>) -> Option<i32> {
        match cell.kind {
            CellKind::Date | CellKind::DateTime | CellKind::Number => unix_day(cell.number),
            CellKind::Text => self.patterns.iter().find_map(|pattern| pattern.day(cell.text.trim())),
            _ => None,
        }
    }

    fn moment(&self, cell: &CellView<'_>) -> Option<i64> {
        match cell.kind {
            CellKind::Date | CellKind::DateTime | CellKind::Number => unix_ms(cell.number),
            CellKind::Text => self
                .patterns
                .iter()
                .find_map(|pattern| pattern.moment(cell.text.trim())),
            _ => None,
        }
    }

    fn time(&self, cell: &CellView<'_>) -> Option<i32> {
        match cell.kind {
            CellKind::Time | CellKind::DateTime | CellKind::Number => time_of_serial(cell.number),
            CellKind::Text => self.patterns.iter().find_map(|pattern| pattern.time(cell.text.trim())),
            _ => None,
        }
    }
}

fn is_whole(number: f64) -> bool {
    number.fract() == 0.0 && number.abs() <= MAX_WHOLE
}

/// The time of day of a serial: its fraction.
fn time_of_serial(serial: f64) -> Option<i32> {
    if !(0.0..2_958_466.0).contains(&serial) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a fraction of a day is below 86,400,001 ms"
    )]
    let ms = (serial.fract() * 86_400_000.0).round() as i32;
    Some(ms % 86_400_000)
}

fn truth(cell: &CellView<'_>) -> Option<bool> {
    match cell.kind {
        CellKind::Boolean => Some(cell.number != 0.0),
        CellKind::Number if cell.number == 0.0 => Some(false),
        CellKind::Number if cell.number == 1.0 => Some(true),
        CellKind::Text => match cell.text.trim().to_lowercase().as_str() {
            "true" | "yes" | "y" | "on" | "1" | "t" => Some(true),
            "false" | "no" | "n" | "off" | "0" | "f" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A number out of a text as people write it: a sign, digits that may be grouped by three, a fraction, an exponent. Groups
/// must be whole, so that `1.5` under a decimal comma is no fifteen.
#[must_use]
pub fn number_of_text(text: &str, decimal: DecimalMark) -> Option<f64> {
    let text = text.trim();
    let (mark, groups): (char, &[char]) = match decimal {
        DecimalMark::Point => ('.', &[',', ' ', '\u{a0}', '\u{202f}', '\'', '’']),
        DecimalMark::Comma => (',', &['.', ' ', '\u{a0}', '\u{202f}', '\'', '’']),
    };
    let unsigned = text.strip_prefix(['+', '-', '−']).unwrap_or(text);
    let sign = if text.starts_with(['-', '−']) { "-" } else { "" };
    let (digits, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, ""));
    let (whole, fraction) = digits.split_once(mark).unwrap_or((digits, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let whole = ungrouped(whole, groups)?;
    let plain_exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if unsigned.contains(['e', 'E']) && (plain_exponent.is_empty() || !is_digits(plain_exponent)) {
        return None;
    }
    let exponent = if exponent.is_empty() { "0" } else { exponent };
    format!("{sign}{whole}.{fraction}e{exponent}")
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
}

/// The digits of a whole number without the signs between its groups of three.
fn ungrouped(whole: &str, groups: &[char]) -> Option<String> {
    let Some(sign) = whole.chars().find(|c| groups.contains(c)) else {
        return whole
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| if whole.is_empty() { "0".into() } else { whole.into() });
    };
    let mut parts = whole.split(sign);
    let first = parts.next()?;
    let is_group = |part: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let rest: Vec<&str> = parts.collect();
    let whole_groups = is_group(first, 1..=3) && rest.iter().all(|part| is_group(part, 3..=3));
    whole_groups.then(|| format!("{first}{}", rest.concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (text, decimal, wanted) in [
            ("1,234.5", DecimalMark::Point, Some(1234.5)),
            ("1.234,5", DecimalMark::Comma, Some(1234.5)),
            ("1 234 567", DecimalMark::Comma, Some(1_234_567.0)),
            ("-1'000.25", DecimalMark::Point, Some(-1000.25)),
            ("−5", DecimalMark::Point, Some(-5.0)),
            (".5", DecimalMark::Point, Some(0.5)),
            ("5.", DecimalMark::Point, Some(5.0)),
            ("1e3", DecimalMark::Point, Some(1000.0)),
            ("1.5", DecimalMark::Comma, None),
            ("1,23", DecimalMark::Point, None),
            ("1,2345", DecimalMark::Point, None),
            ("1,234,56", DecimalMark::Point, None),
            ("12 34", DecimalMark::Point, None),
            ("", DecimalMark::Point, None),
            (".", DecimalMark::Point, None),
            ("-", DecimalMark::Point, None),
            ("1e", DecimalMark::Point, None),
            ("1e999", DecimalMark::Point, None),
            ("nan", DecimalMark::Point, None),
            ("inf", DecimalMark::Point, None),
            ("0x10", DecimalMark::Point, None),
            ("5 EUR", DecimalMark::Point, None),
        ] {
            assert_eq!(number_of_text(text, decimal), wanted, "{text:?} {decimal:?}");
        }
    }

    #[test]
    fn formats_that_say_too_little_are_refused_at_the_door() {
        assert!(Pattern::new("%d/%m/%Y", Target::Date).is_ok());
        assert!(Pattern::new("%d.%m.%y", Target::Date).is_ok());
        assert!(Pattern::new("%d %B %Y", Target::Date).is_ok());
        assert!(Pattern::new("%d/%m", Target::Date).is_err_and(|message| message.contains("year")));
        assert!(Pattern::new("%d/%m/%Q", Target::Date).is_err_and(|message| message.contains("not known")));
        assert!(Pattern::new("%H:%M", Target::Time).is_ok());
        assert!(Pattern::new("%d/%m/%Y", Target::Time).is_err());
    }

    #[test]
    fn a_year_of_two_digits_is_no_year_of_four() {
        let pattern = Pattern::new("%d/%m/%Y", Target::Date).expect("a format");
        assert_eq!(pattern.day("31/01/24"), None);
        assert_eq!(
            pattern.day("31/01/2024"),
            crate::recipe::plan::cells::iso_date("2024-01-31")
        );
        assert_eq!(pattern.day("31/02/2024"), None);
        assert_eq!(pattern.day("31/01/2024 "), None, "texts are trimmed before");
    }
}
