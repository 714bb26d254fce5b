//! Accounts: registration, profile, e-mail, recovery, mail.

mod account;
mod credentials;
mod mail;
mod recovery;
mod registration;
mod users;
mod verification;
