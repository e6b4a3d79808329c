//! What the columns of plain text are: decided by all rows of a column, never by some of them.
//!
//! * A whole number has up to 15 digits and no leading zero or plus: `00123`, `+32…`, `1E5` and 16-digit ids stay text.
//! * A decimal has a point or a comma, the same in the whole column, and may have its thousands grouped.
//! * A date has four digits of year. Where day and month could be either in every row, the column stays text and is told so.

use chrono::NaiveDate;

use crate::sheets::dates::serial_of_unix_day;
use crate::sheets::kind::CellKind;

/// Decimals that a column shows at most.
const MOST_DECIMALS: usize = 9;

/// What a date begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Year,
    Day,
    Month,
}

/// What a text may be; several at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct May(u16);

impl May {
    const INTEGER: u16 = 1;
    const POINT: u16 = 1 << 1;
    const COMMA: u16 = 1 << 2;
    const BOOLEAN: u16 = 1 << 3;
    const YEAR_FIRST: u16 = 1 << 4;
    const DAY_FIRST: u16 = 1 << 5;
    const MONTH_FIRST: u16 = 1 << 6;
    const TIME: u16 = 1 << 7;
    const DATES: u16 = Self::YEAR_FIRST | Self::DAY_FIRST | Self::MONTH_FIRST;

    fn of(text: &str) -> Self {
        let first = text.as_bytes().first().copied().unwrap_or(0);
        if !(first.is_ascii_digit() || matches!(first, b'-' | b'.' | b',' | b't' | b'T' | b'f' | b'F')) {
            return Self(0);
        }
        let mut may = 0;
        if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") {
            may |= Self::BOOLEAN;
        }
        for (flag, point) in [(Self::POINT, b'.'), (Self::COMMA, b',')] {
            if let Some(shape) = Shape::of(text, point) {
                may |= flag;
                may |= if shape.decimals == 0 && !shape.grouped {
                    Self::INTEGER
                } else {
                    0
                };
            }
        }
        for (flag, order) in [
            (Self::YEAR_FIRST, Order::Year),
            (Self::DAY_FIRST, Order::Day),
            (Self::MONTH_FIRST, Order::Month),
        ] {
            may |= if moment(text, order).is_some() { flag } else { 0 };
        }
        may |= if time(text).is_some() { Self::TIME } else { 0 };
        Self(may)
    }
}

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    decimals: usize,
    grouped: bool,
}

impl Shape {
    /// Nothing where the text is no number with this decimal separator.
    fn of(text: &str, point: u8) -> Option<Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, decimals) = match digits.split_once(char::from(point)) {
            Some((_, "")) => return None,
            Some((whole, decimals)) => (whole, decimals),
            None => (digits, ""),
        };
        let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(decimals) || whole.is_empty() && decimals.is_empty() {
            return None;
        }
        let separator = if point == b'.' { ',' } else { '.' };
        let mut groups = whole.split(separator);
        let first = groups.next().unwrap_or_default();
        let rest: Vec<&str> = groups.collect();
        let grouped = !rest.is_empty();
        let fits = all_digits(first)
            && rest.iter().all(|group| group.len() == 3 && all_digits(group))
            && (!grouped || (1..=3).contains(&first.len()))
            && (first.len() < 2 || !first.starts_with('0'));
        let length = first.len() + 3 * rest.len() + decimals.len();
        // A float keeps 15 digits in any case (IEEE 754 binary64).
        (fits && length <= 15).then_some(Self {
            decimals: decimals.len(),
            grouped,
        })
    }
}

/// A date, perhaps with a time, as days since 1970-01-01 and a part of a day.
fn moment(text: &str, order: Order) -> Option<(i32, f64, Option<char>)> {
    let (date, rest) = match text.find([' ', 'T']) {
        Some(at) => (text.get(..at)?, Some(text.get(at + 1..)?)),
        None => (text, None),
    };
    let separator = date.chars().find(|c| !c.is_ascii_digit())?;
    if !matches!(separator, '-' | '/' | '.') {
        return None;
    }
    let mut parts = date.split(separator);
    let (first, second, third) = (parts.next()?, parts.next()?, parts.next()?);
    let (year, month, day) = match order {
        Order::Year => (first, second, third),
        Order::Day => (third, second, first),
        Order::Month => (third, first, second),
    };
    let number = |text: &str, lengths: std::ops::RangeInclusive<usize>| {
        let fits = lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| text.parse::<u32>().ok()).flatten()
    };
    let year = i32::try_from(number(year, 4..=4)?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(month, 1..=2)?, number(day, 1..=2)?)?;
    if parts.next().is_some() || year < 1900 {
        return None;
    }
    let part = match rest {
        Some(rest) => time(rest.trim_end_matches('Z'))?,
        None => 0.0,
    };
    Some((date.to_epoch_days(), part, rest.map(|_| ' ')))
}

/// A time of day as a part of it.
fn time(text: &str) -> Option<f64> {
    let mut parts = text.split(':');
    let number = |text: &str, most: u32| {
        let fits = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| text.parse::<u32>().ok())
            .flatten()
            .filter(|number| *number <= most)
    };
    let hours = number(parts.next()?, 23)?;
    let minutes = number(parts.next()?, 59)?;
    let seconds = match parts.next() {
        None => 0.0,
        Some(text) => {
            let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
            if !rest.bytes().all(|b| b.is_ascii_digit()) || rest.len() > 9 {
                return None;
            }
            f64::from(number(whole, 59)?) + format!("0.{rest}").parse::<f64>().unwrap_or(0.0)
        }
    };
    let seconds = f64::from(hours * 3600 + minutes * 60) + seconds;
    parts.next().is_none().then_some(seconds / 86_400.0)
}

/// What a column is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Text,
    /// Its decimal separator.
    Number(u8),
    Boolean,
    Moment(Order),
    Time,
}

/// A column's kind, and the number format that shows it as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Column {
    kind: Kind,
    /// Nothing: General.
    pub(super) format: Option<String>,
    /// Whether it would be dates if it were known which of two numbers is the day.
    pub(super) ambiguous: bool,
}

impl Column {
    /// What a field of it is, and its number; a text that does not fit (a header's) stays one.
    pub(super) fn cell(&self, text: &str) -> (CellKind, f64) {
        let found = match self.kind {
            Kind::Text => None,
            Kind::Number(point) => number(text, point).map(|number| (CellKind::Number, number)),
            Kind::Boolean => truth(text).map(|value| (CellKind::Boolean, value)),
            Kind::Time => time(text).map(|part| (CellKind::Time, part)),
            Kind::Moment(order) => moment(text, order).and_then(|(day, part, timed)| {
                let serial = serial_of_unix_day(day)? + part;
                Some((
                    if timed.is_some() {
                        CellKind::DateTime
                    } else {
                        CellKind::Date
                    },
                    serial,
                ))
            }),
        };
        found.unwrap_or((CellKind::Text, 0.0))
    }
}

fn truth(text: &str) -> Option<f64> {
    if text.eq_ignore_ascii_case("true") {
        Some(1.0)
    } else {
        text.eq_ignore_ascii_case("false").then_some(0.0)
    }
}

fn number(text: &str, point: u8) -> Option<f64> {
    Shape::of(text, point)?;
    let plain = |c: char| match c {
        c if c == char::from(point) => Some('.'),
        '.' | ',' => None,
        other => Some(other),
    };
    text.chars().filter_map(plain).collect::<String>().parse().ok()
}

/// What one field by itself looks like, for the search of a header.
pub(super) fn alone(text: &str) -> (CellKind, f64) {
    let may = May::of(text).0;
    if may & May::POINT != 0 {
        number(text, b'.').map_or((CellKind::Text, 0.0), |number| (CellKind::Number, number))
    } else if may & May::COMMA != 0 {
        (CellKind::Number, 0.5)
    } else if may & May::DATES != 0 {
        (CellKind::Date, 0.0)
    } else if may & May::TIME != 0 {
        (CellKind::Time, 0.0)
    } else if may & May::BOOLEAN != 0 {
        (CellKind::Boolean, 0.0)
    } else {
        (CellKind::Text, 0.0)
    }
}

/// Looks at the fields of one column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    may: May,
    filled: bool,
    decimals: Option<usize>,
    same_decimals: bool,
    grouped: bool,
    timed: bool,
    separator: Option<u8>,
    two_digits: bool,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            may: May(u16::MAX),
            filled: false,
            decimals: None,
            same_decimals: true,
            grouped: false,
            timed: false,
            separator: None,
            two_digits: true,
        }
    }
}

impl Seen {
    /// Sees a field; empty ones are blank and say nothing.
    pub(super) fn see(&mut self, text: &str) {
        if text.is_empty() || self.may.0 == 0 {
            self.filled |= !text.is_empty();
            return;
        }
        self.filled = true;
        let may = May::of(text);
        self.may.0 &= may.0;
        for (flag, point) in [(May::POINT, b'.'), (May::COMMA, b',')] {
            if self.may.0 & flag != 0
                && let Some(shape) = Shape::of(text, point)
            {
                self.grouped |= shape.grouped;
                self.same_decimals &= *self.decimals.get_or_insert(shape.decimals) == shape.decimals;
            }
        }
        if self.may.0 & May::DATES != 0 {
            self.timed |= text.contains(':');
            let separator = text.bytes().find(|b| !b.is_ascii_digit());
            self.separator = self.separator.or(separator);
            let date = text.split([' ', 'T']).next().unwrap_or_default();
            self.two_digits &= date.len() == 10;
        }
    }

    /// What the column is. Where a comma could group thousands or begin decimals, it begins them where fields are separated
    /// by something else.
    pub(super) fn column(&self, delimiter: u8) -> Column {
        let may = |flag: u16| self.filled && self.may.0 & flag != 0;
        let points = if delimiter == b';' {
            [(May::COMMA, b','), (May::POINT, b'.')]
        } else {
            [(May::POINT, b'.'), (May::COMMA, b',')]
        };
        let of = |kind: Kind, format: Option<String>| Column {
            kind,
            format,
            ambiguous: false,
        };
        if may(May::INTEGER) {
            return of(Kind::Number(b'.'), None);
        }
        if let Some((_, point)) = points.into_iter().find(|(flag, _)| may(*flag)) {
            return of(Kind::Number(point), self.number_format());
        }
        if may(May::BOOLEAN) {
            return of(Kind::Boolean, None);
        }
        if may(May::TIME) {
            return of(Kind::Time, None);
        }
        // Dots stand between days and months, in this order.
        let dotted = self.separator == Some(b'.');
        match (may(May::YEAR_FIRST), may(May::DAY_FIRST), may(May::MONTH_FIRST)) {
            (true, ..) => of(Kind::Moment(Order::Year), self.date_format(Order::Year)),
            (_, true, true) if !dotted => Column {
                ambiguous: true,
                ..Column::default()
            },
            (_, true, _) => of(Kind::Moment(Order::Day), self.date_format(Order::Day)),
            (_, _, true) => of(Kind::Moment(Order::Month), self.date_format(Order::Month)),
            _ => Column::default(),
        }
    }

    fn number_format(&self) -> Option<String> {
        let decimals = self
            .decimals
            .filter(|_| self.same_decimals)
            .unwrap_or(0)
            .min(MOST_DECIMALS);
        match (self.grouped, decimals) {
            (false, 0) => None,
            (true, 0) => Some("#,##0".to_owned()),
            (false, decimals) => Some(format!("0.{}", "0".repeat(decimals))),
            (true, decimals) => Some(format!("#,##0.{}", "0".repeat(decimals))),
        }
    }

    fn date_format(&self, order: Order) -> Option<String> {
        let separator = char::from(self.separator.unwrap_or(b'-'));
        let (day, month) = if self.two_digits { ("dd", "mm") } else { ("d", "m") };
        let parts = match order {
            Order::Year => ["yyyy", month, day],
            Order::Day => [day, month, "yyyy"],
            Order::Month => [month, day, "yyyy"],
        };
        let time = if self.timed { " hh:mm:ss" } else { "" };
        Some(format!("{}{time}", parts.join(&separator.to_string())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(fields: &[&str], delimiter: u8) -> Column {
        let mut seen = Seen::default();
        fields.iter().for_each(|field| seen.see(field));
        seen.column(delimiter)
    }

    fn kinds(fields: &[&str]) -> (CellKind, f64) {
        column(fields, b',').cell(fields[0])
    }

    #[test]
    fn a_column_is_what_all_its_fields_are() {
        assert_eq!(kinds(&["1", "-2", ""]), (CellKind::Number, 1.0));
        assert_eq!(kinds(&["1.50", "2.25"]), (CellKind::Number, 1.5));
        assert_eq!(column(&["1.50", "2.25"], b',').format.as_deref(), Some("0.00"));
        assert_eq!(kinds(&["1,234.5", "2"]), (CellKind::Number, 1234.5));
        assert_eq!(kinds(&["TRUE", "false"]), (CellKind::Boolean, 1.0));
        assert_eq!(kinds(&["09:30", "23:59:59.5"]).0, CellKind::Time);
        assert_eq!(kinds(&["2024-01-31", "2024-02-01"]), (CellKind::Date, 45_322.0));
        assert_eq!(
            kinds(&["2024-01-31T12:00", "2024-02-01 00:00:00"]),
            (CellKind::DateTime, 45_322.5)
        );
        assert_eq!(kinds(&[""]).0, CellKind::Text);
    }

    #[test]
    fn what_is_no_number_stays_text() {
        for field in [
            "00123",
            "+32 2 123",
            "1E5",
            "1234567890123456",
            "NaN",
            "1e308",
            "12%",
            "-",
            ".",
            "1.",
            "0x1",
            "1,23,456.0",
        ] {
            assert_eq!(kinds(&[field]).0, CellKind::Text, "{field}");
        }
        assert_eq!(kinds(&["1", "n/a"]).0, CellKind::Text, "one field decides");
    }

    #[test]
    fn commas_and_points_are_told_by_the_column_and_what_separates() {
        assert_eq!(column(&["1,5", "2,25"], b';').cell("1,5"), (CellKind::Number, 1.5));
        assert_eq!(column(&["1,234"], b';').cell("1,234"), (CellKind::Number, 1.234));
        assert_eq!(column(&["1,234"], b',').cell("1,234"), (CellKind::Number, 1234.0));
        assert_eq!(
            column(&["1.234,5", "2"], b';').cell("1.234,5"),
            (CellKind::Number, 1234.5)
        );
    }

    #[test]
    fn days_and_months_are_told_by_the_column_or_left_alone() {
        assert_eq!(kinds(&["31/01/2024", "01/02/2024"]), (CellKind::Date, 45_322.0));
        assert_eq!(
            column(&["1/31/2024", "2/1/2024"], b',').format.as_deref(),
            Some("m/d/yyyy")
        );
        let ambiguous = column(&["1/2/2024", "3/4/2024"], b',');
        assert!(ambiguous.ambiguous && ambiguous.cell("1/2/2024").0 == CellKind::Text);
        assert_eq!(kinds(&["01.02.2024"]), (CellKind::Date, 45_323.0));
        assert_eq!(kinds(&["30/02/2024"]).0, CellKind::Text);
    }
}
