//! Number formats: what a format code makes of a number, and how it shows it (ECMA-376 part 1, section 18.8.31).
//!
//! Shown in English and with a decimal point: the workbook does not say where its reader sits. `General` shows up to 15
//! significant digits rather than what fits into the cell's width.

mod dates;
mod numbers;

use super::dates::{DAY_MS, iso_date, iso_duration, iso_time, serial_ms, unix_ms};
use super::kind::CellKind;

/// The code of cells without a format.
pub const GENERAL: &str = "General";

/// What numbers are under a format code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormatClass {
    /// Numbers.
    Number,
    /// Days.
    Date,
    /// Days with a time.
    DateTime,
    /// Times of day.
    Time,
    /// Spans of time, such as `[h]:mm`.
    Duration,
    /// Text: `@`.
    Text,
}

/// One piece of a section of a format code.
#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// Shown as it is.
    Literal(String),
    /// `0`, `#` or `?`.
    Digit(char),
    /// A run of one letter of a date: `yyyy`, `m`, …, lower case.
    Date(char, usize),
    /// `[h]`, `[mm]`, …: elapsed time.
    Elapsed(char, usize),
    /// `AM/PM` or `A/P`.
    HalfDay,
    /// `General` inside a code.
    General,
    /// `.`
    Point,
    /// `,`
    Comma,
    /// `%`
    Percent,
    /// `E+` or `E-`; whether a plus is shown.
    Exponent(bool),
    /// `/`
    Slash,
    /// `@`
    Text,
}

/// What numbers are under this code.
#[must_use]
pub fn classify(code: &str) -> FormatClass {
    let tokens = sections(code).into_iter().next().unwrap_or_default();
    let (mut date, mut time) = (false, false);
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Elapsed(..) => return FormatClass::Duration,
            Token::Date('m', _) if dates::is_minute(&tokens, at) => time = true,
            Token::Date('h' | 's', _) | Token::HalfDay => time = true,
            Token::Date(..) => date = true,
            _ => {}
        }
    }
    match (date, time) {
        (true, true) => FormatClass::DateTime,
        (true, false) => FormatClass::Date,
        (false, true) => FormatClass::Time,
        (false, false) if tokens == [Token::Text] => FormatClass::Text,
        (false, false) => FormatClass::Number,
    }
}

/// The cell's number as a person sees it in a spreadsheet.
///
/// `number` is what the cell holds: a serial of the 1900 system for dates, times and spans, 0 or 1 for booleans. Text and
/// errors have no number; they show themselves.
#[must_use]
pub fn show(code: Option<&str>, kind: CellKind, number: f64) -> String {
    let code = code.unwrap_or(GENERAL);
    match kind {
        CellKind::Blank | CellKind::Text | CellKind::Error => String::new(),
        CellKind::Boolean => if number == 0.0 { "FALSE" } else { "TRUE" }.to_owned(),
        CellKind::Number => {
            if code == GENERAL {
                return numbers::general(number);
            }
            let all = sections(code);
            // A number that is no date although its format is one: Excel shows `####`, we show the number.
            if classify(code) != FormatClass::Number {
                numbers::general(number)
            } else {
                numbers::show(&all, number)
            }
        }
        CellKind::Date | CellKind::DateTime | CellKind::Time | CellKind::Duration => {
            let tokens = sections(code).into_iter().next().unwrap_or_default();
            let is_date = !matches!(classify(code), FormatClass::Number | FormatClass::Text);
            if is_date {
                dates::show(&tokens, kind, number)
            } else {
                plain(kind, number)
            }
        }
    }
}

/// The cell's number without its format, in a form that reads back: numbers with all their digits, ISO 8601 for dates and times.
///
/// This is what expressions see of a cell in a mixed column. One format counts: all zeros, since `00123` is what such a
/// number is known as.
#[must_use]
pub fn plain_with(code: Option<&str>, kind: CellKind, number: f64) -> String {
    match code {
        Some(code) if kind == CellKind::Number && !code.is_empty() && code.bytes().all(|b| b == b'0') => {
            numbers::show(&sections(code), number)
        }
        _ => plain(kind, number),
    }
}

/// A count for people: `1,048,576`.
#[must_use]
pub fn show_count(count: u64) -> String {
    numbers::grouped(count)
}

fn plain(kind: CellKind, number: f64) -> String {
    match kind {
        CellKind::Blank | CellKind::Text | CellKind::Error => String::new(),
        CellKind::Number => numbers::shortest(number),
        CellKind::Boolean => show(None, kind, number),
        CellKind::Date => unix_ms(number).map(iso_date).unwrap_or_default(),
        CellKind::DateTime => unix_ms(number)
            .map(|ms| format!("{} {}", iso_date(ms), iso_time(ms.rem_euclid(DAY_MS))))
            .unwrap_or_default(),
        CellKind::Time => iso_time(serial_ms(number)),
        CellKind::Duration => iso_duration(serial_ms(number)),
    }
}

/// The sections of a code, each cut into tokens.
fn sections(code: &str) -> Vec<Vec<Token>> {
    let mut all = vec![Vec::new()];
    let chars: Vec<char> = code.chars().collect();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        if c == ';' {
            all.push(Vec::new());
            at += 1;
            continue;
        }
        let (token, used) = next_token(&chars[at..]);
        at += used.max(1);
        if let (Some(token), Some(section)) = (token, all.last_mut()) {
            match (section.last_mut(), token) {
                (Some(Token::Literal(before)), Token::Literal(more)) => before.push_str(&more),
                (_, token) => section.push(token),
            }
        }
    }
    all
}

/// The first token of `rest` and how many characters it takes; `None` where nothing shows.
fn next_token(rest: &[char]) -> (Option<Token>, usize) {
    let literal = |text: String, used| (Some(Token::Literal(text)), used);
    let Some(&first) = rest.first() else { return (None, 0) };
    let starts = |word: &str| {
        rest.iter()
            .take(word.len())
            .collect::<String>()
            .eq_ignore_ascii_case(word)
    };
    match first {
        '"' => {
            let text: String = rest[1..].iter().take_while(|c| **c != '"').collect();
            let used = text.chars().count() + 2;
            literal(text, used)
        }
        '\\' => literal(rest.get(1).map(char::to_string).unwrap_or_default(), 2),
        '_' => literal(" ".to_owned(), 2),
        '*' => (None, 2),
        '[' => bracket(rest),
        '0' | '#' | '?' => (Some(Token::Digit(first)), 1),
        '.' => (Some(Token::Point), 1),
        ',' => (Some(Token::Comma), 1),
        '%' => (Some(Token::Percent), 1),
        '/' => (Some(Token::Slash), 1),
        '@' => (Some(Token::Text), 1),
        'E' | 'e' if matches!(rest.get(1), Some('+' | '-')) => (Some(Token::Exponent(rest[1] == '+')), 2),
        _ if starts("General") => (Some(Token::General), 7),
        _ if starts("AM/PM") => (Some(Token::HalfDay), 5),
        _ if starts("A/P") => (Some(Token::HalfDay), 3),
        'y' | 'Y' | 'm' | 'M' | 'd' | 'D' | 'h' | 'H' | 's' | 'S' | 'e' => {
            let letter = first.to_ascii_lowercase();
            let run = rest.iter().take_while(|c| c.to_ascii_lowercase() == letter).count();
            // `e` is the year in some East Asian codes.
            let letter = if letter == 'e' { 'y' } else { letter };
            (Some(Token::Date(letter, run)), run)
        }
        other => literal(other.to_string(), 1),
    }
}

/// `[Red]`, `[>100]`, `[$-409]` show nothing, `[$€-407]` its symbol, `[hh]` elapsed time.
fn bracket(rest: &[char]) -> (Option<Token>, usize) {
    let inside: String = rest[1..].iter().take_while(|c| **c != ']').collect();
    let used = inside.chars().count() + 2;
    let lower = inside.to_ascii_lowercase();
    if let Some(letter) = lower.chars().next().filter(|c| matches!(c, 'h' | 'm' | 's'))
        && lower.chars().all(|c| c == letter)
    {
        return (Some(Token::Elapsed(letter, lower.len())), used);
    }
    let symbol = inside
        .strip_prefix('$')
        .map(|s| s.split('-').next().unwrap_or_default().to_owned());
    (symbol.filter(|s| !s.is_empty()).map(Token::Literal), used)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_codes_are_dates_times_or_numbers() {
        for (code, class) in [
            ("General", FormatClass::Number),
            ("0.00E+00", FormatClass::Number),
            ("#,##0.00 [$€-407]", FormatClass::Number),
            ("[Red]-0.0;0", FormatClass::Number),
            ("0\" days\"", FormatClass::Number),
            ("#,##0*d", FormatClass::Number),
            ("@", FormatClass::Text),
            ("yyyy-mm-dd", FormatClass::Date),
            ("mmm-yy", FormatClass::Date),
            ("[$-409]d\\ mmm\\ yyyy;@", FormatClass::Date),
            ("mm:ss", FormatClass::Time),
            ("h:mm AM/PM", FormatClass::Time),
            ("m/d/yy h:mm", FormatClass::DateTime),
            ("[h]:mm:ss", FormatClass::Duration),
            ("[Blue]\\+[h]:mm;[Red]\\-[h]:mm", FormatClass::Duration),
        ] {
            assert_eq!(classify(code), class, "{code}");
        }
    }

    #[test]
    fn numbers_show_as_in_a_spreadsheet() {
        for (code, number, shown) in [
            ("General", 0.1 + 0.2, "0.3"),
            ("General", 1234567890123.0, "1234567890123"),
            ("General", -1.5, "-1.5"),
            ("General", 1e21, "1E+21"),
            ("0", 2.5, "3"),
            ("0.00", 2.675, "2.68"),
            ("0.00", -0.001, "0.00"),
            ("#,##0", 1234567.0, "1,234,567"),
            ("#,##0.00", -1234.5, "-1,234.50"),
            ("#,##0.00;(#,##0.00)", -1234.5, "(1,234.50)"),
            ("0%", 0.256, "26%"),
            ("0.0%", 0.256, "25.6%"),
            ("00000", 123.0, "00123"),
            ("000-00-0000", 123456789.0, "123-45-6789"),
            ("0.00E+00", 12345.0, "1.23E+04"),
            ("#,##0.00 [$€-407]", 1.0, "1.00 €"),
            ("0.0##", 1.5, "1.5"),
            ("#.##", 0.5, ".5"),
            ("0,", 12345.0, "12"),
            ("\"EUR \"0", 7.0, "EUR 7"),
            ("0;-0;\"nil\"", 0.0, "nil"),
            ("# ?/?", 0.5, "0.5"),
        ] {
            assert_eq!(show(Some(code), CellKind::Number, number), shown, "{code} of {number}");
        }
    }

    #[test]
    fn dates_show_as_in_a_spreadsheet() {
        for (code, kind, number, shown) in [
            ("yyyy-mm-dd", CellKind::Date, 45_322.0, "2024-01-31"),
            ("d-mmm-yy", CellKind::Date, 45_322.0, "31-Jan-24"),
            ("dddd, mmmm d", CellKind::Date, 45_322.0, "Wednesday, January 31"),
            ("m/d/yy h:mm", CellKind::DateTime, 45_322.562_5, "1/31/24 13:30"),
            ("h:mm AM/PM", CellKind::Time, 0.562_5, "1:30 PM"),
            ("h:mm AM/PM", CellKind::Time, 0.0, "12:00 AM"),
            ("mm:ss.0", CellKind::Time, 0.000_700_231, "01:00.5"),
            ("[h]:mm", CellKind::Duration, 1.5, "36:00"),
            ("[h]:mm", CellKind::Duration, -0.5, "-12:00"),
            ("General", CellKind::Date, 45_322.0, "2024-01-31"),
            ("General", CellKind::DateTime, 45_322.5, "2024-01-31 12:00:00"),
        ] {
            assert_eq!(show(Some(code), kind, number), shown, "{code} of {number}");
        }
    }

    #[test]
    fn plain_values_keep_their_digits_and_written_zeros() {
        assert_eq!(plain_with(None, CellKind::Number, 0.1 + 0.2), "0.30000000000000004");
        assert_eq!(plain_with(Some("#,##0"), CellKind::Number, 1234.0), "1234");
        assert_eq!(plain_with(Some("00000"), CellKind::Number, 123.0), "00123");
        assert_eq!(plain_with(Some("d/m/yy"), CellKind::Date, 45_322.0), "2024-01-31");
        assert_eq!(plain_with(None, CellKind::Duration, 1.5), "PT129600S");
    }
}
