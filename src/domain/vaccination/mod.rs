//! Vaccination: the catalogue, patients and their requests, centres with their slots, and bookings.

pub mod booking_codes;
pub mod bookings;
pub mod calendar;
pub mod catalogue;
pub mod centres;
pub mod closing;
pub mod courses;
pub mod eligibility;
pub mod eligibility_check;
pub mod erasure;
pub mod invariants;
mod locks;
pub mod patients;
pub mod people;
mod places;
pub mod request_list;
mod request_rows;
pub mod rules;
pub mod slot_calendars;
pub mod slots;
pub mod transitions;
pub mod vaccine_requests;
pub mod vaccines;
mod wanted_slot;
