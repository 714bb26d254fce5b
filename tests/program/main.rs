//! The two programs as their users run them: what they print, log and return, and how they end.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod care4u;
mod log;
mod mail;
mod process;
mod seed;

#[path = "../support/postgres.rs"]
#[allow(dead_code, reason = "shared with other test programs")]
mod postgres;

#[path = "../support/smtp.rs"]
#[allow(dead_code, reason = "shared with other test programs")]
mod smtp;
