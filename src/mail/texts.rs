//! Texts of mails, as one set of templates per language. A new language needs a folder of templates and a variant of
//! [`Language`].

use askama::Template;
use entity::MailKind;

use super::english::{AppointmentInEnglish as _, InvitationInEnglish as _};
use crate::domain::mail_messages::{Content, MailMessage};

/// Language of the texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English: `templates/en`.
    English,
}

/// Texts of one mail.
#[derive(Debug)]
pub(super) struct Texts {
    pub(super) subject: String,
    pub(super) plain: String,
    pub(super) html: String,
}

#[derive(Template)]
#[template(path = "en/subject.txt", config = "src/mail/askama.toml")]
struct EnglishSubject<'a> {
    message: &'a MailMessage,
}

#[derive(Template)]
#[template(path = "en/body.txt", config = "src/mail/askama.toml")]
struct EnglishPlain<'a> {
    message: &'a MailMessage,
}

#[derive(Template)]
#[template(path = "en/body.html", config = "src/mail/askama.toml")]
struct EnglishHtml<'a> {
    message: &'a MailMessage,
}

impl Language {
    /// Returns the language with this tag (RFC 5646).
    #[must_use]
    pub fn find(tag: &str) -> Option<Self> {
        (tag == "en").then_some(Self::English)
    }

    /// Renders the texts of a mail.
    pub(super) fn render(self, message: &MailMessage) -> askama::Result<Texts> {
        match self {
            Self::English => Ok(Texts {
                subject: EnglishSubject { message }.render()?,
                plain: EnglishPlain { message }.render()?,
                html: EnglishHtml { message }.render()?,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;
    use crate::domain::auth::codes::Code;
    use crate::domain::vaccination::invitation_messages::Invitation;
    use crate::domain::vaccination::mail_messages::Appointment;
    use crate::domain::vaccination::mail_messages::tests::appointment;
    use crate::domain::values::time_zone::TimeZone;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn render(kind: MailKind, content: Content) -> Texts {
        let message = MailMessage { kind, recipient: "ada@example.org".into(), name: Some("Ada".into()), content };
        Language::English.render(&message).unwrap()
    }

    fn about(kind: MailKind, appointment: Appointment) -> Texts {
        render(kind, Content::Appointment(Box::new(appointment)))
    }

    /// An open request without a booking.
    fn approved() -> Appointment {
        Appointment { code: None, is_approved: true, ..appointment() }
    }

    #[test]
    fn a_booking_has_all_that_its_owner_needs() {
        let texts = about(MailKind::Booked, appointment());
        assert_eq!(texts.subject, "Your vaccination is booked");
        assert_eq!(
            texts.plain,
            "Hello Ada,

This vaccination is booked:

Vaccine: Influenza, dose 1
When: Tuesday, 1 December 2026, 09:00 – 09:30 (Europe/London)
Where: Town hall, 1 Market Square, N1 9GU London
Telephone: +44 20 7946 0000
Code: ABCD2345

Show the code at the centre. Bring an identity document and your vaccination record. The attached file is the appointment for your calendar.

If you cannot come, cancel the booking in your account, so that somebody else gets the place.

care4u"
        );
    }

    #[test]
    fn a_code_is_on_a_line_of_its_own() {
        let code = Code { digits: "012345".to_owned(), expires_at: time("2026-12-01T09:10:00Z") };
        let texts = render(MailKind::VerifyEmail, Content::Account(Some(code)));
        assert_eq!(
            texts.plain,
            "Hello Ada,

An account with this e-mail address has been registered at care4u. This code confirms that the address is yours:

    012345

The code can be used once, until 09:10 UTC. A newer code replaces it.

If you did not register, ignore this mail: the address stays unverified.

care4u"
        );
    }

    #[test]
    fn each_kind_says_what_happened_and_what_to_do_next() {
        let until = Some(time("2026-11-28T12:30:00Z"));
        let reason = Some("The fridge is broken".to_owned());
        for (kind, appointment, parts) in [
            (MailKind::Moved, appointment(), ["has been moved", "Code: ABCD2345", "cancel the booking"]),
            (MailKind::Reminder, appointment(), ["a reminder", "Code: ABCD2345", "attached file"]),
            (
                MailKind::Booked,
                Appointment { code: None, ..appointment() },
                ["is booked", "is in your account", "cancel"],
            ),
            (MailKind::Unbooked, approved(), ["has been cancelled", "still approved", "removes the appointment"]),
            (MailKind::Unbooked, Appointment { is_approved: false, ..approved() }, ["cancelled", "too", "removes"]),
            (
                MailKind::Closed,
                Appointment {
                    is_waiting: true,
                    is_first_in_line: true,
                    is_closed: true,
                    closed_reason: reason,
                    ..approved()
                },
                ["cannot take place then", "Reason: The fridge is broken", "first in line for the next free place"],
            ),
            (MailKind::Closed, approved(), ["for a time", "It is open again", "You can also book"]),
            (
                MailKind::Offer,
                Appointment { offer_expires_at: until, ..approved() },
                ["Saturday, 28 November 2026, 12:30 (Europe/London)", "accept the offer", "has become free"],
            ),
            (MailKind::OfferOver, approved(), ["has expired", "next in line", "join the waitlist again"]),
            (
                MailKind::OfferOver,
                Appointment { is_waiting: true, is_first_in_line: true, is_closed: true, ..approved() },
                ["has closed the slot", "still approved", "first in line for the next free place"],
            ),
            (
                MailKind::OfferOver,
                Appointment { is_waiting: true, is_closed: true, ..approved() },
                ["has closed the slot", "still approved", "on the waitlist"],
            ),
        ] {
            let texts = about(kind, appointment);
            for part in
                parts.into_iter().chain(["Tuesday, 1 December 2026, 09:00 – 09:30 (Europe/London)", "Town hall"])
            {
                assert!(texts.plain.contains(part), "{kind:?}: no {part:?} in {}", texts.plain);
                let html = texts.html.replace("<b>", "").replace("</b>", "").replace("</td><td>", " ");
                let is_code = part.starts_with("Code");
                assert!(is_code || html.contains(part), "{kind:?}: no {part:?} in {html}");
            }
            assert!(!texts.subject.is_empty() && !texts.plain.contains("\n\n\n"), "{kind:?}: {}", texts.plain);
            assert!(!texts.html.contains("http") && !texts.html.contains("<img"), "{}", texts.html);
        }
    }

    #[test]
    fn an_offer_of_a_closed_slot_has_not_expired() {
        let subject = |is_closed| about(MailKind::OfferOver, Appointment { is_closed, ..approved() }).subject;
        assert_eq!(subject(false), "The offer of a place has expired");
        assert_eq!(subject(true), "The centre has closed the slot that was offered");
    }

    #[test]
    fn names_are_escaped_in_html_only() {
        let patient = Some("<b>Eve & Co</b>".to_owned());
        let texts = about(MailKind::Booked, Appointment { patient, ..appointment() });
        assert!(texts.plain.contains("\nFor: <b>Eve & Co</b>\n"), "{}", texts.plain);
        assert!(!texts.html.contains("<b>Eve") && texts.html.contains("Eve &#38; Co"), "{}", texts.html);
    }

    #[test]
    fn an_invitation_has_its_code_and_its_limits() {
        let mut invitation = Invitation {
            course: "Influenza".to_owned(),
            centre: Some(appointment().centre),
            time_zone: TimeZone::parse("Europe/London").unwrap(),
            code: "7KX2-M9QD-4VTB".to_owned(),
            valid_from: Some(time("2026-12-01T08:00:00Z")),
            valid_until: time("2026-12-31T23:00:00Z"),
        };
        let texts = render(MailKind::Invitation, Content::Invitation(Box::new(invitation.clone())));
        assert_eq!(texts.subject, "Your invitation to a vaccination");
        for part in [
            "Influenza",
            "7KX2-M9QD-4VTB",
            "at this centre: Town hall, 1 Market Square, N1 9GU London",
            "from Tuesday, 1 December 2026, 08:00 (Europe/London) until Thursday, 31 December 2026, 23:00 (Europe/London)",
            "for this e-mail address only",
        ] {
            assert!(texts.plain.contains(part), "no {part:?} in {}", texts.plain);
            assert!(texts.html.contains(part), "no {part:?} in {}", texts.html);
        }
        (invitation.centre, invitation.time_zone, invitation.valid_from) = (None, TimeZone::UTC, None);
        let texts = render(MailKind::Invitation, Content::Invitation(Box::new(invitation)));
        assert!(
            texts.plain.contains("It can be used until Thursday, 31 December 2026, 23:00 (UTC)"),
            "{}",
            texts.plain
        );
        assert!(!texts.plain.contains("centre"), "{}", texts.plain);
    }
}
