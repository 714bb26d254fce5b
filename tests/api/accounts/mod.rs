//! Accounts: registration, profile, e-mail, recovery, mail.

mod account;
mod credentials;
mod mail;
mod national_ids;
mod recovery;
mod registration;
mod unverified;
mod user_access;
mod users;
mod verification;
