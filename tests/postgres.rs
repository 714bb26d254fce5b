//! The tests of the API, on PostgreSQL.

#[path = "api/mod.rs"]
mod api;
mod support;

use support::database::Backend;

const BACKEND: Backend = Backend::Postgres;
