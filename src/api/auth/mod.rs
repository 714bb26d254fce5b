//! Authentication: log-in, sessions, token endpoint.

pub mod log_in;
pub mod revocation;
pub mod sessions;
pub mod token;
