//! Parts of iCalendar objects (RFC 5545): properties, dates and times, and their texts.

use calcard::common::PartialDateTime;
use calcard::icalendar::{ICalendarEntry, ICalendarProperty, ICalendarValue};
use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};

/// A property with its value.
pub(in crate::domain) fn entry(property: ICalendarProperty, value: impl Into<ICalendarValue>) -> ICalendarEntry {
    ICalendarEntry::new(property).with_value(value)
}

/// A date (RFC 5545 §3.3.4).
pub(in crate::domain) fn date_value(date: NaiveDate) -> PartialDateTime {
    let year = u16::try_from(date.year()).ok();
    PartialDateTime { year, month: byte(date.month()), day: byte(date.day()), ..PartialDateTime::default() }
}

/// A time in UTC (RFC 5545 §3.3.5).
pub(in crate::domain) fn date_time_value(time: DateTime<Utc>) -> PartialDateTime {
    PartialDateTime {
        hour: byte(time.hour()),
        minute: byte(time.minute()),
        second: byte(time.second()),
        tz_hour: Some(0),
        tz_minute: Some(0),
        ..date_value(time.date_naive())
    }
}

/// A text without the control characters that a value of type TEXT must not contain (RFC 5545 §3.3.11).
pub(in crate::domain) fn text_value(text: &str) -> String {
    text.replace(|c: char| c.is_control() && !matches!(c, '\n' | '\t'), " ")
}

fn byte(number: u32) -> Option<u8> {
    u8::try_from(number).ok()
}
