//! Booking a slot: the statements that care4u executes, in the same order, and the rules for a request without an age
//! limit.

use care4u::domain::values::time_zone::TimeZone;
use serde::Deserialize;
use uuid::Uuid;

pub(super) const PATIENT: &str =
    "SELECT * FROM patients WHERE id = (SELECT patient_id FROM vaccine_requests WHERE id = $1)";
pub(super) const REQUEST: &str =
    "SELECT patient_id, course_id, dose_number, status FROM vaccine_requests WHERE id = $1 AND user_id = $2";
pub(super) const SLOT: &str = "SELECT s.starts_at, s.ends_at, c.time_zone, v.course_id, v.active, v.doses, \
    EXISTS (SELECT 1 FROM vaccine_requests r JOIN slots o ON o.id = r.slot_id WHERE r.patient_id = $1 \
    AND (r.status = 'booked') IS TRUE AND r.id <> $2 AND o.starts_at < s.ends_at AND o.ends_at > s.starts_at) \
    FROM slots s JOIN centres c ON c.id = s.centre_id JOIN vaccines v ON v.id = s.vaccine_id WHERE s.id = $3";
pub(super) const BOOK: &str = "UPDATE vaccine_requests SET status = 'booked', slot_id = $1, code = $2, updated_at = $3 \
    WHERE id = $4 AND status = 'approved'";
pub(super) const TAKE: &str = "UPDATE slots SET booked = booked + 1 WHERE id = $1 AND booked + held < capacity \
    AND closed_at IS NULL AND NOT invited_only AND starts_at > $2 \
    AND vaccine_id IN (SELECT id FROM vaccines WHERE course_id = $3)";

/// The mail about the booking, and its reminder.
pub(super) const MAILS: &str = "INSERT INTO outbox \
    (recipient, id, kind, attempts, due_at, created_at, object_id, slot_id) \
    SELECT u.email, $1, 'booked', 0, $2, $2, $3, $4 \
    FROM vaccine_requests r JOIN users u ON u.id = r.user_id WHERE r.id = $3 \
    UNION ALL SELECT u.email, $5, 'reminder', 0, $6, $6, $3, $4 \
    FROM vaccine_requests r JOIN users u ON u.id = r.user_id WHERE r.id = $3 AND $6 > $2";

#[derive(Deserialize)]
pub(super) struct BookSlot {
    pub(super) slot_id: Uuid,
}

pub(super) fn zone(name: &str) -> TimeZone {
    TimeZone::parse(name).expect("a time zone")
}

/// Whether the rules allow the dose.
pub(super) fn is_eligible(active: bool, doses: i32, dose_number: i32, overlaps: bool, same_course: bool) -> bool {
    active && dose_number <= doses && !overlaps && same_course
}

pub(super) fn new_code() -> String {
    const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    (0..8).map(|_| char::from(LETTERS[fastrand::usize(..32)])).collect()
}
