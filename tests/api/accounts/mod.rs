//! Accounts: registration, profile, e-mail, recovery, mail.

mod account;
mod credentials;
mod mail;
mod national_ids;
mod recovery;
mod registration;
mod unverified;
mod users;
mod verification;
