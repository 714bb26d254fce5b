//! Appointment as an iCalendar object (RFC 5545, RFC 5546), for the calendar programs of the recipients of mails. Its id is that
//! of the request: when a booking is moved, the new event replaces the old one.

use calcard::icalendar::{
    ICalendar, ICalendarClassification, ICalendarComponent, ICalendarComponentType, ICalendarEntry, ICalendarMethod,
    ICalendarProperty, ICalendarStatus, ICalendarTransparency, ICalendarValue, Uri,
};
use entity::{MailKind, centres};

use crate::domain::vaccination::mail_messages::Appointment;
use crate::domain::values::icalendar::{date_time_value, entry, text_value};
use crate::error::{Error, Result};

/// What a calendar program does with an appointment (RFC 5546 §1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Adds or replaces it.
    Publish,
    /// Marks it as cancelled.
    Cancel,
}

impl Method {
    /// The method of the calendar in a mail. `None` if the mail has no calendar.
    #[must_use]
    pub fn of(kind: MailKind) -> Option<Self> {
        match kind {
            MailKind::Booked | MailKind::Moved | MailKind::Reminder => Some(Self::Publish),
            MailKind::Unbooked | MailKind::Closed => Some(Self::Cancel),
            _ => None,
        }
    }

    /// The value of the property METHOD.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "PUBLISH",
            Self::Cancel => "CANCEL",
        }
    }
}

/// Writes the calendar of an appointment. `organizer` is an e-mail address.
///
/// # Errors
/// An internal error if the library cannot write it.
pub fn write(appointment: &Appointment, method: Method, organizer: &str) -> Result<String> {
    let calendar_method = match method {
        Method::Publish => ICalendarMethod::Publish,
        Method::Cancel => ICalendarMethod::Cancel,
    };
    let mut calendar = ICalendarComponent::new(ICalendarComponentType::VCalendar);
    calendar.entries = vec![
        entry(ICalendarProperty::Version, "2.0"),
        entry(ICalendarProperty::Prodid, "-//care4u//appointments//EN"),
        entry(ICalendarProperty::Method, calendar_method),
    ];
    // The position of the event in the list below.
    calendar.component_ids = vec![1];
    let mut text = String::new();
    let object = ICalendar { components: vec![calendar, event(appointment, method, organizer)] };
    object.write_to(&mut text).map_err(Error::internal)?;
    Ok(text)
}

fn event(appointment: &Appointment, method: Method, organizer: &str) -> ICalendarComponent {
    let status = match method {
        Method::Publish => ICalendarStatus::Confirmed,
        Method::Cancel => ICalendarStatus::Cancelled,
    };
    let organizer = ICalendarValue::Uri(Uri::Location(format!("mailto:{organizer}")));
    let mut event = ICalendarComponent::new(ICalendarComponentType::VEvent);
    event.entries = vec![
        entry(ICalendarProperty::Uid, format!("{}@care4u", appointment.request_id)),
        entry(ICalendarProperty::Sequence, i64::from(appointment.sequence)),
        entry(ICalendarProperty::Dtstamp, date_time_value(appointment.prepared_at)),
        entry(ICalendarProperty::Dtstart, date_time_value(appointment.starts_at)),
        entry(ICalendarProperty::Dtend, date_time_value(appointment.ends_at)),
        entry(ICalendarProperty::Summary, text_value(&format!("Vaccination: {}", appointment.vaccine))),
        entry(ICalendarProperty::Location, text_value(&appointment.place())),
        entry(ICalendarProperty::Organizer, organizer),
        entry(ICalendarProperty::Status, status),
        entry(ICalendarProperty::Transp, ICalendarTransparency::Opaque),
        entry(ICalendarProperty::Class, ICalendarClassification::Private),
    ];
    event.entries.extend(geo(&appointment.centre));
    if let (Method::Publish, Some(code)) = (method, &appointment.code) {
        let description = format!(
            "Code: {code}\nShow this code at the centre. Bring an identity document and your vaccination record."
        );
        event.entries.push(entry(ICalendarProperty::Description, description));
    }
    event
}

/// The coordinates of a centre: latitude, longitude (RFC 5545 §3.8.1.6).
fn geo(centre: &centres::Model) -> Option<ICalendarEntry> {
    let (latitude, longitude) = (centre.latitude?, centre.longitude?);
    Some(entry(ICalendarProperty::Geo, latitude).with_value(longitude))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::vaccination::mail_messages::tests::appointment;

    /// Joins folded lines.
    fn unfolded(text: &str) -> String {
        text.replace("\r\n ", "")
    }

    #[test]
    fn a_booking_is_published_with_its_code() {
        let text = write(&appointment(), Method::Publish, "clinic@example.net").unwrap();
        let expected = "BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//care4u//appointments//EN\r
METHOD:PUBLISH\r
BEGIN:VEVENT\r
UID:01900000-0000-7000-8000-00000000000a@care4u\r
SEQUENCE:90\r
DTSTAMP:20261128T120000Z\r
DTSTART:20261201T090000Z\r
DTEND:20261201T093000Z\r
SUMMARY:Vaccination: Influenza\r
LOCATION:Town hall\\, 1 Market Square\\, N1 9GU London\r
ORGANIZER:mailto:clinic@example.net\r
STATUS:CONFIRMED\r
TRANSP:OPAQUE\r
CLASS:PRIVATE\r
GEO:51.5;-0.125\r
DESCRIPTION:Code: ABCD2345\\nShow this code at the centre. Bring an identity\r
  document and your vaccination record.\r
END:VEVENT\r
END:VCALENDAR\r
";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_cancelled_booking_has_the_same_id_and_no_code() {
        let cancelled = Appointment { sequence: 91, ..appointment() };
        let text = write(&cancelled, Method::Cancel, "clinic@example.net").unwrap();
        for line in [
            "METHOD:CANCEL",
            "UID:01900000-0000-7000-8000-00000000000a@care4u",
            "SEQUENCE:91",
            "STATUS:CANCELLED",
            "DTSTART:20261201T090000Z",
        ] {
            assert!(text.contains(&format!("\r\n{line}\r\n")), "no {line} in {text}");
        }
        assert!(!text.contains("DESCRIPTION"), "{text}");
        let unverified = Appointment { code: None, ..appointment() };
        let text = write(&unverified, Method::Publish, "clinic@example.net").unwrap();
        assert!(!text.contains("DESCRIPTION"), "{text}");
    }

    #[test]
    fn texts_are_escaped_and_folded_and_read_back() {
        let mut odd = appointment();
        odd.vaccine = "Grippe, Saison 2026/27; \\ „für“ alle\u{7}\r\nBEGIN:VALARM".to_owned();
        odd.centre.name = "Ärztehaus ".repeat(20);
        odd.centre.address = "Große Straße 1\nHinterhaus".to_owned();
        (odd.centre.latitude, odd.centre.longitude) = (None, None);
        let text = write(&odd, Method::Publish, "clinic@example.net").unwrap();
        assert!(text.lines().all(|line| line.len() <= 75), "{text}");
        assert!(!text.replace("\r\n", "").contains(['\r', '\n', '\u{7}']), "{text}");
        assert!(!text.contains("\nBEGIN:VALARM") && !text.contains("GEO"), "{text}");
        let summary = "SUMMARY:Vaccination: Grippe\\, Saison 2026/27\\; \\\\ „für“ alle  \\nBEGIN:VALARM\r\n";
        assert!(unfolded(&text).contains(summary), "{text}");

        let read = ICalendar::parse(&text).unwrap();
        let event = read.components.iter().find(|part| part.component_type == ICalendarComponentType::VEvent).unwrap();
        let value = |property| event.property(&property).unwrap().values[0].as_text().unwrap().to_owned();
        assert_eq!(
            value(ICalendarProperty::Summary),
            "Vaccination: Grippe, Saison 2026/27; \\ „für“ alle  \nBEGIN:VALARM"
        );
        let name = "Ärztehaus ".repeat(20);
        assert_eq!(
            value(ICalendarProperty::Location),
            format!("{}, Große Straße 1, Hinterhaus, N1 9GU London", name.trim())
        );
    }
}
