//! Birthday: month and day of birth, and the year if it is known.

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

/// Birthday: month and day of birth, and the year if it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Birthday {
    month: u32,
    day: u32,
    year: Option<i32>,
}

/// Birthday in a common year of a person born on 29 February.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LeapDay {
    /// 28 February.
    #[default]
    Feb28,
    /// 1 March.
    Mar1,
}

impl Birthday {
    /// Parses a birthday from its parts. Returns `None` if there are no parts.
    ///
    /// # Errors
    /// Returns a violation in the invalid part if the day does not exist or is after `latest`, or if
    /// the month or the day is missing.
    pub fn try_from_parts(
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
            return Err(out_of_range(latest));
        }
        let day = u32::try_from(day).unwrap_or(0);
        let date = NaiveDate::from_ymd_opt(year.unwrap_or(ANY_LEAP_YEAR), month, day).ok_or_else(no_such_day)?;
        if year.is_some() && date > latest {
            return Err(out_of_range(latest));
        }
        Ok(Some(Self { month, day, year }))
    }

    /// A birthday from parts that were checked before, such as those of a database row.
    #[must_use]
    pub fn from_parts(month: Option<i16>, day: Option<i16>, year: Option<i16>) -> Option<Self> {
        let part = |part: Option<i16>| part.and_then(|part| u32::try_from(part).ok());
        let (month, day) = part(month).zip(part(day))?;
        Some(Self { month, day, year: year.map(i32::from) })
    }

    /// Month, day, and the year if it is known.
    #[must_use]
    pub fn parts(&self) -> (i16, i16, Option<i16>) {
        let to_i16 = |number: u32| i16::try_from(number).unwrap_or(i16::MAX);
        (to_i16(self.month), to_i16(self.day), self.year.and_then(|year| i16::try_from(year).ok()))
    }

    /// Month and day of birth.
    #[must_use]
    pub fn day_of_year(&self) -> (u32, u32) {
        (self.month, self.day)
    }

    /// Date of the birthday in a year.
    #[must_use]
    pub fn in_year(&self, year: i32, leap_day: LeapDay) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(year, self.month, self.day).or_else(|| match leap_day {
            LeapDay::Feb28 => NaiveDate::from_ymd_opt(year, 2, 28),
            LeapDay::Mar1 => NaiveDate::from_ymd_opt(year, 3, 1),
        })
    }

    /// Date of the next birthday, which may be `today`.
    #[must_use]
    pub fn next(&self, today: NaiveDate, leap_day: LeapDay) -> NaiveDate {
        let mut dates = (0..2).filter_map(|years| self.in_year(today.year() + years, leap_day));
        dates.find(|date| *date >= today).unwrap_or(today)
    }

    /// Age that the person reaches on a birthday, if the year of birth is known.
    #[must_use]
    pub fn turns(&self, birthday: NaiveDate) -> Option<i32> {
        self.year.map(|year| birthday.year() - year)
    }
}

/// Violation for a day that its month does not have.
#[must_use]
pub fn no_such_day() -> Violation {
    Violation::new("birth_day", "date", "must be a day of that month")
}

/// Violation for a year or date of birth that is out of range.
#[must_use]
pub fn out_of_range(latest: NaiveDate) -> Violation {
    let message = format!("must be a date from {FIRST_YEAR}-01-01 to {latest}");
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
        Birthday::try_from_parts(month, day, year, date(2026, 11, 21)).map_err(|violation| violation.field.into_owned())
    }

    #[test]
    fn an_invalid_birthday_is_a_violation_in_the_invalid_part() {
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
    fn a_person_born_on_29_february_has_a_birthday_every_year() {
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
