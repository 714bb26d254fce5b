//! The application under test, a private database for each test, and the people who use it.
#![allow(dead_code, reason = "each test program uses a part")]

pub mod actor;
pub mod answer;
pub mod app;
pub mod contract;
pub mod database;
pub mod explained;
pub mod mailbox;
pub mod postgres;
pub mod smtp;
