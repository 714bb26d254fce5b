//! Vaccines, requests, patients, centres, slots, bookings and invitations.

mod availability;
mod bookings;
mod centres;
mod clinic;
mod closing;
mod crowds;
mod day_list;
mod door;
mod idempotency;
mod invitation_imports;
mod invitations;
mod lots;
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
mod walk_ins;
