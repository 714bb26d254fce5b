//! Local dates and times of day, without a time zone.

use std::fmt;

use chrono::{Datelike as _, NaiveDate, NaiveDateTime, NaiveTime};

use crate::domain::values::value::{Shape, Value};
use crate::error::Violation;

/// A date from 1900 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalDate(NaiveDate);

/// A time of day in whole minutes, from 00:00 to 24:00, which is the end of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay {
    minutes: u32,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weekday(chrono::Weekday);

/// Days of the week, from Monday.
const WEEKDAYS: [(&str, chrono::Weekday); 7] = [
    ("monday", chrono::Weekday::Mon),
    ("tuesday", chrono::Weekday::Tue),
    ("wednesday", chrono::Weekday::Wed),
    ("thursday", chrono::Weekday::Thu),
    ("friday", chrono::Weekday::Fri),
    ("saturday", chrono::Weekday::Sat),
    ("sunday", chrono::Weekday::Sun),
];

impl LocalDate {
    /// The date.
    #[must_use]
    pub const fn date(self) -> NaiveDate {
        self.0
    }
}

impl Value for LocalDate {
    const SHAPE: Shape = Shape::format("date");

    fn from_text(text: &str) -> Result<Self, Violation> {
        // chrono accepts `2026-1-1` and signs.
        let has_form = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let date =
            has_form.then(|| text.parse::<NaiveDate>().ok()).flatten().ok_or_else(|| Self::SHAPE.wrong_type())?;
        if !(1900..=9999).contains(&date.year()) {
            return Err(Violation::of_value("range", "must be a date from 1900 to 9999"));
        }
        Ok(Self(date))
    }
}

impl TimeOfDay {
    /// Midnight at the begin of the day.
    pub const BEGIN: Self = Self { minutes: 0 };

    /// Midnight at the end of the day.
    pub const END: Self = Self { minutes: 24 * 60 };

    /// Minutes after midnight, on a clock that is never changed.
    #[must_use]
    pub const fn minutes(self) -> u32 {
        self.minutes
    }

    /// The time on a date; 24:00 is midnight of the next date.
    #[must_use]
    pub fn on(self, date: NaiveDate) -> NaiveDateTime {
        date.and_time(NaiveTime::MIN) + chrono::Duration::minutes(self.minutes.into())
    }
}

impl Value for TimeOfDay {
    const SHAPE: Shape =
        Shape::Text { min: 5, max: Some(5), format: None, pattern: Some("^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$") };

    fn from_text(text: &str) -> Result<Self, Violation> {
        let part = |part: &str| (part.len() == 2).then(|| part.parse::<u32>().ok()).flatten();
        let parts = text.split_once(':').and_then(|(hours, minutes)| part(hours).zip(part(minutes)));
        let minutes = parts.filter(|(hours, minutes)| *minutes < 60 && hours * 60 + minutes <= 24 * 60);
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
        minutes
            .filter(|_| is_plain)
            .map(|(hours, minutes)| Self { minutes: hours * 60 + minutes })
            .ok_or_else(|| Violation::of_value("time_of_day", "must be a time from 00:00 to 24:00, such as 08:30"))
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.minutes / 60, self.minutes % 60)
    }
}

impl Weekday {
    /// The day of the week.
    #[must_use]
    pub const fn day(self) -> chrono::Weekday {
        self.0
    }
}

impl Value for Weekday {
    const SHAPE: Shape = Shape::Enum(|| WEEKDAYS.iter().map(|(name, _)| (*name).to_owned()).collect());

    fn from_text(text: &str) -> Result<Self, Violation> {
        let day = WEEKDAYS.iter().find(|(name, _)| *name == text);
        day.map(|(_, day)| Self(*day)).ok_or_else(|| Self::SHAPE.wrong_type())
    }
}

#[cfg(test)]
mod tests {
    use super::{LocalDate, TimeOfDay, Weekday};
    use crate::domain::values::value::Value as _;

    #[test]
    fn times_of_day_are_whole_minutes_until_midnight() {
        for (text, minutes) in [("00:00", 0), ("08:30", 510), ("23:59", 1439), ("24:00", 1440)] {
            let time = TimeOfDay::from_text(text).unwrap();
            assert_eq!((time.minutes(), time.to_string()), (minutes, text.to_owned()));
        }
        for wrong in ["", "8:30", "24:01", "12:60", "12:00:00", "+1:00", "-1:00", "12-00", "1 :00"] {
            assert!(TimeOfDay::from_text(wrong).is_err(), "{wrong}");
        }
        let date = LocalDate::from_text("2026-12-31").unwrap().date();
        assert_eq!(TimeOfDay::from_text("24:00").unwrap().on(date).to_string(), "2027-01-01 00:00:00");
    }

    #[test]
    fn dates_and_weekdays_have_one_form() {
        for wrong in ["", "2026-1-1", "2026-02-30", "+2026-01-01", "1899-12-31", "2026-01-01T00:00:00Z"] {
            assert!(LocalDate::from_text(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Weekday::from_text("sunday").unwrap().day(), chrono::Weekday::Sun);
        assert!(Weekday::from_text("Sunday").is_err());
    }
}
