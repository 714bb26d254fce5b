//! User accounts: profile, credentials, verification, recovery, administration.

pub mod account;
pub mod credentials;
pub mod national_ids;
pub mod recovery;
pub mod registration;
pub mod user_access;
pub mod users;
pub mod verification;
