//! Vaccines, requests, patients, centres, slots and bookings.

mod bookings;
mod centres;
mod clinic;
mod closing;
mod crowds;
mod idempotency;
mod patients;
mod recount;
mod staff;
mod vaccine_requests;
mod vaccines;
