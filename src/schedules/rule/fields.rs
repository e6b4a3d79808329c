//! The five fields of cron: minute, hour, day of the month, month, day of the week. Each is a list of numbers, ranges and steps
//! (`5`, `1-5`, `*/15`, `0-30/10`); months and weekdays may be named by their first three letters, and Sunday is 0 or 7.

use chrono::{Datelike as _, NaiveDate};

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// What the fields let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) minutes: Field,
    pub(super) hours: Field,
    pub(super) days: Field,
    pub(super) months: Field,
    pub(super) weekdays: Field,
}

/// The numbers that one field lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    bits: u64,
    /// Whether a `*` stands in it, with or without a step.
    pub(super) starred: bool,
}

impl Fields {
    /// Reads them; `None` when they are not that.
    pub(super) fn read(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split_ascii_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = parts.as_slice() else {
            return None;
        };
        let mut read = Self {
            minutes: Field::read(minutes, (0, 59), &[])?,
            hours: Field::read(hours, (0, 23), &[])?,
            days: Field::read(days, (1, 31), &[])?,
            months: Field::read(months, (1, 12), &MONTHS)?,
            weekdays: Field::read(weekdays, (0, 7), &WEEKDAYS)?,
        };
        if read.weekdays.has(7) {
            read.weekdays.bits = (read.weekdays.bits | 1) & 0x7f;
        }
        Some(read)
    }

    /// Whether the rule goes on in real time when the clock is changed.
    pub(super) fn goes_on(&self) -> bool {
        self.minutes.starred || self.hours.starred
    }

    /// Whether it is due on a day. Where both kinds of days are given, one of them is enough, as everywhere.
    pub(super) fn has_day(&self, day: NaiveDate) -> bool {
        let of_month = self.days.has(day.day());
        let of_week = self.weekdays.has(day.weekday().num_days_from_sunday());
        let matches = if self.days.starred || self.weekdays.starred {
            of_month && of_week
        } else {
            of_month || of_week
        };
        matches && self.months.has(day.month())
    }

    /// The times of a day that it is due at.
    pub(super) fn times(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        let minutes = self.minutes;
        self.hours
            .numbers()
            .flat_map(move |hour| minutes.numbers().map(move |minute| (hour, minute)))
    }
}

impl Field {
    fn read(text: &str, (first, last): (u32, u32), names: &[&str]) -> Option<Self> {
        let mut field = Self {
            bits: 0,
            starred: false,
        };
        let number = |text: &str| -> Option<u32> {
            let named = names.iter().position(|it| it.eq_ignore_ascii_case(text));
            match named {
                Some(index) => u32::try_from(index).ok().map(|it| it + first),
                None if text.len() <= 2 && text.bytes().all(|it| it.is_ascii_digit()) => text.parse().ok(),
                None => None,
            }
        };
        for part in text.split(',') {
            let (range, step) = match part.split_once('/') {
                Some((range, step)) => (range, number(step).filter(|it| (1..=last).contains(it))?),
                None => (part, 1),
            };
            let (from, to) = match range.split_once('-') {
                Some((from, to)) => (number(from)?, number(to)?),
                None if range == "*" => (first, last),
                // A step wants something to step through.
                None if step > 1 => return None,
                None => (number(range)?, number(range)?),
            };
            if from < first || to > last || from > to {
                return None;
            }
            field.starred |= range == "*";
            let step = usize::try_from(step).ok()?;
            (from..=to).step_by(step).for_each(|it| field.bits |= 1 << it);
        }
        Some(field)
    }

    /// Whether a number passes.
    pub(super) fn has(self, number: u32) -> bool {
        self.bits & (1 << number) != 0
    }

    /// All that pass, in order.
    pub(super) fn numbers(self) -> impl Iterator<Item = u32> {
        (0..u64::BITS).filter(move |it| self.has(*it))
    }

    /// The only one that passes.
    pub(super) fn only(self) -> Option<u32> {
        (self.bits.count_ones() == 1).then(|| self.bits.trailing_zeros())
    }

    /// Whether there is no condition.
    pub(super) fn is_any(self, first: u32, last: u32) -> bool {
        (first..=last).all(|it| self.has(it))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(text: &str) -> Option<Vec<u32>> {
        Some(Field::read(text, (0, 59), &[])?.numbers().collect())
    }

    #[test]
    fn a_field_is_a_list_of_numbers_ranges_and_steps() {
        assert_eq!(minutes("5"), Some(vec![5]));
        assert_eq!(minutes("59,0,30"), Some(vec![0, 30, 59]));
        assert_eq!(minutes("10-13"), Some(vec![10, 11, 12, 13]));
        assert_eq!(minutes("*/20"), Some(vec![0, 20, 40]));
        assert_eq!(minutes("5-35/15,50"), Some(vec![5, 20, 35, 50]));
        assert_eq!(minutes("*").map(|it| it.len()), Some(60));
    }

    #[test]
    fn what_is_none_is_not_read() {
        for text in [
            "", "60", "-1", "5-", "-5", "9-5", "1,,2", "*/0", "5/2", "*/60", "+5", "1 2", "a", "0x5", "007", "٣",
        ] {
            assert_eq!(minutes(text), None, "{text:?}");
        }
    }

    #[test]
    fn months_and_weekdays_have_names_and_sunday_two_numbers() {
        let read = |text| Fields::read(text).expect("it can be read");
        assert_eq!(read("0 0 * JAN-mar sun,Fri"), read("0 0 * 1-3 0,5"));
        assert_eq!(read("0 0 * * 5-7"), read("0 0 * * 0,5,6"));
    }

    #[test]
    fn of_two_kinds_of_days_one_is_enough() {
        let both = Fields::read("0 0 13 * 5").expect("it can be read");
        let day = |day| NaiveDate::from_ymd_opt(2026, 11, day).expect("a day");
        assert!(both.has_day(day(13)) && both.has_day(day(27)) && !both.has_day(day(14)));
        let saturday_13th = NaiveDate::from_ymd_opt(2026, 6, 13).expect("a day");
        assert!(both.has_day(saturday_13th));
    }
}
