//! Test support: application, private databases, actors, mail.
#![allow(dead_code, reason = "each test program uses a part")]

pub mod actor;
pub mod app;
pub mod contract;
pub mod database;
pub mod explained;
pub mod mailbox;
pub mod postgres;
pub mod response;
pub mod smtp;
