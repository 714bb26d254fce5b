//! Birthday calendar in the iCalendar format (RFC 5545), streamed page by page: one all-day event for
//! the next birthday of each contact. Calendar programs fetch it again every day, so the age in an
//! event is always correct.

use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarDuration, ICalendarParameter, ICalendarProperty,
    ICalendarTransparency, ICalendarValueType,
};
use chrono::{DateTime, Datelike, Days, Utc};
use futures_util::{Stream, StreamExt as _, stream};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::domain::contacts::birthdays::{self, Upcoming, Window};
use crate::domain::values::icalendar::{date_time_value, date_value, entry};
use crate::domain::values::page::pages;
use crate::error::{Error, Result};

/// Birthdays that one query reads.
const PAGE: u64 = 500;

/// Refresh interval that is suggested to calendar programs.
const REFRESH: ICalendarDuration =
    ICalendarDuration { neg: false, weeks: 0, days: 1, hours: 0, minutes: 0, seconds: 0 };

/// Streams the birthday calendar of a user, in chunks.
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
        // The refresh interval of RFC 7986 §5.7, and the property that calendar programs used before that RFC.
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
    let next_day = next_birthday.checked_add_days(Days::new(1)).unwrap_or(*next_birthday);
    let day = |property, date| {
        entry(property, date_value(date)).with_param(ICalendarParameter::value(ICalendarValueType::Date))
    };
    let mut event = ICalendarComponent::new(ICalendarComponentType::VEvent);
    event.entries = vec![
        entry(ICalendarProperty::Uid, format!("{}-{}@care4u", contact.id, next_birthday.year())),
        entry(ICalendarProperty::Dtstamp, date_time_value(now)),
        day(ICalendarProperty::Dtstart, *next_birthday),
        day(ICalendarProperty::Dtend, next_day),
        entry(ICalendarProperty::Summary, format!("{} {}{age}", contact.first_name, contact.last_name)),
        entry(ICalendarProperty::Categories, "BIRTHDAY".to_owned()),
        entry(ICalendarProperty::Transp, ICalendarTransparency::Transparent),
    ];
    ICalendar { components: vec![event] }
}
