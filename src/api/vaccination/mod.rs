//! Vaccination: the catalogue of vaccines and the requests for them.

pub mod vaccine_requests;
pub mod vaccines;
