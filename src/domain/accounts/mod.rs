//! User accounts: profile, credentials, verification, recovery, administration.

pub mod administration;
pub mod credentials;
pub mod mail_messages;
pub mod national_ids;
pub(in crate::domain) mod own_patient;
pub mod recovery;
pub mod registration;
pub mod user_words;
pub mod users;
pub mod verification;
