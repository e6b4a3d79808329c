//! Rules in words, where they have the shapes that people choose.

use super::fields::{Field, Fields};

const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// `None` where the fields say it shorter.
pub(super) fn of(fields: &Fields) -> Option<String> {
    if !fields.months.is_any(1, 12) {
        return None;
    }
    let days = days(fields)?;
    match (times(fields), within_the_hour(fields)) {
        (Some(times), _) => Some(format!("{} at {times}", days.unwrap_or_else(|| "every day".to_owned()))),
        (None, Some(often)) if fields.hours.is_any(0, 23) => Some(match days {
            Some(days) => format!("{often}, {days}"),
            None => often,
        }),
        _ => None,
    }
}

/// On which days; `Some(None)`: on all.
#[expect(clippy::option_option, reason = "no words are not the same as nothing to say")]
fn days(fields: &Fields) -> Option<Option<String>> {
    match (fields.days.is_any(1, 31), fields.weekdays.is_any(0, 6)) {
        (true, true) => Some(None),
        (true, false) => Some(Some(weekdays(fields.weekdays))),
        (false, true) => {
            let days = list(fields.days.numbers().map(|it| it.to_string()).collect());
            Some(Some(format!("on day {days} of the month")))
        }
        (false, false) => None,
    }
}

fn weekdays(field: Field) -> String {
    let days: Vec<u32> = field.numbers().collect();
    match days.as_slice() {
        [1, 2, 3, 4, 5] => "Monday to Friday".to_owned(),
        [0, 6] => "on Saturday and Sunday".to_owned(),
        days => {
            let names = days.iter().filter_map(|it| WEEKDAYS.get(usize::try_from(*it).ok()?));
            format!("on {}", list(names.map(|it| (*it).to_owned()).collect()))
        }
    }
}

/// `06:00 and 18:00`, where they are few.
fn times(fields: &Fields) -> Option<String> {
    let minute = fields.minutes.only()?;
    let hours: Vec<u32> = fields.hours.numbers().collect();
    if hours.len() > 4 {
        return None;
    }
    Some(list(
        hours.into_iter().map(|hour| format!("{hour:02}:{minute:02}")).collect(),
    ))
}

fn within_the_hour(fields: &Fields) -> Option<String> {
    let minutes: Vec<u32> = fields.minutes.numbers().collect();
    match minutes.as_slice() {
        [0] => Some("every hour".to_owned()),
        [1] => Some("every hour, 1 minute past".to_owned()),
        [one] => Some(format!("every hour, {one} minutes past")),
        all if all.len() == 60 => Some("every minute".to_owned()),
        [0, step, ..]
            if 60 % step == 0
                && (0..60)
                    .step_by(usize::try_from(*step).ok()?)
                    .eq(minutes.iter().copied()) =>
        {
            Some(format!("every {step} minutes"))
        }
        _ => None,
    }
}

fn list(mut parts: Vec<String>) -> String {
    match parts.pop() {
        Some(last) if parts.is_empty() => last,
        Some(last) => format!("{} and {last}", parts.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shapes_that_people_choose_are_told_in_words() {
        for (text, words) in [
            ("0 * * * *", "every hour"),
            ("7 * * * *", "every hour, 7 minutes past"),
            ("* * * * *", "every minute"),
            ("*/15 * * * *", "every 15 minutes"),
            ("0 6 * * *", "every day at 06:00"),
            ("30 6,18 * * *", "every day at 06:30 and 18:30"),
            ("30 6 * * 1-5", "Monday to Friday at 06:30"),
            ("0 9 * * sun,sat", "on Saturday and Sunday at 09:00"),
            ("0 9 * * 1", "on Monday at 09:00"),
            ("0 9 1 * *", "on day 1 of the month at 09:00"),
            ("0 9 1,15 * *", "on day 1 and 15 of the month at 09:00"),
            ("0 * * * 1-5", "every hour, Monday to Friday"),
        ] {
            let fields = Fields::read(text).expect(text);
            assert_eq!(of(&fields).as_deref(), Some(words), "{text}");
        }
        for text in ["0 9 1 1 *", "0 9 13 * 5", "1,2,9 * * * *", "*/7 * * * *", "*/5 3 * * *"] {
            assert_eq!(Fields::read(text).and_then(|it| of(&it)), None, "{text}");
        }
    }
}
