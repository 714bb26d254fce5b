//! Mail messages about bookings and offers: their content is decided when they are sent, and a mail about what is no longer so
//! is dropped.

use chrono::{DateTime, Utc};
use entity::{MailKind, PatientRelation, RequestStatus, WaitlistStatus, centres, outbox};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::domain::accounts::mail_messages::{Message, Outcome, postponed_until};
use crate::domain::auth::context::Auth;
use crate::domain::records::notices;
use crate::domain::vaccination::mail_facts::Facts;
use crate::domain::values::time_zone::TimeZone;
use crate::error::Result;

/// The appointment that a mail is about, or the place that it offers.
#[derive(Clone, Debug)]
pub struct Appointment {
    /// Id of the vaccine request.
    pub request_id: Uuid,
    /// Revision of the appointment: seconds from the creation of the request to its last change.
    pub sequence: i32,
    /// Time at which the mail was prepared.
    pub prepared_at: DateTime<Utc>,
    /// Name of the vaccine.
    pub vaccine: String,
    /// Number of the dose.
    pub dose_number: i32,
    /// Name of the patient, in mails to a verified address about somebody else than its owner.
    pub patient: Option<String>,
    /// The centre.
    pub centre: centres::Model,
    /// Time zone of the centre.
    pub time_zone: TimeZone,
    /// Start of the slot.
    pub starts_at: DateTime<Utc>,
    /// End of the slot.
    pub ends_at: DateTime<Utc>,
    /// Booking code, in mails to a verified address.
    pub code: Option<String>,
    /// Whether the request is approved, so that it can be booked.
    pub is_approved: bool,
    /// Whether the request is on the waitlist.
    pub is_waiting: bool,
    /// Whether the request comes before all that have joined the waitlist, because its slot was closed.
    pub is_first_in_line: bool,
    /// Whether the slot is closed.
    pub is_closed: bool,
    /// Reason why the slot was closed.
    pub closed_reason: Option<String>,
    /// Time until which the place is held.
    pub offer_expires_at: Option<DateTime<Utc>>,
}

impl Appointment {
    /// Name and address of the centre, in one line.
    #[must_use]
    pub fn place(&self) -> String {
        place(&self.centre)
    }
}

/// Prepares a mail about a booking or an offer. It is sent to the address that the account has now.
///
/// # Errors
/// Database errors.
pub async fn prepare(
    db: &impl ConnectionTrait,
    auth: &Auth,
    mail: &outbox::Model,
) -> Result<Outcome<Box<Appointment>>> {
    let now = auth.clock.now();
    let Some(facts) = Facts::read(db, mail).await? else { return Ok(Outcome::Skip) };
    if !facts.is_current(mail.kind, now) || notices::is_replaced(db, mail).await? {
        return Ok(Outcome::Skip);
    }
    // Users can cause such mails at will only to an address that they own.
    if !facts.is_verified
        && let Some(time) = postponed_until(db, auth, mail, &facts.owner.1).await?
    {
        return Ok(Outcome::Postpone(time));
    }
    message(facts, mail.kind, now).map(Outcome::Send)
}

/// The mail. Others than the owner of a verified address may be strangers: names and codes are not for them.
fn message(facts: Facts, kind: MailKind, now: DateTime<Utc>) -> Result<Message<Box<Appointment>>> {
    let offer_expires_at = facts.offer_expires_at();
    let Facts {
        request,
        slot,
        centre,
        vaccine,
        patient: (patient, relation),
        owner: (name, email),
        is_verified,
        entry,
    } = facts;
    let content = Box::new(Appointment {
        request_id: request.id,
        sequence: request.revision,
        prepared_at: now,
        vaccine,
        dose_number: request.dose_number,
        patient: patient.filter(|_| is_verified && relation != PatientRelation::Own),
        time_zone: TimeZone::parse(&centre.time_zone)?,
        centre,
        starts_at: slot.starts_at,
        ends_at: slot.ends_at,
        code: request.code.filter(|_| is_verified),
        is_approved: request.status == RequestStatus::Approved,
        is_waiting: entry.is_some_and(|entry| entry.status == WaitlistStatus::Waiting),
        is_first_in_line: entry.is_some_and(|entry| entry.priority < 0),
        is_closed: slot.closed_at.is_some(),
        closed_reason: slot.closed_reason,
        offer_expires_at,
    });
    Ok(Message { kind, recipient: email, name: Some(name).filter(|_| is_verified), content })
}

/// Name and address of a centre, in one line.
pub(super) fn place(centre: &centres::Model) -> String {
    let city = [centre.postal_code.as_deref(), centre.city.as_deref()].into_iter().flatten();
    let city = city.collect::<Vec<_>>().join(" ");
    let lines = [centre.name.as_str()].into_iter().chain(centre.address.lines()).chain([city.as_str()]);
    lines.map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::vaccination::mail_facts::tests::{BOOKED, facts};

    pub(crate) fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// A booking in London, in a mail to its patient.
    pub(crate) fn appointment() -> Appointment {
        let created_at = time("2026-11-01T08:00:00Z");
        Appointment {
            request_id: Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_000a),
            sequence: 90,
            prepared_at: time("2026-11-28T12:00:00Z"),
            vaccine: "Influenza".to_owned(),
            dose_number: 1,
            patient: None,
            centre: centres::Model {
                id: Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_000b),
                name: "Town hall".to_owned(),
                address: "1 Market Square".to_owned(),
                city: Some("London".to_owned()),
                postal_code: Some("N1 9GU".to_owned()),
                time_zone: "Europe/London".to_owned(),
                latitude: Some(51.5),
                longitude: Some(-0.125),
                phone_number: Some("+44 20 7946 0000".to_owned()),
                active: true,
                created_at,
                updated_at: created_at,
            },
            time_zone: TimeZone::parse("Europe/London").unwrap(),
            starts_at: time("2026-12-01T09:00:00Z"),
            ends_at: time("2026-12-01T09:30:00Z"),
            code: Some("ABCD2345".to_owned()),
            is_approved: false,
            is_waiting: false,
            is_first_in_line: false,
            is_closed: false,
            closed_reason: None,
            offer_expires_at: None,
        }
    }

    #[test]
    fn names_and_codes_are_for_verified_addresses() {
        let booked = |is_verified, relation| {
            let patient = (Some("Byron King".to_owned()), relation);
            let facts = Facts { is_verified, patient, ..facts(RequestStatus::Booked, BOOKED, None) };
            message(facts, MailKind::Booked, time("2026-11-28T12:00:00Z")).unwrap()
        };
        let mail = booked(true, PatientRelation::Dependant);
        assert_eq!((mail.recipient.as_str(), mail.name.as_deref()), ("ada@example.org", Some("Ada King")));
        assert_eq!(mail.content.patient.as_deref(), Some("Byron King"));
        assert_eq!((mail.content.code.as_deref(), mail.content.sequence), (Some("ABCD2345"), 90));
        assert_eq!(booked(true, PatientRelation::Own).content.patient, None);
        let mail = booked(false, PatientRelation::Dependant);
        assert_eq!((mail.name, mail.content.patient, mail.content.code), (None, None, None));
    }

    #[test]
    fn a_place_is_one_line_of_what_is_known() {
        let mut centre = appointment().centre;
        assert_eq!(place(&centre), "Town hall, 1 Market Square, N1 9GU London");
        centre.address = "1 Market Square\n\nBack yard \n".to_owned();
        (centre.city, centre.postal_code) = (None, None);
        assert_eq!(place(&centre), "Town hall, 1 Market Square, Back yard");
    }
}
