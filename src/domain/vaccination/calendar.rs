//! Calendar of slots: local opening hours become instants. Within a day, slots follow each other in elapsed time, so that
//! a day on which the clock is put back has an hour more.

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveDateTime, Utc, Weekday};

use crate::domain::values::local_time::TimeOfDay;
use crate::domain::values::time_zone::{Repeated, TimeZone};

/// Opening hours of a range of dates.
#[derive(Clone, Debug)]
pub struct Hours {
    /// First date.
    pub from: NaiveDate,
    /// Last date.
    pub to: NaiveDate,
    /// Days of the week on which the centre is open.
    pub weekdays: Vec<Weekday>,
    /// Local opening time.
    pub opens: TimeOfDay,
    /// Local closing time.
    pub closes: TimeOfDay,
    /// Breaks, from and to a local time. A slot that would overlap with one is left out.
    pub breaks: Vec<(TimeOfDay, TimeOfDay)>,
    /// Duration of a slot.
    pub slot: Duration,
    /// Dates on which the centre is closed.
    pub closed_days: Vec<NaiveDate>,
}

/// The slots of a calendar.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    /// Start and end of each slot, in order.
    pub slots: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    /// What was left out.
    pub skipped: Vec<Skipped>,
    /// Local times that do not exist, and what became of them.
    pub warnings: Vec<String>,
}

/// Something that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Local date, or local time of a slot.
    pub local: String,
    /// Reason: `closed_day`, `past`, or `break` for a slot that a break would cut in two.
    pub why: &'static str,
}

/// The slots of opening hours in a time zone. Slots that start before `now` are left out.
#[must_use]
pub fn slots(hours: &Hours, zone: &TimeZone, now: DateTime<Utc>) -> Calendar {
    let mut calendar = Calendar::default();
    let dates = hours.from.iter_days().take_while(|date| *date <= hours.to);
    for date in dates.filter(|date| hours.weekdays.contains(&date.weekday())) {
        if hours.closed_days.contains(&date) {
            calendar.skipped.push(Skipped { local: date.to_string(), why: "closed_day" });
        } else {
            add_day(&mut calendar, hours, zone, date, now);
        }
    }
    if calendar.slots.is_empty() && calendar.skipped.is_empty() {
        let warning =
            "there are no slots: no date is on one of the weekdays, or the opening hours are shorter than a slot";
        calendar.warnings.push(warning.to_owned());
    }
    calendar
}

fn add_day(calendar: &mut Calendar, hours: &Hours, zone: &TimeZone, date: NaiveDate, now: DateTime<Utc>) {
    let mut instant = |time: TimeOfDay, repeated| {
        // Midnight belongs to the next date, also where the clock is put back at midnight.
        let repeated = if time == TimeOfDay::END { Repeated::First } else { repeated };
        let found = zone.instant(time.on(date), repeated);
        if found.is_shifted {
            let local = local_text(time.on(date));
            let shifted = local_text(zone.local(found.time));
            calendar.warnings.push(format!("{local} does not exist at the centre; it is {shifted}"));
        }
        found.time
    };
    // With a closing time that is repeated, the centre stays open until the second one.
    let (opens, closes) = (instant(hours.opens, Repeated::First), instant(hours.closes, Repeated::Second));
    let breaks: Vec<_> = hours
        .breaks
        .iter()
        .map(|(from, to)| (instant(*from, Repeated::First), instant(*to, Repeated::Second)))
        // A break at a time that does not exist has no duration.
        .filter(|(from, to)| from < to)
        .collect();
    let mut start = opens;
    while start + hours.slot <= closes {
        let end = start + hours.slot;
        let is_in_break = breaks.iter().any(|(from, to)| start < *to && *from < end);
        let why = match is_in_break {
            true if is_covered(&breaks, start, end) => None,
            true => Some("break"),
            false if start <= now => Some("past"),
            false => None,
        };
        if let Some(why) = why {
            calendar.skipped.push(Skipped { local: local_text(zone.local(start)), why });
        } else if !is_in_break {
            calendar.slots.push((start, end));
        }
        start = end;
    }
}

/// Whether breaks take up a whole slot.
fn is_covered(breaks: &[(DateTime<Utc>, DateTime<Utc>)], start: DateTime<Utc>, end: DateTime<Utc>) -> bool {
    let mut covered_until = start;
    while let Some((_, to)) = breaks.iter().find(|(from, to)| *from <= covered_until && covered_until < *to) {
        covered_until = *to;
    }
    covered_until >= end
}

fn local_text(local: NaiveDateTime) -> String {
    local.format("%Y-%m-%dT%H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::Timelike as _;

    use super::*;
    use crate::domain::values::value::Value as _;

    fn hours(from: &str, to: &str, opens: &str, closes: &str, minutes: i64) -> Hours {
        use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
        Hours {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            weekdays: vec![Mon, Tue, Wed, Thu, Fri, Sat, Sun],
            opens: TimeOfDay::from_text(opens).unwrap(),
            closes: TimeOfDay::from_text(closes).unwrap(),
            breaks: Vec::new(),
            slot: Duration::minutes(minutes),
            closed_days: Vec::new(),
        }
    }

    fn zone(name: &str) -> TimeZone {
        TimeZone::parse(name).unwrap()
    }

    #[test]
    fn a_day_has_an_hour_more_or_less_when_the_clock_is_changed() {
        for (date, opens, count, first) in [
            ("2026-10-25", "01:00", 4, "2026-10-24T23:00:00Z"),
            ("2026-03-29", "01:00", 2, "2026-03-29T00:00:00Z"),
            ("2026-10-26", "01:00", 3, "2026-10-26T00:00:00Z"),
            // The opening time does not exist: the centre opens at 03:00.
            ("2026-03-29", "02:30", 1, "2026-03-29T01:00:00Z"),
        ] {
            let calendar = slots(&hours(date, date, opens, "04:00", 60), &zone("Europe/Berlin"), DateTime::UNIX_EPOCH);
            assert_eq!(calendar.slots.len(), count, "{date} {opens}");
            assert_eq!(calendar.slots[0].0, first.parse::<DateTime<Utc>>().unwrap());
            assert_eq!(calendar.warnings.len(), usize::from(opens == "02:30"));
        }
    }

    #[test]
    fn breaks_closed_days_and_the_past_are_left_out() {
        let mut hours = hours("2026-06-01", "2026-06-02", "08:00", "12:00", 60);
        let time = |text| TimeOfDay::from_text(text).unwrap();
        hours.breaks = vec![(time("10:00"), time("10:30"))];
        hours.closed_days = vec!["2026-06-02".parse().unwrap()];
        let calendar = slots(&hours, &zone("UTC"), "2026-06-01T08:00:00Z".parse().unwrap());
        let starts: Vec<_> = calendar.slots.iter().map(|(start, _)| start.format("%H").to_string()).collect();
        assert_eq!(starts, ["09", "11"]);
        let skipped: Vec<_> = calendar.skipped.iter().map(|skipped| (skipped.local.as_str(), skipped.why)).collect();
        let expected = [("2026-06-01T08:00", "past"), ("2026-06-01T10:00", "break"), ("2026-06-02", "closed_day")];
        assert_eq!(skipped, expected);
        // A break of whole slots is what was asked for.
        hours.breaks = vec![(time("10:00"), time("11:00"))];
        let calendar = slots(&hours, &zone("UTC"), DateTime::UNIX_EPOCH);
        assert_eq!((calendar.slots.len(), calendar.skipped.len()), (3, 1));
        hours.breaks = vec![(time("10:30"), time("11:00")), (time("10:00"), time("10:30"))];
        assert_eq!(slots(&hours, &zone("UTC"), DateTime::UNIX_EPOCH), calendar);
    }

    #[test]
    fn a_break_at_a_time_that_does_not_exist_takes_no_slot() {
        let mut hours = hours("2026-03-29", "2026-03-29", "00:30", "06:30", 60);
        let time = |text| TimeOfDay::from_text(text).unwrap();
        let without = slots(&hours, &zone("Europe/Berlin"), DateTime::UNIX_EPOCH).slots;
        hours.breaks = vec![(time("02:10"), time("02:50"))];
        let calendar = slots(&hours, &zone("Europe/Berlin"), DateTime::UNIX_EPOCH);
        assert_eq!((calendar.slots, calendar.skipped), (without, Vec::new()));
        assert_eq!(calendar.warnings.len(), 2);
    }

    #[test]
    fn a_calendar_without_slots_says_so() {
        let short = slots(&hours("2026-06-01", "2026-06-30", "08:00", "08:20", 30), &zone("UTC"), DateTime::UNIX_EPOCH);
        assert_eq!((short.slots.len(), short.warnings.len()), (0, 1));
    }

    /// A second implementation: walks through UTC minute by minute, and looks at the local clock. Returns, for each local date, the first
    /// instant from an opening time on and the last one before a closing time, of each of some pairs of such times.
    fn naive(
        times: &[(TimeOfDay, TimeOfDay)],
        dates: &Hours,
        zone: &TimeZone,
    ) -> BTreeMap<NaiveDate, Vec<[DateTime<Utc>; 2]>> {
        let midnight = |date: NaiveDate| date.and_time(chrono::NaiveTime::MIN).and_utc();
        let mut open = BTreeMap::new();
        let mut time = midnight(dates.from) - Duration::days(1);
        while time < midnight(dates.to) + Duration::days(3) {
            let local = zone.local(time);
            let minute = local.hour() * 60 + local.minute();
            let next = time + Duration::minutes(1);
            if (dates.from..=dates.to).contains(&local.date()) {
                let day = open.entry(local.date()).or_insert_with(|| vec![[None, None]; times.len()]);
                for ((opens, closes), [opened, closed]) in times.iter().zip(day) {
                    if minute >= opens.minutes() && opened.is_none() {
                        *opened = Some(time);
                    }
                    if minute < closes.minutes() {
                        *closed = Some(next);
                    }
                }
            }
            time = next;
        }
        let complete =
            |day: Vec<[Option<DateTime<Utc>>; 2]>| day.into_iter().map(|times| times.map(Option::unwrap)).collect();
        open.into_iter().map(|(date, day)| (date, complete(day))).collect()
    }

    #[test]
    fn a_naive_implementation_finds_the_same_slots_in_fourteen_zones_and_three_years() {
        const ZONES: [&str; 14] = [
            "Atlantic/Azores",
            "UTC",
            "Europe/Berlin",
            "America/Havana",
            "Europe/Dublin",
            "America/New_York",
            "America/Santiago",
            "America/St_Johns",
            "Asia/Kolkata",
            "Asia/Kathmandu",
            "Australia/Lord_Howe",
            "Pacific/Auckland",
            "Pacific/Chatham",
            "Africa/Cairo",
        ];
        // Whole days, days without a clock change, and openings before, in and after the usual hours of clock changes.
        let days = [
            ("00:00", "24:00", 30),
            ("08:00", "17:00", 45),
            ("01:00", "05:00", 20),
            ("02:30", "06:00", 60),
            ("00:30", "03:30", 25),
        ];
        let time = |text| TimeOfDay::from_text(text).unwrap();
        let breaks = vec![(time("02:10"), time("02:50")), (time("12:00"), time("12:40"))];
        let hours = days.map(|(opens, closes, minutes)| Hours {
            breaks: breaks.clone(),
            ..hours("2026-01-01", "2028-12-31", opens, closes, minutes)
        });
        let times: Vec<_> = hours.iter().map(|hours| (hours.opens, hours.closes)).chain(breaks.clone()).collect();
        for name in ZONES {
            let open = naive(&times, &hours[0], &zone(name));
            for (number, hours) in hours.iter().enumerate() {
                let mut expected = Vec::new();
                for day in open.values() {
                    let ([mut start, closed], breaks) = (day[number], &day[days.len()..]);
                    while start + hours.slot <= closed {
                        let end = start + hours.slot;
                        if !breaks.iter().any(|[from, to]| from < to && start < *to && *from < end) {
                            expected.push((start, end));
                        }
                        start = end;
                    }
                }
                let found = slots(hours, &zone(name), DateTime::UNIX_EPOCH).slots;
                let difference = found.iter().zip(&expected).find(|(one, other)| one != other);
                assert_eq!((difference, found.len()), (None, expected.len()), "{name} {hours:?}");
            }
        }
    }
}
