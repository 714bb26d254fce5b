//! Vaccines and vaccine requests.

mod vaccine_requests;
mod vaccines;
