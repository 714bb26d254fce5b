//! Reply about a vaccine request, read from a row of either database client.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

/// The statement that reads a [`Reply`], with a condition.
macro_rules! select {
    ($condition:literal) => {
        concat!(
            "SELECT r.id, r.user_id, p.contact_id, p.relation, p.id, p.name, \
             p.birth_year, p.birth_month, p.birth_day, p.created_at, p.updated_at, u.nid, u.nid_verified_at, \
             r.vaccine_id, r.course_id, r.dose_number, r.status, r.note, r.reason, r.reviewed_by, s.id, s.centre_id, \
             c.name, s.starts_at, s.ends_at, c.time_zone, r.code, r.moves, r.created_at, r.updated_at, p.user_id, \
             k.first_name, k.last_name, k.birth_month, k.birth_day, k.birth_year, r.invitation_id, w.id \
             FROM vaccine_requests r JOIN patients p ON p.id = r.patient_id \
             LEFT JOIN users u ON u.id = p.user_id AND p.relation = 'self' \
             LEFT JOIN contacts k ON k.id = p.contact_id \
             LEFT JOIN waitlist_entries w ON w.id = (SELECT l.id FROM waitlist_entries l WHERE l.request_id = r.id \
             ORDER BY l.id DESC LIMIT 1) LEFT JOIN slots s ON s.id = r.slot_id LEFT JOIN centres c ON c.id = s.centre_id ",
            $condition
        )
    };
}

/// A request.
pub(super) const BY_ID: &str = select!("WHERE r.id = $1");

/// A page of the requests of a user, and one more.
pub(super) const OF_USER: &str = select!("WHERE r.user_id = $1 ORDER BY r.id DESC LIMIT 21");

#[derive(Serialize)]
pub(super) struct Reply<'a> {
    pub(super) id: Uuid,
    pub(super) user_id: Option<Uuid>,
    pub(super) for_contact: bool,
    pub(super) contact_id: Option<Uuid>,
    pub(super) contact: Option<Contact<'a>>,
    pub(super) patient: Patient<'a>,
    pub(super) vaccine_id: Uuid,
    pub(super) course_id: Uuid,
    pub(super) dose_number: i32,
    pub(super) status: &'a str,
    pub(super) note: Option<&'a str>,
    pub(super) reason: Option<&'a str>,
    pub(super) reviewer_id: Option<Uuid>,
    pub(super) slot: Option<Slot<'a>>,
    pub(super) code: Option<&'a str>,
    pub(super) moves: i32,
    pub(super) invitation_id: Option<Uuid>,
    /// Always `null`: the benchmark has no waitlist.
    pub(super) waitlist: Option<Uuid>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
}

#[derive(Serialize)]
pub(super) struct Contact<'a> {
    pub(super) first_name: Option<&'a str>,
    pub(super) last_name: Option<&'a str>,
    pub(super) birth_month: Option<i16>,
    pub(super) birth_day: Option<i16>,
    pub(super) birth_year: Option<i16>,
}

#[derive(Serialize)]
pub(super) struct Patient<'a> {
    pub(super) id: Uuid,
    pub(super) user_id: Option<Uuid>,
    pub(super) contact_id: Option<Uuid>,
    pub(super) relation: &'a str,
    pub(super) name: Option<&'a str>,
    pub(super) birth_year: Option<i16>,
    pub(super) birth_month: Option<i16>,
    pub(super) birth_day: Option<i16>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) nid: Option<&'a str>,
    pub(super) nid_verified_at: Option<DateTime<Utc>>,
}

#[derive(Serialize)]
pub(super) struct Slot<'a> {
    pub(super) id: Uuid,
    pub(super) centre_id: Uuid,
    pub(super) centre_name: &'a str,
    pub(super) starts_at: DateTime<Utc>,
    pub(super) ends_at: DateTime<Utc>,
    pub(super) local_start: String,
    pub(super) time_zone: &'a str,
}

/// Reads a [`Reply`] from a row. A macro, because the two clients have no trait in common.
macro_rules! reply {
    ($row:expr) => {{
        use super::reply::{Contact, Patient, Reply, Slot};
        let row = $row;
        let (contact_id, relation): (Option<uuid::Uuid>, &str) = (row.get(2), row.get(3));
        let slot_id: Option<uuid::Uuid> = row.get(20);
        Reply {
            id: row.get(0),
            user_id: row.get(1),
            for_contact: relation == "dependant",
            contact_id,
            contact: contact_id.map(|_| Contact {
                first_name: row.get(31),
                last_name: row.get(32),
                birth_month: row.get(33),
                birth_day: row.get(34),
                birth_year: row.get(35),
            }),
            patient: Patient {
                id: row.get(4),
                user_id: row.get(30),
                contact_id,
                relation,
                name: row.get(5),
                birth_year: row.get(6),
                birth_month: row.get(7),
                birth_day: row.get(8),
                created_at: row.get(9),
                updated_at: row.get(10),
                nid: row.get(11),
                nid_verified_at: row.get(12),
            },
            vaccine_id: row.get(13),
            course_id: row.get(14),
            dose_number: row.get(15),
            status: row.get(16),
            note: row.get(17),
            reason: row.get(18),
            reviewer_id: row.get(19),
            slot: slot_id.map(|id| {
                let (starts_at, time_zone) = (row.get(23), row.get(25));
                Slot {
                    id,
                    centre_id: row.get(21),
                    centre_name: row.get(22),
                    starts_at,
                    ends_at: row.get(24),
                    local_start: super::booking::zone(time_zone).local_with_offset(starts_at).to_rfc3339(),
                    time_zone,
                }
            }),
            code: row.get(26),
            moves: row.get(27),
            invitation_id: row.get(36),
            waitlist: row.get(37),
            created_at: row.get(28),
            updated_at: row.get(29),
        }
    }};
}

pub(super) use reply;
