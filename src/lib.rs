//! care4u: vaccine registration and identity in one small binary.
//!
//! Arrows go one way: `main → app → api → domain → entity`. [`error`] sits under [`domain`], [`db`] is used by it and
//! by [`app`]; [`config`] and [`telemetry`] are used by [`app`], the program and the tests, and [`api`] reads from
//! [`telemetry`] the id of its request. [`demo`] fills a database for those who want to look around. [`mail`] carries what [`domain`] puts into the outbox, and is run by [`app`].
//!
//! The walk of one request: the route table in [`api`] → its guard and extractors → a handler, which calls one function
//! of [`domain`] → the rule and the query. What goes wrong is an [`error::Error`], which `api::problem` puts into HTTP.

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
