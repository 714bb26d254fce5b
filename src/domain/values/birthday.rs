//! A birthday: a day of the calendar, of which the year may be unknown.

use chrono::{Datelike, NaiveDate};

use crate::domain::values::number::Number;
use crate::error::Violation;

/// The earliest year of birth.
pub const FIRST_YEAR: i32 = 1900;

/// A month of birth.
pub type BirthMonth = Number<1, 12>;

/// A day of birth.
pub type BirthDay = Number<1, 31>;

/// A leap year, for days without a year.
const ANY_LEAP_YEAR: i32 = 2000;

/// A day on which somebody was born.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Birthday {
    month: u32,
    day: u32,
    year: Option<i32>,
}

/// On which day somebody born on 29 February has their birthday in a common year.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LeapDay {
    /// On 28 February.
    #[default]
    Feb28,
    /// On 1 March.
    Mar1,
}

impl Birthday {
    /// A birthday from its parts; none from no parts.
    ///
    /// # Errors
    /// Tells which part breaks a rule: the day must exist, and not lie behind `latest`.
    pub fn parse(
        month: Option<i16>,
        day: Option<i16>,
        year: Option<i16>,
        latest: NaiveDate,
    ) -> Result<Option<Self>, Violation> {
        let (month, day) = match (month, day, year) {
            (None, None, None) => return Ok(None),
            (Some(month), Some(day), _) => (month, day),
            (None, ..) => return Err(Violation::new("birth_month", "required", "is required with a day or a year")),
            (_, None, _) => return Err(Violation::new("birth_day", "required", "is required with a month or a year")),
        };
        let month = u32::try_from(month).ok().filter(|month| (1..=12).contains(month));
        let month = month.ok_or_else(|| Violation::new("birth_month", "range", "must be from 1 to 12"))?;
        let year = year.map(i32::from);
        if year.is_some_and(|year| year < FIRST_YEAR || year > latest.year()) {
            return Err(future_or_ancient(latest));
        }
        let day = u32::try_from(day).unwrap_or(0);
        let date = NaiveDate::from_ymd_opt(year.unwrap_or(ANY_LEAP_YEAR), month, day)
            .ok_or_else(|| Violation::new("birth_day", "date", "must be a day of that month"))?;
        if year.is_some() && date > latest {
            return Err(future_or_ancient(latest));
        }
        Ok(Some(Self { month, day, year }))
    }

    /// A birthday from parts that were checked before, such as those of a database row.
    #[must_use]
    pub fn of_parts(month: Option<i16>, day: Option<i16>, year: Option<i16>) -> Option<Self> {
        let part = |part: Option<i16>| part.and_then(|part| u32::try_from(part).ok());
        let (month, day) = part(month).zip(part(day))?;
        Some(Self { month, day, year: year.map(i32::from) })
    }

    /// The parts: month, day, and the year if it is known.
    #[must_use]
    pub fn parts(&self) -> (i16, i16, Option<i16>) {
        let small = |number: u32| i16::try_from(number).unwrap_or(i16::MAX);
        (small(self.month), small(self.day), self.year.and_then(|year| i16::try_from(year).ok()))
    }

    /// Month and day of birth.
    #[must_use]
    pub fn day_of_year(&self) -> (u32, u32) {
        (self.month, self.day)
    }

    /// The day on which the birthday is had in a year.
    fn in_year(&self, year: i32, leap_day: LeapDay) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(year, self.month, self.day).or_else(|| match leap_day {
            LeapDay::Feb28 => NaiveDate::from_ymd_opt(year, 2, 28),
            LeapDay::Mar1 => NaiveDate::from_ymd_opt(year, 3, 1),
        })
    }

    /// The next time it is had, counted from `today`.
    #[must_use]
    pub fn next(&self, today: NaiveDate, leap_day: LeapDay) -> NaiveDate {
        let mut days = (0..2).filter_map(|years| self.in_year(today.year() + years, leap_day));
        days.find(|day| *day >= today).unwrap_or(today)
    }

    /// How old they turn on a birthday of theirs, if the year of birth is known.
    #[must_use]
    pub fn turns(&self, birthday: NaiveDate) -> Option<i32> {
        self.year.map(|year| birthday.year() - year)
    }
}

/// The violation of a year, or of a date, out of bounds.
#[must_use]
pub fn future_or_ancient(latest: NaiveDate) -> Violation {
    let message = format!("must be a date from {FIRST_YEAR} to today, {latest} at the latest");
    Violation::new("birth_year", "range", message)
}

#[cfg(test)]
mod tests {
    use super::Birthday;
    use super::LeapDay;
    use chrono::NaiveDate;

    fn date(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    fn parse(month: Option<i16>, day: Option<i16>, year: Option<i16>) -> Result<Option<Birthday>, String> {
        Birthday::parse(month, day, year, date(2026, 11, 21)).map_err(|violation| violation.field.into_owned())
    }

    #[test]
    fn what_is_no_day_of_the_calendar_is_refused_at_the_part_that_is_wrong() {
        for (month, day, year, field) in [
            (Some(2), Some(30), None, "birth_day"),
            (Some(2), Some(29), Some(2025), "birth_day"),
            (Some(2), Some(29), Some(1900), "birth_day"),
            (Some(4), Some(31), Some(2000), "birth_day"),
            (Some(1), Some(0), None, "birth_day"),
            (Some(1), Some(-1), None, "birth_day"),
            (Some(1), None, None, "birth_day"),
            (Some(13), Some(1), None, "birth_month"),
            (Some(0), Some(1), None, "birth_month"),
            (None, Some(1), None, "birth_month"),
            (None, None, Some(2000), "birth_month"),
            (Some(1), Some(1), Some(2027), "birth_year"),
            (Some(11), Some(22), Some(2026), "birth_year"),
            (Some(1), Some(1), Some(1899), "birth_year"),
        ] {
            assert_eq!(parse(month, day, year), Err(field.to_owned()), "{month:?} {day:?} {year:?}");
        }
        for (month, day, year) in [(2, 29, None), (2, 29, Some(2000)), (11, 21, Some(2026)), (12, 31, None)] {
            assert!(parse(Some(month), Some(day), year).unwrap().is_some(), "{month} {day} {year:?}");
        }
        assert_eq!(parse(None, None, None), Ok(None));
    }

    #[test]
    fn who_was_born_on_29_february_has_a_birthday_every_year() {
        let born = parse(Some(2), Some(29), Some(2000)).unwrap().unwrap();
        for (today, feb28, mar1) in [
            (date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1)),
            (date(2026, 3, 1), date(2027, 2, 28), date(2026, 3, 1)),
            (date(2027, 12, 31), date(2028, 2, 29), date(2028, 2, 29)),
            (date(2028, 3, 1), date(2029, 2, 28), date(2029, 3, 1)),
            (date(2100, 2, 1), date(2100, 2, 28), date(2100, 3, 1)),
        ] {
            assert_eq!(born.next(today, LeapDay::Feb28), feb28);
            assert_eq!(born.next(today, LeapDay::Mar1), mar1);
        }
        assert_eq!(born.turns(date(2026, 2, 28)), Some(26));
    }
}
