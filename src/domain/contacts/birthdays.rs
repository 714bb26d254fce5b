//! Upcoming birthdays: contacts sorted by their next birthday.
//!
//! The index sorts the contacts of a user by month and day of birth. A window of dates is therefore one
//! range of the index, or two ranges if the window contains the end of a year. Contacts born on
//! 29 February are sorted between 28 February and 1 March. This order is correct in common years too,
//! whichever of the two days their birthday falls on, so that only the first and the last day of the
//! window need special treatment.

use chrono::{Datelike, Days, NaiveDate};
use entity::contacts::{Column, Model};
use entity::users;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use uuid::Uuid;

use crate::domain::contacts::contacts::{birthday_of, owned_by};
use crate::domain::values::birthday::LeapDay;
use crate::domain::values::clock::Clock;
use crate::domain::values::page::{Page, Slice};
use crate::domain::values::time_zone::TimeZone;
use crate::error::{Error, Result};

/// Smallest number of days, after the first day, in which every contact has a birthday.
const WHOLE_YEAR: u32 = 365;

/// Day of a year: month and day.
type Day = (u32, u32);

const LEAP_DAY: Day = (2, 29);

/// Window of dates whose birthdays are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// First day of the window.
    pub today: NaiveDate,
    /// Number of days after the first, at most 366.
    pub days: u32,
    /// Birthday in common years of contacts born on 29 February.
    pub leap_day: LeapDay,
}

/// Keyset cursor of the list: position of a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// First day of the window. It stays the same for all pages of a list, even if they are requested
    /// after midnight.
    pub today: NaiveDate,
    /// Month of birth.
    pub month: u32,
    /// Day of birth.
    pub day: u32,
    /// Id of the contact, which distinguishes contacts with the same birthday.
    pub id: Uuid,
}

/// Contact with its next birthday.
#[derive(Clone, Debug)]
pub struct Upcoming {
    /// Contact.
    pub contact: Model,
    /// Date of the next birthday.
    pub next_birthday: NaiveDate,
    /// Age that the contact reaches, if the year of birth is known.
    pub turns: Option<i32>,
    /// Number of days until the next birthday.
    pub in_days: i64,
}

/// Half-open range of days: `until` is exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct DayRange {
    from: Day,
    until: Day,
}

impl Window {
    /// Range of days up to the end of the year, and range of days of the next year, which may be empty.
    fn day_ranges(&self) -> [DayRange; 2] {
        let is_common = |date: NaiveDate| !date.leap_year();
        let mut from = day(self.today);
        if self.leap_day == LeapDay::Mar1 && from == (3, 1) && is_common(self.today) {
            from = LEAP_DAY;
        }
        let last = self.today.checked_add_days(Days::new(self.days.into())).unwrap_or(NaiveDate::MAX);
        let mut to = day(last);
        if self.leap_day == LeapDay::Feb28 && to == (2, 28) && is_common(last) {
            to = LEAP_DAY;
        }
        let until = (to.0, to.1 + 1);
        if last.year() == self.today.year() && self.days < WHOLE_YEAR {
            return [DayRange { from, until }, DayRange { from: (1, 1), until: (1, 1) }];
        }
        let until = if self.days < WHOLE_YEAR { Ord::min(until, from) } else { from };
        [DayRange { from, until: (13, 1) }, DayRange { from: (1, 1), until }]
    }

    fn upcoming(&self, contact: Model) -> Option<Upcoming> {
        let birthday = birthday_of(&contact)?;
        let next_birthday = birthday.next(self.today, self.leap_day);
        let in_days = next_birthday.signed_duration_since(self.today).num_days();
        Some(Upcoming { contact, next_birthday, turns: birthday.turns(next_birthday), in_days })
    }
}

/// Lists the contacts of a user whose next birthday is in the window, soonest first.
///
/// # Errors
/// Database errors.
pub async fn upcoming(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    mut window: Window,
    page: Page<Position>,
) -> Result<Slice<Upcoming, Position>> {
    // All pages use the first day of the first page, even if the date changes meanwhile: at midnight, or because the
    // user travels to another time zone.
    let first_day = page.after.map(|after| after.today);
    let is_close = |day: &NaiveDate| window.today.signed_duration_since(*day).num_days().abs() <= 2;
    window.today = first_day.filter(is_close).unwrap_or(window.today);
    let [first, second] = window.day_ranges();
    // A cursor in the second range means that the first range has been listed completely.
    let after = page.after.map(|after| ((after.month, after.day), after.id));
    let is_in_second = after.is_some_and(|(day, _)| day < first.from);
    let mut contacts = Vec::new();
    if !is_in_second {
        contacts = born_in(db, user_id, first, after, page.rows()).await?;
    }
    let missing = page.rows().saturating_sub(u64::try_from(contacts.len()).unwrap_or(u64::MAX));
    if missing > 0 && second.from < second.until {
        contacts.extend(born_in(db, user_id, second, after.filter(|_| is_in_second), missing).await?);
    }
    let upcoming = contacts.into_iter().filter_map(|contact| window.upcoming(contact)).collect();
    Ok(page.slice(upcoming, |upcoming: &Upcoming| {
        let (month, day) = birthday_of(&upcoming.contact).map_or((1, 1), |birthday| birthday.day_of_year());
        Position { today: window.today, month, day, id: upcoming.contact.id }
    }))
}

/// Contacts born in a range of days, sorted by month, day and id.
async fn born_in(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    range: DayRange,
    after: Option<(Day, Uuid)>,
    limit: u64,
) -> Result<Vec<Model>> {
    let days = || Expr::tuple([Expr::col(Column::BirthMonth), Expr::col(Column::BirthDay)]);
    let tuple = |day: Day| Expr::tuple([day.0.into(), day.1.into()]);
    let order = [Column::BirthMonth, Column::BirthDay, Column::Id];
    let contacts = owned_by(user_id)
        .filter(days().lt(tuple(range.until)))
        .apply_if(after, |contacts, ((month, day), id)| {
            let position = Expr::tuple([month.into(), day.into(), Expr::value(id)]);
            contacts.filter(Expr::tuple(order.map(Expr::col)).gt(position))
        })
        .apply_if(after.is_none().then_some(range.from), |contacts, from| contacts.filter(days().gte(tuple(from))));
    Ok(order.into_iter().fold(contacts, QueryOrder::order_by_asc).limit(limit).all(db).await?)
}

/// Current date in a time zone: the given one, else that of the user, else UTC.
///
/// # Errors
/// Returns [`Error::InvalidToken`] if the account no longer exists.
pub async fn today(
    db: &impl ConnectionTrait,
    clock: &Clock,
    user_id: Uuid,
    zone: Option<TimeZone>,
) -> Result<NaiveDate> {
    let zone = match zone {
        Some(zone) => zone,
        None => {
            let column = users::Entity::find_by_id(user_id).select_only().column(users::Column::TimeZone);
            let name: Option<String> = column.into_tuple().one(db).await?.ok_or(Error::InvalidToken)?;
            name.and_then(|name| TimeZone::parse(&name).ok()).unwrap_or(TimeZone::UTC)
        }
    };
    Ok(zone.date(clock.now()))
}

fn day(date: NaiveDate) -> Day {
    (date.month(), date.day())
}

#[cfg(test)]
mod tests {
    use crate::domain::values::birthday::Birthday;
    use std::collections::BTreeSet;

    use chrono::{Datelike, Days, NaiveDate};

    use super::Day;
    use super::LEAP_DAY;
    use super::LeapDay;
    use super::Window;

    /// All 366 days of a leap year, in order.
    fn all_days() -> Vec<Day> {
        let first = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap();
        first.iter_days().take(366).map(|date| (date.month(), date.day())).collect()
    }

    /// Days of birth whose birthday is on a date: a simple reference implementation.
    fn born_on(date: NaiveDate, leap_day: LeapDay) -> Vec<Day> {
        let day = (date.month(), date.day());
        let substitute = match leap_day {
            LeapDay::Feb28 => (2, 28),
            LeapDay::Mar1 => (3, 1),
        };
        if day == substitute && !date.leap_year() { vec![day, LEAP_DAY] } else { vec![day] }
    }

    /// Compares next birthdays and ages with the reference implementation, on each day of 400 years.
    #[test]
    fn the_next_birthday_is_the_first_one_in_the_reference_calendar() {
        let people: Vec<_> = all_days()
            .into_iter()
            .map(|(month, day)| {
                let parts = (i16::try_from(month).unwrap(), i16::try_from(day).unwrap());
                Birthday::try_from_parts(Some(parts.0), Some(parts.1), Some(1904), NaiveDate::MAX)
                    .unwrap()
                    .or_else(|| panic!("{parts:?}"))
                    .unwrap()
            })
            .collect();
        for leap_day in [LeapDay::Feb28, LeapDay::Mar1] {
            let end = NaiveDate::from_ymd_opt(2400, 12, 31).unwrap();
            // Goes backwards in time: the birthday that was seen last is the next one.
            let mut next = std::collections::HashMap::new();
            let mut date = NaiveDate::from_ymd_opt(2401, 12, 31).unwrap();
            while date >= NaiveDate::from_ymd_opt(2000, 1, 1).unwrap() {
                for day in born_on(date, leap_day) {
                    next.insert(day, date);
                }
                if date <= end {
                    // Checks the days of birth around this date, the leap day, and one other day, which
                    // changes daily.
                    let sample = usize::try_from(date.num_days_from_ce()).unwrap() % 366;
                    let distance = |index: usize| (index + 366 - usize::try_from(date.ordinal0()).unwrap()) % 366;
                    for (index, person) in people.iter().enumerate() {
                        let is_near = distance(index) < 3 || distance(index) > 362 || person.day_of_year() == LEAP_DAY;
                        if !is_near && index != sample {
                            continue;
                        }
                        let expected = next[&person.day_of_year()];
                        assert_eq!(person.next(date, leap_day), expected, "{person:?} from {date}");
                        assert_eq!(person.turns(expected), Some(expected.year() - 1904));
                    }
                }
                date = date.pred_opt().unwrap();
            }
        }
    }

    /// Compares windows of many lengths with the reference implementation, on each day of 400 years,
    /// after which the calendar repeats.
    #[test]
    fn the_day_ranges_of_a_window_contain_exactly_its_birthdays() {
        let all_days = all_days();
        let mut today = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap();
        let end = today.checked_add_days(Days::new(146_097)).unwrap();
        let mut length = 0_u32;
        while today < end {
            length = (length + 1) % 367;
            for leap_day in [LeapDay::Feb28, LeapDay::Mar1] {
                // Windows of a year are slow to check, and only matter around the days that differ
                // between years.
                let is_special =
                    matches!((today.month(), today.day()), (2, 26..) | (3, 1..=3) | (12, 30..) | (1, 1..=2));
                let lengths = if is_special { vec![0, 1, length, 364, 365, 366] } else { vec![length % 9] };
                for days in lengths {
                    let window = Window { today, days, leap_day };
                    let expected: BTreeSet<Day> = today
                        .iter_days()
                        .take(usize::try_from(days).unwrap() + 1)
                        .flat_map(|date| born_on(date, leap_day))
                        .collect();
                    let found: Vec<Day> = window
                        .day_ranges()
                        .into_iter()
                        .flat_map(|range| all_days.iter().filter(move |day| range.from <= **day && **day < range.until))
                        .copied()
                        .collect();
                    assert_eq!(found.iter().copied().collect::<BTreeSet<_>>(), expected, "{window:?}");
                    assert_eq!(found.len(), expected.len(), "duplicate days: {window:?}");
                }
            }
            today = today.succ_opt().unwrap();
        }
    }
}
