//! Vaccination: the catalogue and its schedules, patients and their requests, centres with their slots and lots, bookings,
//! invitations, what happens at the door of a centre, and doses.

pub mod arrivals;
pub mod availability;
pub mod bookings;
pub mod calendars;
pub mod centres;
pub mod course_schedules;
pub mod courses;
pub mod door;
pub mod eligibility;
pub mod immunizations;
pub mod invitation_imports;
pub mod invitations;
pub mod lots;
pub mod patients;
pub mod request_replies;
pub mod schedule_document;
pub mod slots;
pub mod transitions;
pub mod vaccine_requests;
pub mod vaccines;
pub mod waitlist;
pub mod walk_ins;
