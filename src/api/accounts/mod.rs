//! User accounts: profile, credentials, verification, recovery, administration.

pub mod account;
pub mod recovery;
pub mod users;
