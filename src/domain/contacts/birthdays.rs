//! Whose birthday is near: contacts in the order of their next birthdays.
//!
//! The year is a circle of days. The index of the contacts has them by month and day, so a window is one stretch of it, or
//! two when it goes across the year's end. A contact born on 29 February stands between those of 28 February and of
//! 1 March, which is right wherever its birthday falls; only the ends of the window have to take care of it.

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

/// In so many days everybody has had their birthday.
const WHOLE_YEAR: u32 = 365;

/// A day of any year: month and day.
type Day = (u32, u32);

const LEAP_DAY: Day = (2, 29);

/// Which birthdays are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first day.
    pub today: NaiveDate,
    /// How many days more, up to 366.
    pub days: u32,
    /// When those born on 29 February have their birthday.
    pub leap_day: LeapDay,
}

/// Where a contact stands in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The first day of the window, which stays what it was while pages are turned at midnight.
    pub today: NaiveDate,
    /// Month of birth.
    pub month: u32,
    /// Day of birth.
    pub day: u32,
    /// Tells people of one birthday apart.
    pub id: Uuid,
}

/// A contact and their next birthday.
#[derive(Clone, Debug)]
pub struct Upcoming {
    /// Who.
    pub contact: Model,
    /// When.
    pub next_birthday: NaiveDate,
    /// How old they turn, if the year of birth is known.
    pub turns: Option<i32>,
    /// How many days there are until then.
    pub in_days: i64,
}

/// A stretch of days, up to the second one but without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    from: Day,
    until: Day,
}

impl Window {
    /// The first stretch, and the one across the year's end.
    fn stretches(&self) -> [Stretch; 2] {
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
            return [Stretch { from, until }, Stretch { from: (1, 1), until: (1, 1) }];
        }
        let until = if self.days < WHOLE_YEAR { Ord::min(until, from) } else { from };
        [Stretch { from, until: (13, 1) }, Stretch { from: (1, 1), until }]
    }

    fn upcoming(&self, contact: Model) -> Option<Upcoming> {
        let birthday = birthday_of(&contact)?;
        let next_birthday = birthday.next(self.today, self.leap_day);
        let in_days = next_birthday.signed_duration_since(self.today).num_days();
        Some(Upcoming { contact, next_birthday, turns: birthday.turns(next_birthday), in_days })
    }
}

/// The contacts of a user whose next birthday falls in the window, soonest first.
///
/// # Errors
/// Fails when the database does.
pub async fn upcoming(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    mut window: Window,
    page: Page<Position>,
) -> Result<Slice<Upcoming, Position>> {
    // Who turns pages at midnight, or travels meanwhile, goes on with the list that was begun.
    let begun = page.after.map(|after| after.today);
    let is_near = |day: &NaiveDate| window.today.signed_duration_since(*day).num_days().abs() <= 2;
    window.today = begun.filter(is_near).unwrap_or(window.today);
    let [first, second] = window.stretches();
    // A page that begins behind the first stretch needs nothing from it.
    let after = page.after.map(|after| ((after.month, after.day), after.id));
    let is_in_second = after.is_some_and(|(day, _)| day < first.from);
    let mut contacts = Vec::new();
    if !is_in_second {
        contacts = born(db, user_id, first, after, page.rows()).await?;
    }
    let missing = page.rows().saturating_sub(u64::try_from(contacts.len()).unwrap_or(u64::MAX));
    if missing > 0 && second.from < second.until {
        contacts.extend(born(db, user_id, second, after.filter(|_| is_in_second), missing).await?);
    }
    let upcoming = contacts.into_iter().filter_map(|contact| window.upcoming(contact)).collect();
    Ok(page.slice(upcoming, |upcoming: &Upcoming| {
        let (month, day) = birthday_of(&upcoming.contact).map_or((1, 1), |birthday| birthday.day_of_year());
        Position { today: window.today, month, day, id: upcoming.contact.id }
    }))
}

/// Contacts born on the days of a stretch, in their order.
async fn born(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    stretch: Stretch,
    after: Option<(Day, Uuid)>,
    limit: u64,
) -> Result<Vec<Model>> {
    let days = || Expr::tuple([Expr::col(Column::BirthMonth), Expr::col(Column::BirthDay)]);
    let tuple = |day: Day| Expr::tuple([day.0.into(), day.1.into()]);
    let order = [Column::BirthMonth, Column::BirthDay, Column::Id];
    let contacts = owned_by(user_id)
        .filter(days().lt(tuple(stretch.until)))
        .apply_if(after, |contacts, ((month, day), id)| {
            let position = Expr::tuple([month.into(), day.into(), Expr::value(id)]);
            contacts.filter(Expr::tuple(order.map(Expr::col)).gt(position))
        })
        .apply_if(after.is_none().then_some(stretch.from), |contacts, from| contacts.filter(days().gte(tuple(from))));
    Ok(order.into_iter().fold(contacts, QueryOrder::order_by_asc).limit(limit).all(db).await?)
}

/// Today, in a zone: the one that is asked for, else the user's own, else UTC.
///
/// # Errors
/// [`Error::InvalidToken`] when the account is gone.
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

    /// All days of the circle on which somebody may have been born, in order.
    fn circle() -> Vec<Day> {
        let first = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap();
        first.iter_days().take(366).map(|date| (date.month(), date.day())).collect()
    }

    /// Who has a birthday on a day, said without any cleverness.
    fn born_for(date: NaiveDate, leap_day: LeapDay) -> Vec<Day> {
        let day = (date.month(), date.day());
        let stands_in = match leap_day {
            LeapDay::Feb28 => (2, 28),
            LeapDay::Mar1 => (3, 1),
        };
        if day == stands_in && !date.leap_year() { vec![day, LEAP_DAY] } else { vec![day] }
    }

    /// Each day of 400 years: everybody's next birthday, and the age they turn, as a calendar that is leafed through shows.
    #[test]
    fn a_next_birthday_is_the_first_that_a_calendar_shows() {
        let people: Vec<_> = circle()
            .into_iter()
            .map(|(month, day)| {
                let parts = (i16::try_from(month).unwrap(), i16::try_from(day).unwrap());
                Birthday::parse(Some(parts.0), Some(parts.1), Some(1904), NaiveDate::MAX)
                    .unwrap()
                    .or_else(|| panic!("{parts:?}"))
                    .unwrap()
            })
            .collect();
        for leap_day in [LeapDay::Feb28, LeapDay::Mar1] {
            let end = NaiveDate::from_ymd_opt(2400, 12, 31).unwrap();
            // Leafed through backwards: what was shown last is what comes next.
            let mut next = std::collections::HashMap::new();
            let mut date = NaiveDate::from_ymd_opt(2401, 12, 31).unwrap();
            while date >= NaiveDate::from_ymd_opt(2000, 1, 1).unwrap() {
                for day in born_for(date, leap_day) {
                    next.insert(day, date);
                }
                if date <= end {
                    // Those around this day, the leap day, and of the others another one each day.
                    let turn = usize::try_from(date.num_days_from_ce()).unwrap() % 366;
                    let near = |place: usize| (place + 366 - usize::try_from(date.ordinal0()).unwrap()) % 366;
                    for (place, person) in people.iter().enumerate() {
                        let is_near = near(place) < 3 || near(place) > 362 || person.day_of_year() == LEAP_DAY;
                        if !is_near && place != turn {
                            continue;
                        }
                        let shown = next[&person.day_of_year()];
                        assert_eq!(person.next(date, leap_day), shown, "{person:?} from {date}");
                        assert_eq!(person.turns(shown), Some(shown.year() - 1904));
                    }
                }
                date = date.pred_opt().unwrap();
            }
        }
    }

    /// Day by day through 400 years, after which the calendar repeats, with windows of many lengths.
    #[test]
    fn the_stretches_of_a_window_hold_just_whom_a_calendar_shows() {
        let circle = circle();
        let mut today = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap();
        let end = today.checked_add_days(Days::new(146_097)).unwrap();
        let mut turn = 0_u32;
        while today < end {
            turn = (turn + 1) % 367;
            for leap_day in [LeapDay::Feb28, LeapDay::Mar1] {
                // Whole years take long, and matter around the days that are not the same every year.
                let is_special =
                    matches!((today.month(), today.day()), (2, 26..) | (3, 1..=3) | (12, 30..) | (1, 1..=2));
                let lengths = if is_special { vec![0, 1, turn, 364, 365, 366] } else { vec![turn % 9] };
                for days in lengths {
                    let window = Window { today, days, leap_day };
                    let shown: BTreeSet<Day> = today
                        .iter_days()
                        .take(usize::try_from(days).unwrap() + 1)
                        .flat_map(|date| born_for(date, leap_day))
                        .collect();
                    let held: Vec<Day> = window
                        .stretches()
                        .into_iter()
                        .flat_map(|part| circle.iter().filter(move |day| part.from <= **day && **day < part.until))
                        .copied()
                        .collect();
                    assert_eq!(held.iter().copied().collect::<BTreeSet<_>>(), shown, "{window:?}");
                    assert_eq!(held.len(), shown.len(), "somebody is there twice: {window:?}");
                }
            }
            today = today.succ_opt().unwrap();
        }
    }
}
