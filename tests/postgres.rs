//! Tests of the API on PostgreSQL.

#![cfg_attr(
    not(without_postgres),
    expect(
        clippy::expect_used,
        clippy::unwrap_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )
)]

#[cfg(not(without_postgres))]
#[path = "api/mod.rs"]
mod api;
#[cfg(not(without_postgres))]
#[path = "api/outage.rs"]
mod outage;
#[cfg(not(without_postgres))]
mod support;

#[cfg(not(without_postgres))]
const BACKEND: support::database::Backend = support::database::Backend::Postgres;

#[cfg(without_postgres)]
#[test]
#[ignore = "PostgreSQL is not installed"]
fn the_tests_of_the_api_on_postgresql() {}
