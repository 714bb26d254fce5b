//! Vaccines and vaccine requests.

mod bookings;
mod centres;
mod patients;
mod vaccine_requests;
mod vaccines;
