//! Time zone, which determines the current date of a user.

use chrono::{DateTime, Duration, NaiveDate, Utc};
use jiff::Timestamp;

use crate::domain::values::value::{Shape, Value};
use crate::error::Violation;

/// Time zone of the IANA database that is compiled into the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeZone(jiff::tz::TimeZone);

impl Value for TimeZone {
    const SHAPE: Shape = Shape::text(1, TimeZone::MAX_CHARS);

    fn from_text(text: &str) -> Result<Self, Violation> {
        Self::parse(text)
    }
}

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
        jiff::tz::TimeZone::get(name).map(Self).map_err(|_| refused())
    }

    /// Name as the IANA database spells it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The date in this zone.
    #[must_use]
    pub fn date(&self, time: DateTime<Utc>) -> NaiveDate {
        let offset = Timestamp::from_second(time.timestamp()).map_or(0, |time| self.0.to_offset(time).seconds());
        (time + Duration::seconds(offset.into())).date_naive()
    }
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
}
