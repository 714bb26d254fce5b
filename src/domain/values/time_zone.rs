//! Time zone, which determines the current date of a user.

use chrono::{DateTime, Duration, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Offset as _, Utc};
use jiff::Timestamp;
use jiff::tz::AmbiguousOffset;

use crate::domain::values::value::{Shape, Value};
use crate::error::Violation;

/// Time zone of the IANA database that is compiled into the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeZone(jiff::tz::TimeZone);

/// Which of the two instants is meant when the clock is put back and shows the same time again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeated {
    /// The first one.
    First,
    /// The second one.
    Second,
}

/// The instant of a local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalInstant {
    /// The instant.
    pub time: DateTime<Utc>,
    /// Whether the local time does not exist, and this is the next instant that does.
    pub is_shifted: bool,
}

impl Value for TimeZone {
    const SHAPE: Shape = Shape::text(1, TimeZone::MAX_CHARS);

    fn from_text(text: &str) -> Result<Self, Violation> {
        Self::parse(text)
    }
}

/// Names of the database that mean that a zone is not set.
const NO_PLACE: [&str; 2] = ["Etc/Unknown", "Factory"];

impl TimeZone {
    /// Maximum number of characters of a name.
    pub const MAX_CHARS: usize = 64;

    /// UTC.
    pub const UTC: Self = Self(jiff::tz::TimeZone::UTC);

    /// Finds a time zone by its name, such as `Europe/Berlin`. Letter case does not matter.
    ///
    /// # Errors
    /// Returns a violation `time_zone` if there is no such zone.
    pub fn parse(name: &str) -> Result<Self, Violation> {
        let refused = || Violation::new("time_zone", "time_zone", "must be an IANA time zone, such as Europe/Berlin");
        if NO_PLACE.iter().any(|unset| unset.eq_ignore_ascii_case(name)) {
            return Err(refused());
        }
        jiff::tz::TimeZone::get(name).map(Self).map_err(|_| refused())
    }

    /// Name as the IANA database spells it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The instant of a local time. The clock shows a time twice when it is put back, and not at all when it is put
    /// forward; then the next instant that exists is returned.
    #[must_use]
    pub fn instant(&self, local: NaiveDateTime, repeated: Repeated) -> LocalInstant {
        let at = |offset: jiff::tz::Offset| (local - Duration::seconds(offset.seconds().into())).and_utc();
        match self.0.to_ambiguous_timestamp(to_jiff(local)).offset() {
            AmbiguousOffset::Unambiguous { offset } => LocalInstant { time: at(offset), is_shifted: false },
            AmbiguousOffset::Fold { before, after } => {
                let offset = if repeated == Repeated::First { before } else { after };
                LocalInstant { time: at(offset), is_shifted: false }
            }
            AmbiguousOffset::Gap { before, after } => {
                // Between these two, the clock is put forward.
                let (from, until) = (at(after), at(before));
                let transition = timestamp(from).and_then(|from| self.0.following(from).next());
                let change = transition.and_then(|change| DateTime::from_timestamp(change.timestamp().as_second(), 0));
                LocalInstant { time: change.unwrap_or(until), is_shifted: true }
            }
        }
    }

    /// The begin of a day.
    #[must_use]
    pub fn midnight(&self, date: NaiveDate) -> DateTime<Utc> {
        self.instant(date.and_time(NaiveTime::MIN), Repeated::First).time
    }

    /// The local time of an instant.
    #[must_use]
    pub fn local(&self, time: DateTime<Utc>) -> NaiveDateTime {
        (time + self.offset(time)).naive_utc()
    }

    /// The local time of an instant with its offset from UTC (RFC 3339).
    #[must_use]
    pub fn local_with_offset(&self, time: DateTime<Utc>) -> DateTime<FixedOffset> {
        let seconds = i32::try_from(self.offset(time).num_seconds()).unwrap_or(0);
        time.with_timezone(&FixedOffset::east_opt(seconds).unwrap_or_else(|| Utc.fix()))
    }

    fn offset(&self, time: DateTime<Utc>) -> Duration {
        Duration::seconds(timestamp(time).map_or(0, |time| self.0.to_offset(time).seconds()).into())
    }

    /// The date in this zone.
    #[must_use]
    pub fn date(&self, time: DateTime<Utc>) -> NaiveDate {
        self.local(time).date()
    }
}

fn timestamp(time: DateTime<Utc>) -> Option<Timestamp> {
    Timestamp::from_second(time.timestamp()).ok()
}

/// A local time of the library with the time zones. Years that it does not know are far from any slot.
fn to_jiff(local: NaiveDateTime) -> jiff::civil::DateTime {
    let timestamp = timestamp(local.and_utc()).unwrap_or(Timestamp::UNIX_EPOCH);
    jiff::tz::Offset::UTC.to_datetime(timestamp)
}

#[cfg(test)]
mod tests {
    use super::TimeZone;

    #[test]
    fn a_day_begins_at_midnight_of_its_zone() {
        let date = |zone: &str, time: &str| TimeZone::parse(zone).unwrap().date(time.parse().unwrap()).to_string();
        for (zone, time, expected) in [
            ("UTC", "2026-06-30T23:30:00Z", "2026-06-30"),
            ("Europe/Berlin", "2026-06-30T23:30:00Z", "2026-07-01"),
            ("Europe/Berlin", "2026-12-31T22:59:59Z", "2026-12-31"),
            ("Europe/Berlin", "2026-12-31T23:00:00Z", "2027-01-01"),
            ("America/New_York", "2026-07-01T03:59:59Z", "2026-06-30"),
            ("Asia/Kolkata", "2026-06-30T18:30:00Z", "2026-07-01"),
            ("Pacific/Kiritimati", "2026-06-30T10:00:00Z", "2026-07-01"),
            // Beyond the last year with explicit transitions.
            ("Europe/Berlin", "2099-06-30T22:00:00Z", "2099-07-01"),
        ] {
            assert_eq!(date(zone, time), expected, "{zone} {time}");
        }
        assert_eq!(TimeZone::parse("europe/BERLIN").unwrap().name(), "Europe/Berlin");
        for wrong in ["", "Mars", "../etc/passwd", "Europe/Berlin\0", "CET+1"] {
            assert!(TimeZone::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_local_time_that_is_repeated_or_skipped_has_an_instant() {
        use super::Repeated::{First, Second};
        for (zone, local, repeated, instant, is_shifted) in [
            ("Europe/Berlin", "2026-10-25T02:30:00", First, "2026-10-25T00:30:00Z", false),
            ("Europe/Berlin", "2026-10-25T02:30:00", Second, "2026-10-25T01:30:00Z", false),
            ("Europe/Berlin", "2026-03-29T02:30:00", First, "2026-03-29T01:00:00Z", true),
            ("Europe/Berlin", "2026-03-29T03:00:00", First, "2026-03-29T01:00:00Z", false),
            // Half an hour.
            ("Australia/Lord_Howe", "2026-10-04T02:10:00", First, "2026-10-03T15:30:00Z", true),
            // A whole day.
            ("Pacific/Apia", "2011-12-30T10:00:00", First, "2011-12-30T10:00:00Z", true),
            ("America/Santiago", "2026-09-06T00:00:00", First, "2026-09-06T04:00:00Z", true),
        ] {
            let found = TimeZone::parse(zone).unwrap().instant(local.parse().unwrap(), repeated);
            assert_eq!(found, super::LocalInstant { time: instant.parse().unwrap(), is_shifted }, "{zone} {local}");
        }
        let berlin = TimeZone::parse("Europe/Berlin").unwrap();
        let local = berlin.local_with_offset("2026-07-01T06:00:00Z".parse().unwrap());
        assert_eq!(local.to_rfc3339(), "2026-07-01T08:00:00+02:00");
    }
}
