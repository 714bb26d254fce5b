//! User accounts: profile, credentials, verification, recovery, administration.

pub mod account;
pub mod credentials;
pub mod national_ids;
pub mod recovery;
pub mod registration;
pub mod users;
pub mod verification;
