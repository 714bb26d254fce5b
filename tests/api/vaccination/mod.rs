//! Vaccines and vaccine requests.

mod bookings;
mod vaccine_requests;
mod vaccines;
