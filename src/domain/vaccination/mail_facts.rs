//! What a mail about a booking or an offer depends on when it is sent, and whether what it says is still so.

use chrono::{DateTime, Utc};
use entity::vaccine_requests::{self, Column, Entity as Requests};
use entity::{
    MailKind, PatientRelation, RequestStatus, WaitlistStatus, centres, outbox, patients, slots, users, vaccines,
    waitlist_entries,
};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ConnectionTrait, FromQueryResult as _, QueryResult};
use uuid::Uuid;

use crate::db::QueryText;
use crate::domain::vaccination::request_rows::{add_columns, latest_entry};
use crate::error::Result;

/// What a mail about an appointment depends on.
pub(super) struct Facts {
    pub request: vaccine_requests::Model,
    pub slot: slots::Model,
    pub centre: centres::Model,
    pub vaccine: String,
    /// Name and relation of the patient.
    pub patient: (Option<String>, PatientRelation),
    /// Name and e-mail address of the account.
    pub owner: (String, String),
    pub is_verified: bool,
    /// The latest waitlist entry of the request.
    pub entry: Option<Entry>,
}

/// A waitlist entry.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub status: WaitlistStatus,
    pub priority: i16,
    pub slot_id: Option<Uuid>,
    pub offer_expires_at: Option<DateTime<Utc>>,
}

impl Facts {
    /// Reads the facts of a mail. `None` if the request or its account is gone, or the account is disabled.
    pub async fn read(db: &impl ConnectionTrait, mail: &outbox::Model) -> Result<Option<Self>> {
        let (Some(request_id), Some(slot_id)) = (mail.object_id, mail.slot_id) else { return Ok(None) };
        static QUERY: QueryText = QueryText::new();
        // In the order of the text: the slot, the latest entry, the request.
        let values = [slot_id.into(), 1_u64.into(), request_id.into()];
        let row = db.query_one_raw(QUERY.statement(db, values, || query(request_id, slot_id))).await?;
        row.map(|row| Self::of(&row)).transpose()
    }

    fn of(row: &QueryResult) -> Result<Self> {
        let is_verified: Option<DateTime<Utc>> = row.try_get("", "email_verified_at")?;
        let status: Option<WaitlistStatus> = row.try_get("", "entry_status")?;
        let entry = match status {
            Some(status) => Some(Entry {
                status,
                priority: row.try_get("", "entry_priority")?,
                slot_id: row.try_get("", "entry_slot_id")?,
                offer_expires_at: row.try_get("", "offer_expires_at")?,
            }),
            None => None,
        };
        Ok(Self {
            request: vaccine_requests::Model::from_query_result(row, "r_")?,
            slot: slots::Model::from_query_result(row, "s_")?,
            centre: centres::Model::from_query_result(row, "c_")?,
            vaccine: row.try_get("", "vaccine")?,
            patient: (row.try_get("", "patient")?, row.try_get("", "relation")?),
            owner: (row.try_get("", "owner")?, row.try_get("", "email")?),
            is_verified: is_verified.is_some(),
            entry,
        })
    }

    /// Whether what the mail says is still so.
    pub fn is_current(&self, kind: MailKind, now: DateTime<Utc>) -> bool {
        let status = self.request.status;
        let is_booked = status == RequestStatus::Booked && self.request.slot_id == Some(self.slot.id);
        match kind {
            MailKind::Booked | MailKind::Moved => is_booked && self.slot.ends_at > now,
            MailKind::Reminder => is_booked && self.slot.starts_at > now,
            MailKind::Unbooked => matches!(status, RequestStatus::Approved | RequestStatus::Cancelled),
            MailKind::Closed => matches!(status, RequestStatus::Approved | RequestStatus::Cancelled),
            MailKind::Offer => self.has_entry(WaitlistStatus::Offered) && self.offer_expires_at() > Some(now),
            MailKind::OfferOver => {
                let is_back_in_line = self.entry.is_some_and(|entry| entry.status == WaitlistStatus::Waiting);
                let is_closed = self.slot.closed_at.is_some() && is_back_in_line;
                status == RequestStatus::Approved && (is_closed || self.has_entry(WaitlistStatus::Expired))
            }
            _ => false,
        }
    }

    /// Whether the latest entry has this status, with the slot of the mail.
    fn has_entry(&self, status: WaitlistStatus) -> bool {
        self.entry.is_some_and(|entry| entry.status == status && entry.slot_id == Some(self.slot.id))
    }

    pub fn offer_expires_at(&self) -> Option<DateTime<Utc>> {
        self.entry.and_then(|entry| entry.offer_expires_at)
    }
}

/// The statement that reads the facts of a mail about a request and a slot.
fn query(request_id: Uuid, slot_id: Uuid) -> SelectStatement {
    let of_request = |column| Expr::col((Requests, column));
    let of_slot = |column| Expr::col((slots::Entity, column));
    let of_user = |column| Expr::col((users::Entity, column));
    let of_patient = |column| Expr::col((patients::Entity, column));
    let of_entry = |column| Expr::col((waitlist_entries::Entity, column));
    let mut query = Query::select();
    add_columns::<Requests>(&mut query, "r_");
    add_columns::<slots::Entity>(&mut query, "s_");
    add_columns::<centres::Entity>(&mut query, "c_");
    query
        .expr_as(Expr::col((vaccines::Entity, vaccines::Column::Name)), "vaccine")
        .expr_as(of_patient(patients::Column::Name), "patient")
        .expr_as(of_patient(patients::Column::Relation), "relation")
        .expr_as(of_user(users::Column::Name), "owner")
        .expr_as(of_user(users::Column::Email), "email")
        .expr_as(of_user(users::Column::EmailVerifiedAt), "email_verified_at")
        .expr_as(of_entry(waitlist_entries::Column::Status), "entry_status")
        .expr_as(of_entry(waitlist_entries::Column::Priority), "entry_priority")
        .expr_as(of_entry(waitlist_entries::Column::SlotId), "entry_slot_id")
        .expr_as(of_entry(waitlist_entries::Column::OfferExpiresAt), "offer_expires_at")
        .from(Requests)
        .inner_join(users::Entity, of_user(users::Column::Id).eq(of_request(Column::UserId)))
        .inner_join(patients::Entity, of_patient(patients::Column::Id).eq(of_request(Column::PatientId)))
        .inner_join(slots::Entity, of_slot(slots::Column::Id).eq(slot_id))
        .inner_join(
            centres::Entity,
            Expr::col((centres::Entity, centres::Column::Id)).eq(of_slot(slots::Column::CentreId)),
        )
        .inner_join(
            vaccines::Entity,
            Expr::col((vaccines::Entity, vaccines::Column::Id)).eq(of_slot(slots::Column::VaccineId)),
        )
        .left_join(
            waitlist_entries::Entity,
            of_entry(waitlist_entries::Column::Id).eq(Expr::SubQuery(None, Box::new(latest_entry().into()))),
        )
        .and_where(of_request(Column::Id).eq(request_id))
        .and_where(of_user(users::Column::DisabledAt).is_null());
    query
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::vaccination::mail_messages::Appointment;
    use crate::domain::vaccination::mail_messages::tests::{appointment, time};

    pub(in super::super) const BOOKED: u128 = 1;
    const OTHER: u128 = 2;
    const BEFORE: &str = "2026-11-28T12:00:00Z";

    /// A request with this status; if it is booked, then in slot `BOOKED`. The mail is about slot `slot`.
    pub(in super::super) fn facts(status: RequestStatus, slot: u128, entry: Option<(WaitlistStatus, u128)>) -> Facts {
        let Appointment { centre, starts_at, ends_at, .. } = appointment();
        let (id, created_at) = (Uuid::from_u128(slot), centre.created_at);
        let is_booked = status == RequestStatus::Booked;
        Facts {
            request: vaccine_requests::Model {
                id: Uuid::nil(),
                user_id: None,
                vaccine_id: Uuid::nil(),
                dose_number: 1,
                status,
                note: None,
                reason: None,
                reviewed_by: None,
                created_at,
                updated_at: created_at,
                patient_id: Uuid::nil(),
                course_id: Uuid::nil(),
                slot_id: is_booked.then_some(Uuid::from_u128(BOOKED)),
                code: is_booked.then(|| "ABCD2345".to_owned()),
                moves: 0,
                invitation_id: None,
                checked_in_at: None,
                centre_id: None,
                identified_by: None,
                answers: None,
                revision: 90,
            },
            slot: slots::Model {
                id,
                centre_id: centre.id,
                vaccine_id: Uuid::nil(),
                starts_at,
                ends_at,
                capacity: 1,
                booked: 0,
                held: 0,
                invited_only: false,
                closed_at: None,
                closed_reason: None,
                created_at,
            },
            centre,
            vaccine: "Influenza".to_owned(),
            patient: (Some("Byron King".to_owned()), PatientRelation::Dependant),
            owner: ("Ada King".to_owned(), "ada@example.org".to_owned()),
            is_verified: true,
            entry: entry.map(|(status, slot)| Entry {
                status,
                priority: 0,
                slot_id: Some(Uuid::from_u128(slot)),
                offer_expires_at: Some(time("2026-11-28T12:30:00Z")),
            }),
        }
    }

    #[test]
    fn a_mail_about_a_booking_is_sent_while_it_is_so() {
        use RequestStatus::{Administered, Approved, Booked, Cancelled};
        for (kind, sent_if) in [
            (MailKind::Booked, vec![(Booked, BOOKED)]),
            (MailKind::Moved, vec![(Booked, BOOKED)]),
            (MailKind::Reminder, vec![(Booked, BOOKED)]),
            (MailKind::Unbooked, vec![(Approved, BOOKED), (Approved, OTHER), (Cancelled, BOOKED), (Cancelled, OTHER)]),
            (MailKind::Closed, vec![(Approved, BOOKED), (Approved, OTHER), (Cancelled, BOOKED), (Cancelled, OTHER)]),
            (MailKind::Offer, vec![]),
            (MailKind::OfferOver, vec![]),
            (MailKind::Invitation, vec![]),
        ] {
            for status in [Approved, Booked, Administered, Cancelled] {
                for slot in [BOOKED, OTHER] {
                    let is_sent = facts(status, slot, None).is_current(kind, time(BEFORE));
                    assert_eq!(is_sent, sent_if.contains(&(status, slot)), "{kind:?} {status:?} {slot}");
                }
            }
        }
        let booked = facts(Booked, BOOKED, None);
        assert!(booked.is_current(MailKind::Moved, time("2026-12-01T09:29:59Z")));
        assert!(!booked.is_current(MailKind::Moved, time("2026-12-01T09:30:00Z")));
        assert!(booked.is_current(MailKind::Reminder, time("2026-12-01T08:59:59Z")));
        assert!(!booked.is_current(MailKind::Reminder, time("2026-12-01T09:00:00Z")));
    }

    #[test]
    fn a_mail_about_an_offer_is_sent_while_it_is_so() {
        use RequestStatus::{Approved, Booked};
        use WaitlistStatus::{Accepted, Expired, Offered, Waiting};
        for (kind, entry, status, now, expected) in [
            (MailKind::Offer, (Offered, OTHER), Approved, BEFORE, true),
            (MailKind::Offer, (Offered, BOOKED), Approved, BEFORE, false),
            (MailKind::Offer, (Waiting, OTHER), Approved, BEFORE, false),
            (MailKind::Offer, (Accepted, OTHER), Booked, BEFORE, false),
            (MailKind::Offer, (Offered, OTHER), Approved, "2026-11-28T12:30:00Z", false),
            (MailKind::OfferOver, (Expired, OTHER), Approved, "2026-11-28T12:30:01Z", true),
            (MailKind::OfferOver, (Expired, BOOKED), Approved, "2026-11-28T12:30:01Z", false),
            (MailKind::OfferOver, (Waiting, OTHER), Approved, "2026-11-28T12:30:01Z", false),
            (MailKind::OfferOver, (Expired, OTHER), Booked, "2026-11-28T12:30:01Z", false),
        ] {
            let is_sent = facts(status, OTHER, Some(entry)).is_current(kind, time(now));
            assert_eq!(is_sent, expected, "{kind:?} {entry:?} {status:?} {now}");
        }
        // The slot was closed: the entry is back in line.
        let mut closed = facts(Approved, OTHER, Some((Waiting, OTHER)));
        closed.slot.closed_at = Some(time(BEFORE));
        assert!(closed.is_current(MailKind::OfferOver, time(BEFORE)));
    }
}
