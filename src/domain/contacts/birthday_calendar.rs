//! Birthday calendar in the iCalendar format (RFC 5545), streamed page by page: an all-day event for each birthday in a span of
//! days that begins a month back, so that an event does not vanish while anybody's day lasts, and goes years ahead.
//!
//! The same contacts give the same bytes until the span changes, once a month, so that a calendar program need not fetch them again.

use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarDuration, ICalendarParameter, ICalendarProperty,
    ICalendarTransparency, ICalendarValueType,
};
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use entity::contact_books;
use entity::contacts::Model;
use futures_util::{Stream, StreamExt as _, stream};
use sea_orm::{ConnectionTrait, EntityTrait};
use uuid::Uuid;

use crate::domain::contacts::birthdays::{self, Window};
use crate::domain::contacts::contacts::birthday_of;
use crate::domain::contacts::names::display_name;
use crate::domain::values::birthday::LeapDay;
use crate::domain::values::icalendar::{date_time_value, date_value, entry};
use crate::domain::values::page::pages;
use crate::error::{Error, Result};

/// Birthdays that one query reads.
const PAGE: u64 = 500;

/// Version of the representation, which is a part of its entity tag.
const REPRESENTATION: u32 = 1;

/// Days before today, at least, whose birthdays are in the calendar.
const DAYS_BACK: u64 = 31;

/// Calendar years after this one whose birthdays are in the calendar.
const YEARS_AHEAD: i32 = 2;

/// The greatest offset of a time zone.
const EARLIEST_ZONE: TimeDelta = TimeDelta::hours(14);

/// Refresh interval that is suggested to calendar programs.
const REFRESH: ICalendarDuration =
    ICalendarDuration { neg: false, weeks: 0, days: 1, hours: 0, minutes: 0, seconds: 0 };

/// Time zone UTC. An iCalendar object has at least one component, and there may be no event (RFC 5545 §3.6).
const UTC_ZONE: &str = "BEGIN:VTIMEZONE\r\nTZID:UTC\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n\
    TZOFFSETFROM:+0000\r\nTZOFFSETTO:+0000\r\nTZNAME:UTC\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n";

/// What a calendar contains: the birthdays from a day to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    from: NaiveDate,
    to: NaiveDate,
    /// The first day on which the calendar has this span.
    since: NaiveDate,
    leap_day: LeapDay,
}

/// What tells whether a calendar has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validators {
    /// Opaque part of a weak entity tag.
    pub tag: String,
    /// When the calendar has changed.
    pub changed_at: DateTime<Utc>,
}

impl Span {
    /// The span around a day. Without a number of days it ends with a calendar year.
    #[must_use]
    pub fn around(today: NaiveDate, days: Option<u32>, leap_day: LeapDay) -> Self {
        let back = today.checked_sub_days(Days::new(DAYS_BACK)).and_then(|day| day.with_day(1));
        let from = back.unwrap_or(today);
        let (to, since) = match days {
            Some(days) => (today.checked_add_days(Days::new(days.into())), Some(today)),
            None => {
                let new_year = NaiveDate::from_ymd_opt(today.year(), 1, 1);
                let new_month = from.checked_add_days(Days::new(DAYS_BACK));
                (NaiveDate::from_ymd_opt(today.year() + YEARS_AHEAD, 12, 31), Ord::max(new_year, new_month))
            }
        };
        Self { from, to: to.unwrap_or(NaiveDate::MAX), since: since.unwrap_or(today), leap_day }
    }

    /// The window in which each of the contacts has a birthday: a year of it is enough.
    fn window(self) -> Window {
        let days = self.to.signed_duration_since(self.from).num_days().clamp(0, 366);
        Window { today: self.from, days: u32::try_from(days).unwrap_or(366), leap_day: self.leap_day }
    }
}

/// Reads what tells whether the calendar of a user has changed.
///
/// # Errors
/// Database errors.
pub async fn validators(db: &impl ConnectionTrait, user_id: Uuid, span: Span) -> Result<Validators> {
    let book = contact_books::Entity::find_by_id(user_id).one(db).await?;
    let change = book.as_ref().map_or(0, |book| book.last_change);
    let leap_day = if span.leap_day == LeapDay::Feb28 { "feb28" } else { "mar1" };
    let tag = format!("{REPRESENTATION}-{change}-{}-{}-{leap_day}", span.from, span.to);
    // Somewhere the day begins fourteen hours before it does in UTC.
    let begun_at = span.since.and_time(NaiveTime::MIN).and_utc() - EARLIEST_ZONE;
    Ok(Validators { tag, changed_at: book.map_or(begun_at, |book| Ord::max(book.changed_at, begun_at)) })
}

/// Streams the birthday calendar of a user, in chunks.
pub fn stream(
    db: impl ConnectionTrait + Clone + 'static,
    user_id: Uuid,
    span: Span,
) -> impl Stream<Item = Result<Vec<u8>>> {
    let events = pages(PAGE, move |page| {
        let db = db.clone();
        async move {
            let slice = birthdays::upcoming(&db, user_id, span.window(), page).await?;
            let mut text = String::new();
            for upcoming in &slice.items {
                for day in birthdays_of(&upcoming.contact, span) {
                    event(&upcoming.contact, day).write_to(&mut text).map_err(Error::internal)?;
                }
            }
            Ok((text.into_bytes(), slice.next))
        }
    });
    let end = stream::once(async { Ok(b"END:VCALENDAR\r\n".to_vec()) });
    stream::once(async { head() }).chain(events).chain(end)
}

/// Birthdays of a contact in a span of days, from the year of birth on.
fn birthdays_of(contact: &Model, span: Span) -> impl Iterator<Item = NaiveDate> {
    let birthday = birthday_of(contact);
    let days = (span.from.year()..=span.to.year()).filter_map(move |year| birthday?.in_year(year, span.leap_day));
    days.filter(move |day| (span.from..=span.to).contains(day))
        .filter(move |day| birthday.and_then(|birthday| birthday.turns(*day)).is_none_or(|age| age >= 0))
}

fn head() -> Result<Vec<u8>> {
    let mut text = String::from("BEGIN:VCALENDAR\r\n");
    let duration = ICalendarParameter::value(ICalendarValueType::Duration);
    let entries = [
        entry(ICalendarProperty::Version, "2.0".to_owned()),
        entry(ICalendarProperty::Prodid, "-//care4u//birthdays//EN".to_owned()),
        entry(ICalendarProperty::Name, "Birthdays".to_owned()),
        entry(ICalendarProperty::Other("X-WR-CALNAME".to_owned()), "Birthdays".to_owned()),
        // The refresh interval of RFC 7986 §5.7, and the property that calendar programs used before that RFC.
        entry(ICalendarProperty::RefreshInterval, REFRESH).with_param(duration),
        entry(ICalendarProperty::Other("X-PUBLISHED-TTL".to_owned()), "P1D".to_owned()),
    ];
    for entry in entries {
        entry.write_to(&mut text).map_err(Error::internal)?;
    }
    text.push_str(UTC_ZONE);
    Ok(text.into_bytes())
}

fn event(contact: &Model, birthday: NaiveDate) -> ICalendar {
    let turns = birthday_of(contact).and_then(|known| known.turns(birthday));
    let age = turns.map_or_else(String::new, |turns| format!(" ({turns})"));
    let next_day = birthday.checked_add_days(Days::new(1)).unwrap_or(birthday);
    let day = |property, date| {
        entry(property, date_value(date)).with_param(ICalendarParameter::value(ICalendarValueType::Date))
    };
    let mut event = ICalendarComponent::new(ICalendarComponentType::VEvent);
    event.entries = vec![
        entry(ICalendarProperty::Uid, format!("{}-{}@care4u", contact.id, birthday.year())),
        // When the data has changed: two calendars of the same data are the same.
        entry(ICalendarProperty::Dtstamp, date_time_value(contact.updated_at)),
        day(ICalendarProperty::Dtstart, birthday),
        day(ICalendarProperty::Dtend, next_day),
        entry(ICalendarProperty::Summary, format!("{}{age}", display_name(contact))),
        entry(ICalendarProperty::Categories, "BIRTHDAY".to_owned()),
        entry(ICalendarProperty::Transp, ICalendarTransparency::Transparent),
    ];
    ICalendar { components: vec![event] }
}
