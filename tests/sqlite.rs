//! Tests of the API on SQLite.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

#[path = "api/mod.rs"]
mod api;
#[path = "api/locked.rs"]
mod locked;
mod support;

use support::database::Backend;

const BACKEND: Backend = Backend::Sqlite;
