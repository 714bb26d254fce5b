//! Periods of the calendar, as the immunization schedules of CDC count them.

use chrono::{Datelike as _, Months, NaiveDate};

/// Adds months to a date. A day that does not exist becomes the first day of the next month (CDSi, CALCDT-5): 31 October
/// and 6 months are 1 May.
#[must_use]
pub fn add_months(date: NaiveDate, months: u32) -> NaiveDate {
    // chrono returns the last day of the month instead.
    let Some(clamped) = date.checked_add_months(Months::new(months)) else { return NaiveDate::MAX };
    if clamped.day() == date.day() { clamped } else { clamped.succ_opt().unwrap_or(clamped) }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::add_months;

    #[test]
    fn a_day_that_does_not_exist_becomes_the_first_of_the_next_month() {
        let date = |text: &str| text.parse::<NaiveDate>().unwrap();
        for (from, months, expected) in [
            ("2025-10-31", 6, "2026-05-01"),
            ("2024-02-29", 12, "2025-03-01"),
            ("2024-02-29", 48, "2028-02-29"),
            ("2025-01-31", 1, "2025-03-01"),
            ("2024-01-31", 1, "2024-03-01"),
            ("2025-11-30", 3, "2026-03-01"),
            ("2025-12-15", 1, "2026-01-15"),
            ("2025-12-15", 0, "2025-12-15"),
        ] {
            assert_eq!(add_months(date(from), months), date(expected), "{from} and {months} months");
        }
    }
}
