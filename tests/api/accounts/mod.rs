//! Accounts: registration, profile, e-mail, recovery, mail.

mod mail;
mod recovery;
mod registration;
mod users;
mod verification;
