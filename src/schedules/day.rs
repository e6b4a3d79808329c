//! A day by the clock of a place.

use chrono::{DateTime, LocalResult, NaiveDate, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

use super::WrongRule;

/// A day: 23, 24 or 25 hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// `2026-11-27`.
    pub name: String,
    /// Its first instant.
    pub from: DateTime<Utc>,
    /// The first instant of the next one.
    pub to: DateTime<Utc>,
    zone: Tz,
}

impl Day {
    /// The day before that of an instant, in a place as IANA names it.
    ///
    /// # Errors
    /// [`WrongRule::Zone`].
    pub fn before(at: DateTime<Utc>, place: &str) -> Result<Self, WrongRule> {
        let no_place = || WrongRule::Zone(place.to_owned());
        let zone: Tz = place.parse().map_err(|_unknown| no_place())?;
        let today = at.with_timezone(&zone).date_naive();
        let yesterday = today.pred_opt().ok_or_else(no_place)?;
        Ok(Self {
            name: yesterday.to_string(),
            from: begin(zone, yesterday).ok_or_else(no_place)?,
            to: begin(zone, today).ok_or_else(no_place)?,
            zone,
        })
    }

    /// The place.
    #[must_use]
    pub fn place(&self) -> &'static str {
        self.zone.name()
    }

    /// An instant as the clock of the place shows it.
    #[must_use]
    pub fn shown(&self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.zone).format("%Y-%m-%d %H:%M").to_string()
    }
}

/// The first instant of a day: where the clock leaves midnight out, the one after.
fn begin(zone: Tz, day: NaiveDate) -> Option<DateTime<Utc>> {
    let midnight = day.and_hms_opt(0, 0, 0)?;
    (0..24 * 60).find_map(
        |minutes| match zone.from_local_datetime(&(midnight + TimeDelta::minutes(minutes))) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(at.with_timezone(&Utc)),
            LocalResult::None => None,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(at: &str, place: &str) -> (String, i64) {
        let day = Day::before(at.parse().expect("a time"), place).expect("a day");
        (day.name.clone(), (day.to - day.from).num_minutes())
    }

    #[test]
    fn a_day_has_the_hours_that_its_place_gives_it() {
        assert_eq!(
            hours("2026-11-28T05:00:00Z", "Europe/Berlin"),
            ("2026-11-27".to_owned(), 1440)
        );
        assert_eq!(
            hours("2026-03-30T04:00:00Z", "Europe/Berlin"),
            ("2026-03-29".to_owned(), 1380)
        );
        assert_eq!(
            hours("2026-10-26T05:00:00Z", "Europe/Berlin"),
            ("2026-10-25".to_owned(), 1500)
        );
        assert_eq!(
            hours("2026-11-27T23:30:00Z", "Europe/Berlin"),
            ("2026-11-27".to_owned(), 1440)
        );
        assert_eq!(
            hours("2026-10-04T12:00:00Z", "Australia/Lord_Howe"),
            ("2026-10-03".to_owned(), 1440)
        );
        assert_eq!(
            hours("2026-10-05T01:00:00Z", "Australia/Lord_Howe"),
            ("2026-10-04".to_owned(), 1410)
        );
    }

    #[test]
    fn a_day_whose_midnight_is_left_out_begins_after_it() {
        // Egypt's clocks jump from midnight to one o'clock on the last Friday of April.
        assert_eq!(
            hours("2026-04-25T12:00:00Z", "Africa/Cairo"),
            ("2026-04-24".to_owned(), 1380)
        );
    }
}
