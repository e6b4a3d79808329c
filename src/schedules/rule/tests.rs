//! Ticks against a computation of their own: minute by minute through real time, looking at the clock on the wall.

use chrono::{TimeDelta, Timelike as _};
use proptest::prelude::*;

use super::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

/// The next ticks after an instant, as the clock of the place shows them.
fn shown(fields: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
    let rule = Rule::read(fields, zone).expect("a rule");
    let mut last = at(from);
    let mut shown = Vec::new();
    for _ in 0..count {
        last = rule.next_after(last).expect("a next tick");
        shown.push(last.with_timezone(&rule.zone).format("%m-%d %H:%M %z").to_string());
    }
    shown
}

#[test]
fn a_daily_rule_follows_the_clock_of_its_place_over_the_change() {
    assert_eq!(
        shown("0 6 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3),
        ["03-28 06:00 +0100", "03-29 06:00 +0200", "03-30 06:00 +0200"]
    );
}

#[test]
fn in_the_hour_that_is_left_out_a_daily_rule_is_due_right_after_it_and_an_hourly_one_is_not() {
    assert_eq!(
        shown("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2),
        ["03-29 03:00 +0200", "03-30 02:30 +0200"]
    );
    assert_eq!(
        shown("0 * * * *", "Europe/Berlin", "2026-03-28T23:30:00Z", 3),
        ["03-29 01:00 +0100", "03-29 03:00 +0200", "03-29 04:00 +0200"]
    );
}

#[test]
fn in_the_hour_that_comes_twice_a_daily_rule_is_due_once_and_an_hourly_one_twice() {
    assert_eq!(
        shown("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
        ["10-25 02:30 +0200", "10-26 02:30 +0100"]
    );
    assert_eq!(
        shown("0 * * * *", "Europe/Berlin", "2026-10-24T22:30:00Z", 4),
        [
            "10-25 01:00 +0200",
            "10-25 02:00 +0200",
            "10-25 02:00 +0100",
            "10-25 03:00 +0100"
        ]
    );
}

#[test]
fn a_change_of_half_an_hour_is_followed_too() {
    assert_eq!(
        shown("15 2 * * *", "Australia/Lord_Howe", "2026-10-02T20:00:00Z", 2),
        ["10-04 02:30 +1100", "10-05 02:15 +1100"]
    );
    assert_eq!(
        shown("*/15 1 * * *", "Australia/Lord_Howe", "2026-04-04T13:59:00Z", 6),
        [
            "04-05 01:00 +1100",
            "04-05 01:15 +1100",
            "04-05 01:30 +1100",
            "04-05 01:45 +1100",
            "04-05 01:30 +1030",
            "04-05 01:45 +1030"
        ]
    );
}

#[test]
fn what_is_no_rule_is_said_in_words() {
    for (fields, zone) in [
        ("", "UTC"),
        ("* * * *", "UTC"),
        ("0 0 * * * *", "UTC"),
        ("@hourly", "UTC"),
        ("61 * * * *", "UTC"),
        ("0 25 * * *", "UTC"),
        (&"0,".repeat(80), "UTC"),
        ("0 * * * *", "Berlin"),
        ("0 * * * *", ""),
    ] {
        let wrong = Rule::read(fields, zone).expect_err(fields);
        assert!(wrong.to_string().contains("Write "), "{wrong}");
    }
    let never = Rule::read("0 0 30 2 *", "UTC").expect("it can be read");
    assert!(matches!(
        never.next_after(at("2026-01-01T00:00:00Z")),
        Err(WrongRule::Never(_))
    ));
}

/// A rule of one field for minutes and one for hours, each as the text and what it lets through.
#[derive(Clone, Debug)]
struct Fields {
    text: String,
    minutes: Vec<u32>,
    hours: Vec<u32>,
    /// A star or a step stands in it.
    goes_on: bool,
}

fn field(below: u32) -> impl Strategy<Value = (String, Vec<u32>, bool)> {
    prop_oneof![
        Just(("*".to_owned(), (0..below).collect(), true)),
        (2..below / 2).prop_map(move |step| (format!("*/{step}"), (0..below).step_by(step as usize).collect(), true)),
        (0..below).prop_map(|one| (one.to_string(), vec![one], false)),
        (0..below, 0..below).prop_map(|(one, other)| {
            let mut both = vec![one, other];
            both.sort_unstable();
            both.dedup();
            (format!("{one},{other}"), both, false)
        }),
    ]
}

fn fields() -> impl Strategy<Value = Fields> {
    // Hours around those that are left out or come twice are drawn more often.
    let hour = prop_oneof![field(24), (0..4_u32).prop_map(|it| (it.to_string(), vec![it], false))];
    (field(60), hour).prop_map(|((minute, minutes, of_minutes), (hour, hours, of_hours))| Fields {
        text: format!("{minute} {hour} * * *"),
        minutes,
        hours,
        goes_on: of_minutes || of_hours,
    })
}

impl Fields {
    fn lets_through(&self, wall: NaiveDateTime) -> bool {
        self.hours.contains(&wall.hour()) && self.minutes.contains(&wall.minute())
    }

    /// All ticks after `from`, up to `until`.
    fn ticks(&self, zone: Tz, from: DateTime<Utc>, until: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let mut ticks = Vec::new();
        let mut minute = from + TimeDelta::minutes(1);
        while minute <= until {
            let wall = minute.with_timezone(&zone).naive_local();
            let before = (minute - TimeDelta::minutes(1)).with_timezone(&zone).naive_local();
            if self.goes_on {
                if self.lets_through(wall) {
                    ticks.push(minute);
                }
            } else {
                // The clock jumped: what it left out is due now. What it shows for the second time is not.
                let mut left_out = before + TimeDelta::minutes(1);
                let mut due = false;
                while left_out < wall {
                    due |= self.lets_through(left_out);
                    left_out += TimeDelta::minutes(1);
                }
                let again = zone
                    .from_local_datetime(&wall)
                    .earliest()
                    .is_some_and(|first| first < minute);
                if due || (self.lets_through(wall) && !again) {
                    ticks.push(minute);
                }
            }
            minute += TimeDelta::minutes(1);
        }
        ticks
    }
}

/// Places, each with the midnights in UTC before its changes of 2026.
const CHANGES: [(&str, [&str; 2]); 3] = [
    ("Europe/Berlin", ["2026-03-28T00:00:00Z", "2026-10-24T00:00:00Z"]),
    ("America/New_York", ["2026-03-07T12:00:00Z", "2026-10-31T12:00:00Z"]),
    ("Australia/Lord_Howe", ["2026-04-03T20:00:00Z", "2026-10-02T20:00:00Z"]),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ticks_around_summer_time_are_those_of_the_clock_on_the_wall(
        fields in fields(),
        place in 0..CHANGES.len(),
        change in 0..2_usize,
        offset in 0..1440_i64,
    ) {
        let (zone, starts) = CHANGES[place];
        let rule = Rule::read(&fields.text, zone).expect("a rule");
        let from = at(starts[change]) + TimeDelta::minutes(offset);
        let until = from + TimeDelta::days(2);
        let expected = fields.ticks(rule.zone, from, until);
        let forward: Vec<DateTime<Utc>> = rule.after(from).take_while(|it| *it <= until).collect();
        prop_assert_eq!(&forward, &expected, "{} {} from {}", fields.text, zone, from);
        let mut back: Vec<DateTime<Utc>> = rule.back_from(until).take_while(|it| *it > from).collect();
        back.reverse();
        prop_assert_eq!(&back, &expected, "{} {} back from {}", fields.text, zone, until);
    }
}
