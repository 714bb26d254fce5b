//! The rules, and every query. Nothing here knows HTTP.
//!
//! Wings, each of which may use those above it: [`values`], [`records`], [`auth`], [`accounts`], [`contacts`],
//! [`vaccination`]. [`personal_data`] sees them all.

pub mod accounts;
pub mod auth;
pub mod contacts;
pub mod personal_data;
pub mod records;
pub mod vaccination;
pub mod values;
