//! Which ticks are made now: those that are due, and of those that nobody was there for what the policy says.

use chrono::{DateTime, TimeDelta, Utc};

use super::rule::Rule;
use crate::domain::states::MissedTicks;

/// A tick that is made this late is not missed: a restart takes less.
const LATE: TimeDelta = TimeDelta::minutes(5);
/// The most ticks that are made up for: two days of hours, and a month and a half of days. Older ones are let go.
const AT_MOST: usize = 48;

/// The ticks to make at `now` of a rule whose next one was at `due`, in order.
#[must_use]
pub fn ticks(rule: &Rule, missed: MissedTicks, due: DateTime<Utc>, now: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    let (oldest, most) = match missed {
        MissedTicks::Skip => (due.max(now - LATE), AT_MOST),
        MissedTicks::Once => (due, 1),
        MissedTicks::All => (due, AT_MOST),
    };
    let mut ticks: Vec<DateTime<Utc>> = rule.back_from(now).take_while(|at| *at >= oldest).take(most).collect();
    ticks.reverse();
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    fn made(missed: MissedTicks, due: &str, now: &str) -> Vec<String> {
        let rule = Rule::read("0 * * * *", "UTC").expect("a rule");
        let ticks = ticks(&rule, missed, at(due), at(now));
        ticks.iter().map(|it| it.format("%d %H:%M").to_string()).collect()
    }

    #[test]
    fn a_tick_in_time_is_made_whatever_the_policy() {
        for missed in MissedTicks::ALL {
            let ticks = made(*missed, "2026-11-27T10:00:00Z", "2026-11-27T10:00:03.5Z");
            assert_eq!(ticks, ["27 10:00"], "{missed}");
            assert_eq!(made(*missed, "2026-11-27T10:00:00Z", "2026-11-27T09:59:59.9Z"), [""; 0]);
        }
    }

    #[test]
    fn after_five_hours_without_a_worker_none_one_or_all_are_made() {
        let made = |missed| made(missed, "2026-11-27T10:00:00Z", "2026-11-27T14:30:00Z");
        assert_eq!(made(MissedTicks::Skip), [""; 0]);
        assert_eq!(made(MissedTicks::Once), ["27 14:00"]);
        let all = ["27 10:00", "27 11:00", "27 12:00", "27 13:00", "27 14:00"];
        assert_eq!(made(MissedTicks::All), all);
    }

    #[test]
    fn after_a_year_only_the_last_ones_are_made() {
        let made = made(MissedTicks::All, "2025-11-27T10:00:00Z", "2026-11-27T14:30:00Z");
        assert_eq!(
            (made.len(), made.last().map(String::as_str)),
            (AT_MOST, Some("27 14:00"))
        );
    }

    #[test]
    fn of_missed_ticks_a_skipping_schedule_still_makes_the_one_that_is_just_due() {
        let made = made(MissedTicks::Skip, "2026-11-27T10:00:00Z", "2026-11-27T14:02:00Z");
        assert_eq!(made, ["27 14:00"]);
    }
}
