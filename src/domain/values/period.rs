//! Periods of the calendar, as the immunization schedules of CDC count them (CDSi, CALCDT-1 to CALCDT-6).

use std::fmt;

use chrono::{Datelike as _, Days, Months, NaiveDate};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Greatest number in a period.
const MAX_NUMBER: i32 = 9999;

/// A period, such as `12 months - 4 days`: months (a year has twelve), and days (a week has seven). Both may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    months: i32,
    days: i32,
}

impl Period {
    /// A number of months.
    #[must_use]
    pub const fn months(months: i32) -> Self {
        Self { months, days: 0 }
    }

    /// A number of days.
    #[must_use]
    pub const fn days(days: i32) -> Self {
        Self { months: 0, days }
    }

    /// Parses numbers of `years`, `months`, `weeks` and `days`, each in the singular or the plural, added with `+` or
    /// subtracted with `-`. None if the text is something else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut period = Self::default();
        let mut words = text.split_ascii_whitespace();
        let mut sign = 1;
        loop {
            let number: u16 = words.next()?.parse().ok()?;
            let number = i32::from(number);
            if number > MAX_NUMBER {
                return None;
            }
            match words.next()? {
                "year" | "years" => period.months += sign * number * 12,
                "month" | "months" => period.months += sign * number,
                "week" | "weeks" => period.days += sign * number * 7,
                "day" | "days" => period.days += sign * number,
                _ => return None,
            }
            sign = match words.next() {
                None => return Some(period),
                Some("+") => 1,
                Some("-") => -1,
                Some(_) => return None,
            };
        }
    }

    /// The date after this period: first the months, then the days. A day that does not exist becomes the first day of the
    /// next month: 31 October and 6 months are 1 May.
    #[must_use]
    pub fn after(self, date: NaiveDate) -> NaiveDate {
        let date = add_months(date, self.months);
        let days = Days::new(self.days.unsigned_abs().into());
        if self.days < 0 {
            date.checked_sub_days(days).unwrap_or(NaiveDate::MIN)
        } else {
            date.checked_add_days(days).unwrap_or(NaiveDate::MAX)
        }
    }
}

fn add_months(date: NaiveDate, months: i32) -> NaiveDate {
    let number = Months::new(months.unsigned_abs());
    let moved = if months < 0 { date.checked_sub_months(number) } else { date.checked_add_months(number) };
    let Some(clamped) = moved else { return if months < 0 { NaiveDate::MIN } else { NaiveDate::MAX } };
    // chrono returns the last day of the month if the day does not exist.
    if clamped.day() == date.day() { clamped } else { clamped.succ_opt().unwrap_or(clamped) }
}

impl fmt::Display for Period {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |number: i32| if number == 1 { "" } else { "s" };
        let (months, days) = (self.months, self.days);
        // As schedules write it: 18 months, but 2 years.
        let (number, unit) = if months % 12 == 0 && months > 12 { (months / 12, "year") } else { (months, "month") };
        let size = days.abs();
        let (size, small) = if size % 7 == 0 && size > 7 { (size / 7, "week") } else { (size, "day") };
        match (months, days) {
            (0, _) if days >= 0 => write!(formatter, "{size} {small}{}", plural(size)),
            (0, _) => write!(formatter, "0 days - {size} {small}{}", plural(size)),
            (_, 0) => write!(formatter, "{number} {unit}{}", plural(number)),
            _ => {
                let sign = if days < 0 { '-' } else { '+' };
                write!(formatter, "{number} {unit}{} {sign} {size} {small}{}", plural(number), plural(size))
            }
        }
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("must be a period, such as 12 months - 4 days"))
    }
}

#[cfg(test)]
mod tests {
    use super::Period;
    use chrono::NaiveDate;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_that_does_not_exist_becomes_the_first_of_the_next_month() {
        for (from, period, expected) in [
            ("2025-10-31", "6 months", "2026-05-01"),
            ("2024-02-29", "12 months", "2025-03-01"),
            ("2024-02-29", "1 year", "2025-03-01"),
            ("2024-02-29", "48 months", "2028-02-29"),
            ("2025-01-31", "1 month", "2025-03-01"),
            ("2024-01-31", "1 month", "2024-03-01"),
            ("2025-11-30", "3 months", "2026-03-01"),
            ("2025-03-31", "9 months", "2025-12-31"),
            ("2025-12-15", "1 month", "2026-01-15"),
            ("2025-12-15", "0 days", "2025-12-15"),
            ("2025-12-15", "2 weeks", "2025-12-29"),
        ] {
            assert_eq!(Period::parse(period).unwrap().after(date(from)), date(expected), "{from} and {period}");
        }
    }

    #[test]
    fn months_are_added_before_days_are_subtracted() {
        let period = Period::parse("6 months - 4 days").unwrap();
        // First 1 May, then four days less. The other way round it would be 27 April to 30 April.
        assert_eq!(period.after(date("2025-10-31")), date("2026-04-27"));
        // 4 days before 31 March, and then a month, would be 27 February and then 27 March.
        assert_eq!(Period::parse("1 month - 4 days").unwrap().after(date("2025-01-31")), date("2025-02-25"));
        assert_eq!(Period::parse("16 years - 4 months").unwrap().after(date("2000-01-01")), date("2015-09-01"));
        assert_eq!(Period::parse("16 months + 4 weeks").unwrap().after(date("2024-01-01")), date("2025-05-29"));
    }

    #[test]
    fn a_period_is_written_as_it_is_read() {
        for text in ["12 months - 4 days", "2 years", "1 month", "4 weeks", "1 day", "0 days", "18 months + 4 weeks"] {
            assert_eq!(Period::parse(text).unwrap().to_string(), text);
        }
        for text in ["1 year", "24 months", "365 days", "3 years - 2 months", "0 days - 5 days"] {
            let period = Period::parse(text).unwrap();
            assert_eq!(Period::parse(&period.to_string()), Some(period), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "12", "months", "12 moons", "-1 day", "1 day -", "1 day 2", "1.5 days", "10000 days", "1day"] {
            assert_eq!(Period::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_greatest_periods_do_not_overflow() {
        let (long, short) = (Period::parse("9999 years").unwrap(), Period::parse("0 days - 9999 years").unwrap());
        assert!(long.after(NaiveDate::MAX) == NaiveDate::MAX && short.after(NaiveDate::MIN) == NaiveDate::MIN);
        assert_eq!(long.after(date("2026-01-01")), NaiveDate::from_ymd_opt(12025, 1, 1).unwrap());
    }
}
