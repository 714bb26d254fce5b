//! Vaccination: the catalogue of vaccines and the requests for them.

pub mod catalogue;
pub mod transitions;
pub mod vaccine_requests;
pub mod vaccines;
