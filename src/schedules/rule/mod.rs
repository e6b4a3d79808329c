//! When a schedule is due: the five fields of cron, by the clock of a place.
//!
//! What summer time does to a rule is what Vixie's cron does. A rule of fixed hours and minutes (`30 2 * * *`) is due once a
//! day: at the first moment after what the clock leaves out, and the first time of what it shows twice. A rule with a `*` in
//! its minutes or hours goes on in real time: it is due both times, and not in what is left out. (Crates that read cron's
//! fields were tried; on such days they lose ticks of rules with several hours.)

use std::collections::BTreeSet;

use chrono::{DateTime, LocalResult, NaiveDate, NaiveDateTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

use fields::Fields;

mod fields;
mod words;

/// Longer rules are not rules.
const LONGEST: usize = 100;
/// How far a rule is looked for: the 29th of February is eight years away at most.
const DAYS_AHEAD: u32 = 366 * 9;

/// A rule that was read, and the place whose clock it goes by.
#[derive(Clone, Debug)]
pub struct Rule {
    text: String,
    fields: Fields,
    zone: Tz,
}

/// Why a rule is none: a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongRule {
    /// The fields cannot be read.
    #[error(
        "“{0}” is not a rule. Write five fields: minute, hour, day of the month, month, day of the week, such as 30 6 * * 1-5."
    )]
    Fields(String),
    /// There is no such place.
    #[error("“{0}” is not a time zone. Write it like Europe/Berlin or UTC.")]
    Zone(String),
    /// No day has it.
    #[error("“{0}” is never due. Choose a day that the month has.")]
    Never(String),
}

impl Rule {
    /// Reads a rule of five fields, and a time zone as IANA names it.
    ///
    /// # Errors
    /// A sentence about what is wrong.
    pub fn read(text: &str, zone: &str) -> Result<Self, WrongRule> {
        let fields = Some(text).filter(|it| it.len() <= LONGEST).and_then(Fields::read);
        Ok(Self {
            fields: fields.ok_or_else(|| WrongRule::Fields(text.to_owned()))?,
            text: text.to_owned(),
            zone: zone
                .trim()
                .parse()
                .map_err(|_unknown| WrongRule::Zone(zone.to_owned()))?,
        })
    }

    /// The first tick after an instant.
    ///
    /// # Errors
    /// [`WrongRule::Never`].
    pub fn next_after(&self, at: DateTime<Utc>) -> Result<DateTime<Utc>, WrongRule> {
        self.after(at).next().ok_or_else(|| WrongRule::Never(self.text.clone()))
    }

    /// Ticks after an instant, in order; none where there is none for years.
    pub fn after(&self, at: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> + '_ {
        let mut days = self.day_of(at).pred_opt();
        let mut ticks = BTreeSet::new();
        let mut idle = 0;
        std::iter::from_fn(move || {
            loop {
                let day = days?;
                // A clock that goes back over midnight puts ticks of a day between those of the next: one more day is looked at.
                if let Some(first) = ticks.first().copied()
                    && self.day_of(first).succ_opt()? < day
                {
                    return ticks.pop_first();
                }
                let before = ticks.len();
                ticks.extend(self.ticks_of(day).into_iter().filter(|it| *it > at));
                idle = if ticks.len() > before { 0 } else { idle + 1 };
                days = day.succ_opt().filter(|_| idle < DAYS_AHEAD);
            }
        })
    }

    /// Ticks up to an instant, itself included, the youngest first.
    pub fn back_from(&self, at: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> + '_ {
        let mut days = self.day_of(at).succ_opt();
        let mut ticks = BTreeSet::new();
        let mut idle = 0;
        std::iter::from_fn(move || {
            loop {
                let day = days?;
                if let Some(last) = ticks.last().copied()
                    && self.day_of(last).pred_opt()? > day
                {
                    return ticks.pop_last();
                }
                let before = ticks.len();
                ticks.extend(self.ticks_of(day).into_iter().filter(|it| *it <= at));
                idle = if ticks.len() > before { 0 } else { idle + 1 };
                days = day.pred_opt().filter(|_| idle < DAYS_AHEAD);
            }
        })
    }

    /// The rule in words, without the place: `every day at 06:00`.
    #[must_use]
    pub fn in_words(&self) -> String {
        words::of(&self.fields).unwrap_or_else(|| format!("by the rule {}", self.text))
    }

    fn day_of(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.zone).date_naive()
    }

    /// The ticks of a day of the calendar, in no order.
    fn ticks_of(&self, day: NaiveDate) -> Vec<DateTime<Utc>> {
        if !self.fields.has_day(day) {
            return Vec::new();
        }
        self.fields
            .times()
            .filter_map(|(hour, minute)| day.and_hms_opt(hour, minute, 0))
            .flat_map(|shown| self.instants(shown))
            .collect()
    }

    /// When the clock shows a time that the rule has.
    fn instants(&self, shown: NaiveDateTime) -> Vec<DateTime<Utc>> {
        let utc = |at: DateTime<Tz>| at.with_timezone(&Utc);
        match self.zone.from_local_datetime(&shown) {
            LocalResult::Single(at) => vec![utc(at)],
            LocalResult::Ambiguous(first, second) if self.fields.goes_on() => vec![utc(first), utc(second)],
            LocalResult::Ambiguous(first, _) => vec![utc(first)],
            LocalResult::None if self.fields.goes_on() => Vec::new(),
            LocalResult::None => self.after_gap(shown).into_iter().collect(),
        }
    }

    /// The first moment after what the clock leaves out: at most a day, where a place changed sides of the date line.
    fn after_gap(&self, shown: NaiveDateTime) -> Option<DateTime<Utc>> {
        (1..=24 * 60)
            .filter_map(|minutes| {
                self.zone
                    .from_local_datetime(&(shown + TimeDelta::minutes(minutes)))
                    .earliest()
            })
            .map(|at| at.with_timezone(&Utc))
            .next()
    }
}

#[cfg(test)]
mod tests;
