//! When a run is to begin, and what it goes before: as forms say it.

use std::time::Duration;

use chrono::{NaiveDateTime, TimeDelta};
use serde::Deserialize;

use crate::pages::PageError;
use crate::runs::When;

/// What a form says. Without any of it a run begins at once, in its turn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(in crate::pages) struct Later {
    /// Seconds from now, or `at` for a time of its own.
    pub(super) begin: String,
    /// That time, by the reader's clock: `2026-11-28T06:00`.
    pub(super) at: String,
    /// Minutes that the reader's clock is behind UTC then; a script fills it in, and without one the time is UTC.
    pub(super) offset: String,
    /// Higher goes first.
    pub(super) priority: String,
}

impl Later {
    /// When it is to begin; `None`: at once.
    pub(super) fn when(&self) -> Result<Option<When>, PageError> {
        match self.begin.as_str() {
            "" | "0" => Ok(None),
            "at" => Ok(Some(self.instant()?)),
            seconds => {
                let seconds: u32 = seconds.parse().map_err(|_no_number| no_time())?;
                Ok(Some(When::After(Duration::from_secs(seconds.into()))))
            }
        }
    }

    fn instant(&self) -> Result<When, PageError> {
        let shown = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(&self.at, form).ok())
            .ok_or_else(no_time)?;
        let behind: i32 = match self.offset.as_str() {
            "" => 0,
            minutes => minutes.parse().map_err(|_no_number| no_time())?,
        };
        let utc = shown.checked_add_signed(TimeDelta::minutes(behind.into()));
        Ok(When::At(utc.ok_or_else(no_time)?.and_utc()))
    }

    /// What it goes before.
    pub(super) fn priority(&self) -> Result<i32, PageError> {
        let wrong = || PageError::Wrong("Choose what the run goes before.".to_owned());
        match self.priority.as_str() {
            "" => Ok(0),
            number => number.parse().map_err(|_no_number| wrong()),
        }
    }
}

fn no_time() -> PageError {
    PageError::Wrong("Choose a day and a time for the run to begin.".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(at: &str, offset: &str) -> Option<String> {
        let later = Later {
            begin: "at".to_owned(),
            at: at.to_owned(),
            offset: offset.to_owned(),
            ..Later::default()
        };
        match later.when().ok()?? {
            When::At(at) => Some(at.to_rfc3339()),
            When::After(_) => None,
        }
    }

    #[test]
    fn a_time_is_that_of_the_readers_clock() {
        assert_eq!(
            at("2026-11-28T06:00", "-60").as_deref(),
            Some("2026-11-28T05:00:00+00:00")
        );
        assert_eq!(
            at("2026-11-28T06:00", "300").as_deref(),
            Some("2026-11-28T11:00:00+00:00")
        );
        assert_eq!(at("2026-11-28T06:00", "").as_deref(), Some("2026-11-28T06:00:00+00:00"));
        for wrong in ["", "tomorrow", "2026-02-30T06:00"] {
            assert_eq!(at(wrong, ""), None, "{wrong}");
        }
        assert_eq!(at("2026-11-28T06:00", "an hour"), None);
    }

    #[test]
    fn without_a_word_a_run_begins_at_once_and_in_its_turn() {
        let later = Later::default();
        assert_eq!(later.when().expect("a time"), None);
        assert_eq!(later.priority().expect("a number"), 0);
        let in_an_hour = Later {
            begin: "3600".to_owned(),
            priority: "-10".to_owned(),
            ..Later::default()
        };
        assert_eq!(
            in_an_hour.when().expect("a time"),
            Some(When::After(Duration::from_secs(3600)))
        );
        assert_eq!(in_an_hour.priority().expect("a number"), -10);
    }
}
