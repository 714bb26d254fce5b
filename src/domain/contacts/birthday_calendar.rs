//! Birthdays as a calendar (RFC 5545), page by page: one whole-day event for each contact's next birthday. A calendar
//! program asks for it again every day, so an age is never wrong.

use calcard::common::PartialDateTime;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarDuration, ICalendarEntry, ICalendarParameter,
    ICalendarProperty, ICalendarTransparency, ICalendarValue, ICalendarValueType,
};
use chrono::{DateTime, Datelike, Days, NaiveDate, Timelike, Utc};
use futures_util::{Stream, StreamExt as _, stream};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::domain::contacts::birthdays::{self, Upcoming, Window};
use crate::domain::values::page::pages;
use crate::error::{Error, Result};

/// Birthdays that are read at once.
const PAGE: u64 = 500;

/// After how long a calendar program should ask again.
const REFRESH: ICalendarDuration =
    ICalendarDuration { neg: false, weeks: 0, days: 1, hours: 0, minutes: 0, seconds: 0 };

/// The calendar of a user, in pieces.
pub fn stream(
    db: impl ConnectionTrait + Clone + 'static,
    user_id: Uuid,
    window: Window,
    now: DateTime<Utc>,
) -> impl Stream<Item = Result<Vec<u8>>> {
    let events = pages(PAGE, move |page| {
        let db = db.clone();
        async move {
            let slice = birthdays::upcoming(&db, user_id, window, page).await?;
            let mut text = String::new();
            for upcoming in &slice.items {
                event(upcoming, now).write_to(&mut text).map_err(Error::internal)?;
            }
            Ok((text.into_bytes(), slice.next))
        }
    });
    let end = stream::once(async { Ok(b"END:VCALENDAR\r\n".to_vec()) });
    stream::once(async { head() }).chain(events).chain(end)
}

fn head() -> Result<Vec<u8>> {
    let mut text = String::from("BEGIN:VCALENDAR\r\n");
    let duration = ICalendarParameter::value(ICalendarValueType::Duration);
    let entries = [
        entry(ICalendarProperty::Version, "2.0".to_owned()),
        entry(ICalendarProperty::Prodid, "-//care4u//birthdays//EN".to_owned()),
        entry(ICalendarProperty::Name, "Birthdays".to_owned()),
        entry(ICalendarProperty::Other("X-WR-CALNAME".to_owned()), "Birthdays".to_owned()),
        // RFC 7986 §5.7, and what calendar programs had before it.
        entry(ICalendarProperty::RefreshInterval, REFRESH).with_param(duration),
        entry(ICalendarProperty::Other("X-PUBLISHED-TTL".to_owned()), "P1D".to_owned()),
    ];
    for entry in entries {
        entry.write_to(&mut text).map_err(Error::internal)?;
    }
    Ok(text.into_bytes())
}

fn event(upcoming: &Upcoming, now: DateTime<Utc>) -> ICalendar {
    let Upcoming { contact, next_birthday, turns, .. } = upcoming;
    let age = turns.map_or_else(String::new, |turns| format!(" ({turns})"));
    let day_after = next_birthday.checked_add_days(Days::new(1)).unwrap_or(*next_birthday);
    let day = |property, date| {
        entry(property, whole_day(date)).with_param(ICalendarParameter::value(ICalendarValueType::Date))
    };
    let mut event = ICalendarComponent::new(ICalendarComponentType::VEvent);
    event.entries = vec![
        entry(ICalendarProperty::Uid, format!("{}-{}@care4u", contact.id, next_birthday.year())),
        entry(ICalendarProperty::Dtstamp, moment(now)),
        day(ICalendarProperty::Dtstart, *next_birthday),
        day(ICalendarProperty::Dtend, day_after),
        entry(ICalendarProperty::Summary, format!("{} {}{age}", contact.first_name, contact.last_name)),
        entry(ICalendarProperty::Categories, "BIRTHDAY".to_owned()),
        entry(ICalendarProperty::Transp, ICalendarTransparency::Transparent),
    ];
    ICalendar { components: vec![event] }
}

fn entry(property: ICalendarProperty, value: impl Into<ICalendarValue>) -> ICalendarEntry {
    ICalendarEntry::new(property).with_value(value)
}

fn small(number: u32) -> Option<u8> {
    u8::try_from(number).ok()
}

fn whole_day(date: NaiveDate) -> PartialDateTime {
    let year = u16::try_from(date.year()).ok();
    PartialDateTime { year, month: small(date.month()), day: small(date.day()), ..PartialDateTime::default() }
}

fn moment(time: DateTime<Utc>) -> PartialDateTime {
    PartialDateTime {
        hour: small(time.hour()),
        minute: small(time.minute()),
        second: small(time.second()),
        tz_hour: Some(0),
        tz_minute: Some(0),
        ..whole_day(time.date_naive())
    }
}
