//! Vaccination: the catalogue of vaccines and the requests for them.

pub mod transitions;
pub mod vaccine_requests;
pub mod vaccines;
