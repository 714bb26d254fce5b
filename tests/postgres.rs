//! Tests of the API on PostgreSQL.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

#[path = "api/mod.rs"]
mod api;
#[path = "api/outage.rs"]
mod outage;
mod support;

use support::database::Backend;

const BACKEND: Backend = Backend::Postgres;
