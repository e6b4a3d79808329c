//! What patterns of texts say of them: `99/99/9999` is a date, `9.999,99` a number.

use std::collections::BTreeSet;

use sheetmill_engine::tables::ColumnMeta;

/// Whether a pattern is one of numbers, and by which sign its fraction begins, as far as it says.
#[expect(
    clippy::option_option,
    reason = "no number, a number that does not say, a number that says"
)]
pub(super) fn decimal_sign(pattern: &str) -> Option<Option<char>> {
    let digits = pattern.strip_prefix(['-', '+']).unwrap_or(pattern);
    let figures = digits.chars().filter(|c| *c == '9').count();
    let whole =
        digits.starts_with('9') && digits.ends_with('9') && digits.chars().all(|c| matches!(c, '9' | '.' | ','));
    // More digits than a number holds exactly are a name.
    if !whole || figures > 15 {
        return None;
    }
    let Some(last) = digits.rfind(['.', ',']) else {
        return Some(None);
    };
    let sign = if digits[last..].starts_with(',') { ',' } else { '.' };
    let other = if sign == ',' { '.' } else { ',' };
    let often = digits.matches(sign).count();
    match (often, digits.contains(other), digits.len() - last - 1) {
        (1, true, _) => Some(Some(sign)),
        // 1.234 may be one or a thousand.
        (1, false, 3) => None,
        (1, false, _) => Some(Some(sign)),
        (_, false, 3) => Some(Some(other)),
        _ => None,
    }
}

/// The separator of a pattern of dates, and whether the year stands first.
pub(super) fn date_parts(pattern: &str) -> Option<(char, bool)> {
    let separator = pattern.chars().find(|c| matches!(c, '/' | '.' | '-'))?;
    let parts: Vec<&str> = pattern.split(separator).collect();
    let digits = |part: &&str| !part.is_empty() && part.chars().all(|c| c == '9');
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    match lengths.as_slice() {
        _ if !parts.iter().all(digits) => None,
        [4, 2, 2] => Some((separator, true)),
        [1 | 2, 1 | 2, 4] => Some((separator, false)),
        _ => None,
    }
}

/// The formats under which a column's texts are dates: one way to read them, or two where no value says which is meant.
pub(super) fn date_formats(meta: &ColumnMeta) -> Vec<(&'static str, Vec<String>)> {
    let parts: BTreeSet<(char, bool)> = meta
        .profile
        .patterns
        .iter()
        .filter_map(|(pattern, _)| date_parts(pattern.trim()))
        .collect();
    let formats = |day_first: bool| {
        let format = |(separator, year_first): &(char, bool)| match (year_first, day_first || *separator == '.') {
            (true, _) => format!("%Y{separator}%m{separator}%d"),
            (false, true) => format!("%d{separator}%m{separator}%Y"),
            (false, false) => format!("%m{separator}%d{separator}%Y"),
        };
        parts.iter().map(format).collect::<Vec<_>>()
    };
    if parts
        .iter()
        .all(|(separator, year_first)| *year_first || *separator == '.')
    {
        return vec![("day", formats(true))];
    }
    let shown = meta.profile.top.iter().map(|(text, _)| text);
    let shown = shown.chain(&meta.profile.min).chain(&meta.profile.max);
    let (mut day_first, mut month_first) = (false, false);
    for text in shown {
        let numbers: Vec<u32> = text
            .trim()
            .split(['/', '-'])
            .filter_map(|part| part.parse().ok())
            .collect();
        if let [first, second, year] = numbers.as_slice()
            && *year > 31
        {
            day_first |= *first > 12;
            month_first |= *second > 12;
        }
    }
    match (day_first, month_first) {
        (true, false) => vec![("day", formats(true))],
        (false, true) => vec![("month", formats(false))],
        (false, false) => vec![("day", formats(true)), ("month", formats(false))],
        (true, true) => Vec::new(),
    }
}
