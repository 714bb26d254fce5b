//! care4u: vaccine registration and identity in one small binary.
//!
//! Imports go one way: `main → cli → app → api → state → domain → entity`. [`error`] and [`db`] are below [`domain`];
//! [`config`] and [`telemetry`] are used by [`app`], the program and the tests, and [`api`] gets the request id from
//! [`telemetry`]. [`demo`] fills a database with demo data. [`mail`] sends the mails that [`domain`] writes to the outbox;
//! [`app`] runs its delivery worker.
//!
//! Path of a request: the route table in [`api`] → guard and extractors → a handler, which calls one function of
//! [`domain`] → the rule and the query. Errors are [`error::Error`]; `api::http::problem` maps them to HTTP responses.

pub mod api;
pub mod app;
pub mod config;
pub mod db;
pub mod demo;
pub mod domain;
pub mod error;
pub mod mail;
pub mod state;
pub mod telemetry;
