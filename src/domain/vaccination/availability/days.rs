//! The local days of a list, and their bounds in UTC.

use chrono::{DateTime, Days, Duration, NaiveDate, Utc};

use crate::domain::values::local_time::TimeOfDay;
use crate::domain::values::number::Number;
use crate::domain::values::time_zone::{Repeated, TimeZone};

/// Number of days of a list.
pub type ListDays = Number<1, 31>;

/// Days after the current one that have slots in lists.
const MAX_AHEAD: u64 = 400;

/// The greatest offsets of local time from UTC, to the east and to the west.
const EAST: Duration = Duration::hours(14);
const WEST: Duration = Duration::hours(12);

/// Consecutive dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dates {
    first: NaiveDate,
    last: NaiveDate,
}

/// A range of time: its begin, and its end, which is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub begin: DateTime<Utc>,
    pub end: DateTime<Utc>,
}

impl Dates {
    /// The days of a list from `from`, or else from today, as far as they can have slots. `None` if no day can.
    pub fn of_list(from: Option<NaiveDate>, days: ListDays, today: NaiveDate) -> Option<Self> {
        Self::between(from, days, (today, today))
    }

    /// As [`Self::of_list`], if the current date is one of these two.
    fn between(from: Option<NaiveDate>, days: ListDays, today: (NaiveDate, NaiveDate)) -> Option<Self> {
        let days: u64 = days.get().unsigned_abs().into();
        let first = Ord::max(from.unwrap_or(today.0), today.0);
        let last = Ord::min(later(from.unwrap_or(today.1), days - 1), later(today.1, MAX_AHEAD));
        (first <= last).then_some(Self { first, last })
    }

    pub fn iter(self) -> impl Iterator<Item = NaiveDate> {
        std::iter::successors(Some(self.first), NaiveDate::succ_opt).take_while(move |date| *date <= self.last)
    }

    pub fn contains(&self, date: NaiveDate) -> bool {
        (self.first..=self.last).contains(&date)
    }

    /// Number of days.
    pub fn count(self) -> i64 {
        (self.last - self.first).num_days() + 1
    }

    /// The fewest consecutive dates that include both.
    pub fn including(self, other: Self) -> Self {
        Self { first: Ord::min(self.first, other.first), last: Ord::max(self.last, other.last) }
    }

    /// The midnights at which the days begin and end, one more than there are days.
    pub fn midnights(self, zone: &TimeZone) -> Vec<DateTime<Utc>> {
        let end = midnight(zone, later(self.last, 1));
        self.iter().map(|date| midnight(zone, date)).chain([end]).collect()
    }

    /// The rest of the days after `now`.
    pub fn span(self, zone: &TimeZone, now: DateTime<Utc>) -> Span {
        Span::after(now, midnight(zone, self.first), midnight(zone, later(self.last, 1)))
    }
}

impl Span {
    /// The part of a range that is after `now`.
    fn after(now: DateTime<Utc>, begin: DateTime<Utc>, end: DateTime<Utc>) -> Self {
        Self { begin: Ord::max(begin, now + Duration::microseconds(1)), end }
    }

    /// A range without any time.
    pub fn empty(now: DateTime<Utc>) -> Self {
        Self { begin: now, end: now }
    }

    /// The time of the days of a list, in whatever time zone.
    pub fn of_list_anywhere(from: Option<NaiveDate>, days: ListDays, now: DateTime<Utc>) -> Self {
        let today = ((now - WEST).date_naive(), (now + EAST).date_naive());
        let midnight = |date: NaiveDate| TimeOfDay::BEGIN.on(date).and_utc();
        Dates::between(from, days, today).map_or(Self::empty(now), |dates| {
            Self::after(now, midnight(dates.first) - EAST, midnight(later(dates.last, 1)) + WEST)
        })
    }
}

/// The next midnight of a time zone.
pub(super) fn next_midnight(zone: &TimeZone, now: DateTime<Utc>) -> DateTime<Utc> {
    midnight(zone, later(zone.date(now), 1))
}

fn midnight(zone: &TimeZone, date: NaiveDate) -> DateTime<Utc> {
    zone.instant(TimeOfDay::BEGIN.on(date), Repeated::First).time
}

fn later(date: NaiveDate, days: u64) -> NaiveDate {
    date.checked_add_days(Days::new(days)).unwrap_or(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn dates(from: Option<&str>, days: i64, today: &str) -> Option<(String, String)> {
        let dates = Dates::of_list(from.map(date), ListDays::parse(days).unwrap(), date(today))?;
        assert_eq!(i64::try_from(dates.iter().count()).unwrap(), dates.count());
        Some((dates.first.to_string(), dates.last.to_string()))
    }

    #[test]
    fn a_list_has_days_from_today_to_four_hundred_days_ahead() {
        let some = |first: &str, last: &str| Some((first.to_owned(), last.to_owned()));
        let today = "2026-12-01";
        assert_eq!(dates(None, 7, today), some("2026-12-01", "2026-12-07"));
        assert_eq!(dates(Some("2026-11-29"), 7, today), some("2026-12-01", "2026-12-05"));
        assert_eq!(dates(Some("2026-11-24"), 7, today), None);
        assert_eq!(dates(Some("2028-01-04"), 7, today), some("2028-01-04", "2028-01-05"));
        assert_eq!(dates(Some("2028-01-06"), 1, today), None);
        assert_eq!(dates(Some("9999-12-31"), 31, today), None);
    }

    #[test]
    fn the_days_of_any_zone_are_within_the_bounds_for_all() {
        for zone in ["Pacific/Kiritimati", "Etc/GMT+12", "Asia/Kolkata", "America/St_Johns", "Europe/London"] {
            let zone = TimeZone::parse(zone).unwrap();
            for hour in 0..48 {
                let now = date("2026-12-01").and_hms_opt(0, 0, 0).unwrap().and_utc() + Duration::hours(hour);
                for from in [None, Some(date("2026-12-01")), Some(date("2027-03-27"))] {
                    let days = ListDays::parse(3).unwrap();
                    let Some(dates) = Dates::of_list(from, days, zone.date(now)) else { continue };
                    let (exact, any) = (dates.span(&zone, now), Span::of_list_anywhere(from, days, now));
                    assert!(any.begin <= exact.begin && exact.end <= any.end, "{zone:?} {now} {from:?}");
                }
            }
        }
    }

    #[test]
    fn the_midnights_of_a_day_follow_the_clock_of_the_centre() {
        let london = TimeZone::parse("Europe/London").unwrap();
        let dates = Dates { first: date("2027-03-27"), last: date("2027-03-28") };
        let midnights: Vec<_> = dates.midnights(&london).iter().map(ToString::to_string).collect();
        assert_eq!(midnights, ["2027-03-27 00:00:00 UTC", "2027-03-28 00:00:00 UTC", "2027-03-28 23:00:00 UTC"]);
        let noon = "2027-03-28T12:00:00Z".parse().unwrap();
        assert_eq!(next_midnight(&london, noon).to_string(), "2027-03-28 23:00:00 UTC");
    }
}
