//! Dates and times in English, in the time zone of a centre and with its name.

use chrono::{DateTime, Utc};

use crate::domain::vaccination::invitation_messages::Invitation;
use crate::domain::vaccination::mail_messages::Appointment;
use crate::domain::values::time_zone::{Repeated, TimeZone};

/// Parts of the texts about an appointment.
pub(super) trait AppointmentInEnglish {
    /// When it begins and ends: `Tuesday, 1 December 2026, 09:00 – 09:30 (Europe/London)`.
    fn period(&self) -> String;

    /// Time until which the place is held.
    fn held_until(&self) -> Option<String>;
}

/// Parts of the texts about an invitation.
pub(super) trait InvitationInEnglish {
    /// Time from which it can be used, if that is still to come.
    fn usable_from(&self) -> Option<String>;

    /// Time until which it can be used.
    fn usable_until(&self) -> String;
}

impl AppointmentInEnglish for Appointment {
    fn period(&self) -> String {
        let zone = &self.time_zone;
        let end = match zone.date(self.starts_at) == zone.date(self.ends_at) {
            true => time_of_day(zone, self.ends_at),
            false => date_and_time(zone, self.ends_at),
        };
        format!("{} – {end} ({})", date_and_time(zone, self.starts_at), zone.name())
    }

    fn held_until(&self) -> Option<String> {
        self.offer_expires_at.map(|time| instant(&self.time_zone, time))
    }
}

impl InvitationInEnglish for Invitation {
    fn usable_from(&self) -> Option<String> {
        self.valid_from.map(|time| instant(&self.time_zone, time))
    }

    fn usable_until(&self) -> String {
        instant(&self.time_zone, self.valid_until)
    }
}

/// `Tuesday, 1 December 2026, 09:00 (Europe/London)`.
fn instant(zone: &TimeZone, time: DateTime<Utc>) -> String {
    format!("{} ({})", date_and_time(zone, time), zone.name())
}

fn date_and_time(zone: &TimeZone, time: DateTime<Utc>) -> String {
    format!("{}, {}", zone.date(time).format("%A, %-d %B %Y"), time_of_day(zone, time))
}

/// `09:00`. When the clock is put back and shows a time twice, the offset tells which one is meant: `01:30 UTC+01:00`.
fn time_of_day(zone: &TimeZone, time: DateTime<Utc>) -> String {
    let local = zone.local_with_offset(time);
    let [first, second] = [Repeated::First, Repeated::Second].map(|which| zone.instant(local.naive_local(), which));
    local.format(if first == second { "%H:%M" } else { "%H:%M UTC%:z" }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::vaccination::mail_messages::tests::appointment;

    fn period(zone: &str, starts_at: &str, ends_at: &str) -> String {
        let time_zone = TimeZone::parse(zone).unwrap();
        let (starts_at, ends_at) = (starts_at.parse().unwrap(), ends_at.parse().unwrap());
        Appointment { time_zone, starts_at, ends_at, ..appointment() }.period()
    }

    #[test]
    fn times_are_those_of_the_centre() {
        for (zone, starts_at, ends_at, expected) in [
            (
                "Europe/London",
                "2026-12-01T09:00:00Z",
                "2026-12-01T09:30:00Z",
                "Tuesday, 1 December 2026, 09:00 – 09:30 (Europe/London)",
            ),
            (
                "Europe/London",
                "2026-06-30T13:05:00Z",
                "2026-06-30T13:10:00Z",
                "Tuesday, 30 June 2026, 14:05 – 14:10 (Europe/London)",
            ),
            (
                "Asia/Kolkata",
                "2026-12-01T18:20:00Z",
                "2026-12-01T18:40:00Z",
                "Tuesday, 1 December 2026, 23:50 – Wednesday, 2 December 2026, 00:10 (Asia/Kolkata)",
            ),
            // The clock is put back at 01:00 UTC.
            (
                "Europe/London",
                "2026-10-25T00:30:00Z",
                "2026-10-25T01:30:00Z",
                "Sunday, 25 October 2026, 01:30 UTC+01:00 – 01:30 UTC+00:00 (Europe/London)",
            ),
            // The clock is put forward at 01:00 UTC.
            (
                "Europe/London",
                "2026-03-29T00:45:00Z",
                "2026-03-29T01:15:00Z",
                "Sunday, 29 March 2026, 00:45 – 02:15 (Europe/London)",
            ),
        ] {
            assert_eq!(period(zone, starts_at, ends_at), expected);
        }
    }

    #[test]
    fn without_a_centre_a_time_is_in_utc() {
        let time = "2026-12-31T23:59:00Z".parse().unwrap();
        assert_eq!(instant(&TimeZone::UTC, time), "Thursday, 31 December 2026, 23:59 (UTC)");
    }
}
