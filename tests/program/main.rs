//! Tests of the program as users run it: output, log, and exit codes.
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
mod operators;
mod outage;
mod process;
mod seed;

#[path = "../support/postgres.rs"]
#[allow(dead_code, reason = "shared with other test programs")]
mod postgres;

#[path = "../support/smtp.rs"]
#[allow(dead_code, reason = "shared with other test programs")]
mod smtp;
