//! Vaccines, requests, patients, centres, slots, bookings and invitations.

mod availability;
mod bookings;
mod centres;
mod clinic;
mod closing;
mod crowds;
mod idempotency;
mod invitation_imports;
mod invitations;
mod mails;
mod patients;
mod recount;
mod schedules;
mod slot_search;
mod staff;
mod vaccine_requests;
mod vaccines;
mod waitlist;
mod waitlist_search;
